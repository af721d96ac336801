"""Experiment trackers: what Transformers' own callbacks for MLflow, TensorBoard and W&B need around them.

The callbacks send every log record. This module checks that they will work, opens the MLflow run that they
find active (the same one again after a kill), and closes it with the result. Only the main process reports.
"""

import importlib.util
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.artifacts import Recipe
from common.console import choice, warn
from common.errors import UserError
from common.provenance import git_commit
from sft import ranks
from sft.checkpoints import last_checkpoint
from sft.config import INCIDENTAL, TrainConfig

if TYPE_CHECKING:
    from common.registry.store import Store

_RUN_ID = "mlflow_run.txt"
_WANDB_ID = "wandb_run.txt"
_ARTIFACTS = ("loss.csv", "health.csv", "loss.png", "README.md")


def check(config: TrainConfig) -> None:
    """Raises UserError when a tracker's package is missing. Imports none of them."""
    if missing := [name for name in config.report_to if importlib.util.find_spec(name) is None]:
        raise UserError(
            f"report_to names {', '.join(missing)}, which is not installed",
            f"pip install {' '.join(missing)}; or leave it out of report_to",
        )


@contextmanager
def tracking(config: TrainConfig, recipe: Recipe, work: Path) -> Iterator[None]:
    """Open the trackers of `report_to`; on leaving, give MLflow the result, or mark its run as failed.

    `recipe.counts` and `config.output` are read at the end. Notes which run it is go to `work`.

    Raises:
        UserError: MLflow can't be reached, at the start. Later it is no reason to lose a trained model.
    """
    if not ranks.is_main():
        yield
        return
    if "tensorboard" in config.report_to:
        _prepare_tensorboard(config, work)
    if "wandb" in config.report_to:
        os.environ.setdefault("WANDB_PROJECT", _experiment(config))
        os.environ["WANDB_RUN_ID"] = _noted(work / _WANDB_ID) or _note(work / _WANDB_ID, uuid.uuid4().hex[:8])
        os.environ["WANDB_RESUME"] = "allow"
    if "mlflow" not in config.report_to:
        yield
        return
    run = _Run(config, recipe, work)
    try:
        yield
    except BaseException:  # Ctrl-C too
        run.end("FAILED")
        raise
    run.log_result(recipe.counts, config.output)
    run.end("FINISHED")


def callbacks(config: TrainConfig) -> list[str]:
    """`report_to` for Transformers' arguments, in this process."""
    return list(config.report_to) if ranks.is_main() else []


def tensorboard_folder(config: TrainConfig, work: Path) -> Path:
    """Event files of this run lie beside the output, so that they outlive the work folder."""
    return config.output.with_name(f"{config.output.name}.tensorboard") / work.name


def _prepare_tensorboard(config: TrainConfig, work: Path) -> None:
    folder = tensorboard_folder(config, work)
    if last_checkpoint(work) is None:
        shutil.rmtree(folder, ignore_errors=True)  # of the same run, which begins anew
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder)
    choice("tensorboard", folder.parent, "tensorboard --logdir shows it")


def _experiment(config: TrainConfig) -> str:
    return config.register_as or "sft"


class _Run:
    """The MLflow run of one training run, active while it lasts."""

    def __init__(self, config: TrainConfig, recipe: Recipe, work: Path) -> None:
        from common.registry.store import Store

        self._store = Store(config.tracking_uri)
        try:
            self._id = self._continued(work) or self._created(config, recipe, work)
            self._activate()
        except UserError as error:
            raise UserError(
                f"the run can't be tracked: {error.what}",
                f"{error.fix}; or set another tracking_uri; or train without MLflow by report_to=[]",
            ) from None
        choice("tracking", self._store.shown, f"MLflow, experiment {_experiment(config)}, run {self._id}")

    def _continued(self, work: Path) -> str | None:
        """The run that was going on before a kill, unless it has been deleted, or is at another address."""
        run_id = _noted(work / _RUN_ID)
        if run_id is None:
            return None
        from common.registry.store import StoreError

        try:
            run = self._store.call(lambda client: client.get_run(run_id))
        except StoreError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return run_id if run.info.lifecycle_stage == "active" else None

    def _created(self, config: TrainConfig, recipe: Recipe, work: Path) -> str:
        experiment = _experiment_id(self._store, _experiment(config))
        tags = {
            "config_hash": recipe.fingerprint,
            "dataset_hash": recipe.inputs["dataset"],
            "git_commit": git_commit(),
            "base_model": config.model,
        }
        name = config.output.name
        run = self._store.call(lambda client: client.create_run(experiment, tags=tags, run_name=name))
        from mlflow.entities import Param

        settings = flat(config.model_dump(mode="json", exclude=set(INCIDENTAL)))
        params = [Param(key, value) for key, value in settings.items()]
        self._store.call(lambda client: client.log_batch(run.info.run_id, params=params))
        return _note(work / _RUN_ID, run.info.run_id)

    def _activate(self) -> None:
        import mlflow

        os.environ.pop("MLFLOW_RUN_ID", None)  # the callback would open that one
        os.environ["MLFLOW_MAX_LOG_PARAMS"] = "0"  # it would add 200 arguments that nobody has set
        mlflow.set_tracking_uri(self._store.uri)
        self._store.call(lambda client: mlflow.start_run(self._id))

    def log_result(self, counts: dict[str, Any], output: Path) -> None:
        """Add the losses before and after, the curves and the model card."""
        with _only_warning():
            base, best = counts["base_eval_loss"], counts["best_eval_loss"]
            self._store.call(lambda client: client.log_metric(self._id, "base_eval_loss", base))
            self._store.call(lambda client: client.log_metric(self._id, "best_eval_loss", best))
            for name in _ARTIFACTS:
                if (output / name).is_file():
                    self._store.upload(self._id, output / name)

    def end(self, status: str) -> None:
        """Send what is still waiting, and close the run as FINISHED or FAILED."""
        import mlflow

        with _only_warning():
            mlflow.flush_async_logging()
            self._store.call(lambda client: mlflow.end_run(status))


def _experiment_id(store: "Store", name: str) -> str:
    """The experiment of that name; with SQLite its files lie beside the database."""
    from common.registry.store import StoreError

    location = None
    if store.database is not None:  # where the registry's lie: MLflow's own default is the current folder
        location = store.database.with_name(f"{store.database.stem}-artifacts").as_uri()

    def find_or_create(client: Any) -> str:
        found = client.get_experiment_by_name(name)
        return str(found.experiment_id if found else client.create_experiment(name, location))

    try:
        return store.call(find_or_create)
    except StoreError as error:
        if error.code != "RESOURCE_ALREADY_EXISTS":
            raise
        return store.call(find_or_create)  # another process was faster: now it is found


def flat(settings: dict[str, Any], above: str = "") -> dict[str, str]:
    """Nested settings as dotted keys, as on the command line: `lora.r`; lists as JSON."""
    result: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            result |= flat(value, f"{above}{key}.")
        else:
            result[f"{above}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return result


def _noted(file: Path) -> str | None:
    return file.read_text().strip() if file.is_file() else None


def _note(file: Path, text: str) -> str:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(text + "\n")
    os.replace(temporary, file)
    return text


@contextmanager
def _only_warning() -> Iterator[None]:
    """The model is whole, or another error is on its way: neither is to be lost for the tracker's sake."""
    try:
        yield
    except Exception as error:
        problem = error.what if isinstance(error, UserError) else (str(error) or type(error).__name__)
        warn(f"MLflow has not got all of this run: {problem.splitlines()[0]}")
