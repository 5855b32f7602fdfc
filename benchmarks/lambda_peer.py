"""Cloud Custodian's side of the figures about functions, run by the peers' own Python, by a path.

``python -I lambda_peer.py item COUNT`` and ``… events KIND COUNT`` print one JSON object. The policy is our rule in its
words; the logging of each event, which is on by default, is off.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FILTERS = [
    {
        "or": [
            {"type": "ingress", "Ports": [22, 3389], "Cidr": {"value": "0.0.0.0/0"}},
            {"type": "ingress", "Ports": [22, 3389], "CidrV6": {"value": "::/0"}},
        ]
    }
]
CALL = {"source": "ec2.amazonaws.com", "event": "AuthorizeSecurityGroupIngress", "ids": "requestParameters.groupId"}  # fmt: skip


class Context:
    """What Lambda gives beside the event."""

    aws_request_id = "r"
    function_name = "f"


def _handler(mode: dict[str, Any]) -> Any:
    data = importlib.import_module("lambda_data")
    policy = {"name": "admin-ports", "resource": "aws.security-group", "mode": mode, "filters": FILTERS}
    options = {"account_id": data.ACCOUNT, "region": data.REGION}
    os.chdir(tempfile.mkdtemp(prefix="custodian-"))
    Path("config.json").write_text(json.dumps({"execution-options": options, "policies": [policy]}))
    logging.basicConfig(stream=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # for as long as the process
    return importlib.import_module("c7n.handler").dispatch_event


def item(count: int) -> dict[str, Any]:
    """Return milliseconds, the median, of one configuration item of a security group under one policy."""
    data = importlib.import_module("lambda_data")
    handler = _handler({"type": "config-rule", "role": "r"})
    invocations = [json.dumps(each) for each in data.notifications("AWS::EC2::SecurityGroup", [], count)]
    began = time.perf_counter()
    handler(json.loads(invocations[0]), Context())
    first = time.perf_counter() - began
    cpu = []
    for each in invocations:
        used = time.process_time()
        handler(json.loads(each), Context())
        cpu.append(time.process_time() - used)
    return {"first": first * 1000, "cpu": statistics.median(cpu) * 1000}


def events(kind: str, count: int) -> dict[str, Any]:
    """Return seconds of CPU for events, one invocation each."""
    data = importlib.import_module("lambda_data")
    handler = _handler({"type": "cloudtrail", "role": "r", "events": [CALL]})
    invocations = [json.dumps(data.trail(number, kind)) for number in range(count)]
    for _ in range(3):
        handler(data.trail(0, data.KINDS[1]), Context())
    gc.collect()
    began = time.process_time()
    for each in invocations:
        handler(json.loads(each), Context())
    return {"events": count, "cpu": time.process_time() - began}


def main(what: str, *given: str) -> None:
    """Measure one thing."""
    sys.path.append(str(Path(__file__).resolve().parent))
    data = importlib.import_module("lambda_data")
    os.environ.update({**data.ENVIRON, "C7N_DEBUG_EVENT": "no"})
    asked = data.canned()
    found = item(int(given[0])) if what == "item" else events(given[0], int(given[1]))
    sys.stdout.write(json.dumps({**found, "calls": asked}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
