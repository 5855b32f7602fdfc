"""The peers' side of the in-memory figure, run by the peers' own Python.

``python -m benchmarks.peer_engines COUNT WHAT`` prints ``{"evaluations", "findings", "cpu"}``; WHAT is
``c7n`` or ``jsonschema-rs``. Both see the same resources as we do: Cloud Custodian in the shape of
EC2's API, which its filters are made for, jsonschema-rs as snapshot lines hold them.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.memory_data import GROUP, VOLUME, Record, as_api, records

POLICIES = [
    {"name": "encrypted", "resource": "aws.ebs", "filters": [{"Encrypted": False}]},
    {"name": "volume-tag", "resource": "aws.ebs", "filters": [{"tag:Owner": "absent"}]},
    {"name": "group-tag", "resource": "aws.security-group", "filters": [{"tag:Owner": "absent"}]},
    {
        "name": "ssh",
        "resource": "aws.security-group",
        "filters": [
            {
                "or": [
                    {"type": "ingress", "Ports": [22], "Cidr": {"value": "0.0.0.0/0"}},
                    {"type": "ingress", "Ports": [22], "CidrV6": {"value": "::/0"}},
                ]
            }
        ],
    },
]


def custodian(data: list[Record]) -> Callable[[], int]:
    """Return the pass of Cloud Custodian's filters over plain dictionaries."""
    from c7n.config import Config
    from c7n.policy import PolicyCollection
    from c7n.resources import load_resources

    load_resources(("aws.ebs", "aws.security-group"))
    policies = PolicyCollection.from_data({"policies": POLICIES}, Config.empty())
    volumes = [as_api(r) for r in data if r["type"] == VOLUME]
    groups = [as_api(r) for r in data if r["type"] == GROUP]
    filters = [
        (f, volumes if p.resource_type.endswith("ebs") else groups)
        for p in policies
        for f in p.resource_manager.filters
    ]
    return lambda: sum(len(f.process(resources)) for f, resources in filters)


def json_schema(data: list[Record]) -> Callable[[], int]:
    """Return the pass of three JSON Schemas, which answer yes or no and nothing else."""
    import jsonschema_rs

    internet = {
        "properties": {
            "CidrIp": {"enum": ["0.0.0.0/0", "::/0"]},
            "FromPort": {"maximum": 22},
            "ToPort": {"minimum": 22},
            "IpProtocol": {"enum": ["tcp", "-1"]},
        },
        "required": ["CidrIp"],
    }
    ingress = {"properties": {"SecurityGroupIngress": {"items": {"not": internet}}}}
    encrypted, tagged, closed = (
        jsonschema_rs.validator_for(schema).is_valid
        for schema in (
            {"properties": {"properties": {"properties": {"Encrypted": {"const": True}}, "required": ["Encrypted"]}}},
            {"properties": {"tags": {"required": ["Owner"]}}},
            {"properties": {"properties": ingress}},
        )
    )  # fmt: skip

    def work() -> int:
        failures = 0
        for record in data:
            special = encrypted if record["type"] == VOLUME else closed
            failures += (not special(record)) + (not tagged(record))
        return failures

    return work


PASSES: dict[str, Callable[[list[Record]], Callable[[], int]]] = {
    "c7n": custodian,
    "jsonschema-rs": json_schema,
}


def measure(count: int, what: str) -> dict[str, Any]:
    """Return evaluations, matches and CPU seconds of one pass over ``count`` resources."""
    job = PASSES[what](list(records(count)))
    gc.collect()
    gc.disable()
    start = time.process_time()
    found = job()
    return {"evaluations": 2 * count, "findings": found, "cpu": time.process_time() - start}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
