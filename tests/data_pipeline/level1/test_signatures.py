import os
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.level1.signatures import signatures

TEXTS = ["where is my order", "漫画が好きです", "", "abc"]
DIGEST = "576278bdda956e0dc7ff117c292fdc3b3808930cee105c5dacfbc9af7b8392cb"
CODE = f"""
from hashlib import sha256
from data_pipeline.level1.signatures import signatures
print(sha256(signatures({TEXTS!r}).astype('<u4').tobytes()).hexdigest())
"""


def test_the_same_for_ever() -> None:
    found = signatures(TEXTS)
    assert (found.dtype, found.shape) == (np.uint32, (4, 128))
    assert found[0, :3].tolist() == [3336795146, 3323841464, 2082366675]
    assert sha256(found.astype("<u4").tobytes()).hexdigest() == DIGEST


@pytest.mark.slow
def test_the_same_in_another_process() -> None:
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == DIGEST


FORKS = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from data_pipeline.level1.signatures import signatures
texts = [f"text number {number}" for number in range(5000)]
signatures(texts)
with ProcessPoolExecutor(1, get_context("fork")) as pool:
    assert (pool.submit(signatures, texts).result(20) == signatures(texts)).all()
"""


@pytest.mark.slow
def test_a_fork_does_not_hang() -> None:
    subprocess.run([sys.executable, "-c", FORKS], check=True, timeout=60)


@pytest.mark.parametrize("threads", [None, "3"])
def test_the_environment_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, threads: str | None) -> None:
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("RAYON_NUM_THREADS", threads)
    signatures(TEXTS)
    assert os.environ.get("RAYON_NUM_THREADS") == threads


def test_no_texts() -> None:
    assert signatures([]).shape == (0, 128)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.integers(0, 5))
def test_neighbours_do_not_matter(texts: list[str], place: int) -> None:
    place %= len(texts)
    np.testing.assert_array_equal(signatures(texts)[place], signatures([texts[place]])[0])


@pytest.mark.parametrize("length", [30, 300])
def test_agreement_estimates_the_similarity(length: int) -> None:
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(200):
        letters = "".join(rng.choice(list("abcdefghij "), length))
        other = letters[: length // 2] + "".join(rng.choice(list("abcdefghij "), length // 2))
        a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (letters, other))
        one, two = signatures([letters, other])
        errors.append(np.mean(one == two) - len(a & b) / len(a | b))
    # Two standard deviations of 128 draws are 0.08 for one pair, 0.006 for the mean of 200.
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.05
