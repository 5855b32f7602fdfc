"""What rules read of each type: the basis of which calls a live scan makes."""

from __future__ import annotations

from functools import cache

from policyengine.engine.needs import ANY, needs_of, top_names
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs


@cache
def _pack() -> Pack:
    return load_packs()


def _needs(*ids: str) -> dict[str, frozenset[str]]:
    return needs_of([form for form in _pack().rules if form["id"] in ids])


def test_a_field_of_one_type() -> None:
    assert _needs("ebs-volume-encrypted") == {"AWS::EC2::Volume": frozenset({"Encrypted"})}


def test_tags_need_no_other_property() -> None:
    assert _needs("tags-mandatory") == {"taggable": frozenset({"tags"})}


def test_a_question_about_a_policy_needs_the_document_only() -> None:
    assert _needs("s3-tls-only") == {"AWS::S3::Bucket": frozenset({"related.policies"})}


def test_a_question_about_principals_needs_the_policies_they_name() -> None:
    found = _needs("iam-role-not-administrator")
    assert ANY in found["AWS::IAM::Role"]
    assert {"AWS::IAM::ManagedPolicy", "AWS::IAM::Group"} <= found.keys()


def test_texts_searched_for_secrets_are_named() -> None:
    found = _needs("user-data-without-secrets")
    assert "UserData" in found["AWS::EC2::Instance"]
    assert ANY not in found["AWS::EC2::Instance"]


def test_relations_need_what_they_follow() -> None:
    found = _needs("access-analyzer-on")
    assert found["AWS::AccessAnalyzer::Analyzer"] == {"Type", "Status"}
    assert "PolicyEngine::Account::Region" in found


def test_top_names_keep_the_names_of_satellites() -> None:
    assert top_names({"X": frozenset({"A.B", "related.policies.PolicyDocument", "tags"})}) == {
        "X": frozenset({"A", "related.policies", "tags"})
    }
