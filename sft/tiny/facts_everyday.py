"""Sums of everyday life: prices, recipes, ages, journeys."""

from sft.tiny.facts_base import Draw, Facts, in_words, money, with_words


def shopping(draw: Draw) -> Facts:
    """`count` things at `price` come to `total`; from `paid` you get `change`."""
    count, cents = draw.number(2, 9), draw.number(2, 60) * 25
    total = count * cents
    paid = -(-(total + 1) // 1000) * 1000
    return {
        "count": str(count),
        "count_words": in_words(count),
        "price": money(cents / 100),
        "total": money(total / 100),
        "paid": money(paid / 100),
        "change": money((paid - total) / 100),
    }


def shared_bill(draw: Draw) -> Facts:
    """A bill divided by the people at the table, with a tip."""
    people, share = draw.number(2, 8), draw.number(6, 45)
    tip = draw.number(1, 3)
    return {
        "people": in_words(people),
        "bill": money(people * share),
        "share": money(share),
        "tip_each": money(tip),
        "tip": money(tip * people),
        "with_tip": money(share + tip),
    }


def budget(draw: Draw) -> Facts:
    """What is left of a sum after two expenses."""
    first, second, left = (draw.number(2, 40) * 10 for _ in range(3))
    return {
        "income": money(first + second + left),
        "first": money(first),
        "second": money(second),
        "spent": money(first + second),
        "left": money(left),
    }


def rectangle(draw: Draw) -> Facts:
    """Area and perimeter of a room."""
    width, length = draw.number(2, 9), draw.number(3, 15)
    return with_words(width=width, length=length, area=width * length, around=2 * (width + length))


def journey(draw: Draw) -> Facts:
    """Distance from speed and time."""
    speed, hours = draw.number(2, 24) * 5, draw.number(2, 8)
    return with_words(speed=speed, hours=hours, distance=speed * hours)


def portions(draw: Draw) -> Facts:
    """A recipe made for more people."""
    people, factor, grams, spoons = (
        draw.number(2, 4),
        draw.number(2, 4),
        draw.number(4, 20) * 25,
        draw.number(1, 4),
    )
    return with_words(
        people=people,
        guests=people * factor,
        factor=factor,
        grams=grams,
        more_grams=grams * factor,
        spoons=spoons,
        more_spoons=spoons * factor,
    )


def savings(draw: Draw) -> Facts:
    """Saving a sum every week until a goal is reached."""
    each, weeks = draw.number(1, 12) * 5, draw.number(3, 20)
    return {
        "each": money(each),
        "weeks": str(weeks),
        "goal": money(each * weeks),
        "double": money(2 * each * weeks),
    }


def temperatures(draw: Draw) -> Facts:
    """Two temperatures and which is warmer."""
    morning = draw.number(-4, 18)
    rise = draw.number(2, 14)
    return {"morning": str(morning), "noon": str(morning + rise), "rise": str(rise)}


def match_score(draw: Draw) -> Facts:
    """The result of a match; the winner is always named first."""
    loser = draw.number(0, 3)
    lead = draw.number(1, 4)
    return {
        "high": str(loser + lead),
        "low": str(loser),
        "lead": in_words(lead),
        "goals": in_words(2 * loser + lead),
    }


def ages(draw: Draw) -> Facts:
    """Two people's ages now and in some years."""
    younger, gap, years = draw.number(3, 40), draw.number(2, 12), draw.number(2, 15)
    return with_words(
        younger=younger,
        older=younger + gap,
        gap=gap,
        years=years,
        younger_then=younger + years,
        older_then=younger + gap + years,
    )


ALL = (
    shopping, shared_bill, budget, rectangle, journey, portions, savings, temperatures,
    match_score, ages,
)  # fmt: skip
