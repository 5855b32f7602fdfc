"""The document of a review, and pages made of it: whatever resources are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policyengine.model.finding import Witness
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.reports.base import TerminalOptions
from policyengine.review.changes import EFFECTS, KINDS, Broken, Change, worst
from policyengine.review.document import About, review_json
from policyengine.review.merging import merged
from policyengine.review.pages.markdown import MARKER, markdown_page
from policyengine.review.pages.programs import github, gitlab, sarif
from policyengine.review.pages.terminal import terminal_page

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "policyengine/review/schemas/review-v1.schema.json").read_text())
SARIF = json.loads((ROOT / "tests/reports/data/sarif-2.1.0-rtm.5.schema.json").read_text())
ABOUT = About("0123456789ab", "the work tree", "2026-01-01T00:00:00Z", "sha256:0", 3)
HOSTILE = (
    "</script><b>x</b> `|` @all #1 ::error::x ##[group] \x1b[31m \u202e \ud800 [a](http://b) " + "y" * 10_000
)


def resource(name: str = "Web", file: str | None = "t.yaml") -> Resource:
    return Resource(
        "AWS::EC2::SecurityGroup",
        name,
        "1",
        "eu-west-1",
        {},
        file=file,
        locate=lambda _: Location("t.yaml", 3, 5),
    )


def broken(rule: str = "r") -> Broken:
    return Broken(rule, "title", "high", "PASS", "FAIL", "message", "f" * 32, None)


def change(**fields: Any) -> Change:
    given = {"kind": "network", "effect": "worse", "severity": "high", "title": "t", "resource": resource()}
    return Change(**{**given, **fields})


def everything(text: str) -> dict[str, Any]:
    witness = Witness(text, "s3:GetObject", text, {"aws:SourceIp": text})
    changes = [
        change(kind=kind, effect=effect, title=text, before=text, after=[text], witness=witness, details=(text,), rules=(broken(),))
        for kind in KINDS
        for effect in EFFECTS
    ]  # fmt: skip
    changes.append(change(resource=None, file=text, kind="gate"))
    changes.append(change(resource=resource(text, file=None), old=resource("old")))
    error = {"side": "head", "code": "unreadable", "message": text}
    return review_json(
        worst(changes),
        About("base", text, "2026-01-01T00:00:00Z", "sha256:0", 3, text, [error], notes=[text]),
    )


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_every_page_holds_its_form(text: str) -> None:
    document = everything(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    log = json.loads(sarif(document))
    jsonschema.Draft7Validator(SARIF).validate(log)
    shown = len([e for e in document["entries"] if e["effect"] in ("worse", "unclear")])
    assert len(log["runs"][0]["results"]) == shown
    issues = json.loads(gitlab(document))
    assert len(issues) == shown
    assert len({issue["fingerprint"] for issue in issues}) == shown
    for line in github(document):
        assert line.count("\n") == 1
    page = markdown_page(document)
    assert page.startswith(MARKER + "\n")
    assert len(page.encode("utf-16-le")) // 2 < 65_536
    assert "<b>" not in page and "</script>" not in page and "\x1b" not in page
    for line in terminal_page(document, lambda _: None, TerminalOptions(), everything=True):
        assert "\x1b" not in line and "\u202e" not in line and not line.lstrip().startswith("::")


def test_what_got_worse_comes_first_and_the_worst_of_it() -> None:
    changes = [
        change(effect="better", severity="critical"), change(severity="low"), change(severity="critical"), change(effect="new"),
        change(effect="unclear"),
    ]  # fmt: skip
    found = review_json(worst(changes), ABOUT)
    assert [(e["effect"], e["severity"]) for e in found["entries"]] == [
        ("worse", "critical"), ("worse", "low"), ("unclear", "high"), ("new", "high"), ("better", "critical"),
    ]  # fmt: skip
    assert found["summary"] == {"worse": 2, "unclear": 1, "new": 1, "better": 1}


def test_ids_do_not_depend_on_lines_and_are_unique() -> None:
    one = review_json([change(), change()], ABOUT)["entries"]
    moved = review_json([change(location=Location("t.yaml", 99))], ABOUT)["entries"]
    assert one[0]["id"] == moved[0]["id"] != one[1]["id"]


def test_a_verdict_is_told_with_what_made_it() -> None:
    it = resource()
    ssh = change(resource=it, path=("SecurityGroupIngress", 0), title="ssh")
    rdp = change(resource=it, path=("SecurityGroupIngress", 1), title="rdp", severity="medium")
    verdict = change(
        resource=it,
        path=("SecurityGroupIngress", 1, "CidrIp"),
        title="rule",
        severity="critical",
        rules=(broken(),),
    )
    found = merged([ssh, verdict, rdp])
    assert [(c.title, c.severity, len(c.rules)) for c in found] == [
        ("rdp", "critical", 1),
        ("ssh", "high", 0),
    ]


def test_a_verdict_of_another_kind_or_effect_stays_alone() -> None:
    it = resource()
    for other in (
        change(resource=it, kind="tags"),
        change(resource=it, effect="better"),
        change(resource=resource("Other")),
    ):
        assert len(merged([other, change(resource=it, rules=(broken(),))])) == 2
