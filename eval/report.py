"""Evaluate a base model and its tuned versions on test sets, and say which is better and how sure that is.

    python -m eval.report configs/quickstart/eval.yaml

Writes report.md (to be read), results.json (the figures) and samples.jsonl (the score of every conversation,
every reply) into the folder `output`, and prints the figures.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common import console, models
from common.artifacts import Recipe, is_up_to_date, writing
from common.command import Options, run
from common.config import dump
from common.generation import Reply
from common.work import finish, working
from eval import markdown
from eval.config import CONSTANT_REPLY, ReportConfig
from eval.figures import Figure, Settings, figures, from_json, metric_name, verdict
from eval.outcomes import EvalSet, Outcome, evaluate
from eval.rouge import most_typical
from eval.testsets import draw_turns, read_test_set

_CODE = ("common/chat", "common/generation", "common/models.py", "eval")
_TYPICAL_OF = 50
"""Among so many training replies the most typical one is looked for: that takes a few seconds."""


def report(config: ReportConfig, options: Options) -> None:
    """Evaluate every system on every test set and write the report, unless it is up to date.

    Raises:
        UserError: a test set has a defect, or a system can't be loaded.
    """
    for system in config.systems:
        models.check(system.model, system.adapter)
    eval_sets = [_eval_set(config, name, path) for name, path in config.test_sets.items()]
    if options.dry_run:
        _describe(config, eval_sets)
        return
    recipe = Recipe.of("report", config, inputs=_inputs(config), code=_CODE)
    if is_up_to_date(config.output, recipe) and not options.force:
        console.say(f"{config.output} is up to date")
        _show(from_json((config.output / "results.json").read_text(encoding="utf-8")), config)
        return

    with working(config.output, recipe, fresh=options.force) as work:
        by_system = {system.name: evaluate(config, system, eval_sets, work) for system in config.systems}
        outcomes = {s.name: {name: own[s.name] for name, own in by_system.items()} for s in eval_sets}
        constant_reply = _constant_reply(config)
        if constant_reply is not None:
            for eval_set in eval_sets:
                replies = [Reply(constant_reply, 0, 0, "stop")] * len(eval_set.turns)
                outcomes[eval_set.name][CONSTANT_REPLY] = Outcome.of(eval_set, [], replies)
        settings = Settings(config.baseline, config.bootstrap_samples, config.bootstrap_seed)
        found = [figure for s in eval_sets for figure in figures(s, outcomes[s.name], settings)]
        recipe.counts.update({s.name: s.size for s in eval_sets})
        with writing(config.output, recipe) as folder:
            _write(folder, config, eval_sets, outcomes, found, constant_reply)
        finish(work)
    _show(found, config)


def _eval_set(config: ReportConfig, name: str, path: Path) -> EvalSet:
    conversations = read_test_set(path, config.cluster_by)
    count = 0 if name in config.perplexity_only else config.replies_per_set
    return EvalSet(name, conversations, draw_turns(conversations, count, config.reply_seed))


def _inputs(config: ReportConfig) -> dict[str, Path]:
    inputs = {f"test_sets.{name}": path for name, path in config.test_sets.items()}
    if config.trivial_reply_from is not None:
        inputs["trivial_reply_from"] = config.trivial_reply_from
    for system in config.systems:
        if (folder := models.local_folder(system.model)) is not None:
            inputs[f"systems.{system.name}.model"] = folder
        if system.adapter is not None:
            inputs[f"systems.{system.name}.adapter"] = system.adapter
    return inputs


def _constant_reply(config: ReportConfig) -> str | None:
    if config.trivial_reply_from is None:
        return None
    rows = read_test_set(config.trivial_reply_from, config.cluster_by)
    return most_typical([turn.reference for turn in draw_turns(rows, _TYPICAL_OF, config.reply_seed)])


def _write(
    folder: Path,
    config: ReportConfig,
    eval_sets: Sequence[EvalSet],
    outcomes: dict[str, dict[str, Outcome]],
    found: list[Figure],
    constant_reply: str | None,
) -> None:
    results = {
        "verdict": verdict(found, config.baseline),
        "constant_reply": constant_reply,
        "test_sets": {s.name: s.size for s in eval_sets},
        "figures": [asdict(figure) for figure in found],
    }
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    (folder / "results.json").write_text(text, encoding="utf-8")
    with (folder / "samples.jsonl").open("w", encoding="utf-8") as file:
        for eval_set in eval_sets:
            for row in _samples(eval_set, outcomes[eval_set.name]):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    text = markdown.render(config, eval_sets, outcomes, found, constant_reply)
    (folder / "report.md").write_text(text, encoding="utf-8")


def _samples(eval_set: EvalSet, outcomes: dict[str, Outcome]) -> Iterator[dict[str, Any]]:
    """A row for each conversation: its scores and, for each turn that was drawn, the replies."""
    turns: dict[str, list[int]] = {}
    for number, turn in enumerate(eval_set.turns):
        turns.setdefault(turn.conversation.id, []).append(number)
    for place, conversation in enumerate(eval_set.conversations):
        yield {
            "test_set": eval_set.name,
            "id": conversation.id,
            "cluster": conversation.cluster,
            "scores": {name: asdict(own.scores[place]) for name, own in outcomes.items() if own.scores},
            "replies": [
                {
                    "message": eval_set.turns[number].index,
                    "reference": eval_set.turns[number].reference,
                    "systems": {
                        name: asdict(own.replies[number]) | {"rouge_l": own.rouge_l[number]}
                        for name, own in outcomes.items()
                    },
                }
                for number in turns.get(conversation.id, [])
            ],
        }


def _describe(config: ReportConfig, eval_sets: Sequence[EvalSet]) -> None:
    console.say(dump(config))
    rows = [(s.name, f"{len(s.conversations):,}", f"{len(s.turns):,}") for s in eval_sets]
    columns = ("test set", "conversations to score", "replies to generate")
    console.table(f"for each of {len(config.systems)} systems", columns, rows)


def _show(found: Sequence[Figure], config: ReportConfig) -> None:
    """One table that fits 80 columns for two systems: the values, then comparisons with 95 % intervals."""
    systems = list(dict.fromkeys(figure.system for figure in found))
    compared = [name for name in systems if any(f.system == name and f.against for f in found)]
    compared = [name for name in compared if name != config.baseline]
    rows: list[list[str]] = []
    for test_set in config.test_sets:
        rows.append([test_set, *[""] * (len(systems) + len(compared))])
        for metric in dict.fromkeys(figure.metric for figure in found if figure.test_set == test_set):
            by_system = {f.system: f for f in found if (f.test_set, f.metric) == (test_set, metric)}
            values = [by_system[name].value if name in by_system else None for name in systems]
            against = [by_system[name].against.get(config.baseline) for name in compared]
            rows.append(
                [f"  {metric_name(metric)}"]
                + ["–" if value is None else markdown.number(value.value) for value in values]
                + [markdown.comparison(metric, value) for value in against]
            )
    console.table(
        "evaluation", ("", *systems, *(f"{name} against {config.baseline}" for name in compared)), rows
    )
    for figure in found:
        for reason, count in figure.unscored.items():
            what = "conversations" if figure.metric == "perplexity" else "replies"
            console.warn(f"unscored {what} on {figure.test_set}, {figure.system}: {count} {reason}")
    for line in verdict(found, config.baseline):
        console.say(line)
    console.say(f"sample replies side by side: {config.output / 'report.md'}")


if __name__ == "__main__":
    run(report, ReportConfig, __doc__)
