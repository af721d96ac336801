"""What the HTTP generator makes of good, bad and missing answers."""

import json
import socket
from pathlib import Path

import pytest

from common.errors import UserError
from common.generation import Reply, Sampling
from common.generation.http import HttpGenerator
from tests.common.generation.scripted_server import Answer, fails, says, serving

GREEDY = Sampling(max_new_tokens=20)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]


def replies(url: str, *texts: str, sampling: Sampling = GREEDY, **settings) -> list[Reply]:
    settings = {"max_retries": 0, "timeout": 5.0, **settings}
    return HttpGenerator("remote", url, "support", **settings).generate(
        [ask(text) for text in texts], sampling
    )


def test_replies_come_in_the_order_of_the_conversations():
    texts = [f"question {n}" for n in range(6)]
    answers = {text: [says(f" reply to {text}\n")] for text in texts}
    for n, text in enumerate(texts):
        answers[text][0].delay = 0.05 * (6 - n)
    with serving(answers) as server:
        found = replies(server.url, *texts)
    assert [reply.text for reply in found] == [f"reply to {text}" for text in texts]
    assert found[0] == Reply("reply to question 0", 11, 3, "stop")


def test_the_request_says_what_sampling_says():
    sampling = Sampling(max_new_tokens=7, temperature=0.5, top_p=0.9, seed=3, stop=("END",))
    with serving({"a": [says("b")]}) as server:
        replies(server.url, "a", sampling=sampling)
        replies(server.url, "a")
    drawn, greedy = server.requests
    assert drawn == {
        "model": "support",
        "messages": ask("a"),
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "stop": ["END"],
    }
    assert greedy.keys() == drawn.keys() - {"seed", "stop"}


def test_a_schema_is_sent_as_structured_output():
    schema = {"type": "object", "properties": {}}
    with serving({"a": [says("{}")]}) as server:
        generator = HttpGenerator("remote", server.url, "support")
        generator.generate([ask("a")], GREEDY, schema=schema)
    sent = server.requests[0]["response_format"]
    assert sent["type"] == "json_schema"
    assert (sent["json_schema"]["schema"], sent["json_schema"]["strict"]) == (schema, True)


def test_each_reply_is_handed_over_as_soon_as_it_is_there():
    answers = {text: [says(f"reply to {text}")] for text in ("slow", "fast")}
    answers["slow"][0].delay = 0.3
    seen = []
    with serving(answers) as server:
        HttpGenerator("remote", server.url, "support").generate(
            [ask("slow"), ask("fast")], GREEDY, on_reply=lambda index, reply: seen.append((index, reply.text))
        )
    assert seen == [(1, "reply to fast"), (0, "reply to slow")]


def test_no_more_requests_at_once_than_allowed():
    texts = [f"question {n}" for n in range(9)]
    answers = {text: [says("yes")] for text in texts}
    for queue in answers.values():
        queue[0].delay = 0.05
    with serving(answers) as server:
        replies(server.url, *texts, concurrency=3)
    assert server.most_at_once == 3


def test_429_is_tried_again_after_the_time_that_the_server_asks_for():
    busy = fails(429, "rate_limit", **{"retry-after": "1"})
    with serving({"a": [busy, says("b")]}) as server:
        [reply] = replies(server.url, "a", max_retries=1)
    assert reply.text == "b"
    assert 0.9 < server.times[1] - server.times[0] < 3


def test_500_is_tried_again():
    with serving({"a": [fails(500), says("b")]}) as server:
        [reply] = replies(server.url, "a", max_retries=1)
    assert (reply.text, server.asked("a")) == ("b", 2)


def test_400_is_not_tried_again():
    with serving({"a": [fails(400, "context_length_exceeded")]}) as server:
        [reply] = replies(server.url, "a", max_retries=3)
    assert (reply.error, server.asked("a")) == ("http_400: context_length_exceeded", 1)


SECRET = "my name is Jane Roe"

BAD_ANSWERS = {
    "status": (fails(500, message=SECRET), "http_500: no code given"),
    "broken json": (Answer(b'{"choices": [{"mess'), "bad_response: not JSON"),
    "not utf-8": (Answer(b'{"choices": "\xff\xfe"}'), "bad_response: not JSON"),
    "html": (Answer(b"<html></html>", headers={"content-type": "text/html"}), "bad_response: no choices"),
    "a number": (Answer(b"7"), "bad_response: no choices"),
    "no choices": (Answer(b'{"choices": []}'), "bad_response: no choices"),
    "choices of another type": (Answer(b'{"choices": {"a": 1}}'), "bad_response: no choices"),
    "no message": (Answer(b'{"choices": [{"index": 0}]}'), "bad_response: no text"),
    "no content": (says(None), "bad_response: no text"),
    "refusal": (says(None, refusal=SECRET), "refusal: the server answered with a refusal"),
    "content filter": (says("half a", "content_filter"), "content_filter: the server held the reply back"),
    "slow": (Answer(b"{}", delay=1.0), "timeout: no answer in 0.3 s, 1 times"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_one_bad_answer_is_unscored_and_loses_no_other(case):
    answer, error = BAD_ANSWERS[case]
    with serving({"bad": [answer], "good": [says("fine")]}) as server:
        first, second = replies(server.url, "bad", "good", timeout=0.3)
    assert (first.text, first.error, first.finish_reason) == (None, error, "error")
    assert (second.text, second.error) == ("fine", None)


def test_an_empty_reply_is_a_reply_and_missing_usage_is_zero():
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]}
    with serving({"a": [Answer(json.dumps(body).encode())]}) as server:
        assert replies(server.url, "a") == [Reply("", 0, 0, "stop")]


def test_a_conversation_that_cannot_be_asked_is_never_sent():
    with serving({"a": [says("b")]}) as server:
        generator = HttpGenerator("remote", server.url, "support", max_retries=0)
        first, second, third = generator.generate(
            [[], ask("a"), [*ask("a"), {"role": "assistant", "content": "c"}]], GREEDY
        )
    assert (first.error, second.text, third.error) == ("no_messages", "b", "last_not_user")
    assert len(server.requests) == 1


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        [reply] = replies(f"http://127.0.0.1:{free.getsockname()[1]}/v1", "a")
    assert reply.text is None
    assert reply.error.startswith("no_connection")


def test_the_key_comes_from_the_named_variable_only(monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-elsewhere")
    monkeypatch.setenv("SUPPORT_KEY", "sk-support")
    with serving({"a": [says("b")]}) as server:
        replies(server.url, "a")
        replies(server.url, "a", api_key_env="SUPPORT_KEY")
    assert server.authorizations == ["Bearer none", "Bearer sk-support"]
    assert "sk-" not in "".join(capfd.readouterr())


def test_a_key_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("SUPPORT_KEY", raising=False)
    with pytest.raises(UserError, match="SUPPORT_KEY is not set"):
        HttpGenerator("remote", "http://localhost/v1", "support", api_key_env="SUPPORT_KEY")


def test_the_cache_asks_again_only_for_what_failed(tmp_path: Path):
    with serving({"a": [says("b")], "c": [fails(500), says("d")]}) as server:
        first = replies(server.url, "a", "c", cache=tmp_path)
        again = replies(server.url, "a", "c", cache=tmp_path)
    assert [reply.text for reply in first] == ["b", None]
    assert [reply.text for reply in again] == ["b", "d"]
    assert again[0] == first[0]
    assert (server.asked("a"), server.asked("c")) == (1, 2)


def test_a_draw_without_a_seed_is_never_taken_from_the_cache(tmp_path: Path):
    with serving({"a": [says("b"), says("c")]}) as server:
        drawn = [
            replies(server.url, "a", sampling=Sampling(temperature=1.0), cache=tmp_path)[0].text
            for _ in range(2)
        ]
    assert drawn == ["b", "c"]


def test_a_reply_may_follow_what_a_tool_has_answered():
    called = [*ask("a"), {"role": "assistant", "content": '{"name": "find", "arguments": {}}'}]
    with serving({'{"found": 1}': [says("b")]}) as server:
        generator = HttpGenerator("remote", server.url, "support", max_retries=0)
        [reply] = generator.generate([[*called, {"role": "tool", "content": '{"found": 1}'}]], GREEDY)
    assert (reply.text, reply.error) == ("b", None)
