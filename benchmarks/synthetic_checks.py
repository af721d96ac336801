"""Which of the sample company's synthetic conversations the five checks keep, without a judge.

    python -m benchmarks.synthetic_checks out/mangaassist out/encoder

The folders are those of `python -m data_pipeline.sample` and `python -m common.encoder`. The sample's has
good conversations, and planted faults as language models make them. Three more kinds are made of the good
ones: a number of the answer is changed; the answer is one about another article; the conversation comes a
second time with a few words changed. Beside the checks stands the rule that keeps what is 50 characters long.
"""

import json
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from common.chat import Message, normalise
from common.console import run_log, table
from common.encoder.runtime import OnnxEncoder
from common.retrieval import Passage, read_passages
from common.seeds import SAMPLER
from data_pipeline.level1.length import conversation_length
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.engine import load_engine
from data_pipeline.synthetic.answers import Answering
from data_pipeline.synthetic.checks import CHECKS, Candidate, Examination
from data_pipeline.synthetic.config import Checks
from data_pipeline.synthetic.personal import Personal
from data_pipeline.synthetic.plan import Request

_GOOD, _COPY = "good", "near copy"
_LENGTH = 50


def main(sample: str, encoder: str) -> None:
    """Print, for each kind of conversation, the share kept and the checks that rejected the others."""
    folder = Path(sample)
    passages = read_passages(folder / "kb")
    pii = PiiConfig(allow_list=["MangaAssist"])
    examination = Examination(
        Checks(),
        ["en"],
        passages,
        Answering(Checks(), passages, OnnxEncoder(Path(encoder), batch_tokens=1), None),
        Personal(load_engine(pii).find, passages),
    )
    written, made = _written(folder, passages), _made(folder, passages)
    good = [candidate for kind, candidates in written.items() for candidate in candidates if kind == _GOOD]
    examination.examine([candidate for candidates in written.values() for candidate in candidates], [])
    for kind, candidates in made.items():  # each kind by itself: they are copies of each other
        existing = [candidate.messages for candidate in good] if kind == _COPY else []
        examination.examine(candidates, existing)
    table(
        "kept, and rejected by",
        ("", "n", "kept", *CHECKS, "kept by length"),
        [_row(kind, candidates, examination) for kind, candidates in (written | made).items()],
    )
    reasons = [each.reason.split(": ") for each in good if not examination.is_kept(each)]
    run_log("GOOD", **Counter("/".join(reason[:2]) for reason in reasons))


def _row(kind: str, candidates: list[Candidate], examination: Examination) -> tuple[object, ...]:
    rejected = [candidate for candidate in candidates if not examination.is_kept(candidate)]
    by = Counter(candidate.reason.split(":")[0] for candidate in rejected)
    long = sum(conversation_length(candidate.messages) > _LENGTH for candidate in candidates)
    counts = [len(candidates) - len(rejected), *(by[check] for check in CHECKS), long]
    return kind, len(candidates), *(f"{count / len(candidates):.1%}" for count in counts)


def _written(folder: Path, passages: list[Passage]) -> dict[str, list[Candidate]]:
    """The sample's conversations, by what was planted in them."""
    by_article = _by_article(passages)
    truth = {row["id"]: row["low_quality"] for row in _read(folder / "truth/synthetic.jsonl")}
    found: defaultdict[str, list[Candidate]] = defaultdict(list)
    for row in _read(folder / "synthetic.jsonl"):
        given = tuple(by_article[row["article"]])
        found[truth[row["id"]] or _GOOD].append(_candidate(row["id"], row["messages"], given))
    return dict(found)


def _made(folder: Path, passages: list[Passage]) -> dict[str, list[Candidate]]:
    """Faults made of the good conversations."""
    good = _written(folder, passages)[_GOOD]
    rng = random.Random(SAMPLER)
    made: dict[str, list[Candidate]] = {"number changed": [], "answer about another article": [], _COPY: []}
    for candidate in good:
        name, given = candidate.request.id, candidate.request.passages
        if changed := _other_number(candidate.messages, rng):
            made["number changed"].append(_candidate(name, changed, given))
        other = rng.choice([each for each in good if each.request.passages != given])
        swapped = [candidate.messages[0], other.messages[-1]]
        made["answer about another article"].append(_candidate(name, swapped, given))
        made[_COPY].append(_candidate(name, _few_words_in_front(candidate.messages), given))
    return made


def _by_article(passages: list[Passage]) -> dict[str, list[Passage]]:
    found: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        found[passage.article].append(passage)
    return found


def _candidate(name: str, messages: list[Message], given: tuple[Passage, ...]) -> Candidate:
    return Candidate(Request(name, given, "", "easy", "en", ""), normalise(messages))


def _other_number(messages: list[Message], rng: random.Random) -> list[Message] | None:
    """The answer with one of its numbers a third or a half larger; None if it has none."""
    *before, last = messages
    numbers = list(re.finditer(r"(?<![\w.,])\d{1,4}(?![\w.,:]*\d)", last["content"]))
    if not numbers:
        return None
    found = rng.choice(numbers)
    value = int(found[0])
    other = str(value + max(1, round(value * rng.choice((1 / 3, 1 / 2)))))
    content = last["content"][: found.start()] + other + last["content"][found.end() :]
    return [*before, {"role": "assistant", "content": content}]


def _few_words_in_front(messages: list[Message]) -> list[Message]:
    """The same with an opening in front: nothing that has to be said is said otherwise."""
    openings = {"user": "Hello there! ", "assistant": "Gladly. "}
    return [{"role": each["role"], "content": openings[each["role"]] + each["content"]} for each in messages]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    main(*sys.argv[1:])
