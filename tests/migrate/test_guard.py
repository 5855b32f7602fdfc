"""Rules of CloudFormation Guard. The meaning of clauses and queries:
https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html, query-and-filtering.html
"""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.migrate.drafts import Draft
from policyengine.migrate.guard import read_rules
from tests.migrate.asked import verdict

DB = "let d = Resources.*[ Type == 'AWS::RDS::DBInstance' ]\n"


def drafted(text: str) -> Draft:
    drafts, left = read_rules(text.encode(), "r.guard")
    assert left == []
    (draft,) = drafts
    return draft


def about(clauses: str) -> Draft:
    return drafted(f"{DB}rule one when %d !empty {{ {clauses} }}")


@pytest.mark.parametrize(
    ("clause", "passes", "fails"),
    [
        ("%d.Properties.KmsKeyId exists", {"KmsKeyId": "k"}, {}),
        ("%d.Properties.KmsKeyId !exists", {}, {"KmsKeyId": "k"}),
        ("%d.Properties.KmsKeyId NOT EXISTS", {}, {"KmsKeyId": "k"}),
        ("not %d.Properties.KmsKeyId exists", {}, {"KmsKeyId": "k"}),
        ("%d.Properties.KmsKeyId !empty", {"KmsKeyId": "k"}, {"KmsKeyId": ""}),
        ("%d.Properties.Engine == 'a'", {"Engine": "a"}, {}),
        ("%d.Properties.Engine != 'a'", {"Engine": "b"}, {"Engine": "a"}),
        ("%d.Properties.Engine != 'a'", {"Engine": "b"}, {}),  # a query that finds nothing is a failure
        ("%d.Properties.Engine in ['a', 'b']", {"Engine": "b"}, {"Engine": "c"}),
        ("%d.Properties.Engine not in ['a', 'b']", {"Engine": "c"}, {}),
        ("%d.Properties.Engine == /ostg/", {"Engine": "postgres"}, {"Engine": "mysql"}),
        ("%d.Properties.Engine == /^my/", {"Engine": "mysql"}, {"Engine": "amy"}),
        ("%d.Properties.Engine == /(?i)SQL$/", {"Engine": "mysql"}, {"Engine": "mysql2"}),
        ("%d.Properties.Engine != /sql/", {"Engine": "oracle"}, {}),
        ("%d.Properties.Engine in [/^a/, 'b']", {"Engine": "ab"}, {"Engine": "ba"}),
        ("%d.Properties.BackupRetentionPeriod >= 7", {"BackupRetentionPeriod": 7}, {"BackupRetentionPeriod": 6}),
        ("%d.Properties.BackupRetentionPeriod > 7", {"BackupRetentionPeriod": 8}, {"BackupRetentionPeriod": 7}),
        ("%d.Properties.BackupRetentionPeriod in r[7, 9)", {"BackupRetentionPeriod": 8}, {"BackupRetentionPeriod": 9}),
        ("%d.Properties.Engine == 'a' or %d.Properties.KmsKeyId exists", {"KmsKeyId": "k"}, {"Engine": "b"}),
        ("%d { Properties { Engine == 'a' KmsKeyId exists } }", {"Engine": "a", "KmsKeyId": "k"}, {"Engine": "a"}),
        ("%d { when Properties.Engine == 'a' { Properties.KmsKeyId exists } }", {"Engine": "b"}, {"Engine": "a"}),
        ("let bad = %d[ Properties.Engine == 'a' ] %bad empty", {"Engine": "b"}, {"Engine": "a"}),
        ("Resources.*[ Type == 'AWS::RDS::DBInstance' ].Properties.Engine == 'a'", {"Engine": "a"}, {"Engine": "b"}),
        ("AWS::RDS::DBInstance { Properties.Engine == 'a' }", {"Engine": "a"}, {"Engine": "b"}),
        ("let allowed = ['a'] %d.Properties.Engine in %allowed", {"Engine": "a"}, {"Engine": "b"}),
        ("%d.Properties.VPCSecurityGroups[*] == 'a'", {"VPCSecurityGroups": ["a"]}, {"VPCSecurityGroups": ["a", "b"]}),
        ("%d.Properties.VPCSecurityGroups[*] == 'a'", {"VPCSecurityGroups": ["a"]}, {"VPCSecurityGroups": []}),
        ("some %d.Properties.VPCSecurityGroups[*] == 'a'", {"VPCSecurityGroups": ["a", "b"]}, {}),
        ("%d.Properties.AssociatedRoles[*].FeatureName == 'x'", {"AssociatedRoles": [{"FeatureName": "x"}]}, {"AssociatedRoles": [{}]}),
        ("%d.Properties.AssociatedRoles !empty", {"AssociatedRoles": [{"FeatureName": "x"}]}, {"AssociatedRoles": []}),
        (
            "%d { Properties.AssociatedRoles[*] { FeatureName exists RoleArn != 'r' } }",
            {"AssociatedRoles": [{"FeatureName": "x", "RoleArn": "s"}]}, {"AssociatedRoles": [{"FeatureName": "x"}]},
        ),
        (
            "%d { Properties.MasterUserSecret { KmsKeyId !exists } }", {"MasterUserSecret": {"SecretArn": "a"}}, {},
        ),
    ],
)  # fmt: skip
def test_clauses(clause: str, passes: dict[str, Any], fails: dict[str, Any]) -> None:
    draft = about(clause)
    assert (verdict(draft, passes), verdict(draft, fails)) == ("PASS", "FAIL")


def test_filters_say_which_resources_are_looked_at() -> None:
    draft = drafted(
        "let d = Resources.*[ Type == 'AWS::RDS::DBInstance' Properties.Engine == 'a' ]\n"
        "rule one when %d !empty { %d.Properties.KmsKeyId exists }"
    )
    assert verdict(draft, {"Engine": "b"}) == "NOT_APPLICABLE"
    assert verdict(draft, {}) == "NOT_APPLICABLE"
    assert verdict(draft, {"Engine": "a"}) == "FAIL"


def test_suppressions_are_left_out_and_said() -> None:
    draft = drafted(
        "let d = Resources.*[ Type == 'AWS::RDS::DBInstance'\n  Metadata.guard.SuppressedRules not exists or\n"
        "  Metadata.guard.SuppressedRules.* != 'X' ]\nrule one when %d !empty { %d.Properties.KmsKeyId exists }"
    )
    assert draft.when is None
    assert any("waiver" in note for note in draft.notes)


def test_a_rule_about_two_types_becomes_two() -> None:
    drafts, left = read_rules(
        b"let a = Resources.*[ Type == 'AWS::SQS::Queue' ]\nlet b = Resources.*[ Type == 'AWS::SNS::Topic' ]\n"
        b"rule one when %a !empty or %b !empty { %a.Properties.KmsMasterKeyId exists %b.Properties.KmsMasterKeyId exists }",
        "r.guard",
    )
    assert left == []
    assert [(draft.id, draft.type) for draft in drafts] == [
        ("one-topic", "AWS::SNS::Topic"), ("one-queue", "AWS::SQS::Queue"),
    ]  # fmt: skip


def test_messages_give_the_words() -> None:
    draft = about("%d.Properties.KmsKeyId exists <<\n Violation: no key {x}\n Fix: set KmsKeyId\n>>")
    assert (draft.message, draft.fix) == ("no key (x)", "set KmsKeyId")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("rule one(x) { %x exists }", 1, "parameters"),
        ("rule one { check(%d.Properties) }", 1, "arguments"),
        ("rule two { %d.Properties.KmsKeyId exists }\nrule one { two }", 2, "another rule"),
        ("rule one {\n %d.Properties.Nonsense exists }", 2, "no property `Nonsense`"),
        ("rule one { %d.Properties.KmsKeyId is_string }", 1, "how a template is written"),
        ("rule one { %d.Properties.Engine == %d.Properties.KmsKeyId }", 1, "two queries"),
        ("rule one { %d.DeletionPolicy == 'Retain' }", 1, "`DeletionPolicy`"),
        ("rule one { Resources.* { Properties exists } }", 1, "every type"),
        ("rule one { %nobody.Properties.A exists }", 1, "does not begin at resources"),
        ("rule one { some %d.Properties.VPCSecurityGroups[0] == 'a' }", 1, "by its number"),
        ("rule one { %d.Properties.BackupRetentionPeriod == 'a' }", 1, "never holds these equal"),
        ("rule one { %d.Properties.Engine == /(a)\\1/ }", 1, "pattern has no counterpart"),
        ("rule one { %d.Properties.Engine == /^a|b$/ }", 1, "anchored"),
        ("rule one { %d.Properties.VPCSecurityGroups == 'a' }", 1, "no single value"),
        ("rule one when %d empty { %d.Properties.Engine exists }", 1, "there is none of a type"),
        ("let s = Resources.*[ Type == 'AWS::SQS::Queue' ]\nrule one when %s !empty { %d.Properties.Engine exists }", 2, "decides about others"),
        ("rule one { %d empty }", 1, "forbids every resource"),
        ("rule one { not %d.Properties.Engine == 'a' }", 1, "`not` before a comparison"),
        ("rule one { some %d { Properties.Engine == 'a' } }", 1, "`some` of a block"),
        ("rule one { %d.Properties.Engine }", 1, "expected an operator"),
        ("rule one { \\ }", 1, "no word of the Guard language"),
        ("rule one { ", 1, "end of the file"),
        ("rule one { %d " + "{ Properties.A " * 60 + " exists", 1, "nested deeper"),
        ("%d.Properties.Engine exists", 1, "a clause outside rules"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_named(text: str, line: int, says: str) -> None:
    drafts, left = read_rules((DB.strip() + " " + text).encode(), "r.guard")
    assert [draft.name for draft in drafts] in ([], ["two"])
    assert says in str(left[0])
    assert str(left[0]).startswith(f"r.guard:{line}:")


def test_a_broken_rule_does_not_take_the_others_with_it() -> None:
    drafts, left = read_rules(
        (DB + "rule bad(x) { %x { A exists } }\nrule one { %d.Properties.Engine exists }").encode(), "r.guard"
    )
    assert ([draft.name for draft in drafts], [each.name for each in left]) == (["one"], ["bad"])
