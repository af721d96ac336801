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

_GOOD = "good"
_LENGTH = 50


def main(sample: str, encoder: str) -> None:
    """Print, for each kind of conversation, the share kept and the checks that rejected the others."""
    folder = Path(sample)
    passages = read_passages(folder / "kb")
    planted = [*_planted(folder, passages)]
    candidates = [candidate for _, candidate in planted]
    pii = PiiConfig(allow_list=["MangaAssist"])
    examination = Examination(
        Checks(),
        ["en"],
        passages,
        Answering(Checks(), passages, OnnxEncoder(Path(encoder), batch_tokens=1), None),
        Personal(load_engine(pii).find, passages),
    )
    examination.examine(candidates, [])
    by_kind: defaultdict[str, list[Candidate]] = defaultdict(list)
    for kind, candidate in planted:
        by_kind[kind].append(candidate)
    table("kept, and rejected by", ("", "n", "kept", *CHECKS, "kept by length"), _rows(by_kind, examination))
    good = Counter(
        ": ".join(each.reason.split(": ")[:2]) for each in by_kind[_GOOD] if not examination.is_kept(each)
    )
    run_log("GOOD", **{reason.replace(": ", "/"): count for reason, count in good.most_common()})


def _rows(by_kind: dict[str, list[Candidate]], examination: Examination) -> list[tuple[Any, ...]]:
    rows = []
    for kind, candidates in by_kind.items():
        kept = sum(map(examination.is_kept, candidates))
        rejected = Counter(each.reason.split(":")[0] for each in candidates if not examination.is_kept(each))
        long = sum(conversation_length(each.messages) > _LENGTH for each in candidates)
        shares = [f"{rejected[check] / len(candidates):.1%}" for check in CHECKS]
        rows.append(
            (kind, len(candidates), f"{kept / len(candidates):.1%}", *shares, f"{long / len(candidates):.1%}")
        )
    return rows


def _planted(folder: Path, passages: list[Passage]) -> list[tuple[str, Candidate]]:
    by_article: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        by_article[passage.article].append(passage)
    truth = {row["id"]: row["low_quality"] for row in _read(folder / "truth/synthetic.jsonl")}
    rows = [(row, truth[row["id"]] or _GOOD) for row in _read(folder / "synthetic.jsonl")]
    planted = []
    for row, kind in rows:
        given = tuple(by_article[row["article"]])
        planted.append((kind, _candidate(row["id"], row["messages"], given)))
    good = [(row, tuple(by_article[row["article"]])) for row, kind in rows if kind == _GOOD]
    rng = random.Random(SAMPLER)
    for row, given in good:
        if changed := _other_number(row["messages"], rng):
            planted.append(("number changed", _candidate(f"{row['id']} number", changed, given)))
        other = rng.choice([each for each, _ in good if each["article"] != row["article"]])
        swapped = [row["messages"][0], other["messages"][-1]]
        planted.append(("another answer", _candidate(f"{row['id']} answer", swapped, given)))
        copied = _few_words_changed(row["messages"])
        planted.append(("near copy", _candidate(f"{row['id']} copy", copied, given)))
    return planted


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


def _few_words_changed(messages: list[Message]) -> list[Message]:
    """The same with an opening in front: nothing that has to be said is said otherwise."""
    openings = {"user": "Hello there! ", "assistant": "Gladly. "}
    return [{"role": each["role"], "content": openings[each["role"]] + each["content"]} for each in messages]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    main(*sys.argv[1:])
