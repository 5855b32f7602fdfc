"""The version of the bundled rules, and what each of them decided when that was last written down.

``rules/pack.json`` is ``{"schema": "policyengine/rule-pack/v1", "version": "1.0.0", "decides": {RULE: DIGEST}}``;
``rules/CHANGELOG.md`` beside it says which verdicts change (docs/rule-packs.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.model.errors import RuleError
from policyengine.model.formats import refused
from policyengine.model.location import Location

FILE: Final = "pack.json"
SCHEMA: Final = "policyengine/rule-pack/v1"
CHANGED: Final = "+changed"
"""Behind the version of rules that decide otherwise than that version did (semver's build metadata)."""
_VERSION: Final = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
_DIGITS: Final = 16
_SAYS: Final = frozenset(
    {"title", "why", "fix", "message", "references", "frameworks", "source", "remediation"}
)
"""What a rule says without deciding anything."""


class Recorded(NamedTuple):
    """What ``rules/pack.json`` holds."""

    version: str
    decides: Mapping[str, str]


def deciding_text(rule: Mapping[str, Any]) -> str:
    """Return what of a compiled rule decides, as one text."""
    return json.dumps({k: v for k, v in rule.items() if k not in _SAYS}, sort_keys=True)


def deciding_digests(forms: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return id -> a digest of what decides, for compiled rules."""
    return {
        form["id"]: hashlib.sha256(deciding_text(form).encode()).hexdigest()[:_DIGITS]
        for form in sorted(forms, key=lambda each: str(each["id"]))
    }


def read_recorded(folder: Path) -> Recorded | None:
    """Return what a folder of rules records; None where it records nothing.

    Raises RuleError for a file that is damaged or of another format.
    """
    path = folder / FILE
    try:
        body = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RuleError(
            "no JSON that can be read; put back the file of the release", Location(str(path))
        ) from error
    found = body.get("schema") if isinstance(body, dict) else None
    wrong = refused(found, SCHEMA)
    if wrong is not None:
        raise RuleError(wrong, Location(str(path)))
    version, decides = body.get("version"), body.get("decides")
    if not isinstance(version, str) or not _VERSION.fullmatch(version) or not isinstance(decides, dict):
        raise RuleError("expected `version` MAJOR.MINOR.PATCH and `decides`", Location(str(path)))
    return Recorded(version, decides)


def recorded_bytes(recorded: Recorded) -> bytes:
    """Return the file: one rule a line, so that two changes merge."""
    body = {"schema": SCHEMA, "version": recorded.version, "decides": dict(sorted(recorded.decides.items()))}
    return (json.dumps(body, indent=1) + "\n").encode()


def version_of(forms: Iterable[Mapping[str, Any]], folder: Path) -> str | None:
    """Return the version of rules that were compiled from a folder; ``1.0.0+changed`` where they decide otherwise."""
    recorded = read_recorded(folder)
    if recorded is None:
        return None
    return recorded.version + ("" if deciding_digests(forms) == recorded.decides else CHANGED)
