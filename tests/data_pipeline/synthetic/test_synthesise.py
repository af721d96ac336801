"""The command from end to end, with a model that is scripted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.artifacts import read_manifest, verify
from common.command import Options
from common.config import load
from common.errors import ConfigError, UserError
from common.provenance import digest
from data_pipeline.synthesise import synthesise
from data_pipeline.synthetic.config import SynthesiseConfig
from tests.common.generation.scripted_server import Answer, says, serving
from tests.data_pipeline.building import build_dataset, read_lines, write_lines
from tests.data_pipeline.synthetic.writing import FAULTS, GOOD, Writer, as_json, config, conversation, run


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def reasons(rejected: list[dict[str, Any]]) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in rejected}


def test_good_conversations_become_rows_that_say_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Writer()) as server:
        kept, rejected = run(config(tmp_path, server.url))
        asked = server.requests
    assert (len(kept), rejected) == (9, [])
    row = kept[0]
    article = row["conversation_id"].removesuffix("#1")
    question, answer = GOOD[article][0]
    prompt = asked[0]["messages"]
    wanted = row["synthetic"]
    assert row == {
        "id": f"{article}#1/0",
        "conversation_id": f"{article}#1",
        "messages": conversation(question, answer),
        "origin": "synthetic",
        "synthetic": {
            "model": "writer",
            "prompt_hash": digest(json.dumps(prompt, ensure_ascii=False))[:16],
            "passages": [f"{article}#1"],
            "persona": wanted["persona"],
            "difficulty": wanted["difficulty"],
            "language": "en",
            "tone": wanted["tone"],
            "checks": ["form", "grounded", "personal_data", "original"],
            "answers_by": None,
        },
    }
    assert f"The customer {wanted['persona']}." in prompt[1]["content"]
    assert (asked[0]["temperature"], asked[0]["seed"], asked[0]["max_tokens"]) == (0.8, 7, 800)
    manifest = read_manifest(tmp_path / "out")
    assert manifest.kind == "synthetic" and manifest.seeds == {"seed": 7}
    assert verify(tmp_path / "out") == []
    assert manifest.counts["passed"] == {
        "form": 9, "grounded": 9, "answers": 0, "personal_data": 9, "original": 9
    }  # fmt: skip
    assert (manifest.counts["prompt_tokens"], manifest.counts["completion_tokens"]) == (1800, 450)
    shown = capsys.readouterr().out
    assert "[MODEL] paid_tokens=2250 cost=unknown" in shown
    assert not any(text in shown for pair in GOOD["returns"] for text in pair)


def test_a_build_reads_them_as_synthetic_rows_and_keeps_a_passage_in_one_split(tmp_path: Path) -> None:
    with serving(Writer()) as server:
        synthesise(config(tmp_path, server.url), Options())
    split = {"train": 0.4, "val": 0.3, "test": 0.3}
    dataset = build_dataset(tmp_path / "set", tmp_path / "out/synthetic.jsonl", type="synthetic", split=split)
    assert dataset.rejected == []
    assert {row["meta"]["origin"] for row in dataset.kept} == {"synthetic"}
    places = [{row["id"].split("/")[1] for row in dataset.rows(name)} for name in split]
    assert sum(map(len, places)) == 3


def test_what_is_rejected_is_kept_with_its_reason(tmp_path: Path) -> None:
    with serving(Writer(FAULTS)) as server:
        kept, rejected = run(config(tmp_path, server.url))
    assert [row["id"] for row in kept] == [
        row["id"] for row in sorted(kept, key=lambda row: row["id"].split("/")[1])
    ]
    assert {row["id"] for row in kept} == {"delivery#1/2", "vouchers#1/0"}
    assert reasons(rejected) == {
        "returns#1/0": "form: no_json",
        "returns#1/1": "grounded: not_in_passage",
        "returns#1/2": "form: no_reply",
        "delivery#1/0": "form: cut",
        "delivery#1/1": "personal_data: found: EMAIL_ADDRESS",
        "vouchers#1/1": "original: like_another: vouchers#1/0",
        "vouchers#1/2": "form: no_reply",
    }
    by_id = {row["id"]: row for row in rejected}
    assert by_id["returns#1/0"]["reply"].startswith("Sure!")
    assert by_id["returns#1/2"]["detail"] == "refusal: the server answered with a refusal"
    assert by_id["returns#1/1"]["messages"][1]["content"] == "You have 60 days to return it."
    assert by_id["returns#1/1"]["synthetic"]["failed"] == {"grounded": "not_in_passage"}
    assert by_id["returns#1/1"]["synthetic"]["not_measured"] == {"answers": "no_judge_and_no_encoder"}
    counts = read_manifest(tmp_path / "out").counts
    assert (counts["requests"], counts["kept"]) == (9, 2)
    assert counts["rejected"]["form: no_reply"] == 2
    assert counts["rejected"]["original: like_another"] == 1


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    hashes, prompts = [], []
    for name in ("one", "two"):
        with serving(Writer(FAULTS)) as server:
            given = config(tmp_path / name, server.url)
            run(given)
            prompts.append([request["messages"] for request in server.requests])
        hashes.append(read_manifest(given.output).content_hash)
    assert prompts[0] == prompts[1]
    assert hashes[0] == hashes[1]


def verdict(coherence: int, accuracy: int) -> Answer:
    return says(
        json.dumps({"reason": "so it is", "coherence": coherence, "accuracy": accuracy}), usage=(300, 20)
    )


def test_a_judge_decides_whether_answers_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def judge(request: dict[str, Any]) -> Answer:
        asked = request["messages"][-1]["content"]
        if GOOD["returns"][0][0] in asked:
            return verdict(3, 5)
        if GOOD["delivery"][0][0] in asked:
            return verdict(5, 3)
        return verdict(5, 5)

    with (
        serving(
            Writer(
                FAULTS
                | {
                    ("returns", 0): as_json(*GOOD["returns"][0]),
                    ("delivery", 0): as_json(*GOOD["delivery"][0]),
                }
            )
        ) as server,
        serving(judge) as judging,
    ):
        judged = {"url": judging.url, "model": "judge", "cache": tmp_path / "judged"}
        given = config(tmp_path, server.url, judge=judged, checks={"min_checks": 5})
        kept, rejected = run(given)
        # Not those that can't be kept any more: one states 60 days, one holds an address. Two are the same.
        assert len(judging.requests) == 4
        assert all("<passage" in request["messages"][-1]["content"] for request in judging.requests)
        run(given, force=True)
        assert len(judging.requests) == 4
    assert kept[0]["synthetic"]["answers_by"] == "judge"
    assert kept[0]["synthetic"]["checks"] == ["form", "grounded", "answers", "personal_data", "original"]
    found = reasons(rejected)
    assert (found["returns#1/0"], found["delivery#1/0"]) == ("answers: off_topic", "answers: inaccurate")
    assert "[JUDGE] paid_tokens=1280" in capsys.readouterr().out


def test_a_judge_that_gives_no_verdicts_fails_the_run(tmp_path: Path) -> None:
    with serving(Writer()) as server, serving(lambda _: says("It is a fine reply.")) as judging:
        judged = {"url": judging.url, "model": "judge", "cache": tmp_path / "judged"}
        with pytest.raises(UserError, match="the judge gave no verdict on 9 of 9 requests: unscored 9"):
            run(config(tmp_path, server.url, judge=judged, checks={"min_checks": 5}))


def test_existing_data_is_not_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"messages": conversation(*GOOD["returns"][1])}, {"text": "no conversation"}, b"{broken"]
    existing = write_lines(tmp_path / "existing" / "train.jsonl", rows)
    with serving(Writer()) as server:
        kept, rejected = run(config(tmp_path, server.url, compare_with=[existing]))
    assert (len(kept), reasons(rejected)) == (8, {"returns#1/1": "original: like_existing_data"})
    assert "2 rows of compare_with are no conversations" in capsys.readouterr().out


def test_nothing_kept_fails_the_run_and_shows_where_to_look(tmp_path: Path) -> None:
    told = r"no conversation passed the checks: form: no_json 9\n  fix: look at"
    with serving(lambda _: says("I would rather not.")) as server, pytest.raises(UserError, match=told):
        run(config(tmp_path, server.url))
    assert len(read_lines(tmp_path / "out.rejected.jsonl")) == 9
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "whether answers answer the question is measured by a judge or an encoder"),
        ("{checks: {min_checks: 1}}", "checks.min_checks"),
        ("{checks: {min_checks: 4}, languages: {xx: Klingon}}", "'xx' is no language that can be told"),
        ("{checks: {min_check: 4}}", "Did you mean 'min_checks'?"),
    ],
)
def test_a_wrong_config_is_told(tmp_path: Path, text: str, told: str) -> None:
    values = {
        "output": "out/x",
        "knowledge_base": str(tmp_path),
        "company": "It sells manga.",
        "model": {"url": "http://localhost/v1", "model": "writer"},
        "conversations": 1,
    } | yaml.safe_load(text)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError) as error:
        load(SynthesiseConfig, tmp_path / "c.yaml")
    assert told in str(error.value)


def test_a_wrong_config_answers_before_anything_heavy_loads(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("conversations: 0")
    heavy = (
        "import sys; print([m for m in ('torch', 'spacy', 'numpy', 'openai', 'pandas') if m in sys.modules])"
    )
    code = f"import data_pipeline.synthesise; {heavy}"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
