"""Statements compiled for evaluation: does one apply to a request, and if not, why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from policyengine.iam.conditions import Holds, compile_condition
from policyengine.iam.documents import Statement
from policyengine.iam.glob import Matcher, compile_glob, compile_pieces, has_wildcard
from policyengine.iam.opaque import Answer, Opaque, any_of
from policyengine.iam.principals import Named, NamedBy, compile_exempt, compile_principals
from policyengine.iam.request import Request
from policyengine.iam.resource_types import wildcard_in_type
from policyengine.iam.variables import Template, template

Verdict = str | Opaque | None
"""None: it applies. A code of ``REASONS``: it does not. Opaque: it may."""


MAX_REMEMBERED: Final = 256
"""Actions and resources whose answers a statement remembers."""

FEW: Final = 3
"""Up to so many patterns are matched as fast as an answer is looked up."""

_ANYTHING: Final = compile_glob("*")
_NOTHING: Final[dict[str, Any]] = {}
"""What is remembered where nothing is; replaced, never filled."""


class Compiled:
    """One statement's matchers, each made when a request first comes that far."""

    __slots__ = (
        "_actions", "_conditions", "_exempt", "_named", "_opaque", "_patterns", "_resources", "_templates",
        "allow", "bits", "place", "plain", "statement", "strange", "unconditional", "variables",
    )  # fmt: skip

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.allow = statement.allow
        self.bits: int | None = None
        """What the plain catalogue makes of the actions, and ``strange`` the patterns it does not know."""
        self.strange: tuple[str, ...] | None = None
        self.place: Any = None
        """What layers keep of the statement: itself in the place where it was seen last."""
        self._opaque = statement.opaque
        self._actions: dict[str, str | None] = _NOTHING
        self._patterns: tuple[frozenset[str], tuple[Matcher, ...]] | None = None
        self._resources: dict[str, str | Opaque | None] = _NOTHING
        self._templates: list[Covers] | None = None
        self._conditions: tuple[Holds, ...] | None = None if statement.conditions else ()
        self._named: NamedBy | None = None
        self._exempt: Callable[[Request], Answer] | None = None
        if statement.principals is not None:
            if statement.not_principal:
                self._exempt = compile_exempt(statement.principals, not statement.allow)
            else:
                self._named = compile_principals(statement.principals)
        self.variables = statement.variables and any("${" in r for r in statement.resources or ())
        """Whether more than the ARN of the resource decides about the resource."""
        self.plain = statement.principals is None and not self.variables
        """Whether an action and a resource settle all but the conditions."""
        self.unconditional = not statement.conditions and statement.opaque is None

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
        found = self._resources[resource] if resource in self._resources else self._of_resource(request)
        if found is not None:
            if isinstance(found, str):
                return found
            unknown = found if unknown is None else unknown
        answer = self.of_conditions(request)
        return answer if isinstance(answer, str) or unknown is None else unknown

    def of_conditions(self, request: Request, bounded: bool = False) -> Verdict:
        """Say whether the statement applies to a request that its other elements match."""
        conditions = self._conditions
        if conditions is None:
            conditions = self._compiled_conditions()
        unknown: Opaque | None = None
        for holds in conditions:
            answer = holds(request)
            if answer is False:
                return "condition_not_met"
            if answer is not True and unknown is None:
                unknown = answer if isinstance(answer, Opaque) else None
        return self._opaque if unknown is None else unknown

    def of_action(self, action: str) -> str | None:
        """Return the code of why an action is not covered, None where it is."""
        if len(self.statement.actions) > FEW:
            return self._actions[action] if action in self._actions else self._of_action(action)
        return self._code(action)

    def _of_action(self, action: str) -> str | None:
        if self._actions is _NOTHING or len(self._actions) >= MAX_REMEMBERED:
            self._actions = {}
        code = self._actions[action] = self._code(action)
        return code

    def _code(self, action: str) -> str | None:
        named = self._patterns
        if named is None:
            lowered = [pattern.lower() for pattern in self.statement.actions]
            exact = frozenset(p for p in lowered if not has_wildcard(p))
            found = [_ANYTHING if p in ("*", "*:*") else compile_glob(p) for p in lowered if p not in exact]
            named = self._patterns = (exact, tuple(found))
        hit = action in named[0] or any(matches(action) for matches in named[1])
        if self.statement.not_action:
            return "action_excluded" if hit else None
        return None if hit else "action_not_named"

    def of_resource(self, resource: str) -> str | Opaque | None:
        """Return the code of why a resource is not covered, None where it is; for a ``plain`` statement."""
        patterns = self.statement.resources or ("*",)
        if len(patterns) > FEW:
            return self._resources[resource] if resource in self._resources else self._of_plain(resource)
        return _code_of_resource(self.statement, _covered(patterns, resource))

    def _of_plain(self, resource: str) -> str | Opaque | None:
        if self._resources is _NOTHING or len(self._resources) >= MAX_REMEMBERED:
            self._resources = {}
        statement = self.statement
        found = _code_of_resource(statement, _covered(statement.resources or ("*",), resource))
        self._resources[resource] = found
        return found

    def _of_resource(self, request: Request) -> str | Opaque | None:
        if not self.variables:
            return self._of_plain(request.resource)
        return _code_of_resource(self.statement, self._with_templates(request))

    def _with_templates(self, request: Request) -> Answer:
        statement = self.statement
        if self._templates is None:
            self._templates = [_covers(r, statement.not_resource) for r in statement.resources or ()]
        return any_of(covers(request) for covers in self._templates)

    def _compiled_conditions(self) -> tuple[Holds, ...]:
        statement = self.statement
        made = tuple([compile_condition(c, statement.variables) for c in statement.conditions])
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


def _code_of_resource(statement: Statement, covered: Answer) -> str | Opaque | None:
    """Return the reason a resource is not covered, from what the patterns say; None where it is."""
    if isinstance(covered, Opaque):
        return covered
    if statement.not_resource:
        return "resource_excluded" if covered else None
    return None if covered else "resource_not_named"


def _covered(patterns: Sequence[str], resource: str) -> Answer:
    """Say whether a pattern without variables covers a resource."""
    if "*" in patterns:
        return True
    undecided = False
    for pattern in patterns:
        if compile_glob(pattern)(resource):
            if not wildcard_in_type(pattern):
                return True
            undecided = True
    return _IN_TYPE if undecided else False


_IN_TYPE: Final = Opaque("a wildcard inside the resource type of an ARN")

Covers = Callable[[Request], Answer]


def _covers(pattern: str, negated: bool) -> Covers:
    """Return what says whether a pattern, which may hold variables, covers the resource of a request."""
    found = template(pattern, True)
    if found is None:
        return lambda request: _covered((pattern,), request.resource)
    return _with_variables(pattern, found, negated)


def _with_variables(pattern: str, found: Template, negated: bool) -> Covers:
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
