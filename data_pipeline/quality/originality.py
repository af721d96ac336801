"""Whether a reply says something of its own: 0 for phrases that fit any question."""

from common.retrieval.words import terms
from data_pipeline.quality.dialogue import Turn
from data_pipeline.quality.sentences import is_stock, sentences

_FULL_WORDS = 12
"""Words of a reply that can say enough, where no knowledge base measures it; a short "yes, it is" can't."""


def originality(turn: Turn, vague: float, grounding: float | None) -> float:
    """1 for a reply full of the matter, 0 for stock phrases.

    The product of the share that is no stock phrase, of how little it sounds like vague replies, and of how
    much it says.

    Args:
        vague: probability that it is vague.
        grounding: how much of the company's knowledge it holds, 0 to 1 (`Knowledge.grounding`); None counts
            words in its place.
    """
    if not turn.core:
        return 0.0
    said = sentences(turn.reply)
    stock = sum(len(sentence) for sentence in said if is_stock(sentence)) / max(1, sum(map(len, said)))
    if grounding is None:
        grounding = min(1.0, len(set(terms(" ".join(turn.core)))) / _FULL_WORDS)
    return (1.0 - stock) * (1.0 - vague) * grounding
