"""What a PiiConfig accepts."""

from pathlib import Path

import pytest

from common.config import dump, load
from common.errors import ConfigError
from data_pipeline.pii.config import PLACEHOLDERS, PiiConfig
from data_pipeline.pii.resolve import _ORDER


def _load(tmp_path: Path, text: str) -> PiiConfig:
    path = tmp_path / "pii.yaml"
    path.write_text(text, encoding="utf-8")
    return load(PiiConfig, path)


def test_defaults(tmp_path: Path) -> None:
    config = _load(tmp_path, "{}")
    assert (config.detector, config.operator, config.pseudonyms) == ("embedded", "replace", False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("entity_types: [NAME]", "unknown entity type 'NAME'"),
        ("thresholds: {NAME: 0.5}", "unknown entity type 'NAME'"),
        ("thresholds: {PERSON: 2}", "less than or equal to 1"),
        ("patterns: {PERSON: a}", "'PERSON' is taken"),
        ("patterns: {NAME: a}", "'NAME' is taken"),
        ("patterns: {order: a}", "should match pattern"),
        ("patterns: {ORDER: '('}", "not a regular expression"),
        ("patterns: {ORDER: 'a*'}", "matches the empty text"),
        ("detector: nowhere/model", "no such file or folder"),
        ("operator: hash", "operator 'hash' needs secret"),
        ("operator: mask\nsecret: KEY", "operator 'mask' has no use for secret"),
        ("operator: mask\npseudonyms: true", "pseudonyms go with operator 'replace'"),
        ("operator: remove", "'replace', 'mask', 'hash' or 'encrypt'"),
        ("opertor: mask", "Did you mean 'operator'?"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        _load(tmp_path, text)
    assert reason in str(error.value)


def test_the_secret_is_in_no_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PII_KEY", "0123456789abcdef")
    config = PiiConfig(operator="encrypt", secret="PII_KEY")
    assert "PII_KEY" in dump(config)
    assert "0123456789abcdef" not in dump(config)


def test_every_type_has_a_placeholder_of_its_own_and_a_rank() -> None:
    assert len(set(PLACEHOLDERS.values())) == len(PLACEHOLDERS)
    assert set(PLACEHOLDERS) - set(_ORDER) == {"LOCATION", "ORGANIZATION"}  # only the model finds these
