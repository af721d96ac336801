"""Writes a trained network as the folder that `TaggerDetector` reads."""

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_pipeline.pii.ner.network import Tagger
from data_pipeline.pii.ner.tags import TAGS

MODEL_FILE, VOCABULARY_FILE, SETTINGS_FILE = "model.onnx", "vocabulary.txt", "settings.json"
FORMAT = 2


class _Row(nn.Module):
    """The network for a row of tokens, its tables as 16-bit numbers: half the size, the same tags.

    `mask`, of shape (tokens, 1), is 0 for what separates texts that are read together.
    """

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tagger = copy.deepcopy(tagger).eval()
        known = self.tagger.project(self.tagger.pieces)
        self.tagger.pieces = known.detach().half()
        self.tagger.project = nn.Identity()  # type: ignore[assignment]
        for module in self.tagger.modules():
            if isinstance(module, nn.Embedding):
                module.half()

    def forward(self, words: Tensor, pieces: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        scores: Tensor = self.tagger(words[None], pieces[None], context[None], mask[None])[0]
        return scores


def save_model(
    folder: Path, tagger: Tagger, vocabulary: Sequence[str], outside_bias: float, trained: dict[str, Any]
) -> None:
    """Write `model.onnx`, `vocabulary.txt` and `settings.json`; `trained` says where the model comes from."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = torch.export.Dim("tokens", min=2, max=100_000)
    example = (torch.ones(7, 9).long(), torch.ones(7, 2).long(), torch.ones(7, 2).long(), torch.ones(7, 1))
    program = torch.onnx.export(
        _Row(tagger),
        example,
        dynamo=True,
        external_data=False,
        input_names=["words", "pieces", "context", "mask"],
        output_names=["scores"],
        dynamic_shapes=({0: tokens}, {0: tokens}, {0: tokens}, {0: tokens}),
        verbose=False,
    )
    assert program is not None
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / MODEL_FILE
        program.save(str(path))
        (folder / MODEL_FILE).write_bytes(_without_traces(path))
    (folder / VOCABULARY_FILE).write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    settings = {"format": FORMAT, "tags": list(TAGS), "outside_bias": outside_bias, "trained": trained}
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _without_traces(path: Path) -> bytes:
    """The model without the exporter's notes, which hold paths of the machine."""
    import onnx

    model = onnx.load(str(path))
    del model.graph.value_info[:]
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    content: bytes = model.SerializeToString(deterministic=True)
    return content
