"""How every command starts and ends: CONFIG, `key=value` overrides, `--dry-run`, `--force`, exit codes.

    if __name__ == "__main__":
        run(train, TrainConfig, __doc__)

Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 a gate did not pass.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from common.config import ConfigT, load
from common.errors import UserError

ALL_GPUS = "all"
"""What `--estimate` without a GPU asks for."""


@dataclass(frozen=True)
class Options:
    """What the command line says beside the config."""

    dry_run: bool = False
    force: bool = False
    estimate: str | None = None
    """A GPU's name, or ALL_GPUS; only for commands that offer `--estimate`."""


def run(
    function: Callable[[ConfigT, Options], None],
    model: type[ConfigT],
    doc: str | None,
    argv: Sequence[str] | None = None,
    *,
    estimates: bool = False,
) -> NoReturn:
    """Load the config named on the command line, call `function(config, options)` and exit.

    `estimates`: the command answers `--estimate [GPU]` too.
    """
    try:
        config, options = parse(model, doc, argv, estimates=estimates)
        function(config, options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno is None:
            raise
        print(f"error: {error.strerror}: {error.filename or 'while writing'}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def parse(
    model: type[ConfigT],
    doc: str | None,
    argv: Sequence[str] | None = None,
    *,
    estimates: bool = False,
) -> tuple[ConfigT, Options]:
    """Parse `CONFIG [key=value ...] [--dry-run] [--force] [--estimate [GPU]]`.

    An estimate may be made before its inputs exist. Raises ConfigError with every problem.
    """
    parser = argparse.ArgumentParser(
        prog=_program_name(), description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="a YAML file, e.g. from configs/")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="values that replace the file's")
    parser.add_argument("--dry-run", action="store_true", help="show what would happen, and stop")
    parser.add_argument("--force", action="store_true", help="redo what is up to date")
    if estimates:
        what = "memory and time on a GPU, e.g. H100, without running there; no GPU: all known ones"
        parser.add_argument("--estimate", nargs="?", const=ALL_GPUS, metavar="GPU", help=what)
    arguments = parser.parse_intermixed_args(argv)
    estimate = getattr(arguments, "estimate", None)
    if estimate and "=" in estimate:  # an override that stood behind the flag
        arguments.overrides.append(estimate)
        estimate = ALL_GPUS
    config = load(model, arguments.config, arguments.overrides, check_paths=estimate is None)
    return config, Options(dry_run=arguments.dry_run, force=arguments.force, estimate=estimate)


def _program_name() -> str:
    module = getattr(sys.modules["__main__"].__spec__, "name", None) or os.path.basename(sys.argv[0])
    return f"python -m {module.removesuffix('.__main__')}"
