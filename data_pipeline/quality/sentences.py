"""Sentences of a reply, and which of them say something: greetings, thanks and sign-offs don't."""

import re

from data_pipeline.quality.phrases import pattern

_ABBREVIATED = (r"[ap]\.m\.", r"\b[A-Z]\.", r"\be\.g\.", r"\bi\.e\.", r"\b[Nn]o\.", r"\b[MD]r\.", r"\bMrs\.")
_END = re.compile(
    "".join(f"(?<!{text})" for text in _ABBREVIATED)
    + r"(?<=[.!?…])[*_\"')]*\s+|(?<=[。！？])|\n+|(?<=;)\s|(?<=:)\s(?=[A-Z])"
)

_NAME = r"(?-i:[A-Z][\w'’.-]*|\[[A-Z_0-9]+\])"  # or its placeholder
# "Dear Ann, " or "Hi, this is Bo from the claims team. " before the first thing that is said.
_GREETING = re.compile(
    r"^\W{0,3}(?:hi|hello|hey|hiya|dear|greetings|good (?:day|morning|afternoon|evening))\b"
    rf"(?:(?: there| again| everyone| all)?,?(?: (?:mr|mrs|ms|dr)\.?)?(?: {_NAME}){{0,3}})?"
    r"\s?(?:[,!.:–—-]+|(?=\n)|$)\s*",
    re.IGNORECASE,
)
_SELF = re.compile(
    rf"^(?:this is|my name is|i am|i'm|it's)?\s?{_NAME}"
    r"(?: (?:from|of|with|at) [^.!?\n]{1,30}| here| speaking)[.!,]\s*",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"^\s*(?:--\s?|(?:(?:with )?(?:best|kind|kindest|warm|warmest|many|friendly) (?:regards|wishes|greetings)"
    r"|regards|best|cheers|sincerely|yours(?: sincerely| faithfully| truly)?|all the best|take care"
    r"|thanks|thank you)\s*[,.!]?\s*)$",
    re.IGNORECASE | re.MULTILINE,
)
_STOCK = pattern("stock", whole=True)


def sentences(text: str) -> list[str]:
    """Sentences, list items and clauses behind a semicolon or colon, in order, without blank ones.

    >>> sentences("Open from 9 a.m. to noon. On Sunday: Closed.")
    ['Open from 9 a.m. to noon.', 'On Sunday:', 'Closed.']
    """
    return [part.strip() for part in _END.split(text) if part and part.strip()]


def is_stock(sentence: str) -> bool:
    """Whether the sentence would fit any reply to anybody.

    >>> is_stock("Thank you for contacting us!"), is_stock("Thank you, the blue one is 30 cm wide.")
    (True, False)
    """
    return _STOCK.match(sentence) is not None


def body(text: str) -> str:
    """The reply without its greeting and all that follows a sign-off.

    >>> body("Hi Ann, this is Bo from Gas & Light. The meter is read in May.\\n\\nKind regards,\\nBo")
    'The meter is read in May.'
    """
    if sign_off := _SIGN_OFF.search(text):
        text = text[: sign_off.start()] or text
    text = _GREETING.sub("", text, count=1)
    return _SELF.sub("", text, count=1).strip()


def core(text: str) -> list[str]:
    """The sentences of `body` that are no stock phrases.

    >>> core("Hello! Thanks for your patience. The depot opens at 8. Have a nice day!")
    ['The depot opens at 8.']
    """
    return [sentence for sentence in sentences(body(text)) if not is_stock(sentence)]
