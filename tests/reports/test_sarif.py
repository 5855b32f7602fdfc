"""SARIF: valid, within GitHub's limits, honest about what it left out.

The schema is the official 2.1.0-rtm.5 one, as Microsoft's npm package @microsoft/jest-sarif (MIT) ships it.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest

from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.reports import sarif
from policyengine.reports.sarif_rules import MAX_TAGS

from . import sample
from .helpers import render

SCHEMA = Path(__file__).parent / "data/sarif-2.1.0-rtm.5.schema.json"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))


def log(findings=None, run=None, **context):
    return json.loads(render("sarif", findings, run, **context))


def notifications(document) -> list[str]:
    return [n["message"]["text"] for n in document["runs"][0]["invocations"][0]["toolExecutionNotifications"]]


@pytest.mark.parametrize("run", [sample.run(), sample.broken_run()], ids=["complete", "broken"])
@pytest.mark.parametrize("found", [sample.findings(), []], ids=["findings", "empty"])
def test_log_is_valid(validator, run, found) -> None:
    validator.validate(log(found, run))


def test_rules_have_what_github_reads() -> None:
    rules = {rule["id"]: rule for rule in log()["runs"][0]["tool"]["driver"]["rules"]}
    ssh = rules["ec2-ssh-not-open"]
    assert ssh["properties"]["security-severity"] == "9.5"
    assert "security" in ssh["properties"]["tags"]
    assert "## How to fix" in ssh["help"]["markdown"]
    assert ssh["defaultConfiguration"] == {"level": "error"}
    assert all(len(rule["properties"]["tags"]) <= MAX_TAGS for rule in rules.values())


def test_rules_of_other_pillars_are_no_vulnerabilities() -> None:
    rules = {rule["id"]: rule for rule in log()["runs"][0]["tool"]["driver"]["rules"]}
    backup = rules["rds-backup-retention"]["properties"]
    assert "security-severity" not in backup
    assert "security" not in backup["tags"]


def test_results_are_worst_first_and_unknown_last() -> None:
    results = log()["runs"][0]["results"]
    order = {"error": 0, "warning": 1, "note": 2, "none": 3}
    levels = [order[result["level"]] for result in results]
    assert levels == sorted(levels)
    assert results[0]["ruleId"] == "ec2-ssh-not-open"


def test_unknown_is_open_without_the_severity_of_a_violation() -> None:
    run = log()["runs"][0]
    unknown = [r for r in run["results"] if r["kind"] == "open"]
    assert len(unknown) == 2
    for result in unknown:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert (result["level"], result["ruleId"], rule["id"]) == (
            "none",
            "tags-mandatory/not-determined",
            result["ruleId"],
        )
        assert "security-severity" not in rule["properties"]
        assert "not determined" in result["message"]["text"]


def test_rule_index_points_at_the_rule() -> None:
    run = log()["runs"][0]
    assert all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])


def test_waived_and_passed_are_left_out_and_said_so() -> None:
    document = log(sample.findings(hostile=False))
    waived = next(f for f in sample.findings(hostile=False) if f.waiver is not None)
    assert waived.id not in {r["properties"]["finding"] for r in document["runs"][0]["results"]}
    assert notifications(document) == ["not listed as results: 1 passed, 1 not applicable, 1 waived failures"]


def test_only_the_worst_are_kept_and_the_rest_is_counted() -> None:
    document = log(sample.findings(hostile=False), sarif_results=2)
    assert [r["level"] for r in document["runs"][0]["results"]] == ["error", "error"]
    assert notifications(document)[0] == "5 results left out to stay within GitHub's limits, 2 are here"


def test_no_setting_exceeds_the_hard_limit() -> None:
    report = sarif.SarifReport.__new__(sarif.SarifReport)
    report.__init__(None, sarif.Context(sarif_results=10**9))  # type: ignore[misc, arg-type]
    assert report._kept.limit == 25_000


def test_compressed_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(1)
    findings = [
        sample.make(
            "tags-mandatory",
            sample.in_account("AWS::S3::Bucket", f"b{number:03}"),
            "FAIL",
            "missing",
            f"{noise.getrandbits(12_000):x}",
            evidence=[sample._ports()],
        )
        for number in range(200)
    ]
    monkeypatch.setattr(sarif, "MAX_GZIP_BYTES", 100_000)
    text = render("sarif", findings)
    kept = len(json.loads(text)["runs"][0]["results"])
    assert 0 < kept < 200
    assert len(gzip.compress(text.encode())) < 200_000
    assert notifications(json.loads(text))[0].startswith(f"{200 - kept} results left out")


def test_incomplete_run_is_not_successful() -> None:
    document = log(run=sample.broken_run())
    assert document["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert notifications(document)[0].startswith("the run is incomplete")


def test_fingerprints_do_not_move_with_lines() -> None:
    def fingerprint(line: int):
        place = Location("a.yaml", line, 1)
        resource = Resource("AWS::S3::Bucket", "B", None, None, {}, file="a.yaml", locate=lambda _path: place)
        found = sample.make(
            "tags-mandatory", resource, "FAIL", "missing", "no tags", evidence=[sample._ports()]
        )
        return log([found])["runs"][0]["results"][0]["partialFingerprints"]

    assert fingerprint(3) == fingerprint(300)


@pytest.mark.parametrize(
    ("file", "uri", "base"),
    [
        ("infra/stack.yaml", "infra/stack.yaml", "%SRCROOT%"),
        ("./stack.yaml", "stack.yaml", "%SRCROOT%"),
        ("a b/100%/[x]#?.yaml", "a%20b/100%25/%5Bx%5D%23%3F.yaml", "%SRCROOT%"),
        ("ü.yaml", "%C3%BC.yaml", "%SRCROOT%"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29", "%SRCROOT%"),
        ("/srv/x y.yaml", "file:///srv/x%20y.yaml", None),
    ],
)
def test_file_uri_is_encoded(file: str, uri: str, base: str | None) -> None:
    place = Location(file, 1, 1)
    resource = Resource("AWS::S3::Bucket", "B", None, None, {}, file=file, locate=lambda _path: place)
    found = sample.make("tags-mandatory", resource, "FAIL", "missing", "no tags", evidence=[sample._ports()])
    artifact = sarif.artifact(found)
    assert (artifact["uri"], artifact.get("uriBaseId")) == (uri, base)
    assert unquote(artifact["uri"]).removeprefix("file://") == file.removeprefix("./")


@pytest.mark.parametrize("name", ["..", ".", "../../etc/passwd", "a/b", "a?b#c", ""])
def test_resource_without_a_file_stays_below_aws(name: str) -> None:
    found = sample.make(
        "tags-mandatory",
        sample.in_account("AWS::S3::Bucket", name),
        "FAIL",
        "missing",
        "m",
        evidence=[sample._ports()],
    )
    parts = sarif.artifact(found)["uri"].split("/")
    assert parts[:4] == ["aws", "111122223333", "eu-west-1", "AWS.S3.Bucket"]
    assert len(parts) == 5
    assert parts[4] not in ("", ".", "..")


def test_message_holds_neither_links_nor_placeholders() -> None:
    message = 'see [here](1) and {0} {"a": 1}'
    bucket = sample.in_account("AWS::S3::Bucket", "b")
    found = sample.make("tags-mandatory", bucket, "FAIL", "missing", message, evidence=[sample._ports()])
    text = log([found])["runs"][0]["results"][0]["message"]["text"]
    assert "](" not in text
    assert "{0}" not in text
    assert '{"a": 1}' in text
