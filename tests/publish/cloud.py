"""Accounts with Security Hub in moto, and the findings of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session

from policyengine.cli.publishing import Accounts, LiveHub, Way
from policyengine.model.finding import Evidence, build_finding
from policyengine.model.resource import Resource
from policyengine.publish.looking import Looking
from policyengine.publish.ports import Hub, Refusal
from policyengine.publish.security_hub import Outcome, Publisher
from policyengine.reports.asff import Stamp
from policyengine.testing.moto_server import ACCOUNT as OWN

OTHER = "444455556666"
ROLE = "PolicyEnginePublisher"
RULE = "s3-kms-encryption"
REASONS = {
    "FAIL": "value_mismatch",
    "UNKNOWN": "access_denied",
    "PASS": "requirement_met",
    "NOT_APPLICABLE": "when_not_met",
}
Json = dict[str, Any]


def client(service: str, region: str, account: str = OWN) -> Any:
    return _own_client(service, region) if account == OWN else _client(service, region, account)


@cache
def _own_client(service: str, region: str) -> Any:
    return botocore.session.Session().create_client(service, region_name=region)


@cache
def _client(service: str, region: str, account: str) -> Any:
    session = botocore.session.Session()
    given = client("sts", "us-east-1").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="test"
    )["Credentials"]
    session.set_credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return session.create_client(service, region_name=region)


def enable(*places: tuple[str, str]) -> None:
    for account, region in places:
        client("securityhub", region, account).enable_security_hub()


def stored(account: str = OWN, region: str = "eu-west-1") -> dict[str, Json]:
    """What Security Hub has, by the resource's name."""
    pages = client("securityhub", region, account).get_paginator("get_findings").paginate()
    found = [finding for page in pages for finding in page["Findings"]]
    return {f["ProductFields"]["policyengine/resource-id"]: f for f in found}


def finding(
    name: str, verdict: str = "FAIL", *, account: str = OWN, region: str = "eu-west-1", type_: str = "AWS::S3::Bucket",
    message: str = "objects are encrypted with AES256", rule: str = RULE, **more: Any,
) -> Json:  # fmt: skip
    evidence = [Evidence(("SSEAlgorithm",), "AES256", "aws:kms", REASONS[verdict])]
    arn = f"arn:aws:s3:::{name}" if type_ == "AWS::S3::Bucket" else None
    return build_finding(
        rule=rule, title="t", family="encryption", severity="high", verdict=verdict, reason=REASONS[verdict], message=message,
        resource=Resource(type_, name, account, region, {}, arn=arn), evidence=evidence, **more,
    ).to_json()  # fmt: skip


def looking(
    places: Mapping[tuple[str, str], Iterable[str]] | None = None,
    rules: Sequence[str] = (RULE,),
    errors: Sequence[Json] = (),
    undecidable: Sequence[str] = (),
) -> Looking:
    """A run that read everything of the own account in Ireland, if nothing else is said."""
    everything = {(OWN, "eu-west-1"): ["*"]} if places is None else places
    coverage = {place: frozenset(types) for place, types in everything.items()}
    return Looking(coverage, rules, undecidable=undecidable, errors=errors)


class Counting:
    """A hub that counts what is asked of it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.batches: list[tuple[str, str, list[Json]]] = []
        self.reads: list[tuple[str, str]] = []

    def findings(self, account: str, region: str, filters: Mapping[str, Any]) -> Iterator[Json]:
        self.reads.append((account, region))
        return self.hub.findings(account, region, filters)

    def import_findings(self, account: str, region: str, findings: Sequence[Json]) -> list[Refusal]:
        self.batches.append((account, region, list(findings)))
        return self.hub.import_findings(account, region, findings)


@cache
def own_accounts() -> Accounts:
    """The way into the own account alone, which outlives what the server forgets."""
    return Accounts(Way(None, None, None))


@cache
def _live(role: str | None) -> LiveHub:
    return LiveHub(Accounts(Way(None, role, None)) if role else own_accounts())


def live_hub(role: str | None = None) -> Counting:
    return Counting(_live(role))


def forget() -> None:
    """Sessions are slow to make; those of roles die when the server forgets."""
    _client.cache_clear()
    _live.cache_clear()


def publish(
    findings: Iterable[Json], at: str, looked: Looking | None = None, hub: Counting | None = None, **more: Any
) -> tuple[Outcome, Counting]:
    """Publish findings as a run at a day of January 2026."""
    used = hub or live_hub()
    stamp = Stamp(f"2026-01-{at}T00:00:00Z", f"run-{at}")
    publisher = Publisher(used, stamp, {}, looked or looking(), **more)
    ordered = sorted(findings, key=lambda f: (f["resource"]["account"], f["resource"]["region"], f["resource"]["type"], f["resource"]["id"]))  # fmt: skip
    return publisher.publish(ordered), used
