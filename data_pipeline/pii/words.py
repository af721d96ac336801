"""Word lists that come with the package: countries, titles, words that are no names."""

from functools import lru_cache
from importlib.resources import files

import yaml


@lru_cache(maxsize=16)
def read(name: str) -> tuple[str, ...]:
    """The entries of `lists/<name>.yaml`, in order."""
    text = (files("data_pipeline.pii") / "lists" / f"{name}.yaml").read_text(encoding="utf-8")
    entries = yaml.safe_load(text)
    return tuple(str(entry) for entry in entries)


@lru_cache(maxsize=16)
def folded(name: str) -> frozenset[str]:
    """The entries without regard to case."""
    return frozenset(entry.casefold() for entry in read(name))
