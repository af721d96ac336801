"""Build the tiny base: a small Llama with its own tokenizer, pre-trained in minutes on a CPU.

    python -m sft.tiny configs/quickstart/tiny.yaml

It is pre-trained on general dialogue that the project makes (`sft/tiny/text`), which knows nothing of the
example company: what a tuned model knows of it, it learned in fine-tuning. Writes a model folder that
`transformers` loads, with `general_test.jsonl`, dialogue of the same kind that it never saw.
"""

import json

from common.artifacts import Recipe, is_up_to_date, writing
from common.command import Options, run
from common.config import dump
from common.console import choice, say
from common.work import finish, working
from sft.tiny.config import TinyConfig
from sft.tiny.dialogues import conversation

_CODE = ("common/chat", "sft/tiny", "sft/cpu/cross_entropy.py")


def build(config: TinyConfig, options: Options) -> None:
    """Train the tokenizer, pre-train the model, write both with held-out dialogue."""
    recipe = Recipe.of("model", config, inputs={}, code=_CODE)
    if options.dry_run:
        tokens = config.steps * config.batch_size * config.sequence_length
        say(dump(config) + f"would pre-train on {tokens:,} tokens and write {config.output}")
        return
    if not options.force and is_up_to_date(config.output, recipe):
        say(f"{config.output} is up to date")
        return

    from common.console import quiet_libraries
    from sft.tiny.pretrain import pretrain
    from sft.tiny.tokenizer import train_tokenizer

    quiet_libraries()
    with working(config.output, recipe, fresh=options.force) as work:
        texts = (
            message["content"]
            for index in range(config.tokenizer_conversations)
            for message in conversation(config.text_seed, index)
        )
        tokenizer = train_tokenizer(texts, config.vocab_size)
        model = pretrain(config, tokenizer, work)
        choice("weights", f"{model.num_parameters():,}", f"vocabulary {len(tokenizer):,}")
        with writing(config.output, recipe) as folder:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            with (folder / "general_test.jsonl").open("w", encoding="utf-8") as file:
                for row in held_out(config):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
        finish(work)
    say(f"wrote {config.output}")


def held_out(config: TinyConfig) -> list[dict[str, object]]:
    """General dialogue from another seed than the training text's."""
    return [
        {"id": f"general-{index}", "messages": conversation(config.text_seed + 1, index), "meta": {}}
        for index in range(config.test_conversations)
    ]


if __name__ == "__main__":
    run(build, TinyConfig, __doc__)
