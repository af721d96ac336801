from collections.abc import Iterator

import pytest

from data_pipeline import models


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    models.forget()
    yield
    models.forget()


def test_tasks_of_a_stage_share_a_model_and_other_stages_do_not() -> None:
    loaded = []
    for stage in ("build/clean", "build/clean", "build/score", "build/clean"):
        models.begin_task(stage)
        loaded.append(models.shared("engine", object))
    first, second, other, again = loaded
    assert first is second
    assert len({id(each) for each in (first, other, again)}) == 3


def test_each_key_has_a_model_of_its_own() -> None:
    models.begin_task("clean")
    assert models.shared(("engine", 1), list) is not models.shared(("engine", 2), list)


def test_outside_of_a_stage_nothing_is_kept() -> None:
    assert models.shared("engine", object) is not models.shared("engine", object)


def test_a_model_that_could_not_be_loaded_is_tried_again() -> None:
    def fail() -> None:
        raise OSError("not there yet")

    models.begin_task("clean")
    with pytest.raises(OSError, match="not there"):
        models.shared("engine", fail)
    assert models.shared("engine", int) == 0
