"""Values that a scenario needs computed: sums, dates, spellings, bookings.

A facts function draws what the user will say and computes what the assistant must answer; the texts of the
scenario show the values as `<@name>`.
"""

from collections.abc import Callable
from random import Random

from sft.tiny import facts_calendar, facts_everyday, facts_numbers, facts_words
from sft.tiny.facts_base import Draw, Facts, in_words, money
from sft.tiny.text_files import Library


def booking(draw: Draw) -> Facts:
    """What a counter of any kind needs: a reference, possible days and times, an amount and its price."""
    first, second = draw.sample(facts_calendar.WEEKDAYS, 2)
    count = draw.number(2, 6)
    price = draw.number(4, 95)
    night = draw.number(7, 36) * 5
    low = draw.number(2, 40) * 5
    high = low + draw.number(1, 20) * 5
    return {
        "code": f"{draw.letter()}{draw.letter()}-{draw.number(1000, 9999)}",
        "digits": str(draw.number(100000, 999999)),
        "phone": f"0{draw.number(20, 99)} {draw.number(100, 999)} {draw.number(1000, 9999)}",
        "room": str(draw.number(1, 9) * 100 + draw.number(1, 40)),
        "day": first,
        "other_day": second,
        "time": facts_calendar.clock(draw.number(8 * 4, 19 * 4) * 15),
        "other_time": facts_calendar.clock(draw.number(8 * 4, 19 * 4) * 15 + 5),
        "evening": facts_calendar.clock(draw.number(18 * 4, 20 * 4) * 15),
        "late": facts_calendar.clock(draw.number(20 * 4 + 1, 22 * 4) * 15),
        "date": facts_calendar.date_text(draw.number(1, 365)),
        "count": in_words(count),
        "number": str(count),
        "price": money(price),
        "total": money(price * count),
        "small": money(draw.number(4, 18)),
        "night": money(night),
        "stay": money(night * count),
        "low": money(low),
        "high": money(high),
        "difference": money(high - low),
        "minutes": str(draw.number(1, 11) * 5),
        "weeks": in_words(draw.number(2, 12)),
        "percent": str(draw.number(1, 10) * 5),
    }


def make_facts(name: str, random: Random, library: Library) -> Facts:
    """The values of the facts function `name`; none for the empty name."""
    return FACTS[name](Draw(random, library)) if name else {}


FACTS: dict[str, Callable[[Draw], Facts]] = {
    function.__name__: function
    for function in (booking, *facts_numbers.ALL, *facts_everyday.ALL, *facts_calendar.ALL, *facts_words.ALL)
}
