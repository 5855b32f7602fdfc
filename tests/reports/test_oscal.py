"""OSCAL: NIST's schemas accept it, compliance-trestle reads it, references lead somewhere, nothing is satisfied in part."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Evidence, Finding
from policyengine.model.values import Unresolved
from policyengine.reports.base import RuleInfo, RunInfo
from policyengine.reports.extras import Extras, FrameworkInfo, Proof, Remains
from policyengine.reports.oscal import words
from policyengine.reports.oscal.ids import control_id, read_control_id
from policyengine.reports.oscal.words import NAMESPACE, NS, line, tail, token, untoken, uuid5
from policyengine.reports.times import moment

from . import sample
from .helpers import render
from .test_hostile import TEXT
from .test_hostile import findings as any_finding
from .test_hostile import rules as any_rules

SCHEMAS = Path(__file__).parent / "data" / "oscal"
ROOTS = {
    "oscal": "assessment-results",
    "oscal-full": "assessment-results",
    "oscal-poam": "plan-of-action-and-milestones",
}
FORMATS = tuple(ROOTS)


@cache
def schema(root: str) -> Any:
    name = "poam" if root.startswith("plan-of") else root
    text = (SCHEMAS / f"oscal_{name}_schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def document(fmt: str, *args: Any, **more: Any) -> dict[str, Any]:
    """The document inside its root, accepted by NIST's schema."""
    whole = json.loads(render(fmt, *args, **more))
    problems = [
        f"{list(error.instance_path)}: {error.message}" for error in schema(ROOTS[fmt]).iter_errors(whole)
    ]
    assert problems == []
    return whole[ROOTS[fmt]]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def prop(node: dict[str, Any], name: str) -> str | None:
    return next((p["value"] for p in node.get("props", []) if p["name"] == name), None)


def check_references(whole: dict[str, Any]) -> None:
    """Every UUID is given once, and everything that is referred to is there."""
    given_ids: list[str] = []
    for node in nodes(whole):
        if "uuid" in node and "state" not in node:
            given_ids.append(node["uuid"])
    tools = {c["uuid"] for n in nodes(whole) for c in n.get("components", []) if "assessment-platforms" in n}
    assert len(given_ids) - len(set(given_ids)) == 0
    for node in nodes(whole):
        for key in ("observation-uuid", "risk-uuid", "subject-uuid", "component-uuid", "actor-uuid"):
            if key in node:
                assert node[key] in given_ids, (key, node)
        if "actor-uuid" in node:
            assert node["actor-uuid"] in tools
        if node.get("href", "").startswith("#"):
            assert node["href"][1:] in given_ids


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("run", [sample.run(), sample.broken_run()], ids=["complete", "incomplete"])
@pytest.mark.parametrize("found", ["all", "none"])
def test_nists_schema_accepts_it_and_references_lead_somewhere(fmt: str, run: RunInfo, found: str) -> None:
    proof = Proof("sha256:" + "1" * 64, 23, "sha256:" + "2" * 64, 23, None, None)
    whole = document(fmt, None if found == "all" else [], run=run, extras=Extras(proof=proof))
    check_references(whole)


def test_the_schema_refuses_what_is_wrong() -> None:
    """The validator used here can fail: a status, a token, a time and an empty array that OSCAL does not allow."""
    whole = json.loads(render("oscal"))
    for change in (
        lambda r: r["findings"][0]["target"]["status"].update(state="failed"),
        lambda r: r["findings"][0]["target"].update({"target-id": "1.2.5"}),
        lambda r: r["observations"][0].update(collected="2026-11-21"),
        lambda r: r["observations"][0].update(props=[]),
        lambda r: r.pop("reviewed-controls"),
    ):
        changed = json.loads(json.dumps(whole))
        change(changed["assessment-results"]["results"][0])
        assert not schema("assessment-results").is_valid(changed)


def test_compliance_trestle_reads_both(tmp_path: Path) -> None:
    from trestle.oscal.assessment_plan import AssessmentPlan
    from trestle.oscal.assessment_results import AssessmentResults
    from trestle.oscal.poam import PlanOfActionAndMilestones

    paths = {}
    for fmt in ("oscal", "oscal-poam"):
        paths[fmt] = tmp_path / f"{fmt}.json"
        paths[fmt].write_text(render(fmt, run=sample.broken_run()), encoding="utf-8")
    results = AssessmentResults.oscal_read(paths["oscal"])
    poam = PlanOfActionAndMilestones.oscal_read(paths["oscal-poam"])
    shown = [f for f in sample.findings() if f.verdict in ("FAIL", "UNKNOWN")]
    rules = {f.rule for f in sample.findings()}
    errors = len(sample.broken_run().errors)
    assert len(results.results[0].observations) == len(shown) + len(rules) + errors
    assert len(poam.observations) == len(shown) + errors
    plan = tmp_path / "plan.json"
    plan.write_bytes(base64.b64decode(results.back_matter.resources[0].base64.value))
    assert len(AssessmentPlan.oscal_read(plan).local_definitions.activities) == len(sample.RULES)


def test_the_plan_that_results_name_is_one() -> None:
    whole = document("oscal", run=sample.broken_run())
    found = {resource["uuid"]: resource for resource in whole["back-matter"]["resources"]}
    text = base64.b64decode(found[whole["import-ap"]["href"][1:]]["base64"]["value"])
    plan = json.loads(text)
    assert list(schema("assessment-plan").iter_errors(plan)) == []
    activities = plan["assessment-plan"]["local-definitions"]["activities"]
    assert [prop(a, "rule") for a in activities] == sorted(sample.RULES)
    check_references(plan["assessment-plan"])


def result_of(found: list[Finding], run: RunInfo | None = None, **extras: Any) -> dict[str, dict[str, Any]]:
    """Control -> finding."""
    whole = document("oscal", found, run=run, extras=Extras(**extras))
    return {prop(f, "control"): f for f in whole["results"][0].get("findings", [])}


def verdict_on(rule: str, verdict: str, name: str = "b", **more: Any) -> Finding:
    reason = {"PASS": "requirement_met", "FAIL": "value_mismatch", "UNKNOWN": "access_denied"}
    evidence = [Evidence(("Tags",), Unresolved("access_denied", "denied"), "present", "access_denied")]
    return sample.make(
        rule,
        sample.in_account("AWS::S3::Bucket", name),
        verdict,
        reason.get(verdict, "when_not_met"),
        "said",
        evidence=evidence if verdict in ("FAIL", "UNKNOWN") else [],
        **more,
    )


WHOLE, PART = "s3-kms-encryption", "ec2-ssh-not-open"
WAIVER = {
    "id": "w1", "owner": "payments", "approver": "ciso", "reason": "legacy", "ticket": "SEC-1", "kind": "waiver",
    "granted": "2026-01-01", "expires": "2026-12-31",
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "run", "control", "state", "reason", "says"),
    [
        ([(WHOLE, "PASS", {})], {}, "S3.17", "satisfied", "pass", "satisfied"),
        ([(WHOLE, "PASS", {})], {"complete": False}, "S3.17", "not-satisfied", "other", "incomplete"),
        ([(PART, "PASS", {})], {}, "5.3", "not-satisfied", "other", "only a part"),
        ([(WHOLE, "FAIL", {})], {}, "S3.17", "not-satisfied", "fail", "failed"),
        ([(WHOLE, "FAIL", {"waiver": WAIVER})], {}, "S3.17", "not-satisfied", "fail", "waiver"),
        ([(WHOLE, "UNKNOWN", {})], {}, "S3.17", "not-satisfied", "other", "unknown"),
        ([(WHOLE, "PASS", {}), (WHOLE, "UNKNOWN", {})], {}, "S3.17", "not-satisfied", "other", "unknown"),
        ([(WHOLE, "NOT_APPLICABLE", {})], {}, "S3.17", "not-satisfied", "other", "not tested"),
        ([], {}, "S3.17", "not-satisfied", "other", "not tested"),
    ],
)
def test_a_control_is_satisfied_only_where_all_of_it_was_seen_to_hold(
    found: list[Any], run: dict[str, Any], control: str, state: str, reason: str, says: str
) -> None:
    made = [verdict_on(rule, verdict, f"b{n}", **more) for n, (rule, verdict, more) in enumerate(found)]
    status = result_of(made, sample.run(**run))[control]["target"]["status"]
    assert (status["state"], status["reason"]) == (state, reason)
    assert says in status["remarks"]


def test_each_failure_is_an_observation_and_passes_are_counted_by_rule() -> None:
    found = [verdict_on(WHOLE, "PASS", f"p{n}") for n in range(30)] + [verdict_on(WHOLE, "FAIL", "q")]
    brief = document("oscal", found)["results"][0]["observations"]
    full = document("oscal-full", found)["results"][0]["observations"]
    assert [prop(o, "finding-id") for o in brief] == [found[-1].id, None]
    assert (prop(brief[-1], "pass"), prop(brief[-1], "fail"), prop(brief[-1], "population")) == (
        "30",
        "1",
        "31",
    )
    assert [prop(o, "finding-id") for o in full[:-1]] == [f.id for f in found]


def test_evidence_that_is_left_out_is_counted() -> None:
    evidence = [sample._ports()] * 25
    finding = sample.make(
        "ec2-ssh-not-open", sample.in_account("T", "r"), "FAIL", "open_to_internet", "open", evidence=evidence
    )
    told = document("oscal", [finding])["results"][0]["observations"][0]["relevant-evidence"]
    assert (len(told), told[-1]["description"]) == (21, "5 more pieces of evidence, not listed here")


def test_exact_counts_of_a_run_go_before_what_was_given() -> None:
    run = sample.run(verdicts={(WHOLE, "PASS"): 70, (WHOLE, "FAIL"): 1})
    rows = document("oscal", [verdict_on(WHOLE, "FAIL")], run=run)["results"][0]["observations"]
    assert prop(rows[-1], "pass") == "70"


def test_a_waiver_is_an_approved_deviation_with_its_end_and_a_baseline_is_debt() -> None:
    debt = {"id": "legacy", "kind": "baseline", "granted": "2026-01-01"}
    found = [
        verdict_on(WHOLE, "FAIL", "a", waiver=WAIVER),
        verdict_on(WHOLE, "FAIL", "b", waiver=debt),
        verdict_on(WHOLE, "FAIL", "c"),
        verdict_on(WHOLE, "UNKNOWN", "d"),
    ]
    for fmt in ("oscal", "oscal-poam"):
        whole = document(fmt, found)
        risks = {prop(r, "kind"): r for n in nodes(whole) for r in n.get("risks", [])}
        assert {kind: r["status"] for kind, r in risks.items()} == {
            "accepted": "deviation-approved", "baseline": "open", "open": "open", "undetermined": "open",
        }  # fmt: skip
        assert risks["accepted"]["deadline"] == "2026-12-31T00:00:00Z"
        assert all("deadline" not in risks[kind] for kind in ("baseline", "open", "undetermined"))
        response = risks["accepted"]["remediations"][0]
        assert (response["description"], prop(response, "type")) == ("legacy", "accept")
        assert prop(response, "waiver-approver") == "ciso"
        assert prop(risks["baseline"]["remediations"][0], "type") is None
        assert all(len(r["related-observations"]) == 1 for r in risks.values())
    marks = [prop(o, "accepted-by") for o in document("oscal", found)["results"][0]["observations"]]
    assert marks[:4] == ["waiver", "baseline", None, None]
    items = document("oscal-poam", found)["poam-items"]
    assert [prop(i, "kind") for i in items] == ["accepted", "baseline", "open", "undetermined"]


def test_a_deviation_that_nobody_approved_is_only_requested() -> None:
    waiver = {key: text for key, text in WAIVER.items() if key != "approver"}
    risks = document("oscal", [verdict_on(WHOLE, "FAIL", waiver=waiver)])["results"][0]["risks"]
    assert [risk["status"] for risk in risks] == ["deviation-requested"]


def test_a_plan_of_action_is_never_silent() -> None:
    calm = document("oscal-poam", [verdict_on(WHOLE, "PASS")])["poam-items"]
    assert [prop(item, "kind") for item in calm] == ["nothing"]
    broken = document("oscal-poam", [verdict_on(WHOLE, "PASS")], run=sample.broken_run())
    assert [prop(item, "kind") for item in broken["poam-items"]] == ["incomplete"]
    assert len(broken["poam-items"][0]["related-observations"]) == len(sample.broken_run().errors)


def test_the_same_observation_has_the_same_uuid_in_both_documents() -> None:
    ids = [
        {o["uuid"] for n in nodes(document(fmt)) for o in n.get("observations", []) if prop(o, "finding-id")}
        for fmt in ("oscal", "oscal-poam")
    ]
    assert ids[0] == ids[1]


def test_a_resource_of_an_account_keeps_its_uuid_from_run_to_run() -> None:
    def items(run: str) -> dict[str, str]:
        whole = document("oscal", run=sample.run(id=run))["results"][0]["local-definitions"]
        return {prop(i, "arn") or i["description"]: i["uuid"] for i in whole["inventory-items"]}

    first, second = items("one"), items("two")
    arn = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1"
    assert first[arn] == second[arn]
    assert first["AWS::S3::Bucket Logs"] != second["AWS::S3::Bucket Logs"], "a template may be anybody's"


def test_controls_that_no_rule_speaks_of_are_counted_and_not_reviewed() -> None:
    info = FrameworkInfo("aws-fsbp", "FSBP", "1.0.0", "https://a", "n", ("S3.17", "S3.18", "S3.19"))
    result = document("oscal", [], extras=Extras(frameworks={"aws-fsbp": info}))["results"][0]
    selection = result["reviewed-controls"]["control-selections"][0]
    assert "aws-fsbp__S3.17" in [c["control-id"] for c in selection["include-controls"]]
    assert result["reviewed-controls"]["remarks"].startswith("2 controls")


def test_what_rules_do_not_decide_is_said_to_remain_with_somebody() -> None:
    remains = {"5.3": Remains(("people", "aws"), "somebody has to look", "https://a")}
    infos = {
        "cis-aws-7.0": FrameworkInfo("cis-aws-7.0", "CIS", "7.0", "https://a", "n", ("5.3",), remains),
        "aws-fsbp": FrameworkInfo("aws-fsbp", "FSBP", "1", "https://a", "n", ("EC2.13", "S3.17")),
    }
    found = result_of([verdict_on(WHOLE, "PASS")], frameworks=infos)
    assert found["5.3"]["remarks"] == (
        "What rules do not decide of the control remains with: people, AWS's share. somebody has to look"
    )
    assert "remarks" not in found["S3.17"]
    rules = {"r": replace(sample.RULES[PART], id="r", frameworks={"aws-fsbp": [("EC2.13", "part")]})}
    whole = document("oscal", [], rules=rules, extras=Extras(frameworks=infos))
    assert whole["results"][0]["findings"][0]["remarks"].endswith("remains with: not judged")


def test_without_any_framework_the_document_still_holds() -> None:
    rules = {"r": RuleInfo("r", "t", "tagging", "security", "low", "", "")}
    whole = document("oscal", [], rules=rules)
    assert "findings" not in whole["results"][0]


# Ids of NIST's catalog: https://github.com/usnistgov/oscal-content, SP 800-53 Revision 5.
NIST_IDS = {
    "AC-3": ("ac-3", "ac-3_smt"),
    "AC-2(3)": ("ac-2.3", "ac-2.3_smt"),
    "AC-2(3)(a)": ("ac-2.3", "ac-2.3_smt.a"),
    "AC-3(3)(b)(1)": ("ac-3.3", "ac-3.3_smt.b.1"),
    "CP-1a.1(b)": ("cp-1", "cp-1_smt.a.1.b"),
    "AC-2d.1": ("ac-2", "ac-2_smt.d.1"),
    "AU-12a": ("au-12", "au-12_smt.a"),
}


@pytest.mark.parametrize("control", NIST_IDS)
def test_controls_of_sp_800_53_have_nists_ids(control: str) -> None:
    assert tuple(control_id("nist-800-53", control)) == NIST_IDS[control]


TOKEN = re.compile(r"[^\W\d][\w.\-]*")


def test_every_control_of_every_framework_has_an_id_of_its_own() -> None:
    from policyengine.cli.frameworkinfo import framework_infos

    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for name, info in framework_infos().items():
        for control in info.controls:
            found = control_id(name, control)
            target = found.target
            assert TOKEN.fullmatch(target[1])
            assert seen.setdefault(target, (name, control)) == (name, control)
            if found.statement is None:
                assert read_control_id(found.control) == (name, control)
            else:
                assert name == "nist-800-53"
    assert len(seen) > 900


@given(st.text(min_size=1), st.text(min_size=1))
@example("a_x28_", "b")
@example("a", "_x28_")
@example("a__b", "__c")
@example("1", "164.308(a)(1)")
def test_made_ids_are_tokens_and_can_be_read_back(framework: str, control: str) -> None:
    found = control_id(framework, control)
    assert jsonschema_rs.is_valid({"pattern": r"^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$"}, found.control)
    assert read_control_id(found.control) == (framework, control)
    assert untoken(token(control)) == control
    assert untoken(tail(control)) == control


def test_uuids_are_version_5_in_our_namespace() -> None:
    assert uuid.UUID(bytes=NAMESPACE) == uuid.uuid5(uuid.NAMESPACE_URL, NS)
    assert uuid5("run", "x") == str(uuid.uuid5(uuid.UUID(bytes=NAMESPACE), "run\0x"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31", "2026-12-31T00:00:00Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.250000Z", "2026-01-01T00:00:00.250000Z"),
    ],
)
def test_times_are_in_utc(text: str, expected: str) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01T00:00:00", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(any_finding(), max_size=3, unique_by=lambda f: f.id), any_rules(), st.sampled_from(FORMATS))
def test_hostile_text_breaks_no_document(found: list[Finding], known: Any, fmt: str) -> None:
    whole = document(fmt, sorted(found, key=lambda f: f.sort_key), rules=known)
    for node in nodes(whole):
        for value in node.values():
            if isinstance(value, str) and value != node.get("remarks"):
                assert value.isprintable()
    shown = {f.id for f in found if fmt == "oscal-full" or f.verdict in ("FAIL", "UNKNOWN")}
    assert {prop(n, "finding-id") for n in nodes(whole)} - {None} == shown


@settings(max_examples=200, deadline=None)
@given(TEXT)
@example("1. x")
@example("- x")
@example("<b>x</b> [a](b) ![c](d) `e` *f* _g_ __h__ ~~i~~ {{ insert: param, x }}")
def test_prose_forms_no_markup(text: str) -> None:
    from markdown_it import MarkdownIt

    from policyengine.reports.jsontext import cleaned_text
    from policyengine.reports.text import cut, visible

    tokens = MarkdownIt("commonmark").parse(line(text))
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {t.type for t in tokens[1].children} <= {"text", "text_special"}
    seen = "".join(t.content for t in tokens[1].children)
    assert seen == (visible(cleaned_text(cut(text, 2_000))).strip() or "–")


@given(st.text(st.characters(codec="ascii"), max_size=30))
@example("a - b")
@example("a_b")
@example("ARN arn:aws:s3:::b (c)")
def test_the_short_way_of_plain_text_changes_nothing(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "_PLAIN", re.compile("(?!)"))
        expected = line(text), words.value(text)
    assert (line(text), words.value(text)) == expected


def test_the_schemas_are_those_that_were_fetched() -> None:
    table = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    for path in sorted(SCHEMAS.glob("*.json")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"| `{path.name}` | `{digest}` |" in table
        assert "/oscal/1.2.3/" in json.loads(path.read_text(encoding="utf-8"))["$id"]
