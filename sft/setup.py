"""Put model, data and arguments together into a trainer. Imports torch and trl: call it late."""

from pathlib import Path

import datasets
import torch
import transformers
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from trl import SFTConfig

from common.console import choice
from sft.batching import RightPaddingCollator
from sft.choices import Choices
from sft.config import TrainConfig
from sft.examples import Examples
from sft.fused_lora import fuse
from sft.model import load_base, lora_config
from sft.run_log import RunLog
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
    base = load_base(config, choices)
    log = RunLog(run_id=config.output.name)
    trainer = SupportTrainer(
        sampler_seed=config.sampler_seed,
        lengths=training.lengths,
        model=base,
        args=training_arguments(config, choices, work),
        train_dataset=as_dataset(training),
        eval_dataset=as_dataset(validation),
        processing_class=tokenizer,
        data_collator=RightPaddingCollator(tokenizer.pad_token_id),
        peft_config=lora_config(config),
        callbacks=[log, WholeRecords(), EarlyStoppingCallback(config.early_stopping_patience)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    log.trainer = trainer
    if choices.fused_lora:
        choice("fused layers", fuse(trainer.model), "LoRA linear layers with the fused pass")
    trained, everything = trainer.model.get_nb_trainable_parameters()
    choice("weights", f"{trained:,}", f"trained, {trained / everything:.1%} of {everything:,}")
    return trainer


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
        max_grad_norm=config.max_grad_norm,
        gradient_checkpointing=config.gradient_checkpointing,
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
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
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
    return datasets.Dataset.from_dict({"input_ids": examples.input_ids, "labels": examples.labels})
