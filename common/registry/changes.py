"""The two changes that go into the audit trail: a file is attached to a version, an alias moves."""

from pathlib import Path
from tempfile import TemporaryDirectory

from common.errors import GateError, UserError
from common.provenance import file_hash
from common.registry.kinds import EVALUATION, check_file_name, read_json
from common.registry.store import Store
from common.registry.trail import ALIASES, CHAMPION, PREVIOUS, Attached, Moved, State, Trail
from common.registry.versions import Version, attachment_folder


def attach(
    store: Store, trail: Trail, version: Version, file: Path, *, replace: bool, who: str, why: str
) -> None:
    """See `Registry.attach`. The file is in the store before the one write that makes it the version's."""
    check_file_name(file.name)
    if file.name in version.files:
        what = f"'{file.name}' of {version.label} was registered with it: such files never change"
        raise UserError(what, "register the changed folder as a new version")
    if not file.is_file():
        raise UserError(f"no such file: '{file}'", "give the file that the stage wrote")
    if file.name == EVALUATION:
        read_json(file)
    sha256 = file_hash(file)

    def decide(state: State) -> Attached | None:
        before = state.attachments.get(version.number, {}).get(file.name)
        if before is not None and before != sha256 and not replace:
            raise UserError(
                f"{version.label} has another '{file.name}' already",
                "register the folder again for a new evaluation, or attach it with replace",
            )
        return None if before == sha256 else Attached(version.number, file.name, before, sha256)

    if decide(State.of(trail.entries())) is None:
        return  # nothing is uploaded for what is there already, or is refused
    store.upload(version.run_id, file, attachment_folder(sha256))
    with TemporaryDirectory() as folder:
        place = f"{attachment_folder(sha256)}/{file.name}"
        if file_hash(store.download(version.run_id, place, Path(folder))) != sha256:
            raise UserError(f"'{file}' has changed while it was copied", "attach it again")
    trail.append(decide, who, why)


def move(trail: Trail, alias: str, version: Version | None, *, who: str, why: str) -> None:
    """See `Registry.alias`."""
    if alias not in ALIASES or alias == PREVIOUS:
        settable = ", ".join(known for known in ALIASES if known != PREVIOUS)
        raise UserError(f"no alias '{alias}' can be set", f"use one of {settable}")
    if not why.strip():
        raise UserError(f"no reason is given for moving {alias}", "say why: the audit trail keeps it")
    if alias == CHAMPION and version is None:
        raise UserError("the champion can't be taken away", "make another version champion")
    if alias == CHAMPION and version is not None and EVALUATION not in version.hashes:
        what = f"{version.label} can't become champion: it has no {EVALUATION}"
        raise GateError(what, "evaluate it, and attach the results")
    after = None if version is None else version.number

    def decide(state: State) -> Moved | None:
        before = state.aliases.get(alias)
        return None if before == after else Moved(alias, before, after)

    trail.append(decide, who, why)
    trail.publish()
