"""A test score -> a text that cannot be read by mistake, and back.  stdlib only.

A person who opens a database in Datasette, DBeaver or DuckDB sees its tables. So a score is stored as a text whose characters and
order reveal nothing. It is not a secret: this file is the key, and anybody may use it. The first bytes are a digest of the score,
the rest is the score masked by that digest. So equal scores are equal texts, and a modified text is refused. Migration 0008 holds
a copy, since a migration must not import code that may change.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import blake2b, shake_256

_TAG_BYTES = 8


def seal(test_error_pct: float | None, test_loss: float | None) -> str:
    """Return a test score as a sealed text.

    >>> seal(6.0, 0.5)
    '6qSDJ5MBAog1r9RJMbKD62Zm'
    >>> unseal(seal(6.0, 0.5))
    (6.0, 0.5)
    """
    plain = json.dumps([test_error_pct, test_loss]).encode()
    tag = _tag(plain)
    return b64encode(tag + _masked(plain, tag)).decode()


def unseal(sealed: object) -> tuple[object, object]:
    """Return the error in percent and the loss, of any types. Raises ValueError for a text that `seal` cannot have made."""
    if not isinstance(sealed, str):
        raise ValueError("no text")
    raw = b64decode(sealed, validate=True)
    tag = raw[:_TAG_BYTES]
    plain = _masked(raw[_TAG_BYTES:], tag)
    if _tag(plain) != tag:
        raise ValueError("another digest")
    test_error_pct, test_loss = json.loads(plain)
    return test_error_pct, test_loss


def _tag(plain: bytes) -> bytes:
    return blake2b(plain, digest_size=_TAG_BYTES).digest()


def _masked(text: bytes, tag: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(text, shake_256(tag).digest(len(text)), strict=True))
