"""Declarative policies of AWS Organizations: what those of the root, the OUs and the account amount to.

Backup, tag, AI services opt-out, Bedrock and S3 policies are merged by inheritance operators, not decided
like SCPs:

- https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html: ``@@assign`` replaces,
  ``@@append`` adds, ``@@remove`` takes away; ``@@operators_allowed_for_child_policies`` says which of them
  policies further down may use at this key, and no such policy can loosen it again
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out_syntax.html:
  the control holds for the key it stands at; what stands below needs a control of its own

What is not known stays so: a policy that cannot be read may have set whatever the levels above it leave
open, and two policies of one level that say different things leave the value open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.iam.opaque import Answer, Opaque

Document = Mapping[str, Any] | Opaque

_CONTROL: Final = "@@operators_allowed_for_child_policies"
_VALUES: Final = ("@@assign", "@@append", "@@remove")
_ALL: Final = frozenset(_VALUES)
NO_OPT_OUT: Final = "no AI services opt-out policy"
_DEEPEST: Final = 64
_LONGEST: Final = 100_000


@dataclass(slots=True)
class Setting:
    """A key of the merged policy: its value, the level that set it (0: the root), the keys below it.

    ``value`` is None where only keys stand below. ``more``: why there may be further keys below.
    ``controls``: (level, operators that lower levels may use; None where that is not known).
    """

    value: Any = None
    level: int | None = None
    below: dict[str, Setting] = field(default_factory=dict)
    more: Opaque | None = None
    controls: list[tuple[int, frozenset[str] | None]] = field(default_factory=list)

    def allowed(self, level: int) -> frozenset[str] | None:
        """Return the operators that policies of a level may use here; None where that is not known."""
        found: frozenset[str] | None = _ALL
        for at, operators in self.controls:
            if at < level and operators is not None and found is not None:
                found &= operators
            elif at < level and found:
                found = None
        return found

    def closed(self, level: int = 0) -> Answer:
        """Say whether no policy below ``level`` can change this key or add keys below it."""
        operators = self.allowed(level + 1)
        return Opaque("which operators are allowed is not known") if operators is None else not operators

    def at(self, *keys: str) -> Setting | Opaque | None:
        """Return a key below; None where there is none, Opaque where there may be one."""
        found: Setting = self
        for key in keys:
            inner = found.below.get(key)
            if inner is None:
                return found.more
            found = inner
        return found


def merged(levels: Sequence[Sequence[Document]]) -> Setting:
    """Return what the policies of each level, the root's first, amount to.

    Never raises for what a policy holds: what no operator explains counts as not known.
    """
    root = Setting()
    for level, documents in enumerate(levels):
        for document in sorted(documents, key=lambda one: isinstance(one, Opaque)):
            _apply(root, document, level, 0)
    return root


def _apply(at: Setting, form: Any, level: int, depth: int) -> None:
    if not isinstance(form, Mapping) or depth > _DEEPEST:
        why = form if isinstance(form, Opaque) else Opaque("a part of the policy is no object")
        _doubt(at, why, level)
        return
    allowed = at.allowed(level)
    for operator in _VALUES:
        if operator in form and (allowed is None or operator in allowed):
            value = (
                form[operator] if allowed is not None else Opaque("which operators are allowed is not known")
            )
            _set(at, operator, value, level)
    for key, inner in form.items():
        if key == _CONTROL:
            at.controls.append((level, _operators(inner)))
        elif not key.startswith("@@"):
            if key not in at.below and not allowed:
                if allowed is None:
                    at.more = Opaque("which operators are allowed is not known")
                continue
            _apply(at.below.setdefault(key, Setting()), inner, level, depth + 1)


def _set(at: Setting, operator: str, value: Any, level: int) -> None:
    old = at.value
    if isinstance(value, Opaque):
        at.value = value
    elif isinstance(old, Opaque) and (operator != "@@assign" or at.level == level):
        pass  # what one policy of this level leaves open, another does not settle
    elif operator == "@@assign":
        twice = at.level == level and old is not None and old != value
        at.value = Opaque("two policies of one level say different things") if twice else value
    else:
        parts = value if isinstance(value, list) else [value]
        before = [] if old is None else old if isinstance(old, list) else [old]
        if operator == "@@append":
            at.value = [*before, *(part for part in parts if part not in before)]
        else:
            at.value = [part for part in before if part not in parts]
    at.level = level


def _operators(form: Any) -> frozenset[str] | None:
    """Return the operators a control names; None where it cannot be read."""
    items = form if isinstance(form, list) else [form]
    if not all(isinstance(item, str) for item in items):
        return None
    if "@@all" in items:
        return _ALL
    return frozenset(items) & _ALL


def _doubt(at: Setting, why: Opaque, level: int) -> None:
    """Mark what a policy that is not known may have changed."""
    allowed = at.allowed(level)
    if allowed is None or allowed:
        at.more = at.value = why
        at.controls.append((level, None))
    for inner in at.below.values():
        _doubt(inner, why, level)


def read_document(content: Any) -> Document:
    """Return the content of a policy, an object or JSON text of one; Opaque where it cannot be read."""
    if isinstance(content, str) and len(content) <= _LONGEST:
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return Opaque("the content of the policy is no JSON")
    if isinstance(content, Mapping | Opaque):
        return content
    return Opaque("the content of the policy cannot be read")


@dataclass(frozen=True, slots=True)
class Gap:
    """What a merged policy does not do: where, and what stands there in its place."""

    where: str
    found: str


def not_opted_out(policy: Setting, *, locked: bool) -> Iterator[Gap | Opaque]:
    """Yield each AI service whose content AWS may use for itself, ``default`` meaning those not named.

    ``locked``: also those that a policy further down could opt in again. Opaque: it is not known.
    """
    services = policy.at("services")
    if services is None or isinstance(services, Opaque):
        yield Gap("default", NO_OPT_OUT) if services is None else services
        return
    if services.more is not None:
        yield services.more
    if "default" not in services.below and services.more is None:
        yield Gap("default", "not set: services that are not named are not opted out")
    for name, service in services.below.items():
        yield from _service(name, service.at("opt_out_policy"), locked)
    if locked:
        closed = services.closed()
        if closed is not True:
            yield Gap("services", "a child policy may name further services") if closed is False else closed


def _service(name: str, choice: Setting | Opaque | None, locked: bool) -> Iterator[Gap | Opaque]:
    value = choice.value if isinstance(choice, Setting) else choice
    if isinstance(value, Opaque):
        yield value
    elif value != "optOut":
        yield Gap(name, "not set" if value is None else f"{value}"[:40])
    elif locked and isinstance(choice, Setting):
        closed = choice.closed()
        if choice.level != 0 or closed is False:
            yield Gap(
                name, "a child policy may opt in" if choice.level == 0 else "opted out below the root only"
            )
        elif isinstance(closed, Opaque):
            yield closed


def not_guarded(policy: Setting, region: str) -> Gap | Opaque | None:
    """Return why a Bedrock policy puts no guardrail before every model of a region; None: it does.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock_syntax.html
    """
    found = policy.at("bedrock", "guardrail_inference", region)
    if found is None or isinstance(found, Opaque):
        return Gap(region, "no Bedrock policy for this region") if found is None else found
    gap: Gap | Opaque | None = Gap(region, "no guardrail is named") if found.more is None else found.more
    for configuration in found.below.values():
        gap = _configuration(configuration, region)
        if gap is None:
            return None
    return gap


def _configuration(configuration: Setting, region: str) -> Gap | Opaque | None:
    identifier = configuration.at("identifier")
    arn = identifier.value if isinstance(identifier, Setting) else identifier
    if isinstance(arn, Opaque):
        return arn
    if not isinstance(arn, str):
        return Gap(region, "no guardrail is named")
    parts = arn.split(":")
    if len(parts) != 7 or not parts[6].isdigit():
        return Gap(region, f"{arn}: not the ARN of a guardrail with a version")
    if parts[3] != region:
        return Gap(region, f"{arn}: a guardrail of another region")
    return _models(configuration.at("model_enforcement"), region)


def _models(enforcement: Setting | Opaque | None, region: str) -> Gap | Opaque | None:
    if enforcement is None or isinstance(enforcement, Opaque):
        return enforcement
    for key in ("included_models", "excluded_models"):
        setting = enforcement.at(key)
        value = setting.value if isinstance(setting, Setting) else setting
        if isinstance(value, Opaque):
            return value
        names = value if isinstance(value, list) else [] if value is None else [value]
        if key == "included_models" and names and "ALL" not in names:
            return Gap(region, f"only for {', '.join(map(str, names[:5]))}")
        if key == "excluded_models" and names:
            return Gap(region, f"not for {', '.join(map(str, names[:5]))}")
    return None
