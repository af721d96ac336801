"""Write conversations from the knowledge base with a language model, and keep those that pass five checks.

    python -m data_pipeline.synthesise configs/synthesise.yaml

Writes synthetic.jsonl, rows for a build's source of type synthetic, and rejected.jsonl, the others with their
reasons. --dry-run says how many requests there would be and what they may cost, and asks for nothing.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common import console
from common.artifacts import Recipe, is_up_to_date, writing
from common.chat import Message
from common.command import Options, run
from common.config import dump
from common.errors import UserError
from common.work import finish, working
from data_pipeline.shard_files import json_line, whole_file
from data_pipeline.sources.config import find_files
from data_pipeline.synthetic.config import SynthesiseConfig

if TYPE_CHECKING:
    from common.judge import Judge
    from common.retrieval import Passage
    from data_pipeline.synthetic.checks import Examination
    from data_pipeline.synthetic.plan import Request
    from data_pipeline.synthetic.writing import Written

_CODE = (
    "common/chat",
    "common/encoder",
    "common/generation",
    "common/judge",
    "common/retrieval",
    "data_pipeline/level1",
    "data_pipeline/pii",
    "data_pipeline/quality",
    "data_pipeline/synthesise.py",
    "data_pipeline/synthetic",
)
KEPT, REJECTED = "synthetic.jsonl", "rejected.jsonl"


def synthesise(config: SynthesiseConfig, options: Options) -> None:
    """Write the artifact of `config`, unless it is up to date.

    Raises UserError: too many replies are missing, or no conversation passes the checks.
    """
    from common.retrieval import read_passages
    from data_pipeline.synthetic.plan import plan
    from data_pipeline.synthetic.prompts import prompt

    passages = read_passages(config.knowledge_base)
    requests = plan(passages, config)
    prompts = [prompt(request, config) for request in requests]
    if options.dry_run:
        _describe(config, passages, prompts)
        return
    recipe = _recipe(config)
    if is_up_to_date(config.output, recipe) and not options.force:
        console.say(f"{config.output} is up to date")
        return
    with working(config.output, recipe, fresh=options.force) as work:
        written = _write(config, passages, requests, prompts, work, recipe)
        with writing(config.output, recipe) as folder:
            _save(written, folder)
        finish(work)
    _beside(config.output).unlink(missing_ok=True)
    _report(config, written)


def _recipe(config: SynthesiseConfig) -> Recipe:
    inputs = {"knowledge_base": config.knowledge_base, "encoder": config.encoder}
    paths = {name: path for name, path in inputs.items() if path is not None}
    files = [file for path in config.compare_with for file in find_files(path)]
    paths |= {f"compare_with/{place}": file for place, file in enumerate(files)}
    return Recipe.of("synthetic", config, inputs=paths, code=_CODE)


def _describe(
    config: SynthesiseConfig, passages: Sequence["Passage"], prompts: Sequence[Sequence[Message]]
) -> None:
    from data_pipeline.synthetic.estimate import estimate

    found = estimate(prompts, config)
    console.say(dump(config))
    _say_who_checks(config)
    rows = [
        ("passages", f"{len(passages):,}"),
        ("requests", f"{found.requests:,}"),
        ("of them paid for before", f"{found.paid:,}"),
        ("prompt tokens of the others, about", f"{found.usage.prompt_tokens:,}"),
        ("completion tokens, at most", f"{found.usage.completion_tokens:,}"),
        ("cost, at most about", "no prices given" if found.most_cost is None else f"{found.most_cost:,.2f}"),
    ]
    console.table(f"would ask {config.model.model}", ("", "count"), rows)


def _say_who_checks(config: SynthesiseConfig) -> None:
    if config.judge is not None:
        console.choice("check of answers", f"judge {config.judge.model}", config.judge.url)
    elif config.encoder is not None:
        console.choice("check of answers", "embeddings", "no judge is configured")
    else:
        console.choice("check of answers", "not measured", "neither judge nor encoder is configured")


def _write(
    config: SynthesiseConfig,
    passages: Sequence["Passage"],
    requests: Sequence["Request"],
    prompts: Sequence[Sequence[Message]],
    work: Path,
    recipe: Recipe,
) -> "Written":
    from common.judge import Judge
    from data_pipeline.synthetic.existing import read_existing
    from data_pipeline.synthetic.writing import ask, missing, open_generator, write_rows

    _say_who_checks(config)
    generator = open_generator(config)
    judge = Judge(config.judge) if config.judge is not None else None
    existing, unread = read_existing(config.compare_with, work)
    if unread:
        console.warn(f"{unread:,} rows of compare_with are no conversations: nothing is compared with them")
    replies = ask(generator, prompts, config)
    spent = generator.budget.spent
    console.run_log("MODEL", paid_tokens=spent.total, cost=_cost(generator.budget.cost))
    _check_missing(missing(replies), len(replies), config, f"{config.model.model} gave no reply to")
    examination = _examination(config, passages, judge)
    written = write_rows(requests, prompts, replies, existing, examination, config.model.model)
    if judge is not None:
        console.run_log("JUDGE", paid_tokens=judge.budget.spent.total, cost=_cost(judge.budget.cost))
    unscored = Counter({"unscored": written.reasons["answers: unscored"]})
    _check_missing(unscored, len(replies), config, "the judge gave no verdict on")
    recipe.counts.update(
        requests=len(requests),
        kept=len(written.kept),
        rejected=dict(written.reasons.most_common()),
        passed=dict(written.passed),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
    )
    _check_kept(config, written)
    return written


def _examination(
    config: SynthesiseConfig, passages: Sequence["Passage"], judge: "Judge | None"
) -> "Examination":
    from common.encoder.runtime import OnnxEncoder
    from data_pipeline.pii.engine import load_engine
    from data_pipeline.synthetic.answers import Answering
    from data_pipeline.synthetic.checks import Examination
    from data_pipeline.synthetic.personal import Personal

    encoder = OnnxEncoder(config.encoder, batch_tokens=1) if config.encoder is not None else None
    return Examination(
        config.checks,
        list(config.languages),
        passages,
        Answering(config.checks, passages, encoder, judge),
        Personal(load_engine(config.pii).find, passages, config.pii.patterns),
    )


def _check_missing(reasons: Counter[str], asked: int, config: SynthesiseConfig, what: str) -> None:
    if reasons.total() <= config.max_failed_share * asked:
        return
    told = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    raise UserError(
        f"{what} {reasons.total():,} of {asked:,} requests: {told}",
        "the same command asks for these again, and pays for no other; for more than the budget allows, "
        f"raise it; or raise max_failed_share, which is {config.max_failed_share:g}",
    )


def _check_kept(config: SynthesiseConfig, written: "Written") -> None:
    if written.kept:
        return
    path = _beside(config.output)
    _save_rows(written.rejected, path)
    told = ", ".join(f"{reason} {count:,}" for reason, count in written.reasons.most_common(5))
    raise UserError(f"no conversation passed the checks: {told}", f"look at them in {path}")


def _beside(output: Path) -> Path:
    return output.with_name(f"{output.name}.rejected.jsonl")


def _save(written: "Written", folder: Path) -> None:
    _save_rows(written.kept, folder / KEPT)
    _save_rows(written.rejected, folder / REJECTED)


def _save_rows(rows: Sequence[dict[str, object]], path: Path) -> None:
    with whole_file(path) as file:
        file.writelines(map(json_line, rows))


def _cost(cost: float | None) -> str:
    return "unknown" if cost is None else f"{cost:.4f}"


def _report(config: SynthesiseConfig, written: "Written") -> None:
    asked = len(written.kept) + len(written.rejected)
    rows = [("requests", asked), ("kept", len(written.kept))]
    rows += [(f"rejected, {reason}", count) for reason, count in written.reasons.most_common()]
    table = [(name, f"{count:,}", f"{count / asked:.1%}") for name, count in rows]
    console.table(str(config.output), ("", "conversations", "share"), table)


if __name__ == "__main__":
    run(synthesise, SynthesiseConfig, __doc__)
