"""What was found about principals and resources, put together as changes: one for each statement, not for each
principal that has it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.iam import sentences
from policyengine.iam.grammar import Kind
from policyengine.iam.search import Witness as Request
from policyengine.model.finding import Witness
from policyengine.model.resource import Path, Resource
from policyengine.review.access_lines import Line, statement_json
from policyengine.review.access_questions import Told
from policyengine.review.access_tokens import Tokens
from policyengine.review.access_words import allowed_title, called, severity
from policyengine.review.changes import Change, Effect
from policyengine.review.pairs import Identity

_SHOWN: Final = 5


@dataclass(slots=True)
class _Entry:
    effect: Effect
    told: Told
    kind: Kind
    gone: bool
    subjects: list[Resource] = field(default_factory=list)
    known: set[Identity] = field(default_factory=set)
    principal: str | None = None


class Entries:
    """Collects what was found. ``old``: of a resource of the head, that of the base."""

    def __init__(self, tokens: Tokens, old: Mapping[Identity, Resource]) -> None:
        self._tokens = tokens
        self._old = old
        self._entries: dict[Hashable, _Entry] = {}
        self._ready: list[Change] = []

    def put(self, change: Change) -> None:
        """Take a change that is worded already."""
        self._ready.append(change)

    def add(
        self,
        subject: Resource,
        told: Told,
        kind: Kind,
        *,
        gone: bool = False,
        new: bool = False,
        who: str | None = None,
    ) -> None:
        """Take what one principal or resource newly allows, or (``gone``) no longer.

        ``new``: it was not there before. ``who``: the ARN of a principal.
        """
        found = told.found
        effect: Effect = "unclear" if found.witness is None or found.why else "better" if gone else "worse"
        effect = "new" if new else effect
        cause = found.cause
        place = (
            (subject.identity,)
            if cause is None or cause.holder is None
            else (cause.holder.identity, cause.path)
        )
        key = (
            effect, kind, gone, told.audience, told.power, found.freed, place, cause and cause.key, found.actions, found.why,
        )  # fmt: skip
        entry = self._entries.setdefault(key, _Entry(effect, told, kind, gone))
        if subject.identity not in entry.known:
            entry.known.add(subject.identity)
            entry.subjects.append(subject)
            entry.principal = who if len(entry.subjects) == 1 else None

    def changes(self) -> Iterator[Change]:
        """Yield everything that was found."""
        yield from self._ready
        for entry in self._entries.values():
            yield self._change(entry)

    def _change(self, entry: _Entry) -> Change:
        found, cause = entry.told.found, entry.told.found.cause
        resource, path = self._place(entry)
        before, after = (found.was, cause) if found.freed == entry.gone else (cause, found.was)
        request = found.witness
        if request is not None and entry.principal is not None and entry.kind == "identity":
            request = Request(entry.principal, request.action, request.resource, request.context)
        return Change(
            "access",
            entry.effect,
            "low" if entry.effect == "better" else severity(entry.told, entry.kind),
            self._tokens.as_written(allowed_title(entry.told, entry.kind, entry.subjects, gone=entry.gone)),
            resource,
            self._old.get(resource.identity),
            path,
            self._json(before),
            self._json(after),
            None if request is None or entry.gone else _witness(request),
            tuple(self._details(entry, request)),
        )

    def _json(self, line: Line | None) -> Any:
        if line is None or line.document is None or line.document.opaque is not None:
            return None
        return self._tokens.as_written(statement_json(line.statement))

    def _place(self, entry: _Entry) -> tuple[Resource, Path]:
        cause, subject = entry.told.found.cause, entry.subjects[0]
        if cause is None:
            return subject, ()
        in_head = entry.told.found.freed == entry.gone
        if cause.holder is None:
            if cause.document is None:  # the boundary that is there no more
                return subject, ("PermissionsBoundary",)
            return subject, _attachment(cause, subject) if in_head else ()
        if in_head:
            return cause.holder, cause.path
        mine = self._old.get(subject.identity)
        same = mine is not None and mine.identity == cause.holder.identity
        return subject, cause.path if same or subject is cause.holder else ()

    def _details(self, entry: _Entry, request: Request | None) -> Iterator[str]:
        found = entry.told.found
        if request is not None and not found.freed and not entry.gone:
            yield sentences.may_call(request)
        elif request is not None and not entry.gone:
            yield sentences.goes_undenied(request)
        if request is not None and not entry.gone:
            yield from self._tokens.accounts(f"{request.principal} {request.resource} {request.context}")
        yield from (
            f"not if {self._tokens.as_written(text)}" if request is not None else text for text in found.why
        )
        if len(entry.subjects) > 1:
            names = ", ".join(called(subject) for subject in entry.subjects[:_SHOWN])
            more = f" and {len(entry.subjects) - _SHOWN:,} more" if len(entry.subjects) > _SHOWN else ""
            yield f"for {names}{more}"


def _attachment(cause: Line, subject: Resource) -> Path:
    """Return where a principal names a managed policy of AWS's."""
    arn = cause.document.arn if cause.document is not None else None
    key = "ManagedPolicies" if "ManagedPolicies" in subject.properties else "ManagedPolicyArns"
    listed = subject.properties.get(key)
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        if item == arn:
            return (key, number)
    return (key,)


def _witness(request: Request) -> Witness:
    context = {
        key: value if isinstance(value, str) else list(value) for key, value in request.context.items()
    }
    return Witness(request.principal, request.action, request.resource, context)
