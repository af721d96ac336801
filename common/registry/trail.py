"""A model's audit trail: what was attached and which alias was moved, by whom, when and why.

The trail is the truth about aliases and attachments, and a single write changes it. That one write decides is
what makes a move whole (the champion and the previous one change together), gated (nothing becomes champion
past `Registry.alias`), recorded, and safe among processes and machines that share no lock.

It lies in the parameters of an MLflow run, since these alone of all that MLflow keeps can be written once and
never changed: entry n is the parameter n, and of two processes that write it at once, one is refused and
looks again. MLflow's own aliases follow the trail, for its UI and for `models:/name@alias` elsewhere.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import TypeAdapter

from common.errors import UserError
from common.registry.store import Store, StoreError

CHAMPION, PREVIOUS = "champion", "previous"
ALIASES = (CHAMPION, "candidate", "shadow", PREVIOUS)
"""`previous` is the champion before this one; it follows by itself."""

_RUN_TAG = "trail_run"
_LONGEST_TEXT = 1000  # MLflow cuts a parameter at 6,000 characters without a word


@dataclass(frozen=True)
class Moved:
    """An alias went from one version to another; None where there was none, or is none any more."""

    alias: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Attached:
    """A file was added to a version, or replaced; `before` and `after` are SHA-256."""

    version: int
    file: str
    before: str | None
    after: str


@dataclass(frozen=True)
class Entry:
    """One line of the trail. `at` is UTC, by the clock of the machine that wrote it."""

    at: str
    who: str
    why: str
    change: Moved | Attached
    token: str


_ENTRY = TypeAdapter(Entry)


@dataclass
class State:
    """What a trail amounts to: the version of each alias, and SHA-256 by file name for each version.

    MLflow never gives a number out again, not even a deleted version's.
    """

    aliases: dict[str, int] = field(default_factory=dict)
    attachments: dict[int, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "State":
        """Replay a trail from its beginning."""
        state = cls()
        for entry in entries:
            change = entry.change
            if isinstance(change, Attached):
                state.attachments.setdefault(change.version, {})[change.file] = change.after
            elif change.after is None:
                state.aliases.pop(change.alias, None)
            else:
                state.aliases[change.alias] = change.after
                if change.alias == CHAMPION and change.before is not None:
                    state.aliases[PREVIOUS] = change.before
        return state


class Trail:
    """The trail of the model `name`, in the run `run_id`."""

    def __init__(self, store: Store, name: str, run_id: str) -> None:
        self.name = name
        self._store = store
        self._run_id = run_id

    @classmethod
    def find(cls, store: Store, name: str) -> "Trail | None":
        """None when there is no such model. Raises UserError when it was not registered here."""
        try:
            model = store.call(lambda client: client.get_registered_model(name))
        except StoreError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        if not has_trail(model.tags):
            raise UserError(
                f"the model '{name}' in MLflow was not registered by this registry", "choose another name"
            )
        return cls(store, name, model.tags[_RUN_TAG])

    @classmethod
    def find_or_create(cls, store: Store, name: str) -> "Trail":
        """The model and its trail, created where there is none. Model and tag appear in one write."""
        if (found := cls.find(store, name)) is not None:
            return found
        run = store.call(
            lambda client: client.create_run(store.experiment_id, run_name=f"{name}: audit trail")
        )
        store.call(lambda client: client.set_terminated(run.info.run_id))
        try:
            store.call(lambda client: client.create_registered_model(name, {_RUN_TAG: run.info.run_id}))
        except StoreError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS" or (found := cls.find(store, name)) is None:
                raise
            # Another process was faster; or it was this one, and MLflow's client has asked twice.
            if found._run_id != run.info.run_id:
                store.call(lambda client: client.delete_run(run.info.run_id))
            return found
        return cls(store, name, run.info.run_id)

    def entries(self) -> list[Entry]:
        """All entries, oldest first."""
        params = self._store.call(lambda client: client.get_run(self._run_id)).data.params
        return [_ENTRY.validate_json(params[key]) for key in sorted(params)]

    def append(self, decide: Callable[[State], Moved | Attached | None], who: str, why: str) -> None:
        """Add the change that `decide` makes of the present state, nothing for None.

        `decide` is asked again when another process was faster: its change is then part of the state.

        Raises:
            UserError: `who` or `why` is too long; or whatever `decide` raises.
        """
        if max(len(who), len(why)) > _LONGEST_TEXT:
            raise UserError(f"'who' and 'why' may have {_LONGEST_TEXT} characters each", "shorten them")
        while True:
            entries = self.entries()
            change = decide(State.of(entries))
            if change is None:
                return
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            # MLflow accepts the same value twice: the token keeps two processes' equal changes apart.
            entry = Entry(now, who, why, change, uuid.uuid4().hex)
            try:
                self._write(len(entries) + 1, entry)
            except StoreError as error:
                if error.code != "INVALID_PARAMETER_VALUE" or len(self.entries()) == len(entries):
                    raise
            else:
                return

    def publish(self) -> None:
        """Give MLflow's own aliases the values of the trail, until nobody has moved one meanwhile."""
        seen = -1
        while len(entries := self.entries()) != seen:
            seen = len(entries)
            wanted = State.of(entries).aliases
            model = self._store.call(lambda client: client.get_registered_model(self.name))
            for alias in ALIASES:
                present = model.aliases.get(alias)
                if alias not in wanted and present is not None:
                    self._delete(alias)
                elif alias in wanted and str(present) != str(wanted[alias]):
                    self._set(alias, str(wanted[alias]))

    def _write(self, number: int, entry: Entry) -> None:
        key, value = f"{number:06d}", _ENTRY.dump_json(entry).decode()
        self._store.call(lambda client: client.log_param(self._run_id, key, value))

    def _set(self, alias: str, number: str) -> None:
        try:
            self._store.call(lambda client: client.set_registered_model_alias(self.name, alias, number))
        except StoreError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":  # a version that somebody has deleted in MLflow
                raise

    def _delete(self, alias: str) -> None:
        self._store.call(lambda client: client.delete_registered_model_alias(self.name, alias))


def has_trail(tags: dict[str, str]) -> bool:
    """True for the tags of a model that this registry has created."""
    return _RUN_TAG in tags
