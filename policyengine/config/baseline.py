"""The file of a baseline: the failures a project began with, each pinned to the values it was found with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from policyengine.config.waivers import Baseline, BaselineEntry
from policyengine.documents import DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.errors import ConfigError
from policyengine.model.formats import refused
from policyengine.model.location import Location

SCHEMA: Final = "policyengine/baseline/v1"
_KEYS: Final = {"id": str, "rule": str, "resource": list, "values": str}
_FINDING: Final = re.compile(r"[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{32}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z")


def write_baseline(written: str, entries: list[BaselineEntry]) -> str:
    """Return the text of a baseline, one entry a line, in the order of reports."""
    lines = []
    for entry in sorted(entries, key=lambda each: (each.resource, each.rule)):
        form = {
            "id": entry.id, "rule": entry.rule, "resource": list(entry.resource), "values": entry.values
        }  # fmt: skip
        lines.append(json.dumps(form, separators=(",", ":")))
    body = ",\n  ".join(lines)
    return f'{{"schema":"{SCHEMA}","written":{json.dumps(written)},\n "findings":[{body}]}}\n'


def read_baseline(data: bytes, name: str) -> Baseline:
    """Return the baseline of a file; ``name`` is what messages and findings call it. Raises ConfigError."""
    try:
        document = load(data, name=name, syntax="json")
    except DocumentError as error:
        raise ConfigError(error.message, error.location) from error
    top = document.value
    wrong = refused(top.get("schema") if isinstance(top, dict) else None, SCHEMA)
    if wrong is not None or not isinstance(top, dict):
        raise ConfigError(
            f"this is no baseline that can be read: {wrong}; `policyengine baseline write` writes one",
            Location(name),
        )
    written, findings = top.get("written"), top.get("findings")
    if not isinstance(written, str) or not _TIME.fullmatch(written):
        raise ConfigError("`written` is no time of a run; write the baseline again", Location(name))
    if not isinstance(findings, list):
        raise ConfigError("`findings` is no list; write the baseline again", Location(name))
    seen: set[str] = set()
    entries = []
    for index, each in enumerate(findings):
        mistake = _wrong(each, seen)
        if mistake:
            raise ConfigError(mistake, document.locate(("findings", index)))
        account, region, type_, id_ = each["resource"]
        entries.append(BaselineEntry(each["id"], each["rule"], (account, region, type_, id_), each["values"]))
        seen.add(each["id"])
    return Baseline(name.rsplit("/", 1)[-1], written, entries)


def _wrong(each: Any, seen: set[str]) -> str:
    """Say what is wrong with an entry, "" where nothing is."""
    if not isinstance(each, Mapping):
        return f"an entry is an object; found {shown(str(each))}"
    for key, kind in _KEYS.items():
        if not isinstance(each.get(key), kind):
            return f"the entry has no `{key}`, or one of another kind; write the baseline again"
    if len(each["resource"]) != 4 or not all(isinstance(part, str) for part in each["resource"]):
        return "`resource` is account, region, type and id; write the baseline again"
    if not _FINDING.fullmatch(each["id"]) or not _DIGEST.fullmatch(each["values"]):
        return "`id` has 32 hex digits, `values` is `sha256:` and 32 more; write the baseline again"
    return f"the finding {each['id']} stands twice" if each["id"] in seen else ""
