"""``pipeline.separated``, ``pipeline.reserved``, ``pipeline.roles_without``: who holds which duties of a delivery.

Administrators and the delivery's own roles are told apart from everybody else: decision 10.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.iam.duties import DUTIES
from policyengine.iam.escalation_world import Step, names_service
from policyengine.iam.glob import compile_glob
from policyengine.iam.reason import WHY, Yes
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call, who
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import Unresolved
from policyengine.rules.iam.deliveries import PROJECT, REPOSITORY, Delivery, RoleUse
from policyengine.rules.iam.duty_holders import DutyHolders, Holding, nobody
from policyengine.rules.iam.staff import Member, Staff
from policyengine.rules.iam.staff_tables import staff_of
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import witness
from policyengine.rules.predicates.pipeline.delivery import DELIVERY

_SHOWN: Final = 8
_NAMES: Final = 6
_HIDDEN: Final = frozenset({"aws:requestedregion"})
_KEPT_DELIVERIES: Final = 64
_RUNS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    PROJECT: ("pipeline", ("codepipeline.amazonaws.com",)),
    REPOSITORY: (
        "build",
        ("codebuild.amazonaws.com", "codepipeline.amazonaws.com", "imagebuilder.amazonaws.com"),
    ),
}
"""Type → the services whose roles are of the delivery, where the resource does not name them."""


_SERVICES: Final = {
    "pipeline": "codepipeline.amazonaws.com",
    "build": "codebuild.amazonaws.com",
    "deploy": "cloudformation.amazonaws.com",
}
"""Use of a role → the service that assumes it; an action's may be any role."""


def holders_of(subject: Subject) -> DutyHolders:
    """Return who holds what of the subject's delivery, read once for all rules about it."""
    found = subject.answers.get(DutyHolders)
    if found is None:
        found = subject.answers[DutyHolders] = _holders(subject)
    holders: DutyHolders = found
    return holders


_KEPT: Final[OrderedDict[tuple[int, int], tuple[Any, DutyHolders]]] = OrderedDict()


def _holders(subject: Subject) -> DutyHolders:
    staff = staff_of(subject)
    key = (id(subject.resource), id(staff))
    kept = _KEPT.get(key)
    if kept is None:
        delivery = subject.look(DELIVERY)
        for role in tuple(delivery.roles):
            _add_policies(delivery, staff, role)
        use, delivery.runs = _RUNS.get(subject.resource.type, ("", ()))
        delivery.roles.extend(RoleUse(use, arn) for arn in staff.run_by(delivery.runs))
        # INVARIANT: an entry holds the objects whose identity is its key
        kept = _KEPT[key] = ((subject.resource, staff), DutyHolders(staff, delivery))
        if len(_KEPT) > _KEPT_DELIVERIES:
            _KEPT.popitem(last=False)
    return kept[1]


def _add_policies(delivery: Delivery, staff: Staff, role: RoleUse) -> None:
    """Add the managed policies of a role, whose new versions change what it may do."""
    for arn in staff.managed(role.arn) if isinstance(role.arn, str) else ():
        delivery.add("role policy", arn)


# -- the predicates ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Leave:
    """Who is left out: ``exempt`` by patterns of ARNs and names, administrators unless they count."""

    holders: DutyHolders
    exempt: tuple[Callable[[str], object], ...]
    administrators: bool

    def members(self) -> Iterator[Member]:
        """Yield whom the question is about."""
        own = self.holders.delivery.role_arns()
        for member in self.holders.staff.members.values():
            if member.arn not in own and not self.is_exempt(member.arn):
                yield member

    def perhaps_own(self, member: Member) -> str | None:
        """Return why a member may be one of the delivery's own roles, of which one is not known."""
        delivery = self.holders.delivery
        if member.trust is None:
            return None
        if any(s.opaque is not None for s in member.trust.statements) and any(
            names_service(member.trust, service) for service in delivery.runs
        ):
            return "who may assume it is not known"
        for role in delivery.roles:
            if isinstance(role.arn, str):
                continue
            service = _SERVICES.get(role.use)
            if service is None or names_service(member.trust, service):
                return f"it may be the {role.use} role: {role.arn.reason}"
        return None

    def is_exempt(self, arn: str) -> bool:
        name = arn.rpartition("/")[2]
        return any(matches(arn) or matches(name) for matches in self.exempt)

    def is_left(self, member: Member) -> bool:
        """Say whether a member is left out as an administrator."""
        return not self.administrators and self.holders.staff.administers(member)

    def holds(self, member: Member, duty: str) -> Holding:
        exempt = self.is_exempt if self.exempt else nobody
        return self.holders.holds(member, duty, self.administrators, exempt)


def _leave(subject: Subject, exempt: Sequence[str], administrators: bool) -> _Leave:
    return _Leave(holders_of(subject), tuple(compile_glob(p) for p in exempt), administrators)


def separated(
    subject: Subject, *, duties: Sequence[str], exempt: Sequence[str], administrators: bool
) -> Answer:
    """TRUE when nobody holds two of the duties; else with who does, and the requests that show it."""
    leave = _leave(subject, exempt, administrators)
    verbs = " and ".join(DUTIES[duty].verb for duty in duties)
    question = _Question(f"nobody who can {verbs}", f"can {verbs}")
    for member in leave.members():
        held = {duty: leave.holds(member, duty) for duty in duties}
        some = {duty: found for duty, found in held.items() if found.requests or found.perhaps}
        if len(some) < 2:
            continue
        if leave.is_left(member):
            question.administrators.append(member)
        elif (own := leave.perhaps_own(member)) is not None:
            question.doubts.append((member, [own]))
        elif sum(bool(found.requests) for found in some.values()) >= 2:
            question.found.append((member, {d: f for d, f in some.items() if f.requests}))
        else:
            question.doubts.append((member, [w for f in some.values() for w in f.perhaps]))
    question.others.extend(_guests(leave, duties))
    return question.answer(leave.holders, duties)


def _guests(leave: _Leave, duties: Sequence[str]) -> Iterator[str]:
    """Yield who of other accounts may take roles that hold two duties between them."""
    for name, roles in leave.holders.staff.guests().items():
        counted = [r for r in roles if not leave.is_exempt(r.arn) and not leave.is_left(r)]
        held = {duty: [r.arn for r in counted if leave.holds(r, duty).requests] for duty in duties}
        both = {arn: None for arns in held.values() for arn in arns}
        if sum(bool(arns) for arns in held.values()) > 1 and not leave.is_exempt(name):
            named = " and ".join(map(_name, both))
            yield f"{who(name)} may take roles {named}, if its own account lets it"


def reserved(subject: Subject, *, duty: str, exempt: Sequence[str], administrators: bool) -> Answer:
    """TRUE when nobody but the delivery's own roles holds a duty."""
    leave = _leave(subject, exempt, administrators)
    verb = DUTIES[duty].verb
    question = _Question(f"nobody but the pipeline who can {verb}", f"can {verb}")
    for member in leave.members():
        found = leave.holds(member, duty)
        if not found.requests and not found.perhaps:
            continue
        if leave.is_left(member):
            question.administrators.append(member)
        elif (own := leave.perhaps_own(member)) is not None:
            question.doubts.append((member, [own]))
        elif found.requests:
            question.found.append((member, {duty: found}))
        else:
            question.doubts.append((member, list(found.perhaps)))
    for answer in leave.holders.outside(duty):
        if not isinstance(answer, Yes):
            question.others.extend(getattr(answer, "why", ()))
        elif answer.witness.principal == "*":
            question.anybody.append(answer.witness)
        elif not leave.is_exempt(answer.witness.principal):
            question.others.append(f"{may_call(answer.witness)}, if its own account lets it")
    return question.answer(leave.holders, (duty,), away=True)


class _Question:
    """What was found; ``expected`` and ``can`` are its words."""

    def __init__(self, expected: str, can: str) -> None:
        self.expected = expected
        self.can = can
        self.found: list[tuple[Member, dict[str, Holding]]] = []
        self.doubts: list[tuple[Member, list[str]]] = []
        self.administrators: list[Member] = []
        self.anybody: list[Request] = []
        """Requests that a policy of the delivery's lets anybody make."""
        self.others: list[str] = []
        """What is not known of principals of other accounts."""

    def answer(self, holders: DutyHolders, duties: Sequence[str], away: bool = False) -> Answer:
        """Return the answer: one who holds too much decides, then whatever is not known."""
        if self.found or self.anybody:
            said = [_sentence(m, found) for m, found in self.found] + [may_call(r) for r in self.anybody]
            evidence = [Evidence((), text, self.expected, "request_allowed") for text in said[:_SHOWN]]
            if self.administrators:
                evidence.append(Evidence((), self._left(), self.expected, "request_allowed"))
            shown = [_first(next(iter(found.values()))) for _, found in self.found[:1]]
            return Answer(FALSE, tuple(evidence), witness((shown or self.anybody)[0]))
        unknown = list(self._unknown(holders, duties, away))
        if unknown:
            return Answer(UNKNOWN, tuple(Evidence((), u, self.expected, u.reason) for u in unknown[:_SHOWN]))
        number = len(holders.staff.members)
        looked = "1 user or role looked at" if number == 1 else f"{number:,} users and roles looked at"
        observed = f"{looked}; {self._left()}" if self.administrators else looked
        return Answer(TRUE, (Evidence((), observed, self.expected, "no_such_request"),))

    def _left(self) -> str:
        names = sorted(member.arn.rpartition("/")[2] for member in self.administrators)
        more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
        return f"administrators, who always {self.can}: {', '.join(names[:_NAMES])}{more}"

    def _unknown(self, holders: DutyHolders, duties: Sequence[str], away: bool) -> Iterator[Unresolved]:
        for member, why in self.doubts:
            text = "; ".join(dict.fromkeys(WHY.get(w, w) for w in why))
            yield Unresolved("not_collected", f"{who(member.arn)}: {text}")
        for text in dict.fromkeys(self.others):
            yield Unresolved("not_collected", WHY.get(text, text))
        if holders.staff.more is not None:
            yield holders.staff.more
        for duty in duties:
            blind = holders.blind(duty) or (holders.away(duty) if away else None)
            if blind is not None:
                yield Unresolved("not_collected", blind)


def _first(holding: Holding) -> Request:
    """Return the first request that shows a duty: of what makes somebody hold it, if something does."""
    return next((r for step in holding.steps for r in step.requests), holding.requests[0])


def _sentence(member: Member, found: dict[str, Holding]) -> str:
    """Return who can do what, with a request for each duty."""
    deeds = []
    for duty, holding in found.items():
        through = _through(member, holding)
        requests = ", then ".join(map(_request, holding.requests))
        deeds.append(f"{DUTIES[duty].verb} ({requests}{through})")
    return f"{who(member.arn)} can {' and '.join(deeds)}"


def _through(member: Member, holding: Holding) -> str:
    """Say as whom a duty is done, and what makes the member that."""
    if holding.role is None:
        return ""
    if not holding.steps:
        return f" as role {_name(holding.role)}"
    parts = [f" as {_kind_and_name(holding.role)}"] if holding.role != member.arn else []
    last = holding.steps[-1].target
    changes = {
        "with any policy": last.anything,
        "without its boundary": last.unbounded,
        f"in group {_name(last.group or '')}": last.group is not None,
    }
    parts += [f" {words}" for words, true in changes.items() if true]
    return f"{''.join(parts)}, by {', then '.join(_step(member, step) for step in holding.steps)}"


def _step(member: Member, step: Step) -> str:
    start = "" if step.source.arn == member.arn else f" as {_kind_and_name(step.source.arn)}"
    return " and ".join(map(_request, step.requests)) + start


def _kind_and_name(arn: str) -> str:
    return f"{arn.split(':', 5)[5].partition('/')[0]} {_name(arn)}"


def _name(arn: str) -> str:
    return arn.split(":", 5)[-1].partition("/")[2]


def _request(request: Request) -> str:
    on = "" if request.resource == "*" else f" on {request.resource}"
    keys = [
        f"{k} = {v if isinstance(v, str) else ', '.join(v)}"
        for k, v in request.context.items()
        if k.lower() not in _HIDDEN
    ]
    return f"{request.action}{on}{' with ' if keys else ''}{', '.join(keys)}"


def roles_without(subject: Subject, *, uses: Sequence[str], duties: Sequence[str]) -> Answer:
    """TRUE when none of the delivery's roles of these uses holds one of the duties."""
    holders = holders_of(subject)
    verbs = " or ".join(DUTIES[duty].verb for duty in duties)
    expected = f"a {' or '.join(uses)} role that cannot {verbs}"
    unknown: list[Evidence] = []
    found: list[Evidence] = []
    first: Request | None = None
    for role in holders.delivery.roles:
        if role.use not in uses:
            continue
        member = holders.staff.members.get(role.arn) if isinstance(role.arn, str) else None
        if member is None:
            what = role.arn if isinstance(role.arn, str) else role.arn.reason
            value = Unresolved("not_collected", f"the {role.use} role: {what}")
            unknown.append(Evidence((), value, expected, value.reason))
            continue
        held = {duty: holders.holds(member, duty) for duty in duties}
        some = {duty: h for duty, h in held.items() if h.requests}
        if some:
            first = first or _first(next(iter(some.values())))
            found.append(Evidence((), _sentence(member, some), expected, "request_allowed"))
            continue
        why = [w for h in held.values() for w in h.perhaps]
        unseen = holders.staff.unseen_roles(member)
        why += [f"as which roles it can act: {unseen.describe()}"] if unseen is not None else []
        why += [blind for duty in duties if (blind := holders.blind(duty)) is not None and why]
        if why:
            text = "; ".join(dict.fromkeys(WHY.get(w, w) for w in why))
            value = Unresolved("not_collected", f"{who(member.arn)}: {text}")
            unknown.append(Evidence((), value, expected, value.reason))
    if found:
        assert first is not None
        return Answer(FALSE, tuple(found[:_SHOWN]), witness(first))
    if unknown:
        return Answer(UNKNOWN, tuple(unknown[:_SHOWN]))
    return Answer(TRUE, (Evidence((), "no such request", expected, "no_such_request"),))
