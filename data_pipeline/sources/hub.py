"""Data sets of the Hugging Face hub, streamed, and folders of such data sets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.errors import UserError
from data_pipeline.rows import RowBuffer, UnreadableRest
from data_pipeline.sources.config import HuggingFaceSource
from data_pipeline.sources.parquet_rows import json_row
from data_pipeline.sources.row import Row

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` leaves in the folder of all splits, and in that of one."""


def commit(source: HuggingFaceSource) -> str:
    """The commit that a data set's revision stands for, asked of the hub unless it is one already.

    Raises UserError: there is no such data set or revision, or no way to the hub.
    """
    if _COMMIT.fullmatch(source.revision):
        return source.revision
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        found = HfApi().dataset_info(source.dataset, revision=source.revision).sha
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError) as error:
        raise _not_there(source, error) from None
    return str(found)


def read(source: HuggingFaceSource, revision: str | None, buffer: RowBuffer) -> Iterator[Row]:
    """Yield the rows of a split; `line` is the row's number. `revision` is None for a folder.

    Raises:
        UserError: the data set can't be opened.
        UnreadableRest: unreadable_dataset, where its files are damaged. A lost connection is no defect of the
            data, and goes through.
    """
    from datasets.exceptions import DatasetGenerationError
    from pyarrow import ArrowException

    rows = iter(_open(source, revision))
    try:
        for values in rows:
            yield json_row(values, buffer)
    except (ArrowException, DatasetGenerationError, ValueError) as error:
        raise UnreadableRest("unreadable_dataset", type(error).__name__) from None


def _open(source: HuggingFaceSource, revision: str | None) -> Any:
    from datasets import disable_progress_bars, load_dataset, load_from_disk

    disable_progress_bars()
    folder = Path(source.dataset)
    try:
        if revision is None and any((folder / name).is_file() for name in _SAVED):
            saved = load_from_disk(str(folder))
            return saved[source.split] if isinstance(saved, dict) else saved
        path = str(folder.absolute()) if revision is None else source.dataset
        return load_dataset(path, source.subset, split=source.split, revision=revision, streaming=True)
    except (OSError, ValueError, KeyError) as error:
        raise _not_there(source, error) from None


def _not_there(source: HuggingFaceSource, error: Exception) -> UserError:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return UserError(
        f"can't open the data set '{source.dataset}': {first_line}",
        "check dataset, subset, split and revision; for a gated one accept its terms and log in with "
        "'hf auth login'; offline, give a folder",
    )
