"""A checksum inside the file that it is of, so that it cannot be lost: sha256 over all, its own digits as zeros."""

from __future__ import annotations

import hashlib
import re

_MARK = b"leadwise-sha256:"
_EMPTY = b"0" * 64
_SEAL = re.compile(re.escape(_MARK) + b"([0-9a-f]{64})")

EMPTY_SEAL = (_MARK + _EMPTY).decode()
"""What a file holds where its checksum will stand."""


def sealed(data: bytes) -> bytes:
    """The same bytes with their checksum in place of EMPTY_SEAL. Raises `ValueError` where there is no such place."""
    if data.count(_MARK + _EMPTY) != 1:
        raise ValueError("no single place for a checksum")
    return data.replace(_MARK + _EMPTY, _MARK + _digest(data))


def is_sealed(data: bytes) -> bool:
    """Whether a file holds one checksum, and it is right."""
    found = _SEAL.findall(data)
    return len(found) == 1 and _digest(_SEAL.sub(_MARK + _EMPTY, data)) == found[0]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
