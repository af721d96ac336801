"""Which texts may stand in which part of the labelled data.

Parts share no text: of the ways to put a request, some are in the training part, others in the test part, and
the held-out situations are in the test part alone. A model that has learned sentences by heart knows nothing
of it. The assignment belongs to the texts; a seed does not change it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from common import seeds
from common.provenance import digest
from common.seeds import unit_hash
from data_pipeline.sample.grammar import Template
from data_pipeline.sample.label_models import Everyday, FeelingLine, Foreign
from data_pipeline.sample.models import Intent, Situation, Tone

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_SHARES: dict[Split, float] = {"train": 0.68, "validation": 0.12, "test": 0.2}

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What a customer wants, in the words that stand in one part. A plain request has no `situation`."""

    name: str
    intent: Intent
    tone: Tone
    openers: tuple[Template, ...]
    japanese: tuple[Template, ...] = ()
    needs: tuple[str, ...] = ()
    situation: Situation | None = None


def split_requests(situations: Iterable[Situation]) -> dict[Split, list[Request]]:
    """Every situation in every part, in other words; held-out ones in the test part alone."""
    parts: dict[Split, list[Request]] = {name: [] for name in SPLITS}
    for situation in situations:
        openers, japanese = _split_lines(situation.openers), _split_lines(situation.japanese)
        if situation.held_out:
            openers, japanese = {"test": situation.openers}, {"test": situation.japanese}
        for split, lines in openers.items():
            request = Request(
                situation.name,
                situation.intent,
                situation.tone,
                tuple(lines),
                tuple(japanese[split]),
                situation.needs,
                situation,
            )
            parts[split].append(request)
    return parts


def split_everyday(entries: Iterable[Everyday]) -> dict[Split, list[Request]]:
    """Plain requests; all wordings of one stand in one part."""
    parts = split_entries(entries, key=lambda entry: repr(entry.lines), stratum=lambda entry: entry.intent)
    return {
        split: [
            Request(digest(repr(entry.lines)), entry.intent, entry.tone, entry.lines, entry.japanese)
            for entry in members
        ]
        for split, members in parts.items()
    }


def split_foreign(entries: Iterable[Foreign]) -> dict[Split, list[Foreign]]:
    """Every conversation in every part, in other words: a language must not betray the label."""
    parts: dict[Split, list[Foreign]] = {name: [] for name in SPLITS}
    for entry in entries:
        for split, lines in _split_lines(entry.openers).items():
            parts[split].append(entry.model_copy(update={"openers": tuple(lines)}))
    return parts


def split_remarks(entries: Iterable[FeelingLine]) -> dict[Split, list[FeelingLine]]:
    """Remarks; all wordings of one stand in one part, and each set of feelings in every part."""
    return split_entries(
        entries, key=lambda entry: repr(entry.lines), stratum=lambda entry: " ".join(entry.feelings)
    )


def split_entries(
    entries: Iterable[T], key: Callable[[T], str], stratum: Callable[[T], str]
) -> dict[Split, list[T]]:
    """Entries by part, each stratum of three or more in every part; ordered by a hash of `key`."""
    strata: defaultdict[str, list[T]] = defaultdict(list)
    for entry in entries:
        strata[stratum(entry)].append(entry)
    parts: dict[Split, list[T]] = {name: [] for name in SPLITS}
    for _, members in sorted(strata.items()):
        members.sort(key=lambda entry: unit_hash(key(entry), seeds.DATA_SPLIT))
        test = max(1, round(len(members) * _SHARES["test"]))
        validation = max(1, round(len(members) * _SHARES["validation"]))
        parts["test"] += members[:test]
        parts["validation"] += members[test : test + validation]
        parts["train"] += members[test + validation :]
    return parts


def bad_answer_lines(lines: Sequence[Template], held_out: bool) -> Sequence[Template]:
    """Bad answers in conversations of held-out situations are not those of the others."""
    parts = _split_lines(lines)
    return parts["test"] if held_out else (*parts["train"], *parts["validation"])


def _split_lines(lines: Sequence[Template]) -> Mapping[Split, Sequence[Template]]:
    """A line or two are for training."""
    if len(lines) < len(SPLITS):
        return {"train": lines, "validation": (), "test": ()}
    return split_entries(lines, key=repr, stratum=lambda line: "")
