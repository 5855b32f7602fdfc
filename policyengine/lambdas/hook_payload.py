"""The object in S3 that a Hook on stacks and change sets is given: the template, and what a change set changes.

Values of parameters are in neither. What a change set says of a resource ("afterContext") tells those that a property
refers to; every other parameter is not known, whatever its default: a stack may be given another value.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from policyengine.lambdas.hook_request import HookError
from policyengine.model.values import Unresolved

Json = dict[str, Any]
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a payload: CloudFormation takes templates of 1 MB, and a change set has both sides of up to 500 resources."""
SECONDS: Final = 8
AFTER_APPLY: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""Stands for a value that is not known before the change set is executed
(https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html)."""
_S3: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu")
_MOST_DEPTH: Final = 100


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A payload is where its address says, and nowhere else."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def fetch(address: str) -> bytes:
    """Return the payload. Raises HookError, which does not quote the address: it is signed."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise HookError("the payload is at no address") from None
    if parts.scheme != "https" or not host.endswith(_S3) or "s3" not in host:
        raise HookError("the payload is at no address of S3")
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(address, timeout=SECONDS) as answer:
            data: bytes = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise HookError(f"the payload could not be read: S3 answered {error.code}") from None
    except OSError as error:
        raise HookError(f"the payload could not be read: {getattr(error, 'reason', error)}") from None
    if len(data) > MOST_BYTES:
        raise HookError(f"the payload is larger than {MOST_BYTES >> 20} MiB")
    return data


def read_payload(data: bytes) -> tuple[str, list[Json]]:
    """Return the template's text and the changed resources. Raises HookError, also where there is no template: only a
    deletion has none, and nobody asks for its payload."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise HookError("the payload is no JSON") from None
    if not isinstance(found, dict):
        raise HookError("the payload is no JSON object")
    template = found.get("template")
    if not isinstance(template, str) or not template.strip():
        raise HookError("the payload has no `template`")
    changed = found.get("changedResources")
    return template, [each for each in changed if isinstance(each, dict)] if isinstance(changed, list) else []


def parameters_of(template: Any, changed: list[Json]) -> Json:
    """Return a value for every parameter a template declares: what its references became, else not known.

    A parameter that is said to have two values has none, and one with ``NoEcho`` is never told.
    """
    declared = template.get("Parameters") if isinstance(template, Mapping) else None
    if not isinstance(declared, Mapping):
        return {}
    told: dict[str, list[Any]] = {}
    for name, value in _told(template, changed, declared):
        values = told.setdefault(name, [])
        if value not in values:
            values.append(value)
    why = "a Hook's payload does not hold the values of parameters"
    return {
        name: told[name][0]
        if len(told.get(name, ())) == 1
        else Unresolved("unresolved_reference", f"parameter `{name}`: {why}")
        for name in declared
    }


def _told(
    template: Mapping[str, Any], changed: list[Json], declared: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    resources = template.get("Resources")
    resources = resources if isinstance(resources, Mapping) else {}
    open_names = {
        name
        for name, each in declared.items()
        if isinstance(each, Mapping) and str(each.get("NoEcho")).lower() != "true"
    }
    for change in changed:
        after = _context(change.get("afterContext"))
        raw = resources.get(change.get("logicalResourceId"))
        if isinstance(raw, Mapping) and after:
            yield from _matched(raw.get("Properties"), after.get("Properties"), open_names, 0)


def _context(text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _matched(raw: Any, value: Any, names: set[str], depth: int) -> Iterator[tuple[str, Any]]:
    """Yield (parameter, value) for every reference in the template whose value is told at the same place."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(raw, Mapping):
        if raw.keys() == {"Ref"}:
            if raw["Ref"] in names and _is_known(value):
                yield raw["Ref"], value
        elif isinstance(value, Mapping):
            for key in raw.keys() & value.keys():
                yield from _matched(raw[key], value[key], names, depth + 1)
    elif isinstance(raw, list) and isinstance(value, list) and len(raw) == len(value):
        for one, other in zip(raw, value, strict=True):
            yield from _matched(one, other, names, depth + 1)


def _is_known(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return all(
        isinstance(text, str) and AFTER_APPLY not in text and "{{resolve:" not in text for text in texts
    )
