"""Keeps rejected rows, each with its reason."""

import base64
import codecs
import json
from collections import Counter
from pathlib import Path
from typing import IO, Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.shard_files import discard, finish_as, json_line, open_unfinished, shard_path, write_counts

_CHUNK = 3 * (1 << 16)  # divisible by three, so that the chunks' base64 can be joined


class WriteRejected(PipelineStep):
    """The `exclusion_writer` of all filters of a pipeline: one file a task, in input order.

    Every filter enters and leaves it. The first filter leaves last document behind, so the file ends there.
    A line holds level, reason, detail, id, source, file, line, and the scrubbed `messages`.
    """

    name = "Rejected rows"
    type = "WRITER"

    def __init__(self, folder: Path, level: str) -> None:
        super().__init__()
        self.folder = folder
        self.level = level
        self._files: list[IO[bytes]] = []
        self._counts: Counter[str] = Counter()
        self._rank = 0

    @property
    def folders(self) -> list[Path]:
        """Where the parts go: one file of a task in each."""
        return [self.folder]

    def __enter__(self) -> "WriteRejected":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        files, self._files = self._files, []
        for folder, file in zip(self.folders, files, strict=False):
            if error:
                discard(file)
            else:
                finish_as(shard_path(folder, self._rank), file)
        if files and not error:
            write_counts(self.folder, self._rank, self._counts)

    def write(self, document: Document, rank: int = 0) -> None:
        """Append one row."""
        if not self._files:
            self._files = [open_unfinished(shard_path(folder, rank)) for folder in self.folders]
            self._rank = rank
        reason = document.metadata["filter_reason"]
        self._counts[reason] += 1
        self.stat_update(reason)
        self._append(document)

    def _append(self, document: Document) -> None:
        self._files[0].write(json_line(self.record(document) | {"messages": document.metadata["messages"]}))

    def record(self, document: Document) -> dict[str, Any]:
        """What is told of the row, without its text."""
        metadata = document.metadata
        return {
            "level": metadata.get("level", self.level),
            "reason": metadata["filter_reason"],
            "detail": metadata["detail"],
            "id": document.id,
            **{key: metadata[key] for key in ("source", "file", "line")},
        }

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with self:
            for document in data:
                self.write(document, rank)
                yield document


class WriteDefects(WriteRejected):
    """Rows that are no conversation, and so could not be scrubbed.

    The dataset gets their lines without text. What they hold goes to `raw_folder`, which stays out of it: a
    line there has `raw` too, the row as it came (`raw_base64` when it is not UTF-8).
    """

    def __init__(self, folder: Path, raw_folder: Path) -> None:
        super().__init__(folder, "defect")
        self.raw_folder = raw_folder

    @property
    def folders(self) -> list[Path]:
        return [self.folder, self.raw_folder]

    def _append(self, document: Document) -> None:
        line = json_line(self.record(document))
        public, raw = self._files
        public.write(line)
        raw.write(line.removesuffix(b"}\n") + b", ")
        _write_raw(raw, document)
        raw.write(b"}\n")


def _write_raw(file: IO[bytes], document: Document) -> None:
    metadata: dict[str, Any] = document.metadata
    if raw_file := metadata.get("raw_file"):
        _copy_raw(raw_file, file)
        raw_file.unlink()
    elif raw := metadata.get("raw_bytes"):
        file.write(b'"raw_base64": "' + base64.b64encode(raw) + b'"')
    else:
        file.write(b'"raw": ' + json.dumps(document.text, ensure_ascii=False).encode())


def _copy_raw(path: Path, file: IO[bytes]) -> None:
    """The content of a row too long for memory."""
    is_text = _is_utf8(path)
    file.write(b'"raw": "' if is_text else b'"raw_base64": "')
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as raw:
        while chunk := raw.read(_CHUNK):
            if is_text:
                file.write(json.dumps(decoder.decode(chunk), ensure_ascii=False).encode()[1:-1])
            else:
                file.write(base64.b64encode(chunk))
    file.write(b'"')


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as raw:
        try:
            while chunk := raw.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
