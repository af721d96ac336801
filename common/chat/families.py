"""The chat formats that the project speaks: one `Family` for each template in `templates/`.

A template is complete in itself: it writes its own BOS and a fixed date, and never asks the tokenizer, the
clock or the caller for them. So the same messages give the same text in training, in evaluation and in an
engine that renders the template on its own (vLLM with `--chat-template`).

The text equals that of the model's stock template, with these exceptions (tested in
`tests/common/chat/test_templates.py`):

- llama3.1, llama3.2: today's date is always "26 Jul 2024", the stock templates' own fallback. With the date
  fixed, the two families write the same text and share one file.
- gemma2: the stock template raises on a system message; here the system text and a blank line open the first
  user turn.
- mistral-v0.3: the stock template writes the system text only when the last message is the user's, and drops
  it from a conversation that ends with a reply. Here it stays in the last user turn, where the prompt that
  led to the reply had it.
- all: lists of tools raise, and so do messages with `tool_calls`: here a call is a line of JSON in the
  assistant's text (`common.chat.tools`), with "arguments" where Llama 3.1 has "parameters", and without the
  marks that Qwen 2.5 and Mistral v0.3 put around it.
- what a tool answers (role `tool`): as in the stock templates of llama3, llama3.1, llama3.2, qwen2.5 and
  qwen3; mistral-v0.3 has JSON text and no call id between its marks; gemma2 and tiny, which know no such
  role, write it as qwen2.5 does, a user turn with `<tool_response>` around it.
- all: other roles raise.

qwen3 is the format of Qwen3's Instruct models of July 2025, which never think (Qwen3-30B-A3B-Instruct-2507,
Qwen3-4B-Instruct-2507). Unlike qwen2.5 it has no system turn of its own. The first Qwen3 models, of April
2025, have another format: their stock template opens the last reply with an empty `<think>` block, so that
the text of a reply changes once a turn follows it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

FamilyName = Literal["llama3", "llama3.1", "llama3.2", "qwen2.5", "qwen3", "mistral-v0.3", "gemma2", "tiny"]

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Family:
    """One chat format: what its template writes and what its tokenizer must know.

    `end_of_turn` closes every assistant turn, is trained, and stops generation. `pad_token` exists in the
    family's vocabulary and is not `end_of_turn`. `special_tokens` are all that the template and the padding
    need, each one id. `prefix_stable`: the text before a turn stays the same when turns follow it.
    `system_role`: the stock template takes a system message.
    """

    name: FamilyName
    template_path: Path
    bos_token: str | None
    end_of_turn: str
    pad_token: str
    special_tokens: tuple[str, ...]
    prefix_stable: bool = True
    system_role: bool = True

    @cached_property
    def template(self) -> str:
        """The Jinja source, with `{% generation %}` around what the assistant writes."""
        return self.template_path.read_text(encoding="utf-8")


_LLAMA3_TURNS = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")


def _llama3(name: FamilyName, template: str, pad_token: str) -> Family:
    return Family(
        name=name,
        template_path=_TEMPLATES / template,
        bos_token="<|begin_of_text|>",
        end_of_turn="<|eot_id|>",
        pad_token=pad_token,
        special_tokens=(*_LLAMA3_TURNS, pad_token),
    )


FAMILIES: dict[str, Family] = {
    "llama3": _llama3("llama3", "llama3.jinja", "<|reserved_special_token_0|>"),
    "llama3.1": _llama3("llama3.1", "llama3.1.jinja", "<|finetune_right_pad_id|>"),
    "llama3.2": _llama3("llama3.2", "llama3.1.jinja", "<|finetune_right_pad_id|>"),
    "qwen2.5": Family(
        name="qwen2.5",
        template_path=_TEMPLATES / "qwen2.5.jinja",
        bos_token=None,
        end_of_turn="<|im_end|>",
        pad_token="<|endoftext|>",
        special_tokens=("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    ),
    "qwen3": Family(
        name="qwen3",
        template_path=_TEMPLATES / "qwen3.jinja",
        bos_token=None,
        end_of_turn="<|im_end|>",
        pad_token="<|endoftext|>",
        special_tokens=("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    ),
    "mistral-v0.3": Family(
        name="mistral-v0.3",
        template_path=_TEMPLATES / "mistral-v0.3.jinja",
        bos_token="<s>",
        end_of_turn="</s>",
        pad_token="<unk>",
        special_tokens=("<s>", "</s>", "<unk>", "[INST]", "[/INST]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        prefix_stable=False,
    ),
    "gemma2": Family(
        name="gemma2",
        template_path=_TEMPLATES / "gemma2.jinja",
        bos_token="<bos>",
        end_of_turn="<end_of_turn>",
        pad_token="<pad>",
        special_tokens=("<bos>", "<pad>", "<start_of_turn>", "<end_of_turn>"),
        system_role=False,
    ),
    "tiny": Family(
        name="tiny",
        template_path=_TEMPLATES / "tiny.jinja",
        bos_token="<|bos|>",
        end_of_turn="<|end|>",
        pad_token="<|pad|>",
        special_tokens=("<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"),
    ),
}
"""Every family by name. Configs hold a `FamilyName`."""
