"""What a predicate is given and what it answers.

A predicate is the only bridge from a rule to a reasoning library. It sees one :class:`Subject`,
takes keyword arguments whose kinds it declares, and returns an :class:`Answer`. It must answer
UNKNOWN, with evidence naming the value, whenever an Unresolved value could change the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from policyengine.model.finding import Evidence, Witness
from policyengine.model.logic import Truth
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved


def _not_collected(type_: str) -> Unresolved:
    return Unresolved("not_collected", f"{type_} of the organisation")


class Answer(NamedTuple):
    """Truth with the evidence for it; FALSE and UNKNOWN always carry evidence.

    ``evidence`` paths start at the resource's properties, or with ``tags``, ``related`` or
    ``with`` for what stands there. Each Evidence carries its reason code.

    ``cause`` is what has to change for the answer to change, where that is one thing: ``#`` and a JSON Pointer of
    a place of the resource (a policy statement), or what other resources share (a chain of SCPs). Reports show
    findings of one cause together.
    """

    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    witness: Witness | None = None
    cause: str | None = None


@dataclass(slots=True)
class Subject:
    """What a check looks at: the resource, the related resources its rule asked for, the clock.

    ``related(alias)`` gives the resources behind a ``with:`` alias, or Unresolved when the source
    does not cover them; a list may be an OpenList. ``tables(type)`` is for predicates that
    declare ``needs``: all resources of that type in the subject's account and region;
    ``organization(type)`` for those that declare ``wide``: all of the organisation.
    """

    resource: Resource
    now: datetime
    related: Callable[[str], list[Resource] | Unresolved]
    tables: Callable[[str], list[Resource] | Unresolved]
    where: Any = None
    """The element a predicate inside ``every``/``some`` applies to; the properties otherwise."""
    relations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Alias of ``with:`` -> the form of its catalog relation (``to``, ``via``, ``by``, ``key``, ``many``)."""
    answers: dict[Any, Any] = field(default_factory=dict)
    """What the checks of the rules have answered about ``resource``, and what predicates of several rules
    have in common about it (by keys of their own): deciding and explaining ask only once."""
    organization: Callable[[str], list[Resource] | Unresolved] = _not_collected

    def about(self, resource: Resource, where: Any = None) -> Subject:
        """Return what a check looks at that is asked about another resource, or an element, on behalf of this.

        INVARIANT: whoever needs a Subject makes it so: what is read through it counts as read by the rule.
        """
        return Subject(
            resource, self.now, self.related, self.tables, where, self.relations,
            organization=self.organization,
        )  # fmt: skip

    def look(self, narrow: Narrow, argument: str | None = None) -> Any:
        """Return what a function finds among other resources, of which it needs few."""
        return narrow.find(self, argument)


class Narrow(NamedTuple):
    """Reading a few of the resources of whole tables, so that the others may change without consequence.

    ``find(subject, argument)`` returns what the predicate goes on with. ``seen(subject, argument)`` says what that
    depends on, as resources, texts and lists of these. INVARIANT: where ``seen`` says the same about the same
    resource, all that the predicate does with what ``find`` returns is the same. ``name`` is
    ``module:variable`` below ``policyengine.rules``; ``policyengine.engine.kept.narrows`` lists them all.
    """

    name: str
    find: Callable[[Subject, str | None], Any]
    seen: Callable[[Subject, str | None], Any]
    of_place: bool = False
    """Whether ``seen`` says the same for every resource of an account and region: then it is asked once."""


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of a predicate.

    ``kind`` is ``integer``, ``number``, ``string``, ``boolean``, ``path`` (a property path, checked
    against the catalog), ``alias`` (a name from ``with:``), ``json``, or ``list:<kind>``.
    """

    kind: str
    required: bool = True
    default: Any = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A named check that no syntax can state.

    ``check`` is called ``check(subject, **arguments)``. ``types`` are the resource types it can
    be asked about (empty: any). ``needs`` are the types it reads through ``subject.tables``, ``wide``
    those through ``subject.organization``.
    ``summary`` says in one sentence what TRUE means; it is the heading of the doc page.
    ``problem`` says what is wrong with constant arguments, in one line, or returns None.
    ``reads`` are the top-level properties of the resource it looks at (``tags``, ``related.NAME``) besides
    those its path arguments name, or a function that says so for a type; None means that it may look at all
    of them. ``reads_at`` is the argument that lists further paths, as texts. ``needs_for`` are the subjects'
    types for which ``needs`` are read; empty: for all.
    ``short`` is given the arguments once and returns a function of a resource that answers what ``check``
    would answer, or None to have ``check`` asked; for what nearly every resource of a common type needs.
    """

    name: str
    check: Callable[..., Answer]
    summary: str
    args: Mapping[str, Arg] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    problem: Callable[[Mapping[str, Any]], str | None] | None = None
    short: Callable[..., Callable[[Resource], Answer | None]] | None = None
    wide: tuple[str, ...] = ()
    reads: tuple[str, ...] | Callable[[str], tuple[str, ...] | None] | None = None
    needs_for: tuple[str, ...] = ()
    reads_at: str = ""

    def needs_about(self, types: Iterable[str]) -> tuple[str, ...]:
        """Return the types it reads through ``subject.tables`` when it is asked about resources of these types."""
        return self.needs if not self.needs_for or not set(self.needs_for).isdisjoint(types) else ()
