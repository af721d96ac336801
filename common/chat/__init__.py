"""Messages to token ids and the trained-token mask: the one module that every stage calls for it.

Importing it loads neither torch nor transformers.
"""

from common.chat.families import FAMILIES, Family, FamilyName
from common.chat.messages import Message, MessageError, Reason, Role, disarm, normalise
from common.chat.render import Rendered, render_conversations, render_prompt, render_text
from common.chat.tokenizer import load_tokenizer
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
    "disarm",
    "load_tokenizer",
    "normalise",
    "render_conversations",
    "render_prompt",
    "render_text",
    "trained_view",
]
