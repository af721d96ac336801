"""Frames of columns as a build would write them: plain rows, and a large made-up one."""

import json
from typing import Any

import numpy as np
import pandas as pd

from data_pipeline.quality.config import COMPONENTS

ROW: dict[str, Any] = {
    "source": "helpdesk",
    "type": "zendesk",
    "origin": "ticket",
    "outcome": "train",
    "level": None,
    "reason": None,
    "language": "en",
    "characters": 300,
    "turns": 3,
    "topic": None,
    "difficulty": None,
    "sentiment": None,
    "multi_intent": None,
    "ambiguous": None,
    "label": None,
    "label_noise": None,
    "labels": None,
    "score": None,
    **dict.fromkeys(COMPONENTS),
    "coherence_by": None,
    "factuality_by": None,
    "flags": "[]",
    "pii": "{}",
    "cluster": None,
}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows that say what differs from a plain kept one; ids are r0, r1, ..."""
    filled = [{"id": f"r{number}", **ROW, **row} for number, row in enumerate(rows)]
    return pd.DataFrame(
        filled, columns=["id", *ROW, *({*(key for row in rows for key in row)} - {"id", *ROW})]
    )


def rejected(level: str | None, reason: str | None, **row: Any) -> dict[str, Any]:
    """A rejected row."""
    return {"outcome": "rejected", "level": level, "reason": reason, **row}


TOPICS = {
    "product discovery": 0.221,
    "recommendation": 0.18,
    "product question": 0.152,
    "order tracking": 0.121,
    "faq": 0.08,
    "return request": 0.07,
    "chitchat": 0.055,
    "promotion": 0.05,
    "checkout help": 0.041,
    "escalation": 0.03,
}
_LEVEL_1 = {"too_short": 0.11, "language": 0.06, "duplicate": 0.011, "near_duplicate": 0.018}
_LEVEL_2 = {"low_score": 0.38, "contradiction": 0.035, "instruction": 0.005}
_LEVEL_3 = {"over_cap": 0.3, "semantic_duplicate": 0.08}
_PII = {"EMAIL": 0.3, "NAME": 0.62, "PHONE": 0.12, "ORDER_NUMBER": 0.4, "ADDRESS": 0.07, "IBAN": 0.01}


def company(rows: int = 4000, seed: int = 42, escalation: float = 0.03) -> pd.DataFrame:
    """A help desk's export after a build: all columns filled, with the gaps that real ones have."""
    draw = np.random.default_rng(seed)
    made = [_row(draw, number, escalation) for number in range(rows)]
    return pd.DataFrame(made)


def _row(draw: np.random.Generator, number: int, escalation: float) -> dict[str, Any]:
    topics = {**TOPICS, "escalation": escalation}
    weights = np.array(list(topics.values()))
    topic = str(draw.choice(list(topics), p=weights / weights.sum()))
    origin = str(draw.choice(["ticket", "synthetic", "kb"], p=[0.88, 0.1, 0.02]))
    characters = int(np.clip(draw.lognormal(6, 0.9), 12, 30_000))
    row = {
        "id": f"helpdesk/{number}",
        **ROW,
        "source": "synthetic" if origin == "synthetic" else str(draw.choice(["helpdesk", "chat_export"])),
        "origin": origin,
        "language": str(draw.choice(["en", "ja-en", "ja", "de"], p=[0.8, 0.117, 0.06, 0.023])),
        "characters": characters,
        "tokens": max(4, int(characters / 4.1)),
        "turns": int(draw.integers(2, 14)),
        "topic": topic,
        "difficulty": str(draw.choice(["easy", "medium", "hard"], p=[0.5, 0.35, 0.15])),
        "sentiment": str(draw.choice(["negative", "neutral", "positive"], p=[0.3, 0.5, 0.2])),
        "multi_intent": bool(draw.random() < 0.179),
        "ambiguous": bool(draw.random() < 0.06),
        "group": f"g{number // 2}",
        "pii": json.dumps({kind: int(draw.integers(1, 4)) for kind, p in _PII.items() if draw.random() < p}),
    }
    if origin == "ticket" and draw.random() < 0.3:
        row |= _labels(draw, topic)
    return row | _outcome(draw, number, origin)


def _labels(draw: np.random.Generator, topic: str) -> dict[str, Any]:
    others = [name for name in TOPICS if name != topic]
    said = [topic if draw.random() < 0.88 else str(draw.choice(others)) for _ in range(draw.integers(1, 4))]
    labels = [
        {"by": f"annotator_{index}", "label": label, "at": f"2026-04-{index + 1:02d}T10:00:00Z"}
        for index, label in enumerate(said)
    ]
    return {"label": said[0], "labels": json.dumps(labels), "label_noise": bool(said[0] != topic)}


def _outcome(draw: np.random.Generator, number: int, origin: str) -> dict[str, Any]:
    # Groups of two rows go to one place.
    group = number // 2
    if group % 25 == 24:
        return {"outcome": "unseen_situations"}
    if reason := _drawn(draw, _LEVEL_1):
        cluster = f"c{draw.integers(0, 60)}" if reason == "near_duplicate" else None
        return rejected("level1", reason, cluster=cluster)
    quality = _quality(draw, origin)
    if reason := _drawn(draw, _LEVEL_2):
        quality["score"] *= 0.5
        flags = [] if reason == "low_score" else [reason]
        return rejected("level2", reason, **{**quality, "flags": json.dumps(flags)})
    if reason := _drawn(draw, _LEVEL_3):
        return rejected("level3", reason, **quality)
    cluster = f"kept{group}" if group % 40 == 0 else None
    return {"cluster": cluster, "outcome": {8: "val", 9: "test"}.get(group % 10, "train"), **quality}


def _drawn(draw: np.random.Generator, reasons: dict[str, float]) -> str | None:
    position = draw.random()
    for reason, share in reasons.items():
        position -= share
        if position < 0:
            return reason
    return None


def _quality(draw: np.random.Generator, origin: str) -> dict[str, Any]:
    quality = {name: float(round(draw.beta(5, 2), 4)) for name in ("score", *COMPONENTS)}
    if draw.random() < 0.7 or origin != "ticket":
        quality["csat"] = None
    by = "judge" if draw.random() < 0.3 else "embedding"
    return {**quality, "coherence_by": by, "factuality_by": by if by == "judge" else "rules"}
