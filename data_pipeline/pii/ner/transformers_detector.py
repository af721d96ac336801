"""A Transformers token classifier as a detector."""

from collections.abc import Sequence
from typing import Any

from common.errors import UserError, cannot_load
from data_pipeline.pii.ner.label_map import entity_type
from data_pipeline.pii.ner.windows import find_in_windows
from data_pipeline.pii.spans import Span

_MOST_TOKENS = 512
_MARGIN = 100
"""Characters around a window's inner part."""
_SHORTEST = 16


class TransformersDetector:
    """Reads a local folder or a model of the hub. Texts go through one by one, without padding.

    A text that is longer than the model reads goes in windows. Raises UserError when the model cannot be
    loaded, has no fast tokenizer, or knows none of our entity types.
    """

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True)
            self._model = AutoModelForTokenClassification.from_pretrained(name).eval()
        except (OSError, ValueError) as error:
            raise cannot_load("the name detector", name, error) from None
        if not self._tokenizer.is_fast:
            raise UserError(
                f"the tokenizer of '{name}' tells no places in the text", "use one with a fast tokenizer"
            )
        self._labels: dict[int, str] = dict(self._model.config.id2label)
        self.entity_types = frozenset(filter(None, map(entity_type, self._labels.values())))
        if not self.entity_types:
            raise UserError(f"'{name}' finds no names, places or organisations", "its labels are not known")
        self._most = min(self._tokenizer.model_max_length, _MOST_TOKENS)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another."""
        return [self._find(text) for text in texts]

    def _find(self, text: str) -> list[Span]:
        import torch

        encoded = self._tokenizer(
            text, return_offsets_mapping=True, truncation=False, return_tensors="pt", verbose=False
        )
        if encoded["input_ids"].shape[1] > self._most and len(text) > _SHORTEST:
            # Halved until it fits: scripts differ in how many tokens a character takes.
            size = len(text) // 2
            return find_in_windows(text, self._find, size, min(_MARGIN, size // 4))
        offsets: list[tuple[int, int]] = encoded.pop("offset_mapping")[0].tolist()
        words: list[int | None] = encoded.word_ids(0)
        with torch.inference_mode():
            shares = self._model(**encoded).logits[0].float().softmax(dim=-1)
        scores, numbers = shares.max(dim=-1)
        return self._spans(offsets, words, numbers.tolist(), scores.tolist())

    def _spans(
        self,
        offsets: Sequence[Any],
        words: Sequence[int | None],
        numbers: Sequence[int],
        scores: Sequence[float],
    ) -> list[Span]:
        """Neighbouring words of one type are one span. A word has the label of its first token."""
        spans: list[Span] = []
        previous: int | None = None
        inside: str | None = None
        for (start, end), word, number, score in zip(offsets, words, numbers, scores, strict=True):
            if word is None:
                continue
            if word == previous:
                if inside:
                    spans[-1] = Span(spans[-1].start, end, inside, spans[-1].score)
                continue
            label = self._labels[number]
            kind = entity_type(label)
            if kind and kind == inside and label[:2] not in ("B-", "S-", "U-"):
                spans[-1] = Span(spans[-1].start, end, kind, min(spans[-1].score, score))
            elif kind:
                spans.append(Span(start, end, kind, score))
            previous, inside = word, kind
        return [Span(s.start, s.end, s.entity_type, round(s.score, 4)) for s in spans]
