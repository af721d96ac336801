"""What a name is made of, and the titles before it."""

import re

from data_pipeline.pii import words

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.\-](?=[^\W\d_]))*")
_INITIAL_DOT = re.compile(r"\.(?= [^\W\d_])")
_PARTICLE_WORDS = "van der den de la le du von zu bin al el di da dos del ten ter y e"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_SUFFIX = re.compile(r",? (?:Jr\.?|Sr\.?|PhD|MD|DDS|DVM|II|III|IV)(?!\w)")
_SHORT = "mr|mrs|ms|mx|dr|prof|mme|mlle|sr|sra|dra|sig|rev|capt|sgt"
_LONG = (
    "professor|sir|herr|frau|monsieur|madame|señor|señora|señorita|signor|signora|captain|doctor|miss|madam"
)
TITLE = re.compile(rf"(?<![\w'’])(?:(?:{_SHORT})\.?|{_LONG}) (?=[^\W\d_])", re.IGNORECASE)


def name_end(text: str, start: int, most: int, lower_case: bool) -> int | None:
    """Where the name that begins at `start` ends, or None if no name does.

    Args:
        text: what to read.
        start: where the first word begins.
        most: the greatest number of words, particles such as "van" not counted.
        lower_case: whether words in lower case count: then only if the first one is.
    """
    capitals = text[start : start + 1].isupper()
    if not capitals and not lower_case:
        return None
    not_names = words.folded("not_names")
    position, end, count = start, None, 0
    while count < most and (match := _WORD.match(text, position)):
        word = match[0].removesuffix("'s").removesuffix("’s")
        is_particle = word in _PARTICLES
        other_word = word.casefold().replace("’", "'") in not_names or (capitals and not word[0].isupper())
        if other_word and not is_particle:
            break
        position += len(word)
        if not is_particle:
            end, count = position, count + 1
        if len(word) == 1 and _INITIAL_DOT.match(text, position):
            position += 1
        if text[position : position + 1] != " ":
            break
        position += 1
    if end is None:
        return None
    suffix = _SUFFIX.match(text, end)
    return suffix.end() if suffix else end
