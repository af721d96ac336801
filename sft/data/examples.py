"""Dataset rows to training examples: ids and labels, with what was cut, truncated or dropped counted."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.chat import Family, MessageError, Rendered, normalise, render_conversations
from common.console import track
from sft.data.cutting import cut

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE = -100
"""The label of a token that the loss leaves out (PyTorch's default)."""
_BATCH = 256


@dataclass
class Examples:
    """Training examples of one split, and where the rest went.

    `cut` conversations were too long and became `parts` examples, each of whole exchanges. `truncated`
    examples, of a single exchange that is too long, lost their end. `lost` counts the tokens that would have
    been trained and are not: they were cut off there, be the rest kept or dropped.
    """

    input_ids: list[list[int]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    row_ids: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    parts: int = 0
    truncated: int = 0
    lost: int = 0
    replay: dict[str, Any] = field(default_factory=dict)
    """What `sft.data.replay` has mixed in: counts."""

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
            "cut": self.cut,
            "parts": self.parts,
            "truncated": self.truncated,
            "lost_tokens": self.lost,
            "dropped": dict(self.dropped),
        } | ({"replay": self.replay} if self.replay else {})


def load_examples(
    path: Path, tokenizer: "PreTrainedTokenizerBase", family: Family, max_length: int
) -> Examples:
    """Render the JSONL rows at `path` (see `render_rows`)."""
    return render_rows(read_rows(path), tokenizer, family, max_length, what=path.name)


def split_files(dataset: Path, *, without: tuple[str, ...] = ()) -> list[Path]:
    """The files of a dataset's splits and holdouts, but those named; rejected rows are in none."""
    left_out = {"rejected", *without}
    return [path for path in sorted(dataset.glob("*.jsonl")) if path.stem not in left_out]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a split: `id`, `messages` and what else the dataset has."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def render_rows(
    rows: list[dict[str, Any]],
    tokenizer: "PreTrainedTokenizerBase",
    family: Family,
    max_length: int,
    *,
    what: str,
) -> Examples:
    """Render rows; `what` they are is for the progress bar.

    A conversation over `max_length` tokens is cut between exchanges (see `sft.data.cutting`). A single
    exchange that is too long loses its end; one that then has no trained token left is dropped as
    `no_trained_token`: a batch of such rows would train on nothing, or give a NaN loss.
    """
    examples = Examples()
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    for batch in track(batches, f"tokenizing {what}"):
        usable = [row for row in batch if _is_usable(row, examples.dropped)]
        rendered = render_conversations(tokenizer, family, [row["messages"] for row in usable])
        for row, group in zip(usable, rendered, strict=True):
            if any(len(example.input_ids) > max_length for example in group):
                parts = cut(tokenizer, family, row["messages"], max_length)
                if parts != group:
                    examples.cut += 1
                    examples.parts += len(parts)
                group = parts
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
    examples.lost += sum(example.trained[max_length:])
    if all(label == IGNORE for label in labels[1:]):  # the first token is never a target
        examples.dropped["no_trained_token"] += 1
        return
    examples.input_ids.append(input_ids)
    examples.labels.append(labels)
    examples.row_ids.append(row_id)
