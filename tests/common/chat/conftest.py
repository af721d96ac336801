"""One small tokenizer for each family, loaded the way real ones are."""

from pathlib import Path
from typing import Any

import pytest

from common.chat import FAMILIES, load_tokenizer
from tests.common.chat.small_tokenizers import write_tokenizer


@pytest.fixture(scope="session")
def tokenizer_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("tokenizers")
    return {name: write_tokenizer(root / name, name) for name in FAMILIES}


@pytest.fixture(scope="session")
def tokenizers(tokenizer_folders: dict[str, Path]) -> dict[str, Any]:
    return {name: load_tokenizer(folder, FAMILIES[name]) for name, folder in tokenizer_folders.items()}
