"""One form for white space."""

import re

from data_pipeline.steps.message_text import MessageTextStep

_SPACES = re.compile(r"[ \t]+")
_AROUND_NEWLINE = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")


class NormaliseWhitespace(MessageTextStep):
    """See `normalise_whitespace`."""

    name = "White space"

    def format(self, text: str) -> str:
        return normalise_whitespace(text)


def normalise_whitespace(text: str) -> str:
    """One space between words, none around line breaks, one blank line at most, nothing at the ends."""
    text = _AROUND_NEWLINE.sub("\n", _SPACES.sub(" ", text))
    return _BLANK_LINES.sub("\n\n", text).strip()
