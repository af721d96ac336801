"""Writes what level 2 and the tags say of the rows that level 1 kept, and their vectors."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.shard_files import json_line, shard_path, whole_file, write_counts

_KEPT = ("quality", "quality_reason", "tags", "tokens")


class WriteScores(PipelineStep):
    """A line of `scores/` is for a row of `clean/` that level 1 kept; `vectors/` has a float16 vector each.

    Without an encoder the vectors have no columns.
    """

    name = "Scores"
    type = "WRITER"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        vectors: list[Any] = []
        unjudged: Counter[str] = Counter()
        with whole_file(shard_path(self.work / "scores", rank)) as scores:
            for document in data:
                vectors.append(document.metadata.pop("embedding", None))
                line = {key: document.metadata.get(key) for key in _KEPT}
                scores.write(json_line(line))
                if reason := (line["quality"] or {}).get("unjudged"):
                    unjudged[reason.split(":")[0]] += 1
                yield document
        write_counts(self.work / "unjudged", rank, unjudged)
        with whole_file(shard_path(self.work / "vectors", rank, ".npy")) as file:
            given = [vector for vector in vectors if vector is not None]
            array = np.array(given, dtype=np.float16) if given else np.zeros((len(vectors), 0), np.float16)
            np.save(file, array)
