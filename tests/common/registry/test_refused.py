"""What the registry refuses, with the reason and what there is instead."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.registry import Registry


def test_what_there_is_is_named_when_something_is_not(registry, name, adapter, results):
    with pytest.raises(UserError, match=f"no model '{name}'"):
        registry.resolve(f"{name}@champion")
    registry.register(name, adapter)
    registry.attach(name, 1, results)
    registry.alias(name, "champion", 1, why="better")
    for reference, what, fix in [
        (f"{name}@shadow", f"'{name}' has no 'shadow'", "it has champion (version 1)"),
        (f"{name}@champoin", f"'{name}' can have no alias 'champoin'", "it has champion (version 1)"),
        (f"{name}/7", f"'{name}' has no version 7", "it has 1"),
        (f"{name}/0", f"'{name}' has no version 0", "it has 1"),
    ]:
        with pytest.raises(UserError) as error:
            registry.resolve(reference)
        assert (error.value.what, error.value.fix) == (what, fix)
    with pytest.raises(UserError, match="no model 'nobody'") as error:
        registry.versions("nobody")
    assert name in error.value.fix
    with pytest.raises(UserError, match="has no version 7"):
        registry.attach(name, 7, results)
    with pytest.raises(UserError, match="has no version 7"):
        registry.alias(name, "shadow", 7, why="why not")


@pytest.mark.parametrize("reference", ["support", "a@b@c", "support/x", "models:/", "@champion", "a/1/2", ""])
def test_a_reference_that_names_no_version(sqlite, reference):
    with pytest.raises(UserError, match="names no version"):
        Registry(sqlite).resolve(reference)


@pytest.mark.parametrize(
    ("alias", "number", "why", "what"),
    [
        ("champoin", 1, "typo", "no alias 'champoin' can be set"),
        ("previous", 1, "by hand", "no alias 'previous' can be set"),
        ("champion", None, "away", "the champion can't be taken away"),
        ("shadow", 1, " ", "no reason is given"),
        ("shadow", 1, "y" * 1001, "1000 characters"),
    ],
)
def test_a_move_that_makes_no_sense(sqlite, name, adapter, alias, number, why, what):
    Registry(sqlite).register(name, adapter)
    with pytest.raises(UserError, match=what):
        Registry(sqlite).alias(name, alias, number, why=why)
    assert Registry(sqlite).trail(name) == []


@given(st.text(max_size=120))
def test_a_name_is_refused_before_anything_is_done_or_safe_in_paths_and_filters(text):
    try:
        Registry("sqlite:////nowhere/mlflow.db").register(text, Path("/no/such/folder"))
    except UserError as error:
        if "no such folder" in error.what:
            assert text == Path(text).name
            assert text[0].isalnum()
            assert text.isascii()
            assert not {*" '\"%@:\\\n"} & {*text}
        else:
            assert "can't be a model's name" in error.what


@pytest.mark.parametrize("file", ["a b.json", ".hidden", "-rf", "a'b", "日本", "attachments/x", "y" * 201])
def test_a_file_with_an_odd_name_is_refused(sqlite, name, adapter, file):
    (adapter / file).parent.mkdir(exist_ok=True)
    (adapter / file).write_text("x")
    with pytest.raises(UserError, match=r"keep a file named|registry's own"):
        Registry(sqlite).register(name, adapter)
    assert name not in Registry(sqlite).models()


def test_metadata_must_say_when_from_what_and_why(sqlite, name, adapter):
    metadata = json.loads((adapter / "metadata.json").read_text())
    del metadata["git_commit"]
    (adapter / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="does not say git_commit"):
        Registry(sqlite).register(name, adapter)
