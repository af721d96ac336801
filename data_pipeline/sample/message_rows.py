"""Rows of labelled messages, with what is planted in them and its truth.

Training and validation rows have wrong labels, repeats and synthetic rows among them, as collected data has.
Test rows have repeats, but right labels and no synthetic text, like a set that people have reviewed.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from data_pipeline.sample import noise
from data_pipeline.sample.grammar import Piece, cut, plain
from data_pipeline.sample.label_models import LowQualityKind
from data_pipeline.sample.messages import MessageWriter, Written
from data_pipeline.sample.models import FEELINGS
from data_pipeline.sample.rates import is_planted
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.shares import INTENT_SHARES
from data_pipeline.sample.splits import Split
from data_pipeline.sample.zendesk import TRAFFIC_SOURCES

_FIRST_DAY = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
_REWORDED = 0.1
_LOW_QUALITY_KINDS: tuple[LowQualityKind, ...] = get_args(LowQualityKind)

Json = dict[str, Any]


@dataclass(frozen=True)
class MessageRows:
    """Rows by part and index."""

    writer: MessageWriter

    def row(self, split: Split, index: int) -> tuple[Json, Json]:
        """Row `index` of a part, and its truth."""
        key = f"{split}:{index}"
        original = self._repeated(split, index)
        written, is_synthetic, fault = self._original(split, original)
        is_near = original != index and self._planted("near_duplicate", key)
        rng = random.Random(f"{self.writer.seed}:row:{split}:{index}")
        if is_near:
            written.pieces = noise.reword(written.pieces, rng, _REWORDED)
        intent, sentiment, noisy = self._labels(split, key, written, rng)
        truth = {
            "id": self._id(split, index),
            "intents": list(written.intents),
            "sentiment": written.sentiment,
            "requests": written.requests,
            "noisy_labels": noisy,
            "low_quality": fault,
            "duplicate_of": self._id(split, original) if original != index and not is_near else None,
            "near_duplicate_of": self._id(split, original) if is_near else None,
            "mixes_japanese": written.customer.mixes_japanese,
            "same_text_as": None,
            "pii": spans(written.pieces),
        }
        row = {
            "id": truth["id"],
            "text": plain(written.pieces),
            "intent": intent,
            "second_intent": written.intents[1] if len(written.intents) > 1 else None,
            "sentiment": sentiment,
            "language": written.customer.language,
            "traffic_source": rng.choice(TRAFFIC_SOURCES),
            "created_at": (_FIRST_DAY + timedelta(minutes=31 * index + rng.randrange(30))).isoformat(),
            "source": "synthetic" if is_synthetic else "production",
        }
        return row, truth

    def _original(self, split: Split, index: int) -> tuple[Written, bool, LowQualityKind | None]:
        """A message that repeats none, whether it is synthetic, and what is wrong with it then."""
        key, seed = f"{split}:{index}", self.writer.seed
        written = self.writer.write(split, index)
        is_synthetic = split == "train" and self._planted("synthetic", key)
        if not is_synthetic or not is_planted("low_quality", key, self.writer.rates.low_quality, seed):
            return written, is_synthetic, None
        rng = random.Random(f"{seed}:spoilt:{key}")
        fault = rng.choice(_LOW_QUALITY_KINDS)
        written.pieces = self._spoil(written, fault, rng)
        return written, True, fault

    def _id(self, split: Split, index: int) -> str:
        return f"{self.writer.seed}-{split}-{index:06}"

    def _planted(self, kind: str, key: str) -> bool:
        rate: float = getattr(self.writer.rates, kind)
        return is_planted(f"message_{kind}", key, rate, self.writer.seed)

    def _repeated(self, split: Split, index: int) -> int:
        """The index whose message this row repeats, to the letter or nearly; `index` for an original."""
        source = index
        while source and any(
            self._planted(kind, f"{split}:{source}") for kind in ("exact_duplicate", "near_duplicate")
        ):
            source -= 1
        return source

    def _labels(
        self, split: Split, key: str, written: Written, rng: random.Random
    ) -> tuple[str, list[str], list[str]]:
        """Intent, sentiment, and which of the two are wrong on purpose."""
        intent, sentiment = written.intents[0], written.sentiment
        noisy: list[str] = []
        if split == "test":
            return intent, sentiment, noisy
        if self._planted("label_noise", f"{key}:intent"):
            others = {name: share for name, share in INTENT_SHARES.items() if name not in written.intents}
            intent = rng.choices(list(others), list(others.values()))[0]
            noisy.append("intent")
        if self._planted("label_noise", f"{key}:sentiment"):
            wrong = rng.choice([name for name in FEELINGS if name not in sentiment])
            sentiment = [wrong] if len(sentiment) == 1 else sentiment[:1]
            noisy.append("sentiment")
        return intent, sentiment, noisy

    def _spoil(self, written: Written, fault: LowQualityKind, rng: random.Random) -> list[Piece]:
        """The text of a synthetic row that should be filtered out."""
        pieces = written.pieces
        if fault == "truncated":
            return cut(pieces, max(4, len(plain(pieces)) * 2 // 5))
        if fault == "repetition":
            return [*pieces, Piece(" "), *pieces, Piece(" "), *pieces]
        scope = Scope(self.writer.content, None, written.customer, rng)
        said = scope.say(self.writer.content.low_quality[fault])
        return [*said, Piece("\n"), *pieces] if fault == "prompt_leak" else said


def spans(pieces: list[Piece]) -> list[Json]:
    """Where personal data stands in a text."""
    found, start = [], 0
    for piece in pieces:
        end = start + len(piece.text)
        if piece.kind:
            found.append({"start": start, "end": end, "kind": piece.kind, "text": piece.text})
        start = end
    return found
