"""The config of `python -m common.encoder`."""

from pathlib import Path

from common.config import Config
from common.encoder.embedded import EMBEDDED


class ExportConfig(Config):
    """What to export, and where to."""

    model: str = EMBEDDED
    output: Path
