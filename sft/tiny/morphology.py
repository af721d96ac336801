"""English verb forms and plurals, so that the word tables list only what is irregular."""

VERB_FORMS = ("base", "s", "past", "pp", "ing")
_VOWELS = "aeiou"


def verb_forms(entry: str) -> tuple[str, str, str, str, str]:
    """The five forms of a verb: base, third person, past, past participle, -ing.

    `entry` is the base ("walk"), or base, past and participle ("go went gone"), or all five forms. A "+"
    after the base doubles the last letter ("stop+": stopped, stopping).
    """
    words = entry.split()
    if len(words) == 5:
        base, third, past, participle, ing = words
        return base, third, past, participle, ing
    doubles = words[0].endswith("+")
    base = words[0].removesuffix("+")
    stem = base + base[-1] if doubles else base
    if len(words) == 3:
        _, past, participle = words
    elif len(words) == 1:
        past = participle = _regular_past(base, stem)
    else:
        raise ValueError(f"a verb has 1, 3 or 5 words: {entry!r}")
    return base, _with_s(base), past, participle, _with_ing(base, stem)


def noun_forms(entry: str) -> tuple[str, str]:
    """Singular and plural: "dog" is regular, "child/children" names both, only the last word changes."""
    one, _, many = entry.partition("/")
    return one, many or _with_s(one)


def _with_s(word: str) -> str:
    if word.endswith("y") and word[-2] not in _VOWELS:
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) or word in {"go", "do"} else "s")


def _regular_past(base: str, stem: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in _VOWELS:
        return base[:-1] + "ied"
    return stem + "ed"


def _with_ing(base: str, stem: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return base[:-1] + "ing"
    return stem + "ing"
