import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.ner.windows import find_in_windows, without_overlaps
from data_pipeline.pii.spans import Span

NAME = re.compile(r"Jane Field")


def find_names(text: str) -> Sequence[Span]:
    return [Span(match.start(), match.end(), "PERSON", 1.0) for match in NAME.finditer(text)]


@given(
    st.lists(st.sampled_from(["Jane Field", "a", "word", "\n", "longer-word"]), max_size=80),
    st.integers(60, 200),
)
def test_windows_find_what_one_look_at_the_whole_text_finds(words: list[str], size: int) -> None:
    text = " ".join(words)

    assert find_in_windows(text, find_names, size, 20) == list(find_names(text))


def test_no_window_is_longer_than_asked_for() -> None:
    seen: list[int] = []

    def remember(text: str) -> Sequence[Span]:
        seen.append(len(text))
        return []

    find_in_windows("x" * 1_000, remember, 100, 20)

    assert max(seen) <= 100
    assert sum(seen) >= 1_000


def test_of_two_spans_that_overlap_the_longer_stays() -> None:
    short, long = Span(0, 4, "PERSON", 1.0), Span(2, 9, "LOCATION", 0.4)

    assert without_overlaps([short, long, Span(9, 12, "PERSON", 0.9)]) == [long, Span(9, 12, "PERSON", 0.9)]
