"""The project's own name detector, on ONNX Runtime. Loads no PyTorch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from data_pipeline.pii.ner.features import Features, Ids
from data_pipeline.pii.ner.tags import ENTITY_TYPES, TAGS, decode
from data_pipeline.pii.ner.tokens import Tokens, tokenize
from data_pipeline.pii.spans import Span

_ROW = 512
"""Tokens of texts that are read together: with more, the network's vectors leave the processor's cache."""
_GAP = 4
"""Masked tokens behind each text: as far as one layer reaches, so that no text changes another's scores."""
_WINDOW = 2_000
"""Tokens read at once: what a very long text needs of memory does not grow with it."""
_MARGIN = 16
"""Tokens read on both sides of a window. More than the network reaches, so windows change no score."""
_FILES = ("model.onnx", "vocabulary.txt", "settings.json")


class TaggerDetector:
    """Finds names, places, organisations and addresses, on one thread.

    Short texts are read together, apart from each other: a text's spans depend on that text alone, down to
    the last bit. As many detectors as there are cores can run side by side. Raises UserError when `folder`
    holds no model of this kind.
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
        if settings.get("format") != 2 or tuple(settings["tags"]) != TAGS:
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
        tokens = [tokenize(text) for text in texts]
        return [
            decode(each, scores) if each.words else []
            for each, scores in zip(tokens, self.scores(tokens), strict=True)
        ]

    def scores(self, texts: Sequence[Tokens]) -> Iterator[NDArray[np.float32]]:
        """A score for each token and tag of each text, shape (tokens, TAGS), less the bias to "outside"."""
        for row in _rows([len(tokens.words) for tokens in texts]):
            yield from self._row([self._features.of(tokens) for tokens in texts[row.start : row.stop]])

    def _row(self, texts: Sequence[Ids]) -> list[NDArray[np.float32]]:
        """Of texts side by side, with a gap behind each."""
        starts = np.cumsum([0, *(len(ids.words) + _GAP for ids in texts)])
        count = int(starts[-1])
        words, pieces, context = (np.zeros((count, width), dtype=np.int64) for width in (9, 2, 2))
        mask = np.zeros((count, 1), dtype=np.float32)
        places = [slice(start, start + len(ids.words)) for start, ids in zip(starts, texts, strict=False)]
        for place, ids in zip(places, texts, strict=True):
            words[place], pieces[place], context[place], mask[place] = *ids, 1
        row: dict[str, NDArray[Any]] = {"words": words, "pieces": pieces, "context": context, "mask": mask}
        windows = [
            self._window(row, start, min(start + _WINDOW, count)) for start in range(0, count, _WINDOW)
        ]
        scores = windows[0] if len(windows) == 1 else np.concatenate(windows)
        scores[:, 0] -= self._outside_bias
        return [scores[place] for place in places]

    def _window(self, row: Mapping[str, NDArray[Any]], start: int, end: int) -> NDArray[np.float32]:
        low, high = max(0, start - _MARGIN), end + _MARGIN
        inputs = {name: values[low:high] for name, values in row.items()}
        scores: NDArray[np.float32] = self._session.run(None, inputs)[0]
        return scores[start - low : end - low]


def _rows(lengths: Sequence[int]) -> Iterator[range]:
    """Places of neighbours that are read together; one alone where it is long."""
    first = tokens = 0
    for place, length in enumerate(lengths):
        if place > first and tokens + length > _ROW:
            yield range(first, place)
            first, tokens = place, 0
        tokens += length + _GAP
    if lengths:
        yield range(first, len(lengths))
