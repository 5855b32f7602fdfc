"""What Terraform marks as sensitive is in no resource, so it can be in no output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Evidence, build_finding, plain
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved

from .plans import make_plan, read, source

SECRET = "hunter2-correct-horse"


def everything_shown(resource: Resource) -> str:
    """Return every text a report could make of a resource."""
    shown = {"p": plain(resource.properties), "r": plain(resource.related), "t": plain(resource.tags)}
    evidence = [Evidence((k,), v, "anything else", "value_mismatch") for k, v in resource.properties.items()]
    evidence += [Evidence(("tags",), resource.tags, "anything", "value_mismatch")]
    evidence += [Evidence(("related",), resource.related, "anything", "value_mismatch")]
    finding = build_finding(
        rule="r", title="t", family="encryption", severity="low", verdict="FAIL", reason="value_mismatch",
        message=" ".join(str(v) for v in resource.properties.values()) or "m", resource=resource, evidence=evidence,
    )  # fmt: skip
    return json.dumps([shown, finding.to_json()], default=str) + repr(resource)


def test_a_sensitive_value_is_in_no_output(tmp_path: Path) -> None:
    found = read(
        {
            "aws_db_instance.d": {
                "after": {
                    "identifier": "d",
                    "password": SECRET,
                    "username": "admin",
                    "tags": {"Token": SECRET},
                },
                "sensitive": {"password": True, "tags": {"Token": True}, "tags_all": {}},
            },
            "aws_lambda_function.f": {
                "after": {"function_name": "f", "environment": [{"variables": {"KEY": SECRET, "MODE": "x"}}]},
                "sensitive": {"environment": [{"variables": {"KEY": True}}]},
            },
            "aws_sqs_queue.q": {
                "after": {"name": "q", "policy": json.dumps({"Statement": [{"Sid": SECRET}]})},
                "sensitive": {"policy": True},
            },
            "aws_security_group.g": {
                "after": {
                    "name": "g",
                    "ingress": [{"cidr_blocks": [SECRET], "protocol": "tcp", "from_port": 1, "to_port": 1}],
                },
                "sensitive": {"ingress": [{"cidr_blocks": [True]}]},
            },
            "aws_iam_role_policy.p": {"after": {"role": "x", "policy": "{" + SECRET}},
        },
        tmp_path,
    )
    assert SECRET not in "".join(everything_shown(r) for r in found.values())
    assert found["aws_db_instance.d"].properties["MasterUserPassword"] == Unresolved(
        "redacted", "Terraform marks it as sensitive", present=True
    )
    variables = found["aws_lambda_function.f"].properties["Environment"]["Variables"]
    assert variables["MODE"] == "x"
    assert isinstance(variables["KEY"], Unresolved)


def test_a_sensitive_null_is_absent(tmp_path: Path) -> None:
    plan = {
        "aws_db_instance.d": {"after": {"identifier": "d", "password": None}, "sensitive": {"password": True}}
    }
    assert "MasterUserPassword" not in read(plan, tmp_path)["aws_db_instance.d"].properties


def test_errors_never_repeat_a_value(tmp_path: Path) -> None:
    plan = make_plan({"aws_sqs_queue.q": {"after": {"name": "q"}}})
    plan["resource_changes"][0]["change"]["after"] = SECRET
    opened = source(plan, tmp_path)
    list(opened.resources())
    assert len(opened.errors) == 1
    assert SECRET not in str(opened.errors[0])


names = st.sampled_from(
    [
        "name",
        "policy",
        "kms_master_key_id",
        "redrive_policy",
        "tags",
        "delay_seconds",
        "fifo_queue",
        "unknown_attribute",
    ]
)
leaves = st.sampled_from([SECRET, f'{{"a": "{SECRET}"}}', [SECRET], {"k": SECRET}, [{"k": SECRET}]])


@settings(max_examples=60, deadline=None)
@given(after=st.dictionaries(names, leaves, min_size=1))
def test_whatever_is_marked_whole_is_gone_whole(tmp_path_factory: Any, after: dict[str, Any]) -> None:
    plan = {"aws_sqs_queue.q": {"after": after, "sensitive": dict.fromkeys(after, True)}}
    found = read(plan, tmp_path_factory.mktemp("plan"))
    assert SECRET not in "".join(everything_shown(r) for r in found.values())
