"""Words and signs behind or before a number, and what they measure."""

HOURS, MONTHS, PERCENT, CLOCK, DATE, WEEKDAY, ORDINAL, BARE = (
    "hours", "months", "percent", "clock", "date", "weekday", "ordinal", "",
)  # fmt: skip
COUNT = "count:"
"""Before the noun that is counted, of what has no measure: "count:volume"."""

CURRENCIES = {
    "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen",
    "usd": "dollars", "eur": "euros", "gbp": "pounds", "jpy": "yen",
}  # fmt: skip

UNITS: dict[str, tuple[str, float]] = {
    "second": (HOURS, 1 / 3600), "sec": (HOURS, 1 / 3600), "minute": (HOURS, 1 / 60), "min": (HOURS, 1 / 60),
    "hour": (HOURS, 1), "hr": (HOURS, 1), "h": (HOURS, 1), "day": (HOURS, 24), "weekend": (HOURS, 48),
    "week": (HOURS, 168), "fortnight": (HOURS, 336),
    "month": (MONTHS, 1), "quarter": (MONTHS, 3), "year": (MONTHS, 12), "yr": (MONTHS, 12),
    "dollar": ("dollars", 1), "buck": ("dollars", 1), "usd": ("dollars", 1), "cent": ("dollars", 0.01),
    "euro": ("euros", 1), "eur": ("euros", 1), "pound": ("pounds", 1), "gbp": ("pounds", 1),
    "yen": ("yen", 1), "jpy": ("yen", 1),
    "percent": (PERCENT, 1), "percentage": (PERCENT, 1), "pct": (PERCENT, 1),
    "g": ("grams", 1), "gram": ("grams", 1), "kg": ("grams", 1e3), "kilo": ("grams", 1e3),
    "kilogram": ("grams", 1e3), "ounce": ("grams", 28.35), "oz": ("grams", 28.35), "lb": ("grams", 453.6),
    "micrometre": ("millimetres", 1e-3), "micron": ("millimetres", 1e-3), "mm": ("millimetres", 1),
    "millimetre": ("millimetres", 1), "millimeter": ("millimetres", 1), "cm": ("millimetres", 10),
    "centimetre": ("millimetres", 10), "centimeter": ("millimetres", 10), "metre": ("millimetres", 1e3),
    "meter": ("millimetres", 1e3), "inch": ("millimetres", 25.4), "km": ("millimetres", 1e6),
    "kilometre": ("millimetres", 1e6), "kilometer": ("millimetres", 1e6), "mile": ("millimetres", 1609344),
    "kb": ("bytes", 1e3), "mb": ("bytes", 1e6), "megabyte": ("bytes", 1e6), "gb": ("bytes", 1e9),
    "gigabyte": ("bytes", 1e9), "tb": ("bytes", 1e12),
}  # fmt: skip
"""Singulars, with the unit and the factor to it. Months are no number of hours."""

_BETWEEN = """
    additional business calendar clear consecutive extra full further in more other single square whole
    working
"""
BETWEEN = frozenset(_BETWEEN.split())
"""May stand between a number and its unit: "3 business days", "2 full weeks"."""

_NO_NOUN = """
    a an and are as at be been but by can could do does for from had has have he her his i if in into is it
    its may me more must my no not of off on once only or our out over per she should so than that the their
    them then there these they this those to too under until up us was we were when where which while who will
    with without would you your
"""
NO_NOUN = frozenset(_NO_NOUN.split())
"""Words that are not what a number before them counts."""
