"""A local HTTP server that answers as it is told, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    delay: float = 0.0


def says(
    content: str | None, finish_reason: str = "stop", usage: tuple[int, int] = (11, 3), **message: Any
) -> Answer:
    """A completion; `usage` are the tokens of prompt and completion."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish_reason,
    }
    counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    body = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": counts}
    return Answer(json.dumps(body).encode())


def fails(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    error = {"message": message, "type": None, "param": None, "code": code or None}
    return Answer(
        json.dumps({"error": error}).encode(), status, {"content-type": "application/json", **headers}
    )


@dataclass
class Script:
    """Answers for each last message's text, in turn, the last of them repeated; or what a function says."""

    answers: "Answers"
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: dict[str, Any], authorization: str | None) -> Answer:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.authorizations.append(authorization)
            if callable(self.answers):
                return self.answers(request)
            queue = self.answers[request["messages"][-1]["content"]]
            return queue.pop(0) if len(queue) > 1 else queue[0]

    def asked(self, text: str) -> int:
        return sum(request["messages"][-1]["content"] == text for request in self.requests)


Answers = dict[str, list[Answer]] | Callable[[dict[str, Any]], Answer]


@contextmanager
def serving(answers: Answers) -> Iterator[Script]:
    """Serve a script on a free port of this machine."""
    script = Script(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = script.next(request, self.headers["authorization"])
            time.sleep(answer.delay)
            with script.lock:
                script.at_once -= 1
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
