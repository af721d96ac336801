"""A spaCy pipeline with named entities as a detector."""

from collections.abc import Sequence
from pathlib import Path

from common.errors import UserError
from data_pipeline.pii.ner.label_map import entity_type
from data_pipeline.pii.ner.windows import find_in_windows
from data_pipeline.pii.spans import Span

_SIZE, _MARGIN = 20_000, 300
_SURE = 1.0
"""spaCy's parser gives no probabilities."""


class SpacyDetector:
    """Texts are read one by one, so that none depends on its neighbours, in a memory zone, so that words of
    old texts do not pile up in the vocabulary. Raises UserError for a folder that is no such pipeline."""

    def __init__(self, folder: Path) -> None:
        import spacy

        try:
            self._nlp = spacy.load(folder, exclude=["lemmatizer", "attribute_ruler"])
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"can't load the spaCy pipeline '{folder}': {str(error).splitlines()[0]}"
            ) from None
        labels = [label for name in self._nlp.pipe_names for label in self._nlp.pipe_labels.get(name, [])]
        self.entity_types = frozenset(filter(None, map(entity_type, labels)))
        if not self.entity_types:
            raise UserError(f"the spaCy pipeline '{folder}' finds no names, places or organisations")

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another."""
        with self._nlp.memory_zone():
            return [find_in_windows(text, self._find, _SIZE, _MARGIN) for text in texts]

    def _find(self, text: str) -> list[Span]:
        entities = [(ent.start_char, ent.end_char, entity_type(ent.label_)) for ent in self._nlp(text).ents]
        return [Span(start, end, kind, _SURE) for start, end, kind in entities if kind]
