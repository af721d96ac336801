"""Arithmetic, as people ask for it."""

from sft.tiny.facts_base import Draw, Facts, in_words, listed, with_words

_CONVERSIONS = (
    ("kilometres", "metres", 1000),
    ("metres", "centimetres", 100),
    ("centimetres", "millimetres", 10),
    ("kilograms", "grams", 1000),
    ("litres", "millilitres", 1000),
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("days", "hours", 24),
    ("weeks", "days", 7),
    ("years", "months", 12),
    ("dozen", "pieces", 12),
    ("feet", "inches", 12),
    ("pounds", "ounces", 16),
    ("tonnes", "kilograms", 1000),
    ("decades", "years", 10),
    ("centuries", "years", 100),
)
_FRACTIONS = (("half", 2), ("a third", 3), ("a quarter", 4), ("a fifth", 5), ("a tenth", 10))


def addition(draw: Draw) -> Facts:
    """`a` plus `b` is `total`, plus `c` is `grand`."""
    high = draw.pick((10, 20, 50, 100, 500))
    a, b, c = (draw.number(2, high) for _ in range(3))
    return with_words(a=a, b=b, total=a + b, c=c, grand=a + b + c)


def subtraction(draw: Draw) -> Facts:
    """`a` minus `b` is `rest`; `b` plus `rest` is `a`."""
    a = draw.number(5, draw.pick((12, 30, 100, 400)))
    b = draw.number(2, a - 1)
    return with_words(a=a, b=b, rest=a - b)


def multiplication(draw: Draw) -> Facts:
    """`a` times `b` is `product`; `b` more makes `next`."""
    a, b = draw.number(2, 12), draw.number(2, draw.pick((10, 12, 20, 40)))
    return with_words(a=a, b=b, product=a * b, next=a * b + b, more=a + 1)


def division(draw: Draw) -> Facts:
    """`a` divided by `b` is `quotient`; `b` people with one more than that each have `left` over."""
    b, quotient, left = draw.number(3, 12), draw.number(2, 12), draw.number(1, 2)
    return with_words(a=b * quotient, b=b, quotient=quotient, left=left, uneven=b * quotient + left)


def average(draw: Draw) -> Facts:
    """The mean of three whole numbers, itself whole."""
    mean = draw.number(4, 60)
    low = draw.number(1, min(9, mean - 1))
    high = draw.number(1, min(9, mean - 1))
    a, b = mean - low, mean + high
    return with_words(a=a, b=b, c=mean + low - high, total=3 * mean, mean=mean)


def percentage(draw: Draw) -> Facts:
    """`percent` of `amount` is `part`; `rest` is what is left, `more` what it grows to."""
    percent = draw.pick((5, 10, 15, 20, 25, 30, 40, 50, 60, 75))
    amount = draw.number(1, 30) * 20
    part = amount * percent // 100
    return with_words(percent=percent, amount=amount, part=part, rest=amount - part, more=amount + part)


def fraction(draw: Draw) -> Facts:
    """A fraction of an amount."""
    name, divisor = draw.pick(_FRACTIONS)
    part = draw.number(2, 40)
    return {"fraction": name} | with_words(amount=part * divisor, divisor=divisor, part=part)


def comparison(draw: Draw) -> Facts:
    """Two different numbers, in random order."""
    high = draw.pick((20, 100, 1000, 10000))
    smaller = draw.number(1, high - 1)
    larger = draw.number(smaller + 1, high)
    first, second = draw.sample((larger, smaller), 2)
    return {"first": str(first), "second": str(second)} | with_words(
        larger=larger, smaller=smaller, difference=larger - smaller
    )


def sorting(draw: Draw) -> Facts:
    """Some numbers, as given and in order."""
    numbers = draw.sample(range(2, 100), draw.number(4, 6))
    ordered = sorted(numbers)
    return {
        "numbers": listed([str(number) for number in numbers]),
        "ascending": ", ".join(map(str, ordered)),
        "descending": ", ".join(map(str, reversed(ordered))),
        "smallest": str(ordered[0]),
        "largest": str(ordered[-1]),
        "how_many": in_words(len(numbers)),
    }


def parity(draw: Draw) -> Facts:
    """Whether a number is even."""
    number = draw.number(3, 400)
    even = number % 2 == 0
    return {
        "number": str(number),
        "kind": "even" if even else "odd",
        "other_kind": "odd" if even else "even",
        "last": str(number % 10),
        "next": str(number + 1),
    }


def sequence(draw: Draw) -> Facts:
    """An arithmetic sequence and how it goes on."""
    start, step = draw.number(1, 30), draw.number(2, 12)
    terms = [start + step * index for index in range(6)]
    return {
        "terms": ", ".join(map(str, terms[:4])),
        "next": str(terms[4]),
        "after": str(terms[5]),
        "step": str(step),
    }


def conversion(draw: Draw) -> Facts:
    """An amount in a smaller unit."""
    unit, small, factor = draw.pick(_CONVERSIONS)
    amount = draw.number(2, 15)
    return {
        "amount": str(amount),
        "unit": unit,
        "small": small,
        "factor": str(factor),
        "result": f"{amount * factor:,}",
    }


def number_name(draw: Draw) -> Facts:
    """A number and its name."""
    return with_words(number=draw.number(11, draw.pick((99, 999, 9999, 99999))))


def times_table(draw: Draw) -> Facts:
    """The first five lines of a times table."""
    number = draw.number(2, 12)
    lines = [f"{factor} x {number} = {factor * number}" for factor in range(1, 6)]
    return {"number": str(number), "lines": "\n".join(lines), "tenth": str(10 * number)}


ALL = (
    addition, subtraction, multiplication, division, average, percentage, fraction, comparison,
    sorting, parity, sequence, conversion, number_name, times_table,
)  # fmt: skip
