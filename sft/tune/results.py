"""What a search leaves: the best config, all trials, importances, a plot. Imports Optuna: call it late."""

import csv
import json
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, TrialState

from common.artifacts import Recipe, is_up_to_date, writing
from common.config import dump, load
from common.console import say, table
from common.errors import UserError
from common.provenance import digest
from common.registry.locks import alone
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.search import STATES
from sft.tune.space import overrides
from sft.tune.storage import finished

BEST = "best.yaml"
_SHOWN = 5
_FEWEST = 4
"""Complete trials, below which importances would be noise."""


def write_study(config: TuneConfig, study: Study, base: TrainConfig) -> None:
    """Write the artifact, unless another worker has written it with the same trials.

    Raises:
        UserError: no trial was trained to its end.
    """
    trials = finished(study)
    complete = sorted((one for one in trials if one.state == TrialState.COMPLETE), key=_loss)
    if not complete:
        reasons = sorted({str(one.user_attrs.get("reason", "stopped early")) for one in trials})
        raise UserError(
            f"no trial was trained to its end: {'; '.join(reasons)}", "narrow space, or add trials"
        )
    recipe = _recipe(config, base, trials)
    recipe.counts = {state: sum(STATES[one.state] == state for one in trials) for state in STATES.values()}
    recipe.counts |= {"best_trial": complete[0].number, "best_eval_loss": complete[0].value}
    root = config.output.parent / ".work"
    root.mkdir(parents=True, exist_ok=True)
    with alone(root / f"{config.output.name}.lock"):
        if not is_up_to_date(config.output, recipe):
            with writing(config.output, recipe) as folder:
                _write(folder, config, study, trials, complete[0])
            say(f"wrote {config.output}")
    _show(config, complete)


def _recipe(config: TuneConfig, base: TrainConfig, trials: list[FrozenTrial]) -> Recipe:
    recipe = Recipe.of(
        "study",
        config,
        inputs={"config": config.config, "dataset": base.dataset},
        code=("sft/tune",),
        volatile=("trials.csv",),  # it holds times
        incidental=("storage", "study"),
    )
    recipe.config["storage"] = config.shown_storage
    results = [[one.number, STATES[one.state], one.value, one.params] for one in trials]
    recipe.inputs["results"] = digest(json.dumps(results, sort_keys=True))
    return recipe


def _write(
    folder: Path, config: TuneConfig, study: Study, trials: list[FrozenTrial], best: FrozenTrial
) -> None:
    (folder / BEST).write_text(_best_config(config, best))
    _write_csv(folder / "trials.csv", config, trials)
    complete = sum(one.state == TrialState.COMPLETE for one in trials)
    if complete >= _FEWEST:
        importance = {"method": "PED-ANOVA", "trials": complete, "importance": get_param_importances(study)}
        (folder / "importance.json").write_text(json.dumps(importance, indent=2) + "\n")
    _write_png(folder / "history.png", trials)


def _best_config(config: TuneConfig, best: FrozenTrial) -> str:
    """The training config with the best trial's values, trained as long as it says itself."""
    settings = load(TrainConfig, config.config, overrides(config.space, best.params))
    steps = f", after at most {config.max_steps} steps" if config.max_steps else ""
    return (
        f"# {_command(config)}\n"
        f"# {config.config} with the values of trial {best.number} of study '{config.study}': "
        f"validation loss {best.value:.4f}{steps}.\n" + dump(settings)
    )


def _command(config: TuneConfig) -> str:
    return f"python -m sft.train {config.output / BEST}"


def _write_csv(path: Path, config: TuneConfig, trials: list[FrozenTrial]) -> None:
    with path.open("w", newline="") as file:
        columns = ["number", "state", "loss", "steps", "seconds", *config.space, "reason"]
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for trial in trials:
            writer.writerow(_row(trial) | trial.params)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        "loss": "" if trial.value is None else trial.value,
        "steps": trial.user_attrs.get("steps", 0),
        "seconds": "" if trial.duration is None else round(trial.duration.total_seconds(), 1),
        "reason": trial.user_attrs.get("reason", ""),
    }


def _write_png(path: Path, trials: list[FrozenTrial]) -> None:
    """Draw the trials' losses by number, and the best so far."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    complete = [(one.number, _loss(one)) for one in trials if one.state == TrialState.COMPLETE]
    best = [
        (number, min(loss for _, loss in complete[: index + 1])) for index, (number, _) in enumerate(complete)
    ]
    pruned = [
        (one.number, one.value) for one in trials if one.state == TrialState.PRUNED and one.value is not None
    ]
    axes.plot(*zip(*complete, strict=True), "o", label="complete", markersize=4)
    axes.step(*zip(*best, strict=True), where="post", label="best so far")
    if pruned:
        axes.plot(*zip(*pruned, strict=True), "x", color="0.6", label="stopped early, its last", markersize=4)
    axes.set(xlabel="trial", ylabel="validation loss (nats a trained token)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def _loss(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _show(config: TuneConfig, complete: list[FrozenTrial]) -> None:
    rows = [
        [
            one.number,
            f"{_loss(one):.4f}",
            one.user_attrs["steps"],
            *(_cell(one.params[key]) for key in config.space),
        ]
        for one in complete[:_SHOWN]
    ]
    table("Best trials", ["trial", "loss", "steps", *config.space], rows)
    say(f"train the best: {_command(config)}")


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
