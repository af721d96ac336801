"""What must hold for the texts behind labels and planted truth."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from data_pipeline.sample.checks import OTHER_SLOTS, PERSONAL_SLOTS
from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Template, has_japanese, slot_names, walk
from data_pipeline.sample.label_models import BadAnswerKind, LowQualityKind
from data_pipeline.sample.models import FEELINGS
from data_pipeline.sample.splits import SPLITS, split_remarks

_MADE_FROM_GOOD_ONES = {"truncated", "repetition", "off_topic"}


def find_label_problems(content: Content) -> Iterator[str]:
    """Every disagreement found, as sentences that name the place."""
    yield from _remark_problems(content)
    lines: dict[str, list[Template]] = {
        "feelings": [
            line for entry in (*content.plain_remarks, *content.implied_remarks) for line in entry.lines
        ],
        "guard.yaml": [
            *(line for attack in content.guard.attacks for line in attack.lines),
            *(line for harmless in content.guard.harmless for line in harmless.lines),
        ],
        "bad_answers.yaml": [line for block in content.bad_answers.values() for line in block],
        "low_quality.yaml": [line for block in content.low_quality.values() for line in block],
        "foreign": [
            line
            for entry in content.foreign
            for line in (*entry.subjects, *entry.openers, *entry.answers, *entry.thanks)
        ],
    }
    for where, block in lines.items():
        unknown = {name for line in block for name in slot_names(line)} - OTHER_SLOTS - PERSONAL_SLOTS.keys()
        yield from (f"{where}: unknown slot {{{name}}}" for name in sorted(unknown))
    plain_lines = [line for entry in content.everyday for line in entry.lines] + lines["feelings"]
    for line in plain_lines:
        if has_japanese(text := " ".join(part for part in walk(line) if isinstance(part, str))):
            yield f"everyday.yaml or feelings: Japanese characters belong to 'japanese': {text!r}"
    for line in lines["bad_answers.yaml"]:
        if re.search(r"\d", " ".join(part for part in walk(line) if isinstance(part, str))):
            yield "bad_answers.yaml: a number in an agent's line"
    yield from _missing("bad_answers.yaml", get_args(BadAnswerKind), content.bad_answers)
    yield from _missing("low_quality.yaml", get_args(LowQualityKind), content.low_quality)
    named = {
        "foreign": {entry.article for entry in content.foreign},
        "handwritten.yaml": {question.article for question in content.handwritten.questions},
    }
    for where, articles in named.items():
        for article in sorted(articles - content.articles.keys()):
            yield f"{where}: there is no article '{article}'"
    repeated = Counter(message.text for message in content.handwritten.messages)
    yield from (
        f"handwritten.yaml: {text!r} is there {count} times" for text, count in repeated.items() if count > 1
    )


def _remark_problems(content: Content) -> Iterator[str]:
    """In each part, each feeling alone must be sayable beside any request: every message gets its labels."""
    parts = split_remarks((*content.plain_remarks, *content.implied_remarks))
    for split in SPLITS:
        for feeling in FEELINGS:
            if not any(entry.feelings == (feeling,) and entry.tone == "any" for entry in parts[split]):
                yield f"feelings: nothing expresses {feeling} beside any request in the {split} part"


def _missing(where: str, kinds: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    for kind in sorted(set(kinds) - set(there) - _MADE_FROM_GOOD_ONES):
        yield f"{where}: there are no lines for {kind}"
