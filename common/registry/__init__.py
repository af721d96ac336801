"""Model registry: versions whose files are hashed, aliases that say which one serves, and who moved them.

    registry = Registry("sqlite:///out/mlflow.db")                   # or an MLflow server: "https://mlflow.example"
    version = registry.register("customer-support", Path("out/adapter"))
    registry.attach("customer-support", version.number, Path("out/report/evaluation_results.json"))
    registry.alias("customer-support", "champion", version.number, why="beats version 3 on every test set")
    folder = registry.fetch(registry.resolve("customer-support@champion"), Path("out/models"))

See docs/registry.md. MLflow is imported by the first call that needs it, not before.
"""

from common.registry.kinds import ADAPTER, EVALUATION, MODEL, Kind
from common.registry.registry import DEFAULT_URI, Registry
from common.registry.trail import ALIASES, Attached, Entry, Moved
from common.registry.versions import Damage, Version

__all__ = [
    "ADAPTER",
    "ALIASES",
    "DEFAULT_URI",
    "EVALUATION",
    "MODEL",
    "Attached",
    "Damage",
    "Entry",
    "Kind",
    "Moved",
    "Registry",
    "Version",
]
