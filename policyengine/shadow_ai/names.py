"""DNS names as labels: what matching compares, label by label.

Route 53 writes octets other than a-z, 0-9 and ``-_.`` as ``\\`` and three octal digits
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html): an escaped dot is part of a
label, and ends none. Only ASCII letters have two cases in DNS (RFC 4343).
"""

from __future__ import annotations

import re
from typing import Final

MAX_NAME: Final = 1024
"""Characters of a name; 255 octets, each escaped, are fewer (RFC 1035 section 2.3.4)."""
_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_PART: Final = re.compile(r"\\([0-3][0-7]{2})|\\(.)|([^\\.]+)|(\.)|(\\)", re.DOTALL)


def labels(name: str) -> tuple[str, ...]:
    """Return the labels of a name, in lower case, the last one last; none for the root and for what is no name.

    A label of other letters is given as Punycode, as it travels; nothing is mapped, because a resolver maps
    nothing: a name in full-width letters is another name than ``openai.com``.
    """
    if not name.isascii():
        return _encoded(name.translate(_UPPER))
    if "\\" in name:
        return _escaped(name)
    parts = name.lower().removesuffix(".").split(".")
    return tuple(parts) if all(parts) else ()


def _escaped(name: str) -> tuple[str, ...]:
    found = [""]
    for match in _PART.finditer(name):
        octal, quoted, plain, dot, stray = match.groups()
        if dot:
            found.append("")
        else:
            found[-1] += chr(int(octal, 8)) if octal else quoted or plain or stray
    if len(found) > 1 and not found[-1]:
        found.pop()
    return tuple(label.translate(_UPPER) for label in found) if all(found) else ()


def _encoded(name: str) -> tuple[str, ...]:
    parts = _escaped(name) if "\\" in name else tuple(name.removesuffix(".").split("."))
    return tuple(map(_a_label, parts)) if all(parts) else ()


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except (UnicodeError, OverflowError):  # half of a surrogate pair
        return label


def a_labels(domain: str) -> tuple[str, ...]:
    """Return the labels of a domain that a person wrote, mapped as browsers do (IDNA 2003, RFC 3490).

    Raises ValueError for what is no domain.
    """
    if len(domain) > MAX_NAME:
        raise ValueError("is longer than a DNS name can be")
    text = domain.removesuffix(".")
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError("is no domain name") from None
    found = labels(text)
    if not found or any(len(label) > 63 for label in found):  # RFC 1035 section 2.3.4
        raise ValueError("is no domain name")
    return found
