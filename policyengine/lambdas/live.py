"""What an event does not hold, read from the account: with the collectors of a scan, judged by the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policyengine.lambdas.runtime import Runtime
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Refused
from policyengine.remediate.assemble import redactor
from policyengine.remediate.ports import Subject
from policyengine.remediate.survey import Survey

SUBJECTS = ("AWS::::Account", "PolicyEngine::Account::Region")
"""Types of ours that AWS Config knows as the account."""


def judged_live(runtime: Runtime, resource: Resource, undecided: Iterable[Finding]) -> list[Finding]:
    """Return the findings, on a resource as it is now, of rules that the event alone could not decide; none of a rule that
    says nothing about it. What cannot be read now either stays UNKNOWN: it never becomes "not applicable"."""
    found = []
    for finding in undecided:
        subject = Subject(
            finding.rule, resource.type, resource.id, resource.account or "", resource.region or ""
        )
        try:
            now = runtime.observer.observe(subject).finding
        except Refused:
            now = finding
        if now is not None:
            found.append(now)
    return found


class Judged:
    """Everything that rules are about, judged; ``incomplete`` are types that could not be listed, with why."""

    def __init__(self, runtime: Runtime, rules: Sequence[str]) -> None:
        bundle = runtime.bundle
        self._survey = Survey(runtime.doors, bundle.pack, bundle.settings, redactor(), runtime.clock.now())
        self._found = self._survey.findings(rules, runtime.own.id, runtime.region)

    @property
    def incomplete(self) -> dict[str, str]:
        """Type -> the call that failed, once everything was asked for."""
        found = {type: failure.detail for type, failure in self._survey.incomplete.items()}
        own = [found[type] for type in SUBJECTS if type in found]
        return found | {"AWS::::Account": own[0]} if own else found

    def __iter__(self) -> Iterator[tuple[str, str, list[Finding]]]:
        """Yield AWS Config's type and id of each resource, with its findings."""
        for resource, findings in self._found:
            if resource.type in SUBJECTS:
                yield "AWS::::Account", resource.account or resource.id, findings
            else:
                yield resource.type, resource.id, findings
