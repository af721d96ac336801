"""Messages to token ids and the trained-token mask: the one module that every stage calls for it.

Importing it loads neither torch nor transformers.
"""

from common.chat.families import FAMILIES, Family, FamilyName
from common.chat.messages import Message, MessageError, Reason, Role, awaits_reply, disarm, normalise
from common.chat.render import Rendered, render_conversations, render_prompt, render_text
from common.chat.tokenizer import load_tokenizer
from common.chat.tools import ToolCall, read_calls, without_calls
from common.chat.view import trained_view

__all__ = [
    "FAMILIES",
    "Family",
    "FamilyName",
    "Message",
    "MessageError",
    "Reason",
    "Rendered",
    "Role",
    "ToolCall",
    "awaits_reply",
    "disarm",
    "load_tokenizer",
    "normalise",
    "read_calls",
    "render_conversations",
    "render_prompt",
    "render_text",
    "trained_view",
    "without_calls",
]
