"""What becomes of a FAIL that somebody accepted: it stays one, and says who accepted it until when.

Only failures are looked at, and nothing here changes a verdict. Waivers are found by what narrows them most, so that ten
thousand of them cost a resource a few look-ups, and only those of which a rule fails.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from policyengine.config.waivers import Baseline, BaselineEntry, Compensating, Waiver
from policyengine.engine.accepted import CHANGED, HELD, LAPSED, OPEN, STATE_OF, Accepted, day_of
from policyengine.engine.elsewhere import Elsewhere, names_of_resource, needs_elsewhere, place_name
from policyengine.engine.pinning import Pins, changed, digest_of_pin
from policyengine.engine.suppressions import ACTIVE, reference_of, stated
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, PASS, VERDICTS
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION, references_of

if TYPE_CHECKING:
    from policyengine.engine.evaluate import Evaluator, May
    from policyengine.engine.world import World

MOST_NOTES: Final = 3
"""Reasons why a FAIL is not accepted that one finding tells."""
_ALL: Final = frozenset(VERDICTS)
_EVERYWHERE: Final = ("*", "")
Key = tuple[str, str]
Compensation = Callable[[Compensating, Finding, Resource, "World"], str]
"""Says why a waiver's compensating rule does not hold for a FAIL; "" where it passes."""


class Accepting:
    """The waivers and the baseline of an evaluator, ready to be asked about one resource after the other.

    ``compensation`` decides compensating rules: by the evaluator's own settings where nobody gives another.
    """

    def __init__(self, evaluator: Evaluator, compensation: Compensation | None = None) -> None:
        settings = evaluator.settings.waiving
        self._evaluator = evaluator
        self._compensation = compensation or self._decided
        self._waivers: Mapping[Key, Sequence[tuple[int, Waiver]]] = _indexed(settings.waivers)
        kinds = {kind for kind, _ in self._waivers}
        self._by_resource, self._by_tag, self._by_ou = ("resource" in kinds, "tag" in kinds, "ou" in kinds)
        self._in_place = "in place" in kinds
        self._baseline: Baseline | None = settings.baseline
        self._entries: Mapping[tuple[str, str, str, str], Mapping[str, BaselineEntry]] = _entries(
            settings.baseline
        )
        self._sides: dict[str, Evaluator] = {}
        self._pins = Pins({form["id"]: form for form in evaluator.pack.rules})
        self._met = Accepted()
        self._resource: Resource | None = None
        self._about: Mapping[str, Sequence[Waiver]] | None = None
        self._own: Mapping[str, BaselineEntry] = {}
        self._may: May | None = None

    def take(self) -> Accepted:
        """Return what was met since the last call."""
        met, self._met = self._met, Accepted()
        return met

    def judged(
        self, resource: Resource, world: World, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        """Return what :meth:`Evaluator.findings` does, failures with what accepts them.

        All failures that a waiver or the baseline is about are built, whatever ``may`` says of their number.
        """
        self._start(resource)
        self._may = may
        own = self._own
        asked = None if may is None else self._is_asked
        found = self._evaluator.findings(resource, world, _ALL if own else wanted, asked)
        if own:
            found = self._of_baseline(found, wanted)
        for index, finding in enumerate(found):
            if finding.verdict == FAIL:
                found[index] = self._over(finding, resource, world)
        if resource.type == SUPPRESSION:
            self._note_place(resource)
        return found

    def _note_place(self, resource: Resource) -> None:
        """Note that code refers to a waiver that holds: what it accepts there is counted as it is met."""
        place = reference_of(resource)
        if place is not None and stated(resource, self._evaluator).properties["State"] == ACTIVE:
            self._met.places.setdefault(place, 0)

    def over(self, finding: Finding, resource: Resource, world: World) -> Finding:
        """Return one finding, with what accepts it where it is a FAIL."""
        self._start(resource)
        return self._over(finding, resource, world) if finding.verdict == FAIL else finding

    def doubts(self, finding: Finding, resource: Resource) -> str:
        """Say which waiver may accept a FAIL where it cannot be told what stands above or on the resource; "" for none.

        OUs are known of a snapshot of the organisation, tags where they could be read.
        """
        unknown_ous = resource.account is not None and resource.account not in self._evaluator.settings.ous
        unknown_tags = resource.tags is not None and not isinstance(resource.tags, Mapping)
        for waiver in {id(w): w for each in self._waivers.values() for _, w in each}.values():
            if finding.rule not in waiver.rules or not _is_named(waiver, resource):
                continue
            if waiver.in_place and resource.file is None:
                return f"waiver {waiver.id} is for what code refers to, and code is not seen here"
            if waiver.ous and unknown_ous:
                return f"waiver {waiver.id} is for the OU {waiver.ous[0]}, and what stands above is not known here"
            if waiver.tags and unknown_tags:
                return f"waiver {waiver.id} is for a tag, and the tags could not be read"
        return ""

    def _start(self, resource: Resource) -> None:
        self._resource, self._about = resource, None
        self._own = self._entries.get(resource.identity, {}) if self._entries else {}

    def _is_asked(self, rule: str, verdict: str) -> bool:
        """Whether a finding has to be built: somebody wants it, or it may be accepted."""
        if rule in self._own:
            return True
        may = self._may
        if may is None or may(rule, verdict):
            return True
        return verdict == FAIL and rule in self._waivers_about()

    def _of_baseline(self, found: list[Finding], wanted: frozenset[str]) -> list[Finding]:
        """Note what became of the entries about a resource, and leave out what was only built for that."""
        kept = []
        for finding in found:
            entry = self._own.get(finding.rule)
            if entry is not None and finding.verdict != FAIL:
                self._met.entries[entry.id] = finding.verdict
            if finding.verdict in wanted and (
                self._may is None or finding.verdict == FAIL or self._may(finding.rule, finding.verdict)
            ):
                kept.append(finding)
        return kept

    def _waivers_about(self) -> Mapping[str, Sequence[Waiver]]:
        """Return rule -> waivers that are about the resource, in the order of their file."""
        if self._about is None:
            resource = self._resource
            assert resource is not None  # a resource is being judged
            found: dict[int, Waiver] = {}
            for key in self._keys(resource):
                for number, waiver in self._waivers.get(key, ()):
                    if number not in found and self._is_about(waiver, resource):
                        found[number] = waiver
            about: dict[str, list[Waiver]] = {}
            for number in sorted(found):
                for rule in found[number].rules:
                    about.setdefault(rule, []).append(found[number])
            self._about = about
        return self._about

    def _keys(self, resource: Resource) -> Iterable[Key]:
        yield _EVERYWHERE
        if resource.account is not None:
            yield "account", resource.account
        if self._by_ou:  # code may be bound to OUs without an account
            yield from (("ou", each) for each in self._evaluator.settings.ous.get(resource.account or "", ()))
        if self._in_place:
            yield from (("in place", each.waiver) for each in references_of(resource))
        if self._by_resource:
            yield from (("resource", name) for name in names_of_resource(resource))
        if self._by_tag and isinstance(resource.tags, Mapping):
            yield from (("tag", key) for key in resource.tags)

    def _is_about(self, waiver: Waiver, resource: Resource) -> bool:
        """Whether every scope of a waiver holds for a resource; what is not known holds for nothing."""
        if waiver.in_place and all(each.waiver != waiver.id for each in references_of(resource)):
            return False
        if waiver.ous:
            above = self._evaluator.settings.ous.get(resource.account or "", ())
            if not any(each in above for each in waiver.ous):
                return False
        if waiver.tags:
            tags = resource.tags if isinstance(resource.tags, Mapping) else {}
            if any(tags.get(key) != value for key, value in waiver.tags.items()):
                return False
        return _is_named(waiver, resource)

    def _over(self, finding: Finding, resource: Resource, world: World) -> Finding:
        notes: list[str] = []
        for waiver in self._waivers_about().get(finding.rule, ()):
            state, why = self._why_not(waiver, finding, resource, world)
            self._met.waivers[waiver.id, state] += 1
            if not why:
                self._met.rules[finding.rule] += 1
                shown = {**waiver.shown(), **self._place_of(waiver, resource)}
                return finding._replace(waiver=dict(sorted(shown.items())))
            self._met.why.setdefault(waiver.id, why)
            notes.append(why)
        entry = self._own.get(finding.rule)
        if entry is not None and self._baseline is not None:
            if digest_of_pin(self._pins.of(finding, resource)) == entry.values:
                self._met.entries[entry.id] = OPEN
                self._met.rules[finding.rule] += 1
                self._met.debt += 1
                return finding._replace(waiver=self._baseline.shown())
            self._met.entries[entry.id] = CHANGED
            notes.append("the baseline has it with other values")
        return _noted(finding, notes) if notes else finding

    def _place_of(self, waiver: Waiver, resource: Resource) -> dict[str, Any]:
        """Return where code refers to the waiver that accepts a failure, as findings show it."""
        place = next((each for each in references_of(resource) if each.waiver == waiver.id), None)
        if place is None:
            return {}
        self._met.places[place] = self._met.places.get(place, 0) + 1
        return {"in_place": place.shown()}

    def _why_not(self, waiver: Waiver, finding: Finding, resource: Resource, world: World) -> tuple[str, str]:
        """Return the state of a waiver for a FAIL, and why it does not accept it ("" where it does)."""
        name = f"waiver {waiver.id}"
        if ended := waiver.ended(day_of(self._evaluator.now)):
            return STATE_OF[ended[0]], f"{name} {ended[1]}"
        if waiver.pins is not None:
            pin = waiver.pins.get(finding.id)
            if pin is None:
                return LAPSED, f"{name} does not say which values it accepts here"
            other = changed(pin, self._pins.of(finding, resource))
            if other:
                return LAPSED, f"{name} lapsed: {other} changed since it was granted"
        if waiver.compensating is not None:
            why = self._compensation(waiver.compensating, finding, resource, world)
            if why:
                return LAPSED, f"{name} lapsed: {why}"
        return HELD, ""

    def _decided(self, comp: Compensating, finding: Finding, resource: Resource, world: World) -> str:
        """Say why a compensating rule does not hold, by the rules themselves."""
        form = self._evaluator.settings.waiving.rules.get(comp.rule)
        if form is None:
            return f"there is no compensating rule {comp.rule}"
        if needs_elsewhere(comp, form):
            where = comp.resource if comp.resource is not None else place_name(form, resource)
            found = self._evaluator.elsewhere.get((comp.rule, where))
            return _not_passing(comp.rule, where, found)
        side = self._sides.get(comp.rule)
        if side is None:
            side = self._sides[comp.rule] = self._evaluator.beside([form])
        side.now = self._evaluator.now
        verdicts = [each.verdict for each in side.findings(resource, world)]
        return _not_passing(comp.rule, "", verdicts[0] if verdicts else None)


def _not_passing(rule: str, where: str, verdict: str | None) -> str:
    place = f" on {where}" if where else ""
    if verdict == PASS:
        return ""
    if verdict is None:
        return f"compensating rule {rule} says nothing{place}"
    return f"compensating rule {rule} is {verdict}{place}"


def _noted(finding: Finding, notes: Sequence[str]) -> Finding:
    told = "; ".join(notes[:MOST_NOTES])
    return finding._replace(message=f"{finding.message} ({told})")


def _is_named(waiver: Waiver, resource: Resource) -> bool:
    """Whether the account and the name of a resource are those of a waiver."""
    if waiver.accounts and resource.account not in waiver.accounts:
        return False
    return not waiver.resources or any(name in waiver.resources for name in names_of_resource(resource))


def _indexed(waivers: Iterable[Waiver]) -> Mapping[Key, Sequence[tuple[int, Waiver]]]:
    """Return the waivers, numbered in their order, by one of the scopes that narrows them."""
    found: defaultdict[Key, list[tuple[int, Waiver]]] = defaultdict(list)
    for number, waiver in enumerate(waivers):
        for key in _keys_of(waiver):
            found[key].append((number, waiver))
    return dict(found)


def _keys_of(waiver: Waiver) -> Iterable[Key]:
    if waiver.resources:
        return (("resource", name) for name in waiver.resources)
    if waiver.in_place:
        return (("in place", waiver.id),)
    if waiver.accounts:
        return (("account", name) for name in waiver.accounts)
    if waiver.ous:
        return (("ou", name) for name in waiver.ous)
    return (("tag", key) for key in sorted(waiver.tags)[:1]) if waiver.tags else (_EVERYWHERE,)


def _entries(baseline: Baseline | None) -> dict[Any, dict[str, BaselineEntry]]:
    found: dict[Any, dict[str, BaselineEntry]] = {}
    for entry in baseline.entries if baseline is not None else ():
        found.setdefault(entry.resource, {})[entry.rule] = entry
    return found


__all__ = ["Accepting", "Compensation", "Elsewhere"]
