"""Rows in which a shared beginning stands once hold every sequence, whole."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from sft.cpu.prefixes import SHORTEST, Row, in_a_row
from sft.data.examples import IGNORE

SYSTEM = list(range(100, 130))


def row_of(sequences: list[tuple[list[int], int]]) -> Row:
    """Sequences as (tokens, number of the first trained one); targets are the tokens, negative."""
    tokens = [torch.tensor(ids) for ids, _ in sequences]
    targets = [
        torch.tensor([-token if at >= trained else IGNORE for at, token in enumerate(ids)])
        for ids, trained in sequences
    ]
    return in_a_row(tokens, targets)


def read(row: Row, values: torch.Tensor, number: int) -> list[int]:
    return [value for start, end in row.spans[number] for value in values[0, start:end].tolist()]


# Few kinds of tokens and long shared beginnings, so that sequences coincide at many places.
bodies = st.lists(st.integers(1, 2), min_size=1, max_size=12)
drawn = st.tuples(st.sampled_from([[], [1] * 9, [1] * 9 + [2] * 9]), bodies, st.integers(0, 20))


@given(st.lists(drawn.map(lambda parts: (parts[0] + parts[1], parts[2])), min_size=1, max_size=6))
def test_every_sequence_is_whole_and_every_target_counts_once(sequences: list[tuple[list[int], int]]) -> None:
    row = row_of(sequences)
    for number, (ids, trained) in enumerate(sequences):
        assert read(row, row.tokens, number) == ids
        assert read(row, row.positions, number) == list(range(len(ids)))
        wanted = [-token if at >= trained else IGNORE for at, token in enumerate(ids)]
        assert read(row, row.targets, number) == wanted
    trained_tokens = sum(max(0, len(ids) - trained) for ids, trained in sequences)
    assert int((row.targets != IGNORE).sum()) == trained_tokens, "none is shared, none is lost"


def test_a_system_prompt_stands_once() -> None:
    row = row_of([([*SYSTEM, 1, 2], 31), ([*SYSTEM, 3, 4, 5], 31), ([*SYSTEM, 1, 2, 6], 32)])
    assert row.tokens.tolist() == [[*SYSTEM, 1, 2, 3, 4, 5, 2, 6]]
    assert row.spans == [[(0, 32)], [(0, 30), (32, 35)], [(0, 31), (35, 37)]], "and goes on where it parts"


def test_two_replies_to_one_conversation_share_it() -> None:
    conversation = [*SYSTEM, *range(50)]
    row = row_of([([*SYSTEM, 7], 30), ([*conversation, 1], 80), ([*conversation, 2], 80)])
    assert row.spans[2] == [(0, 30), (31, 81), (82, 83)], (
        "a beginning that itself goes on from an earlier one"
    )


def test_trained_and_short_beginnings_are_not_shared() -> None:
    trained = row_of([([*SYSTEM, 1], 0), ([*SYSTEM, 2], 31)])
    assert trained.tokens.shape[1] == 62, "the first one's are trained"
    short = SYSTEM[: SHORTEST - 1]
    assert row_of([([*short, 1], 8), ([*short, 2], 8)]).tokens.shape[1] == 16


def test_equal_sequences_keep_a_token_of_their_own() -> None:
    assert row_of([(SYSTEM, 99), (SYSTEM, 99)]).spans == [[(0, 30)], [(0, 29), (30, 31)]]
