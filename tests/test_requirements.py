"""REQUIRE_ALL=1 turns a skip into a failure, except for the GPU's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

def test_data(public_data):
    pass

@pytest.mark.gpu
def test_gpu():
    pytest.skip("needs an NVIDIA GPU")

@pytest.mark.xfail(reason="known")
def test_known():
    raise AssertionError
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("required", "summary"), [("0", "2 skipped, 1 xfailed"), ("1", "1 skipped, 1 xfailed, 1 error")]
)
def test_skips_under_require_all(tmp_path: Path, required: str, summary: str) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(CONFTEST, tmp_path / "tests" / "conftest.py")
    (tmp_path / "tests" / "test_needs.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu\n")
    root = CONFTEST.parent.parent
    environment = os.environ | {"REQUIRE_ALL": required, "SUPPORT_DATA": str(tmp_path / "nowhere")}
    environment["PYTHONPATH"] = str(root)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert summary in done.stdout, done.stdout
    assert f"no public data at {tmp_path}/nowhere; set SUPPORT_DATA" in done.stdout
