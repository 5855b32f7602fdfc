"""Secret values never leave the engine: evidence and messages say that they are there, not what they are.

The catalog names the secret properties of each type (``TypeSpec.secrets``, the last steps of paths); what stands
below one (``Environment.Variables.KEY``) is secret too. Rules still see the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.redacted import is_dynamic, without_text
from policyengine.model.values import OpenDict, OpenList, Unresolved

SHOWN: Final = "(secret)"

_CONTAINERS: Final = frozenset({dict, list, tuple, OpenDict, OpenList})
_SCALARS: Final = frozenset({str, int, float})


def hide_in(evidence: Sequence[Evidence], names: frozenset[str]) -> Sequence[Evidence]:
    """Return the evidence without secret values; the same object where there are none."""
    for item in evidence:
        if item.observed.__class__ in _CONTAINERS or not names.isdisjoint(item.path):
            return [e._replace(observed=hide(e.path, e.observed, names)) for e in evidence]
    return evidence


def hide(path: Sequence[str | int], value: Any, names: frozenset[str]) -> Any:
    """Return a value as it may be shown; what stands under a tag is no secret, whatever its key."""
    if path and path[0] == "tags":
        return value
    return _hidden(value, names, secret=not names.isdisjoint(path))


def _hidden(value: Any, names: frozenset[str], *, secret: bool) -> Any:
    kind = value.__class__
    if kind is Unresolved:
        return without_text(value) if secret else value
    if kind in _SCALARS:
        return SHOWN if secret and not is_dynamic(value) else value
    if kind is dict or kind is OpenDict:
        shown = {k: _hidden(v, names, secret=secret or k in names) for k, v in value.items()}
        return OpenDict(shown, value.more) if kind is OpenDict else shown
    if kind is list or kind is OpenList or kind is tuple:
        items = [_hidden(v, names, secret=secret) for v in value]
        return OpenList(items, value.more) if kind is OpenList else items
    return value
