"""RFC 8785: one text for one JSON value, and a reader that takes no other text.

:mod:`policyengine.model.canonical_json` is quicker and gives the same bytes for what we hash in bulk (integers, names in
the Basic Multilingual Plane); what is signed goes through here, where nothing is left open.
"""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Final

MAX_INTEGER: Final = 2**53 - 1
"""Integers beyond are not exact in every reader (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2)."""
MAX_DEPTH: Final = 32
_MAX_DIGITS: Final = 300


def encode(value: Any) -> bytes:
    """Return the canonical UTF-8 text.

    Raises ValueError for a number that is not finite, an integer of more than 53 bits, half of a surrogate pair, and
    for what is nested over :data:`MAX_DEPTH` deep; TypeError for what is no JSON.
    """
    pieces: list[str] = []
    _write(value, pieces, 0)
    return "".join(pieces).encode("utf-8")


def decode(data: bytes, *, most: int) -> Any:
    """Return the value of a canonical text of at most ``most`` bytes.

    Raises ValueError, in words, where it is longer, no JSON, nested too deep, has a name twice in an object, or is not
    byte for byte what :func:`encode` makes of its value.
    """
    if len(data) > most:
        raise ValueError(f"it has {len(data):,} bytes; at most {most:,} are expected")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError(f"it is nested over {MAX_DEPTH} deep") from None
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8") from None
    except json.JSONDecodeError as problem:
        raise ValueError(f"it is no JSON: {problem.msg.lower()} at byte {problem.pos}") from None
    if encode(value) != data:
        raise ValueError("it is not in canonical form (RFC 8785): the same content has another text")
    return value


def _write(value: Any, pieces: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested over {MAX_DEPTH} deep")
    if isinstance(value, str):
        pieces.append(encode_basestring(value))
    elif value is None or value is True or value is False:
        pieces.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("it has an integer of more than 53 bits")
        pieces.append(str(value))
    elif isinstance(value, float):
        pieces.append(_number(value))
    elif isinstance(value, dict):
        _write_object(value, pieces, depth)
    elif isinstance(value, list | tuple):
        before = "["
        for element in value:
            pieces.append(before)
            _write(element, pieces, depth + 1)
            before = ","
        pieces.append("]" if value else "[]")
    else:
        raise TypeError(f"{type(value).__name__} is no JSON")


def _write_object(value: dict[Any, Any], pieces: list[str], depth: int) -> None:
    if not all(isinstance(name, str) for name in value):
        raise TypeError("names of members are strings")
    before = "{"
    # section 3.2.3: by UTF-16 code units, in which astral characters come before U+E000 to U+FFFF
    for name in sorted(value, key=_utf16):
        pieces += (before, encode_basestring(name), ":")
        _write(value[name], pieces, depth + 1)
        before = ","
    pieces.append("}" if value else "{}")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """ECMAScript's Number::toString (ECMA-262 section 6.1.6.1.20), which RFC 8785 section 3.2.2.3 prescribes."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("it has a number that is not finite")
    if value == 0:
        return "0"
    sign, figures, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, figures)).rstrip("0")
    exponent += len(figures)  # value = 0.digits * 10**exponent
    text = _spelt(digits, exponent)
    return f"-{text}" if sign else text


def _spelt(digits: str, exponent: int) -> str:
    if len(digits) <= exponent <= 21:
        return digits + "0" * (exponent - len(digits))
    if 0 < exponent <= 21:
        return f"{digits[:exponent]}.{digits[exponent:]}"
    if -6 < exponent <= 0:
        return f"0.{'0' * -exponent}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{exponent - 1:+d}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {json.dumps(twice)} stands twice in one object")
    return value


def _integer(text: str) -> int | float:
    """Beyond 53 bits a number is a double, as for every reader of RFC 8785; whether it is exact shows in its text."""
    if len(text) > _MAX_DIGITS:
        raise ValueError("it has a number that is not finite")
    value = int(text)
    return value if abs(value) <= MAX_INTEGER else float(value)


def _no_constant(text: str) -> Any:
    raise ValueError(f"it has {text}, which is no JSON")
