"""Merge an adapter into its base: a whole model in 16 bits, for engines and quantisers that want one.

    python -m sft.merge out/adapter
    python -m sft.merge out/adapter --output out/support_model --dtype float16

Before anything is written, the merged model is compared with base and adapter on fixed conversations.

Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.errors import UserError
from sft.release.merging import MergeConfig, merge


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sft.merge", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("adapter", type=Path, help="the output of sft.train")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write (default: ADAPTER_merged)")
    parser.add_argument(
        "--base", metavar="MODEL", help="the base, if it lies elsewhere than the adapter says"
    )
    parser.add_argument(
        "--dtype",
        choices=("bfloat16", "float16", "float32"),
        default="bfloat16",
        help="of the merged weights (default: bfloat16)",
    )
    arguments = parser.parse_args(argv)
    adapter: Path = arguments.adapter
    folder = adapter if adapter.name else adapter.resolve()  # '.' has no name
    output = arguments.output or folder.with_name(f"{folder.name}_merged")
    try:
        merge(MergeConfig(adapter=adapter, output=output, base=arguments.base, dtype=arguments.dtype))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
