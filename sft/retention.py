"""What continual training has cost: the loss on the older dataset's validation split, before and after.

trainer = make_trainer(...)
losses = measure_retention(trainer, config, tokenizer)
trainer.train()              # `losses` is filled at its begin and end
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from common.chat import FAMILIES
from common.console import say, warn
from common.errors import UserError
from sft import ranks
from sft.config import TrainConfig
from sft.data.examples import read_rows, render_rows
from sft.data.replay import messages_key
from sft.setup import as_dataset

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from sft.trainer import SupportTrainer


def measure_retention(
    trainer: "SupportTrainer", config: TrainConfig, tokenizer: "PreTrainedTokenizerBase"
) -> dict[str, float]:
    """Let `trainer` measure the loss (nats a trained token) on `config.replay_dataset`'s validation split.

    Returns what training will fill: `replay_base_eval_loss`, before the first step, and
    `replay_best_eval_loss`, with the best weights. It stays empty where nothing is replayed.

    Raises:
        UserError: no example of that split can be evaluated.
    """
    if config.replay_dataset is None:
        return {}
    path = config.replay_dataset / "val.jsonl"
    rows = read_rows(path)
    # A dataset that has grown since then may train on what was held out of it.
    trained = {messages_key(row) for row in read_rows(config.dataset / "train.jsonl")}
    kept = [row for row in rows if messages_key(row) not in trained]
    if len(kept) < len(rows):
        warn(f"retention: {len(rows) - len(kept)} rows of '{path}' are trained on, and left out")
    family = FAMILIES[config.chat_template]
    examples = render_rows(kept, tokenizer, family, config.max_length, what="retention")
    if not len(examples):
        why = dict(examples.dropped)
        raise UserError(
            f"of the {len(rows)} rows of '{path}' {len(rows) - len(kept)} are trained on, and none can be "
            f"evaluated: {why}",
            "choose another replay_dataset, or raise max_length",
        )
    retention = _Retention(trainer, as_dataset(examples.sorted_by_length()), config.replay_dataset)
    trainer.add_callback(retention)
    return retention.losses


class _Retention(TrainerCallback):
    """Evaluates inside the run, where the model is placed and wrapped already.

    Its metrics are called `replay_...`: early stopping and the choice of the best weights look at others.
    """

    def __init__(self, trainer: "SupportTrainer", dataset: Any, source: Path) -> None:
        self.losses: dict[str, float] = {}
        self._trainer = trainer
        self._dataset = dataset
        self._source = source

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure before the first step; a resumed run takes what was kept beside the checkpoints then."""
        kept = Path(args.output_dir) / "retention.json"
        if state.global_step:
            self.losses.update(json.loads(kept.read_text()))
            return
        self.losses["replay_base_eval_loss"] = self._evaluate()
        if ranks.is_main():
            kept.with_suffix(".tmp").write_text(json.dumps(self.losses))
            os.replace(kept.with_suffix(".tmp"), kept)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.losses["replay_best_eval_loss"] = self._evaluate()
        before, after = self.losses["replay_base_eval_loss"], self.losses["replay_best_eval_loss"]
        say(
            f"retention: validation loss on {self._source} {before:.3f} before, {after:.3f} after "
            f"({after / before - 1:+.1%})"
        )

    def _evaluate(self) -> float:
        return self._trainer.evaluate(eval_dataset=self._dataset, metric_key_prefix="replay")["replay_loss"]
