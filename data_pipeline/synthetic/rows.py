"""What is written: a line a conversation, whether it is kept or not."""

import json
from collections.abc import Sequence
from typing import Any

from common.chat import Message
from common.generation import Reply
from common.provenance import digest
from data_pipeline.synthetic.checks import Candidate
from data_pipeline.synthetic.plan import Request
from data_pipeline.synthetic.reply import ReplyError

Row = dict[str, Any]
_SHORT = 16


def prompt_hash(messages: Sequence[Message]) -> str:
    """16 hex digits that stand for what the model was asked."""
    return digest(json.dumps(messages, ensure_ascii=False))[:_SHORT]


def kept_row(candidate: Candidate, model: str, prompt: Sequence[Message]) -> Row:
    """A row as a build's source of type `synthetic` reads it.

    `conversation_id` is the passage: a build puts all that was written from it into one split, so that its
    facts are not asked for in test after they were learned in train.
    """
    request = candidate.request
    return {
        "id": request.id,
        "conversation_id": request.passages[0].id,
        "messages": candidate.messages,
        "origin": "synthetic",
        "synthetic": {
            **_asked(request, model, prompt),
            "checks": candidate.passed,
            "answers_by": candidate.answers_by,
        },
    }


def rejected_row(candidate: Candidate, model: str, prompt: Sequence[Message]) -> Row:
    """The conversation, with the reason and what each check says."""
    return {
        "id": candidate.request.id,
        "reason": candidate.reason,
        "messages": candidate.messages,
        "synthetic": {
            **_asked(candidate.request, model, prompt),
            "checks": candidate.passed,
            "failed": candidate.failed,
            "not_measured": candidate.not_measured,
            "answers_by": candidate.answers_by,
        },
    }


def unread_row(
    request: Request, reply: Reply, error: ReplyError, model: str, prompt: Sequence[Message]
) -> Row:
    """A reply that holds no conversation, or the reason why there is no reply."""
    return {
        "id": request.id,
        "reason": f"form: {error.reason}",
        "detail": str(error),
        "reply": reply.text,
        "synthetic": _asked(request, model, prompt),
    }


def _asked(request: Request, model: str, prompt: Sequence[Message]) -> Row:
    return {
        "model": model,
        "prompt_hash": prompt_hash(prompt),
        "passages": [passage.id for passage in request.passages],
        "persona": request.persona,
        "difficulty": request.difficulty,
        "language": request.language,
        "tone": request.tone,
    }
