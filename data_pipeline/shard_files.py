"""Files that tasks hand on to each other, whole or absent: a killed task leaves none that looks finished.

A task that outlives its killed parent may write beside its successor. Both write the same bytes under names
of their own, and the last rename wins.
"""

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def shard_path(folder: Path, rank: int, suffix: str = ".jsonl") -> Path:
    """Where the task `rank` puts its part."""
    return folder / f"{rank:05d}{suffix}"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a binary file that takes the name `path` at the end, if nothing was raised."""
    file = open_unfinished(path)
    try:
        yield file
    except BaseException:
        discard(file)
        raise
    finish_as(path, file)


def open_unfinished(path: Path) -> IO[bytes]:
    """Open a file for `finish_as` or `discard`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}").open("wb")


def finish_as(path: Path, file: IO[bytes]) -> None:
    """Close an unfinished file and give it its name."""
    file.close()
    os.replace(file.name, path)


def discard(file: IO[bytes]) -> None:
    """Close an unfinished file and remove it."""
    file.close()
    Path(file.name).unlink(missing_ok=True)


def json_line(value: Any) -> bytes:
    """One line of JSON Lines."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def read_json_lines(path: Path) -> Iterator[Any]:
    """The values of a JSON Lines file that this module wrote; none when there is no file."""
    if path.is_file():
        with path.open("rb") as file:
            yield from map(json.loads, file)


def write_counts(folder: Path, rank: int, counts: Mapping[str, int]) -> None:
    """Keep what one task counted."""
    with whole_file(shard_path(folder, rank, ".counts.json")) as file:
        file.write(json_line(dict(counts)))


def sum_counts(folder: Path) -> Counter[str]:
    """What all tasks counted. datatrove's own statistics miss the tasks that a resumed run did not repeat."""
    total: Counter[str] = Counter()
    for path in sorted(folder.glob("[0-9]*.counts.json")):
        total.update(json.loads(path.read_bytes()))
    return total


def parts(folder: Path) -> list[Path]:
    """The tasks' finished parts of a folder, in order; none when there is no such folder."""
    return sorted(folder.glob("[0-9]*.jsonl"))


def concatenate(files: Sequence[Path], output: Path) -> int:
    """Join files of lines, and return the number of lines."""
    lines = 0
    with whole_file(output) as joined:
        for path in files:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    lines += chunk.count(b"\n")
                    joined.write(chunk)
    return lines
