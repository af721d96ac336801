"""A judge is paid once for a row, however often the build is killed."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.common.generation.scripted_server import Answer, says, serving
from tests.data_pipeline.executors.driving import Build, dataset_bytes, tickets

CONCURRENCY = 4


def verdict(request: dict[str, Any]) -> Answer:
    marks = 3 + len(request["messages"][-1]["content"]) % 3
    answer = says(json.dumps({"reason": "so it is", "coherence": marks}))
    answer.delay = 0.05
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_judged_rows_are_never_paid_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    source, executor = tickets(tmp_path / "in"), {"type": "local", "workers": workers}
    with serving(verdict) as server:
        judge = {"url": server.url, "model": "judge", "concurrency": CONCURRENCY}
        judge["cache"] = str(tmp_path / "judged")
        killed = Build(tmp_path / "killed", source, executor, judge=judge)
        for requests in (10, 25):
            run = killed.start()
            deadline = time.monotonic() + 120
            while len(server.requests) < requests:
                assert run.poll() is None and time.monotonic() < deadline
                time.sleep(0.005)
            os.kill(run.pid, signal.SIGKILL)
            run.communicate(timeout=60)
        killed.finish()
        asked = len(server.requests)
        whole = Build(tmp_path / "whole", source, executor, judge=judge)
        whole.finish()
        assert len(server.requests) == asked, "a row was judged again"
    distinct = len({request["messages"][-1]["content"] for request in server.requests})
    assert distinct == 50  # half of the 100 rows say the same as another one
    assert asked <= distinct + 2 * workers * CONCURRENCY, "more was paid for than what was under way"
    assert dataset_bytes(tmp_path / "killed") == dataset_bytes(tmp_path / "whole")
