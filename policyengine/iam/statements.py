"""Statements compiled for evaluation: does one apply to a request, and if not, why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from policyengine.iam.conditions import Holds, compile_condition
from policyengine.iam.documents import Statement
from policyengine.iam.glob import compile_glob, compile_pieces
from policyengine.iam.opaque import Answer, Opaque, any_of
from policyengine.iam.principals import Named, NamedBy, compile_exempt, compile_principals
from policyengine.iam.request import Request
from policyengine.iam.resource_types import wildcard_in_type
from policyengine.iam.variables import Template, template

Verdict = str | Opaque | None
"""None: it applies. A code of ``REASONS``: it does not. Opaque: it may."""


Resources = Callable[[Request], str | Opaque | None]

MAX_REMEMBERED: Final = 256
"""Actions and resources whose answers a statement remembers."""


class Compiled:
    """One statement's matchers, each made when a request first comes that far."""

    __slots__ = (
        "_actions", "_conditions", "_exempt", "_named", "_opaque", "_resource", "_resources", "_simple", "allow",
        "places", "statement",
    )  # fmt: skip

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.allow = statement.allow
        self.places: dict[Any, Any] = {}
        """What layers keep of the statement: itself in its place."""
        self._opaque = statement.opaque
        self._actions: dict[str, str | None] = {}
        self._resources: dict[str, str | Opaque | None] = {}
        self._resource: Resources | None = None
        names = statement.resources or ()
        self._simple = not statement.variables or not any("${" in r for r in names)
        """Whether only the resource's ARN decides about the resource."""
        self._conditions: tuple[Holds, ...] | None = None if statement.conditions else ()
        self._named: NamedBy | None = None
        self._exempt: Callable[[Request], Answer] | None = None
        if statement.principals is not None:
            if statement.not_principal:
                self._exempt = compile_exempt(statement.principals, not statement.allow)
            else:
                self._named = compile_principals(statement.principals)

    def verdict(self, request: Request, bounded: bool = False) -> Verdict:
        """Say whether the statement applies; the first element that does not match is the reason.

        ``bounded``: the caller has a permissions boundary, and "a NotPrincipal with Deny will always
        deny any principal that has a permissions boundary attached":
        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        action = request.lower_action
        code = self._actions[action] if action in self._actions else self._of_action(action)
        if code is not None:
            return code
        unknown: Opaque | None = None
        if self._named is not None:
            named = self._named(request)
            if isinstance(named, Opaque):
                unknown = named
            elif named is Named.NOT:
                return "principal_not_named"
        elif self._exempt is not None and (self.allow or not bounded):
            exempt = self._exempt(request)
            if exempt is True:
                return "principal_excluded"
            unknown = exempt if isinstance(exempt, Opaque) else None
        resource = request.resource
        if self._simple and resource in self._resources:
            found = self._resources[resource]
        else:
            found = self._of_resource(request)
        if found is not None:
            if isinstance(found, str):
                return found
            unknown = found if unknown is None else unknown
        conditions = self._conditions
        if conditions is None:
            conditions = self._compiled_conditions()
        for holds in conditions:
            answer = holds(request)
            if answer is False:
                return "condition_not_met"
            if answer is not True and unknown is None:
                unknown = answer if isinstance(answer, Opaque) else None
        return self._opaque if unknown is None else unknown

    def _of_action(self, action: str) -> str | None:
        if len(self._actions) >= MAX_REMEMBERED:
            self._actions.clear()
        code = self._actions[action] = _code_of_action(self.statement, action)
        return code

    def _of_resource(self, request: Request) -> str | Opaque | None:
        if self._resource is None:
            self._resource = _resources(self.statement) or _anything
        found = self._resource(request)
        if self._simple:
            if len(self._resources) >= MAX_REMEMBERED:
                self._resources.clear()
            self._resources[request.resource] = found
        return found

    def _compiled_conditions(self) -> tuple[Holds, ...]:
        statement = self.statement
        made = tuple(compile_condition(c, statement.variables) for c in statement.conditions)
        self._conditions = made
        return made

    def named(self, request: Request) -> Named | Opaque:
        """Say how the statement names the caller; an Allow with NotPrincipal allows everyone else."""
        return Named.EVERYONE if self._named is None else self._named(request)


def compiled(statement: Statement) -> Compiled:
    """Return the compiled statement, made once for each."""
    if not statement.compiled:
        statement.compiled.append(Compiled(statement))
    found: Compiled = statement.compiled[0]
    return found


def _anything(request: Request) -> None:
    return None


def _code_of_action(statement: Statement, action: str) -> str | None:
    """Return the reason an action is not covered; None where it is."""
    hit = any(p in ("*", "*:*") or compile_glob(p.lower())(action) for p in statement.actions)
    if statement.not_action:
        return "action_excluded" if hit else None
    return None if hit else "action_not_named"


def _resources(statement: Statement) -> Resources | None:
    """Return what gives the reason a resource is not covered (None: it is); None where all are."""
    if statement.resources is None:
        return None
    negated = statement.not_resource
    if "*" in statement.resources:
        return (lambda request: "resource_excluded") if negated else None
    if len(statement.resources) == 1:
        test = _resource(statement.resources[0], statement.variables, negated)
    else:
        tests = [_resource(r, statement.variables, negated) for r in statement.resources]

        def test(request: Request) -> Answer:
            return any_of(t(request) for t in tests)

    if negated:

        def excluded(request: Request) -> str | Opaque | None:
            answer = test(request)
            if answer is True:
                return "resource_excluded"
            return answer if isinstance(answer, Opaque) else None

        return excluded

    def not_named(request: Request) -> str | Opaque | None:
        answer = test(request)
        if answer is True:
            return None
        return answer if isinstance(answer, Opaque) else "resource_not_named"

    return not_named


def _resource(pattern: str, variables: bool, negated: bool) -> Callable[[Request], Answer]:
    found = template(pattern, variables)
    if found is not None:
        return _with_variables(pattern, found, negated)
    matches = compile_glob(pattern)
    if not wildcard_in_type(pattern):
        return lambda request: matches(request.resource)
    undecided = Opaque("a wildcard inside the resource type of an ARN")
    return lambda request: undecided if matches(request.resource) else False


def _with_variables(pattern: str, found: Template, negated: bool) -> Callable[[Request], Answer]:
    early = Opaque("a policy variable before the fifth colon of an ARN")
    unset = Opaque("a policy variable without a value in NotResource")
    misplaced = pattern.startswith("arn:") and pattern.find("${") < len(":".join(pattern.split(":")[:5]))

    def test(request: Request) -> Answer:
        pieces = found.fill(request)
        if isinstance(pieces, Opaque):
            return pieces
        if pieces is None:
            return unset if negated else False
        matched = compile_pieces(pieces)(request.resource)
        return early if matched and misplaced else matched

    return test
