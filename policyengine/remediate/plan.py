"""The plan document: what would be done, in full, and the hash by which it is approved and applied.

``policyengine/remediation-plan/v1``, plain JSON. ``hash`` covers everything that decides what happens: the
handler and its version, the rule and the digest of its text, the resource, the image before and after, every call with
its arguments and its undoing, and how many people must approve. It does not cover when and for whom it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.aws.actions import actions_for
from policyengine.model.canonical_json import canonical, digest
from policyengine.remediate import guards
from policyengine.remediate.api import Call, FromAnswer, Proposal, Refused, Step, Target
from policyengine.remediate.declaration import Declaration
from policyengine.store.actions import Action

Json = dict[str, Any]
SCHEMA: Final = "policyengine/remediation-plan/v1"
UNSEALED: Final = frozenset({"hash", "made_at", "expires_at", "requested_by", "message"})
"""What may differ between two plans of the same change."""
_ANSWER: Final = "$answer"
MOST_STEPS: Final = 50
MOST_BYTES: Final = 300_000
"""Of a plan: a store's item holds it beside images and answers, and DynamoDB's may have 400 KB
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)."""


def make_plan(
    declaration: Declaration,
    target: Target,
    image: Json,
    proposal: Proposal,
    *,
    rule_digest: str,
    population: int,
    approvals: int,
    plan_only: bool,
    owner: Json | None,
) -> Json:
    """Return the plan document without its times. Raises Refused for a proposal that cannot be carried out."""
    steps = [_step(step) for step in proposal.steps]
    _check_steps(declaration, proposal.steps)
    resource = target.resource
    plan: Json = {
        "schema": SCHEMA,
        "handler": declaration.id,
        "handler_version": declaration.version,
        "rule": target.finding.rule,
        "rule_digest": rule_digest,
        "severity": target.finding.severity,
        "finding": target.finding.id,
        "message": target.finding.message,
        "resource": {
            "type": resource.type,
            "id": resource.id,
            "arn": resource.arn,
            "account": resource.account,
            "region": resource.region,
            "created": guards.created(resource),
        },
        "partition": target.partition,
        "region": target.region,
        "population": population,
        "summary": proposal.summary,
        "steps": steps,
        "before": image,
        "after": image if proposal.after is None else proposal.after,
        "concerns": list(proposal.concerns),
        "advice": proposal.advice,
        "dangers": declaration.dangers.strip(),
        "plan_only": plan_only or declaration.mode == "plan" or not steps,
        "approvals": approvals,
        "destructive": declaration.destructive,
        "reversible": declaration.reversible,
        "lost": declaration.lost,
        "permissions": sorted(permissions(declaration, proposal.steps)),
        "owner": owner,
        "parameters": dict(target.parameters),
    }
    if len(canonical(plan)) > MOST_BYTES:
        raise Refused("unsupported", f"the plan is larger than {MOST_BYTES:,} bytes; repair this one by hand")
    plan["hash"] = plan_hash(plan)
    return plan


def plan_hash(plan: Mapping[str, Any]) -> str:
    """Return the hash of a plan document. Raises ValueError, TypeError for what is no JSON."""
    return digest({name: value for name, value in plan.items() if name not in UNSEALED})


def same_change(document: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Whether a plan made anew is the one that was approved. How many resources of the type there are by now does not
    matter: it decides limits and not what happens."""
    return plan_hash({**document, "population": planned["population"]}) == plan_hash(planned)


def with_concern(document: Mapping[str, Any], last: Action) -> Json:
    """Return the plan of a change that failed or was taken back the last time it was made: a person has to look at it."""
    told = f"the last repair of it ({last.id}) ended {last.state}: {last.reason}"
    plan = {**document, "concerns": [*document["concerns"], told], "approvals": max(1, document["approvals"])}
    return {**plan, "hash": plan_hash(plan)}


def permissions(declaration: Declaration, steps: Sequence[Step]) -> set[str]:
    """Return the IAM actions the calls of a plan need, those of taking it back among them."""
    made = {call.name for step in steps for call in (step.call, *step.undo)}
    return {action for name in made for action in actions_for(name)} | set(declaration.also)


def _check_steps(declaration: Declaration, steps: Sequence[Step]) -> None:
    """INVARIANT: what is planned can be carried out by the declaration's role, and taken back as it declares."""
    names = [step.name for step in steps]
    assert len(set(names)) == len(names), f"{declaration.id}: two steps have one name"
    if len(steps) > MOST_STEPS:
        raise Refused("unsupported", f"{len(steps)} steps are more than one plan may have ({MOST_STEPS})")
    for number, step in enumerate(steps):
        for call in (step.call, *step.undo):
            assert call.name in declaration.writes, f"{declaration.id}: {call.name} is not among its `writes`"
        known = set(names[:number])
        assert _steps_named(step.call) <= known, f"{declaration.id}: `{step.name}` looks ahead"
        for call in step.undo:
            assert _steps_named(call) <= {*known, step.name}, f"{declaration.id}: undo looks ahead"
    if declaration.reversible == "full":
        assert all(step.undo for step in steps), f"{declaration.id}: fully reversible, but a step has no undo"


def _steps_named(call: Call) -> set[str]:
    return {step for step, _path in _named(call.arguments)}


def _step(step: Step) -> Json:
    return {
        "name": step.name,
        "why": step.why,
        "call": _call(step.call),
        "undo": [_call(call) for call in step.undo],
    }


def _call(call: Call) -> Json:
    return {
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "arguments": _encoded(call.arguments),
    }


def _encoded(value: Any) -> Any:
    if isinstance(value, FromAnswer):
        return {_ANSWER: {"step": value.step, "path": value.path}}
    if isinstance(value, Mapping):
        if _ANSWER in value:
            raise Refused("unsupported", f"the resource has a name `{_ANSWER}`, which a plan cannot hold")
        return {str(name): _encoded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(each) for each in value]
    return value


def paths_named(plan: Mapping[str, Any], step: str) -> list[str]:
    """Return the paths of a step's answer that calls of the plan name: what has to be kept of it."""
    found: set[str] = set()
    calls = (call for each in plan["steps"] for call in (each["call"], *each["undo"]))
    for call in calls:
        found.update(path for name, path in _named(call["arguments"]) if name == step)
    return sorted(found)


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """Yield step and path of each answer that arguments name, a handler's or a plan document's."""
    if isinstance(value, FromAnswer):
        yield value.step, value.path
    elif isinstance(value, Mapping):
        if _ANSWER in value:
            yield value[_ANSWER]["step"], value[_ANSWER]["path"]
            return
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _named(each)


def ready(call: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]) -> Call:
    """Return the call of a plan with what earlier answers gave; ``answers``: step -> path -> value.

    Raises KeyError where an answer is missing.
    """
    return Call(call["service"], call["operation"], _filled(call["arguments"], answers), call["region"])


def _filled(value: Any, answers: Mapping[str, Mapping[str, Any]]) -> Any:
    if isinstance(value, Mapping):
        if _ANSWER in value:
            return answers[value[_ANSWER]["step"]][value[_ANSWER]["path"]]
        return {name: _filled(each, answers) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, answers) for each in value]
    return value


def kept_of(answer: Mapping[str, Any], paths: Sequence[str]) -> Json:
    """Return what is kept of an answer, by dotted path. Raises KeyError where AWS left one out."""
    found: Json = {}
    for path in paths:
        here: Any = answer
        for step in path.split("."):
            here = here[int(step)] if isinstance(here, list) else here[step]
        found[path] = here
    return found
