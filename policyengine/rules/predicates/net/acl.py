"""Entries of network ACLs, and ``net.nacl_open_to_internet``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.net.acls import AclRule, acl_open_to_internet
from policyengine.net.opaque import Opaque
from policyengine.net.services import read_traffic
from policyengine.rules.predicates.api import Answer, Predicate, Subject
from policyengine.rules.predicates.asked import (
    DEFAULT_PROTOCOLS,
    EXCEPT_PORTS,
    PORTS,
    PROTOCOLS,
    asked_service,
    bad_argument,
    service_problem,
)
from policyengine.rules.predicates.net.group_entries import read_block

NETWORK_ACL: Final = "AWS::EC2::NetworkAcl"


class Entry(NamedTuple):
    """One entry with the place it stands at; ``egress`` is Opaque when not known."""

    rule: AclRule
    egress: bool | Opaque
    path: Path
    observed: Any
    doubts: tuple[Evidence, ...]


class Entries(NamedTuple):
    """The entries of an ACL; ``rest`` is evidence that there may be more."""

    found: list[Entry]
    path: Path
    rest: Evidence | None = None

    def rules(self, *, egress: bool) -> list[AclRule]:
        """Return the rules of one direction; unknown ones stand in both."""
        chosen = [e.rule for e in self.found if e.egress is egress]
        doubtful = [_uncertain(e.rule) for e in self.found if isinstance(e.egress, Opaque)]
        return [*chosen, *doubtful, *([_ANYTHING] if self.rest is not None else [])]


_ANY_TRAFFIC: Final = read_traffic(-1, None, None)
_UNREAD: Final = Opaque("an entry that cannot be read")
_ANYTHING: Final = AclRule(_UNREAD, _UNREAD, _ANY_TRAFFIC, _UNREAD)


def _uncertain(rule: AclRule) -> AclRule:
    """Return a rule that may or may not be there: its place in the order is not known."""
    return AclRule(Opaque("a direction that is not known"), rule.allow, rule.traffic, rule.block)


def read_entries(acl: Resource) -> Entries:
    """Return the entries of an ACL: ``related.entries`` and, where a source has it, ``Entries``."""
    places: list[tuple[Path, Any]] = [
        (("related", "entries"), acl.related.get("entries", ABSENT)),
        (("Entries",), acl.properties.get("Entries", ABSENT)),
    ]
    found: list[Entry] = []
    rest: Evidence | None = None
    at: Path = ("related", "entries")
    for path, value in places:
        if value is ABSENT:
            continue
        at = path
        if isinstance(value, Unresolved):
            rest = Evidence(path, value, "known entries", value.reason)
        elif not isinstance(value, list):
            rest = Evidence(path, value, "a list of entries", "wrong_type")
        else:
            found += [_entry(entry, (*path, index)) for index, entry in enumerate(value)]
            if isinstance(value, OpenList):
                rest = Evidence((*path, "-"), value.more, "all entries", value.more.reason)
    return Entries(found, at, rest)


def _entry(value: Any, at: Path) -> Entry:
    if not isinstance(value, dict):
        reason = value.reason if isinstance(value, Unresolved) else "wrong_type"
        return Entry(
            _ANYTHING, _UNREAD, at, value, (Evidence(at, value, "an entry that can be read", reason),)
        )
    missing = value.more if isinstance(value, OpenDict) else None
    doubts: list[Evidence] = []

    def doubt(key: str, expected: str) -> Opaque:
        seen = value.get(key, missing)
        reason = seen.reason if isinstance(seen, Unresolved) else "wrong_type"
        doubts.append(Evidence((*at, key), ABSENT if seen is None else seen, expected, reason))
        return Opaque(expected)

    number = whole(value.get("RuleNumber", missing))
    order = number if number is not None else doubt("RuleNumber", "a rule number")
    action = value.get("RuleAction", missing)
    named = action.lower() if isinstance(action, str) else ""
    allow = named == "allow" if named in ("allow", "deny") else doubt("RuleAction", "allow or deny")
    egress = boolean(value.get("Egress", False if missing is None else missing))
    if isinstance(egress, Opaque):
        doubt("Egress", "true or false")
    rng = value.get("PortRange", missing)
    ports = rng if isinstance(rng, dict) else {"From": rng, "To": rng}
    traffic = read_traffic(value.get("Protocol", missing), ports.get("From"), ports.get("To"))
    if isinstance(traffic.protocol, Opaque):
        doubt("Protocol", "a protocol number")
    if not traffic.ports_known:
        doubt("PortRange", "a port range EC2 accepts")
    key = "CidrBlock" if "CidrBlock" in value or "Ipv6CidrBlock" not in value else "Ipv6CidrBlock"
    block = read_block(value.get(key, missing))
    if isinstance(block, Opaque):
        doubt(key, "a CIDR block")
    return Entry(
        AclRule(order, allow, traffic, block), egress, (*at, key), value.get(key, ABSENT), tuple(doubts)
    )


def whole(value: Any) -> int | None:
    """Return a whole number, also written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def boolean(value: Any) -> bool | Opaque:
    """Return a boolean, also written as text; Opaque for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return Opaque("neither true nor false")


def _nacl_open_to_internet(
    subject: Subject, ports: Any = None, protocols: Any = DEFAULT_PROTOCOLS, except_ports: Any = None
) -> Answer:
    try:
        asked = asked_service(ports, protocols, except_ports)
    except ValueError as error:
        return bad_argument(error)
    entries = read_entries(subject.resource)
    answer = acl_open_to_internet(entries.rules(egress=False), asked)
    inbound = [e for e in entries.found if e.egress is not True and asked.meets(e.rule.traffic) is not False]
    if answer is True:
        allowing = [e for e in inbound if e.rule.allow is True and not e.doubts]
        return Answer(
            TRUE,
            tuple(
                Evidence(e.path, e.observed, f"not {e.observed} for {asked.text}", "open_to_internet")
                for e in allowing
            ),
        )
    if answer is False:
        expected = f"an inbound entry that opens {asked.text} to the internet"
        observed = f"{len(entries.found)} entries"
        return Answer(FALSE, (Evidence(entries.path, observed, expected, "none_satisfies"),))
    doubts = [doubt for entry in inbound for doubt in entry.doubts]
    return Answer(UNKNOWN, (*doubts, *([entries.rest] if entries.rest is not None else [])))


PREDICATE: Final = Predicate(
    "net.nacl_open_to_internet",
    _nacl_open_to_internet,
    "The inbound entries, in the order of their numbers, let the internet in to an asked port.",
    {"ports": PORTS, "protocols": PROTOCOLS, "except_ports": EXCEPT_PORTS},
    (NETWORK_ACL,),
    problem=service_problem,
)
