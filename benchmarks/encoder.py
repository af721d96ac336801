"""The embedded encoder against sentence-transformers: same vectors, how much int8 changes, texts a second.

    python -m benchmarks.encoder out/encoder ../shared/data/banking77/train.jsonl.gz

`out/encoder` is what `python -m common.encoder configs/encoder.yaml` wrote; the other file holds rows of
`text` and `intent`. The systems take turns, for three rounds, in a process that has as many cores as threads.
sentence-transformers runs with two batch sizes; the faster one counts.
"""

import gzip
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from common.console import quiet_libraries, run_log, table
from common.encoder.embedded import EMBEDDED, source
from common.encoder.model import Encoder
from common.encoder.runtime import OnnxEncoder

_ROUNDS = 3
_TOKENS = 32
_ODD = (
    "",
    "   ",
    "返品したいです。まだ読んでいません",
    "進撃の巨人 vol. 3 を return したい",
    "\u200b😀\x00",
    "price? " * 400,
)

Embed = Callable[[list[str]], object]


def main(folder: str, banking77: str) -> None:
    """Print parity, agreement and speed."""
    quiet_libraries()
    with gzip.open(banking77, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = [row["text"] for row in rows]
    _parity(Path(folder), [*_ODD, *texts[::10]])
    _agreement(Path(folder), texts, [row["intent"] for row in rows])
    cases = {f"{_TOKENS} tokens": _of_length(texts)[:256], "Banking77": texts[::10]}
    for threads in (1, 2):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            speeds = process.submit(_speeds, threads, folder, cases).result()
        _show(threads, speeds)


def _parity(folder: Path, texts: list[str]) -> None:
    from sentence_transformers import SentenceTransformer

    peer = SentenceTransformer(source(EMBEDDED), device="cpu").encode(texts, normalize_embeddings=True)
    run_log(
        "PARITY",
        texts=len(texts),
        torch=float(np.abs(Encoder(device="cpu").embed(texts) - peer).max()),
        onnx_fp32=float(np.abs(OnnxEncoder(folder, precision="fp32").embed(texts) - peer).max()),
    )


def _agreement(folder: Path, texts: list[str], intents: list[str]) -> None:
    """Nearest class mean, with means of the float32 vectors."""
    exact = OnnxEncoder(folder, precision="fp32", threads=2).embed(texts)
    rough = OnnxEncoder(folder, precision="int8", threads=2).embed(texts)
    names, labels = np.unique(intents, return_inverse=True)
    means = np.stack([exact[labels == label].mean(axis=0) for label in range(len(names))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    of_exact, of_rough = (exact @ means.T).argmax(axis=1), (rough @ means.T).argmax(axis=1)
    cosines = (exact * rough).sum(axis=1)
    run_log(
        "INT8",
        texts=len(texts),
        equal_argmax=float((of_exact == of_rough).mean()),
        accuracy_fp32=float((of_exact == labels).mean()),
        accuracy_int8=float((of_rough == labels).mean()),
        mean_cosine=float(cosines.mean()),
        least_cosine=float(cosines.min()),
    )


def _of_length(texts: list[str]) -> list[str]:
    """Texts of exactly `_TOKENS` tokens, cut from `texts` in a row."""
    tokenizer = Encoder(device="cpu").tokenizer
    words = " ".join(texts[:2000]).split()
    found: list[str] = []
    text = ""
    for word in words:
        text = f"{text} {word}".strip()
        length = len(tokenizer.encode(text).ids)
        if length == _TOKENS:
            found.append(text)
        if length >= _TOKENS:
            text = ""
    return found


def _speeds(threads: int, folder: str, cases: dict[str, list[str]]) -> dict[str, dict[str, list[float]]]:
    """Texts a second by system and case, a figure a round."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    quiet_libraries()
    peer = SentenceTransformer(source(EMBEDDED), device="cpu")
    systems: dict[str, Embed] = {
        "sentence-transformers, 32": lambda texts: peer.encode(texts, batch_size=32),
        "sentence-transformers, 128": lambda texts: peer.encode(texts, batch_size=128),
        "Encoder, PyTorch": Encoder(device="cpu").embed,
        "OnnxEncoder, fp32": OnnxEncoder(Path(folder), precision="fp32", threads=threads).embed,
        "OnnxEncoder, int8": OnnxEncoder(Path(folder), precision="int8", threads=threads).embed,
    }
    for embed in systems.values():
        embed(next(iter(cases.values()))[:64])
    speeds: dict[str, dict[str, list[float]]] = {name: {case: [] for case in cases} for name in systems}
    for _ in range(_ROUNDS):
        for case, texts in cases.items():
            for name, embed in systems.items():
                start = time.perf_counter()
                embed(texts)
                speeds[name][case].append(len(texts) / (time.perf_counter() - start))
    return speeds


def _show(threads: int, speeds: dict[str, dict[str, list[float]]]) -> None:
    cases = list(next(iter(speeds.values())))
    peers = [name for name in speeds if name.startswith("sentence")]
    best = {case: max(np.median(speeds[name][case]) for name in peers) for case in cases}
    rows = []
    for name, by_case in speeds.items():
        cells = []
        for case, figures in by_case.items():
            middle = float(np.median(figures))
            cells += [
                f"{middle:,.0f}",
                f"{min(figures):,.0f} to {max(figures):,.0f}",
                f"{middle / best[case]:.2f}x",
            ]
        rows.append((name, *cells))
    columns = [column for case in cases for column in (f"texts/s, {case}", "range", "speed")]
    table(f"{threads} thread{'s' if threads > 1 else ''}", ("", *columns), rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
