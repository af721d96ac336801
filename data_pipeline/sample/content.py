"""Everything that the sample company says and promises, read from `content/` and checked.

Facts are named `group.name` and may stand in any template. The articles of the knowledge base are Markdown
templates over the same facts, so that an article and an answer cannot disagree.
"""

from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from data_pipeline.sample.checks import find_problems
from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import parse
from data_pipeline.sample.label_checks import find_label_problems
from data_pipeline.sample.label_models import (
    BadAnswerKind,
    Everyday,
    FeelingLine,
    Foreign,
    Guard,
    Handwritten,
    LowQualityKind,
)
from data_pipeline.sample.models import (
    Article,
    Aside,
    Mood,
    Need,
    People,
    Phrases,
    Series,
    Situation,
    Variants,
)

CONTENT = Path(__file__).parent / "content"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads the texts in a tenth of the time

T = TypeVar("T")


@cache
def load_content(folder: Path = CONTENT) -> Content:
    """Read a content folder.

    Raises:
        UserError: with the file, the place in it and the reason, for anything that does not validate.
    """
    articles = [_read_article(path) for path in sorted((folder / "kb").glob("*.md"))]
    facts = {
        f"{group}.{name}": str(value)
        for path in sorted((folder / "facts").glob("*.yaml"))
        for group, values in _read(path, dict[str, dict[str, str | int]]).items()
        for name, value in values.items()
    }
    content = Content(
        facts=facts,
        series=_read(folder / "catalogue.yaml", tuple[Series, ...]),
        people=_read(folder / "people.yaml", People),
        moods=_read(folder / "moods.yaml", dict[str, Mood]),
        phrases=_read(folder / "phrases.yaml", Phrases),
        needs=_read(folder / "needs.yaml", dict[str, Need]),
        misspellings=_read(folder / "misspellings.yaml", dict[str, str]),
        asides=_read(folder / "asides.yaml", tuple[Aside, ...]),
        situations=_read_all(folder / "situations", Situation),
        articles={article.id: article for article in articles},
        plain_remarks=_read(folder / "feelings" / "plain.yaml", tuple[FeelingLine, ...]),
        implied_remarks=_read(folder / "feelings" / "implied.yaml", tuple[FeelingLine, ...]),
        bad_answers=_read(folder / "bad_answers.yaml", dict[BadAnswerKind, Variants]),
        low_quality=_read(folder / "low_quality.yaml", dict[LowQualityKind, Variants]),
        everyday=_read(folder / "everyday.yaml", tuple[Everyday, ...]),
        foreign=_read_all(folder / "foreign", Foreign),
        guard=_read(folder / "guard.yaml", Guard),
        handwritten=_read(folder / "handwritten.yaml", Handwritten),
    )
    if problems := [*find_problems(content), *find_label_problems(content)]:
        raise UserError(f"{folder}: the texts do not fit together\n  " + "\n  ".join(problems))
    return content


def _read_all(folder: Path, model: type[T]) -> tuple[T, ...]:
    """The entries of all files of a folder."""
    return tuple(entry for path in sorted(folder.glob("*.yaml")) for entry in _read(path, tuple[model, ...]))  # type: ignore[valid-type]


def _read(path: Path, model: type[T]) -> T:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        return TypeAdapter(model).validate_python(data)
    except FileNotFoundError:
        raise UserError(f"'{path}' is missing", "restore the content folder") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, details['loc']))}: {details['msg']}" for details in error.errors()]
        raise UserError(f"{path}:\n  " + "\n  ".join(lines)) from None


def _read_article(path: Path) -> Article:
    """A Markdown template under a front matter of `id`, `title` and `topic`."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    try:
        return Article(**yaml.safe_load(front), body=parse(body.strip()))
    except (ValidationError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {error}") from None
