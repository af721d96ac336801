import json
from pathlib import Path
from typing import Any

import pytest

from common.chat import FAMILIES, load_tokenizer
from sft.data.examples import IGNORE, load_examples
from tests.common.chat.small_tokenizers import write_tokenizer
from tests.sft.small_runs import rows


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("tokenizer") / "tiny"
    write_tokenizer(folder, "tiny")
    return load_tokenizer(str(folder), FAMILIES["tiny"])


def write(folder: Path, data: list[dict[str, object]]) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in data))
    return path


def test_only_the_assistant_is_learned_from(tmp_path: Path, tokenizer: Any) -> None:
    examples = load_examples(write(tmp_path, rows(1)), tokenizer, FAMILIES["tiny"], 512)
    trained = [label for label in examples.labels[0] if label != IGNORE]
    assert tokenizer.decode(trained) == "Your red box is on its way.<|end|>"
    assert examples.row_ids == ["row-0"] and not examples.dropped and not examples.truncated


def test_a_long_conversation_is_cut_and_one_without_trained_tokens_dropped(
    tmp_path: Path, tokenizer: Any
) -> None:
    path = write(tmp_path, rows(3))  # of one, two and three exchanges
    whole = load_examples(path, tokenizer, FAMILIES["tiny"], 512)
    assert (whole.cut, whole.truncated, whole.lost) == (0, 0, 0)
    cut = load_examples(path, tokenizer, FAMILIES["tiny"], whole.lengths[1])
    assert (cut.cut, cut.parts, len(cut)) == (1, 3, 5) and cut.row_ids[2:] == ["row-2"] * 3
    assert cut.supervised + cut.lost == whole.supervised and max(cut.lengths) == whole.lengths[1]
    nothing = load_examples(path, tokenizer, FAMILIES["tiny"], 5)
    assert len(nothing) == 0 and nothing.dropped == {"no_trained_token": 6}
    assert nothing.summary() | {"lost_tokens": whole.supervised, "cut": 2, "parts": 5} == nothing.summary()


def test_an_unusable_row_is_dropped_with_its_reason(tmp_path: Path, tokenizer: Any) -> None:
    bad = {"id": "bad", "messages": [{"role": "user", "content": "Hello?"}]}
    examples = load_examples(write(tmp_path, [bad, *rows(1)]), tokenizer, FAMILIES["tiny"], 512)
    assert examples.dropped == {"no_assistant_turn": 1} and examples.row_ids == ["row-0"]


def test_sorting_keeps_rows_together(tmp_path: Path, tokenizer: Any) -> None:
    examples = load_examples(write(tmp_path, rows(9)), tokenizer, FAMILIES["tiny"], 512)
    ordered = examples.sorted_by_length()
    assert ordered.lengths == sorted(examples.lengths)
    pairs = set(zip(examples.row_ids, map(tuple, examples.labels), strict=True))
    assert set(zip(ordered.row_ids, map(tuple, ordered.labels), strict=True)) == pairs


def test_summary_counts_tokens(tmp_path: Path, tokenizer: Any) -> None:
    examples = load_examples(write(tmp_path, rows(3)), tokenizer, FAMILIES["tiny"], 512)
    summary = examples.summary()
    assert summary["examples"] == 3 and summary["tokens"] == sum(examples.lengths)
    assert summary["supervised_tokens"] == examples.supervised
    assert summary["length"]["p100"] == max(examples.lengths)


def test_another_tokenizer_gives_its_own_ids_at_once(tmp_path: Path, tokenizer: Any) -> None:
    """Nothing of an earlier run's tokens is kept: stale caches have trained models on another vocabulary."""
    path = write(tmp_path, rows(2))
    write_tokenizer(tmp_path / "qwen", "qwen2.5")
    other = load_tokenizer(str(tmp_path / "qwen"), FAMILIES["qwen2.5"])
    load_examples(path, tokenizer, FAMILIES["tiny"], 512)
    examples = load_examples(path, other, FAMILIES["qwen2.5"], 512)
    assert "<|im_start|>assistant\nYour red box is on its way." in other.decode(examples.input_ids[0])
