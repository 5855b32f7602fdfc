"""One line of a snapshot to one Resource: the hot path, about ten microseconds a line.

Checks are single ``isinstance`` tests on the way; whatever is wrong is said by LineError, to
which the reader adds file and line number.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from sys import intern
from typing import Any, Final, NoReturn

from policyengine.model.location import Location
from policyengine.model.resource import Locator, Path, Resource, no_location
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.snapshot.unknown import Unknowns, read_entries
from policyengine.sources.tags import json_kind, read_tags

MAX_LINE: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 200
_TYPE = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]*::[A-Za-z0-9]+(::[A-Za-z0-9]+)?")
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_REQUIRED: Final = {"type": str, "id": str, "account": str, "region": str, "properties": dict}
_WORDS: Final = {str: "a string", dict: "an object", list: "a list"}


def parse_line(line: bytes, later_minor: bool = False) -> Resource:
    """Return the resource of one line.

    ``later_minor`` says that the snapshot's version is later than 1.0, so that fields this
    version does not know are ignored instead of refused. Raises LineError.
    """
    record = decode_line(line)
    if record.__class__ is not dict:
        raise LineError(f"the line is {json_kind(record)}, expected an object with `type`, `id`, ...")
    pop = record.pop
    kind, ident = pop("type", None), pop("id", None)
    account, region = pop("account", None), pop("region", None)
    properties = pop("properties", None)
    if not (
        kind.__class__ is str
        and ident.__class__ is str
        and ident
        and account.__class__ is str
        and region.__class__ is str
        and properties.__class__ is dict
    ):
        _refuse_required(type=kind, id=ident, account=account, region=region, properties=properties)
    tags = pop("tags", None)
    related = pop("related", None)
    unknown = pop("unknown", None)
    arn = pop("arn", None)
    collected_at = pop("collected_at", None)
    location = pop("location", None)
    file, locate = (None, no_location) if location is None else _location(location)
    resource = Resource(
        _known_type(kind) if file is None else kind, ident, intern(account) or None, intern(region) or None,
        properties, arn, tags, {} if related is None else related, file, locate, collected_at=collected_at,
    )  # fmt: skip
    if tags is not None:
        _check_tags(tags)
    if record:
        _part(resource, record, later_minor)
    if related is not None or arn is not None or collected_at is not None:
        _check_optional(arn, collected_at, resource.related)
    if unknown is not None:
        _unknown(resource, unknown, tags is None)
    elif tags is None:
        resource.tags = read_tags(kind, properties)
    if b"null" in line:
        resource.properties = _without_nulls(resource.properties)
        resource.related = _without_nulls(resource.related)
    return resource


def _unknown(resource: Resource, unknown: Any, derive: bool) -> None:
    parts = Unknowns(resource.type, resource.properties, resource.tags, resource.related)
    entries = list(read_entries(unknown))
    for steps, value, side in entries:
        if not _about_tags(steps, side):
            parts.apply(steps, value, side)
    if derive and parts.tags is None:
        parts.tags = read_tags(resource.type, parts.properties)
    for steps, value, side in entries:
        if _about_tags(steps, side):
            parts.apply(steps, value, side)
    resource.properties, resource.tags, resource.related = parts.properties, parts.tags, parts.related


def _about_tags(steps: tuple[str, ...], side: str | None) -> bool:
    return len(steps) in (1, 2) and steps[0] == "Tags" and side != "properties"


def _without_nulls(value: Any) -> Any:
    """Drop null values in place (AWS does not tell a null property from a missing one)."""
    if isinstance(value, dict):
        for key in [k for k, v in value.items() if v is None]:
            del value[key]
        for element in value.values():
            _without_nulls(element)
    elif isinstance(value, list):
        if None in value:
            value[:] = [v for v in value if v is not None]
        for element in value:
            _without_nulls(element)
    return value


def _check_tags(tags: Any) -> None:
    if tags.__class__ is not dict:
        raise LineError(f"`tags` is {json_kind(tags)}, expected an object of strings")
    for key, value in tags.items():
        if value.__class__ is not str:
            raise LineError(f"the tag `{key[:80]}` is {json_kind(value)}, expected a string")


def _check_optional(arn: Any, collected_at: Any, related: Any) -> None:
    if arn is not None and arn.__class__ is not str:
        raise LineError(f"`arn` is {json_kind(arn)}, expected a string")
    if collected_at is not None and collected_at.__class__ is not str:
        raise LineError(f"`collected_at` is {json_kind(collected_at)}, expected a string")
    if related.__class__ is not dict:
        raise LineError(f"`related` is {json_kind(related)}, expected an object of lists")
    for name, value in related.items():
        if value.__class__ is not list:
            raise LineError(f"`related.{name[:80]}` is {json_kind(value)}, expected a list")


def _refuse_required(**found: Any) -> NoReturn:
    for name, wanted in _REQUIRED.items():
        value = found[name]
        if value is None:
            raise LineError(f"`{name}` is missing, expected {_WORDS[wanted]}")
        if not isinstance(value, wanted):
            raise LineError(f"`{name}` is {json_kind(value)}, expected {_WORDS[wanted]}")
    raise LineError("`id` is empty, expected the physical id of the resource")


@lru_cache(maxsize=4096)
def _known_type(kind: str) -> str:
    """What runs has a type of the registry; code may have a custom resource's, or one that is misspelt."""
    if not _TYPE.fullmatch(kind):
        raise LineError(f"`type` is `{kind[:80]}`, expected a type name such as `AWS::S3::Bucket`")
    return intern(kind)


def _part(resource: Resource, record: dict[str, Any], later_minor: bool) -> None:
    """The other fields of run directories, which say what a resource of code is part of."""
    branch, provenance = record.pop("branch", None), record.pop("provenance", None)
    if record and not later_minor:
        name = min(record)
        raise LineError(f"`{name[:80]}` is no field of a snapshot line; expected one of {_FIELDS}")
    if isinstance(branch, str):
        resource.branch = {branch: True}
    elif branch is not None:
        if not isinstance(branch, dict) or not all(isinstance(v, bool) for v in branch.values()):
            raise LineError("`branch` must be an object of true and false, or a string")
        resource.branch = branch
    if provenance is not None:
        if not isinstance(provenance, dict) or not all(isinstance(v, str) for v in provenance.values()):
            raise LineError("`provenance` must be an object of strings")
        resource.provenance = provenance


_FIELDS = (
    "`type`, `id`, `arn`, `account`, `region`, `tags`, `properties`, `related`, `unknown`, "
    "`collected_at`, `location`, `branch`, `provenance`"
)


class FixedLocator:
    """A locator that knows one place; picklable, and equal when the place is."""

    __slots__ = ("place",)

    def __init__(self, place: Location) -> None:
        self.place = place

    def __call__(self, _path: Path) -> Location | None:
        """Return the one place, whatever the path."""
        return self.place


def _location(location: Any) -> tuple[str, Locator]:
    file = location.get("file") if isinstance(location, dict) else None
    if not isinstance(file, str) or not file:
        raise LineError("`location` must be an object with `file`, a non-empty string")
    numbers = [location.get(name) for name in ("line", "column", "end_line", "end_column")]
    if not all(n is None or (isinstance(n, int) and not isinstance(n, bool)) for n in numbers):
        raise LineError("`location` has a line or column that is no integer")
    return file, FixedLocator(Location(file, *numbers))


# -- JSON ------------------------------------------------------------------------------------------


class _DuplicateError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateError(key)
            seen.add(key)
    return record


def _no_constant(name: str) -> NoReturn:
    raise LineError(f"`{name}` is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LineError(f"the number `{text[:40]}` is too large")
    return number


_scan = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
).raw_decode


def decode_line(line: bytes) -> Any:
    """Return the JSON value of one line; raises LineError with the column of the mistake."""
    if len(line) > 2 * MAX_DEPTH and line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        _refuse_deep(line)
    try:
        text = line.decode().strip(" \t\r\n")
        record, end = _scan(text, 0)
    except UnicodeDecodeError as problem:
        raise LineError(_no_text(line) or f"byte {problem.start + 1} of the line is no UTF-8") from None
    except _DuplicateError as problem:
        raise LineError(f"the key `{str(problem)[:80]}` stands twice in one object") from None
    except json.JSONDecodeError as problem:
        what = problem.msg[:1].lower() + problem.msg[1:]
        raise LineError(_no_json(line, problem.pos, what)) from None
    except RecursionError:
        raise LineError(f"nested deeper than {MAX_DEPTH} levels") from None
    except LineError:
        raise
    except ValueError:
        raise LineError("a number has more digits than can be read") from None
    if end != len(text):
        raise LineError(_no_json(line, end, "more text follows the object"))
    if b"\\u" in line:
        _refuse_half_pairs(record)
    return record


def _no_text(line: bytes) -> str | None:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in line:
        return "the text is UTF-16 or binary, expected JSON in UTF-8"
    return None


def _no_json(line: bytes, position: int, what: str) -> str:
    other = _no_text(line)
    if other:
        return other
    if position >= len(line.decode("utf-8", "replace").strip()) or what.startswith("unterminated"):
        return "the line ends before its JSON does; is the file truncated?"
    return f"no JSON at character {position + 1}: {what}"


def _refuse_half_pairs(record: Any) -> None:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise LineError("a string holds half of a surrogate pair, which is no text") from None
    except RecursionError:
        raise LineError(f"nested deeper than {MAX_DEPTH} levels") from None


def _refuse_deep(line: bytes) -> None:
    depth = 0
    for found in _BRACKETS.finditer(line):
        first = found.group()[0]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise LineError(f"nested deeper than {MAX_DEPTH} levels")
        elif first in b"]}":
            depth -= 1
