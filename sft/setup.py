"""Put model, data and arguments together into a trainer. Imports torch and trl: call it late."""

from pathlib import Path

import datasets
import torch
import transformers
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.trainer_pt_utils import get_model_param_count
from trl import SFTConfig

from common.console import choice
from sft.backends import prepare
from sft.choices import Choices
from sft.config import TrainConfig
from sft.cpu.fused_lora import fuse
from sft.cpu.head import add_cpu_head
from sft.cpu.rms_norm import replace_norms
from sft.data.batching import RightPaddingCollator
from sft.data.examples import Examples
from sft.data.packing import PackingCollator, pack, packed_columns
from sft.monitor import tracking
from sft.monitor.alerts import Alerts
from sft.monitor.health import Health
from sft.monitor.run_log import RunLog
from sft.trainer import SupportTrainer


def make_trainer(
    config: TrainConfig,
    choices: Choices,
    tokenizer: transformers.PreTrainedTokenizerBase,
    training: Examples,
    validation: Examples,
    work: Path,
) -> SupportTrainer:
    """Return a trainer whose checkpoints go to `work`."""
    arguments = training_arguments(config, choices, work)  # first: DeepSpeed loads a model in shards by it
    torch.manual_seed(config.seed)  # the adapters' initial weights
    model = prepare(config, choices)
    trainer = SupportTrainer(
        sampler_seed=config.sampler_seed,
        lengths=None if choices.packing else training.lengths,
        row_ids=training.row_ids,
        backend=choices.backend,
        model=model,
        args=arguments,
        train_dataset=as_packed_dataset(training, config) if choices.packing else as_dataset(training),
        eval_dataset=as_dataset(validation),
        processing_class=tokenizer,
        data_collator=PackingCollator(RightPaddingCollator(tokenizer.pad_token_id)),
        callbacks=[
            Alerts(),
            Health(),
            RunLog(run_id=config.output.name),
            WholeRecords(),
            EarlyStoppingCallback(config.early_stopping_patience),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if choices.fused_lora:
        norms = replace_norms(trainer.model)
        choice("fused layers", fuse(trainer.model) + norms, "LoRA layers and norms with a shorter pass")
    if choices.device == "cpu" and add_cpu_head(causal_lm(trainer.model)):  # wraps what was fused
        trainer.lengths = None
    trained = get_model_param_count(trainer.model, trainable_only=True)
    # The one sees DeepSpeed's shards whole, the other bitsandbytes' packed weights.
    everything = max(get_model_param_count(trainer.model), trainer.model.num_parameters())
    choice("weights", f"{trained:,}", f"trained, {trained / everything:.1%} of {everything:,}")
    return trainer


def causal_lm(model: torch.nn.Module) -> torch.nn.Module:
    """The model below PEFT's wrapper, if there is one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def training_arguments(config: TrainConfig, choices: Choices, work: Path) -> SFTConfig:
    """TRL's arguments; what the config does not name is TRL's default."""
    return SFTConfig(
        output_dir=str(work),
        num_train_epochs=config.num_train_epochs,
        max_steps=config.max_steps or -1,
        per_device_train_batch_size=config.per_device_train_batch_size,
        per_device_eval_batch_size=config.per_device_train_batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.lr_scheduler_type,
        warmup_steps=config.warmup_ratio,  # below 1 it is a share of all steps
        weight_decay=config.weight_decay,
        optim="adamw_torch_fused",  # TRL's default; Unsloth's is another
        max_grad_norm=config.max_grad_norm,
        # Unsloth has a checkpointing of its own, which its model is loaded with.
        gradient_checkpointing=config.gradient_checkpointing and choices.backend == "peft",
        bf16=choices.dtype == "bfloat16",
        fp16=choices.dtype == "float16",
        use_cpu=choices.device == "cpu",
        eval_strategy="steps",
        eval_steps=config.eval_steps,
        save_strategy="steps",
        save_steps=config.eval_steps,
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,  # the patience of early stopping goes on counting
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        prediction_loss_only=True,
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,  # a NaN is to be seen, not averaged away
        seed=config.seed,
        max_length=None,  # examples are cut and counted before
        remove_unused_columns=False,  # the collator makes what the model takes
        router_aux_loss_coef=0.0,  # routers of a Mixture of Experts stay as they are
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        report_to=tracking.callbacks(config),
        run_name=config.output.name,
        disable_tqdm=True,
    )


class WholeRecords(TrainerCallback):
    """Evaluate and save after the last step too, and log at every checkpoint.

    The steps since the last checkpoint count then; and a resumed run, which starts a new mean of the training
    loss, has the records of one that was never interrupted.
    """

    def on_step_end(
        self, args: SFTConfig, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
            control.should_save = True
        control.should_log |= control.should_save


def as_dataset(examples: Examples) -> datasets.Dataset:
    """The examples with their numbers, by which a record of a step names them."""
    return datasets.Dataset.from_dict(
        {
            "input_ids": examples.input_ids,
            "labels": examples.labels,
            "row": list(range(len(examples))),
        }
    )


def as_packed_dataset(examples: Examples, config: TrainConfig) -> datasets.Dataset:
    """The examples in rows of at most `max_length` tokens; the packs are the same in every epoch."""
    packs = pack(examples.lengths, config.max_length, config.sampler_seed)
    full = sum(examples.lengths) / (len(packs) * config.max_length)
    choice("packed rows", f"{len(packs):,}", f"of {len(examples):,} examples, {full:.0%} full")
    return datasets.Dataset.from_dict(packed_columns(examples, packs))
