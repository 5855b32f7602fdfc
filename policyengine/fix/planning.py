"""From failing rules to a text in which they pass: fixes are made together, judged again, and kept only where the
rule then says PASS and no other verdict got worse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from policyengine.documents import Document, load
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.rule import predicate_names
from policyengine.fix.changes import AddResource, Change, Raw
from policyengine.fix.derive import Derivation, NotMechanicalError
from policyengine.fix.handlers import Handlers
from policyengine.fix.judging import Failure, Judged, Place, Verdicts, judge
from policyengine.fix.knowledge import Effect
from policyengine.fix.rewrite import CannotEditError, Edit, Rewriter, apply_edits, unshared
from policyengine.fix.serverless import makes, written
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, PASS, UNKNOWN
from policyengine.sources.cloudformation.template import Template

MOST_ROUNDS: Final = 10
"""One fix may make room for another: a statement goes into the policy that the fix before it added."""

MOST_TRIED: Final = 300
"""Texts of one template that are judged: where fixes spoil each other they are tried one by one."""

Key = tuple[str, str]
"""Rule and logical id."""


class Wanted(NamedTuple):
    """What is to be fixed: ``rules`` None means all; ``tags`` are values for tags that are missing."""

    unsafe: bool = False
    rules: frozenset[str] | None = None
    tags: Mapping[str, str] = {}


class Fix(NamedTuple):
    """The changes that are to make one rule pass about one resource."""

    finding: Finding
    changes: tuple[Change, ...]

    @property
    def key(self) -> Key:
        """Rule and logical id."""
        return self.finding.rule, self.finding.resource_id

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the changes do to what runs; empty where they are safe."""
        return tuple(dict.fromkeys(effect for change in self.changes for effect in change.effects))

    @property
    def touches(self) -> frozenset[str]:
        """The logical ids of the resources that are changed or added."""
        names = (c.name if isinstance(c, AddResource) else c.resource for c in self.changes)
        return frozenset((self.finding.resource_id, *names))

    def apply(self, root: Raw) -> None:
        """Change a template's value. Raises CannotEditError."""
        for change in self.changes:
            change.apply(root)


class Left(NamedTuple):
    """A failure that stays, and why."""

    finding: Finding
    why: str


@dataclass
class Plan:
    """What becomes of one template. ``text`` is the new text, ``document`` the old one."""

    document: Document
    text: str
    fixed: list[Fix] = field(default_factory=list)
    along: list[Finding] = field(default_factory=list)
    """Failures that went away with another fix."""
    unsafe: list[Fix] = field(default_factory=list)
    """What ``--unsafe`` would fix besides."""
    left: list[Left] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self.document.text


def plan(place: Place, document: Document, evaluator: Evaluator, wanted: Wanted) -> Plan:
    """Plan the fixes of one template. Raises InputError where it cannot be read."""
    first = judge(evaluator, place, document)
    work = _Work(place, document, first, evaluator, wanted)
    work.run()
    found = Plan(document, work.document.text, work.fixed, left=work.left())
    possible = {each.key for each in work.needs_unsafe}
    if possible and not wanted.unsafe:
        more = _Work(place, work.document, work.judged, evaluator, wanted._replace(unsafe=True), possible)
        more.run()
        found.unsafe = more.fixed
        shown = {fix.key for fix in more.fixed}
        why = {_key(each.finding): each.why for each in more.left()}
        found.left = [
            each._replace(why=why.get(_key(each.finding), each.why))
            for each in found.left
            if _key(each.finding) not in shown
        ]
    done = {fix.key for fix in found.fixed}
    found.along = [
        failure.finding
        for failure in first.failures
        if work.judged.verdicts.get(failure.key) != FAIL and failure.key not in done
    ]
    return found


def _key(finding: Finding) -> Key:
    return finding.rule, finding.resource_id


class _Work:
    """One template in the making: ``document`` and ``judged`` are of the text so far."""

    def __init__(
        self,
        place: Place,
        document: Document,
        judged: Judged,
        evaluator: Evaluator,
        wanted: Wanted,
        only: Collection[Key] | None = None,
    ) -> None:
        self.document = document
        self.judged = judged
        self.fixed: list[Fix] = []
        self.needs_unsafe: list[Fix] = []
        self._place = place
        self._evaluator = evaluator
        self._wanted = wanted
        self._only = only
        self._tries = 0
        self._macro = Template(document).macro
        self._why: dict[Key, str] = {}
        self._last: tuple[list[Fix], tuple[Document, Judged]] | None = None
        about_tags = (
            form["id"]
            for form in evaluator.forms
            if any(n.startswith("tags.") for v in form["variants"] for n in predicate_names(v["require"]))
        )
        self._about_tags = frozenset(about_tags)

    def run(self) -> None:
        """Fix in rounds until nothing more can be."""
        for _ in range(MOST_ROUNDS):
            candidates = self._candidates()
            if not candidates or not self._keep(candidates):
                return

    def left(self) -> list[Left]:
        """Return the failures of the text so far that were asked about, and why they stay."""
        asked = [f for f in self.judged.failures if self._is_asked(f)]
        return [Left(f.finding, self._why.get(f.key, "the rounds of fixing ran out")) for f in asked]

    def _is_asked(self, failure: Failure) -> bool:
        rules = self._wanted.rules
        return (rules is None or failure.finding.rule in rules) and (
            self._only is None or failure.key in self._only
        )

    # -- what could be done -------------------------------------------------------------------------

    def _candidates(self) -> list[Fix]:
        root: Raw = self.document.value
        handlers = Handlers(root, self._wanted.tags)
        rewriter = Rewriter(self.document)
        found: list[Fix] = []
        self.needs_unsafe = []
        for failure in self.judged.failures:
            if not self._is_asked(failure):
                continue
            try:
                fix = self._fix_of(failure, root, handlers)
                rewriter.edits(_changed(root, [fix]), check=False)
            except (NotMechanicalError, CannotEditError) as error:
                self._why[failure.key] = f"not mechanical here: {error}"
                continue
            if fix.effects and not self._wanted.unsafe:
                self._why[failure.key] = "--unsafe: " + "; ".join(map(str, fix.effects))
                self.needs_unsafe.append(fix)
            else:
                found.append(fix)
        return found

    def _fix_of(self, failure: Failure, root: Raw, handlers: Handlers) -> Fix:
        finding = failure.finding
        if finding.waiver is not None and finding.waiver.get("kind") != "baseline":
            raise NotMechanicalError(f"it is accepted by the waiver {finding.waiver.get('id')}")
        if self._macro is not None:
            raise NotMechanicalError(self._macro.detail)
        body = root["Resources"].get(finding.resource_id)
        kind = body.get("Type") if isinstance(body, dict) else None
        if kind != finding.resource_type and not makes(kind, finding.resource_type):
            raise NotMechanicalError("the resource is not written in the template but made from another")
        found: list[Change] = []
        for subject in failure.subjects(self._evaluator):
            derivation = Derivation(subject, handlers.table(), handlers.tag)
            changes = derivation.changes(failure.rule.require)
            if kind != finding.resource_type:
                changes = written(changes, str(kind))
            found += [c for c in changes if c not in found]
        if not found:
            raise NotMechanicalError("nothing in the resource itself would change the verdict")
        return Fix(finding, tuple(found))

    # -- what is kept -------------------------------------------------------------------------------

    def _keep(self, candidates: Sequence[Fix]) -> bool:
        """Make those fixes that keep the contract; whether there was one."""
        suspects = self._suspects(candidates)
        kept = [fix for fix in candidates if fix.key not in suspects]
        if kept and suspects and self._suspects(kept):
            kept, suspects = [], {fix.key for fix in candidates}
        for fix in candidates:
            if fix.key in suspects and not self._suspects([*kept, fix]):
                kept.append(fix)
        if not kept:
            return False
        document, judged = self._tried(kept)
        if document.text == self.document.text:
            return False
        self.document, self.judged, self._last = document, judged, None
        self.fixed += kept
        return True

    def _tried(self, fixes: Sequence[Fix]) -> tuple[Document, Judged]:
        """Return the text with some fixes, judged. Raises CannotEditError."""
        if self._last is not None and self._last[0] == list(fixes):
            return self._last[1]
        edits: list[Edit] = Rewriter(self.document).edits(_changed(self.document.value, fixes))
        text = apply_edits(self.document.text, edits)
        document = load(
            text.encode(), name=self.document.name, syntax=self.document.syntax, style="cloudformation"
        )
        found = document, judge(self._evaluator, self._place, document)
        self._last = (list(fixes), found)
        return found

    def _suspects(self, fixes: Sequence[Fix]) -> set[Key]:
        """Return the fixes that may be why the contract is broken when these are made; notes why."""
        self._tries += 1
        try:
            if self._tries > MOST_TRIED:
                raise CannotEditError("too many fixes here spoil each other: name one with --rule")
            _, after = self._tried(fixes)
        except CannotEditError as error:
            self._why |= {fix.key: f"not mechanical here: {error}" for fix in fixes[-1:]}
            return {fix.key for fix in fixes}
        found: set[Key] = set()
        for fix in fixes:
            verdict = after.verdicts.get(fix.key)
            if verdict != PASS:
                self._why[fix.key] = f"not mechanical here: with {_listed(fix)} the rule would say {verdict}"
                found.add(fix.key)
        for problem in sorted(after.errors - self.judged.errors):
            self._why |= {fix.key: f"left out: the template would no longer load: {problem}" for fix in fixes}
            return {fix.key for fix in fixes}
        for key in worsened(self.judged.verdicts, after.verdicts):
            found |= self._blamed(key, fixes, after.verdicts[key])
        return found

    def _blamed(self, key: Key, fixes: Sequence[Fix], verdict: str) -> set[Key]:
        rule, name = key
        near = [fix for fix in fixes if name in fix.touches]
        made = name not in self.document.value["Resources"]  # by SAM, which hands tags on
        if rule in self._about_tags and any(_has_placeholder(fix) for fix in (fixes if made else near)):
            return set()  # it is what says that the placeholder is still there
        blamed = near or fixes
        self._why |= {fix.key: f"left out: `{rule}` of `{name}` would become {verdict}" for fix in blamed}
        return {fix.key for fix in blamed}


def worsened(before: Verdicts, after: Verdicts) -> list[Key]:
    """Return what got worse: FAIL that was none, UNKNOWN that was PASS; what is new counts as never asked."""
    return [
        key
        for key, verdict in after.items()
        if (verdict == FAIL and before.get(key) != FAIL) or (verdict == UNKNOWN and before.get(key) == PASS)
    ]


def _changed(root: Raw, fixes: Sequence[Fix]) -> Raw:
    """Return the template's value with some fixes made; what they do not touch is the same object as before."""
    resources = root["Resources"]
    touched = {name for fix in fixes for name in fix.touches if name in resources}
    copied = {name: unshared(resources[name]) for name in touched}
    changed: Raw = {**root, "Resources": {**resources, **copied}}
    for fix in fixes:
        fix.apply(changed)
    return changed


def _has_placeholder(fix: Fix) -> bool:
    return any(effect.kind == "placeholder" for effect in fix.effects)


def _listed(fix: Fix) -> str:
    return ", ".join(str(change) for change in fix.changes[:3])
