"""The registry itself: see the package's docstring for its use."""

import getpass
import os
import platform
import re
from pathlib import Path

from common.errors import UserError
from common.registry import changes, versions
from common.registry.kinds import ADAPTER, Kind, inspect
from common.registry.staging import staging
from common.registry.store import Store, StoreError
from common.registry.trail import ALIASES, Entry, State, Trail, has_trail
from common.registry.versions import Damage, Version

DEFAULT_URI = "sqlite:///out/mlflow.db"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<number>[0-9]{1,9}))")


class Registry:
    """Models, versions and aliases in MLflow at `uri`: `sqlite:///PATH`, or the URL of a tracking server.

    With SQLite, files go to a folder beside the database (`mlflow.db`, `mlflow-artifacts/`); a server puts
    them where it was told to. `who` below is this process's user and machine unless it is given. Every method
    raises UserError when MLflow fails or can't be reached.
    """

    def __init__(self, uri: str = DEFAULT_URI) -> None:
        self._store = Store(uri)

    def register(
        self,
        name: str,
        folder: Path,
        *,
        kind: Kind = ADAPTER,
        description: str | None = None,
        who: str | None = None,
    ) -> Version:
        """Copy `folder` to the registry and make it the next version of `name`, whole or not at all.

        The copy is read back and compared before the version appears. `description` is that of metadata.json
        unless it is given; the other texts there become the lineage.

        Raises:
            UserError: a name is odd, a file that `kind` needs is missing, or the folder is damaged.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"'{name}' can't be a model's name",
                "use up to 100 lower-case letters, digits, '.', '_' and '-', a letter or digit first",
            )
        hashes, metadata = inspect(folder, kind)
        text = metadata["description"] if description is None else description
        with staging(self._store, f"{name}: {text}"[:100]) as run:
            self._store.upload(run.info.run_id, folder)
            if damage := versions.damage(self._store, run.info.run_id, hashes, {}):
                raise UserError(f"'{folder}' has changed while it was copied ({damage})", "register it again")
            trail = Trail.find_or_create(self._store, name)
            tags = versions.tags(kind.name, who or _user(), hashes, metadata)
            found = self._store.call(
                lambda client: client.create_model_version(
                    name, run.info.artifact_uri, run.info.run_id, tags, description=text, await_creation_for=0
                )
            )
        return Version.of(found, State.of(trail.entries()))

    def attach(
        self,
        name: str,
        number: int,
        file: Path,
        *,
        replace: bool = False,
        why: str = "",
        who: str | None = None,
    ) -> Version:
        """Add `file` to a version under its own name: `evaluation_results.json`, or another.

        To attach the same content again does nothing. Other content under the same name needs `replace`; the
        audit trail then holds both hashes, and the store both files.

        Raises:
            UserError: no such version; the file was registered with it, or attached with other content.
        """
        version, trail = self.version(name, number), self._trail(name)
        changes.attach(self._store, trail, version, file, replace=replace, who=who or _user(), why=why)
        return self.version(name, number)

    def alias(self, name: str, alias: str, number: int | None, *, why: str, who: str | None = None) -> None:
        """Point `alias` (champion, candidate or shadow) at a version; None takes it away.

        Moving the champion is one write, which makes the former one `previous` and is recorded in the trail
        with `who` and `why`. Where the alias is at that version already, nothing is recorded.

        Raises:
            GateError: champion, for a version without evaluation_results.json.
            UserError: no such alias or version, or no reason is given.
        """
        version = None if number is None else self.version(name, number)
        changes.move(self._trail(name), alias, version, who=who or _user(), why=why)

    def resolve(self, reference: str) -> Version:
        """The version that `NAME@ALIAS` or `NAME/NUMBER` means, also with `models:/` before it as in MLflow.

        Raises:
            UserError: no such model, alias or version; it says which there are.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            what = f"'{reference}' names no version"
            raise UserError(what, "write NAME@ALIAS or NAME/NUMBER, such as customer-support@champion")
        name, alias, number = match.group("name", "alias", "number")
        if number is not None:
            return self.version(name, int(number))
        state = State.of(self._trail(name).entries())
        if alias not in state.aliases:
            there = ", ".join(f"{known} (version {v})" for known, v in sorted(state.aliases.items()))
            problem = "has no" if alias in ALIASES else "can have no alias"
            raise UserError(f"'{name}' {problem} '{alias}'", f"it has {there or 'no aliases yet'}")
        return self._version(name, state.aliases[alias], state)

    def version(self, name: str, number: int) -> Version:
        """Raises UserError when there is no such model or version; it says which there are."""
        return self._version(name, number, State.of(self._trail(name).entries()))

    def versions(self, name: str) -> list[Version]:
        """All versions registered here, oldest first. Raises UserError when there is no such model."""
        state = State.of(self._trail(name).entries())
        found = self._store.pages(
            lambda client, token: client.search_model_versions(f"name = '{name}'", page_token=token)
        )
        ours = (Version.of(one, state) for one in found if versions.has_kind(one.tags))
        return sorted(ours, key=lambda version: version.number)

    def models(self) -> list[str]:
        """Names of all models of this registry."""
        found = self._store.pages(lambda client, token: client.search_registered_models(page_token=token))
        return sorted(model.name for model in found if has_trail(model.tags))

    def trail(self, name: str) -> list[Entry]:
        """Who attached what and moved which alias, when and why, oldest first."""
        return self._trail(name).entries()

    def verify(self, name: str, number: int) -> Damage:
        """Compare the SHA-256 of a version's stored files with those recorded; a server's are downloaded."""
        version = self.version(name, number)
        return versions.damage(self._store, version.run_id, version.files, version.attachments)

    def fetch(self, version: Version, folder: Path) -> Path:
        """Bring a version's files and attachments to `folder`/NAME-vNUMBER, every one checked; return that.

        The folder appears whole or not at all. Only what is missing there, or differs, is copied: to fetch
        again is cheap, and works without the store's files.

        Raises:
            UserError: a stored file is missing, or is not what was registered.
        """
        return versions.fetch(self._store, version, folder)

    def _version(self, name: str, number: int, state: State) -> Version:
        try:
            found = self._store.call(lambda client: client.get_model_version(name, str(number)))
        except StoreError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            there = ", ".join(str(version.number) for version in self.versions(name))
            raise UserError(f"'{name}' has no version {number}", f"it has {there or 'none yet'}") from None
        return Version.of(found, state)

    def _trail(self, name: str) -> Trail:
        if (trail := Trail.find(self._store, name)) is None:
            there = ", ".join(self.models())
            raise UserError(f"the registry has no model '{name}'", f"it has {there or 'none yet'}")
        return trail


def _user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"uid {os.getuid()}"
    return f"{user}@{platform.node()}"
