"""The share of texts in which personal data is found, for texts that hold almost none.

    python -m benchmarks.pii_false_alarms ../shared/data/banking77/test.jsonl.gz

FILE is JSON Lines (also gzipped) with the key `text`. Texts with a span are counted: of each type, of the
types that a build takes out, and of all. `--show N` prints N findings of each type: for public texts only.
"""

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from common.config import load
from common.console import say, table
from data_pipeline.pii.config import ALL_TYPES, PiiConfig
from data_pipeline.pii.engine import load_engine


def main(argv: Sequence[str] | None = None) -> None:
    """Print the shares, by type and of any type."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--config", type=Path, metavar="YAML", help="a PiiConfig; default: that of a build")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N findings of each type")
    arguments = parser.parse_args(argv)
    config = load(PiiConfig, arguments.config) if arguments.config else PiiConfig()
    engine = load_engine(config.model_copy(update={"entity_types": list(ALL_TYPES)}))
    for file in arguments.files:
        texts = _texts(file)
        flagged: Counter[str] = Counter()
        shown: dict[str, list[str]] = defaultdict(list)
        for text, spans in zip(texts, engine.find(texts), strict=True):
            types = {span.entity_type for span in spans}
            flagged.update(types | {"ALL TYPES"} if types else ())
            flagged.update({"A BUILD'S TYPES"} if types.intersection(config.entity_types) else ())
            for span in spans:
                shown[span.entity_type].append(f"{text[span.start : span.end]!r} in {text!r}")
        rows = [(name, count, f"{count / len(texts):.2%}") for name, count in flagged.most_common()]
        table(f"{file.parent.name}/{file.name}: {len(texts):,} texts", ("type", "texts", "share"), rows)
        for name, examples in shown.items() if arguments.show else ():
            for example in examples[: arguments.show]:
                say(f"{name}: {example}")


def _texts(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


if __name__ == "__main__":
    main()
