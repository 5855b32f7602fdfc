"""Who of an account holds which duty of a delivery: as itself, or as a role it may assume."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from policyengine.iam.account_ids import account_of
from policyengine.iam.catalogue import catalogue
from policyengine.iam.domains import any_caller, one_caller
from policyengine.iam.duties import DUTIES, Deed, Need
from policyengine.iam.escalation_world import Step
from policyengine.iam.glob import compile_glob
from policyengine.iam.holding import masks
from policyengine.iam.opaque import Opaque
from policyengine.iam.reason import WHY, Answer, No, Unknown, Yes, grants
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.sentences import who
from policyengine.iam.takeovers import CHANGES
from policyengine.rules.iam.deliveries import Delivery, Thing
from policyengine.rules.iam.staff import Ask, Member, Staff
from policyengine.rules.iam.standins import REGION

_REGION: Final = "aws:RequestedRegion"
_LONGEST: Final = 4
"""Escalations one after another."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Whether a duty is held. Yes: ``requests`` show it, made as ``role`` where it is not the member itself.

    ``perhaps``: why it is not known; empty with no requests: the duty is not held. ``steps``: how the member, or
    a role it may assume, first makes itself or another do it.
    """

    requests: tuple[Witness, ...] = ()
    role: str | None = None
    perhaps: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


NOT: Final = Holding()
Exempt = Callable[[str], bool]
Holders = Mapping[str, tuple["Member", Holding]]


def nobody(arn: str) -> bool:
    """Exempt no principal."""
    return False


class DutyHolders:
    """Answers about one delivery, each once."""

    def __init__(self, staff: Staff, delivery: Delivery) -> None:
        self.staff = staff
        self.delivery = delivery
        self._found: dict[tuple[str, str, str], Holding] = {}
        self._held: dict[tuple[str, str, bool, Exempt], Holding] = {}
        self._all: dict[tuple[str, Exempt], Holders] = {}
        self._starting: dict[Exempt, list[tuple[Member, list[tuple[Member, bool]]]]] = {}
        self._looks: dict[str, _Look] = {}
        self._asked: dict[tuple[Need, int], Ask] = {}

    def blind(self, duty: str) -> str | None:
        """Return what about a duty the source cannot show."""
        words = {need.on for deed in DUTIES[duty].deeds for need in deed.needs}
        found = self.delivery.blind
        return next((found[word] for word in ("*", *sorted(words)) if word in found), None)

    def away(self, duty: str) -> str | None:
        """Return what says that a duty is about another account, whose principals are not looked at."""
        words = {need.on for deed in DUTIES[duty].deeds for need in deed.needs}
        for thing in self.delivery.things:
            account = "" if isinstance(thing.arn, Opaque) else account_of(thing.arn)
            if thing.word in words and account not in ("", self.delivery.account):
                return f"{thing.arn} is in another account, whose principals are not looked at"
        return None

    def outside(self, duty: str) -> Iterator[Answer]:
        """Yield what the policies of things let principals of other accounts do, each but No.

        The delivery's own roles are not asked about; what their own account allows others is taken for granted.
        """
        home, own = self.delivery.account, tuple(sorted(self.delivery.role_arns()))
        context = {
            "aws:principalaccount": Values((home,), True, True),
            "aws:principalarn": Values(own, True, True),
        }
        for deed in DUTIES[duty].deeds:
            for thing in self.delivery.of(deed.needs[0].on):
                if thing.own is None or isinstance(thing.arn, Opaque) or len(deed.needs) > 1:
                    continue
                asked = RequestSet((deed.needs[0].action,), (thing.arn,), ("*",), context)
                answer = grants((thing.own,), asked, one_caller("*"))
                if not isinstance(answer, Yes):
                    answer = grants((thing.own,), asked, any_caller())
                if not isinstance(answer, No):
                    yield answer

    def holds(
        self, member: Member, duty: str, administrators: bool = True, exempt: Exempt = nobody
    ) -> Holding:
        """Return whether a member holds a duty: as itself, as a role it may assume, or by a known escalation.

        ``administrators``: roles that are administrators count where it may assume them; those that are ``exempt``
        do not at all.
        """
        own = self._plainly(member, duty, administrators, exempt)
        if own.requests:
            return own
        starts = self._starts(member, administrators, exempt)
        if not starts:
            return own
        return self._by_takeover(member, duty, starts, own, self._those_who(duty, exempt), exempt)

    def _starts(self, member: Member, administrators: bool, exempt: Exempt) -> list[tuple[Member, bool]]:
        """Return a member and the roles it may assume (with whether that is certain) that escalations begin at."""
        open_ = self.staff.takeovers.open
        found = [(member, True)] if open_(member.arn) else []
        for role, answer in self.staff.reach(member):
            if open_(role.arn) and self._counts(role, administrators, exempt):
                found.append((role, isinstance(answer, Yes)))
        return found

    def _plainly(self, member: Member, duty: str, administrators: bool, exempt: Exempt) -> Holding:
        """Return whether a member holds a duty as itself or as a role it may assume."""
        if not self.staff.reach(member):
            return self.directly(member, duty)
        key = (member.arn, duty, administrators, exempt)
        known = self._held.get(key)
        if known is None:
            known = self._held[key] = self._as_roles(member, duty, administrators, exempt)
        return known

    def _as_roles(self, member: Member, duty: str, administrators: bool, exempt: Exempt) -> Holding:
        own = self.directly(member, duty)
        if own.requests:
            return own
        why = dict.fromkeys(own.perhaps)
        for role, assumed in self.staff.reach(member):
            found = self.directly(role, duty)
            if found is NOT or not self._counts(role, administrators, exempt):
                continue
            if found.requests and isinstance(assumed, Yes):
                return Holding(found.requests, role.arn)
            why.update(dict.fromkeys(found.perhaps or (f"whether it may assume {role.arn}",)))
        return Holding(perhaps=tuple(why)) if why else NOT

    def _counts(self, other: Member, administrators: bool, exempt: Exempt) -> bool:
        return not exempt(other.arn) and (administrators or not self.staff.administers(other))

    def _by_takeover(
        self,
        member: Member,
        duty: str,
        starts: list[tuple[Member, bool]],
        own: Holding,
        holders: Holders,
        exempt: Exempt,
    ) -> Holding:
        """Return whether a member holds a duty as it is, or by one step that changes somebody or leads to a holder."""
        why = dict.fromkeys(own.perhaps)
        for found in self._steps(member, duty, starts, holders, exempt):
            if found.requests:
                return found
            why.update(dict.fromkeys(found.perhaps))
        return Holding(perhaps=tuple(why)) if why else NOT

    def _steps(
        self,
        member: Member,
        duty: str,
        starts: list[tuple[Member, bool]],
        holders: Holders,
        exempt: Exempt,
    ) -> Iterator[Holding]:
        takeovers = self.staff.takeovers
        for start, sure in starts:
            for step in takeovers.changes(start.arn):
                if step.target.arn == start.arn or not exempt(step.target.arn):
                    yield self._after(step, self.directly(self.staff.changed(step.target), duty), sure)
            for arn, (_, holding) in holders.items():
                led = None if arn in (start.arn, member.arn) else takeovers.step(start.arn, arn)
                if led is not None:
                    yield self._after(led, holding, sure)
        for start, _ in starts:
            if start.arn in takeovers.more:
                name = who(start.arn)
                yield Holding(
                    perhaps=(f"{name} can change more users and roles than the {CHANGES} looked at",)
                )
        if takeovers.spent:
            yield Holding(perhaps=("too_large",))

    def _those_who(self, duty: str, exempt: Exempt) -> Holders:
        """Return by ARN who holds a duty, or may, by any number of steps.

        Administrators among them: who passes one on to something of its own was not given what it then has.
        """
        key = (duty, exempt)
        if key not in self._all:
            members = [m for m in self.staff.members.values() if not exempt(m.arn)]
            plainly = {m.arn: (m, self._plainly(m, duty, True, exempt)) for m in members}
            found = new = {arn: one for arn, one in plainly.items() if one[1] is not NOT}
            if exempt not in self._starting:
                starts_of = ((m, self._starts(m, True, exempt)) for m in members)
                self._starting[exempt] = [(m, starts) for m, starts in starts_of if starts]
            for _ in range(_LONGEST):
                more: dict[str, tuple[Member, Holding]] = {}
                for member, starts in self._starting[exempt]:
                    own = found.get(member.arn, (member, NOT))[1]
                    if own.requests:
                        continue
                    held = self._by_takeover(member, duty, starts, own, new, exempt)
                    if held.requests or (own is NOT and held is not NOT):
                        more[member.arn] = (member, held)
                found, new = {**found, **more}, more
                if not new:
                    break
            self._all[key] = dict(sorted(found.items(), key=lambda one: not one[1][1].requests))
        return self._all[key]

    @staticmethod
    def _after(step: Step, found: Holding, sure: bool) -> Holding:
        """Return what a step amounts to whose target holds a duty like this."""
        asked = [r for later in found.steps for r in later.requests]
        if found is NOT or (step.only and not _within((*asked, *found.requests), step.only)):
            return NOT
        if found.requests and sure and step.unsure is None:
            return Holding(found.requests, found.role or step.target.arn, (), (step, *found.steps))
        known = "" if step.unsure is None else f", if {WHY.get(step.unsure, step.unsure)}"
        return Holding(perhaps=found.perhaps or (f"whether {step.path} makes it {step.target}{known}",))

    def directly(self, member: Member, duty: str) -> Holding:
        """Return whether a member holds a duty as itself."""
        key = (member.arn, member.changed, duty)
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = self._directly(member, duty)
        return known

    def _look(self, duty: str) -> _Look:
        """Return what a cheap look at a principal needs to know of a duty."""
        if duty not in self._looks:
            known, actions, always = catalogue(), 0, False
            for deed in DUTIES[duty].deeds:
                first = deed.needs[0]
                bit = 1 << (known.index(first.action) or 0)
                for thing in self.delivery.of(first.on):
                    actions |= bit
                    away = isinstance(thing.arn, str) and account_of(thing.arn) not in (
                        "",
                        self.delivery.account,
                    )
                    always = always or away or (thing.own is not None and bool(masks((thing.own,)).may & bit))
            self._looks[duty] = _Look(actions, always)
        return self._looks[duty]

    def _directly(self, member: Member, duty: str) -> Holding:
        look = self._look(duty)
        if not look.always and not member.holder.masks.may & look.actions:
            return NOT
        why: dict[str, None] = {}
        for deed in DUTIES[duty].deeds:
            for found in self._deed(member, deed):
                if found.requests:
                    return found
                why.update(dict.fromkeys(found.perhaps))
        return Holding(perhaps=tuple(why)) if why else NOT

    def _deed(self, member: Member, deed: Deed) -> Iterator[Holding]:
        """Yield what is found for each thing that the first request of a deed may be about."""
        first = deed.needs[0]
        for thing in self.delivery.of(first.on):
            answers = [self._ask(member, first, thing)]
            for need in deed.needs[1:]:
                if isinstance(answers[-1], No):
                    break
                others = [thing] if need.on == first.on else list(self.delivery.of(need.on))
                answers.append(_best([self._ask(member, need, other) for other in others]))
            if not any(isinstance(answer, No) for answer in answers):
                yield _together(answers)

    def _ask(self, member: Member, need: Need, thing: Thing) -> Answer:
        arn = thing.arn
        may = member.holder.may(need.action)
        if isinstance(arn, Opaque):
            return Unknown((f"which {need.on} is meant: {arn.reason}",)) if may else No()
        account = account_of(arn)
        if account not in ("", self.delivery.account):
            away = self.staff.elsewhere(member, account)
            return Unknown((f"whether it may act in account {account}",)) if away else No()
        if not may and thing.own is None:
            return No()
        key = (need, id(thing))  # the delivery holds its things
        if key not in self._asked:
            self._asked[key] = self._request(need, thing, arn)
        return self.staff.asks(member, self._asked[key])

    def _request(self, need: Need, thing: Thing, arn: str) -> Ask:
        """Return a request about a thing with the keys it has; those AWS does not list for the action are left out."""
        keys: dict[str, str | None] = dict(thing.context)
        keys.update(need.context)
        region = self.delivery.region if ":iam::" not in arn else REGION
        if region != REGION:
            keys[_REGION] = (*arn.split(":", 4), "", "", "")[3] or region
        carried = {k: v for k, v in keys.items() if catalogue().may_carry(need.action, k) is not False}
        return Ask(need.action, arn, tuple(sorted(carried.items())), thing.own, thing.likely, thing.tags)


class _Look(NamedTuple):
    """The actions a duty begins with, as bits; ``always``: policies of others may give it as well."""

    actions: int
    always: bool


def _within(requests: tuple[Witness, ...], only: tuple[str, ...]) -> bool:
    """Say whether all requests are about actions that patterns match."""
    matches = [compile_glob(pattern.lower()) for pattern in only]
    return all(any(match(request.action.lower()) for match in matches) for request in requests)


def _best(answers: list[Answer]) -> Answer:
    for kind in (Yes, Unknown):
        for answer in answers:
            if isinstance(answer, kind):
                return answer
    return No()


def _together(answers: list[Answer]) -> Holding:
    """Return what answers amount to of which none is No."""
    requests = tuple(answer.witness for answer in answers if isinstance(answer, Yes))
    if len(requests) == len(answers):
        return Holding(requests)
    return Holding(perhaps=tuple(w for a in answers if isinstance(a, Unknown) for w in a.why))
