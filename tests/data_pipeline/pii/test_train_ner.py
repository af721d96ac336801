import gzip
import json
import sys
from pathlib import Path

import pytest

from common.command import Options
from common.config import load
from common.errors import ConfigError, UserError
from data_pipeline.pii.ner import load_detector
from data_pipeline.pii.ner.config import TrainNerConfig
from data_pipeline.pii.train_ner import train_ner

SHIPPED = Path("configs/train_ner.yaml")


def tiny_public(folder: Path) -> Path:
    """Sets in the shape of the public ones."""
    row = {"tokens": ["Ask", "Jane", "Field", "in", "Leeds"], "tags": ["O", "B-PER", "I-PER", "O", "B-LOC"]}
    for name in ("btc", "wnut17", "wikigold"):
        (folder / name).mkdir(parents=True)
        with gzip.open(folder / name / "train.jsonl.gz", "wt") as file:
            file.write("\n".join([json.dumps(row)] * 10) + "\n")
    return folder


def config(tmp_path: Path, output: str = "ner") -> TrainNerConfig:
    if not (tmp_path / "public").exists():
        tiny_public(tmp_path / "public")
    return TrainNerConfig(
        output=tmp_path / output,
        public_data=tmp_path / "public",
        generated=200,
        values_per_locale=5,
        passes=1,
        width=16,
    )


def test_the_shipped_config_is_valid_and_holds_the_defaults() -> None:
    shipped = load(TrainNerConfig, SHIPPED, check_paths=False)

    assert shipped == TrainNerConfig.model_construct(output=shipped.output, public_data=shipped.public_data)


def test_a_wrong_config_is_told() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'passes'"):
        load(TrainNerConfig, SHIPPED, ["pases=3"], check_paths=False)


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_ner(config(tmp_path), Options(dry_run=True))

    assert "would write" in capsys.readouterr().out
    assert not (tmp_path / "ner").exists()


def test_without_faker_or_public_data_the_need_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data_pipeline.pii.ner.values import draw_values

    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(UserError, match=r"supportlm\[ner\]"):
        draw_values(5, 1)
    settings = config(tmp_path)
    (tmp_path / "public" / "wnut17" / "train.jsonl.gz").unlink()
    with pytest.raises(UserError, match=r"no public set at .*wnut17"):
        train_ner(settings, Options())


@pytest.mark.slow
def test_the_command_writes_a_model_that_loads_and_the_same_one_again(tmp_path: Path) -> None:
    pytest.importorskip("faker")
    train_ner(config(tmp_path), Options())
    train_ner(config(tmp_path, "again"), Options())

    detector = load_detector(tmp_path / "ner")
    assert detector.entity_types == {"PERSON", "LOCATION", "ORGANIZATION", "ADDRESS"}
    assert len(detector.find(["Ask Jane Field in Leeds", ""])) == 2
    for name in ("model.onnx", "vocabulary.txt", "settings.json"):
        assert (tmp_path / "ner" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    manifest = json.loads((tmp_path / "ner" / "manifest.json").read_text())
    assert manifest["kind"] == "ner"
    assert manifest["counts"].keys() >= {"held_out_recall", "held_out_precision", "clean_flagged"}
