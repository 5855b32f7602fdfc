"""``policyengine iam diff``: what a new document allows that the old one does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_USAGE
from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    STRICT,
    exit_code,
    json_line,
    show,
    show_errors,
    why_texts,
    witness_json,
    witness_lines,
)
from policyengine.cli.iam.documents import read_all
from policyengine.cli.iam.kinds import KIND
from policyengine.cli.iam.requests import read_requests, request_options
from policyengine.iam.difference import Gain, by_service, gains, shown
from policyengine.iam.documents import Policy
from policyengine.iam.grammar import Kind
from policyengine.iam.reason import Unknown
from policyengine.iam.request_set import RequestSet
from policyengine.rules.iam.reader import Document

Change = Literal["allows", "no_longer_allows"]


@click.command(context_settings=HELP)
@click.argument("old")
@click.argument("new")
@KIND
@request_options(required=False)
@FORMAT
@STRICT
def diff(old: str, new: str, kind: Kind | None, format_: str, strict: bool, **asked: Any) -> int:
    """Say what NEW allows that OLD does not, with a request for each group of actions.

    OLD and NEW are policies, or templates, plans or snapshots: then each of their policies is compared
    with the one in its place. Requests that NEW no longer allows are listed too. Documents that only
    deny (most SCPs) are compared as what they take away. Exit codes: 0 nothing is newly allowed,
    1 something is, 2 a document is none, 3 something could not be decided (with --strict), 4 a snapshot
    could not be read whole.

    \b
      policyengine iam diff old.json new.json
      policyengine iam diff main/template.yaml template.yaml --action 'iam:*'
    """
    requests = read_requests(asked["requests_file"], asked["actions"], asked["resources"], asked["context"])
    before, after = read_all(old, kind), read_all(new, kind)
    errors = [*before.errors, *after.errors]
    incomplete = before.incomplete or after.incomplete
    show_errors(errors)
    if any(not side.documents and side.errors for side in (before, after)):
        return EXIT_INCOMPLETE if incomplete else EXIT_USAGE
    changed = [
        c for c in map(_Comparison.of, pairs(before.documents, after.documents)) if c.compare(requests)
    ]
    if format_ == "json":
        for comparison in changed:
            for line in comparison.lines():
                json_line(line)
    else:
        show(page(changed, old, new))
    if errors and not incomplete:
        return EXIT_USAGE
    return exit_code(
        incomplete=incomplete,
        found=any(c.allows for c in changed),
        unknown=any(c.unknown for c in changed),
        strict=strict,
    )


@dataclass(slots=True)
class Pair:
    """The documents of one place, before and after."""

    old: list[Document]
    new: list[Document]


def pairs(old: Sequence[Document], new: Sequence[Document]) -> list[Pair]:
    """Return the documents of both sides by their place; two bare policies are one pair."""
    if len(old) == len(new) == 1 and (old[0].type is None or new[0].type is None):
        return [Pair(list(old), list(new))]
    found: dict[Any, Pair] = {}
    for side, documents in (("old", old), ("new", new)):
        for document in documents:
            pair = found.setdefault(_key(document), Pair([], []))
            getattr(pair, side).append(document)
    return list(found.values())


def _key(document: Document) -> Any:
    steps = tuple(step for step in document.path if not isinstance(step, int))
    return document.account, document.type, document.id, steps, document.name


def _content(policy: Policy) -> Any:
    """Return what a policy says; what is not known in code is the same wherever it is written the same."""
    return policy.kind, [
        (
            s.allow, s.actions, s.not_action, s.resources, s.not_resource, s.principals, s.not_principal,
            [(c.operator, c.key, c.values) for c in s.conditions], s.variables, s.opaque,
        )
        for s in policy.statements
    ]  # fmt: skip


@dataclass(slots=True)
class _Comparison:
    pair: Pair
    allows: list[Gain]
    loses: list[Gain]
    unknown: list[str]

    @classmethod
    def of(cls, pair: Pair) -> _Comparison:
        return cls(pair, [], [], [])

    def compare(self, requests: RequestSet) -> bool:
        """Fill in what changed; say whether anything did, or may have."""
        old = [d.policy for d in self.pair.old]
        new = [d.policy for d in self.pair.new]
        if [_content(p) for p in old] == [_content(p) for p in new]:
            return False
        for before, after, found in ((old, new, self.allows), (new, old, self.loses)):
            for answer in gains(before, after, requests):
                if isinstance(answer, Unknown):
                    self.unknown.extend(t for t in why_texts(answer.why) if t not in self.unknown)
                else:
                    found.append(answer)
        return bool(self.allows or self.loses or self.unknown)

    @property
    def place(self) -> str:
        """Return where the policy stands, in NEW if it is there."""
        document = (self.pair.new or self.pair.old)[0]
        return document.place

    @property
    def state(self) -> str:
        """Return ``added``, ``removed`` or ``changed``."""
        return "changed" if self.pair.old and self.pair.new else "added" if self.pair.new else "removed"

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the JSON lines."""
        document = (self.pair.new or self.pair.old)[0]
        about = {"place": self.place, "name": document.name, "type": document.type, "id": document.id}
        changes: tuple[tuple[Change, list[Gain]], ...] = (
            ("allows", self.allows),
            ("no_longer_allows", self.loses),
        )
        for change, found in changes:
            for gain in found:
                yield {
                    "change": change,
                    **about,
                    "state": self.state,
                    "actions": len(gain.actions),
                    "services": dict(by_service(gain.actions)),
                    "witness": witness_json(gain.witness),
                }
        if self.unknown:
            yield {"change": "unknown", **about, "state": self.state, "reasons": self.unknown}


def page(changed: Sequence[_Comparison], old: str, new: str) -> Iterator[str]:
    """Yield the lines a reader gets: what is new first, then what is gone."""
    news = sum(len(c.allows) for c in changed)
    if news:
        yield f"`{_short(new)}` allows what `{_short(old)}` does not:"
    elif any(c.unknown for c in changed):
        yield f"nothing that `{_short(new)}` newly allows was found, but not everything could be decided"
    else:
        yield f"`{_short(new)}` allows nothing that `{_short(old)}` does not"
    for comparison in changed:
        yield ""
        yield f"{comparison.place} ({comparison.state})"
        for gain in comparison.allows:
            yield f"  + {shown(gain.actions, gain.witness.action)}"
            yield from witness_lines(gain.witness, "      ")
        yield from (f"  - no longer: {shown(gain.actions, gain.witness.action)}" for gain in comparison.loses)
        yield from (f"  ? not decided: {text}" for text in comparison.unknown)


def _short(target: str) -> str:
    return Path(target).name or target
