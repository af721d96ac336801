"""Weekdays, dates and times of day."""

from sft.tiny.facts_base import Draw, Facts, in_words

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    ("January", 31), ("February", 28), ("March", 31), ("April", 30), ("May", 31), ("June", 30),
    ("July", 31), ("August", 31), ("September", 30), ("October", 31), ("November", 30), ("December", 31),
)  # fmt: skip
_SEASONS = ("winter", "spring", "summer", "autumn")


def clock(minutes: int) -> str:
    """Minutes since midnight as the time of day: "7:05 pm"."""
    hour, minute = divmod(minutes % (24 * 60), 60)
    return f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < 12 else 'pm'}"


def date_text(day: int) -> str:
    """The day of a common year (1 to 365, later days wrap around) as "4 May"."""
    day = (day - 1) % 365 + 1
    for month, length in MONTHS:
        if day <= length:
            return f"{day} {month}"
        day -= length
    raise AssertionError("a year has 365 days")


def duration(minutes: int) -> str:
    """A duration in words: "an hour and 5 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append("an hour" if hours == 1 else f"{in_words(hours)} hours")
    if rest:
        parts.append(f"{rest} minutes" if rest > 1 else "one minute")
    return " and ".join(parts) or "no time at all"


def weekday_shift(draw: Draw) -> Facts:
    """The weekday some days after or before another."""
    today, days = draw.number(0, 6), draw.number(2, 12)
    return {
        "day": WEEKDAYS[today],
        "tomorrow": WEEKDAYS[(today + 1) % 7],
        "yesterday": WEEKDAYS[(today - 1) % 7],
        "days": in_words(days),
        "later": WEEKDAYS[(today + days) % 7],
        "earlier": WEEKDAYS[(today - days) % 7],
        "week_part": "a weekend day" if today > 4 else "a weekday",
    }


def time_span(draw: Draw) -> Facts:
    """Start, duration and end of something on one day."""
    start, length = draw.number(7 * 12, 18 * 12) * 5, draw.number(2, 40) * 5
    return {
        "start": clock(start),
        "end": clock(start + length),
        "length": duration(length),
        "earlier": clock(start - 15),
        "half_hour_later": clock(start + 30),
    }


def departure(draw: Draw) -> Facts:
    """When to leave home for an event."""
    event, way = draw.number(10 * 12, 21 * 12) * 5, draw.number(3, 18) * 5
    spare = draw.pick((5, 10, 15, 20))
    return {
        "event": clock(event),
        "way": duration(way),
        "spare": f"{spare} minutes",
        "leave": clock(event - way - spare),
        "latest": clock(event - way),
    }


def date_shift(draw: Draw) -> Facts:
    """A date some days or weeks after another."""
    day, days, weeks = draw.number(1, 340), draw.number(3, 25), draw.number(2, 9)
    return {
        "date": date_text(day),
        "days": str(days),
        "later": date_text(day + days),
        "weeks": in_words(weeks),
        "weeks_later": date_text(day + 7 * weeks),
        "next_day": date_text(day + 1),
    }


def month_facts(draw: Draw) -> Facts:
    """A month, its neighbours, length and season in the north."""
    index = draw.number(0, 11)
    month, length = MONTHS[index]
    return {
        "month": month,
        "next": MONTHS[(index + 1) % 12][0],
        "previous": MONTHS[index - 1][0],
        "length": str(length),
        "place": str(index + 1),
        "season": _SEASONS[(index + 1) % 12 // 3],
    }


def opening_hours(draw: Draw) -> Facts:
    """Opening hours, and whether a place is open at a time somebody asks about."""
    opens, closes = draw.number(7, 10) * 60, draw.number(15, 22) * 60
    asked = draw.number(6 * 2, 23 * 2) * 30
    is_open = opens <= asked < closes
    if is_open:
        verdict = "we are open then"
    else:
        verdict = "we are still closed then" if asked < opens else "we are already closed then"
    return {
        "opens": clock(opens),
        "closes": clock(closes),
        "asked": clock(asked),
        "answer": "yes" if is_open else "no",
        "verdict": verdict,
        "hours": in_words((closes - opens) // 60),
    }


def birthday(draw: Draw) -> Facts:
    """Year of birth and age."""
    year, age = draw.number(1950, 2010), draw.number(5, 90)
    return {
        "born": str(year),
        "year": str(year + age),
        "age": str(age),
        "next_age": str(age + 1),
        "date": date_text(draw.number(1, 365)),
    }


ALL = (weekday_shift, time_span, departure, date_shift, month_facts, opening_hours, birthday)
