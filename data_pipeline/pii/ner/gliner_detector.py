"""A GLiNER model as a detector (the optional dependency `gliner`)."""

from collections.abc import Sequence

from common.errors import UserError, cannot_load
from data_pipeline.pii.ner.label_map import entity_type
from data_pipeline.pii.ner.tags import ENTITY_TYPES
from data_pipeline.pii.ner.windows import find_in_windows
from data_pipeline.pii.spans import Span

_LABELS = ("person", "location", "organization", "street address")
"""What the model is asked for, in words, as GLiNER wants it (Zaratiana et al., 2024)."""
_SIZE, _MARGIN = 1_000, 120
"""Characters of a window: GLiNER reads some 380 words and leaves out the rest."""


class GlinerDetector:
    """Reads a local folder or a model of the hub. Raises UserError when gliner or the model is missing."""

    entity_types = frozenset(ENTITY_TYPES)

    def __init__(self, name: str) -> None:
        try:
            from gliner import GLiNER
        except ImportError:
            raise UserError(
                f"'{name}' is a GLiNER model, and gliner is not installed",
                "install the project with its extra: pip install 'supportlm[gliner]'",
            ) from None
        try:
            self._model = GLiNER.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise cannot_load("the GLiNER model", name, error) from None

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another."""
        return [find_in_windows(text, self._find, _SIZE, _MARGIN) for text in texts]

    def _find(self, text: str) -> list[Span]:
        if not text.strip():
            return []
        found = self._model.predict_entities(text, list(_LABELS), threshold=0.5)
        spans = [(row["start"], row["end"], entity_type(row["label"]), float(row["score"])) for row in found]
        return [Span(start, end, kind, score) for start, end, kind, score in spans if kind]
