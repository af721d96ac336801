"""Personal data out of pairs. Both replies are scrubbed as the next turn of one conversation."""

from collections.abc import Sequence

from alignment.pairs.formats import Pair
from data_pipeline.pii.config import PiiConfig

_BATCH = 64


def scrub(pairs: Sequence[Pair], config: PiiConfig) -> None:
    """Replace personal data in place, and note in `meta` how many spans of each type there were.

    The prompt's names are known to both replies; a system message is the company's own, and stays.
    """
    from common.console import track
    from data_pipeline.pii.engine import load_engine
    from data_pipeline.pii.scrub import Scrubber

    scrubber = Scrubber(config, load_engine(config))
    batches = [pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH)]
    for batch in track(batches, "personal data"):
        texts = [[*(m["content"] for m in _turns(pair)), pair.chosen, pair.rejected] for pair in batch]
        for pair, scrubbed in zip(batch, scrubber.scrub(texts), strict=True):
            *prompt, pair.chosen, pair.rejected = scrubbed.texts
            for message, content in zip(_turns(pair), prompt, strict=True):
                message["content"] = content
            pair.meta["pii"] = dict(sorted(scrubbed.counts.items()))


def _turns(pair: Pair) -> list[dict[str, str]]:
    return [message for message in pair.prompt if message["role"] != "system"]  # type: ignore[misc]
