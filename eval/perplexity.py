"""How likely a model finds the true replies: summed negative log-likelihood over the assistant's tokens.

The perplexity of a set is exp(sum of nll / sum of tokens): weighted by tokens, over the text that is trained
(each reply with its end-of-turn token), in the training template. It equals the exponential of Transformers'
mean cross-entropy over the same labels (tested to 1e-6). Perplexities of different tokenizers or templates
can't be compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.chat import Family, Message, Rendered, render_conversations
from common.console import progress
from common.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOGITS_AT_ONCE = 2**25
"""128 MiB in float32. A whole batch's would be gigabytes with a real vocabulary."""


@dataclass(frozen=True)
class Score:
    """Of one conversation: `nll` in nats over `tokens`, or the reason why it is `unscored`."""

    nll: float
    tokens: int
    unscored: str | None = None


def score(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    family: Family,
    conversations: Sequence[Sequence[Message]],
    *,
    batch_size: int,
    description: str,
) -> list[Score]:
    """Score each conversation. One that is longer than the model's context is unscored, never cut.

    Raises:
        UserError: the model computes something that is no number.
    """
    rendered = render_conversations(tokenizer, family, conversations)
    context = getattr(model.config, "max_position_embeddings", None) or float("inf")
    longest = [max(len(example.input_ids) for example in group) for group in rendered]
    tokens = [sum(sum(example.trained[1:]) for example in group) for group in rendered]
    nll = [0.0] * len(rendered)
    examples = [
        (index, example)
        for index, group in enumerate(rendered)
        if longest[index] <= context
        for example in group
    ]
    for index, value in _summed_nll(model, examples, batch_size, description):
        nll[index] += value
    return [
        Score(nll[index], tokens[index])
        if longest[index] <= context
        else Score(0.0, 0, f"too_long: {longest[index]} tokens exceed the context of {context}")
        for index in range(len(rendered))
    ]


def _summed_nll(
    model: "PreTrainedModel", examples: list[tuple[int, Rendered]], batch_size: int, description: str
) -> Iterator[tuple[int, float]]:
    """Batches of similar length, the longest first: if memory is short, that shows at once."""
    examples = sorted(examples, key=lambda pair: -len(pair[1].input_ids))
    with progress() as display:
        task = display.add_task(description, total=len(examples), rate="")
        tokens = 0
        for start in range(0, len(examples), batch_size):
            indices, batch = zip(*examples[start : start + batch_size], strict=True)
            yield from zip(indices, _batch_nll(model, batch), strict=True)
            tokens += sum(len(example.input_ids) for example in batch)
            rate = tokens / (display.tasks[task].elapsed or 1.0)
            display.update(task, advance=len(batch), rate=f"{rate:,.0f} tokens/s")


def _batch_nll(model: "PreTrainedModel", batch: Sequence[Rendered]) -> list[float]:
    """The summed nll of each example, in nats."""
    import torch

    input_ids, is_target = _padded(batch)
    input_ids, is_target = input_ids.to(model.device), is_target.to(model.device)
    sums = torch.zeros(len(batch), dtype=torch.float64, device=model.device)
    with torch.inference_mode():
        # Padding lies on the right, where causal attention never looks back from: no mask is needed.
        hidden = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
        before = is_target.roll(-1, dims=1)
        predicting, targets, rows = hidden[before], input_ids[is_target], is_target.nonzero()[:, 0]
        at_once = max(1, _LOGITS_AT_ONCE // model.config.vocab_size)
        for part in torch.arange(len(targets), device=model.device).split(at_once):
            logits = _logits(model, predicting[part])
            nll = torch.nn.functional.cross_entropy(logits, targets[part], reduction="none")
            sums.index_add_(0, rows[part], nll.double())
    if not bool(sums.isfinite().all()):
        raise UserError(
            f"the model gives some replies a likelihood that is no number, in {model.dtype}",
            "set dtype to float32, or to bfloat16 on a GPU",
        )
    return sums.tolist()


def _padded(batch: Sequence[Rendered]) -> tuple["Tensor", "Tensor"]:
    """Ids and the mask of what is predicted, both (examples, longest). Nothing predicts the first token."""
    import torch

    shape = (len(batch), max(len(example.input_ids) for example in batch))
    input_ids, is_target = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    for row, example in enumerate(batch):
        input_ids[row, : len(example.input_ids)] = torch.tensor(example.input_ids)
        is_target[row, 1 : len(example.trained)] = torch.tensor(example.trained[1:])
    return input_ids, is_target


def _logits(model: "PreTrainedModel", hidden: "Tensor") -> "Tensor":
    """What the model's own forward computes from hidden states (positions, hidden size), in float32."""
    logits: Tensor = model.get_output_embeddings()(hidden).float()
    cap = getattr(model.config, "final_logit_softcapping", None)  # Gemma 2
    return logits if cap is None else (logits / cap).tanh() * cap
