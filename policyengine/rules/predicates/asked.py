"""The ports and protocols a network predicate is asked about, from its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from policyengine.model.finding import Evidence
from policyengine.model.logic import UNKNOWN
from policyengine.net.services import ALL_PORTS, Service, parse_ports, service
from policyengine.rules.predicates.api import Answer, Arg

PORTS_HELP = "port numbers or `from-to` texts; absent means any port"
PORTS = Arg("list:json", required=False, help=PORTS_HELP)
EXCEPT_PORTS = Arg("list:json", required=False, help="ports that are not asked about")
PROTOCOLS = Arg(
    "list:string", required=False, default=("tcp", "udp"), help="tcp, udp, icmp, icmpv6, all or numbers"
)

DEFAULT_PROTOCOLS = ("tcp", "udp")


_KNOWN: dict[tuple[int, int, int], tuple[Any, Any, Any, Service]] = {}
"""By identity of the arguments, which a rule binds once. INVARIANT: an entry holds its arguments,
so that their identities cannot be given to other objects."""


def asked_service(ports: Any, protocols: Any, except_ports: Any = None) -> Service:
    """Return the service of predicate arguments, which must not be changed afterwards.

    Raises ValueError naming the argument's value when it is no port or protocol.
    """
    known = _KNOWN.get((id(ports), id(protocols), id(except_ports)))
    if known is not None:
        return known[3]
    try:
        found = _asked(_key(ports), _key(protocols) or DEFAULT_PROTOCOLS, _key(except_ports))
    except TypeError:
        raise ValueError(f"`{ports or except_ports or protocols}` is no list of ports or protocols") from None
    if len(_KNOWN) >= 1024:
        _KNOWN.clear()
    _KNOWN[id(ports), id(protocols), id(except_ports)] = (ports, protocols, except_ports, found)
    return found


def _key(values: Any) -> Any:
    return None if values is None else (values,) if isinstance(values, int | str) else tuple(values)


@lru_cache(maxsize=1024)
def _asked(
    ports: tuple[Any, ...] | None, protocols: tuple[Any, ...], without: tuple[Any, ...] | None
) -> Service:
    wanted = ALL_PORTS if ports is None else parse_ports(ports)
    if without:
        wanted = wanted - parse_ports(without)
    return service(protocols, wanted)


def service_problem(arguments: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the ports and protocols of a rule; None when nothing is."""
    protocols = arguments.get("protocols", DEFAULT_PROTOCOLS)
    try:
        asked_service(arguments.get("ports"), protocols, arguments.get("except_ports"))
    except ValueError as error:
        return str(error)
    return None


def bad_argument(error: ValueError) -> Answer:
    """Return the answer to a question that cannot be understood."""
    return Answer(
        UNKNOWN, (Evidence((), str(error), "arguments that name ports and protocols", "wrong_type"),)
    )
