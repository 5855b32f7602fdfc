"""From a subject to the plan document: seen afresh, guarded, planned by the handler. Nothing is changed or written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from policyengine.config.remediation import Remediating
from policyengine.model.canonical_json import digest
from policyengine.remediate import guards
from policyengine.remediate.api import Handler, Refused, Target
from policyengine.remediate.crash import handled
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.plan import make_plan
from policyengine.remediate.ports import Hands, Observer, Subject
from policyengine.store.actions import Action

Json = dict[str, Any]


class Remediation(NamedTuple):
    """A declaration and its handler."""

    declaration: Declaration
    handler: Handler


class Planner:
    """Makes plan documents. ``remediations`` by id; ``rules``: rule id -> the id of its remediation and the digest of
    its text."""

    def __init__(
        self,
        *,
        observer: Observer,
        hands: Hands,
        remediations: Mapping[str, Remediation],
        rules: Mapping[str, tuple[str, str]],
        settings: Remediating,
    ) -> None:
        self.observer = observer
        self.hands = hands
        self.remediations = remediations
        self.rules = rules
        self.settings = settings

    def document(self, subject: Subject, now: datetime) -> Json:
        """Return the plan document as it is now, without times. Raises Refused."""
        declaration, handler, rule_digest = self.remediation(subject)
        observation = self.observer.observe(subject)
        resource, finding = guards.failing(observation, subject)
        guards.not_excluded(resource, self.settings)
        guards.settled(resource, self.settings, now)
        target = Target(
            resource, finding, observation.region, observation.partition, now.isoformat(timespec="seconds"),
            parameters_of(declaration, self.settings),
        )  # fmt: skip
        reader = self.hands.reader(declaration.id, target.account, observation.region)
        with handled(declaration.id):
            image = handler.image(target, reader)
            proposal = handler.plan(target, image)
        if not proposal.steps and not proposal.advice:
            raise Refused("unsupported", f"`{declaration.id}` has nothing to change: {proposal.summary}")
        owned = guards.owner(resource)
        proposes = owned is not None and self.settings.owned_by_code == "propose"
        if owned is not None and proposes:
            advice = "\n\n".join(filter(None, (guards.patch_for(finding, owned), proposal.advice)))
            proposal = proposal._replace(advice=advice)
        with handled(declaration.id):
            return make_plan(
                declaration,
                target,
                image,
                proposal,
                rule_digest=rule_digest,
                population=observation.population,
                approvals=guards.approvals_needed(declaration, proposal, resource, finding, self.settings),
                plan_only=proposes,
                owner=owned,
            )

    def remediation(self, subject: Subject) -> tuple[Declaration, Handler, str]:
        """Return what repairs a rule's failures, and the digest of the rule's text. Raises Refused."""
        known = self.rules.get(subject.rule)
        if known is None:
            raise Refused("unknown_target", f"there is no rule `{subject.rule}` among those in use")
        name, rule_digest = known
        found = self.remediations.get(name)
        if found is None:
            raise Refused("unsupported", f"no remediation repairs `{subject.rule}`")
        if subject.type not in found.declaration.types:
            raise Refused(
                "unknown_target", f"`{name}` repairs {', '.join(found.declaration.types)}, not {subject.type}"
            )
        return found.declaration, found.handler, rule_digest


def subject_of(action: Action) -> Subject:
    """Return whom an action is about."""
    place = action.plan["resource"]
    return Subject(action.rule, action.type, place["id"], action.account, action.region)


def resource_key(plan: Mapping[str, Any]) -> str:
    """Return the identity under which leases and flaps know a resource."""
    place = plan["resource"]
    return "/".join((place["account"], place["region"], place["type"], place["id"]))


def request_key(plan: Mapping[str, Any]) -> str:
    """Return the idempotency key: the same change of the same resource as it is now has the same."""
    parts = (
        plan["rule"],
        resource_key(plan),
        digest(plan["before"]),
        plan["handler"],
        str(plan["handler_version"]),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def parameters_of(declaration: Declaration, settings: Remediating) -> Json:
    """Return the values of a remediation's parameters: set, else their defaults."""
    own = settings.parameters.get(declaration.id, {})
    return {name: own.get(name, form.get("default")) for name, form in declaration.parameters.items()}
