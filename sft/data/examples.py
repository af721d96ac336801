"""Dataset rows to training examples: ids and labels, with what was truncated or dropped counted by reason."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.chat import Family, MessageError, Rendered, normalise, render_conversations
from common.console import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE = -100
"""The label of a token that the loss leaves out (PyTorch's default)."""
_BATCH = 256


@dataclass
class Examples:
    """Training examples of one split, and where the rest went."""

    input_ids: list[list[int]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    row_ids: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    truncated: int = 0

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.input_ids[index], "labels": self.labels[index], "row": index}

    def sorted_by_length(self) -> "Examples":
        """The same examples, short ones first: batches of them have little padding."""
        order = sorted(range(len(self)), key=lambda i: len(self.input_ids[i]))
        return replace(
            self,
            input_ids=[self.input_ids[i] for i in order],
            labels=[self.labels[i] for i in order],
            row_ids=[self.row_ids[i] for i in order],
        )

    @property
    def lengths(self) -> list[int]:
        """Tokens of each example."""
        return [len(ids) for ids in self.input_ids]

    @property
    def supervised(self) -> int:
        """Tokens that the loss counts."""
        return sum(label != IGNORE for labels in self.labels for label in labels)

    def summary(self) -> dict[str, Any]:
        """Counts and length quantiles, for the manifest and the screen."""
        ordered = sorted(self.lengths) or [0]
        quantiles = {f"p{q}": ordered[round(q / 100 * (len(ordered) - 1))] for q in (50, 95, 100)}
        return {
            "examples": len(self),
            "tokens": sum(self.lengths),
            "supervised_tokens": self.supervised,
            "length": quantiles,
            "truncated": self.truncated,
            "dropped": dict(self.dropped),
        }


def load_examples(
    path: Path, tokenizer: "PreTrainedTokenizerBase", family: Family, max_length: int
) -> Examples:
    """Render the JSONL rows at `path`.

    An example over `max_length` tokens loses its end (counted); one that then has no trained token left is
    dropped as `no_trained_token`: a batch of such rows would train on nothing, or give a NaN loss.
    """
    examples = Examples()
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    for batch in track(batches, f"tokenizing {path.name}"):
        usable = [row for row in batch if _is_usable(row, examples.dropped)]
        rendered = render_conversations(tokenizer, family, [row["messages"] for row in usable])
        for row, group in zip(usable, rendered, strict=True):
            for example in group:
                _add(examples, str(row["id"]), example, max_length)
    return examples


def _is_usable(row: dict[str, Any], dropped: Counter[str]) -> bool:
    try:
        normalise(row["messages"], training=True)
    except MessageError as error:
        dropped[error.reason] += 1
        return False
    return True


def _add(examples: Examples, row_id: str, example: Rendered, max_length: int) -> None:
    examples.truncated += len(example.input_ids) > max_length
    input_ids = example.input_ids[:max_length]
    labels = [
        token if trained else IGNORE
        for token, trained in zip(input_ids, example.trained[:max_length], strict=True)
    ]
    if all(label == IGNORE for label in labels[1:]):  # the first token is never a target
        examples.dropped["no_trained_token"] += 1
        return
    examples.input_ids.append(input_ids)
    examples.labels.append(labels)
    examples.row_ids.append(row_id)
