"""Forms of claims: which texts have one, and whom a value of a policy spells out at a place of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from policyengine.iam.documents import Policy
from policyengine.iam.variables import Variable, template

PLACE: Final = re.compile(r"\{([a-z]+)\}")
_DEFAULTED: Final = re.compile(r"\$\{[^{}',]*,\s*'([^']*)'\s*\}")
"""A policy variable with a default, which stands where a request lacks the key."""
_FILLED: Final = re.compile(r"\$\{[^{}]*\}")
"""A policy variable, in whose place any text may stand."""


@lru_cache(maxsize=1024)
def glob_of(form: str) -> str:
    """Return the pattern of all texts of a form."""
    return PLACE.sub("?*", form)


def spelled_out(form: str, value: str) -> str | None:
    """Return the pattern of all values that have the ``{who}`` (or ``{like}``) which a condition's value
    spells out at that place of the form; None where it leaves it open, or has another form.

    Of a form without such a place, its end is what is spelled out.
    """
    marker = "{who}" if "{who}" in form else "{like}" if "{like}" in form else None
    value = _FILLED.sub("*", _DEFAULTED.sub(r"\1", value))
    if "${" in value:
        return None
    if marker is None:
        end = form.rpartition("}")[2]
        return value if end and end != form and value.endswith(end) else None
    before, _, after = form.partition(marker)
    head = _begins(before, value)
    if head is None:
        return None
    tail = value[head:]
    stop = after[:1]
    name, found, _ = tail.partition(stop) if stop else (tail, "", "")
    if not name or (stop and not found):
        return None
    fixed = re.split(r"[*?]", name, maxsplit=1)[0]
    if not fixed:
        return None
    if marker == "{who}":
        name = fixed  # of `acme*`, that is `acme`, and nobody else whose name begins so
    return f"{value[:head]}{name}{stop}*" if after else f"{value[:head]}{name}"


def _begins(before: str, value: str) -> int | None:
    """Return where the text behind the beginning of a form begins, with wildcards only in its places."""
    at = 0
    pieces = PLACE.split(before)
    for index, text in enumerate(pieces[0::2]):
        if index:
            # a place ends where the next text begins; a star in it must not swallow that text
            found = value.find(text, at)
            if found < 0 or not text:
                return None
            at = found + len(text)
        elif value.startswith(text):
            at = len(text)
        else:
            return None
    return at


def variables(policies: Sequence[Policy], prefix: str) -> Iterator[str]:
    """Yield the keys that policy variables in conditions on claims (keys that begin with ``prefix``) are filled from.

    Whoever brings a token is no principal with tags or a name yet; AWS does not say that such a request carries
    any key but the token's own claims:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                if statement.variables and condition.key.lower().startswith(prefix):
                    for found in (template(value, True) for value in condition.values):
                        yield from (p.key for p in (found.parts if found else ()) if isinstance(p, Variable))
