"""A small knowledge base, a model that writes what it is told, and the command, for the tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.command import Options
from common.retrieval import Passage, read_passages
from data_pipeline.synthesise import synthesise
from data_pipeline.synthetic.config import SynthesiseConfig
from data_pipeline.synthetic.plan import Request
from tests.common.generation.scripted_server import Answer, says
from tests.data_pipeline.building import read_lines

ARTICLES = {
    "returns": "Unread books can be returned within 30 days of delivery. A return costs $4.50, which we keep "
    "from the refund. Signed copies cannot be returned. The label lies in the parcel, on the list of books.",
    "delivery": "Standard delivery takes 3 to 5 business days. From $45 it is free, below that it costs $6. "
    "An express parcel arrives on the next business day.",
    "vouchers": "A gift voucher is valid for 24 months. It can be used in parts; nobody pays out the rest.",
}


def knowledge_base(folder: Path) -> Path:
    """One article with one passage for each of `ARTICLES`."""
    folder.mkdir(parents=True)
    for name, text in ARTICLES.items():
        head = f"---\nid: {name}\ntitle: About {name}\n---\n\n# About {name}\n\n"
        (folder / f"{name}.md").write_text(head + text + "\n")
    return folder


def passages(folder: Path) -> dict[str, Passage]:
    """The passages of `knowledge_base(folder)` by article."""
    return {passage.article: passage for passage in read_passages(knowledge_base(folder))}


def request(*given: Passage, language: str = "en", number: int = 0) -> Request:
    return Request(f"{given[0].id}/{number}", given, "asks", "easy", language, "friendly")


def conversation(*contents: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": content} for place, content in enumerate(contents)]


def as_json(*contents: str) -> str:
    """A reply as it should be."""
    return json.dumps({"messages": conversation(*contents)}, ensure_ascii=False)


GOOD = {
    "returns": [
        ("How many days do I have to send back a novel that my sister has already got?",
         "You can return it within 30 days of delivery, as long as it is unread."),
        ("Does posting an unwanted volume back to you cost me anything?",
         "Yes, we keep $4.50 from the refund for a return."),
        ("I bought a copy with the artist's autograph, may I give it back?",
         "I am sorry, signed copies cannot be returned."),
    ],
    "delivery": [
        ("When will my box set get here if I order with the normal shipping?",
         "Standard delivery takes 3 to 5 business days."),
        ("What do I have to spend so that shipping is free?",
         "From $45 on, standard delivery is free."),
        ("Is there a quicker way, I need the parcel before the weekend?",
         "An express parcel arrives on the next business day."),
    ],
    "vouchers": [
        ("How long is the gift voucher good for that I got from my aunt?",
         "A gift voucher is valid for 24 months."),
        ("May I use only part of a voucher now and the rest later?",
         "Yes, it can be used in parts, but nobody pays out the rest."),
        ("Can you pay out what is left on my voucher in cash?",
         "I am afraid nobody pays out the rest, but you can use it in parts."),
    ],
}  # fmt: skip


class Writer:
    """Answers each request with the next good conversation about its article, or with what is scripted.

    `instead` maps the number of an article's request, in the order in which the plan has them, to an answer;
    `fails` says what else the server answers, by the number of requests so far.
    """

    def __init__(self, instead: Mapping[tuple[str, int], Answer | str] | None = None) -> None:
        self.instead = dict(instead or {})
        self.seen: dict[str, list[str]] = {name: [] for name in ARTICLES}

    def __call__(self, asked: dict[str, Any]) -> Answer:
        content = asked["messages"][-1]["content"]
        (name,) = [name for name in ARTICLES if f"About {name}" in content]
        if content not in self.seen[name]:
            self.seen[name].append(content)
        number = self.seen[name].index(content)
        answer = self.instead.get((name, number), as_json(*GOOD[name][number % 3]))
        return says(answer, usage=(200, 50)) if isinstance(answer, str) else answer


def config(folder: Path, url: str, **settings: Any) -> SynthesiseConfig:
    """Nine conversations about the three articles, checked without encoder and judge, one at a time."""
    kb = folder / "kb"
    if not kb.is_dir():
        knowledge_base(kb)
    model = {"url": url, "model": "writer", "cache": folder / "cache", "concurrency": 1, "max_retries": 0}
    values: dict[str, Any] = {
        "output": folder / "out",
        "knowledge_base": kb,
        "company": "It sells manga.",
        "conversations": 9,
        "checks": {"min_checks": 4},
        "pii": {"detector": None},
        **settings,
    }
    return SynthesiseConfig.model_validate(values | {"model": model | settings.get("model", {})})


def run(given: SynthesiseConfig, **options: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that were kept, and those that were rejected."""
    synthesise(given, Options(**options))
    return read_lines(given.output / "synthetic.jsonl"), read_lines(given.output / "rejected.jsonl")


FAULTS: dict[tuple[str, int], Answer | str] = {
    ("returns", 0): "Sure! " + as_json(*GOOD["returns"][0]),
    ("returns", 1): as_json("How many days do I have to send a book back?", "You have 60 days to return it."),
    ("returns", 2): says(None, refusal="I will not write this.", usage=(200, 5)),
    ("delivery", 0): says(as_json(*GOOD["delivery"][0])[:40], "length"),
    ("delivery", 1): as_json(
        "I am Jo, jo@mail.example. When does my parcel come?", "It takes 3 to 5 business days."
    ),
    ("vouchers", 1): as_json(*GOOD["vouchers"][0]),
    ("vouchers", 2): says("", "content_filter"),
}
