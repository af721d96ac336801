"""The project's own name detector, on ONNX Runtime. Loads no PyTorch."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from data_pipeline.pii.ner.features import Features, Ids
from data_pipeline.pii.ner.tags import ENTITY_TYPES, TAGS, decode
from data_pipeline.pii.ner.tokens import Tokens, tokenize
from data_pipeline.pii.spans import Span

_WINDOW = 2_000
"""Tokens read at once: what a very long text needs of memory does not grow with it."""
_MARGIN = 16
"""Tokens read on both sides of a window. More than the network reaches, so windows change no score."""
_FILES = ("model.onnx", "vocabulary.txt", "settings.json")


class TaggerDetector:
    """Finds names, places, organisations and addresses. Texts go through one by one, on one thread.

    So a text's spans depend on that text alone, down to the last bit, and as many detectors as there are
    cores can run side by side. Raises UserError when `folder` holds no model of this kind.
    """

    entity_types = frozenset(ENTITY_TYPES)

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise UserError(
                f"'{folder}' has no {missing[0]}", "train a model: python -m data_pipeline.pii.train_ner"
            )
        settings = json.loads((folder / "settings.json").read_text("utf-8"))
        if settings.get("format") != 1 or tuple(settings["tags"]) != TAGS:
            raise UserError(f"'{folder}' was written by another version", "train the model again")
        self._features = Features((folder / "vocabulary.txt").read_text("utf-8").split("\n")[:-1])
        self._outside_bias = np.float32(settings["outside_bias"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another."""
        return [self._find(text) for text in texts]

    def _find(self, text: str) -> list[Span]:
        tokens = tokenize(text)
        if not tokens.words:
            return []
        return decode(tokens, self.scores(tokens))

    def scores(self, tokens: Tokens) -> NDArray[np.float32]:
        """A score for each token and tag, of shape (tokens, TAGS), after the bias against "outside"."""
        ids = self._features.of(tokens)
        count = len(tokens.words)
        parts = [self._window(ids, start, min(start + _WINDOW, count)) for start in range(0, count, _WINDOW)]
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        scores[:, 0] -= self._outside_bias
        return scores

    def _window(self, ids: Ids, start: int, end: int) -> NDArray[np.float32]:
        low, high = max(0, start - _MARGIN), end + _MARGIN
        inputs = {
            "words": ids.words[low:high],
            "pieces": ids.pieces[low:high],
            "context": ids.context[low:high],
        }
        scores: NDArray[np.float32] = self._session.run(None, inputs)[0]
        return scores[start - low : end - low]
