"""The shipped configs load, and names that lead nowhere are errors."""

from pathlib import Path

import pytest

from common.config import load
from common.errors import ConfigError
from eval.config import ReportConfig

CONFIGS = Path(__file__).parents[2] / "configs"
QUICKSTART = CONFIGS / "quickstart/eval.yaml"


@pytest.mark.parametrize("path", [QUICKSTART, CONFIGS / "bench/sgd_eval.yaml"], ids=lambda path: path.name)
def test_shipped_configs(path):
    config = load(ReportConfig, path, check_paths=False)
    assert path.read_text().startswith(f"# python -m eval.report {path.relative_to(CONFIGS.parent)}\n")
    assert config.baseline == "base"
    assert config.trivial_reply_from is not None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("baseline=bse", "'bse' is none of the systems base, tuned"),
        ("perplexity_only=[generl]", "'generl' is none of the test sets"),
        ("systems=[{name: base, model: a}, {name: base, model: b}]", "'base' is given twice"),
        ("systems=[]", "at least 1 item"),
        ("systems=[{name: 'constant reply', model: a}]", "should match pattern"),
        ("sampling.temprature=1", "Did you mean 'temperature'"),
        ("bootstrap_samples=10", "greater than or equal to 100"),
    ],
)
def test_wrong_values(override, message):
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        load(ReportConfig, QUICKSTART, [override], check_paths=False)


def test_a_missing_test_set_is_named():
    with pytest.raises(ConfigError, match=r"test_sets\.test: no such file or folder: 'nowhere\.jsonl'"):
        load(ReportConfig, QUICKSTART, ["test_sets.test=nowhere.jsonl"])
