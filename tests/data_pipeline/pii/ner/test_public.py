import gzip
import json
from pathlib import Path

import pytest

from common.errors import UserError
from data_pipeline.pii.ner.public import join, read_public


def marked(tokens: str, tags: str) -> tuple[str, list[tuple[str, str]]]:
    text = join(tokens.split(), tags.split())
    return text.text, [(text.text[s.start : s.end], s.entity_type) for s in text.spans]


def test_tokens_become_a_text_as_english_is_written() -> None:
    text, spans = marked('" Hi , " said Jane Field ( Leeds ) .', "O O O O O B-PER I-PER O B-LOC O O")

    assert text == '"Hi," said Jane Field (Leeds).'
    assert spans == [("Jane Field", "PERSON"), ("Leeds", "LOCATION")]


def test_tags_without_a_beginning_and_neighbouring_entities() -> None:
    assert marked("Mad Capsule Markets", "I-ORG I-ORG I-ORG")[1] == [("Mad Capsule Markets", "ORGANIZATION")]
    assert marked("Leeds York", "B-location B-location")[1] == [("Leeds", "LOCATION"), ("York", "LOCATION")]


def test_works_and_whole_continents_are_no_personal_data() -> None:
    assert marked("Hamlet in the UK and Europe", "B-creative-work O O B-LOC O B-LOC")[1] == []
    assert marked("the US Navy", "O B-ORG I-ORG")[1] == [("Navy", "ORGANIZATION")]


def test_a_missing_set_and_a_broken_line_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no public set at .*btc"):
        read_public(tmp_path)
    for name in ("btc", "wnut17", "wikigold"):
        (tmp_path / name).mkdir()
        with gzip.open(tmp_path / name / "train.jsonl.gz", "wt") as file:
            file.write(json.dumps({"tokens": ["Hi"], "tags": ["O"]}) + "\n")
    assert [text.text for text in read_public(tmp_path)] == ["Hi"] * 3
    with gzip.open(tmp_path / "btc" / "train.jsonl.gz", "at") as file:
        file.write('{"tokens": ["a", "b"], "tags": ["O"]}\n')
    with pytest.raises(UserError, match="line 2"):
        read_public(tmp_path)
