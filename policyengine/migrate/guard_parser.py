"""The Guard language as a tree. Grammar: https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html

Clauses one after another are joined with `and`; `or` binds closer than that (conjunctive normal form).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from policyengine.migrate.drafts import NotConverted
from policyengine.migrate.guard_lexer import Word, words

_UNARY: Final = (
    "exists",
    "empty",
    "is_string",
    "is_list",
    "is_struct",
    "is_bool",
    "is_int",
    "is_float",
    "is_null",
)
_BINARY: Final = ("==", "!=", ">=", "<=", ">", "<")
_DEEPEST: Final = 40
Clauses: TypeAlias = "Sequence[Sequence[Node]]"
"""Every one of: at least one of."""


@dataclass(frozen=True)
class Query:
    """``start`` is a variable's name (``%x``), ``this``, or "" for the document; ``parts`` are names, ``*`` (all values),
    ``[]`` (all elements) and filters."""

    start: str
    parts: Sequence[str | Filter]
    line: int


@dataclass(frozen=True)
class Filter:
    """Clauses in brackets: those of the values of a query that they hold of."""

    clauses: Clauses


@dataclass(frozen=True)
class Range:
    """Numbers between two; an end that is open is not among them."""

    low: float
    high: float
    low_open: bool
    high_open: bool


@dataclass(frozen=True)
class Pattern:
    """A regular expression, which holds of a text that has a match anywhere."""

    text: str


@dataclass(frozen=True)
class Clause:
    """A comparison. ``value`` is a literal, a Range, a Pattern, a Query, or None for unary operators."""

    query: Query
    operator: str
    negated: bool
    value: Any
    some: bool
    prefixed: bool
    message: str
    line: int


@dataclass(frozen=True)
class Block:
    """Clauses about each value of a query; ``when`` holds first, or the block is skipped."""

    query: Query | None
    when: Clauses
    body: Body
    some: bool
    line: int


@dataclass(frozen=True)
class Named:
    """What another rule says, or a rule with arguments."""

    name: str
    line: int


Node: TypeAlias = Clause | Block | Named


@dataclass
class Body:
    """What stands between braces, or in a file: variables, clauses."""

    variables: dict[str, Any] = field(default_factory=dict)
    clauses: list[Sequence[Node]] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """A named rule. ``broken`` is what of it is no Guard that is known here."""

    name: str
    when: Clauses
    body: Body
    line: int
    broken: NotConverted | None = None


@dataclass
class File:
    """The variables and rules of a file; ``loose`` are clauses outside rules."""

    variables: dict[str, Any] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    loose: list[Node] = field(default_factory=list)


def parse(text: str) -> File:
    """Return the tree of a file; a rule that is not understood is kept as broken, and the next one is read.

    Raises NotConverted for a file whose words are not Guard's.
    """
    return _Parser(list(words(text))).file()


class _Parser:
    def __init__(self, found: list[Word]) -> None:
        self._words = found
        self._at = 0
        self._depth = 0

    @property
    def _now(self) -> Word:
        return self._words[self._at]

    def _next(self) -> Word:
        word = self._now
        self._at = min(self._at + 1, len(self._words) - 1)
        return word

    def _take(self, *texts: str) -> bool:
        if self._now.says(*texts):
            self._next()
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unknown(f"expected `{text}`")

    def _unknown(self, why: str) -> NotConverted:
        return NotConverted(f"`{self._now.text or 'the end of the file'}`", why, self._now.line)

    def file(self) -> File:
        found = File()
        while self._now.kind != "end":
            if self._now.says("rule"):
                found.rules.append(self._rule())
            elif self._take("let"):
                name, value = self._variable()
                found.variables[name] = value
            else:
                found.loose += self._disjunction()
        return found

    def _rule(self) -> Rule:
        line, begun = self._now.line, self._at
        self._next()
        name = self._next().text
        try:
            if self._now.says("("):
                raise self._unknown("a rule with parameters has no counterpart")
            when = self._conditions() if self._take("when") else ()
            self._expect("{")
            return Rule(name, when, self._body(), line)
        except NotConverted as error:
            self._at = begun
            self._skip_rule()
            return Rule(name, (), Body(), line, error)

    def _skip_rule(self) -> None:
        """Go on behind the braces of a rule."""
        depth = 0
        while self._now.kind != "end":
            word = self._next()
            depth += word.says("{") - word.says("}")
            if word.says("}") and depth == 0:
                return

    def _deeper(self, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._unknown(f"is nested deeper than {_DEEPEST}")
        found = read()
        self._depth -= 1
        return found

    def _body(self) -> Body:
        return self._deeper(self._body_)  # type: ignore[no-any-return]  # it gives what it is given

    def _body_(self) -> Body:
        found = Body()
        while not self._take("}"):
            if self._take("let"):
                name, value = self._variable()
                found.variables[name] = value
            else:
                found.clauses.append(self._disjunction())
        return found

    def _variable(self) -> tuple[str, Any]:
        name = self._next().text
        if not self._take("=", ":="):
            raise self._unknown("expected `=`")
        return name, self._value()

    def _conditions(self) -> Clauses:
        found = []
        while not self._now.says("{"):
            found.append(self._disjunction())
        return found

    def _disjunction(self) -> Sequence[Node]:
        found = [self._clause()]
        while self._take("or", "||"):
            found.append(self._clause())
        return found

    def _clause(self) -> Node:
        line = self._now.line
        if self._take("when"):
            when = self._conditions()
            self._expect("{")
            return Block(None, when, self._body(), False, line)
        prefixed = self._take("not", "!")
        some = self._take("some")
        first = self._now
        if first.kind == "name" and "::" in first.text:
            self._next()
            when = self._conditions() if self._take("when") else ()
            self._expect("{")
            return Block(_of_type(first), when, self._body(), some, line)
        query = self._query()
        if self._take("{"):
            return Block(query, (), self._body(), some, line)
        if self._now.says("when"):
            self._next()
            when = self._conditions()
            self._expect("{")
            return Block(query, when, self._body(), some, line)
        return self._compared(query, prefixed, some, line)

    def _compared(self, query: Query, prefixed: bool, some: bool, line: int) -> Node:
        negated = self._take("not", "!")
        operator = self._now.text.lower()
        value: Any = None
        if self._now.says(*_UNARY):
            self._next()
        elif self._now.says(*_BINARY, "in"):
            self._next()
            value = self._value()
        elif len(query.parts) == 1 and not query.start and not negated:
            if self._now.says("("):
                raise self._unknown("a rule or function with arguments has no counterpart")
            message = self._message()
            return Named(str(query.parts[0]), line)
        else:
            raise self._unknown("expected an operator")
        message = self._message()
        return Clause(query, operator, negated, value, some, prefixed, message, line)

    def _message(self) -> str:
        return self._next().text if self._now.kind == "message" else ""

    def _query(self) -> Query:
        word = self._next()
        line = word.line
        parts: list[str | Filter] = []
        start = ""
        if word.kind == "variable":
            start = word.text
        elif word.says("this"):
            start = "this"
        elif word.kind in ("name", "text") or word.says("*"):
            parts.append(word.text)
        else:
            raise NotConverted(f"`{word.text or 'the end of the file'}`", "expected a query", word.line)
        while True:
            if self._take("."):
                parts.append(self._next().text)
            elif self._now.says("[") and (self._now.glued or parts or start):
                parts.append(self._brackets())
            else:
                return Query(start, parts, line)

    def _brackets(self) -> str | Filter:
        self._next()
        if self._take("*"):
            self._expect("]")
            return "[]"
        if self._now.kind == "number":
            raise self._unknown("one element by its number has no counterpart")
        if self._now.says("keys"):
            raise self._unknown("a filter over keys has no counterpart")
        found = []
        while not self._take("]"):
            found.append(self._deeper(self._disjunction))
            if self._now.says("|"):
                raise self._unknown("a variable in a filter has no counterpart")
        return Filter(found)

    def _value(self) -> Any:
        return self._deeper(self._value_)

    def _value_(self) -> Any:
        word = self._now
        if word.kind == "text":
            return self._next().text
        if word.kind == "number":
            text = self._next().text
            return float(text) if "." in text else int(text)
        if word.kind == "pattern":
            return Pattern(self._next().text)
        if word.kind == "range":
            return self._range()
        if word.says("true", "false") or word.text in ("True", "False"):
            return self._next().text.lower() == "true"
        if self._take("["):
            return self._list()
        if word.says("{"):
            raise self._unknown("an object as a value has no counterpart")
        if word.says("some"):
            raise self._unknown("`some` of a variable has no counterpart")
        query = self._query()
        if self._now.says("(") and self._now.glued:
            raise self._unknown("a function has no counterpart")
        return query

    def _list(self) -> list[Any]:
        found = []
        while not self._take("]"):
            found.append(self._value())
            self._take(",")
        return found

    def _number(self) -> float:
        if self._now.kind != "number":
            raise self._unknown("expected a number")
        return float(self._next().text)

    def _range(self) -> Range:
        opened = self._next().text.endswith("(")
        low = self._number()
        self._expect(",")
        high = self._number()
        closing = self._next()
        if not closing.says("]", ")"):
            raise NotConverted(f"`{closing.text}`", "expected the end of a range", closing.line)
        return Range(low, high, opened, closing.says(")"))


def _of_type(word: Word) -> Query:
    """``AWS::S3::Bucket { … }`` stands for ``Resources.*[ Type == 'AWS::S3::Bucket' ]``."""
    of = Clause(Query("", ["Type"], word.line), "==", False, word.text, False, False, "", word.line)
    return Query("", ["Resources", "*", Filter([[of]])], word.line)
