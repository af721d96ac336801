"""What a run costs: nothing is paid for twice, and no more than was allowed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.command import Options
from common.errors import UserError
from data_pipeline.synthesise import synthesise
from tests.common.generation.scripted_server import Answer, fails, serving
from tests.data_pipeline.synthetic.writing import FAULTS, Writer, config, run


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    writer, refused = Writer(), set[str]()

    def answer(request: dict[str, Any]) -> Answer:
        text = request["messages"][-1]["content"]
        if text not in refused:
            refused.add(text)
            return fails(429, "rate_limit_exceeded", **{"retry-after-ms": "1"})
        return writer(request)

    with serving(answer) as server:
        kept, _ = run(config(tmp_path, server.url, model={"max_retries": 2}))
        assert (len(kept), len(server.requests)) == (9, 18)


def test_too_many_missing_replies_fail_the_run_and_only_they_are_asked_for_again(tmp_path: Path) -> None:
    writer, broken = Writer(), [True]

    def answer(request: dict[str, Any]) -> Answer:
        good = writer(request)
        return (
            fails(503, message=request["messages"][-1]["content"])
            if broken[0] and len(server.requests) > 6
            else good
        )

    with serving(answer) as server:
        with pytest.raises(UserError) as error:
            run(config(tmp_path, server.url))
        assert "writer gave no reply to 3 of 9 requests: http_503 3" in str(error.value)
        assert "Standard delivery" not in str(error.value)
        assert not (tmp_path / "out").exists()
        broken[0] = False
        kept, _ = run(config(tmp_path, server.url))
        assert (len(kept), len(server.requests)) == (9, 12)


def test_a_few_missing_replies_are_rejected_rows(tmp_path: Path) -> None:
    with serving(Writer({("returns", 1): fails(500)})) as server:
        kept, rejected = run(config(tmp_path, server.url, max_failed_share=0.2))
    assert len(kept) == 8
    assert (rejected[0]["reason"], rejected[0]["reply"]) == ("form: no_reply", None)
    assert rejected[0]["detail"].startswith("http_500")


def test_the_budget_holds(tmp_path: Path) -> None:
    with serving(Writer()) as server:
        model = {"budget": {"max_tokens": 4_000}}
        with pytest.raises(UserError, match=r"gave no reply to \d of 9 requests: budget"):
            run(config(tmp_path, server.url, model=model))
        assert 0 < len(server.requests) < 9


def test_a_second_run_does_nothing_and_force_pays_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Writer()) as server:
        first = run(config(tmp_path, server.url))
        synthesise(config(tmp_path, server.url), Options())
        assert capsys.readouterr().out.endswith("out is up to date\n")
        assert run(config(tmp_path, server.url), force=True) == first
        assert "[MODEL] paid_tokens=0" in capsys.readouterr().out
        assert len(server.requests) == 9


def test_more_conversations_pay_for_the_new_ones_alone(tmp_path: Path) -> None:
    with serving(Writer()) as server:
        run(config(tmp_path, server.url, conversations=6))
        kept, _ = run(config(tmp_path, server.url))
        assert (len(kept), len(server.requests)) == (9, 9)


def test_a_dry_run_counts_and_asks_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Writer()) as server:
        budget = {"prompt_price": 1.0, "completion_price": 10.0}
        run(config(tmp_path, server.url, conversations=3))
        capsys.readouterr()
        synthesise(config(tmp_path, server.url, model={"budget": budget}), Options(dry_run=True))
        assert len(server.requests) == 3
        longest = max(sum(len(m["content"]) for m in request["messages"]) for request in server.requests)
    rows = dict(
        line.strip("│ ").split("│") for line in capsys.readouterr().out.splitlines() if line.startswith("│")
    )
    shown = {name.strip(): value.strip() for name, value in rows.items()}
    assert (shown["requests"], shown["of them paid for before"]) == ("9", "3")
    assert shown["completion tokens, at most"] == "4,800"
    tokens = int(shown["prompt tokens of the others, about"].replace(",", ""))
    assert 0.8 * 6 * longest / 4 < tokens < 1.2 * 6 * longest / 4
    assert float(shown["cost, at most about"]) == pytest.approx((tokens + 48_000) / 1e6, abs=0.006)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    writer, lock = Writer(FAULTS), threading.Lock()

    def slowly(request: dict[str, Any]) -> Answer:
        with lock:
            answer = writer(request)
        return Answer(answer.body, answer.status, answer.headers, delay=0.3)

    with serving(slowly) as server:
        given = config(tmp_path, server.url)
        values = json.loads(given.model_dump_json()) | {"conversations": 9}
        values["model"] |= {"cache": str(tmp_path / "cache"), "concurrency": 1}
        (tmp_path / "c.yaml").write_text(yaml.safe_dump(values))
        command = [sys.executable, "-m", "data_pipeline.synthesise", str(tmp_path / "c.yaml")]
        for most in (3, 6):
            started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while len(server.requests) < most:
                assert started.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            os.kill(started.pid, signal.SIGKILL)
            started.wait()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # Each kill loses at most the one reply that was under way; refusals are never kept.
        assert len(server.requests) <= 9 + 2 + 2
    with serving(Writer(FAULTS)) as server:
        whole = config(tmp_path / "whole", server.url)
        run(whole)
    for name in ("synthetic.jsonl", "rejected.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.output / name).read_bytes()
