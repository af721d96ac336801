"""Compare two datasets: what made them, which rows came, went, moved or changed, and how the mix drifted.

    python -m data_pipeline.diff out/dataset_old out/dataset_new --json out/diff.json

Exit codes: 0 compared (whether or not they differ), 1 one of them can't be read, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common import console
from common.errors import UserError
from data_pipeline.diff.compare import diff
from data_pipeline.diff.show import show


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m data_pipeline.diff",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, help="a dataset: the output of data_pipeline.build")
    parser.add_argument("after", type=Path, help="another one")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all of it to this file too")
    arguments = parser.parse_args(argv)
    try:
        found = diff(arguments.before, arguments.after)
        if arguments.json is not None:
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    show(found)
    if arguments.json is not None:
        console.say(f"written to {arguments.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
