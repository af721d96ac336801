"""Check 4: no personal data, and no placeholders but those of the dataset."""

import re
from collections.abc import Callable, Iterable, Sequence

from common.chat import Message
from common.retrieval import Passage
from data_pipeline.pii.placeholders import placeholder_pattern
from data_pipeline.pii.spans import Span

FindPii = Callable[[Sequence[str]], Sequence[Sequence[Span]]]
"""The personal data in each text, as `PiiEngine.find` gives it."""

# [your name], {order}, <email>, %NAME%, XXX, DD/MM, ____; but not [a link](with its address).
_BLANK = re.compile(
    r"\[[^\]\n]{1,40}\](?!\()|\{\{?[^{}\n]{1,40}\}?\}|<[A-Za-z][\w .-]{0,30}>|%\w{2,30}%|\b[Xx]{2,}\b"
    r"|\b(?:DD|MM|YYYY)\b|_{3,}|\bTODO\b|\b[Ll]orem ipsum\b"
)


class Personal:
    """Looks at conversations.

    What the knowledge base holds, a series' title or the shop's own address say, is no personal data.
    """

    def __init__(self, find: FindPii, passages: Sequence[Passage], own_types: Iterable[str] = ()) -> None:
        self._find = find
        self._public = "\n".join(passage.text for passage in passages).casefold()
        self._placeholder = placeholder_pattern(own_types)

    def faults(self, conversations: Sequence[Sequence[Message]]) -> list[str | None]:
        """For each conversation `blank`, `found: <its types>`, or None."""
        texts = ["\n\n".join(message["content"] for message in messages) for messages in conversations]
        return [self._fault(*each) for each in zip(texts, self._find(texts), strict=True)]

    def _fault(self, text: str, spans: Sequence[Span]) -> str | None:
        if _BLANK.search(self._placeholder.sub("", text)):
            return "blank"
        types = {
            span.entity_type for span in spans if text[span.start : span.end].casefold() not in self._public
        }
        return f"found: {', '.join(sorted(types))}" if types else None
