"""Lengths in tokens, as training sees them."""

from collections.abc import Sequence

from common.chat import FAMILIES, FamilyName, load_tokenizer, render_conversations


class TokenCounter:
    """Counts the tokens of rendered conversations. Raises UserError when the tokenizer can't be loaded."""

    def __init__(self, tokenizer: str, chat_template: FamilyName) -> None:
        self.family = FAMILIES[chat_template]
        self.tokenizer = load_tokenizer(tokenizer, self.family)

    def count(self, conversations: Sequence[object]) -> list[int]:
        """Tokens of each conversation; of its longest example where training makes several of it."""
        rendered = render_conversations(self.tokenizer, self.family, conversations)
        return [max(len(example.input_ids) for example in examples) for examples in rendered]
