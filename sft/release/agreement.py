"""Does a merged model say what base and adapter say? Compared by log-probabilities of fixed conversations."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.chat import Family, render_text
from common.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

CONVERSATIONS: tuple[tuple[str, ...], ...] = (
    (
        "Where is my parcel?",
        "It is on its way. You can follow it under 'My orders'.",
        "When will it be here?",
    ),
    ("I would like to change my password.", "Open the settings, choose 'Security', then 'New password'."),
    ("Can I return a lamp that I bought two weeks ago?", "Yes, within 30 days, in its own box."),
    ("The app stops when I open the second page of 25.", "Thank you for telling us. Which version is it?"),
)
"""What the user says, the reply, and so on. They are no customers' words."""

_MEAN = {"float32": 1e-4, "float16": 0.05, "bfloat16": 0.25}
"""The mean absolute difference of log-probabilities (nats) that rounding may make.

float32 keeps 24 bits of a number: merging changes little more than the order of additions, and the tests'
random models, which spread small differences more than trained ones, differ by 4e-6. float16 keeps 11 bits
and bfloat16 8: merging rounds each weight by up to 0.05 % and 0.4 %, and the layers add up what comes of
it: 0.01 and 0.08 there. The largest difference is told and has no bound: one rounded number can send a
token to another expert, and tokens that nobody would choose differ most (by up to 4.7 in bfloat16 there)."""

_EQUAL = {"float32": 0.99, "float16": 0.9, "bfloat16": 0.8}
"""The share of positions whose most likely token must be the same: near ties go either way."""

_LOST = 0.5
"""The difference as a share of what the adapter changes: a wrong scale or a block left out shows here,
however small the adapter's effect is. So does an adapter whose effect is no larger than the rounding."""


@dataclass(frozen=True)
class Agreement:
    """Merged model against base and adapter, over all tokens and positions of the conversations.

    `largest` and `mean` are absolute differences of log-probabilities, in nats; `equal` is the share of
    positions with the same most likely token; `effect` is the mean difference that the adapter makes.
    """

    largest: float
    mean: float
    equal: float
    effect: float

    def check(self, dtype: str) -> None:
        """Raises UserError when the difference is more than `dtype` explains, or hides what was trained."""
        finer = (
            "merge with --dtype float32"
            if dtype != "float32"
            else "check that base and adapter belong together"
        )
        if not (self.mean <= _MEAN[dtype] and self.equal >= _EQUAL[dtype]):  # NaN fails too
            raise UserError(
                f"the merged model differs from base and adapter by {self.mean:.2g} nats on average, and has "
                f"{self.equal:.1%} of the most likely tokens: more than {dtype} explains",
                finer,
            )
        if self.mean > _LOST * self.effect:
            raise UserError(
                f"merging in {dtype} changes log-probabilities by {self.mean:.2g} nats on average, and the "
                f"adapter itself by {self.effect:.2g}: the merged model would lose what was trained",
                finer,
            )


def prompts(tokenizer: "PreTrainedTokenizerBase", family: Family) -> list["torch.Tensor"]:
    """The conversations as ids, each of shape (1, length)."""
    import torch

    result = []
    for turns in CONVERSATIONS:
        messages = [
            {"role": "assistant" if index % 2 else "user", "content": text}
            for index, text in enumerate(turns)
        ]
        text = render_text(family, messages, add_generation_prompt=len(turns) % 2 == 1)
        result.append(torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]]))
    return result


def log_probabilities(
    model: Any, inputs: Sequence["torch.Tensor"], context: AbstractContextManager[Any] | None = None
) -> "torch.Tensor":
    """Return log-probabilities in float32 on the CPU, of shape (positions of all inputs, vocabulary)."""
    import torch

    with torch.no_grad(), context or nullcontext():
        logits = [model(input_ids=ids.to(model.device)).logits[0].float().cpu() for ids in inputs]
    return torch.cat(logits).log_softmax(-1)


def compare(merged: "torch.Tensor", adapted: "torch.Tensor", base: "torch.Tensor") -> Agreement:
    """Compare what `log_probabilities` gave for the merged model, for base and adapter, and for the base."""
    difference = (merged - adapted).abs()
    return Agreement(
        largest=difference.max().item(),
        mean=difference.mean().item(),
        equal=(merged.argmax(-1) == adapted.argmax(-1)).float().mean().item(),
        effect=(adapted - base).abs().mean().item(),
    )
