"""Which task of a stage reads what: the inputs, cut into shards of like size."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from data_pipeline.inputs import InputFile
from data_pipeline.rows import CHUNK, Lines
from data_pipeline.sources.config import columns_of

_TASKS = 128
"""So many keep the cores of a large machine busy to the end, and one that is killed loses little."""
_SMALLEST, _LARGEST = 1_000_000, 32_000_000
"""Bytes: less is not worth a task, more would take long to do again."""


def shards(files: Sequence[InputFile]) -> list[list[InputFile]]:
    """Cut the inputs into runs of neighbours: one run is one task's work.

    Large .jsonl files are cut between lines. Other files are not, because where their rows begin is known
    only by reading them; nor are turns that are joined to conversations. A data set of the hub is a run of
    its own. This depends on nothing but the files, so that a build can go on with another number of workers.
    """
    size = max(_SMALLEST, min(_LARGEST, sum(file.bytes for file in files) // _TASKS))
    runs: list[list[InputFile]] = []
    filled = size
    for file in files:
        for part in _cut(file, size):
            if filled >= size or part.revision is not None:
                runs.append([])
                filled = 0
            runs[-1].append(part)
            filled += part.bytes if part.revision is None else size
    return runs


def _cut(file: InputFile, size: int) -> list[InputFile]:
    pieces = -(-file.bytes // size)
    if pieces < 2 or not file.name.endswith(".jsonl") or not file.path.is_file() or _joins_rows(file):
        return [file]
    return [replace(file, lines=lines) for lines in _lines(file.path, file.bytes, pieces)]


def _joins_rows(file: InputFile) -> bool:
    columns = columns_of(file.settings)
    return columns is not None and columns.conversation is not None


def _lines(path: Path, size: int, pieces: int) -> Iterator[Lines]:
    """About equal parts of a file of `size` bytes; fewer than `pieces` where single lines are very long."""
    start, line = 0, 1
    with path.open("rb") as file:
        for piece in range(1, pieces + 1):
            if (size * piece) // pieces <= start:
                continue
            file.seek(max(start, size * piece // pieces - 1))
            end = size if piece == pieces else _line_end(file)
            yield Lines(start, end, line)
            line += _newlines(file, start, end)
            start = end


def _line_end(file: IO[bytes]) -> int:
    """Where the line ends in which a file stands."""
    while chunk := file.readline(CHUNK):
        if chunk.endswith(b"\n"):
            break
    return file.tell()


def _newlines(file: IO[bytes], start: int, end: int) -> int:
    file.seek(start)
    count = 0
    while start < end and (chunk := file.read(min(CHUNK, end - start))):
        count += chunk.count(b"\n")
        start += len(chunk)
    return count
