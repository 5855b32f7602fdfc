"""OSCAL's datatypes from any text: markup, property values, tokens, times, UUIDs.

Datatypes: https://pages.nist.gov/OSCAL/reference/datatypes/. Names and messages come from templates and accounts that
anybody may have written, so they can form no markup, and characters that cannot be printed are spelt out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.reports.jsontext import cleaned_text
from policyengine.reports.text import cut, visible

NS: Final = "urn:policyengine:oscal:1"
"""Namespace of our properties."""
NAMESPACE: Final = bytes.fromhex("a87d77f969b55fd4b7812bd831c14c83")
"""Namespace of our UUIDs: the UUIDv5 of :data:`NS` as a URL. A change of it changes every id of every document."""
UUID_BYTES: Final = 16
TEXT_LIMIT: Final = 2_000
VALUE_LIMIT: Final = 500

Json = dict[str, Any]

_MARKUP = re.compile(r"[\\`*~^<>\[\]{}&|#]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"^(?:(?=[-+=:])|(\d{1,9})(?=[.)](?:\s|$)))")
_PLAIN = re.compile(
    r"[A-Za-z/](?:[A-Za-z0-9 .,:;/()'\"=+@%$?!-]*[A-Za-z0-9.)'/])?"
)  # most text: shown as it is anyway
_ESCAPE = re.compile(r"_x([0-9a-f]{1,6})_")


def line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return ``text`` as a markup line that shows it as it is; a dash where there is nothing to show."""
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    shown = visible(cleaned_text(cut(text, limit))).strip()
    return _BLOCK.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", shown)) or "–"


def value(text: str, limit: int = VALUE_LIMIT) -> str:
    """Return ``text`` as a string: one line without white space around it, a dash where nothing is left."""
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    return visible(cleaned_text(cut(text, limit))).strip() or "–"


def prop(name: str, text: object, **more: str) -> Json:
    """Return a property in our namespace."""
    return {"name": name, "ns": NS, "value": value(str(text)), **more}


def props(found: Mapping[str, object]) -> list[Json]:
    """Return a property for each name whose value is not None or empty."""
    return [prop(name, text) for name, text in found.items() if text is not None and text != ""]


def some(**found: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is not empty, because OSCAL's arrays must not be; ``_`` in a name stands for ``-``."""
    return ((name.replace("_", "-"), what) for name, what in found.items() if what)


def uuid5(*names: str) -> str:
    """Return the UUIDv5 (RFC 9562 section 5.5) of the names in our namespace."""
    return uuid_text(uuid_bytes(*names))


def uuid_bytes(*names: str) -> bytes:
    """Return the 16 bytes of :func:`uuid5`."""
    text = "\0".join(names).encode("utf-8", "surrogatepass")
    raw = bytearray(hashlib.sha1(NAMESPACE + text, usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)


def uuid_text(raw: bytes) -> str:
    """Return 16 bytes as a UUID is written."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def token(text: str) -> str:
    """Return ``text`` as a token that can be read back (:func:`untoken`), e.g. ``soc_x20_2``.

    A token begins with a letter; what does not begin with one begins with its code point.
    """
    if text and not text[0].isalpha():
        return f"_x{ord(text[0]):x}_{tail(text[1:])}"
    return tail(text)


def tail(text: str) -> str:
    """Return ``text`` as what may follow within a token: all but letters, digits, dots and hyphens is ``_xHEX_``."""
    return "".join(ch if ch.isalnum() or ch in ".-" else f"_x{ord(ch):x}_" for ch in text)


def untoken(text: str) -> str:
    """Return what :func:`token` or :func:`tail` was given."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
