"""A made-up organisation for the HTML report: the project's own rules over accounts, regions and resources.

Everything follows from a seed: names as AWS makes them, a share of each verdict, messages and evidence as rules
write them, a few kinds of reasons. Nothing of it is an account of anybody.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.cli.frameworkinfo import framework_infos, pack_mapping
from policyengine.cli.ruleinfo import rule_info
from policyengine.model.finding import Evidence, Finding, FindingMaker, Witness
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.reports.base import Context, RuleInfo, RunError, RunInfo
from policyengine.reports.extras import Extras, PlaceLooked, Proof, TrendPoint, WaiverInfo
from policyengine.rules.packs import load_packs

REGIONS: Final = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
COMMON: Final = {
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
    "AWS::EC2::SecurityGroup": "arn:aws:ec2:{region}:{account}:security-group/{id}",
    "AWS::EC2::Instance": "arn:aws:ec2:{region}:{account}:instance/{id}",
    "AWS::EC2::Volume": "arn:aws:ec2:{region}:{account}:volume/{id}",
    "AWS::RDS::DBInstance": "arn:aws:rds:{region}:{account}:db:{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{id}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{id}",
}
"""The types that most resources are of, with their ARNs; types are all that rules speak of."""
_WORDS: Final = ("payments", "orders", "ledger", "search", "media", "audit", "billing", "catalog", "identity", "edge",
                 "reports", "sessions", "telemetry", "fraud", "mail", "archive")  # fmt: skip
_PREFIX: Final = {"AWS::EC2::SecurityGroup": "sg-", "AWS::EC2::Instance": "i-", "AWS::EC2::Volume": "vol-"}


class Organisation:
    """Findings with everything around them. ``size``: about how many findings there are."""

    def __init__(self, size: int, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._size = size
        pack = list(load_packs().rules)
        self._forms: dict[str, list[Any]] = {}
        for form in pack:
            for kind in form["applies_to"]:
                if kind.startswith("AWS::") and not kind.startswith("AWS::::"):
                    self._forms.setdefault(kind, []).append(form)
        self._kinds = sorted(self._forms)
        self._weights = [20 if kind in COMMON else 1 for kind in self._kinds]
        used = {form["id"]: form for forms in self._forms.values() for form in forms}
        self.rules: Mapping[str, RuleInfo] = {rule: rule_info(form) for rule, form in used.items()}
        self._makers = {rule: _maker(info) for rule, info in self.rules.items()}
        self._lax = {rule: self._random.random() ** 2 for rule in sorted(self.rules)}
        self._pack = pack_mapping(pack)
        self._texts = {rule: form["text"] if "text" in form else _text(form) for rule, form in used.items()}
        count = max(3, min(120, size // 1_000))
        self.accounts = sorted(f"{self._random.randrange(10**11, 10**12)}" for _ in range(count))
        self._bad = {account: self._random.uniform(0.3, 1.7) for account in self.accounts}

    def findings(self) -> Iterator[Finding]:
        """Yield the findings in report order; the same each time."""
        self._random.seed(11)
        rules = sum(
            weight * len(self._forms[kind]) for kind, weight in zip(self._kinds, self._weights, strict=True)
        )
        each = rules / sum(self._weights)
        number = max(1, round(self._size * 1.1 / each / len(self.accounts) / len(REGIONS)))
        left = self._size
        for account in self.accounts:
            for region in REGIONS:
                for resource in sorted(self._resources(account, region, number), key=lambda r: r.identity):
                    for form in sorted(self._forms[resource.type], key=lambda form: str(form["id"])):
                        if left <= 0:
                            return
                        left -= 1
                        yield self._finding(form["id"], resource)

    def _resources(self, account: str, region: str, number: int) -> Iterator[Resource]:
        for kind in self._random.choices(self._kinds, self._weights, k=number):
            name = self._name(kind)
            arn = COMMON.get(kind, _arn(kind)).format(id=name, region=region, account=account)
            yield Resource(kind, name, account, region, {}, arn=arn)

    def _name(self, kind: str) -> str:
        prefix = _PREFIX.get(kind)
        if prefix is not None:
            return f"{prefix}0{self._random.getrandbits(64):016x}"
        words = self._random.sample(_WORDS, 2)
        return f"{words[0]}-{words[1]}-{self._random.choice(('prod', 'test', 'dev'))}-{self._random.randrange(10_000)}"

    def _finding(self, rule: str, resource: Resource) -> Finding:
        maker, info = self._makers[rule], self.rules[rule]
        draw = self._random.random()
        share = 0.75 * self._lax[rule] * self._bad[resource.account or ""]
        if draw < share:
            return self._failure(maker, info, resource, waived=draw < share * 0.05)
        if draw < share + 0.02:
            seen = Unresolved("access_denied", f"{info.family}:Describe denied")
            evidence = [Evidence(("Properties", "Encryption"), seen, "true", "access_denied")]
            message = f"not determined: the configuration of {resource.id} could not be read"
            return maker.make("UNKNOWN", "access_denied", message, resource, evidence)
        if draw > 0.94:
            return maker.make(
                "NOT_APPLICABLE", "when_not_met", "the rule's `when` excludes this resource", resource, []
            )
        return maker.make("PASS", "requirement_met", "the requirement is met", resource, [])

    def _failure(self, maker: FindingMaker, info: RuleInfo, resource: Resource, *, waived: bool) -> Finding:
        number = self._random.randrange(40)
        if number % 3 == 0:
            evidence = [Evidence(("Configuration", "Encrypted"), ABSENT, "true", "missing", "AWS default")]
            reason, message = "missing", f"{info.family} setting of {resource.id} is not there"
        else:
            evidence = [
                Evidence(("Configuration", "Retention", "Days"), number, "at least 30", "value_mismatch")
            ]
            reason, message = "value_mismatch", f"kept for {number} days; at least 30 are required"
        witness = None
        if info.family == "iam":
            principal = f"arn:aws:iam::{resource.account}:role/build-{number}"
            witness = Witness(
                principal,
                "s3:GetObject",
                f"arn:aws:s3:::{_WORDS[number % 16]}/*",
                {"aws:SecureTransport": True},
            )
        waiver: dict[str, Any] | None = None
        if waived:
            kind = "baseline" if number % 2 else "waiver"
            waiver = {"id": f"W-{number:03}", "kind": kind, "owner": "payments", "approver": "ciso",
                      "reason": "replaced in the first quarter", "ticket": f"SEC-{number}", "granted": "2026-09-01",
                      "expires": "2026-12-31"}  # fmt: skip
        return maker.make("FAIL", reason, message, resource, evidence, witness=witness, waiver=waiver)

    def context(self) -> Context:
        """Return what a report is given beside the findings."""
        return Context(rules=self.rules, extras=Extras(
            frameworks=framework_infos(), pack=self._pack, trend=_trend(),
            looked=self._looked(), rule_texts=self._texts, proof=Proof(
                "sha256:" + "3f" * 32, 48_210, "sha256:" + "a7" * 32, self._size, "SHA256:" + "0c" * 32, "sha256:" + "9e" * 32),
        ))  # fmt: skip

    def _looked(self) -> Sequence[PlaceLooked]:
        found = []
        for at, account in enumerate(self.accounts):
            for region in REGIONS:
                missing = (
                    [("AWS::KMS::Key", "access_denied"), ("AWS::SQS::Queue", "throttled")]
                    if at % 17 == 3
                    else []
                )
                found.append(
                    PlaceLooked(account, region, len(self._kinds), len(self._kinds) - len(missing), missing)
                )
        return found

    def _waivers(self) -> Sequence[WaiverInfo]:
        rules = sorted(self.rules)
        states = ("active", "active", "expired", "lapsed", "unused")
        return [
            WaiverInfo(f"W-{n:03}", rules[n], f"account {self.accounts[n % len(self.accounts)]}", "payments", "ciso",
                       "replaced in the first quarter", f"SEC-{n}", "2026-09-01", f"2026-{1 + n % 12:02}-28", states[n % 5],
                       n if states[n % 5] == "active" else 0,
                       "the bucket's policy has changed since" if states[n % 5] == "lapsed" else "",
                       ("expires in 12 days",) if n % 6 == 1 else ())
            for n in range(12)
        ]  # fmt: skip

    def run(self, **changes: Any) -> RunInfo:
        """Return the run; by default one that is incomplete."""
        values: dict[str, Any] = {
            "id": "run-5f2c09aa", "started_at": "2026-11-21T09:00:00Z", "finished_at": "2026-11-21T09:07:12Z",
            "engine_version": "0.9.0", "as_of": "2026-11-21T09:00:00Z", "rule_pack_digest": "sha256:" + "ab" * 32,
            "rule_count": len(self.rules), "targets": ["organisation"], "accounts": self.accounts, "regions": REGIONS,
            "resources": self._size // 10, "complete": False,
            "errors": [RunError("access_denied", "the call was denied", None, None, self.accounts[0], REGIONS[0],
                                "kms:ListKeys", ("AWS::KMS::Key",))],
            "waivers": self._waivers(),
        }  # fmt: skip
        return RunInfo(**{**values, **changes})


def _arn(kind: str) -> str:
    _, service, name = kind.split("::")
    return f"arn:aws:{service.lower()}:{{region}}:{{account}}:{name.lower()}/{{id}}"


def _maker(info: RuleInfo) -> FindingMaker:
    controls = {name: [control for control, _ in found] for name, found in info.frameworks.items()}
    return FindingMaker(rule=info.id, title=info.title, family=info.family, severity=info.severity,
                        frameworks=controls, remediation=None)  # fmt: skip


def _text(form: Mapping[str, Any]) -> str:
    from policyengine.rules.data import data_root

    found = list(data_root().rules.glob(f"*/{form['id']}.yaml"))
    return found[0].read_text(encoding="utf-8")


def _trend() -> Sequence[TrendPoint]:
    points = []
    for month in range(1, 12):
        if month == 6:
            continue
        fails = 30_000 - month * 1_100 + (2_500 if month == 8 else 0)
        verdicts = {
            "PASS": 80_000 + month * 900,
            "FAIL": fails,
            "UNKNOWN": 2_000 + 60 * month,
            "NOT_APPLICABLE": 6_000,
        }
        first = month == 1
        points.append(TrendPoint(
            f"2026-{month:02}-21T09:00:00Z", f"run-{month:02}", month != 9, verdicts, waived=900 + month * 20,
            new=None if first else 300, fixed=None if first else 1_400, reopened=None if first else 12,
            gap_before=month == 7, milestone="audit start" if month == 2 else None))  # fmt: skip
    return points
