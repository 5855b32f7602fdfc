"""Write ``examples/organization``: a snapshot of a small organisation, the same in every run.

Run it with ``make examples`` after a change; a test fails when the committed snapshot is stale.
Three OUs, six accounts, two regions and about two thousand resources: most are configured with
care, each account has its own share of mistakes, and a few things could not be read.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent)]

from examples.generator import compute, data, network, organization, security  # noqa: E402 - after the path is set
from examples.generator.base import ACCOUNTS, ANALYTICS, NOW, REGIONS, Builder  # noqa: E402 - the same
from policyengine.model.resource import Resource  # noqa: E402 - the same
from policyengine.sources.base import Coverage  # noqa: E402 - the same
from policyengine.sources.snapshot import write_snapshot  # noqa: E402 - the same
from policyengine.sources.snapshot.lines import parse_line  # noqa: E402 - the same

SEED = 20261121
NOT_COVERED = (ANALYTICS.id, "us-east-1", "AWS::CloudWatch::Alarm")
"""What the collector was told to leave out: here a missing alarm is UNKNOWN, not FAIL."""


def resources() -> list[Resource]:
    """Return every resource of the organisation."""
    builder = Builder(random.Random(SEED))
    organization.build(builder)
    network.build_edge(builder)
    for account in ACCOUNTS:
        for region in REGIONS:
            data.build_everywhere(builder, account, region)
            security.build(builder, account, region)
            if account.workload:
                found = network.build(builder, account, region)
                compute.build(builder, found)
                data.build(builder, found)
    place = (NOT_COVERED[0], NOT_COVERED[1], NOT_COVERED[2])
    found_all = [parse_line(json.dumps(record).encode()) for record in builder.records]
    return [r for r in found_all if (r.account, r.region, r.type) != place]


def coverage() -> Coverage:
    """Return what was collected whole: every type everywhere, but one type in one place."""
    places = {(a.id, region) for a in ACCOUNTS for region in (*REGIONS, "global")}
    whole = {(account, region, "*") for account, region in places - {NOT_COVERED[:2]}}
    some = {(NOT_COVERED[0], NOT_COVERED[1], type_) for type_ in _types()}
    return frozenset(whole | some - {NOT_COVERED})


def _types() -> set[str]:
    """The types of a workload account's region; those it may lack are listed one by one."""
    silent = {
        "AWS::AccessAnalyzer::Analyzer", "AWS::CloudTrail::EventDataStore", "AWS::CloudWatch::CompositeAlarm",
        "AWS::Config::ConfigurationAggregator", "AWS::EC2::VPCBlockPublicAccessOptions", "AWS::EKS::Cluster",
        "AWS::OpenSearchService::Domain", "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        "AWS::SSM::PatchBaseline", "AWS::SSM::Association", "AWS::WAFv2::WebACL", "AWS::Backup::BackupSelection",
    }  # fmt: skip
    return silent | {r.type for r in resources() if r.region in REGIONS}


def write(folder: Path) -> Path:
    """Write the snapshot to ``folder``."""
    return write_snapshot(folder, resources(), created=NOW, coverage=coverage())


if __name__ == "__main__":
    target = write(HERE / "organization")
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
    print(f"{len(resources())} resources, {size:,} bytes in {target}")
