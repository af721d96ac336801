"""Models that the tasks of a stage share within a process: loading one takes longer than many a task."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_stage: str | None = None
_models: dict[Hashable, Any] = {}


def begin_task(stage: str) -> None:
    """Say that what runs next is a task of `stage`. Models of another stage are forgotten."""
    global _stage
    if stage != _stage:
        forget()
        _stage = stage


def forget() -> None:
    """Let go of all models: their files may be others in the next stage."""
    global _stage
    _stage = None
    _models.clear()


def shared(key: Hashable, load: Callable[[], T]) -> T:
    """What `load` returned when it was first called for `key` in this stage; outside of one, always anew."""
    if _stage is None:
        return load()
    if key not in _models:
        _models[key] = load()
    model: T = _models[key]
    return model
