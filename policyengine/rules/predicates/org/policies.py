"""``org.denies`` and ``org.denies_by``: what an SCP does by itself, before or wherever it is attached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.conditions import read_operator
from policyengine.iam.documents import Policy
from policyengine.iam.exemptions import exemptions
from policyengine.iam.organization_records import FULL_ACCESS
from policyengine.iam.plain_requests import possible
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes, covered, extended
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.sentences import may_call, why_passed
from policyengine.iam.statements import compiled
from policyengine.iam.ways import action_bits
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.reader import Document, Reader
from policyengine.rules.iam.standins import ACCOUNT, filled
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import unreadable, witness
from policyengine.rules.predicates.org.asking import PolicyError, asked_of, undecided
from policyengine.rules.predicates.org.covers import proposal, statement_name

_CONTENT: Final[Path] = ("Content",)
_EXPECTED: Final = "a policy that denies every such request"
_REGION: Final = "aws:requestedregion"
_FULL: Final = FULL_ACCESS["p-FullAWSAccess"][1]
_MOST: Final = 5_000


class _Kept:
    """Policies by their content, and what was asked of them. INVARIANT: an entry holds what its key names."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.read = 0
        self.answers: dict[tuple[int, int], tuple[Policy, RequestSet, Reasoned]] = {}
        self.sets: dict[tuple[int, tuple[str, ...]], tuple[RequestSet, RequestSet]] = {}

    def document(self, resource: Resource) -> Document:
        self.read += 1
        if self.read > _MOST:
            self.read, self.reader = 0, Reader()
            self.answers.clear()
            self.sets.clear()
        self.reader.errors.clear()
        value = resource.properties.get("Content")
        if value is None:
            return self.reader.unknown(resource, _CONTENT, "scp", "`Content` is not given")
        content = filled(value, resource) if resource.file is not None else value
        return self.reader.document(resource, _CONTENT, content, "scp")


_KEPT: Final = _Kept()


def denies(subject: Subject, *, requests: Any, exempt: Sequence[str], named: bool) -> Answer:
    """TRUE when the SCP by itself denies every request of the set; else with one it lets pass.

    ``named``: where the set is about every region, those that the policy itself approves are left out.
    """
    try:
        asked = asked_of(requests, exempt)
    except PolicyError as error:
        return unreadable(error)
    document = _KEPT.document(subject.resource)
    if named:
        asked = _outside_named(asked, document.policy)
    answer = _decided(document.policy, asked)
    if isinstance(answer, No):
        return Answer(
            TRUE, (Evidence(_CONTENT, "every such request is denied", _EXPECTED, "requirement_met"),)
        )
    if isinstance(answer, Unknown):
        return _unknown(subject.resource, answer)
    passed = [e for s in document.policy.statements if (e := _passed(s, answer)) is not None]
    because = f", because {passed[0].observed}" if passed else ""
    first = Evidence(_CONTENT, f"{may_call(answer.witness)}{because}", _EXPECTED, "request_not_denied")
    return Answer(FALSE, (first, *passed, *_more(document, asked, answer)), witness(answer.witness))


def _unknown(resource: Resource, answer: Unknown) -> Answer:
    """UNKNOWN with the first value of the content that is not known, or why it could not be decided."""
    found = next(_holes(_CONTENT, resource.properties.get("Content")), None)
    if found is None:
        return undecided(answer.why, _EXPECTED)
    path, value = found
    return Answer(UNKNOWN, (Evidence(path, value, _EXPECTED, value.reason),))


def _holes(path: Path, value: Any) -> Iterator[tuple[Path, Unresolved]]:
    if isinstance(value, Unresolved):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _holes((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _holes((*path, index), item)
    more = getattr(value, "more", None)
    if isinstance(more, Unresolved):
        yield path, more


def _decided(policy: Policy, asked: RequestSet) -> Reasoned:
    key = (id(policy), id(asked))
    known = _KEPT.answers.get(key)
    if known is None:
        if len(_KEPT.answers) >= _MOST:
            _KEPT.answers.clear()
        known = _KEPT.answers[key] = (policy, asked, _reasoned(policy, asked))
    return known[2]


def _reasoned(policy: Policy, asked: RequestSet) -> Reasoned:
    def allowed(witness: Witness) -> bool:
        request = witness.request()
        verdicts = [compiled(s).verdict(request, False) for s in policy.statements if not s.allow]
        return all(isinstance(v, str) for v in verdicts)

    return possible(asked, lambda requests: covered(requests, [[_FULL, policy]], ACCOUNT), allowed)


def _passed(statement: Any, answer: Yes) -> Evidence | None:
    if statement.allow:
        return None
    why = why_passed(statement, answer.witness)
    if why is None:
        return None
    name = f" `{statement.sid}`" if statement.sid else ""
    return Evidence(_CONTENT, f"the Deny{name} {why}", _EXPECTED, "request_not_denied")


def _more(document: Document, asked: RequestSet, answer: Yes) -> list[Evidence]:
    found: list[Evidence] = []
    for statement in document.policy.statements:
        for exemption in () if statement.allow else exemptions(statement, ACCOUNT):
            also = "" if exemption.besides is None else f", and as it compares texts {exemption.besides} too"
            text = (
                f"{statement_name(statement)} spares {exemption.pattern}{also}; service-linked roles anyway"
            )
            found.append(Evidence(_CONTENT, text, _EXPECTED, "request_not_denied"))
    statement_text = proposal(asked)
    if statement_text is not None:
        found.append(
            Evidence(("with", "proposed statement"), statement_text, _EXPECTED, "request_not_denied")
        )
    return found


def _outside_named(asked: RequestSet, policy: Policy) -> RequestSet:
    """Return the requests outside the regions that the policy itself lets pass."""
    wanted = asked.context.get(_REGION)
    if wanted is None or not wanted.negated or wanted.patterns:
        return asked
    regions: dict[str, None] = {}
    for statement in policy.statements:
        for condition in () if statement.allow else statement.conditions:
            operator = read_operator(condition.operator)
            if operator is not None and condition.key.lower() == _REGION and "Not" in operator.base:
                regions.update(dict.fromkeys(condition.values))
    if not regions:
        return asked
    key = (id(asked), tuple(regions))
    known = _KEPT.sets.get(key)
    if known is None:
        if len(_KEPT.sets) >= _MOST:
            _KEPT.sets.clear()
        context = {**asked.context, _REGION: Values(tuple(regions), True)}
        known = _KEPT.sets[key] = (asked, replace(asked, context=context))
    return known[1]


def denies_by(subject: Subject, *, requests: Any, key: str) -> Answer:
    """TRUE when a Deny of the SCP names an action of the set and has a condition on the key."""
    expected = f"a Deny of these actions that depends on {key}"
    try:
        asked = asked_of(requests, ())
    except PolicyError as error:
        return unreadable(error)
    document = _KEPT.document(subject.resource)
    known = extended([document.policy], asked)
    wanted = known.matching_any(asked.actions)
    doubt = next((s.opaque for s in document.policy.statements if s.opaque is not None), None)
    for statement in document.policy.statements:
        if statement.allow or statement.opaque is not None or not action_bits(statement, known) & wanted:
            continue
        if any(c.key.lower() == key.lower() for c in statement.conditions):
            return Answer(TRUE, (Evidence(_CONTENT, statement_name(statement), expected, "requirement_met"),))
    if doubt is not None:
        return _unknown(subject.resource, Unknown((doubt.reason,)))
    return Answer(FALSE, (Evidence(_CONTENT, ABSENT, expected, "missing"),))


def spares_exactly(subject: Subject) -> Answer:
    """TRUE when whom the Deny statements spare by ARN is compared part by part, not as a text."""
    expected = "exemptions that spare nobody besides"
    document = _KEPT.document(subject.resource)
    found: list[Evidence] = []
    for statement in document.policy.statements:
        for exemption in (
            () if statement.allow or statement.opaque is not None else exemptions(statement, ACCOUNT)
        ):
            if exemption.besides is not None:
                text = (
                    f"{statement_name(statement)} spares {exemption.pattern} by {exemption.operator},"
                    f" and so {exemption.besides} too"
                )
                found.append(Evidence(_CONTENT, text, expected, "value_mismatch"))
    if found:
        return Answer(FALSE, tuple(found))
    doubt = next((s.opaque for s in document.policy.statements if s.opaque is not None and not s.allow), None)
    if doubt is not None:
        return _unknown(subject.resource, Unknown((doubt.reason,)))
    return Answer(TRUE, (Evidence(_CONTENT, "nobody besides", expected, "requirement_met"),))
