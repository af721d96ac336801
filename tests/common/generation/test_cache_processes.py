"""A cache that several processes share, and that is killed: whole replies, and none is paid for again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from common.generation.cache import ReplyCache
from tests.common.generation.scripted_server import Answer, Script, says, serving

pytestmark = pytest.mark.slow

QUESTIONS, CONCURRENCY = 30, 4
ASK = f"""
import json, sys
from pathlib import Path
from common.generation import Sampling
from common.generation.http import HttpGenerator
url, cache = sys.argv[1:]
generator = HttpGenerator("m", url, "m", cache=Path(cache), concurrency={CONCURRENCY}, max_retries=0)
questions = [[{{"role": "user", "content": f"question {{n}}"}}] for n in range({QUESTIONS})]
replies = generator.generate(questions, Sampling())
print(json.dumps([reply.text for reply in replies]))
"""
EXPECTED = [f"answer to question {number}" for number in range(QUESTIONS)]


def answers(request: dict[str, Any]) -> Answer:
    reply = says(f"answer to {request['messages'][-1]['content']}")
    reply.delay = 0.05
    return reply


def start(server: Script, cache: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [sys.executable, "-c", ASK, server.url, str(cache)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def texts(run: "subprocess.Popen[str]") -> list[str]:
    shown, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    return json.loads(shown)


def check_files(cache: Path) -> None:
    """Every file is a whole reply, under the name of its key."""
    files = list(cache.rglob("*.json"))
    assert len(files) == QUESTIONS
    kept = [ReplyCache(cache).get(file.stem) for file in files]
    assert sorted(reply.text for reply in kept if reply) == sorted(EXPECTED)


def test_two_processes_with_the_same_questions_share_it(tmp_path: Path) -> None:
    with serving(answers) as server:
        both = [start(server, tmp_path), start(server, tmp_path)]
        assert [texts(run) for run in both] == [EXPECTED, EXPECTED]
        check_files(tmp_path)
        asked = len(server.requests)
        # A question that both have under way at once is asked twice; one that is answered is not.
        assert QUESTIONS <= asked <= 2 * QUESTIONS
        assert texts(start(server, tmp_path)) == EXPECTED
        assert len(server.requests) == asked


def test_processes_that_are_killed_lose_what_was_under_way_and_nothing_else(tmp_path: Path) -> None:
    kills = 3
    with serving(answers) as server:
        for kill in range(kills):
            run = start(server, tmp_path)
            deadline = time.monotonic() + 60
            while len(server.requests) < 8 * (kill + 1):
                assert run.poll() is None and time.monotonic() < deadline
                time.sleep(0.005)
            os.kill(run.pid, signal.SIGKILL)
            run.communicate()
        assert texts(start(server, tmp_path)) == EXPECTED
        check_files(tmp_path)
        times = Counter(request["messages"][-1]["content"] for request in server.requests)
    assert times.total() <= QUESTIONS + kills * CONCURRENCY
