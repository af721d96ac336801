"""A judge that answers as it is told, knowing what it was asked."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.judge import RUBRIC, Case, Judge, JudgeConfig, Pair
from tests.common.generation.scripted_server import Answer, says


def case(reply: str, **given: Any) -> Case:
    return Case([{"role": "user", "content": "Where is my order?"}], reply, **given)


def pair(a: str, b: str) -> Pair:
    return Pair([{"role": "user", "content": "Where is my order?"}], a, b)


def judge(url: str, cache: Path | None = None, **settings: Any) -> Judge:
    settings = {"model": "examiner", "max_retries": 0, "timeout": 5.0, **settings}
    return Judge(JudgeConfig(url=url, cache=cache, **settings))


def verdict(*scores: int, reason: str = "It answers.") -> str:
    """JSON with one score for all criteria, or with one for each."""
    each = scores if len(scores) > 1 else scores * len(RUBRIC)
    return json.dumps({"reason": reason, **dict(zip(RUBRIC, each, strict=True))})


def winner(position: str) -> str:
    return json.dumps({"reason": "Better.", "winner": position})


def part(request: dict[str, Any], tag: str) -> str:
    """The text between a tag and its end in what is judged."""
    [text] = re.findall(rf"<{tag}-(?:\d+)>\n(.*?)\n</{tag}-", request["messages"][-1]["content"], re.DOTALL)
    return text


def by_reply(answers: dict[str, Answer]) -> Callable[[dict[str, Any]], Answer]:
    """Answer by the judged reply."""
    return lambda request: answers[part(request, "reply")]


def comparing(prefer: Callable[[str, str], str]) -> Callable[[dict[str, Any]], Answer]:
    """Answer each pair with what `prefer` says of the reply shown first and the one shown second."""
    return lambda request: says(winner(prefer(part(request, "first-reply"), part(request, "second-reply"))))
