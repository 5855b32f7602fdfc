"""One typed AWS resource, as every source presents it and every rule sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.model.location import Location
from policyengine.model.values import ABSENT, Unresolved

Path = tuple[str | int, ...]
"""Steps into ``Resource.properties``; the first step may also be ``tags`` or ``related``."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,15}")

Coverage = frozenset[tuple[str, str, str]]
"""(account, region, type) triples that were collected whole; ``*`` as a type covers every type."""

NO_COVERAGE: Coverage = frozenset()


def is_covered(coverage: Coverage, account: str, region: str, type_: str) -> bool:
    """Whether all of a type was collected in one place: that nothing is there is then known."""
    return (account, region, type_) in coverage or (account, region, "*") in coverage


Locator = Callable[[Path], Location | None]
"""Where the value at a path stands; the longest known prefix where the path itself is nowhere."""


def no_location(_path: Path) -> Location | None:
    """Locator of sources that have no files."""
    return None


@dataclass(slots=True, eq=False)
class Resource:
    """A resource in canonical (CloudFormation registry) shape.

    ``id`` is the physical id users know (bucket name, group id) or, for code, the logical id or
    plan address; ``file`` is the POSIX path that makes a code identity and None elsewhere.
    ``properties`` holds JSON values, :class:`Unresolved` and :class:`OpenList`, never None.
    ``tags`` maps key to value (a tag whose Unresolved value is not ``present`` may not exist); it is
    Unresolved when not even the keys are known, and None when the type cannot be tagged. ``related``
    holds the satellites a source folded in, by the name the catalog declares. ``variants`` are the
    other branches of one template resource: same identity, different ``branch``.
    """

    type: str
    id: str
    account: str | None
    region: str | None
    properties: dict[str, Any]
    arn: str | None = None
    tags: dict[str, Any] | Unresolved | None = None
    related: dict[str, Any] = field(default_factory=dict)
    file: str | None = None
    locate: Locator = no_location
    branch: Mapping[str, bool] | None = None
    variants: Sequence[Resource] = ()
    provenance: Mapping[str, str] | None = None
    collected_at: str | None = None
    places: Locator | None = None
    """Where values stand, for whoever shows it, where that is more than ``locate`` tells the rules."""
    identity: tuple[str, str, str, str] = field(init=False, repr=False)
    """Sortable: (account, region, type, id), or ("", file, "", id) for code; these never change."""
    digest: bytes = field(init=False, repr=False, default=b"")
    """What tells this resource from what it was in another run, where the source was asked for it (b"" else).
    INVARIANT: whoever makes another resource of this one does not take it along."""

    def __post_init__(self) -> None:
        if self.file is None:
            self.identity = (self.account or "", self.region or "", self.type, self.id)
        else:
            self.identity = ("", self.file, "", self.id)

    def place(self, path: Path = ()) -> Location | None:
        """Return where a value stands, for a reader."""
        return (self.places or self.locate)(path)

    def __reduce__(self) -> tuple[Any, ...]:
        state = (
            self.type, self.id, self.account, self.region, self.properties, self.arn, self.tags,
            self.related, self.file, no_location, self.branch, self.variants, self.provenance,
            self.collected_at,
        )  # fmt: skip
        return (Resource, state)


def attribute(resource: Resource, name: str) -> Any:
    """Return ``resource.NAME`` as rules see it: an account or region that code does not say is unknown.

    Other attributes that are None are ABSENT.
    """
    value = getattr(resource, name)
    if value is not None:
        return value
    if name in ("account", "region"):
        return Unresolved("not_collected", f"the source does not say the {name}", present=True)
    return ABSENT


def json_pointer(path: Path) -> str:
    """Return RFC 6901 text for a path, e.g. ``/SecurityGroupIngress/0/CidrIp``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """Return the steps of an RFC 6901 pointer.

    Raises ValueError when it is neither empty nor starts with ``/``.
    """
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"`{pointer}` is no JSON Pointer: it must start with `/`")
    return tuple(s.replace("~1", "/").replace("~0", "~") for s in pointer[1:].split("/"))


def path_of(pointer: str) -> Path:
    """Return the path of a pointer: a step that is written as the index of a list is (RFC 6901, section 4) is one.

    Raises ValueError as :func:`parse_pointer`.
    """
    return tuple(int(step) if _INDEX.fullmatch(step) else step for step in parse_pointer(pointer))
