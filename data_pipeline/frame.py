"""The frame of all conversations: read from what the stages left, and written as `columns.parquet`."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from data_pipeline.index import read_index
from data_pipeline.level1.decision import read_level1
from data_pipeline.quality.config import COMPONENTS
from data_pipeline.schema import REJECTED
from data_pipeline.shard_files import read_json_lines, shard_path

if TYPE_CHECKING:
    import pandas as pd

_TAGS = ("difficulty", "sentiment", "multi_intent", "ambiguous")
_MEASURED_BY = ("coherence_by", "factuality_by")
_COLUMNS = (
    "id", "source", "type", "origin", "outcome", "level", "reason", "language", "characters", "turns",
    "topic", *_TAGS, "label", "label_noise", "labels", "score", *COMPONENTS, *_MEASURED_BY, "flags", "pii",
    "cluster", "group", "tokens",
)  # fmt: skip


def read_frame(work: Path, shards: int) -> "pd.DataFrame":
    """A row for each of `clean/`, in order, with ids of their own (a second `a/1` is `a/1#2`).

    Raises UserError when there is none.
    """
    import pandas as pd

    seen: Counter[str] = Counter()
    rows = []
    for shard in range(shards):
        for row in _rows(work, shard):
            seen[row["id"]] += 1
            if seen[row["id"]] > 1:
                row["id"] = f"{row['id']}#{seen[row['id']]}"
            rows.append(row)
    if not rows:
        raise UserError(
            "level 1 left out every row",
            "look at level1.min_characters and level1.languages; unfit/ in the folder .work has the rows",
        )
    frame = pd.DataFrame(rows)
    for name in ("level", "reason", "detail", "holdout", "topic", "score_reason"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    frame["score"] = frame["score"].astype(float)
    return frame


def _rows(work: Path, shard: int) -> Iterator[dict[str, Any]]:
    scores = read_json_lines(shard_path(work / "scores", shard))
    for index, decision in zip(read_index(work, shard), read_level1(work, shard), strict=True):
        scored = next(scores) if decision.reason is None else {}
        quality, tags = scored.get("quality"), scored.get("tags") or {}
        yield {
            **index.as_dict(),
            **decision.as_dict(),
            "level": "level1" if decision.reason else None,
            "shard": shard,
            "quality": quality,
            "score": (quality or {}).get("score"),
            "score_reason": scored.get("quality_reason"),
            "topic": tags.get("topic"),
            "critical": bool(tags.get("critical")),
            **{tag: tags.get(tag) for tag in _TAGS},
            "tokens": scored.get("tokens"),
        }


def read_vectors(work: Path, shards: int) -> NDArray[np.float16]:
    """The vectors of the rows that level 1 kept, in order; of no columns without an encoder."""
    parts = [np.load(shard_path(work / "vectors", shard, ".npy")) for shard in range(shards)]
    dim = max(part.shape[1] for part in parts)
    return np.concatenate(
        [part if part.shape[1] else np.zeros((len(part), dim), np.float16) for part in parts]
    )


def read_texts(work: Path, shards: int, places: Sequence[int]) -> list[str]:
    """What the customers say in the rows of `clean/` at the given places, in their order."""
    from data_pipeline.level1.language import said

    wanted, texts = set(places), {}
    rows = (row for shard in range(shards) for row in read_json_lines(shard_path(work / "clean", shard)))
    for place, row in enumerate(rows):
        if place in wanted:
            texts[place] = said(row["metadata"]["messages"], "user")
    return [texts[place] for place in places]


def columns(frame: "pd.DataFrame", work: Path, shards: int) -> "pd.DataFrame":
    """The frame as the dataset has it, with the rows that level 1 left out before they were numbered."""
    import pandas as pd

    found = frame.copy()
    for name in (*COMPONENTS, *_MEASURED_BY, "flags"):
        found[name] = [quality and quality.get(name) for quality in found["quality"]]
    unfit = [
        row for shard in range(shards) for row in read_json_lines(shard_path(work / "unfit_index", shard))
    ]
    if unfit:
        found = pd.concat(
            [found, pd.DataFrame(unfit).assign(outcome=REJECTED, level="level1")], ignore_index=True
        )
    found["label"] = [labels[0]["label"] if labels else None for labels in found["labels"]]
    found["labels"] = [
        json.dumps(labels, ensure_ascii=False) if labels else None for labels in found["labels"]
    ]
    found["flags"] = [json.dumps(flags if isinstance(flags, list) else []) for flags in found["flags"]]
    found["pii"] = [json.dumps(counts) for counts in found["pii"]]
    found["tokens"] = found["tokens"].astype("Int64")
    return found[list(_COLUMNS)]
