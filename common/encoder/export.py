"""Encoders as ONNX graphs, in float32 and in int8.

A graph takes `input_ids` and `attention_mask` and gives one tensor. For an encoder that is the hidden state
of every token: their mean is a line of numpy, while a graph that pools is of no use for tagging tokens. With
a head on the encoder, the same functions export a classifier.
"""

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.encoder.runtime import FILES, INPUTS, TOKENIZER, OnnxEncoder
from common.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from common.encoder.model import Encoder

OPSET = 20
HIDDEN_STATES = "last_hidden_state"

_MOST_DIFFERENCE = 1e-4  # of a unit vector's elements; float32 in another order of sums stays below 1e-6
_PROBES = (
    "",
    "Where is my order?",
    "返品したいです。まだ読んでいません。",
    "The dust jacket of volume 3 came torn, and the obi is missing. What now?",
    "I pre-ordered the box set in March and was charged twice. " * 60,
)


def export_encoder(encoder: "Encoder", folder: Path) -> dict[str, float]:
    """Write what `OnnxEncoder` reads to `folder`, and compare the results with those of `encoder` (on a CPU).

    Returns:
        fp32_difference: the largest in any element of the probe texts' unit vectors.
        int8_cosine: the lowest of any probe text.

    Raises:
        UserError: the graph does not compute what the model does.
    """
    export_graph(_hidden_states(encoder), folder / FILES["fp32"], HIDDEN_STATES, encoder.max_length)
    quantise(folder / FILES["fp32"], folder / FILES["int8"])
    _write_tokenizer(encoder, folder / TOKENIZER)
    exact = encoder.embed(_PROBES)
    difference = float(np.abs(OnnxEncoder(folder, precision="fp32").embed(_PROBES) - exact).max())
    if difference > _MOST_DIFFERENCE:
        raise UserError(
            f"the exported graph is wrong: its vectors differ from the model's by up to {difference:.1e}",
            "PyTorch can't export this architecture; choose another encoder",
        )
    cosines = (OnnxEncoder(folder, precision="int8").embed(_PROBES) * exact).sum(axis=1)
    return {"fp32_difference": difference, "int8_cosine": float(cosines.min())}


def export_graph(module: "nn.Module", path: Path, output: str, max_length: int) -> None:
    """Write `module` as a graph at `path`, for any number of texts of up to `max_length` tokens.

    Args:
        module: on the CPU, in evaluation mode; maps `input_ids` and `attention_mask`, int64 of shape (texts,
            tokens), to one tensor whose first dimension is that of the texts.
        output: the name of that tensor in the graph.
    """
    import onnx
    import torch

    # Two tensors: given one twice, PyTorch takes both inputs for the same.
    examples = (torch.ones((2, 8), dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64))
    shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=max_length)}
    # Both inputs have one shape, so one of its names is not used; the rest is PyTorch's talk to itself.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*axis name")
        warnings.filterwarnings("ignore", category=FutureWarning, module="copyreg|torch")
        program = torch.onnx.export(
            module,
            examples,
            dynamo=True,
            input_names=INPUTS,
            output_names=[output],
            dynamic_shapes=(shape, shape),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # None is the old exporter's, which writes to a file
    model = program.model_proto
    for node in model.graph.node:  # stack traces: they hold paths of this machine
        del node.metadata_props[:]
    del model.graph.value_info[:]  # quantize_dynamic infers shapes itself, and refuses PyTorch's
    onnx.save(model, path)


def quantise(path: Path, to: Path) -> None:
    """Write the graph at `path` with weights in int8, a scale a channel; activations become int8 as it runs.

    One scale a matrix is as fast, and far coarser: a mean cosine of .968 on Banking77 against .993.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it advises to fuse operators first, which made the graph slower
    try:
        quantize_dynamic(path, to, per_channel=True, weight_type=QuantType.QInt8)
    finally:
        logging.disable(before)


def _hidden_states(encoder: "Encoder") -> "nn.Module":
    from torch import nn

    class HiddenStates(nn.Module):
        """The model with the inputs and the output of the graph alone."""

        def __init__(self) -> None:
            super().__init__()
            self.model = encoder.model

        def forward(self, input_ids: "Tensor", attention_mask: "Tensor") -> "Tensor":
            hidden: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return hidden

    return HiddenStates().eval()


def _write_tokenizer(encoder: "Encoder", path: Path) -> None:
    """The tokenizer with the length to cut at and with its padding, both of which its file can hold."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(encoder.tokenizer.to_str())
    tokenizer.enable_padding(pad_id=encoder.pad_id, pad_token=encoder.pad_token)
    tokenizer.save(str(path))
