"""The project's own sentences and words, as YAML."""

from importlib import resources
from typing import Any

import yaml


def read_yaml(name: str) -> dict[str, Any]:
    """The content of a file of this folder, named without its ending."""
    path = resources.files(__name__) / f"{name}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
