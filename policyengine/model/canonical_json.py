"""One text for one JSON value, so that equal values have equal hashes."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Return the canonical UTF-8 text of plain JSON: members sorted by code point, no white space.

    It is RFC 8785's text where numbers are integers and member names lie in the Basic Multilingual Plane. Raises
    ValueError for NaN and infinities, TypeError for what is no JSON.
    """
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """Return ``sha256:`` and the hash of the canonical text."""
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"
