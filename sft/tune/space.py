"""What is searched: keys of `sft.train`'s config, each with a range or a list of choices.

Everything about a value is asked of the field that it is for, so no error waits for the first trial.
"""

import difflib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from common.config import Config
from sft.config import INCIDENTAL, TrainConfig

if TYPE_CHECKING:
    from optuna import Trial


def _leaves(model: type[Config], above: str = "") -> dict[str, FieldInfo]:
    result: dict[str, FieldInfo] = {}
    for name, info in model.model_fields.items():
        options = (info.annotation, *get_args(info.annotation))
        groups = [one for one in options if isinstance(one, type) and issubclass(one, Config)]
        for group in groups:
            result |= _leaves(group, f"{above}{name}.")
        if not groups:
            result[f"{above}{name}"] = info
    return result


KEYS = _leaves(TrainConfig)
"""Fields of the training config by their dotted keys, as on the command line: `lora.r`."""

_ANOTHER_MODEL = "what is trained, and on what, is for the training config to say"
_NO_RECIPE = "it decides nothing of what is trained"
_LUCK = "a lucky seed is no better recipe"
NOT_SEARCHED = {
    **dict.fromkeys(("model", "chat_template", "dataset", "adapter", "replay_dataset"), _ANOTHER_MODEL),
    **dict.fromkeys(("output", "description", "logging_steps", *INCIDENTAL), _NO_RECIPE),
    **dict.fromkeys(("seed", "sampler_seed"), _LUCK),
    "max_length": "the validation losses would be over different tokens",
    "max_steps": "set max_steps of this config, for all trials alike; or search num_train_epochs",
    "eval_steps": "trials are compared at their evaluations",
}
"""Keys of the training config that make no search, and why."""


class Range(Config):
    """All numbers from `low` to `high`, both included; whole numbers where the key takes those."""

    low: FiniteFloat
    high: FiniteFloat
    log: bool = False
    """Sample the logarithm evenly: for values whose size is not known, such as learning rates."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low has to be below high, and {self.low:g} is not below {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError("log needs a low above 0")
        return self


def _searchable(key: str) -> str:
    if key in NOT_SEARCHED:
        raise ValueError(f"can't be searched: {NOT_SEARCHED[key]}")
    if key not in KEYS:
        if below := [name for name in KEYS if name.startswith(f"{key}.")]:
            raise ValueError(f"is a group of keys: name one of them, e.g. {below[0]}")
        near = difflib.get_close_matches(key, KEYS.keys() - NOT_SEARCHED.keys(), n=1, cutoff=0.6)
        raise ValueError(
            "unknown key of sft.train's config." + (f" Did you mean '{near[0]}'?" if near else "")
        )
    return key


def _mapping_or_list(value: Any) -> Any:
    if not isinstance(value, dict | list | Range):
        raise ValueError(f"give {{low: ..., high: ..., log: true}} or a list of choices, not {value!r}")
    return value


_Choices = Annotated[list[Any], Field(min_length=2)]
Dimension = Annotated[
    Annotated[Range, Tag("range")] | Annotated[_Choices, Tag("choices")],
    Discriminator(lambda value: "choices" if isinstance(value, list) else "range"),
    BeforeValidator(_mapping_or_list),
]
Space = dict[Annotated[str, AfterValidator(_searchable)], Dimension]


def check_values(space: Space) -> Space:
    """Return the space with choices of their key's type: YAML reads `1e-4` as text.

    Raises ValidationError with every bound and choice that its key does not take.
    """
    result: Space = {}
    errors: list[InitErrorDetails] = []
    for key, dimension in space.items():
        result[key], problems = _checked(key, dimension)
        for text in problems:
            kind = PydanticCustomError("value_error", "{error}", {"error": text})
            errors.append(InitErrorDetails(type=kind, loc=(key,), input=dimension))
    if errors:
        raise ValidationError.from_exception_data("space", errors)
    return result


def _checked(key: str, dimension: Range | list[Any]) -> tuple[Range | list[Any], list[str]]:
    """The dimension with converted choices, and what is wrong with it."""
    if isinstance(dimension, Range) and not _types(KEYS[key].annotation) & {int, float}:
        return dimension, ["is no number: give a list of choices"]
    field: Any = Annotated[KEYS[key].annotation, KEYS[key]]
    adapter = TypeAdapter[Any](field)
    values: list[Any] = []
    problems: list[str] = []
    for value in [dimension.low, dimension.high] if isinstance(dimension, Range) else dimension:
        try:
            values.append(adapter.dump_python(adapter.validate_python(value), mode="json"))
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            problems.append(f"{message[0].lower()}{message[1:]}, not {value!r}")
    if isinstance(dimension, Range):
        return dimension, problems
    twice = len({json.dumps(value) for value in values}) < len(values)
    return values, problems + ["a choice is given twice"] * twice


def _types(annotation: Any) -> set[Any]:
    """The plain types of an annotation, below its unions and constraints."""
    inner = get_args(annotation)
    return (
        set().union(*map(_types, inner)) if inner else {annotation} if isinstance(annotation, type) else set()
    )


def suggest(trial: "Trial", space: Space) -> None:
    """Have the trial draw a value for every key; they are its `params` then."""
    for key, dimension in space.items():
        if not isinstance(dimension, Range):
            trial.suggest_categorical(key, [_stored(choice) for choice in dimension])
        elif float in _types(KEYS[key].annotation):
            trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)
        else:
            trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)


def _stored(choice: Any) -> Any:
    """A choice as Optuna keeps it: lists as JSON."""
    return json.dumps(choice) if isinstance(choice, list | dict) else choice


def overrides(space: Space, params: Mapping[str, Any]) -> list[str]:
    """A trial's parameters as `key=value`, for `common.config.load`."""
    result = []
    for key, dimension in space.items():
        value = params[key]
        if not isinstance(dimension, Range):
            value = next(choice for choice in dimension if _stored(choice) == value)
        result.append(f"{key}={json.dumps(value)}")
    return result
