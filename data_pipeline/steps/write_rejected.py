"""Keeps rejected rows, each with its reason and as it came."""

import base64
import codecs
import json
from collections import Counter
from pathlib import Path
from typing import IO, Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.shard_files import discard, finish_as, open_unfinished, shard_path, write_counts

_CHUNK = 3 * (1 << 16)  # divisible by three, so that the chunks' base64 can be joined


class WriteRejected(PipelineStep):
    """The `exclusion_writer` of all filters of a pipeline: one file a task, in input order.

    Every filter enters and leaves it. The first filter leaves last document behind, so the file ends there.
    A line holds reason, detail, id, source, file, line, and `raw` (`raw_base64` when it is not UTF-8).
    """

    name = "Rejected rows"
    type = "WRITER"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._file: IO[bytes] | None = None
        self._counts: Counter[str] = Counter()
        self._rank = 0

    def __enter__(self) -> "WriteRejected":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        if error:
            discard(file)
        else:
            finish_as(shard_path(self.folder, self._rank), file)
            write_counts(self.folder, self._rank, self._counts)

    def write(self, document: Document, rank: int = 0) -> None:
        """Append one row."""
        if self._file is None:
            self._file, self._rank = open_unfinished(shard_path(self.folder, rank)), rank
        metadata = document.metadata
        record = {
            "reason": metadata["filter_reason"],
            "detail": metadata["detail"],
            "id": document.id,
            **{key: metadata[key] for key in ("source", "file", "line")},
        }
        self._counts[metadata["filter_reason"]] += 1
        self.stat_update(metadata["filter_reason"])
        self._file.write(json.dumps(record, ensure_ascii=False).encode().removesuffix(b"}") + b", ")
        _write_raw(self._file, document)
        self._file.write(b"}\n")

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with self:
            for document in data:
                self.write(document, rank)
                yield document


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
