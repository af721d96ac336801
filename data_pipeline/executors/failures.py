"""What a failed task may tell: where it failed, but not the error's message, which may quote a ticket."""

import traceback
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.errors import UserError
from data_pipeline.schema import InvalidRows

_FRAMES = 6
_ROOT = Path(__file__).resolve().parents[2]


class TaskFailed(RuntimeError):
    """A step raised something unexpected; the message has the error's type and where it was raised."""


class WithholdText(PipelineStep):
    """The last step of every stage. It passes all documents on, and replaces errors that may hold their text.

    UserError, and what the operating system or a lack of memory raises, stay as they are, and so does what
    InvalidRows says, which names no text. All other steps have to be generators: what they raise then passes
    through this one.
    """

    name = "Errors without text"
    type = "GUARD"

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        try:
            yield from data or ()
        except (UserError, MemoryError):
            raise
        except InvalidRows as error:
            raise TaskFailed(f"task {rank}: {error}") from None
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise TaskFailed(f"task {rank}: {type(error).__name__} {_place(error)}") from None


def _place(error: Exception) -> str:
    """The innermost calls, the last one first."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return ", called ".join(f"at {_short(frame.filename)}:{frame.lineno}" for frame in reversed(frames))


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
