"""CIDR blocks outside security groups: ``net.cidrs_open_to_internet`` and ``net.cidrs_wider_than``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.net.addresses import EVERYTHING, NONE, AddressSet, is_internet
from policyengine.net.bounds import Bounds
from policyengine.net.opaque import Opaque
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.net.group_entries import read_block
from policyengine.rules.predicates.paths import Mistyped, read

Holds = Callable[[AddressSet], bool]

_CIDRS: Final = Arg("path", help="a CIDR block or a list of them")


def _cidrs_open(subject: Subject, cidrs: Sequence[str]) -> Answer:
    return _ask(
        subject,
        cidrs,
        lambda found: is_internet(found.public()),
        AddressSet.public,
        "the internet",
        "open_to_internet",
    )


def _cidrs_wider(subject: Subject, cidrs: Sequence[str], prefix: int, prefix6: int = 56) -> Answer:
    problem = _width_problem({"prefix": prefix, "prefix6": prefix6})
    if problem is not None:
        return Answer(UNKNOWN, (Evidence((), problem, "prefix lengths", "wrong_type"),))
    most4, most6 = 2 ** (32 - prefix), 2 ** (128 - prefix6)

    def wider(found: AddressSet) -> bool:
        return bool(found.v4.longest > most4 or found.v6.longest > most6)

    wanted = f"wider than /{prefix} (IPv4) or /{prefix6} (IPv6)"
    return _ask(subject, cidrs, wider, lambda found: found, wanted, "wide_source")


def _ask(
    subject: Subject,
    path: Sequence[str],
    holds: Holds,
    counts: Callable[[AddressSet], AddressSet],
    wanted: str,
    reason: str,
) -> Answer:
    """Join the blocks; one that cannot be read may be anything."""
    value, provenance = _value(subject, path)
    place = tuple(path)
    listed = isinstance(value, list)
    items: list[tuple[Path, Any]] = (
        [((*place, index), item) for index, item in enumerate(value)]
        if listed
        else []
        if value is ABSENT
        else [(place, value)]
    )
    if isinstance(value, OpenList):
        items.append(((*place, "-"), value.more))
    bounds = Bounds(NONE, NONE)
    surely: list[Evidence] = []
    doubts: list[Evidence] = []
    for at, item in items:
        block = read_block(item)
        if isinstance(block, Opaque):
            bounds = bounds.either(Bounds(NONE, EVERYTHING))
            why = item.reason if isinstance(item, Unresolved) else "wrong_type"
            shown = item.value if isinstance(item, Mistyped) else item
            doubts.append(Evidence(at, shown, "a CIDR block", why))
            continue
        addresses = block.addresses()
        bounds = bounds.either(Bounds(addresses, addresses))
        if not counts(addresses).is_empty:
            code = "aws_default" if provenance else reason
            surely.append(Evidence(place if provenance else at, item, f"not {wanted}", code, provenance))
    answer = bounds.ask(holds, "blocks that cannot be read")
    if answer is True:
        alone = [e for e in surely if holds(_addresses(e.observed))]
        return Answer(TRUE, tuple(alone or surely))
    if answer is False:
        return Answer(FALSE, (Evidence(place, value, wanted, "none_satisfies", provenance),))
    return Answer(UNKNOWN, tuple(doubts))


def _addresses(cidr: Any) -> AddressSet:
    block = read_block(cidr)
    return NONE if isinstance(block, Opaque) else block.addresses()


def _value(subject: Subject, path: Sequence[str]) -> tuple[Any, str | None]:
    """Return the value at a path, or AWS's default for it with its provenance."""
    value = read(subject, path)
    if value is not ABSENT or subject.where is not None:
        return value, None
    default = registry.default(subject.resource.type, tuple(path))
    if default is None:
        return ABSENT, None
    if default.depends:
        return Unresolved("default_depends", default.note), None
    return default.value, default.provenance


def _width_problem(arguments: Mapping[str, Any]) -> str | None:
    prefix, prefix6 = arguments.get("prefix", 0), arguments.get("prefix6", 56)
    for given, most in ((prefix, 32), (prefix6, 128)):
        if isinstance(given, int) and not 0 <= given <= most:
            return f"`/{given}` is no prefix length: write 0-{most}"
    return None


PREDICATES: Final = (
    Predicate(
        "net.cidrs_open_to_internet",
        _cidrs_open,
        "The listed CIDR blocks together are the internet.",
        {"cidrs": _CIDRS},
        problem=lambda _arguments: None,
    ),
    Predicate(
        "net.cidrs_wider_than",
        _cidrs_wider,
        "A CIDR block, or the union of several, is wider than the prefix length.",
        {
            "cidrs": _CIDRS,
            "prefix": Arg("integer", help="the widest IPv4 prefix length that is allowed"),
            "prefix6": Arg("integer", required=False, default=56, help="the same for IPv6; a VPC has a /56"),
        },
        problem=_width_problem,
    ),
)
