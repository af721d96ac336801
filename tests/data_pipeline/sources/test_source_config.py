from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from common.config import Config, ConfigError, load
from data_pipeline.sources.columns import columns_read
from data_pipeline.sources.config import (
    ARTICLE_SUFFIXES,
    TABLE_SUFFIXES,
    HuggingFaceSource,
    Source,
    columns_of,
    find_files,
)
from tests.data_pipeline.sources.reading import inputs, settings, write

PAIRS = {"question": "q", "answer": "a"}


class Sources(Config):
    sources: list[Source] = Field(min_length=1)


def errors(tmp_path: Path, text: str) -> str:
    write(tmp_path / "c.yaml", text)
    with pytest.raises(ConfigError) as error:
        load(Sources, tmp_path / "c.yaml")
    return str(error.value)


def test_all_mistakes_of_all_sources_are_told(tmp_path: Path) -> None:
    told = errors(
        tmp_path,
        """
sources:
  - {type: intercon, path: a.json}
  - {type: freshdesk, path: missing.json, colums: {}}
  - {type: table, path: missing.csv, columns: {question: q, anser: a}}
  - {type: kb, path: missing}
  - {type: huggingface, dataset: owner/name, origin: invented}
""",
    )
    assert "Did you mean 'intercom'?" in told
    assert "no file ending in .json, .jsonl, .json.gz, .jsonl.gz at 'missing.json'" in told
    assert "colums: unknown key" in told
    assert ".parquet at 'missing.csv'" in told
    assert "Did you mean 'answer'?" in told
    assert "no file ending in .md, .html, .htm at 'missing'" in told
    assert "should be 'ticket', 'synthetic' or 'kb'" in told


@pytest.mark.parametrize(
    ("values", "label", "origin"),
    [
        ({"type": "zendesk"}, "zendesk", "ticket"),
        ({"type": "intercom", "name": "eu"}, "eu", "ticket"),
        ({"type": "freshdesk"}, "freshdesk", "ticket"),
        ({"type": "chat"}, "chat", "ticket"),
        ({"type": "chat", "origin": "synthetic"}, "chat", "synthetic"),
        ({"type": "synthetic"}, "synthetic", "synthetic"),
        ({"type": "table", "columns": PAIRS}, "table", "ticket"),
        ({"type": "kb"}, "kb", "kb"),
    ],
)
def test_every_source_has_a_label_and_an_origin(values: dict[str, Any], label: str, origin: str) -> None:
    source = settings(path=__file__, **values)
    assert (source.label, source.origin) == (label, origin)


@pytest.mark.parametrize("type", ["zendesk", "intercom", "freshdesk", "kb", "synthetic"])
def test_the_origin_of_these_is_fixed(type: str) -> None:
    with pytest.raises(ValidationError):
        settings(type=type, path=__file__, origin="ticket")


def test_files_are_found_by_what_the_type_can_read(tmp_path: Path) -> None:
    for name in ("a.csv", "b.tsv.gz", "c.parquet", "d.jsonl", "e.md", "f.html", "g.txt", "manifest.json"):
        write(tmp_path / "in" / name, "x")
    tables = find_files(tmp_path / "in", TABLE_SUFFIXES)
    assert [path.name for path in tables] == ["a.csv", "b.tsv.gz", "c.parquet", "d.jsonl"]
    assert [path.name for path in find_files(tmp_path / "in", ARTICLE_SUFFIXES)] == ["e.md", "f.html"]
    files = inputs(type="table", path=tmp_path / "in", columns=PAIRS, name="faq")
    assert [(file.source, file.type, file.name) for file in files] == [
        ("faq", "table", path.name) for path in tables
    ]


def test_only_columns_that_are_named_are_read() -> None:
    source = settings(
        type="table",
        path=__file__,
        columns=PAIRS | {"id": "no", "fields": {"csat": "stars", "again": "q"}},
        labels=[{"label": "intent", "by": "who", "at": "when"}],
    )
    columns = columns_of(source)
    assert columns is not None
    assert columns_read(columns, source.labels) == ("q", "a", "no", "stars", "intent", "who", "when")
    assert columns_of(settings(type="chat", path=__file__)) is None


@pytest.mark.parametrize(
    ("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t"), ("a.tsv.gz", "\t"), ("a.txt", ",")]
)
def test_the_delimiter_goes_by_the_name_unless_it_is_told(name: str, delimiter: str) -> None:
    assert settings(type="table", path=__file__, columns=PAIRS).delimiter_of(Path(name)) == delimiter
    told = settings(type="table", path=__file__, columns=PAIRS, delimiter="|")
    assert told.delimiter_of(Path(name)) == "|"


def test_a_data_set_needs_no_columns() -> None:
    source = settings(type="huggingface", dataset=" owner/name ")
    assert isinstance(source, HuggingFaceSource)
    assert (source.dataset, source.split, source.revision) == ("owner/name", "train", "main")
    assert columns_of(source) is None
