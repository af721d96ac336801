"""Search for hyper-parameters of a training config: Optuna's TPE, with bad trials stopped early.

    python -m sft.tune configs/tune.yaml
    python -m sft.tune configs/tune.yaml trials=40 --dry-run

Start the same command several times, on one machine or many, and the workers share one study by its database.
Killed at any moment, the same command goes on where it was. Writes the best config, ready for sft.train.
"""

from common.artifacts import check_replaceable, read_manifest
from common.command import Options, run
from common.config import load
from common.console import say, table
from common.errors import UserError
from sft import preflight, ranks
from sft.config import INCIDENTAL, TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.space import Range


def tune(config: TuneConfig, options: Options) -> None:
    """Check, search, write."""
    base = load(TrainConfig, config.config)
    _check_processes(base)
    preflight.check(base)
    check_replaceable(config.output)
    if options.dry_run:
        _show_plan(config)
        return

    from sft.tune.results import write_study
    from sft.tune.search import search
    from sft.tune.storage import database, open_study
    from sft.tune.trial import train_in_child

    with database(config):
        study = open_study(config, _settings(config, base), fresh=options.force)
        search(config, study, train_in_child)
        write_study(config, study, base)


def _check_processes(base: TrainConfig) -> None:
    fix = "start this command once a GPU: CUDA_VISIBLE_DEVICES=0 python -m sft.tune ..."
    if ranks.world_size() > 1:
        raise UserError("a trial trains in one process, and a launcher has started several", fix)
    if base.device != "cpu" and (gpus := preflight.gpu_count()) > 1:
        raise UserError(f"{gpus} GPUs are visible, and a trial trains on one of them", fix)


def _settings(config: TuneConfig, base: TrainConfig) -> dict[str, object]:
    """What decides a trial's loss beside its parameters."""
    from sft.monitor.tracking import flat

    left_out = {"dataset", "output", "description", "logging_steps", *INCIDENTAL}
    settings: dict[str, object] = dict(flat(base.model_dump(mode="json", exclude=left_out)))
    settings = {key: value for key, value in settings.items() if key not in config.space}
    space = config.model_dump(mode="json")["space"]
    return settings | {
        "dataset": read_manifest(base.dataset).content_hash,
        "max_steps": config.max_steps or base.max_steps,
        "space": space,
    }


def _show_plan(config: TuneConfig) -> None:
    rows = []
    for key, dimension in config.space.items():
        if isinstance(dimension, Range):
            rows.append([key, f"{dimension.low:g} to {dimension.high:g}", "log" if dimension.log else "even"])
        else:
            rows.append([key, ", ".join(map(str, dimension)), "choices"])
    table("Space", ["key", "values", "scale"], rows)
    steps = f" of at most {config.max_steps:,} steps" if config.max_steps else ""
    say(
        f"would run {config.trials} trials{steps} of {config.config}, "
        f"as study '{config.study}' in {config.shown_storage}, and write {config.output}"
    )


if __name__ == "__main__":
    run(tune, TuneConfig, __doc__)
