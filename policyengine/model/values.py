"""Values as a source may know them: a JSON value, ABSENT, or Unresolved with the reason.

Past ``sources/`` a property tree holds only JSON values, :class:`Unresolved` leaves and
:class:`OpenList` lists. ``null`` never reaches a rule: a source drops it, because AWS does not
tell a null property from a missing one.
"""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias


class Absent(enum.Enum):
    """The type of :data:`ABSENT`: the property is known not to be there."""

    ABSENT = "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"

    __hash__ = object.__hash__  # an Enum's own one runs Python code


ABSENT: Final = Absent.ABSENT

UNRESOLVED_REASONS: Final[dict[str, str]] = {
    "unresolved_reference": "its value is not in this source",
    "known_after_apply": "Terraform knows it only after apply",
    "access_denied": "the call that reads it was denied",
    "not_collected": "this source does not cover it",
    "throttled": "the call that reads it was throttled until the retries ran out",
    "unsupported": "this version does not resolve it",
    "too_many_branches": "the template's conditions allow more branches than are enumerated",
    "default_depends": "the AWS default depends on something this source does not show",
    "redacted": "it is sensitive and was left out",
    "read_error": "the call that reads it failed",
}
"""Closed table: why a value is not known -> the rest of the sentence "... is not known: "."""


ZONE_LIST: Final = "Fn::GetAZs"
"""Begins the target of an unresolved value that is one of a region's zones, as ``("Fn::GetAZs: REGION", "INDEX")``.

The zones of one list differ from each other
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html).
"""


NEVER_SHOWN: Final = "no call gives it"
"""The detail of a value of a running resource that no operation of AWS tells, whoever asks: a password, how a
resource was made. What is written in code is nowhere else."""


class Unresolved:
    """A value that exists in AWS's terms but that this source does not know.

    ``present`` is True when it is certain that *some* value is there (``!GetAtt Key.Arn``), so
    that ``is: present`` can be decided. ``target`` is ``(logical id or address, attribute)`` when
    the value refers to a resource of the same source; relations follow it. ``parts`` are the known
    parts of a text, with one unknown text between each two: ``("arn:aws:s3:::", "/*")``; ``gaps`` what is
    known of those between, where the source tells: as many, or none. They say no more than the other fields
    to whoever compares.
    """

    __slots__ = ("detail", "gaps", "parts", "present", "reason", "target")

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        present: bool = False,
        target: tuple[str, str] | None = None,
        parts: tuple[str, ...] | None = None,
        gaps: tuple[Unresolved, ...] = (),
    ) -> None:
        if reason not in UNRESOLVED_REASONS:
            raise ValueError(f"`{reason}` is not a reason for an unresolved value")
        self.reason = reason
        self.detail = detail
        self.present = present
        self.target = target
        self.parts = parts
        self.gaps = gaps

    def describe(self) -> str:
        """Return a one-line sentence part, e.g. ``it refers to ... (`Ref: Days`)``."""
        base = UNRESOLVED_REASONS[self.reason]
        return f"{base} ({self.detail})" if self.detail else base

    def certain(self) -> Unresolved:
        """Return the same with the certainty that some value is there."""
        return self if self.present else self._with(present=True)

    def part(self) -> Unresolved:
        """Return what is known of anything inside this value: not even that it is there."""
        if self.present or self.target is not None or self.parts is not None:
            return Unresolved(self.reason, self.detail)
        return self

    def perhaps(self) -> Unresolved:
        """Return the same without the certainty that some value is there."""
        return self._with(present=False) if self.present else self

    def _with(self, *, present: bool) -> Unresolved:
        return Unresolved(
            self.reason, self.detail, present=present, target=self.target, parts=self.parts, gaps=self.gaps
        )

    def _key(self) -> tuple[Any, ...]:
        return (self.reason, self.detail, self.present, self.target, self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unresolved) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Unresolved({self.reason!r}, {self.detail!r})"


class OpenList(list[Any]):
    """A list that may have more elements than are known (snapshot path ending in ``/-``)."""

    __slots__ = ("more",)

    def __init__(self, items: list[Any], more: Unresolved) -> None:
        super().__init__(items)
        self.more = more.perhaps()

    def __reduce__(self) -> tuple[Any, ...]:
        return (OpenList, (list(self), self.more))


class OpenDict(dict[str, Any]):
    """An object that may have more keys than are known; a missing key is ``more``, not ABSENT."""

    __slots__ = ("more",)

    def __init__(self, items: dict[str, Any], more: Unresolved) -> None:
        super().__init__(items)
        self.more = more.perhaps()

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or ``more`` for a key that is not known: nobody may take it for absent."""
        return super().get(key, self.more)

    def __reduce__(self) -> tuple[Any, ...]:
        return (OpenDict, (dict(self), self.more))


Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
