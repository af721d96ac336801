"""Our trainer inside Unsloth's rewritten SFTTrainer, with Transformers' model: `python -m` this FOLDER.

Unsloth rewrites the trainers only where it finds a GPU; here its own functions for that are called by name.
Prints JSON: for padded and for packed rows, what the trainer is and the losses of a batch.
"""

import json
import sys
from importlib import util
from pathlib import Path
from typing import Any
from unittest import mock


class _NoVllm:
    """Unsloth imports vLLM if it can, which takes long and is of no use here."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "vllm":
            raise ModuleNotFoundError("hidden", name=name)


def rewrite_trainers() -> None:
    """Import unsloth first, and let it rewrite what it rewrites on a GPU."""
    find_spec = util.find_spec
    sys.meta_path.insert(0, _NoVllm())
    util.find_spec = lambda name, *rest: None if name == "vllm" else find_spec(name, *rest)  # type: ignore
    from sft.backends.unsloth import import_first

    import_first()
    import transformers
    from unsloth.models._utils import patch_gradient_accumulation_fix
    from unsloth.models.rl import patch_trl_rl_trainers
    from unsloth.trainer import _patch_trl_trainer

    with mock.patch.dict("os.environ", UNSLOTH_ALLOW_CPU="0"):
        patch_trl_rl_trainers()
        _patch_trl_trainer()
    patch_gradient_accumulation_fix(transformers.Trainer)


def look(folder: Path, *, packing: bool) -> dict[str, Any]:
    """Make a trainer, take the losses of a batch both ways, and train a few steps."""
    import torch

    from common.chat import FAMILIES, load_tokenizer
    from sft import setup
    from sft.backends import peft
    from sft.choices import Choices
    from sft.data.splits import load_splits
    from tests.sft.small_runs import small_config

    config = small_config(folder, packing=packing, lora={"r": 4, "alpha": 8, "dropout": 0})
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    choices = Choices("cpu", "float32", backend="unsloth", packing=packing)
    with mock.patch.multiple(setup, prepare=peft.prepare, add_cpu_head=lambda model: None):
        trainer = setup.make_trainer(
            config, choices, tokenizer, *load_splits(config, tokenizer), folder / f"work_{packing}"
        )
    batch = trainer.data_collator([trainer.train_dataset[row] for row in range(2)])
    given = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids") if name in batch}
    labels = batch["labels"][:, 1:]
    trained = int((labels != -100).sum())
    with torch.no_grad():
        logits = trainer.model(**given).logits[:, :-1]
        nll = float(torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="sum"))
        ours = float(trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=torch.tensor(7)))
        mean = float(trainer.compute_loss(trainer.model, dict(batch)))
    trainer.train()
    rows = sum(len(rows) for rows in trainer.step.rows)
    return {
        "base": type(trainer).__mro__[1].__name__,
        "optimizer": trainer.args.optim,
        "flattened": trainer.args.packing or bool(trainer.args.padding_free),
        "collator": type(trainer.data_collator).__name__,
        "loss over 7": [ours, nll / 7],
        "mean loss": [mean, nll / trained],
        "rows of the last step": rows,
        "validation": [record["eval_loss"] for record in trainer.state.log_history if "eval_loss" in record],
        "training": [record["loss"] for record in trainer.state.log_history if "loss" in record],
    }


if __name__ == "__main__":
    rewrite_trainers()
    print(json.dumps([look(Path(sys.argv[1]), packing=packing) for packing in (False, True)]))
