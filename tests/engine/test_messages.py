"""How the sentences of findings read."""

from __future__ import annotations

import pytest

from policyengine.engine.message import all_paths, excluded_sentence, fill, show, split, unknown_sentence
from policyengine.model.finding import Evidence
from policyengine.model.values import ABSENT, Unresolved

IMPORTED = Unresolved("unresolved_reference", "ImportValue: list")
TO_A_GROUP = Unresolved("unresolved_reference", "Ref: Web", present=True, target=("Web", "GroupId"))


@pytest.mark.parametrize(
    ("message", "values", "said"),
    [
        ("`{path}` is {observed}: bad", {"path": "KmsKeyId", "observed": ABSENT}, "`KmsKeyId` is not set: bad"),
        ("a port is open ({observed})", {"observed": ABSENT}, "a port is open (not set)"),
        ("it names {observed}", {"observed": ABSENT}, "it names (not set)"),
        ("a port is open ({observed})", {"observed": TO_A_GROUP}, "a port is open (`Web`)"),
        ("a port is open ({observed})", {"observed": IMPORTED}, "a port is open (ImportValue: list)"),
        ("a port is open ({observed})", {"observed": Unresolved("redacted")}, "a port is open (not known)"),
        ("the groups are {observed}", {"observed": []}, "the groups are empty"),
        ("the value is {observed}", {"observed": ""}, 'the value is ""'),
        ("kept for {n} days; at least {m} are required", {"n": 1, "m": 7}, "kept for 1 day; at least 7 are required"),
        ("kept for {n} days; at least {m} are required", {"n": 0, "m": 1}, "kept for 0 days; at least 1 is required"),
        ("{n} critical findings", {"n": 1}, "1 critical finding"),
        ("{n} critical findings", {"n": 11}, "11 critical findings"),
        ("port {n} opens doors", {"n": 1}, "port 1 opens doors"),
        ("a {flag} b", {"flag": True}, "a true b"),
    ],
)  # fmt: skip
def test_values_fit_the_words_around_them(message, values, said):
    assert fill(split(message), lambda name: show(values[name])) == said


def test_all_paths_name_each_once_and_tags_by_their_key():
    evidence = [
        Evidence(("tags", "Owner"), ABSENT, "a tag", "tag_missing"),
        Evidence(("tags", "Project"), ABSENT, "a tag", "tag_missing"),
        Evidence(("tags", "Owner"), ABSENT, "a tag", "tag_missing"),
        Evidence(("A", 0, "B"), 1, "2", "value_mismatch"),
    ]
    assert all_paths(evidence) == "Owner, Project, A.0.B"
    many = [Evidence(("A", n), 1, "2", "value_mismatch") for n in range(11)]
    assert all_paths(many).endswith("A.7 and 3 more")


def test_an_unknown_names_the_value_or_what_was_looked_for():
    unread = Evidence(("Days",), Unresolved("access_denied", "rds:Describe"), "at least 7", "access_denied")
    assert unknown_sentence("access_denied", [unread]) == (
        "`Days` is not known: the call that reads it was denied (rds:Describe)"
    )
    around = Evidence(("SubnetId",), "subnet-1", "the network ACL of its subnet", "not_collected")
    assert (
        unknown_sentence("not_collected", [around])
        == "the network ACL of its subnet: this source does not cover it"
    )
    odd = Evidence(("Days",), "many", "at least 7", "wrong_type")
    assert unknown_sentence("wrong_type", [odd]).startswith("`Days` is many, where at least 7 was expected: ")


def test_what_keeps_a_resource_out_of_a_rule():
    absent = Evidence(("State",), ABSENT, "present", "when_not_met")
    assert (
        excluded_sentence([absent]) == "`State` is not set; the rule is about resources where it is present"
    )
    tier = Evidence(("tags", "Tier"), ABSENT, "a tag `Tier` that is `app`", "when_not_met")
    assert excluded_sentence([tier]) == "`tags.Tier` is not set; the rule asks for a tag `Tier` that is `app`"
