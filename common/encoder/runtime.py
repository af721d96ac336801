"""An exported encoder on ONNX Runtime: no PyTorch and no Transformers, so that serving starts fast.

In int8 each batch is quantised by its own range, so a text's vector depends a little on its batch-mates. A
single text, as serving embeds it, always has the same one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from common.encoder import Vectors
from common.encoder.batches import BATCH_TOKENS, Batch, BatchEmbedder
from common.errors import UserError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Precision = Literal["fp32", "int8"]
FILES: dict[Precision, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
TOKENIZER = "tokenizer.json"
INPUTS = ("input_ids", "attention_mask")


class OnnxEncoder(BatchEmbedder):
    """The encoder that `python -m common.encoder` wrote to `folder`.

    Args:
        precision: int8 is about three times as fast on a CPU with AVX-512 VNNI, and not quite exact.
        threads: of ONNX Runtime. One is best for many requests at once, all cores for one long job.

    Raises:
        UserError: `folder` holds no exported encoder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        precision: Precision = "int8",
        threads: int = 1,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        from tokenizers import Tokenizer

        graph, words = folder / FILES[precision], folder / TOKENIZER
        if missing := [path.name for path in (graph, words) if not path.is_file()]:
            raise UserError(
                f"'{folder}' holds no exported encoder: it has no {missing[0]}",
                "run 'python -m common.encoder configs/encoder.yaml'",
            )
        self.session = open_session(graph, threads)
        tokenizer = Tokenizer.from_file(str(words))
        pad_id = (tokenizer.padding or {})["pad_id"]  # `export_encoder` wrote it there
        tokenizer.no_padding()
        super().__init__(tokenizer, pad_id, self.session.get_outputs()[0].shape[-1], batch_tokens)

    def _pooled(self, batch: Batch) -> Vectors:
        feed = dict(zip(INPUTS, (batch.input_ids, batch.attention_mask), strict=True))
        hidden = self.session.run(None, feed)[0]
        weights = (batch.attention_mask / batch.attention_mask.sum(1, keepdims=True)).astype(np.float32)
        return np.einsum("ntd,nt->nd", hidden, weights)


def open_session(path: Path, threads: int) -> "InferenceSession":
    """The graph at `path` on `threads` CPU threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
