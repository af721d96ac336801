"""Show which tokens of an example are trained."""

from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from common.chat.render import Rendered

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TRAINED = "green"
CONTEXT = "grey50"
SPECIAL = "bold reverse"


def trained_view(tokenizer: "PreTrainedTokenizerBase", example: Rendered) -> Text:
    """Return the example's text, trained tokens in green and context in grey, special tokens in reverse.

    A count of the tokens comes first; line breaks are drawn, since some of them are trained and others not.
    The text is that of a conversation: print it where a person asked to see it, never into a log.
    """
    special_ids = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    trained = sum(example.trained)
    view = Text()
    view.append(f"{len(example.input_ids)} tokens, {trained} trained", style="bold")
    view.append(" (")
    for word, style in (("trained", TRAINED), ("context", CONTEXT)):
        view.append(word, style=style)
        view.append(", ")
    view.append("special", style=SPECIAL)
    view.append(")\n")
    # Decoded in runs, not token by token: a character may be spread over several tokens.
    tokens = zip(example.input_ids, example.trained, strict=True)
    for (is_trained, is_special), run in groupby(tokens, key=lambda t: (t[1], t[0] in special_ids)):
        text = tokenizer.decode([index for index, _ in run], skip_special_tokens=False)
        style = f"{SPECIAL if is_special else ''} {TRAINED if is_trained else CONTEXT}".strip()
        view.append(text.replace("\n", "↵\n"), style=style)
    return view
