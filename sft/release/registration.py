"""Make a finished run the next version in the registry, and the candidate to become champion."""

from common.artifacts import Manifest, read_manifest
from common.console import say
from common.registry import ADAPTER, MODEL, Moved, Registry, Version
from sft import ranks
from sft.config import TrainConfig

_ALIAS = "candidate"
VOLATILE = ("metadata.json", "health.csv")
"""What differs between equal runs: it holds times and speeds."""


def register(config: TrainConfig) -> Version | None:
    """Register `config.output` as `config.register_as`, and point `candidate` at it; None where it is unset.

    To call it again changes nothing: a version with the same files is found, and only what a killed call has
    left undone is done. The candidate is not taken back from a newer version.

    Raises:
        UserError: the name is odd, the folder is not as it was written, or the registry can't be reached.
    """
    if config.register_as is None or not ranks.is_main():
        return None
    name, registry = config.register_as, Registry(config.tracking_uri)
    manifest = read_manifest(config.output)
    version = _find(registry, name, manifest)
    if version is None:
        version = registry.register(name, config.output, kind=MODEL if config.lora is None else ADAPTER)
        verb = "registered"
    else:
        verb = "registered already"
    pointed = _point(registry, version, _reason(manifest))
    say(f"{verb} as {name} version {version.number}" + (f", alias {_ALIAS}" if pointed else ""))
    return registry.version(name, version.number)


def _find(registry: Registry, name: str, manifest: Manifest) -> Version | None:
    """The newest version that has the files of `manifest`, but for times."""
    if name not in registry.models():
        return None
    wanted = {(file, entry["sha256"]) for file, entry in manifest.files.items() if file not in VOLATILE}
    found = [version for version in registry.versions(name) if wanted <= version.files.items()]
    return found[-1] if found else None


def _point(registry: Registry, version: Version, why: str) -> bool:
    """Make `version` the candidate, unless it has been one before or a newer one is; True if it is now."""
    for entry in registry.trail(version.name):
        if isinstance(entry.change, Moved) and (entry.change.alias, entry.change.after) == (
            _ALIAS,
            version.number,
        ):
            return _ALIAS in version.aliases
    present = [other.number for other in registry.versions(version.name) if _ALIAS in other.aliases]
    if present and present[0] > version.number:
        return False
    registry.alias(version.name, _ALIAS, version.number, why=why)
    return True


def _reason(manifest: Manifest) -> str:
    before, after = manifest.counts["base_eval_loss"], manifest.counts["best_eval_loss"]
    return f"validation loss {before:.2f} before, {after:.2f} after"
