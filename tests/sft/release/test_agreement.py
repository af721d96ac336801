"""What counts as the same model, and what does not."""

import math

import pytest
import torch

from common.chat import FAMILIES, load_tokenizer
from common.errors import UserError
from sft.release.agreement import CONVERSATIONS, Agreement, compare, prompts
from tests.common.chat.small_tokenizers import write_tokenizer


def test_differences_are_taken_over_all_tokens_and_positions() -> None:
    adapted = torch.tensor([[-1.0, -2.0], [-3.0, -0.5]])
    merged = torch.tensor([[-2.5, -2.0], [-3.0, -1.0]])
    found = compare(merged, adapted, base=adapted + 4)
    assert found == Agreement(largest=1.5, mean=0.5, equal=0.5, effect=4.0)


@pytest.mark.parametrize(
    ("dtype", "mean", "equal", "effect", "problem"),
    [
        ("float32", 4e-6, 1.0, 2.0, None),
        ("float32", 4e-4, 1.0, 2.0, "more than float32 explains"),
        ("float16", 0.01, 0.95, 2.0, None),
        ("float16", 0.08, 0.95, 2.0, "more than float16 explains"),
        ("bfloat16", 0.08, 0.93, 2.0, None),
        ("bfloat16", 0.08, 0.7, 2.0, "70.0% of the most likely tokens"),
        ("bfloat16", math.nan, 1.0, 2.0, "more than bfloat16 explains"),
        ("bfloat16", 0.08, 0.93, 0.1, "lose what was trained"),
        ("float32", 0.0, 1.0, 0.0, None),
    ],
)
def test_what_rounding_explains(
    dtype: str, mean: float, equal: float, effect: float, problem: str | None
) -> None:
    found = Agreement(largest=mean, mean=mean, equal=equal, effect=effect)
    if problem is None:
        found.check(dtype)
        return
    with pytest.raises(UserError, match=problem) as error:
        found.check(dtype)
    assert ("--dtype float32" in error.value.fix) == (dtype != "float32")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_render_the_conversations(
    family: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("family") / family
    tokenizer = load_tokenizer(write_tokenizer(folder, family), FAMILIES[family])
    ids = prompts(tokenizer, FAMILIES[family])
    assert [one.shape[0] for one in ids] == [1] * len(CONVERSATIONS)
    for one, turns in zip(ids, CONVERSATIONS, strict=True):
        text = tokenizer.decode(one[0])
        assert all(turn in text for turn in turns)
        assert text.count(FAMILIES[family].end_of_turn) >= len(turns) // 2
