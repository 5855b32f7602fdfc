"""What a plain (unquoted, untagged) YAML word means, per style."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from policyengine.documents.errors import Style, shown

Scalar = str | int | float | bool | None

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_YES: Final = frozenset({"yes", "Yes", "YES", "on", "On", "ON"})
_NO: Final = frozenset({"no", "No", "NO", "off", "Off", "OFF"})
_LETTERS: Final = frozenset({"y", "Y", "n", "N"})

_MAY_MEAN: Final = frozenset("0123456789+-.~nNtTfFyYoO")
"""First letters of words that YAML gives a meaning; every other word is text."""

_LONGEST: Final = 60
"""Longer words are text whatever they look like: no number AWS takes has so many digits."""

_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL_11: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_OCTAL_11: Final = re.compile(r"[-+]?0[0-7][0-7_]*")
_HEX: Final = re.compile(r"[-+]?0x[0-9a-fA-F][0-9a-fA-F_]*")
_BINARY: Final = re.compile(r"[-+]?0b[01][01_]*")
_FLOAT_11: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_FLOAT_12: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_PLAIN_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_NUMBERISH: Final = re.compile(r"[-+]?0o[0-7]+|[-+]?0[0-9_]+|[-+]?[0-9][0-9_]*")


class AmbiguousError(ValueError):
    """A plain word that YAML readers understand differently; the text says what to write."""


def cloudformation(text: str) -> Scalar:
    """Return what CloudFormation reads: YAML 1.1 without dates and base-60 numbers.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html: YAML 1.1,
    but no ``timestamp`` among others, so that ``2012-10-17`` stays text.
    """
    if (text and text[0] not in _MAY_MEAN) or len(text) > _LONGEST:
        return text
    word = _word(text, _TRUE | _YES, _FALSE | _NO)
    if word is not text:
        return word
    if _DECIMAL_11.fullmatch(text):
        return int(text.replace("_", ""))
    bare = text.replace("_", "")
    for pattern, base in ((_OCTAL_11, 8), (_HEX, 16), (_BINARY, 2)):
        if pattern.fullmatch(text):
            return int(bare, base)
    if _FLOAT_11.fullmatch(text):
        return _finite(bare, text)
    return text


def data(text: str) -> Scalar:
    """Return the least surprising reading: true, false, null, decimal numbers, else text."""
    if (text and text[0] not in _MAY_MEAN) or len(text) > _LONGEST:
        return text
    word = _word(text, _TRUE, _FALSE)
    if word is not text:
        return word
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _FLOAT_12.fullmatch(text):
        return _finite(text, text)
    return text


def strict(text: str) -> Scalar:
    """Return true, false, null, a plain decimal number or text; raise AmbiguousError for the rest."""
    if (text and text[0] not in _MAY_MEAN) or len(text) > _LONGEST:
        return text
    if text == "" or text == "null" or text == "~":
        return None
    if text == "true" or text == "false":
        return text == "true"
    if text[0] != "+" and _DECIMAL.fullmatch(text):
        return int(text)
    if _PLAIN_FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    reason = _trap(text)
    if reason:
        raise AmbiguousError(f'{shown(text)} {reason}: write `"{text}"` for the text{_instead(text)}')
    return text


CONVERT: Final[dict[Style, Callable[[str], Scalar]]] = {
    "data": data,
    "cloudformation": cloudformation,
    "strict": strict,
}


def _word(text: str, true: frozenset[str], false: frozenset[str]) -> Scalar:
    if text in _NULLS:
        return None
    if text in true:
        return True
    return False if text in false else text


def _finite(number: str, text: str) -> float | str:
    found = float(number)
    return text if found in (float("inf"), float("-inf")) else found


def _trap(text: str) -> str | None:
    """Return why readers differ on a word, None when they do not."""
    if text in _YES | _NO | _LETTERS:
        return "is a boolean to some YAML readers"
    if text in _TRUE | _FALSE | _NULLS:
        return "is a boolean or null in a spelling that not every YAML reader knows"
    if _SEXAGESIMAL.fullmatch(text):
        return "is a base-60 number to some YAML readers"
    if _DATE.fullmatch(text):
        return "is a date to some YAML readers"
    if _PLAIN_FLOAT.fullmatch(text):
        return f"is read as the number {float(text)!r}, which is spelt differently"
    shapes = (_OCTAL_11, _HEX, _BINARY, _FLOAT_11, _FLOAT_12, _SPECIAL, _NUMBERISH)
    if any(shape.fullmatch(text) for shape in shapes):
        return "is a number that YAML readers understand differently"
    return None


def _instead(text: str) -> str:
    if text in _YES | _TRUE:
        return ", `true` for the boolean"
    if text in _NO | _FALSE:
        return ", `false` for the boolean"
    return ""
