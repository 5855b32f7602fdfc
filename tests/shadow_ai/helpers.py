"""Records as Resolver writes them, and what a tally makes of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from policyengine.shadow_ai.catalogue import Catalogue, Domain, Service, parse_domain, shipped
from policyengine.shadow_ai.document import Given, document
from policyengine.shadow_ai.tally import Tally

Json = dict[str, Any]
SHIPPED = shipped()


def record(**fields: Any) -> Json:
    """The example of https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-example-json.html
    about another name; a field that is None is left out."""
    made = {
        "srcaddr": "10.0.0.5",
        "vpc_id": "vpc-7example",
        "answers": [{"Rdata": "203.0.113.9", "Type": "A", "Class": "IN"}],
        "query_name": "api.openai.com.",
        "query_class": "IN",
        "srcids": {"instance": "i-0d15cd0d3example"},
        "rcode": "NOERROR",
        "query_type": "A",
        "transport": "UDP",
        "version": "1.100000",
        "account_id": "111122223333",
        "srcport": "56067",
        "query_timestamp": "2021-02-04T17:51:55Z",
        "region": "us-east-1",
        **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


def lines(records: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def tally_of(data: bytes, catalogue: Catalogue = SHIPPED, **options: Any) -> Tally:
    tally = Tally(catalogue, **options)
    tally.read(io.BytesIO(data), "log")
    tally.finish()
    return tally


def document_of(data: bytes, catalogue: Catalogue = SHIPPED, **options: Any) -> Json:
    return document(tally_of(data, catalogue, **options), Given())


def service_of(found: Json, ident: str) -> Json:
    (service,) = [s for s in found["services"] if s["id"] == ident]
    return dict(service)


def catalogue_of(**domains: list[str]) -> Catalogue:
    services = [
        Service(ident, ident, ident, "assistant", tuple(parse_domain(d) for d in listed))
        for ident, listed in sorted(domains.items())
    ]
    return Catalogue("2026-11-22", tuple(services))


def naive(domain: Domain, name: tuple[str, ...]) -> bool:
    """Whether a name belongs to a domain, as the documentation says it, without a tree."""
    wanted = domain.labels
    if len(name) < len(wanted) or (domain.exact and len(name) != len(wanted)):
        return False
    return all(map(_fits, wanted, name[len(name) - len(wanted) :]))


def _fits(pattern: str, label: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*"):
        return label.endswith(pattern[1:]) and label != pattern[1:]
    return label == pattern
