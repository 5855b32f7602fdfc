"""What every page says alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.reports.text import cut, plural, show_value, visible

Json = Mapping[str, Any]
EFFECT_TITLES: Final = {
    "worse": "Got worse",
    "unclear": "Could not be decided",
    "new": "New, and to know of",
    "better": "Got better",
}
MOST_VALUES: Final = 20
NO_CHANGE: Final = "nothing got worse"


def headline(document: Json) -> str:
    """Return the answer in one line."""
    summary = document["summary"]
    parts = [
        f"{summary['worse']:,} worse" if summary["worse"] else NO_CHANGE,
        f"{summary['unclear']:,} not decided" if summary["unclear"] else "",
        f"{summary['new']:,} new" if summary["new"] else "",
        f"{summary['better']:,} better" if summary["better"] else "",
    ]
    return ", ".join(part for part in parts if part)


def sides(document: Json) -> str:
    """Return what is compared with what."""
    return f"{document['run']['head']} against {document['run']['base']}"


def compared(document: Json) -> str:
    """Return how many resources were compared."""
    counts = document["run"]["resources"]
    parts = [f"{counts[how]:,} {how}" for how in ("changed", "new", "gone", "unchanged") if counts.get(how)]
    total = sum(counts.values())
    return f"{plural(total, 'resource')} read: {', '.join(parts)}" if parts else "no resource in what changed"


def place(entry: Json) -> str:
    """Return ``file:line``, or where a resource that is in no file is."""
    if entry["file"] is not None:
        return visible(entry["file"] if entry["line"] is None else f"{entry['file']}:{entry['line']}")
    resource = entry["resource"] or {}
    return visible("/".join(p for p in (resource.get("account"), resource.get("region")) if p) or "no file")


def name(entry: Json) -> str:
    """Return the resource, and what it was called."""
    resource, old = entry["resource"], entry["base_resource"]
    if resource is None:
        return ""
    text = f"{visible(resource['type'])} {cut(visible(resource['id']), 120)}"
    if old is not None and old["id"] != resource["id"]:
        text += f" (was {cut(visible(old['id']), 120)})"
    elif old is not None and old["file"] != resource["file"]:
        text += f" (was in {cut(visible(old['file'] or ''), 200)})"
    return text


def subject(entry: Json) -> str:
    """Return what stands before a title in a list: the resource with a colon, nothing where there is none."""
    return f"{name(entry)}: " if entry["resource"] else ""


def before_after(entry: Json) -> str:
    """Return both values as one sentence; empty where there are none."""
    if entry["before"] is None and entry["after"] is None:
        return ""
    return f"was {_value(entry['before'])}, is {_value(entry['after'])}"


def _value(value: Any) -> str:
    if value in ([], {}, ""):
        return "nothing"
    if isinstance(value, list) and len(value) <= MOST_VALUES and all(isinstance(item, str) for item in value):
        return cut(", ".join(visible(item) for item in value), 300)
    return show_value(value)


def witness(entry: Json) -> str:
    """Return the request that shows it; empty where there is none."""
    found = entry["witness"]
    if found is None:
        return ""
    context = f" with {show_value(found['context'])}" if found["context"] else ""
    does = "reaches" if entry["kind"] == "network" else "calls"
    return visible(cut(f"{found['principal']} {does} {found['action']} on {found['resource']}{context}", 600))


def rules(entry: Json) -> list[str]:
    """Return the rules that say so, with their verdicts before and after."""
    return [
        f"{rule['rule']} ({rule['severity']}): {rule['before'] or 'not there'} → {rule['after'] or 'not there'}"
        for rule in entry["rules"]
    ]
