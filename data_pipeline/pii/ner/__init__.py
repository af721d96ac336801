"""Detectors of names, places, organisations and addresses: the project's own, or another by path.

detector = load_detector("embedded")
detector.find(["Ask Jane Field in Leeds."])
"""

import json
from pathlib import Path
from typing import Literal

from common.errors import UserError
from data_pipeline.pii.spans import Detector

EMBEDDED = Path(__file__).parent / "model"
"""The model that ships with the package; its card is `MODEL_CARD.md`."""


def load_detector(path: Path | Literal["embedded"] | None = "embedded") -> Detector:
    """Load the embedded model, or the one at `path`: what a folder holds decides what it is.

    - `settings.json` and `model.onnx`: written by `python -m data_pipeline.pii.train_ner`
    - `meta.json` and `config.cfg`: a spaCy pipeline
    - `gliner_config.json`: a GLiNER model (needs the extra `gliner`)
    - `config.json`: a Transformers token classifier

    What is no folder is the name of a model on a hub: GLiNER if "gliner" is in it, else Transformers.
    Raises UserError when the model cannot be loaded.
    """
    if path is None or path == "embedded":
        return _own(EMBEDDED)
    folder = Path(path)
    if not folder.is_dir():
        return _from_hub(str(path))
    if (folder / "settings.json").is_file():
        return _own(folder)
    if (folder / "config.cfg").is_file():
        from data_pipeline.pii.ner.spacy_detector import SpacyDetector

        return SpacyDetector(folder)
    if (folder / "gliner_config.json").is_file():
        from data_pipeline.pii.ner.gliner_detector import GlinerDetector

        return GlinerDetector(str(folder))
    if _is_token_classifier(folder):
        from data_pipeline.pii.ner.transformers_detector import TransformersDetector

        return TransformersDetector(str(folder))
    raise UserError(
        f"'{folder}' holds no model that finds names",
        "give a folder of train_ner, a spaCy pipeline, a Transformers token classifier or a GLiNER model",
    )


def _own(folder: Path) -> Detector:
    from data_pipeline.pii.ner.tagger import TaggerDetector

    return TaggerDetector(folder)


def _from_hub(name: str) -> Detector:
    if "gliner" in name.lower():
        from data_pipeline.pii.ner.gliner_detector import GlinerDetector

        return GlinerDetector(name)
    from data_pipeline.pii.ner.transformers_detector import TransformersDetector

    return TransformersDetector(name)


def _is_token_classifier(folder: Path) -> bool:
    try:
        architectures = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or []
    except (OSError, ValueError):
        return False
    return any(str(name).endswith("ForTokenClassification") for name in architectures)
