"""Failures that a person can mend, told without a traceback."""


class UserError(Exception):
    """An expected failure: says what is wrong and how to fix it. Commands print it and exit 1."""

    exit_code = 1

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  fix: {self.fix}" if self.fix else self.what


def cannot_load(what: str, name: str, error: Exception) -> UserError:
    """The error for a model or tokenizer that transformers could not load from a folder or a hub."""
    return UserError(
        f"can't load {what} '{name}': {str(error).splitlines()[0]}",
        "check the name; for a gated model accept its licence and log in with 'hf auth login'; "
        "offline, give a folder",
    )


class ConfigError(UserError):
    """Wrong usage or a config file that does not validate: exit 2."""

    exit_code = 2


class GateError(UserError):
    """The work was done, but a gate did not pass: exit 3."""

    exit_code = 3
