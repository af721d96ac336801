"""Play with words and letters."""

from sft.tiny.facts_base import Draw, Facts, in_words, listed


def spelling(draw: Draw) -> Facts:
    """A word letter by letter."""
    word = draw.rule("spelling_word")
    vowels = [letter for letter in word if letter in "aeiou"]
    letter = draw.pick(sorted(set(word)))
    times = word.count(letter)
    return {
        "word": word,
        "letters": "-".join(word),
        "length": in_words(len(word)),
        "first": word[0],
        "last": word[-1],
        "backwards": word[::-1],
        "capitals": word.upper(),
        "vowels": in_words(len(vowels)),
        "vowel_list": listed(vowels) if vowels else "none",
        "consonants": in_words(len(word) - len(vowels)),
        "letter": letter,
        "times": {1: "once", 2: "twice"}.get(times, f"{in_words(times)} times"),
    }


def name_spelling(draw: Draw) -> Facts:
    """A surname that the user has to spell, first misheard with another last letter."""
    name = draw.rule("invented_name")
    misheard = name[:-1] + draw.pick([letter for letter in "aeiklnorst" if letter != name[-1]])
    return {"name": name, "letters": "-".join(name.upper()), "misheard": misheard, "initial": name[0]}


def alphabet(draw: Draw) -> Facts:
    """Words as given and in alphabetical order."""
    words = sorted({draw.rule("spelling_word") for _ in range(draw.number(3, 6))} | {"apple", "zebra"})[1:]
    mixed = draw.sample(words, len(words))
    return {
        "words": listed(mixed),
        "sorted": ", ".join(words),
        "first": words[0],
        "last": words[-1],
        "longest": max(mixed, key=len),
        "how_many": in_words(len(words)),
    }


def sentence_forms(draw: Draw) -> Facts:
    """A sentence, its length in words, in capitals, and its ends."""
    sentence = draw.rule("short_sentence")
    words = sentence.split()
    return {
        "sentence": sentence,
        "count": in_words(len(words)),
        "capitals": sentence.upper(),
        "first": words[0],
        "last": words[-1],
        "backwards": " ".join(reversed(words)),
    }


def repetition(draw: Draw) -> Facts:
    """A word said several times."""
    word, times = draw.rule("spelling_word"), draw.number(2, 6)
    return {"word": word, "times": in_words(times), "repeated": " ".join([word] * times)}


ALL = (spelling, name_spelling, alphabet, sentence_forms, repetition)
