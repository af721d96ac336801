"""Replies from a Transformers model in this process, in batches.

A batch holds prompts of similar length, padded on the left; in float32 the tokens are those of one-by-one
generation (tested). Only what `Sampling` says decides a reply: defaults that a model brings along, such as
Qwen 2.5's repetition penalty, are switched off.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from common.chat import Family, Message, MessageError, render_prompt
from common.console import progress, warn
from common.generation import Reply, Sampling

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase


class LocalGenerator:
    """Generates with a model as `common.models.load` returns it.

    With a temperature above 0, `seed` fixes the replies of a call as a whole: the same conversations in
    another batch size may get others.
    """

    def __init__(
        self,
        name: str,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        family: Family,
        *,
        batch_size: int = 16,
    ) -> None:
        self.name = name
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.family = family
        self.batch_size = batch_size
        self.end_ids = _end_ids(model, tokenizer)

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[Reply]:
        """One reply a conversation, in their order."""
        import torch

        replies: dict[int, Reply] = {}
        prompts: dict[int, list[int]] = {}
        for index, messages in enumerate(conversations):
            try:
                prompts[index] = render_prompt(self.tokenizer, self.family, messages)
            except MessageError as error:
                replies[index] = Reply.failed(error.reason)
                continue
            if (reason := self._too_long(len(prompts[index]), sampling)) is not None:
                replies[index] = Reply.failed(reason, len(prompts.pop(index)))

        # The longest first: if memory is short, that shows at once and not near the end.
        order = sorted(prompts, key=lambda index: -len(prompts[index]))
        with torch.random.fork_rng(enabled=sampling.seed is not None), progress() as display:
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            task = display.add_task(f"replies of {self.name}", total=len(order), rate="")
            tokens = 0
            for start in range(0, len(order), self.batch_size):
                batch = order[start : start + self.batch_size]
                batch_replies = self._reply([prompts[index] for index in batch], sampling)
                replies.update(zip(batch, batch_replies, strict=True))
                tokens += sum(reply.completion_tokens for reply in batch_replies)
                rate = tokens / (display.tasks[task].elapsed or 1.0)
                display.update(task, advance=len(batch), rate=f"{rate:,.0f} tokens/s")
        return [replies[index] for index in range(len(conversations))]

    def _too_long(self, prompt_tokens: int, sampling: Sampling) -> str | None:
        context = getattr(self.model.config, "max_position_embeddings", None)
        if context is None or prompt_tokens + sampling.max_new_tokens <= context:
            return None
        return (
            f"too_long: a prompt of {prompt_tokens} tokens and {sampling.max_new_tokens} new ones "
            f"exceed the context of {context}"
        )

    def _reply(self, prompts: list[list[int]], sampling: Sampling) -> list[Reply]:
        """Replies to one batch, which is halved as long as it does not fit into memory."""
        import torch

        try:
            rows = self._complete(prompts, sampling)
        except torch.OutOfMemoryError:
            rows = None
        if rows is not None:
            return [self._read(len(ids), row, sampling) for ids, row in zip(prompts, rows, strict=True)]
        torch.cuda.empty_cache()
        if len(prompts) == 1:
            return [Reply.failed("out_of_memory", len(prompts[0]))]
        warn(f"{len(prompts)} conversations at once do not fit into memory: trying half of them")
        half = len(prompts) // 2
        return self._reply(prompts[:half], sampling) + self._reply(prompts[half:], sampling)

    def _complete(self, prompts: list[list[int]], sampling: Sampling) -> list[list[int]]:
        """The new ids of each prompt, with padding where others of the batch went on longer."""
        import torch

        width = max(len(ids) for ids in prompts)
        input_ids = torch.full((len(prompts), width), self.tokenizer.pad_token_id)
        attention_mask = torch.zeros_like(input_ids)
        for row, ids in enumerate(prompts):
            input_ids[row, width - len(ids) :] = torch.tensor(ids)
            attention_mask[row, width - len(ids) :] = 1
        with torch.inference_mode():
            output: Tensor = self.model.generate(
                input_ids=input_ids.to(self.model.device),
                attention_mask=attention_mask.to(self.model.device),
                generation_config=self._generation_config(sampling),
                tokenizer=self.tokenizer,  # generate needs it to find stop texts in tokens
            )
        return output[:, width:].tolist()

    def _generation_config(self, sampling: Sampling) -> "GenerationConfig":
        from transformers import GenerationConfig

        # What is None here would be taken from the model's own generation_config.json.
        settings = GenerationConfig(
            max_new_tokens=sampling.max_new_tokens,
            do_sample=sampling.temperature > 0,
            repetition_penalty=1.0,
            eos_token_id=self.end_ids,
            pad_token_id=self.tokenizer.pad_token_id,
            stop_strings=list(sampling.stop) or None,
        )
        if sampling.temperature > 0:
            settings.update(temperature=sampling.temperature, top_p=sampling.top_p, top_k=0)
        return settings

    def _read(self, prompt_tokens: int, new_ids: list[int], sampling: Sampling) -> Reply:
        ends = [position for position, token in enumerate(new_ids) if token in self.end_ids]
        ids = new_ids[: ends[0] + 1] if ends else new_ids
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        stops = [position for stop in sampling.stop if (position := text.find(stop)) >= 0]
        if stops:
            text = text[: min(stops)]
            while not ends and ids and ids[-1] == self.tokenizer.pad_token_id:
                ids = ids[:-1]
        finish_reason = "stop" if ends or stops else "length"
        return Reply(text.strip(), prompt_tokens, len(ids), finish_reason)


def _end_ids(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """The family's end-of-turn, and what the model itself ends with: a base may never write the former."""
    own = model.generation_config.eos_token_id
    return sorted({tokenizer.eos_token_id, *([own] if isinstance(own, int) else own or ())})
