"""What every test may need, and what happens when a test's needs are not met.

A test that needs a thing that is missing (public data, a GPU, a browser, a database) is skipped with the
reason. With REQUIRE_ALL=1, as in CI, such a skip is a failure, except for the GPU: nothing is left untested
because somebody forgot to install it.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Commands run by tests in other folders must still find the packages of this checkout.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets: $SUPPORT_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("SUPPORT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public data at {folder}; set SUPPORT_DATA to a folder that has it")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        from sft.preflight import gpu_count

        if not gpu_count():
            pytest.skip("needs an NVIDIA GPU")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if (
        os.environ.get("REQUIRE_ALL") == "1"
        and report.skipped
        and not hasattr(report, "wasxfail")
        and not item.get_closest_marker("gpu")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped, although REQUIRE_ALL=1: {report.longrepr[2]}"
    return report
