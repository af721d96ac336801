"""The command on random models: what it writes, refuses, and does after a kill."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.artifacts import read_manifest
from common.command import Options
from common.config import load
from common.errors import UserError
from eval import outcomes
from eval.config import CONSTANT_REPLY, ReportConfig
from eval.report import report
from tests.common.small_models import write_adapter, write_model

REPLIES = [
    "Refunds take 5 to 7 days.",
    "You can return a volume within 30 days.",
    "| It is | on its *way*.",
    "返金します。",
]


def row(number: int, group: int) -> dict:
    opening = {"role": "system", "content": "Be kind."}
    turns = [
        {"role": role, "content": text}
        for turn in range(2)
        for role, text in (
            ("user", f"Question {number}.{turn} <b>?"),
            ("assistant", REPLIES[(number + turn) % 4]),
        )
    ]
    return {"id": f"row-{number}", "messages": [opening, *turns], "meta": {"group": group}}


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("inputs")
    write_adapter(root / "adapter", write_model(root / "base"))
    long = row(99, 99)
    long["messages"][-1]["content"] = "Very sorry. " * 200
    write_rows(root / "test.jsonl", [*(row(n, n // 2) for n in range(8)), long])
    write_rows(root / "general.jsonl", [row(n, n) for n in range(3)])
    write_rows(root / "train.jsonl", [row(n, n) for n in range(100, 120)])
    return root


@pytest.fixture
def config(inputs: Path, tmp_path: Path) -> ReportConfig:
    text = f"""
output: {tmp_path}/out/report
chat_template: tiny
systems:
  - {{name: base, model: {inputs}/base}}
  - {{name: tuned, model: {inputs}/base, adapter: {inputs}/adapter}}
baseline: base
test_sets: {{test: {inputs}/test.jsonl, general: {inputs}/general.jsonl}}
perplexity_only: [general]
replies_per_set: 12
sample_replies: 5
trivial_reply_from: {inputs}/train.jsonl
sampling: {{max_new_tokens: 12}}
batch_size: 4
device: cpu
bootstrap_samples: 200
"""
    (tmp_path / "eval.yaml").write_text(text)
    return load(ReportConfig, tmp_path / "eval.yaml")


class Killed(BaseException):
    """Ends the command where a kill would."""


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_is_written(config, capsys):
    report(config, Options())
    manifest = read_manifest(config.output)
    assert manifest.kind == "report"
    assert manifest.files.keys() == {"results.json", "report.md", "samples.jsonl"}
    assert manifest.counts == {
        "test": {"conversations": 9, "customers": 5, "replies": 12},
        "general": {"conversations": 3, "customers": 3, "replies": 0},
    }
    assert not (config.output.parent / ".work/report").exists()

    results = json.loads((config.output / "results.json").read_text(encoding="utf-8"))
    found = {(f["test_set"], f["system"], f["metric"]): f for f in results["figures"]}
    assert found.keys() == {
        *(
            (test_set, system, "perplexity")
            for test_set in ("test", "general")
            for system in ("base", "tuned")
        ),
        *(("test", system, "rouge_l") for system in ("base", "tuned", CONSTANT_REPLY)),
    }
    base = found["test", "base", "perplexity"]
    assert (base["scored"], base["unscored"]) == (8, {"too_long": 1})
    assert results["constant_reply"] in REPLIES
    ratio = found["test", "tuned", "perplexity"]["against"]["base"]
    expected = found["test", "tuned", "perplexity"]["value"]["value"] / base["value"]["value"]
    assert ratio["value"] == pytest.approx(expected)

    printed = capsys.readouterr().out
    assert results["verdict"][0] in printed
    assert "warning: unscored conversations on test, tuned: 1 too_long\n" in printed
    assert "Question" not in printed
    assert "[REPORT] system=tuned test_set=test conversations=9" in printed


def test_samples_hold_every_score_and_reply(config):
    report(config, Options())
    samples = lines(config.output / "samples.jsonl")
    assert [(each["test_set"], each["id"]) for each in samples] == [
        *(("test", f"row-{n}") for n in (*range(8), 99)),
        *(("general", f"row-{n}") for n in range(3)),
    ]
    assert samples[8]["scores"]["base"]["unscored"].startswith("too_long")
    assert all(each["scores"]["tuned"]["tokens"] > 5 for each in samples[:8])
    replies = [reply for each in samples for reply in each["replies"]]
    assert len(replies) == 12
    assert all(reply["systems"].keys() == {"base", "tuned", CONSTANT_REPLY} for reply in replies)

    results = json.loads((config.output / "results.json").read_text(encoding="utf-8"))
    [rouge] = [f for f in results["figures"] if (f["system"], f["metric"]) == ("tuned", "rouge_l")]
    values = [reply["systems"]["tuned"]["rouge_l"] for reply in replies]
    assert rouge["value"]["value"] == pytest.approx(sum(values) / 12)


def test_the_page(config):
    report(config, Options())
    page = (config.output / "report.md").read_text(encoding="utf-8")
    assert page.startswith("# Evaluation\n\n**tuned against base.")
    assert "| test | base |" in page and "| 8 | 1 too\\_long |" in page
    assert page.count("\n### ") == 5
    assert "### 1. test, row-" in page
    assert "\\<b\\>?" in page and "<b>" not in page
    assert f"The {CONSTANT_REPLY}, given to everything: " in page


def test_the_same_again_is_up_to_date_and_shows_the_figures(config, capsys, monkeypatch):
    report(config, Options())
    first = capsys.readouterr().out
    monkeypatch.setattr(outcomes.models, "load", None)
    report(config, Options())
    again = capsys.readouterr().out
    assert again.startswith(f"{config.output} is up to date\n")
    assert again.split("evaluation\n", 1)[1] == first.split("evaluation\n", 1)[1]


def test_two_runs_give_the_same_content(config):
    report(config, Options())
    first = read_manifest(config.output).content_hash
    report(config, Options(force=True))
    assert read_manifest(config.output).content_hash == first


def test_after_a_kill_finished_test_sets_are_not_done_again(config, monkeypatch):
    report(config, Options())
    expected = read_manifest(config.output).content_hash
    shutil.rmtree(config.output)
    original, done = outcomes._run, []

    def run(_config, eval_set, *rest):
        if len(done) == 3:
            raise Killed
        done.append(eval_set.name)
        return original(_config, eval_set, *rest)

    monkeypatch.setattr(outcomes, "_run", run)
    with pytest.raises(Killed):
        report(config, Options())
    assert not config.output.exists()
    assert done == ["test", "general", "test"]
    done.clear()
    report(config, Options())
    assert done == ["general"]
    assert read_manifest(config.output).content_hash == expected


def test_a_dry_run_writes_nothing(config, capsys):
    report(config, Options(dry_run=True))
    assert not config.output.exists()
    assert "chat_template: tiny" in capsys.readouterr().out


def test_a_defect_in_a_test_set_stops_before_any_model_is_loaded(config, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(outcomes.models, "load", None)
    path = write_rows(tmp_path / "twice.jsonl", [row(1, 1), row(1, 2)])
    with pytest.raises(UserError, match="id 'row-1' is given 2 times"):
        report(config.model_copy(update={"test_sets": {"test": path}}), Options())


def test_a_missing_model_is_said_without_torch(config, tmp_path):
    text = (tmp_path / "eval.yaml").read_text().replace("/base}", "/nowhere}")
    (tmp_path / "wrong.yaml").write_text(text)
    code = (
        "import sys\nfrom eval.report import *\nsys.argv = ['eval.report', sys.argv[1]]\n"
        "try:\n    run(report, ReportConfig, __doc__)\n"
        "finally:\n    print([name for name in ('torch', 'transformers', 'openai') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "wrong.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert done.stderr.startswith("error: no such model folder: ")


def test_one_system_alone_has_figures_and_no_verdict(config):
    report(config.model_copy(update={"systems": config.systems[:1], "trivial_reply_from": None}), Options())
    results = json.loads((config.output / "results.json").read_text(encoding="utf-8"))
    assert results["verdict"] == []
    assert [f["against"] for f in results["figures"]] == [{}, {}, {}]
    assert (
        (config.output / "report.md").read_text(encoding="utf-8").startswith("# Evaluation\n\n## Perplexity")
    )
