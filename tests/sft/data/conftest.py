"""One small tokenizer for each family, loaded the way real ones are."""

from typing import Any

import pytest

from common.chat import FAMILIES, load_tokenizer
from tests.common.chat.small_tokenizers import write_tokenizer


@pytest.fixture(scope="session")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("tokenizers")
    return {
        name: load_tokenizer(str(write_tokenizer(root / name, name)), family)
        for name, family in FAMILIES.items()
    }
