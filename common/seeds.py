"""The project's default seeds, and a stable hash for decisions that must not depend on row order."""

import hashlib

DATA_SPLIT = 42
MODEL_INIT = 123
SAMPLER = 2024
SYNTHETIC = 7
BOOTSTRAP = (2025, 2026, 2027)


def unit_hash(key: str, seed: int) -> float:
    """Map `key` to a number in [0, 1) that depends on nothing but `key` and `seed`.

    Used to split groups of rows: adding a row never moves another one.
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
