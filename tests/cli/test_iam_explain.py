"""`policyengine iam explain`: nothing is skipped, what is left open is shown, what is odd is pointed out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.iam.documents import read_documents
from policyengine.cli.iam.explain import lines, page
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.reason import EVERYTHING
from policyengine.iam.request import Request
from tests.cli.conftest import Run
from tests.cli.organization_files import deny, organization, write

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "scp-examples"
FILES = sorted(CORPUS.glob("*.json"))
MALFORMED = "Service-specific-controls_AWS-IAM_deny-service-specific-credential-by-type.json"


@pytest.mark.skipif(not FILES, reason="the corpus of SCP examples is not here")
def test_the_corpus_is_all_there() -> None:
    assert len(FILES) == 57


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem[-60:])
def test_every_published_scp_is_explained_in_full(file: Path) -> None:
    documents, errors = read_documents(str(file), "scp")
    if file.name == MALFORMED:
        assert (documents, len(errors)) == ([], 1)
        assert ":15:13: not valid JSON" in str(errors[0])
        return
    assert errors == []
    (document,) = documents
    raw = json.loads(file.read_text(encoding="utf-8"))["Statement"]
    raw = raw if isinstance(raw, list) else [raw]
    found = list(lines(document))
    assert [line["statement"] for line in found] == list(range(len(raw)))
    text = "\n".join(page(document))
    for line, statement in zip(found, raw, strict=True):
        assert line["effect"] == statement["Effect"]
        assert line["actions"]["count"] > 0
        assert len(line["conditions"]) == sum(len(keys) for keys in statement.get("Condition", {}).values())
        assert all(words in text for words in line["conditions"])
        if line["effect"] == "Deny":
            shown = line["witness"] is not None or line["undecided"] or line["leaves_open"] == []
            assert shown, line
        if line["witness"] is not None:
            witness = line["witness"]
            request = Request(*(witness[k] for k in ("principal", "action", "resource", "context")))
            chain = [[EVERYTHING, document.policy]]
            assert authorize(request, Policies(identity=(EVERYTHING,), scps=chain)).outcome != (
                "ExplicitlyDenied"
            )


def explained(content: Any, kind: str = "identity") -> list[dict[str, Any]]:
    from policyengine.rules.iam.reader import Document

    policy = read_policy(content, kind)  # type: ignore[arg-type]  # the tests name kinds by their texts
    return list(lines(Document(policy, "p.json", "p.json")))


def allow(action: Any, condition: Any = None, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", **more}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


WARNINGS: list[tuple[Any, str]] = [
    (allow("*"), "allows everything on everything"),
    (allow("s3:NoSuchThing"), "no action that AWS documents matches `s3:NoSuchThing`; kept as it is"),
    (allow("s3:*", {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}), "ForAllValues with Allow: holds where `aws:TagKeys` is absent"),
    (allow("s3:*", {"StringEqualsIfExists": {"aws:SourceVpce": "a"}}), "IfExists with Allow: holds where `aws:SourceVpce` is absent"),
    (allow("s3:*", {"StringNotEquals": {"aws:SourceVpce": "a"}}), "StringNotEquals with Allow: holds where `aws:SourceVpce` is absent"),
    (allow("s3:*", {"StringEquals": {"aws:SecureTransprot": "a"}}), "AWS documents no key `aws:SecureTransprot` for any of these actions; did you mean `aws:securetransport`?"),
    (allow("s3:*", {"StringSame": {"aws:SourceVpce": "a"}}), "AWS has no operator `StringSame`"),
    (deny("s3:*", {"StringEquals": {"aws:SourceVpce": "a"}}), "does not deny requests without `aws:SourceVpce`"),
    (deny("s3:*", {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::${Account}:role/x"}}), "`${Account}` is no policy variable"),
    ({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}}, "version 2008-10-17: `${…}` is plain text"),
    ({"Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}}, "NotAction with Allow: allows every action but these"),
    ({"Statement": {"Effect": "Allow", "Action": "s3:*", "NotResource": "*"}}, "NotResource with Allow: allows every resource but these"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), WARNINGS, ids=[w[1][:40] for w in WARNINGS])
def test_what_is_odd_is_pointed_out(content: Any, expected: str) -> None:
    (line,) = explained(content)
    assert [w for w in line["warnings"] if w.startswith(expected)], line["warnings"]


def test_what_is_usual_is_not_pointed_out() -> None:
    for content in (
        allow("s3:GetObject"),
        allow("s3:*", {"Bool": {"aws:SecureTransport": "true"}}),
        allow("s3:PutObject", {"StringEquals": {"s3:x-amz-acl": "private"}}),
        deny("*", {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}),
    ):
        assert explained(content)[0]["warnings"] == []


def test_actions_are_counted_by_service_and_level() -> None:
    (line,) = explained(allow(["s3:GetObject", "s3:PutObject", "sqs:SendMessage"]))
    assert line["actions"]["services"] == {"s3": 2, "sqs": 1}
    assert line["actions"]["levels"] == {"Read": 1, "Write": 2}


def test_what_a_deny_leaves_open_has_a_witness() -> None:
    (line,) = explained(deny("bedrock:*", {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}), "scp")
    assert line["leaves_open"] == ["aws:RequestedRegion is `eu-west-1`"]
    assert line["witness"]["context"] == {"aws:RequestedRegion": "eu-west-1"}
    (line,) = explained(deny("bedrock:*"), "scp")
    assert (line["leaves_open"], line["witness"]) == ([], None)


def test_a_page(run: Run, tmp_path: Path) -> None:
    content = deny("bedrock:*", {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, Sid="Regions")
    (tmp_path / "p.json").write_text(json.dumps(content, indent=1))
    result = run("iam", "explain", "p.json", "--kind", "scp")
    assert (result.code, result.err) == (0, "")
    assert "p.json: a service control policy with 1 statement\n\n  1 Regions (line 4)\n" in result.out
    assert "    where aws:RequestedRegion is not `eu-west-1`\n" in result.out
    assert "    leaves open: aws:RequestedRegion is `eu-west-1`\n" in result.out


def test_snapshots_and_what_aws_would_refuse(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "org.ndjson", organization({"p-1": (deny("s3:*"), []), "p-2": ({"Statement": []}, [])}))
    result = run("iam", "explain", "org.ndjson", "--format", "json")
    assert result.code == 2
    assert "p-2" in result.err and "no statements" in result.err
    found = [json.loads(line) for line in result.out.splitlines()]
    assert [line["name"] for line in found] == ["FullAWSAccess", "p-1"]


def test_what_a_policy_holds_cannot_move_the_cursor(run: Run, tmp_path: Path) -> None:
    content = deny("s3:*", {"StringEquals": {"aws:SourceVpce": "a\x1b[2Jb\nerror: c"}}, Sid="x\x1b[31m\x9b")
    write(tmp_path / "org.ndjson", organization({"p\x1b-1": (content, ["r-abcd"])}))
    (tmp_path / "q.json").write_text(json.dumps({"action": "s3:*"}))
    asked = ("--in", "org.ndjson", "--requests", "q.json")
    for command in (("explain", "org.ndjson"), ("covers", *asked), ("guard", *asked)):
        for form in ("text", "json"):
            result = run("iam", *command, "--format", form)
            assert not {"\x1b", "\x9b"} & set(result.out + result.err)
            assert not any(line.startswith("error: c") for line in result.out.splitlines())


def whole(run: Run, folder: Path, content: Any, *more: str) -> list[str]:
    """Return what the page says of the policy as a whole; nothing where it does not."""
    (folder / "p.json").write_text(json.dumps(content))
    result = run("iam", "explain", "p.json", *more)
    assert (result.code, result.err) == (0, "")
    title = "  as a whole\n" if more else "  as an identity policy\n"
    return [line.strip() for line in result.out.partition(title)[2].splitlines()]


WHOLE: list[tuple[Any, list[str]]] = [
    (allow("*"), ["administrator: everything is allowed"]),
    (
        allow("*", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ["administrator: everything is allowed where aws:MultiFactorAuthPresent = true"],
    ),
    (
        allow("sqs:*"),
        [
            "administrator of sqs",
            "may change who uses resources: sqs:AddPermission, sqs:RemovePermission, sqs:SetQueueAttributes (statement 1)",
            "changes by wildcards of actions: sqs:* (statement 1)",
            "changes by wildcards of resources: * (statement 1)",
        ],
    ),
    (
        allow(["iam:CreatePolicyVersion"], Resource="arn:aws:iam::111122223333:policy/team"),
        [
            (
                "may open iam:CreatePolicyVersion: `iam:CreatePolicyVersion` is allowed only on some targets or with "
                "some parameters, such as `arn:aws:iam::111122223333:policy/team`"
            ),
        ],
    ),
    (
        allow(["iam:PassRole", "glue:CreateDevEndpoint"]),
        [
            "opens an escalation path: iam:PassRole+glue:CreateDevEndpoint",
            "changes by wildcards of resources: * (statement 1)",
        ],
    ),
    (
        allow("secretsmanager:GetSecretValue"),
        ["hands out credentials or secrets: secretsmanager:GetSecretValue (statement 1)"],
    ),
    (allow("s3:ListAllMyBuckets"), []),
    (deny("s3:*"), []),
]


@pytest.mark.parametrize(("content", "expected"), WHOLE, ids=[str(w[1])[:40] for w in WHOLE])
def test_what_an_identity_policy_amounts_to(
    run: Run, tmp_path: Path, content: Any, expected: list[str]
) -> None:
    assert whole(run, tmp_path, content, "--kind", "identity") == expected
    assert whole(run, tmp_path, content) == expected


def test_what_a_bare_policy_may_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(allow("s3:GetObject")))
    assert (
        "p.json: an identity policy, boundary or SCP with 1 statement\n"
        in run("iam", "explain", "p.json").out
    )
    result = run("iam", "explain", "p.json", "--kind", "scp")
    assert "a service control policy with 1 statement" in result.out and "as a" not in result.out
    result = run("iam", "explain", "p.json", "--kind", "identity")
    assert "p.json: an identity policy with 1 statement\n" in result.out
