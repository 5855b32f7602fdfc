"""What ports and peers a change newly opens: security groups and network ACLs, compared as sets.

To split a range or a block, to reorder rules or to move one between a group and a resource of its own opens nothing.
docs/review-meaning.md says what is compared with what.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from policyengine.model.finding import Witness
from policyengine.model.resource import Resource
from policyengine.net.addresses import AddressSet
from policyengine.review.access_same import Same, branches, counterparts, scope
from policyengine.review.access_tokens import Names, both_names
from policyengine.review.changes import Change, Effect
from policyengine.review.network_gains import Opened, acl_opened, opened, peer_list, peers_text, ports_text
from policyengine.review.network_reach import Openings, Reader, acl_entries
from policyengine.review.pairs import Pair, Pairing
from policyengine.rules.predicates.net.acl import NETWORK_ACL
from policyengine.rules.predicates.net.group_entries import EGRESS, GROUP, INGRESS, PREFIX_LIST, Direction

_ENTRY: Final = "AWS::EC2::NetworkAclEntry"
_TYPES: Final = frozenset({GROUP, INGRESS.standalone, EGRESS.standalone, NETWORK_ACL, _ENTRY, PREFIX_LIST})
_CONDITIONS: Final = "conditions of the template, which are others than before, decide so"
Ask = Callable[[Resource | None, Resource | None], list[Opened]]


def network_changes(pairing: Pairing) -> Iterator[Change]:
    """Yield what is newly reachable, no longer reachable, or not clear; nothing where the sets are the same."""
    before, after = both_names(pairing)
    same = Same(before, after)
    pairs = [pair for pair in pairing.pairs if pair.either.type in _TYPES]
    changed = [p for p in pairs if p.base is None or p.head is None or not same.resources(p.base, p.head)]
    review = _Review(_reader(pairing.base, before), _reader(pairing.head, after))
    lists = {
        scope(r) for pair in changed if pair.either.type == PREFIX_LIST for r in pair[:2] if r is not None
    }
    for pair in pairs:
        touched = any(r is not None and scope(r) in lists for r in pair[:2])
        if touched or any(pair is one for one in changed):
            yield from review.changes(pair)


def _reader(resources: Sequence[Resource], names: Names) -> Reader:
    lists: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.type == PREFIX_LIST:
            lists.setdefault(scope(resource), []).append(resource)
    return Reader(names, lambda asker, type_: lists.get(scope(asker), []) if type_ == PREFIX_LIST else [])


class _Review:
    def __init__(self, base: Reader, head: Reader) -> None:
        self._base = base
        self._head = head

    def changes(self, pair: Pair) -> Iterator[Change]:
        """Yield what a pair's change opened and closed."""
        type_ = pair.either.type
        if type_ == _ENTRY:
            title = f"entry `{pair.either.id}` of a network ACL that is not in this source changed"
            yield Change("network", "unclear", "low", title, pair.either, pair.base)
        elif type_ == NETWORK_ACL and pair.base is not None and pair.head is not None:
            for egress in (False, True):
                yield from self._both_ways(pair, partial(_acl, egress=egress), egress=egress)
        elif type_ in (INGRESS.standalone, EGRESS.standalone) or (type_ == GROUP and pair.head is not None):
            for direction in (INGRESS, EGRESS):
                if type_ in (GROUP, direction.standalone):
                    yield from self._group(pair, direction)

    def _group(self, pair: Pair, direction: Direction) -> Iterator[Change]:
        def ask(base: Resource | None, head: Resource | None, *, turned: bool = False) -> list[Opened]:
            old = Openings([]) if base is None else self._base.openings(base, direction)
            new = Openings([]) if head is None else self._head.openings(head, direction)
            return opened(new, old) if turned else opened(old, new)

        if pair.base is None and pair.either.type == GROUP:
            found = _over_branches(branches(pair.head), [None], ask) if direction is INGRESS else []
            yield from (_new(pair.either, one) for one in found if one.peers.internet and one.certain)
            return
        yield from self._both_ways(pair, ask, egress=direction is EGRESS)

    def _both_ways(self, pair: Pair, ask: Callable[..., list[Opened]], *, egress: bool) -> Iterator[Change]:
        base: Sequence[Resource | None] = branches(pair.base) or [None]
        head: Sequence[Resource | None] = branches(pair.head) or [None]
        more = _over_branches(head, base, lambda other, mine: ask(other, mine))
        less = _over_branches(base, head, lambda other, mine: ask(mine, other, turned=True))
        yield from (_change(pair, one, egress=egress, gone=False) for one in more)
        for one in less:
            if one.certain or not (more or any(other.certain for other in less)):
                yield _change(pair, one, egress=egress, gone=True)


def _acl(base: Resource | None, head: Resource | None, *, egress: bool, turned: bool = False) -> list[Opened]:
    if base is None or head is None:
        return []
    old, new = acl_entries(base, egress=egress), acl_entries(head, egress=egress)
    return acl_opened(new, old) if turned else acl_opened(old, new)


def _over_branches(
    mine: Sequence[Resource | None], others: Sequence[Resource | None], ask: Ask
) -> list[Opened]:
    """Ask for each branch (the other side's first); what only some of the other branches did not have is not clear."""
    result: list[Opened] = []
    for branch in mine:
        facing = (
            others if branch is None else counterparts(branch, [o for o in others if o is not None]) or others
        )
        found = [ask(other, branch) for other in facing]
        if all(found):
            result.extend(found[0])
            continue
        for one in (one for some in found for one in some):
            one.peers = one.peers._replace(unless=(*one.peers.unless, _CONDITIONS))
            result.append(one)
    return result


def _new(resource: Resource, one: Opened) -> Change:
    title = f"new security group `{resource.id}` lets {peers_text(one.peers)} reach {ports_text(one.ports)}"
    return Change(
        "network", "new", "high", title, resource, None, one.path, None, peer_list(one.has), _witness(resource, one)
    )  # fmt: skip


def _change(pair: Pair, one: Opened, *, egress: bool, gone: bool) -> Change:
    resource = pair.either
    effect: Effect = "unclear" if not one.certain else "better" if gone else "worse"
    had, has = (one.has, one.had) if gone else (one.had, one.has)
    return Change(
        "network",
        effect,
        "low" if effect == "better" else _severity(resource, one, egress=egress),
        _title(resource, one, egress=egress, gone=gone),
        resource,
        pair.base,
        one.path,
        peer_list(had),
        peer_list(has),
        None if gone else _witness(resource, one, egress=egress),
        tuple(f"not if {text}" for text in one.peers.unless),
    )


def _severity(resource: Resource, one: Opened, *, egress: bool) -> str:
    inner = egress or resource.type == NETWORK_ACL
    if one.peers.internet:
        return "medium" if inner else "high"
    return "low" if inner else "medium"


def _title(resource: Resource, one: Opened, *, egress: bool, gone: bool) -> str:
    when, who = "no longer" if gone else "newly", peers_text(one.peers)
    ports = ports_text(one.ports) if one.unknown is None else f"ports that are not known ({one.unknown})"
    if resource.type == NETWORK_ACL:
        ways = "out to" if egress else "in from"
        return f"network ACL `{resource.id}` {when} lets {ports} {ways} {who}"
    if egress:
        return f"`{resource.id}` can {when} reach {who} on {ports}"
    return f"{who} can {when} reach {ports} of `{resource.id}`"


def _witness(resource: Resource, one: Opened, *, egress: bool = False) -> Witness | None:
    """Return one packet that newly passes: from whom, protocol and port, to whom."""
    if not one.ports:
        return None
    peer = _example(one.peers.addresses) or next(
        (atom.shown.replace("`", "") for atom in sorted(one.peers.atoms)), ""
    )
    action = ports_text([one.ports[0]._replace(high=one.ports[0].low)])
    ends = (resource.id, peer) if egress else (peer, resource.id)
    return Witness(ends[0], action, ends[1], {})


def _example(addresses: AddressSet) -> str | None:
    """Return an address of a set, a public one if it has one."""
    for found in (addresses.public(), addresses):
        if found.v4:
            return str(ipaddress.IPv4Address(next(iter(found.v4))[0]))
        if found.v6:
            return str(ipaddress.IPv6Address(next(iter(found.v6))[0]))
    return None
