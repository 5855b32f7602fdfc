"""What SCPs and RCPs no longer deny: in the accounts below them, or at targets that the source does not show.

Detaching a policy and moving an account count as well as another text. Regions in which Bedrock is newly open are
told by themselves.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from policyengine.iam import sentences
from policyengine.iam.difference import Gain, layered_gains, shown
from policyengine.iam.organization_records import ChainKind
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness as Request
from policyengine.model.finding import Witness
from policyengine.model.resource import Path, Resource
from policyengine.review.access_atoms import Atoms
from policyengine.review.access_chains import (
    KINDS,
    ORGANIZATION_TYPES,
    Above,
    Organized,
    is_itself,
    representative,
)
from policyengine.review.access_compare import Asked, Comparer, Found, policy_of, unlimited
from policyengine.review.access_lines import Layer, Line, statement_json
from policyengine.review.access_tokens import Names, Tokens
from policyengine.review.changes import Change, Effect
from policyengine.review.pairs import Identity, Pair, Pairing
from policyengine.rules.iam.records import POLICY

_ACCOUNT: Final = "AWS::Organizations::Account"
_REGION: Final = "aws:requestedregion"
_BEDROCK: Final = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Converse asks for them, too (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)."""
_MODELS: Final = ("arn:*:bedrock:*::foundation-model/*",)
_MOST_REGIONS: Final = 8
_SHOWN: Final = 5
_EFFORT: Final = 10


@dataclass(slots=True)
class _Place:
    """Where a level or chain of policies holds, on both sides."""

    name: str
    old: list[Layer]
    new: list[Layer]
    asked: Asked


@dataclass(slots=True)
class _Entry:
    found: Found
    first: _Place
    gone: bool
    names: list[str] = field(default_factory=list)


def organization_changes(pairing: Pairing, names: tuple[Names, Names], first: Pair) -> Iterator[Change]:
    """Yield what policies of an organisation no longer deny, newly deny, or where that is not clear.

    ``first``: what changed; it stands for all that did where no statement is the reason.
    """
    pairs = [pair for pair in pairing.pairs if pair.either.type in ORGANIZATION_TYPES]
    tokens = Tokens()
    atoms = Atoms(tokens, names[0]), Atoms(tokens, names[1])
    head, base = (
        Organized([r for r in side if r.type in ORGANIZATION_TYPES], one)
        for side, one in ((pairing.head, atoms[1]), (pairing.base, atoms[0]))
    )
    renamed = {p.head.id: p.base.id for p in pairs if p.head and p.base and p.either.type == _ACCOUNT}
    heads = {p.base.identity: p.head for p in pairs if p.head is not None and p.base is not None}
    yield from _Review(base, head, renamed, heads, tokens, first).changes()


class _Review:
    def __init__(
        self,
        base: Organized,
        head: Organized,
        renamed: dict[str, str],
        heads: dict[Identity, Resource],
        tokens: Tokens,
        first: Pair,
    ) -> None:
        self._first = first
        self._base = base
        self._head = head
        self._renamed = renamed
        self._heads = heads
        self._olds = {found.identity: identity for identity, found in heads.items()}
        self._tokens = tokens
        self._compare = Comparer(tokens.free)

    def changes(self) -> Iterator[Change]:
        for kind in KINDS:
            entries: dict[Hashable, _Entry] = {}
            unclear: dict[str, list[str]] = {}
            for place in self._places(kind, unclear):
                for gone in (False, True):
                    old, new = (place.new, place.old) if gone else (place.old, place.new)
                    for found in self._compare.gained(old, new, place.asked):
                        if gone and (found.witness is None or found.why):
                            continue
                        key = (gone, found.cause and found.cause.key, found.freed, found.actions, found.why)
                        entry = entries.setdefault(key, _Entry(found, place, gone))
                        entry.names.append(place.name)
            for entry in entries.values():
                yield from self._told(entry, kind)
            for why, names in unclear.items():
                title = f"what {_TYPES[kind]} deny in {_where(names)} is not clear"
                yield Change(
                    "access", "unclear", "medium", title, self._first.either, self._first.base, details=(why,)
                )

    def _places(self, kind: ChainKind, unclear: dict[str, list[str]]) -> Iterator[_Place]:
        known = set(self._base.accounts)
        for account in self._head.accounts:
            mine = self._renamed.get(account, account)
            if mine not in known:
                continue
            old, new = self._base.above(mine, kind), self._head.above(account, kind)
            if old.unknown is not None or new.unknown is not None:
                if old.unknown != new.unknown:
                    unclear.setdefault(new.unknown or old.unknown or "", []).append(f"account `{account}`")
                continue
            yield self._place(f"account `{account}`", account, old, new, kind)
        before, after = self._base.alone(kind), self._head.alone(kind)
        seen = self._base.below(kind) | self._head.below(kind)
        for target in dict.fromkeys((*after, *before)):
            if target not in seen and (not is_itself(target) or (target in before and target in after)):
                full = unlimited(kind)
                levels = Above((before.get(target, full),)), Above((after.get(target, full),))
                side = self._head if target in after else self._base
                yield self._place(f"`{side.shown(target)}`", "", *levels, kind)

    def _place(self, name: str, account: str, old: Above, new: Above, kind: ChainKind) -> _Place:
        length = max(len(old.levels), len(new.levels))
        before, after = ([*one.levels, *[unlimited(kind)] * (length - len(one.levels))] for one in (old, new))
        callers = representative(account, (*before, *after)) if kind == "scp" else None
        return _Place(name, before, after, Asked(kind, callers=callers))

    # -- words ------------------------------------------------------------------------------------------

    def _told(self, entry: _Entry, kind: ChainKind) -> Iterator[Change]:
        found = entry.found
        effect: Effect = (
            "better" if entry.gone else "unclear" if found.witness is None or found.why else "worse"
        )
        regions, invoked = self._regions(entry) if kind == "scp" and effect == "worse" else ([], None)
        if invoked is not None:
            title = f"Bedrock is newly open to {_where(entry.names)} in {', '.join(regions)}"
            yield self._change(
                "bedrock", effect, title, replace(entry, found=replace(found, witness=invoked))
            )
        if not regions or not all(action.startswith("bedrock") for action in found.actions):
            yield self._change("access", effect, _title(entry, kind), entry)

    def _change(self, about: str, effect: Effect, title: str, entry: _Entry) -> Change:
        found = entry.found
        resource, old, path = self._where_it_stands(entry)
        in_head = found.freed == entry.gone
        line, other = self._json(found.cause), self._json(found.was)
        details = [f"not if {self._tokens.as_written(why)}" if found.witness else why for why in found.why]
        if found.witness is not None and not entry.gone:
            details.insert(0, sentences.goes_undenied(found.witness))
        if len(entry.names) > 1:
            details.append(f"for {_listed(entry.names)}")
        return Change(
            "bedrock" if about == "bedrock" else "access",
            effect,
            "low" if effect == "better" else "medium" if effect == "unclear" else "high",
            title,
            resource,
            old,
            path,
            other if in_head else line,
            line if in_head else other,
            None if found.witness is None or entry.gone else _witness(found),
            tuple(details),
        )

    def _json(self, line: Line | None) -> Any:
        if line is None or line.document is None or line.statement.opaque is not None:
            return None
        return self._tokens.as_written(statement_json(line.statement))

    def _where_it_stands(self, entry: _Entry) -> tuple[Resource, Resource | None, Path]:
        cause = entry.found.cause
        holder = None if cause is None else cause.holder
        if cause is None or holder is None:
            return self._first.either, self._first.base, ()
        if entry.found.freed == entry.gone:  # it stands in the head
            return holder, self._of_base(holder), cause.path
        mine = self._heads.get(holder.identity)
        if mine is None:
            return holder, holder, cause.path
        still = any(line.key == cause.key for line in self._said_by(mine))
        return mine, holder, ("TargetIds",) if still else cause.path

    def _of_base(self, resource: Resource) -> Resource | None:
        identity = self._olds.get(resource.identity)
        return None if identity is None else self._base.resource(identity)

    def _said_by(self, resource: Resource) -> Sequence[Line]:
        return list(self._head.lines(resource)) if resource.type == POLICY else []

    def _regions(self, entry: _Entry) -> tuple[list[str], Request | None]:
        """Return regions in which models may newly be invoked, one text for all of them, and a request that does."""
        if any(action.lower().startswith("bedrock:invokemodel") for action in entry.found.actions):
            for resources in (
                _MODELS,
                ("*",),
            ):  # a model is what a reader knows; profiles may be all that is open
                found = self._opened(entry.first, resources)
                if found[1] is not None:
                    return found
        return [], None

    def _opened(self, place: _Place, resources: tuple[str, ...]) -> tuple[list[str], Request | None]:
        first: Request | None = None
        found: list[str] = []
        old, new = ([[policy_of(part.values(), "scp")] for part in side] for side in (place.old, place.new))
        while len(found) < _MOST_REGIONS:
            requests = RequestSet(
                _BEDROCK, resources, context={_REGION: Values(("*",), but=tuple(found))},
                spelled={_REGION: "aws:RequestedRegion"},
            )  # fmt: skip
            answers = layered_gains(old, new, requests, place.asked.who(), _EFFORT)
            gain = next((answer for answer in answers if isinstance(answer, Gain)), None)
            if gain is None:
                return found, first
            first = first or gain.witness
            region = next((v for k, v in gain.witness.context.items() if k.lower() == _REGION), None)
            if not isinstance(region, str):
                return ["every region"], first
            found.append(region)
        return [*found[: _SHOWN - 1], "others"], first


_TYPES: Final = {"scp": "SCPs", "rcp": "RCPs"}


def _title(entry: _Entry, kind: ChainKind) -> str:
    found, where, when = entry.found, _where(entry.names), "newly" if entry.gone else "no longer"
    if found.witness is None:
        return f"what {_TYPES[kind]} deny in {where} is not clear"
    what = shown(found.actions, found.witness.action)
    if kind == "rcp":
        return f"RCPs {when} keep anybody from {what} in {where}"
    if found.freed:
        return f"SCPs {when} deny {what} in {where}"
    return f"SCPs {'no longer' if entry.gone else 'newly'} let {where} call {what}"


def _where(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _witness(found: Found) -> Witness:
    assert found.witness is not None
    request = found.witness
    context = {
        key: value if isinstance(value, str) else list(value) for key, value in request.context.items()
    }
    return Witness(request.principal, request.action, request.resource, context)
