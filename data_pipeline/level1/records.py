"""What `cluster` knows of a shard's rows: fixed-size records, and the compared texts for a second look."""

import os
from bisect import bisect
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from common.chat.messages import Message
from data_pipeline.level1.compared import Compared, compared, stretched
from data_pipeline.level1.signatures import PERMUTATIONS, SHINGLE, signatures
from data_pipeline.level1.similarity import Text
from data_pipeline.shard_files import shard_path, whole_file

FOLDER = "signatures"
ASSISTANT_PERMUTATIONS = 32
RECORD = np.dtype(
    [
        ("identity", "<u8", 2),  # the same where the compared texts are the same
        ("start", "<u8"),  # where the texts begin in their file, in bytes
        ("bytes", "<u4"),
        ("shingles", "<u4"),  # of the text that is looked up
        ("signature", "<u4", PERMUTATIONS),  # of that text
        ("assistant", "<u4", ASSISTANT_PERMUTATIONS),
    ]
)

_BATCH = 1024
# Below this the customer has said too little to look a conversation up by.
_SHORT = 24
# Of texts that are kept in memory; a byte takes about 100 once it is in parts.
_KEPT_BYTES = 2_000_000


class Sides(NamedTuple):
    """A row's compared texts, ready to be compared."""

    user: Text
    assistant: Text


class RecordWriter:
    """Writes the records and texts of one shard: a context manager, to be shown every row in order.

    Rows are looked up by what the customer says: answers are often the same to different questions.
    """

    def __init__(self, work: Path, rank: int) -> None:
        self.folder = work / FOLDER
        self.rank = rank
        self._waiting: list[Compared] = []
        self._start = 0
        self._files = ExitStack()

    def __enter__(self) -> "RecordWriter":
        with ExitStack() as files:
            self._records = files.enter_context(whole_file(shard_path(self.folder, self.rank, ".records")))
            self._texts = files.enter_context(whole_file(shard_path(self.folder, self.rank, ".txt")))
            self._files = files.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._flush()
        finally:
            self._files.__exit__(kind, error, None)

    def add(self, messages: Sequence[Message]) -> None:
        """Take the next row."""
        self._waiting.append(compared(messages))
        if len(self._waiting) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        keys = [stretched(row.user) for row in rows]
        keys = [
            key if len(key) >= _SHORT else stretched(f"{row.user} {row.assistant}".strip())
            for key, row in zip(keys, rows, strict=True)
        ]
        lines = [f"{row.user}\n{row.assistant}".encode() for row in rows]
        digests = b"".join(blake2b(line, digest_size=16).digest() for line in lines)
        sizes = np.fromiter(map(len, lines), np.int64, len(lines))
        records = np.zeros(len(rows), RECORD)
        records["identity"] = np.frombuffer(digests, "<u8").reshape(-1, 2)
        records["start"] = self._start + np.cumsum(sizes) - sizes
        records["bytes"] = sizes
        records["shingles"] = [max(len(key) - SHINGLE, 0) + 1 for key in keys]
        records["signature"] = signatures(keys)
        # Many answers are the same, or there is none.
        answers = list(dict.fromkeys(row.assistant for row in rows))
        places = {answer: place for place, answer in enumerate(answers)}
        of_answers = signatures([*map(stretched, answers)], ASSISTANT_PERMUTATIONS)
        records["assistant"] = of_answers[[places[row.assistant] for row in rows]]
        self._records.write(records.tobytes())
        self._texts.writelines(lines)
        self._start += int(sizes.sum())


class Records:
    """The records of all shards, row by row in their order, and the texts on demand; 0.7 kB of memory a row.

    `customers` and `agents` are the lowest eight bits of both signatures, which are enough for an estimate.
    """

    def __init__(self, work: Path, shards: int) -> None:
        paths = [shard_path(work / FOLDER, rank, ".records") for rank in range(shards)]
        self._firsts = [0, *accumulate(path.stat().st_size // RECORD.itemsize for path in paths)]
        self._texts = [path.with_suffix(".txt") for path in paths]
        rows = self._firsts[-1]
        self.identities = np.empty((rows, 2), np.uint64)
        self.starts, self.sizes, self.shingles = (np.empty(rows, np.int64) for _ in range(3))
        self.signatures = np.empty((rows, PERMUTATIONS), np.uint32)
        self.customers = np.empty((rows, PERMUTATIONS), np.uint8)
        self.agents = np.empty((rows, ASSISTANT_PERMUTATIONS), np.uint8)
        for path, first in zip(paths, self._firsts, strict=False):
            part = np.fromfile(path, RECORD)
            here = slice(first, first + len(part))
            self.identities[here], self.starts[here] = part["identity"], part["start"]
            self.sizes[here], self.shingles[here] = part["bytes"], part["shingles"]
            self.signatures[here], self.customers[here] = part["signature"], part["signature"]
            self.agents[here] = part["assistant"]
        self._open = lru_cache(64)(self._open_shard)
        self._kept: dict[int, Sides] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self.starts)

    def _open_shard(self, shard: int) -> IO[bytes]:
        return self._texts[shard].open("rb")

    def sides(self, row: int) -> Sides:
        """The texts of a row."""
        if row not in self._kept:
            if self._kept_bytes > _KEPT_BYTES:
                self._kept.clear()
                self._kept_bytes = 0
            self._kept[row] = self._read(row)
            self._kept_bytes += int(self.sizes[row])
        return self._kept[row]

    def _read(self, row: int) -> Sides:
        file = self._open(bisect(self._firsts, row) - 1)
        line = os.pread(file.fileno(), int(self.sizes[row]), int(self.starts[row]))
        user, assistant = line.decode().split("\n")
        return Sides(Text(user), Text(assistant))
