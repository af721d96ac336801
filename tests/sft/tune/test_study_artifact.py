"""What a finished search leaves."""

import csv
import json
from pathlib import Path

import pytest

from common.artifacts import read_manifest, verify
from common.config import load
from common.errors import UserError
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.results import write_study
from sft.tune.search import search
from sft.tune.trial import TrialFailed
from tests.sft.tune.small_studies import scripted, study_of, tune_config


def written(config: TuneConfig) -> None:
    study = study_of(config)
    search(config, study, scripted)
    write_study(config, study, load(TrainConfig, config.config))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TuneConfig:
    """Two workers, one after the other; both come to the end. One trial fails."""
    folder = tmp_path_factory.mktemp("study")
    config = tune_config(folder, trials=8, max_steps=50, base={"max_steps": 600, "report_to": ["mlflow"]})
    study = study_of(config)
    study.enqueue_trial({"learning_rate": 1e-2, "lora.r": 8})
    study.enqueue_trial({"learning_rate": 1e-1, "lora.r": 2})

    def second_fails(settings: TrainConfig, evaluated: object) -> None:
        if settings.learning_rate == 1e-1:
            raise TrialFailed("out of memory")
        scripted(settings, evaluated)  # type: ignore[arg-type]

    search(tune_config(folder, trials=5, max_steps=50), study, second_fails)
    written(config)
    return config


def test_best_yaml_is_the_whole_config_of_the_best_trial(config: TuneConfig) -> None:
    path = config.output / "best.yaml"
    best, base = load(TrainConfig, path), load(TrainConfig, config.config)
    assert best.lora is not None and base.lora is not None
    assert (best.learning_rate, best.lora.r) == (1e-2, 8)
    same = base.model_copy(update={"learning_rate": 1e-2, "lora": base.lora.model_copy(update={"r": 8})})
    assert best == same, "trained as long as the config says, and tracked as it says"
    first, second = path.read_text().splitlines()[:2]
    assert first == f"# python -m sft.train {path}"
    assert second == (
        f"# {config.config} with the values of trial 0 of study 'sft': "
        "validation loss 2.0867, after at most 50 steps."
    )


def test_trials_csv_has_every_trial_with_its_values_or_its_reason(config: TuneConfig) -> None:
    with (config.output / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ["number", "state", "loss", "steps", "seconds", "learning_rate", "lora.r", "reason"]
    assert list(rows[0]) == columns and [row["number"] for row in rows] == [str(n) for n in range(8)]
    first, second = rows[0], rows[1]
    assert (first["state"], first["steps"], first["learning_rate"], first["lora.r"]) == (
        "complete",
        "6",
        "0.01",
        "8",
    )
    assert float(first["loss"]) == pytest.approx(2 - 0.08 + 1 / 6) and float(first["seconds"]) >= 0
    assert (second["state"], second["loss"], second["reason"]) == ("failed", "", "out of memory")


def test_the_manifest_counts_trials_and_names_inputs(config: TuneConfig) -> None:
    assert verify(config.output) == []
    manifest = read_manifest(config.output)
    assert manifest.kind == "study" and set(manifest.inputs) == {"config", "dataset", "results"}
    counts = manifest.counts
    assert counts["failed"] == 1 and counts["complete"] + counts["pruned"] == 7
    assert counts["best_trial"] == 0 and counts["best_eval_loss"] == pytest.approx(2.0867, abs=1e-4)
    assert {"best.yaml", "trials.csv", "importance.json", "history.png"} == set(manifest.files)
    assert (config.output / "history.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_learning_rate_matters_most(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=25)
    written(config)
    found = json.loads((config.output / "importance.json").read_text())
    assert found["method"] == "PED-ANOVA" and 4 <= found["trials"] <= 25
    assert found["importance"]["learning_rate"] > 0.6
    assert sum(found["importance"].values()) == pytest.approx(1)


def test_a_second_worker_that_also_ends_leaves_the_artifact_as_it_is(
    config: TuneConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (config.output / "manifest.json").stat().st_mtime_ns
    written(config)
    assert (config.output / "manifest.json").stat().st_mtime_ns == before
    shown = capsys.readouterr().out
    assert f"wrote {config.output}" not in shown
    assert (
        "Best trials" in shown and f"train the best: python -m sft.train {config.output}/best.yaml\n" in shown
    )


def test_the_same_search_writes_the_same_artifact(tmp_path: Path) -> None:
    first = tune_config(tmp_path)
    written(first)
    second = tune_config(tmp_path, study="again", storage=f"sqlite:///{tmp_path}/again.db")
    study = study_of(second)
    search(second, study, scripted)
    hash_before = read_manifest(first.output).content_hash
    write_study(second.model_copy(update={"study": "sft"}), study, load(TrainConfig, second.config))
    assert read_manifest(first.output).content_hash == hash_before


def test_a_password_does_not_get_into_the_manifest(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=1)
    study = study_of(config)
    search(config, study, scripted)
    secret = config.model_copy(update={"storage": "postgresql+psycopg://me:secret@host/optuna"})
    write_study(secret, study, load(TrainConfig, config.config))
    text = (config.output / "manifest.json").read_text()
    assert "me:***@host" in text and "secret" not in text


def test_without_a_whole_trial_there_is_no_artifact(tmp_path: Path) -> None:
    def fail(settings: TrainConfig, evaluated: object) -> None:
        raise TrialFailed("out of memory")

    config = tune_config(tmp_path, trials=2)
    study = study_of(config)
    search(config, study, fail)
    with pytest.raises(UserError, match="no trial was trained to its end: out of memory"):
        write_study(config, study, load(TrainConfig, config.config))
    assert not config.output.exists()
