"""YAML configs that answer a mistake with every error at once, with file, line and did-you-mean.

    config = load(TrainConfig, Path("configs/llama31_8b.yaml"), ["lora.r=8"])

Only pydantic and yaml are imported here, so that a wrong config answers before anything heavy loads.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from common.errors import ConfigError

Key = tuple[str | int, ...]


class Config(BaseModel):
    """Base of every command's config: unknown keys are errors, values do not change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ConfigT = TypeVar("ConfigT", bound=Config)


def _near(name: str, candidates: Sequence[str]) -> str:
    match = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    return f" Did you mean '{match[0]}'?" if match else ""


def _must_exist(path: Path, info: ValidationInfo) -> Path:
    if (info.context or {}).get("check_paths", True) and not path.exists():
        siblings = [str(p) for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ValueError(f"no such file or folder: '{path}'.{_near(str(path), siblings)}")
    return path


def _must_be_artifact(path: Path, info: ValidationInfo) -> Path:
    if not (info.context or {}).get("check_paths", True):
        return path
    _must_exist(path, info)
    if not (path / "manifest.json").is_file():
        raise ValueError(f"'{path}' has no manifest.json: it is not an artifact, or it was left unfinished.")
    return path


InputPath = Annotated[Path, AfterValidator(_must_exist)]
"""A file or folder that must exist when the config is loaded; relative to the working directory."""

ArtifactPath = Annotated[Path, AfterValidator(_must_be_artifact)]
"""A folder that an earlier stage wrote (see `common.artifacts`)."""


@dataclass(order=True)
class _Problem:
    """`line` 0 is the command line's."""

    line: int
    text: str


@dataclass
class _Source:
    """Plain data of a YAML document, with the line of every key and the problems of its syntax."""

    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list["_Problem"] = field(default_factory=list)


def load(
    model: type[ConfigT], path: Path, overrides: Sequence[str] = (), *, check_paths: bool = True
) -> ConfigT:
    """Read `path`, apply `key.sub=value` overrides and validate against `model`.

    `check_paths=False` accepts inputs that do not exist yet (tests of shipped configs).
    Raises ConfigError with all problems found, one a line.
    """
    source = _read(path)
    overridden = _apply_overrides(source, overrides)
    try:
        config = model.model_validate(source.data, context={"check_paths": check_paths})
    except ValidationError as error:
        source.problems += [_describe(details, model, source, overridden) for details in error.errors()]
    if source.problems:
        count = f"{len(source.problems)} error{'s' if len(source.problems) > 1 else ''}"
        shown = "\n".join(
            f"  {f'line {problem.line}' if problem.line else 'override':<8}  {problem.text}"
            for problem in sorted(source.problems)
        )
        raise ConfigError(f"{path}: {count}\n{shown}")
    return config


def dump(config: Config) -> str:
    """The resolved config as YAML, in the order of the fields."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _read(path: Path) -> _Source:
    if not path.is_file():
        siblings = [str(p) for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ConfigError(f"no such config file: '{path}'.{_near(str(path), siblings)}")
    source = _Source()
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        source.data = _build(node, (), source, loader) if node else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML\n  {error}") from None
    if not isinstance(source.data, dict):
        raise ConfigError(f"{path}: must be a mapping of keys to values, not a {type(source.data).__name__}")
    return source


def _build(node: yaml.Node, at: Key, source: _Source, loader: yaml.SafeLoader) -> Any:
    """Build plain data from YAML nodes, noting lines; a key given twice is a problem, not 'the last wins'."""
    source.lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in result:
                source.problems.append(_Problem(line, f"{_dotted((*at, key))}: given twice"))
            source.lines[(*at, key)] = line
            result[key] = _build(value_node, (*at, key), source, loader)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*at, index), source, loader) for index, child in enumerate(node.value)]
    return loader.construct_object(node)


def _apply_overrides(source: _Source, overrides: Sequence[str]) -> set[Key]:
    keys: set[Key] = set()
    for override in overrides:
        dotted, equals, value = override.partition("=")
        if not equals or not dotted:
            problem = f"'{override}': write it as key=value, e.g. lora.r=8"
            source.problems.append(_Problem(0, problem))
            continue
        *parents, last = key = tuple(dotted.split("."))
        target = source.data
        for parent in parents:
            target = target.setdefault(parent, {}) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            source.problems.append(_Problem(0, f"{dotted}: '{'.'.join(parents)}' is not a group of keys"))
            continue
        try:
            target[last] = yaml.safe_load(value)
        except yaml.YAMLError:
            source.problems.append(_Problem(0, f"{dotted}: the value is not valid YAML: {value!r}"))
            continue
        keys.add(key)
    return keys


def _describe(error: ErrorDetails, model: type[Config], source: _Source, overridden: set[Key]) -> _Problem:
    at = _known_part(error["loc"], source.data)
    line = next((source.lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in source.lines), 1)
    if any(at[: len(key)] == key for key in overridden):
        line = 0
    name = _dotted(error["loc"] if error["type"] == "missing" else at) or "config"
    match error["type"]:
        case "extra_forbidden":
            text = f"unknown key.{_near(str(at[-1]), _fields(model, at[:-1]))}"
        case "missing":
            text = "required, but not given"
        case "value_error":
            text = str(error["ctx"]["error"])
        case "literal_error":
            near = _near(str(error["input"]), _quoted(error["ctx"]["expected"]))
            text = f"should be {error['ctx']['expected']}, not {error['input']!r}.{near}"
        case "union_tag_invalid":
            near = _near(str(error["ctx"]["tag"]), _quoted(error["ctx"]["expected_tags"]))
            text = f"{error['ctx']['discriminator']} should be {error['ctx']['expected_tags']}.{near}"
        case _:
            text = f"{error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"
    return _Problem(line, f"{name}: {text}")


def _quoted(expected: str) -> list[str]:
    """The names in pydantic's "'a', 'b' or 'c'"."""
    return expected.split("'")[1::2]


def _known_part(location: Key, data: Any) -> Key:
    """Drop what pydantic adds to a location (union members, validators) and keep what is in the YAML."""
    kept: list[str | int] = []
    for part in location:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        kept.append(part)
    return tuple(kept)


def _fields(model: type[BaseModel], parents: Key) -> list[str]:
    """Names that are allowed under `parents`, looked up through nested models, lists and unions."""
    models = [model]
    for part in parents:
        if isinstance(part, int):
            continue
        annotations = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        models = [found for annotation in annotations for found in _models_in(annotation)]
    return [name for m in models for name in m.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _dotted(key: Key) -> str:
    return ".".join(str(part) for part in key)
