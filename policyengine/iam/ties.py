"""Policy variables: values of one dimension made to fit those of another.

The search treats a dimension compared with ``${key}`` as if the variable could be anything. Here the
variable is filled from the rest of the request, and the value it is compared with follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.iam.atoms import PRINCIPAL, RESOURCE, Atom, Setting
from policyengine.iam.variables import Template

MAX_TIES: Final = 6


def tied(
    values: Mapping[str, Any], parts: Sequence[Sequence[Atom]], setting: Setting
) -> Iterator[dict[str, Any]]:
    """Yield the values as they are, then with each tie, then with all ties drawn."""
    yield dict(values)
    ties = [(a.dimension, t) for atoms in parts for a in atoms for t in a.templates][:MAX_TIES]
    everything = dict(values)
    for dimension, template in ties:
        made = _drawn(values, dimension, template, setting)
        if made is not None:
            yield made
            yield _changed(made, dimension)
        further = _drawn(everything, dimension, template, setting)
        everything = everything if further is None else further
    if len(ties) > 1:
        yield everything


def _changed(values: Mapping[str, Any], dimension: str) -> dict[str, Any]:
    """Return the values with one that differs from what the tie would make it."""
    value = values[dimension]
    return {**values, dimension: f"{value}-other" if isinstance(value, str) else (f"{value[0]}-other",)}


def _drawn(
    values: Mapping[str, Any], dimension: str, template: Template, setting: Setting
) -> dict[str, Any] | None:
    context = {k: list(v) for k, v in values.items() if v is not None and k not in (PRINCIPAL, RESOURCE)}
    pieces = template.fill(setting.request(values[PRINCIPAL], context, values[RESOURCE]))
    if not isinstance(pieces, list) or dimension == PRINCIPAL:
        return None
    text = "".join(t if literal else t.replace("*", "example").replace("?", "x") for t, literal in pieces)
    return {**values, dimension: text if dimension == RESOURCE else (text,)}
