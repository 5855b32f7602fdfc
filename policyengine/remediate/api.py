"""All that a handler sees and says. A handler makes no call itself: it reads through a :class:`Reader` and
describes the calls to make; the kernel makes them, keeps their answers and can take them back.

A handler is a module ``remediations/<id>/handler.py`` with two functions, and ``remediation.yaml`` beside it::

    def image(target: Target, read: Reader) -> Json: ...
    def plan(target: Target, image: Json) -> Proposal: ...

``image`` returns, as plain JSON, everything the handler may change or decides by, as AWS has it now. It is the
pre-image: what a rollback restores, and what must still be there when a plan is applied. What changes by itself
(times, ids that are made anew when a thing is put back) stays out of it. ``plan`` is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from policyengine.model.finding import Finding
from policyengine.model.resource import Resource

Json = dict[str, Any]
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Refused(Exception):
    """A change that must not be made; the text says why, in words for whoever asked for it.

    ``code`` is one of :data:`REFUSALS`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        assert code in REFUSALS, code
        self.code = code
        self.text = text


REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not_failing": "the resource does not fail the rule (any more), or does not exist",
        "not_known": "something the decision rests on could not be read",
        "waived": "the finding is waived",
        "excluded": "the resource carries a tag that keeps remediation away",
        "owned_by_code": "a template or Terraform owns the resource: change it there",
        "unsafe": "the change would break something that is in use",
        "unsupported": "the handler cannot repair this form of the failure",
        "plan_only": "the handler only proposes",
        "drifted": "the resource is not as it was when the plan was made",
        "too_young": "the resource was created a moment ago and may still be being set up",
        "outside_window": "no change window is open",
        "limit": "a limit on changes would be exceeded; none of them is made",
        "flapping": "the same was repaired before and did not stay so",
        "breaker_open": "too many changes failed lately, or remediation is switched off",
        "not_approved": "an approval is missing, has run out, or is the requester's own",
        "altered": "the plan is not the one that was made",
        "busy": "another change of the same resource is under way",
        "unknown_target": "the request names an account, region, rule or resource this may not touch",
    }
)


class Call(NamedTuple):
    """One call of AWS: ``service`` is botocore's name of it, ``operation`` AWS's. ``region`` "" is the target's.

    Values in ``arguments`` are plain JSON or :class:`FromAnswer`.
    """

    service: str
    operation: str
    arguments: Mapping[str, Any] = _NONE
    region: str = ""

    @property
    def name(self) -> str:
        """``s3:PutBucketPolicy``, as declared in ``writes``."""
        return f"{self.service}:{self.operation}"


class FromAnswer(NamedTuple):
    """Stands in a call for a value that an earlier step's answer gives: ``path`` is dotted (``Group.Id``)."""

    step: str
    path: str


class Step(NamedTuple):
    """One change. ``undo`` are the calls that take it back, made in this order, given the pre-image; they may
    name answers of this step and of those before it. Empty where nothing can take it back: the declaration's
    ``reversible`` must say so. ``name`` is unique in the proposal. ``why`` is read by whoever approves it.
    """

    name: str
    call: Call
    undo: tuple[Call, ...] = ()
    why: str = ""


class Proposal(NamedTuple):
    """What a handler wants to do.

    ``after`` is the image as it will be: what differs from the image is the change, and everything else must
    stay as it is. Without ``steps`` there is only advice. ``concerns`` are what a person has to weigh before
    (a bucket that is read from outside); any of them asks for at least one approval. ``approvals`` asks for more
    people than the declaration does. ``advice`` is text shown with the plan: a patch for a template, a narrower
    policy.
    """

    summary: str
    steps: tuple[Step, ...] = ()
    after: Any = None
    concerns: tuple[str, ...] = ()
    approvals: int = 0
    advice: str = ""


@dataclass(frozen=True)
class Target:
    """What is to be repaired: the resource as just read, and the FAIL found on it.

    ``region`` is where calls go (the home region of what is global); ``parameters`` are the handler's own, set
    in ``policyengine.yaml`` or their declared defaults; ``now`` is the time of planning, ISO 8601 in UTC.
    """

    resource: Resource
    finding: Finding
    region: str
    partition: str
    now: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account of the resource."""
        assert self.resource.account is not None
        return self.resource.account

    @property
    def id(self) -> str:
        """The physical id of the resource."""
        return self.resource.id


class Reader(Protocol):
    """Reads AWS for :func:`image`: only operations that the declaration lists in ``reads``.

    A call that fails refuses the remediation (``not_known``): what could not be read is never taken as absent.
    """

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = _NONE,
        *,
        none: Sequence[str] = (),
        region: str = "",
    ) -> Json | None:
        """Return the answer without ``ResponseMetadata``; None where AWS answers with an error code of ``none``,
        which says that there is nothing (``NoSuchBucketPolicy``). Raises Refused."""
        ...

    def all(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = _NONE,
        *,
        result: str,
        region: str = "",
    ) -> list[Any]:
        """Return the items at ``result`` (dotted) of all pages. Raises Refused."""
        ...


class Handler(Protocol):
    """The module ``handler.py`` of a remediation."""

    def image(self, target: Target, read: Reader) -> Json:
        """Return what is there now. Raises Refused."""
        ...

    def plan(self, target: Target, image: Json) -> Proposal:
        """Return what to do about it, from its arguments alone. Raises Refused."""
        ...
