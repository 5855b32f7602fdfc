"""Policy documents: every kind AWS has, every legal spelling, read into statements.

The grammar is https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html; what a
kind of policy adds or forbids stands in :data:`RULES` with its page. A document AWS would refuse raises
PolicyError with the JSON path, what was found and what is expected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NoReturn

from policyengine.iam.errors import JsonPath, PolicyError, shown
from policyengine.iam.gaps import gap_in, has_conditions, hide_variables, split
from policyengine.iam.grammar import (
    ELEMENTS,
    MAX_STATEMENTS,
    RULES,
    Kind,
    canonical_keys,
    check_actions,
    check_resources,
    check_sid,
    condition_block,
    principal_map,
    string_list,
)
from policyengine.iam.opaque import Opaque

Version = Literal["2008-10-17", "2012-10-17"]
LineOf = Callable[[JsonPath], int | None]

MAX_CHARACTERS: Final = 1024 * 1024
"""Longest text that is read: a hundred times the largest quota of any policy."""

MAX_DEPTH: Final = 64
"""Deepest nesting of brackets in a text; the grammar needs seven."""


# Not frozen, although nobody changes what was read: a frozen object takes three times as long to make.


@dataclass(slots=True, eq=False)
class Condition:
    """One key under one operator; all of a statement's conditions must hold."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Statement:
    """One statement; ``index`` counts from 0, ``line`` is known where positions were given.

    ``principals`` is None where the kind has none, ``resources`` where the element is left out
    (a resource policy without it is about its own resource). ``variables`` says whether ``${…}``
    is replaced. ``opaque``: the elements are the widest the statement can have, and nobody knows
    whether it applies to what they match (an Allow that may not allow, a Deny that may not deny).
    ``conditional``: of an opaque one, that it surely has conditions, though perhaps not among ``conditions``.
    ``compiled`` is for the evaluator: what it made of the statement.
    """

    index: int
    sid: str | None
    allow: bool
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    principals: Mapping[str, tuple[str, ...]] | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    variables: bool
    line: int | None = None
    opaque: Opaque | None = None
    conditional: bool = False
    compiled: list[Any] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Policy:
    """One document: its kind, language version and statements in their order."""

    kind: Kind
    version: Version
    id: str | None
    statements: tuple[Statement, ...]


def read_policy(document: Mapping[str, Any] | str, kind: Kind, line_of: LineOf | None = None) -> Policy:
    """Return the policy of a JSON object, a JSON text or a URL-encoded JSON text.

    An object may hold an :class:`Opaque` wherever something is not known; in a list it stands for any
    number of elements. A statement with gaps is read as two of the same ``index`` (see ``gaps``).

    Raises PolicyError where AWS would refuse it as a policy of this kind.
    """
    if isinstance(document, str):
        document = _from_text(document)
    try:
        return _Reader(kind, line_of).policy(document)
    except PolicyError as error:
        if line_of is None or error.line is not None:
            raise
        line = line_of(error.path)
        raise PolicyError(error.path, error.problem, error.found, error.expected, line) from None


def _from_text(text: str) -> Mapping[str, Any]:
    """Parse JSON; IAM's API hands documents out URL-encoded (RFC 3986)."""
    if len(text) > MAX_CHARACTERS:
        raise PolicyError(
            (), f"the document has {len(text)} characters", expected=f"at most {MAX_CHARACTERS}"
        )
    if text.lstrip()[:1] == "%":
        from urllib.parse import unquote

        text = unquote(text)
    if too_deep(text, MAX_DEPTH):
        raise PolicyError((), f"nested deeper than {MAX_DEPTH} levels")
    value = parse_json(text)
    if not isinstance(value, dict):
        raise PolicyError((), "not a policy", shown(value), "an object with `Statement`")
    return value


def parse_json(text: str) -> Any:
    """Parse JSON of bounded depth; raises PolicyError, also for a key that stands twice in an object."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
        raise PolicyError((), problem, line=error.lineno) from None
    except PolicyError:
        raise
    except ValueError:
        raise PolicyError((), "not valid JSON: a number with too many digits") from None


def read_value(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value at a place and where it ends; raises PolicyError where there is none, and
    RecursionError where it is nested too deep."""
    try:
        return _DECODER.raw_decode(text, start)
    except PolicyError:
        raise
    except ValueError:
        raise PolicyError((), "not valid JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise PolicyError((), f"the key {shown(key)} stands twice in one object")
            seen.add(key)
    return found


def _constant(text: str) -> NoReturn:
    raise PolicyError((), f"not valid JSON: {shown(text)} is no number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def too_deep(text: str, limit: int) -> bool:
    """Say whether brackets nest deeper than ``limit`` outside strings (parsers recurse)."""
    if text.count("{") + text.count("[") <= limit:
        return False
    depth = 0
    for part in text.replace("\\\\", "").replace('\\"', "").split('"')[::2]:
        for character in part:
            if character in "[{":
                depth += 1
                if depth > limit:
                    return True
            elif character in "]}":
                depth -= 1
    return False


class _Reader:
    """Reads one document of one kind."""

    def __init__(self, kind: Kind, line_of: LineOf | None) -> None:
        self.kind = kind
        self.rules = RULES[kind]
        self.line_of = line_of

    def policy(self, document: Any) -> Policy:
        if not isinstance(document, dict):
            raise PolicyError((), "not a policy", shown(document), "an object with `Statement`")
        body = canonical_keys(document, ELEMENTS["policy"], ())
        version = body.get("Version", "2008-10-17")
        if isinstance(version, Opaque):
            version = body["Version"] = "2012-10-17"
            body["Statement"] = hide_variables(body.get("Statement"), Opaque("the version is not known"))
        if version not in ("2008-10-17", "2012-10-17"):
            raise PolicyError(("Version",), "no such version", shown(version), "`2012-10-17` or `2008-10-17`")
        if self.rules.version is not None and body.get("Version") != self.rules.version:
            problem = self.rules.says("needs its `Version`")
            raise PolicyError(("Version",), problem, shown(body.get("Version")), f"`{self.rules.version}`")
        if "Id" in body and not self.rules.id:
            raise PolicyError(("Id",), self.rules.says("has no `Id`"), shown(body["Id"]))
        if isinstance(body.get("Id"), Opaque):
            del body["Id"]
        if not isinstance(body.get("Id", ""), str):
            raise PolicyError(("Id",), "no text", shown(body["Id"]), "a text")
        return Policy(self.kind, version, body.get("Id"), self._statements(body, version == "2012-10-17"))

    def _statements(self, body: dict[str, Any], variables: bool) -> tuple[Statement, ...]:
        if "Statement" not in body:
            raise PolicyError((), "no `Statement`", expected="a statement or a list of them")
        found = body["Statement"]
        if isinstance(found, dict | Opaque):
            return self._read(found, 0, ("Statement",), variables)
        if not isinstance(found, list) or not found:
            raise PolicyError(("Statement",), "no statements", shown(found), "a statement or a list of them")
        if len(found) > MAX_STATEMENTS:
            raise PolicyError(
                ("Statement",), f"too large: {len(found)} statements", expected=f"at most {MAX_STATEMENTS}"
            )
        read = tuple(
            s for i, body in enumerate(found) for s in self._read(body, i, ("Statement", i), variables)
        )
        if self.rules.unique_sids:
            seen: dict[str, int] = {}
            for statement in read:
                if statement.sid and seen.setdefault(statement.sid, statement.index) != statement.index:
                    raise PolicyError(
                        ("Statement", statement.index, "Sid"), "a Sid stands once in a policy", shown(statement.sid)
                    )  # fmt: skip
        return read

    def _read(self, found: Any, index: int, path: JsonPath, variables: bool) -> tuple[Statement, ...]:
        """Return one statement, or those that stand for one with gaps."""
        if isinstance(found, Opaque):
            return anything(self.kind, found, index)
        try:
            return (self.statement(found, index, path, variables),)
        except PolicyError:
            # an Opaque is no text, so a statement that holds one always comes here
            if gap_in(found) is None:
                raise
        body = canonical_keys(found, ELEMENTS["statement"], path)
        read: list[Statement] = []
        for part, opaque in split(body, self.rules.arns):
            if opaque is None or part["Effect"] != "Allow" or not self.rules.deny_only:
                statement = self.statement(part, index, path, variables)
                if opaque is not None:
                    conditional = has_conditions(body.get("Condition"))
                    statement = replace(statement, opaque=opaque, conditional=conditional)
                read.append(statement)
        return tuple(read)

    def statement(self, found: Any, index: int, path: JsonPath, variables: bool) -> Statement:
        if not isinstance(found, dict):
            raise PolicyError(path, "not a statement", shown(found), "an object")
        body = canonical_keys(found, ELEMENTS["statement"], path)
        effect = body.get("Effect")
        if effect != "Allow" and effect != "Deny":
            problem = "no such effect" if "Effect" in body else "no `Effect`"
            raise PolicyError((*path, "Effect"), problem, shown(effect), "`Allow` or `Deny`")
        if effect == "Allow" and self.rules.deny_only and not _is_full_access(body):
            raise PolicyError((*path, "Effect"), self.rules.says("only denies"), "`Allow`", "`Deny`")
        actions, not_action = self._actions(body, path)
        resources, not_resource = self._resources(body, path)
        principals, not_principal = self._principals(body, path)
        return Statement(
            index=index,
            sid=check_sid(body.get("Sid"), self.rules, path),
            allow=effect == "Allow",
            actions=actions,
            not_action=not_action,
            resources=resources,
            not_resource=not_resource,
            principals=principals,
            not_principal=not_principal,
            conditions=tuple([Condition(*c) for c in condition_block(body["Condition"], path)])
            if "Condition" in body
            else (),
            variables=variables,
            line=self.line_of(path) if self.line_of else None,
        )

    def _actions(self, body: dict[str, Any], path: JsonPath) -> tuple[tuple[str, ...], bool]:
        name = self._one_of(body, "Action", "NotAction", path)
        if name is None:
            raise PolicyError(path, "no `Action`", expected="`Action` or `NotAction`")
        actions = string_list(body[name], path, name)
        check_actions(actions, path, name)
        return actions, name == "NotAction"

    def _resources(self, body: dict[str, Any], path: JsonPath) -> tuple[tuple[str, ...] | None, bool]:
        name = self._one_of(body, "Resource", "NotResource", path)
        if name is None:
            if self.rules.resource == "required":
                raise PolicyError(path, "no `Resource`", expected="`Resource` or `NotResource`")
            return None, False
        if self.rules.resource == "none":
            raise PolicyError((*path, name), self.rules.says(f"has no `{name}`"))
        resources = string_list(body[name], path, name)
        if self.rules.arns:
            check_resources(resources, path, name)
        return resources, name == "NotResource"

    def _principals(
        self, body: dict[str, Any], path: JsonPath
    ) -> tuple[Mapping[str, tuple[str, ...]] | None, bool]:
        name = self._one_of(body, "Principal", "NotPrincipal", path)
        if name is None:
            if self.rules.principal != "none":
                raise PolicyError(path, "no `Principal`", expected=self.rules.says("names `Principal`"))
            return None, False
        if self.rules.principal == "none":
            raise PolicyError((*path, name), self.rules.says(f"has no `{name}`"))
        if self.rules.principal == "everyone" and body[name] != "*":
            raise PolicyError((*path, name), self.rules.says("is about everyone"), shown(body[name]), "`*`")
        return principal_map(body[name], (*path, name)), name == "NotPrincipal"

    def _one_of(self, body: dict[str, Any], name: str, negated: str, path: JsonPath) -> str | None:
        if negated not in body:
            return name if name in body else None
        if name in body:
            raise PolicyError(path, f"both `{name}` and `{negated}`", expected="one of them")
        if negated in self.rules.without:
            raise PolicyError((*path, negated), self.rules.says(f"has no `{negated}`"))
        return negated


def anything(kind: Kind, why: Opaque, index: int = 0, *, allow: bool = True) -> tuple[Statement, ...]:
    """Return statements that may allow anything (if the kind can, and ``allow``) and may deny anything."""
    rules = RULES[kind]
    effects = (True, False) if allow and not rules.deny_only else (False,)
    return tuple(
        Statement(
            index=index,
            sid=None,
            allow=effect,
            actions=("*",),
            not_action=False,
            resources=None if rules.resource == "none" else ("*",),
            not_resource=False,
            principals=None if rules.principal == "none" else {"*": ("*",)},
            not_principal=False,
            conditions=(),
            variables=True,
            opaque=why,
        )
        for effect in effects
    )


def _is_full_access(body: Mapping[str, Any]) -> bool:
    """Say whether a statement is the one of RCPFullAWSAccess, which allows everything."""
    return (
        body.get("Action") in ("*", ["*"])
        and body.get("Resource") in ("*", ["*"])
        and "Condition" not in body
    )
