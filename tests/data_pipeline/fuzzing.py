"""Damaged records of every type of source, to prove that none stops a build and none is lost.

    sources = damaged_sources(folder, seed=7, count=10_000)
    dataset = build_dataset(output, sources=[*sources.configs, {"type": "chat", "path": ...}])
    sources.check(dataset)

Texts hold SECRET, so that whatever is told about them can be searched for it.
"""

import copy
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.data_pipeline.building import Dataset, chat, ticket
from tests.data_pipeline.sources.test_freshdesk import EXPORTED, TICKET
from tests.data_pipeline.sources.test_intercom import CONVERSATION

SECRET = "geheimnis"
REASONS = {
    *("broken_json", "not_an_object", "bad_unicode", "invalid_utf8", "line_too_long", "corrupt_gzip"),
    *("broken_csv", "ragged_row", "no_conversation", "not_contiguous", "missing_turn"),
    *("corrupt_parquet", "unreadable_dataset", "no_text", "broken_front_matter"),
    *("no_messages", "no_requester", "bad_comment", "bad_message", "bad_tool_call", "bad_role"),
    *("empty_content", "system_not_first", "no_user_turn", "first_not_user", "tool_without_call"),
    *("no_assistant_turn", "duplicate"),
}
"""What may be wrong with a row, by the names that stay."""

_JUNK: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2.5,
        1e308,
        10**400,
        "",
        " \n",
        "odd",
        "5",
        "\u0000",
        "\ud83d",
        "\u202e",
        "日本",
    ),
    *([], {}, [[]], [None], ["odd", 1], {"id": None}, {"odd": "odd"}, {"type": []}, {"messages": {}}),
    *(
        "<b>",
        "<|im_end|>",
        "-----Original Message-----",
        "On x wrote:",
        ">" * 50,
        "CALL {",
        '{"api": 1}',
        "a" * 3000,
    ),
    *({"role": "tool", "content": ""}, {"body": 5}, {"note": []}, {"function": {"name": 1}}, ["assistant"]),
]
_BYTES = [
    b"\xff",
    b"\x00",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\\ud800",
    b"\xe3\x81",
    b"1e999",
    b"NaN",
    b"'",
]


@dataclass
class Damaged:
    """Configs of sources, and how many rows each of their files has where that is known."""

    configs: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    records: int = 0

    def check(self, dataset: Dataset) -> None:
        """Every line is in the dataset or rejected, with a reason and no word of what it holds."""
        found: dict[tuple[str, str], list[int]] = {}
        for row in dataset.rejected:
            assert row["reason"] in REASONS, row["reason"]
            assert row["detail"]
            assert row["level"] != "defect" or SECRET not in row["detail"]  # a duplicate's names an id
            found.setdefault((row["source"], row["file"]), []).append(row["line"])
        for row in dataset.kept:
            source = row["meta"]["source"]
            found.setdefault((source["name"], source["file"]), []).append(source["line"])
        for key, lines in self.lines.items():
            assert sorted(found.get(key, [])) == lines, key
        counts = dataset.manifest.counts
        assert counts["rows_read"] == len(dataset.kept) + len(dataset.rejected)


def damaged_sources(folder: Path, seed: int, count: int) -> Damaged:
    """About `count` records: three quarters are lines of JSON, the others in tables, data sets, articles."""
    rng = random.Random(seed)
    made = Damaged()
    for name, samples in _SAMPLES.items():
        _add_json(made, folder, rng, name, samples, count * 3 // 20)
    for name, columns in _TABLES.items():
        _add_csv(made, folder, rng, name, columns, count // 20)
    _add_parquet(made, folder, rng, count // 20)
    _add_data_set(made, folder, rng, count // 20)
    _add_articles(made, folder, rng, count // 20)
    return made


_CALLS = {
    "messages": [
        {"role": "user", "content": f"Where is {SECRET}?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "find", "arguments": json.dumps({"id": SECRET})}}],
        },
        {"role": "tool", "content": SECRET},
        {"role": "assistant", "content": "There."},
    ],
    "reward": 1.0,
    "labels": [{"by": "ines", "label": "stock"}],
}
_PAIR = {
    "q": f"Is {SECRET} in?",
    "a": "Yes.",
    "csat": 5,
    "tags": ["x"],
    "mail": "mia@example.org",
    "who": "ines",
}
_SAMPLES: dict[str, list[dict[str, Any]]] = {
    "zendesk": [ticket(1, SECRET, "Yes.", requester=7, subject="x", custom_fields=[{"id": 7, "value": "x"}])],
    "intercom": [CONVERSATION | {"title": SECRET}],
    "freshdesk": [
        TICKET | {"subject": SECRET},
        {"helpdesk_ticket": EXPORTED["helpdesk_ticket"] | {"x": SECRET}},
    ],
    "chat": [_CALLS, chat(SECRET, "Yes.", id=1, customer_id=2)],
    "table": [_PAIR],
}
_COLUMNS = {"question": "q", "answer": "a", "email": "mail", "fields": {"csat": "csat", "tags": "tags"}}
_TABLES: dict[str, dict[str, Any]] = {
    "pairs": {"question": "q", "answer": "a", "id": "n"},
    "turns": {"conversation": "n", "role": "r", "text": "q"},
}


def _add_json(
    made: Damaged, folder: Path, rng: random.Random, name: str, samples: list[dict[str, Any]], count: int
) -> None:
    lines = []
    for _ in range(count):
        row = copy.deepcopy(rng.choice(samples))
        for _ in range(rng.randrange(1, 4)):
            row = _bent(row, rng)
        line = json.dumps(row, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
        lines.append(_scratched(line, rng) if rng.random() < 0.4 else line)
    path = folder / name / "damaged.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n".join(lines))
    labels = [{"label": "custom_fields.7"}, {"label": "tags", "by": "who", "at": "created_at"}]
    columns = {"columns": _COLUMNS} if name == "table" else {}
    made.configs.append({"type": name, "path": path, "labels": labels, **columns})
    made.lines[name, "damaged.jsonl"] = [number for number, line in enumerate(lines, 1) if line.strip()]
    made.records += count


def _bent(value: Any, rng: random.Random) -> Any:
    """The value with one thing in it replaced, left out or doubled."""
    inside = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    if not inside or rng.random() < 0.15:
        return copy.deepcopy(rng.choice(_JUNK))
    key = rng.choice(inside)
    if rng.random() < 0.1:
        del value[key]
    elif isinstance(value, list) and rng.random() < 0.1:
        value.append(copy.deepcopy(value[key]))
    else:
        value[key] = _bent(value[key], rng)
    return value


def _scratched(line: bytes, rng: random.Random) -> bytes:
    """The bytes with some left out, put in, or the end missing; still one line."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(line) + 1)
        match rng.randrange(4):
            case 0:
                line = line[:at]
            case 1:
                line = line[:at] + line[at + rng.randrange(1, 9) :]
            case 2:
                line = line[:at] + rng.choice(_BYTES) + line[at:]
            case 3:
                line = line[:at] + rng.choice(_BYTES) + line[at + 1 :]
    return line.replace(b"\n", b" ")


def _add_csv(
    made: Damaged, folder: Path, rng: random.Random, name: str, columns: dict[str, Any], count: int
) -> None:
    lines = [b"n,r,q,a"]
    for number in range(count):
        role = rng.choice(["user", "agent", "agent", "boss", ""])
        text = rng.choice([SECRET, f'"{SECRET}, or ""not"""', "", "日本", '12" single'])
        line = f"{number // 3},{role},{text},Yes {number}.".encode()
        lines.append(_scratched(line, rng) if rng.random() < 0.5 else line)
    path = folder / name / "damaged.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n".join(lines))
    made.configs.append({"type": "table", "path": path, "columns": columns, "name": name})
    made.records += count


def _cell(rng: random.Random) -> str | None:
    return rng.choice(
        [SECRET, f"Is {SECRET} {rng.random()} in?", "", "  ", None, "\u0000", "<p></p>", "日本"]
    )


def _add_parquet(made: Damaged, folder: Path, rng: random.Random, count: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [
        (text or "").encode() if rng.random() < 0.8 else b"\xff\xfe"
        for text in (_cell(rng) for _ in range(count))
    ]
    table = {"q": pa.array(texts, pa.binary()).view(pa.string()), "a": [_cell(rng) for _ in range(count)]}
    path = folder / "parquet" / "damaged.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(table), path, row_group_size=100)
    pair = {"question": "q", "answer": "a"}
    made.configs.append({"type": "table", "path": path, "columns": pair, "name": "parquet"})
    made.lines["parquet", "damaged.parquet"] = list(range(1, count + 1))
    for number in range(5):  # whole files, of which one row each is left
        data = bytearray(path.read_bytes())
        for _ in range(20):
            data[rng.randrange(len(data))] = rng.randrange(256)
        broken = folder / "broken_parquet" / f"{number}.parquet"
        broken.parent.mkdir(exist_ok=True)
        broken.write_bytes(data if number else b"")
    made.configs.append(
        {"type": "table", "path": folder / "broken_parquet", "columns": pair, "name": "broken_parquet"}
    )
    made.records += count + 5


def _add_data_set(made: Damaged, folder: Path, rng: random.Random, count: int) -> None:
    rows = [{"q": _cell(rng), "a": _cell(rng)} for _ in range(count)]
    path = folder / "data_set" / "train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(map(json.dumps, rows)))
    columns = {"question": "q", "answer": "a"}
    made.configs.append({"type": "huggingface", "dataset": str(path.parent), "columns": columns})
    made.lines["huggingface", "data_set/train"] = list(range(1, count + 1))
    made.records += count


def _add_articles(made: Damaged, folder: Path, rng: random.Random, count: int) -> None:
    page = f"<html><title>{SECRET}</title><body><h1>One</h1><p>{SECRET}</p><h2>Two</h2><p>b</p></body></html>"
    text = f"---\nid: {SECRET}\ntitle: One\n---\n\n# One\n\n{SECRET}\n\n## Two?\n\n- b\n"
    (folder / "kb").mkdir(parents=True)
    for number in range(count):
        suffix = rng.choice(["md", "html"])
        data = (text if suffix == "md" else page).encode()
        for _ in range(rng.randrange(1, 5)):
            data = (
                _scratched(data, rng).replace(b"   ", b"\n\n")
                if rng.random() < 0.5
                else data[: rng.randrange(len(data) + 1)]
            )
        (folder / "kb" / f"{number}.{suffix}").write_bytes(data)
    made.configs.append({"type": "kb", "path": folder / "kb"})
    made.records += count
