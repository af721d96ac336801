"""What is written in the place of personal data: Presidio's mask, hash and encrypt, or a placeholder.

`replace` needs nothing of Presidio, whose import takes seconds (it loads Transformers);
the others load it when they are chosen.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable

from common.errors import UserError
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.placeholders import placeholder_pattern, word

Operator = Callable[[str, str], str]
"""From an entity type and a value to what is written instead; the same arguments give the same text."""

_HASH_LENGTH = 16
"""Hexadecimal digits: 64 bits tell the values of a dataset apart."""
_SHORTEST_SALT = 16
_KEY_LENGTHS = (16, 24, 32)


def make_operator(config: PiiConfig) -> Operator:
    """The operator that `config` names. Raises UserError if its secret is not set or of a wrong length."""
    match config.operator:
        case "replace":
            return lambda entity_type, value: f"[{word(entity_type)}]"
        case "mask":
            return _mask()
        case "hash":
            return _hash(_secret(config))
        case "encrypt":
            return _encrypt(_secret(config))


def deanonymize(text: str, config: PiiConfig) -> str:
    """Put back what `encrypt` has written into `text`. Raises UserError if the key is missing or wrong."""
    from presidio_anonymizer.operators import Decrypt

    key = _secret(config)
    decrypt = Decrypt()

    def original(cipher: str) -> str:
        try:
            return str(decrypt.operate(cipher, {"key": key}))
        except ValueError:
            raise UserError("a value can't be decrypted", f"is {config.secret} the key of then?") from None

    return placeholder_pattern(config.patterns).sub(
        lambda match: (
            original(match["value"][1:]) if len(match["value"] or "") > _HASH_LENGTH + 1 else match[0]
        ),
        text,
    )


def _mask() -> Operator:
    from presidio_anonymizer.operators import Mask

    mask = Mask()
    return lambda entity_type, value: mask.operate(
        value, {"masking_char": "*", "chars_to_mask": len(value), "from_end": False}
    )


def _hash(salt: bytes) -> Operator:
    if len(salt) < _SHORTEST_SALT:
        raise UserError(f"the salt has {len(salt)} bytes", f"use {_SHORTEST_SALT} or more")
    from presidio_anonymizer.operators import Hash

    hashing = Hash()

    def operate(entity_type: str, value: str) -> str:
        digest = hashing.operate(value, {"hash_type": "sha256", "salt": salt})
        return f"[{word(entity_type)}:{digest[:_HASH_LENGTH]}]"

    return operate


def _encrypt(key: bytes) -> Operator:
    if len(key) not in _KEY_LENGTHS:
        raise UserError(f"the key has {len(key)} bytes", f"use one of {', '.join(map(str, _KEY_LENGTHS))}")
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    iv_key = hashlib.sha256(b"iv" + key).digest()

    def operate(entity_type: str, value: str) -> str:
        # Presidio's own operator draws the initialisation vector by chance: no build would equal another.
        # One made from the value, as in SIV modes (RFC 5297), only gives away which values are equal.
        vector = hmac.new(iv_key, value.encode(), hashlib.sha256).digest()[:16]
        padder = padding.PKCS7(128).padder()
        padded = padder.update(value.encode()) + padder.finalize()
        encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        cipher = base64.urlsafe_b64encode(vector + encryptor.update(padded) + encryptor.finalize())
        return f"[{word(entity_type)}:{cipher.decode()}]"

    return operate


def _secret(config: PiiConfig) -> bytes:
    if config.secret is None:
        raise UserError("no secret is named", "set pii.secret to the name of an environment variable")
    value = os.environ.get(config.secret)
    if not value:
        raise UserError(
            f"the environment variable {config.secret} is not set", "put the salt or the key into it"
        )
    return value.encode()
