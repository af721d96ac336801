"""Steps that fail as they are told, for the tests of the executors; workers import them from here."""

import os
import signal
import time
from pathlib import Path

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.errors import UserError

SECRET = "my card is 4111"


class Write(PipelineStep):
    """A file a task, with a letter more for each time that the task was run."""

    name, type = "Write", "TEST"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with (self.folder / str(rank)).open("a") as file:
            file.write("x")
        yield Document(SECRET, str(rank))


class Fail(PipelineStep):
    """Raises in one task: `unexpected` an error that quotes a document, else what it is named after."""

    name, type = "Fail", "TEST"

    def __init__(self, kind: str, rank: int = 1) -> None:
        super().__init__()
        self.kind = kind
        self.rank = rank

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data or ():
            if rank == self.rank:
                self._fail(document)
            yield document

    def _fail(self, document: Document) -> None:
        match self.kind:
            case "unexpected":
                raise ValueError(f"what is this? {document.text}")
            case "user":
                raise UserError("the table has no column 'series'", "add it")
            case "os":
                raise FileNotFoundError(2, "No such file or directory", "/a/table.csv")


class Die(PipelineStep):
    """Kills the worker of a task, as the system does for want of memory; `times` in all."""

    name, type = "Die", "TEST"

    def __init__(self, folder: Path, times: int, rank: int = 1) -> None:
        super().__init__()
        self.folder = folder
        self.times = times
        self.rank = rank

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        if rank == self.rank and len((self.folder / str(rank)).read_text()) <= self.times:
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)


def runs(folder: Path) -> dict[int, int]:
    """How often each task of a stage with `Write` was run."""
    return {int(path.name): len(path.read_text()) for path in sorted(folder.iterdir())}
