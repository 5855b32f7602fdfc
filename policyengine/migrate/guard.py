"""Rules of CloudFormation Guard: what each says about the resources of one type becomes a rule about that type.

https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.migrate.drafts import LONGEST_TITLE, Draft, Left, NotConverted, rule_id, sentence
from policyengine.migrate.expressions import AllOf, AnyOf, Each, Expression, Not, Test
from policyengine.migrate.guard_parser import (
    Block,
    Body,
    Clause,
    Clauses,
    Filter,
    Named,
    Node,
    Query,
    Rule,
    parse,
)
from policyengine.migrate.guard_values import compared, shown
from policyengine.migrate.properties import kind_at
from policyengine.model.errors import InputError
from policyengine.model.location import Location

REFERENCE: Final = "https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html"
SUPPRESSED: Final = (
    "templates that suppress the rule in their Metadata are judged all the same: a waiver says who accepts that, "
    "and until when"
)
_FIX: Final = re.compile(r"^\s*Fix\s*:", re.MULTILINE | re.IGNORECASE)
_HEAD: Final = re.compile(r"^\s*(Violation|Guard)\s*:\s*", re.IGNORECASE)
Parts = Sequence[str | Filter]


@dataclass(frozen=True)
class Selection:
    """Resources of a type. ``first`` are conditions that say which are looked at, ``last`` those of the newest filter."""

    type: str
    first: tuple[Expression, ...] = ()
    last: tuple[Expression, ...] = ()

    @property
    def conditions(self) -> tuple[Expression, ...]:
        """All conditions."""
        return (*self.first, *self.last)

    def settled(self) -> Selection:
        """Return it as what is looked at: two that select the same are then equal."""
        return Selection(self.type, self.conditions)


@dataclass
class About:
    """What a rule says about one type."""

    selection: Selection
    require: list[Expression] = field(default_factory=list)


def read_rules(data: bytes, name: str) -> tuple[list[Draft], list[Left]]:
    """Return what the rules of a file become. Raises InputError for a file that is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is no UTF-8 text", Location(name)) from None
    try:
        file = parse(text)
    except NotConverted as error:
        return [], [Left(name, name, error.line, error.construct, error.why)]
    drafts: list[Draft] = []
    left = [
        Left(
            "clauses outside rules",
            name,
            node.line,
            "a clause outside rules",
            "put it into a rule with a name",
        )
        for node in file.loose[:1]
    ]
    for rule in file.rules:
        try:
            drafts += _Reader(name, file.variables).rule(rule)
        except NotConverted as error:
            left.append(Left(rule.name, name, error.line, error.construct, error.why))
    return drafts, left


class _Reader:
    def __init__(self, name: str, variables: Mapping[str, Any]) -> None:
        self._name = name
        self._variables = dict(variables)
        self._notes: list[str] = []
        self._messages: list[str] = []

    def rule(self, rule: Rule) -> list[Draft]:
        """Return a rule for each type. Raises NotConverted for the first construct that has no counterpart."""
        if rule.broken is not None:
            raise rule.broken
        found: dict[str, About] = {}
        self._body(rule.body, found)
        if not found:
            raise NotConverted("the rule as a whole", "it is about no type of resource", rule.line)
        conditions = {type_: self._conditions(rule.when, about, found) for type_, about in found.items()}
        many = len(found) > 1
        return [self._draft(rule, about, conditions[type_], many) for type_, about in sorted(found.items())]

    def _draft(self, rule: Rule, about: About, when: Sequence[Expression], many: bool) -> Draft:
        own = tuple(dict.fromkeys([*about.selection.conditions, *when]))
        message, fix = _said(self._messages)
        suffix = f"-{about.selection.type.split('::')[-1]}" if many else ""
        return Draft(
            name=rule.name, id=rule_id(rule.name + suffix), file=self._name, line=rule.line, tool="guard",
            type=about.selection.type, require=_and(about.require), when=_and(own) if own else None,
            title=sentence(rule.name.replace("_", " ").capitalize(), LONGEST_TITLE), why=message, fix=fix, message=message,
            reference=REFERENCE, notes=tuple(dict.fromkeys(self._notes)),
        )  # fmt: skip

    def _body(self, body: Body, found: dict[str, About]) -> None:
        self._variables |= body.variables
        for options in body.clauses:
            one = [self._about(node) for node in options]
            types = {selection for selection, _ in one}
            if len(types) > 1:
                raise NotConverted(
                    "`or`", "its sides are about resources of different kinds", options[0].line
                )
            selection = one[0][0]
            about = found.setdefault(selection.type, About(selection))
            if about.selection != selection:
                raise NotConverted(
                    "the rule as a whole", f"it selects {selection.type} in two ways", options[0].line
                )
            if len(one) > 1:
                self._notes.append(
                    "its `or` asks each resource by itself; Guard asks all of them each side in turn"
                )
            about.require.append(_or([expression for _, expression in one]))

    def _about(self, node: Node) -> tuple[Selection, Expression]:
        """Return which resources a clause is about, and what it asks of each."""
        if isinstance(node, Named):
            raise NotConverted(
                f"`{node.name}`", "what another rule says has no counterpart; repeat its clauses", node.line
            )
        if isinstance(node, Clause):
            self._message(node.message)
            selection, rest = self._selected(node.query, node.line)
            if not rest and node.operator == "empty" and node.negated == node.prefixed:
                violation = _and(selection.last)
                if not selection.last:
                    raise NotConverted(shown(node), "it forbids every resource of the type", node.line)
                return Selection(selection.type, selection.first), Not(violation)
            return selection.settled(), self._clause(node, selection.type, rest)
        if node.query is None:
            return self._when_block(node)
        if node.some:
            raise NotConverted("`some` of a block", "one of several resources has no counterpart", node.line)
        selection, rest = self._selected(node.query, node.line)
        return selection.settled(), self._block(node, selection.type, rest)

    def _when_block(self, node: Block) -> tuple[Selection, Expression]:
        """``when %x !empty { … }`` inside a rule: the same as the condition of a rule."""
        found: dict[str, About] = {}
        self._body(node.body, found)
        if len(found) != 1:
            raise NotConverted("a block `when`", "it is about resources of several types", node.line)
        (about,) = found.values()
        conditions = self._conditions(node.when, about, found)
        required = _and(about.require)
        return about.selection, AnyOf((Not(_and(conditions)), required)) if conditions else required

    def _selected(self, query: Query, line: int) -> tuple[Selection, Parts]:
        """Return the resources a query begins with, and what of it is left."""
        if query.start == "" and query.parts[:2] == ["Resources", "*"]:
            return self._filtered(None, query.parts[2:], line)
        variable = self._variables.get(query.start)
        if isinstance(variable, Query):
            selection, rest = self._selected(variable, line)
            if rest:
                raise NotConverted(f"`%{query.start}`", "it holds values, not resources", line)
            return self._filtered(selection, query.parts, line)
        raise NotConverted(f"`{_written(query)}`", "it does not begin at resources of one type", line)

    def _filtered(self, selection: Selection | None, parts: Parts, line: int) -> tuple[Selection, Parts]:
        rest = list(parts)
        while rest and (isinstance(rest[0], Filter) or (selection is not None and rest[0] == "[]")):
            part = rest.pop(0)
            if isinstance(part, Filter):
                selection = self._narrowed(selection, part.clauses, line)
        if selection is None:
            raise NotConverted("`Resources.*`", "it is about resources of every type", line)
        return selection, rest

    def _narrowed(self, selection: Selection | None, clauses: Clauses, line: int) -> Selection:
        types: set[str] = set()
        others = []
        for options in clauses:
            named = _types(options)
            if named is not None:
                types |= named
            elif _suppression(options):
                self._notes.append(SUPPRESSED)
            else:
                others.append(options)
        if len(types) > 1 or (not types and selection is None):
            raise NotConverted("a filter", "it selects resources of no type, or of several", line)
        type_ = types.pop() if types else (selection.type if selection is not None else "")
        if registry.schema(type_) is None:
            raise NotConverted(f"`{type_}`", "the catalog has no such type", line)
        own = [_or([self._inner(node, type_) for node in options]) for options in others]
        if not own and selection is not None:
            return selection
        return Selection(type_, selection.conditions if selection is not None else (), tuple(own))

    def _inner(self, node: Node, type_: str) -> Expression:
        """A clause about a resource that is known from around it."""
        if isinstance(node, Named):
            raise NotConverted(f"`{node.name}`", "what another rule says has no counterpart", node.line)
        if isinstance(node, Clause):
            self._message(node.message)
            if node.query.start not in ("", "this"):
                raise NotConverted(shown(node), "within a block it is about other resources", node.line)
            return self._clause(node, type_, node.query.parts)
        if node.query is None:
            conditions = _cnf([[self._inner(each, type_) for each in options] for options in node.when])
            return AnyOf((Not(_and(conditions)), self._inside(node.body, type_)))
        return self._block(node, type_, node.query.parts)

    def _inside(self, body: Body, type_: str) -> Expression:
        self._variables |= {
            name: value for name, value in body.variables.items() if not isinstance(value, Query)
        }
        return _and(_cnf([[self._inner(node, type_) for node in options] for options in body.clauses]))

    def _clause(self, node: Clause, type_: str, parts: Parts) -> Expression:
        return compared(node, self._properties(parts, node.line), type_, (), self._variables)

    def _block(self, node: Block, type_: str, parts: Parts) -> Expression:
        """A block about a resource, its properties, an object in them, or each element of a list."""
        if not parts:
            inner: Expression = self._inside(node.body, type_)
        else:
            inner = self._below(node, type_, self._properties(parts, node.line, block=True))
        if node.when:
            conditions = _cnf([[self._inner(each, type_) for each in options] for options in node.when])
            return AnyOf((Not(_and(conditions)), inner))
        return inner

    def _below(self, node: Block, type_: str, parts: Parts) -> Expression:
        names = [part for part in parts if isinstance(part, str)]
        if len(names) != len(parts) or names.count("[]") + names.count("*") > 1:
            raise NotConverted("a block", "its query steps through several lists, or filters", node.line)
        path = tuple(name for name in names if name not in ("[]", "*"))
        if path and kind_at(type_, path) is None:
            raise NotConverted("a block", f"{type_} has no property `{'.'.join(path)}`", node.line)
        listed = names[-1:] == ["[]"] or names[-1:] == ["*"]
        if listed:
            return Each(path, self._at(node.body, type_, path, ()), node.some)
        if "[]" in names or "*" in names:
            raise NotConverted("a block", "its query goes on behind a list", node.line)
        inner = self._at(node.body, type_, (), path)
        # a block about what is missing fails, whatever it asks
        return _and([Test(path, "present", kind="object"), inner]) if path else inner

    def _at(self, body: Body, type_: str, base: tuple[str, ...], path: tuple[str, ...]) -> Expression:
        """Clauses about what stands at ``path``, within elements of the list at ``base``."""
        parts = []
        for options in body.clauses:
            one = []
            for node in options:
                if not isinstance(node, Clause) or node.query.start not in ("", "this"):
                    raise NotConverted("a block within a block", "it has no counterpart", node.line)
                self._message(node.message)
                one.append(compared(node, [*path, *node.query.parts], type_, base, self._variables))
            parts.append(_or(one))
        return _and(parts)

    def _properties(self, parts: Parts, line: int, *, block: bool = False) -> Parts:
        if parts and parts[0] == "Properties" and (len(parts) > 1 or block):
            return parts[1:]
        what = parts[0] if parts and isinstance(parts[0], str) else "a resource as a whole"
        raise NotConverted(f"`{what}`", "only what stands under `Properties` can be asked about", line)

    def _conditions(self, when: Clauses, about: About, found: Mapping[str, About]) -> list[Expression]:
        """Return what the condition of a rule asks of each resource: that there are some is what a rule is about anyway."""
        conditions: list[Expression] = []
        for options in when:
            own = [self._condition(node) for node in options]
            there = [selection for selection, expression in own if expression is None]
            if there and len(there) == len(own):
                if about.selection not in there:
                    raise NotConverted(
                        "`when`",
                        f"whether there are resources of {there[0].type} decides about others",
                        options[0].line,
                    )
                continue
            if there or any(selection != about.selection for selection, _ in own) or len(found) > 1:
                raise NotConverted(
                    "`when`", "other resources decide whether these are looked at", options[0].line
                )
            self._notes.append(
                "its `when` asks each resource by itself; Guard skips all where one does not meet it"
            )
            conditions.append(_or([expression for _, expression in own if expression is not None]))
        return conditions

    def _condition(self, node: Node) -> tuple[Selection, Expression | None]:
        if isinstance(node, Clause):
            selection, rest = self._selected(node.query, node.line)
            if not rest and node.operator in ("empty", "exists"):
                if (node.operator == "empty") != (node.negated != node.prefixed):
                    raise NotConverted(
                        shown(node), "that there is none of a type is no condition here", node.line
                    )
                return selection.settled(), None
            return selection.settled(), self._clause(node, selection.type, rest)
        raise NotConverted("`when`", "another rule, or a block, as a condition has no counterpart", node.line)

    def _message(self, text: str) -> None:
        if text:
            self._messages.append(text)


def _types(options: Sequence[Node]) -> set[str] | None:
    """Return the types that a clause of a filter names, None where it is about something else."""
    if len(options) != 1 or not isinstance(options[0], Clause):
        return None
    clause = options[0]
    if list(clause.query.parts) != ["Type"] or clause.query.start or clause.negated or clause.prefixed:
        return None
    values = clause.value if isinstance(clause.value, list) else [clause.value]
    if clause.operator not in ("==", "in") or not all(isinstance(value, str) for value in values):
        raise NotConverted(shown(clause), "a type is named in full", clause.line)
    return set(values)


def _suppression(options: Sequence[Node]) -> bool:
    """Whether a clause of a filter leaves out what suppresses rules in its Metadata, as the registry's rules do."""
    found = [node for node in options if isinstance(node, Clause) and node.query.parts[:1] == ["Metadata"]]
    text = " ".join(part for node in found for part in node.query.parts if isinstance(part, str)).lower()
    return len(found) == len(options) and "suppress" in text


def _written(query: Query) -> str:
    start = f"%{query.start}" if query.start not in ("", "this") else query.start
    return ".".join([*([start] if start else []), *(part for part in query.parts if isinstance(part, str))])


def _cnf(clauses: Iterator[list[Expression]] | Sequence[list[Expression]]) -> list[Expression]:
    return [_or(options) for options in clauses]


def _or(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _and(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _said(messages: Sequence[str]) -> tuple[str, str]:
    """Return the message and the repair that custom messages give: the registry's have `Violation:` and `Fix:`."""
    for text in reversed(messages):
        found = _FIX.search(text)
        message = _HEAD.sub("", text[: found.start()] if found else text)
        return sentence(message, 400), sentence(text[found.end() :], 1000) if found else ""
    return "", ""
