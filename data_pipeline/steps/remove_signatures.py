"""Removes quoted mails and signatures, and counts them."""

from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.steps.mail_quotes import may_quote, squash, without_quotes
from data_pipeline.steps.mail_signatures import without_signature

_SPEAKERS = ("user", "assistant")


class RemoveSignatures(PipelineStep):
    """The metadata keep the numbers as `quotes_removed` and `signatures_removed`.

    Comes after the steps that make plain text with normal white space. What tools answer stays as it is.
    """

    name = "Quoted mails and signatures"
    type = "FORMAT"

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            with self.track_time():
                quotes, signatures = remove_signatures(document.metadata["messages"])
                document.metadata["quotes_removed"] = quotes
                document.metadata["signatures_removed"] = signatures
                self.stat_update("quotes", value=quotes)
                self.stat_update("signatures", value=signatures)
            yield document


def remove_signatures(messages: Any) -> tuple[int, int]:
    """Change the messages in place, and return how many quotations and signatures went."""
    earlier: list[str] = []
    all_quotes = all_signatures = 0
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict) or message.get("role") not in _SPEAKERS:
            continue
        text = message.get("content")
        if not isinstance(text, str):
            continue
        # Joined by what no text has after `squash`, so that a quotation is of one message.
        said = "\n".join(map(squash, earlier)) if may_quote(text) else ""
        earlier.append(text)
        text, quotes = without_quotes(text, said) if may_quote(text) else (text, 0)
        text, signatures = without_signature(text)
        message["content"] = text
        all_quotes += quotes
        all_signatures += signatures
    return all_quotes, all_signatures
