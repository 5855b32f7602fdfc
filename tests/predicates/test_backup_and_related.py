"""Conformance data of the predicates about AWS Backup, related resources and lists, and laws of what they read."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.predicates import lists, related
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.backup import table as backup
from policyengine.rules.predicates.backup.selection import ARNS, like, selects
from policyengine.rules.predicates.net.spans_zones import SPANS_ZONES

from .conformance import subject

PREDICATES: dict[str, Predicate] = {
    p.name: p for p in (*backup.PREDICATES, *related.PREDICATES, *lists.PREDICATES, SPANS_ZONES)
}


@given(st.text("ab:", max_size=12), st.text("ab*:", max_size=8))
def test_stars_match_as_in_a_shell(text: str, pattern: str) -> None:
    assert like(text, pattern) is fnmatch.fnmatchcase(text, pattern)


def test_a_hostile_pattern_takes_linear_time() -> None:
    assert not like("a" * 20_000, "a*" * 10_000 + "b")


_PATTERNS = st.lists(
    st.sampled_from(
        [
            "*", "arn:aws:dynamodb:*", "arn:aws:dynamodb:*:*:table/*", "arn:aws:dynamodb:eu-west-1:*:table/o*",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "arn:aws:rds:*", "arn:aws:dynamodb:*:*:t*",
        ]
    ),
    max_size=2,
)  # fmt: skip
_TAGS = st.dictionaries(st.sampled_from(["Backup", "Stage"]), st.sampled_from(["daily", "none"]), max_size=2)


def _selection(resources: list[str], excluded: list[str], tags: dict[str, str], negated: bool) -> Resource:
    entries = [{"ConditionKey": f"aws:ResourceTag/{k}", "ConditionValue": v} for k, v in tags.items()]
    body = {
        "Resources": resources,
        "NotResources": excluded,
        "Conditions": {"StringNotEquals" if negated else "StringEquals": entries},
    }
    return Resource("AWS::Backup::BackupSelection", "s", None, None, {"BackupSelection": body})


@given(_PATTERNS, _PATTERNS, _TAGS, st.booleans(), _TAGS)
def test_what_code_decides_stays_decided_when_it_is_deployed(
    resources: list[str], excluded: list[str], wanted: dict[str, str], negated: bool, tags: dict[str, str]
) -> None:
    """A template knows neither its ARN nor a parameter's value; what it says must hold for each of them."""
    selection = _selection(resources, excluded, wanted, negated)
    unknown: dict[str, Any] = {key: Unresolved("unresolved_reference") for key in tags}
    code = Resource("AWS::DynamoDB::Table", "Orders", None, None, {}, tags=unknown, file="t.yaml")
    before = selects(selection, code)
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    live = Resource(
        "AWS::DynamoDB::Table", "orders", "111122223333", "eu-west-1", {}, arn=arn, tags=dict(tags)
    )
    after = selects(selection, live)
    assert before in (UNKNOWN, after)


@pytest.mark.parametrize("kind", sorted(ARNS))
def test_the_type_and_the_arn_of_a_resource_agree(kind: str) -> None:
    service, prefix = ARNS[kind]
    place = ":" if service == "s3" else "eu-west-1:111122223333"
    arn = f"arn:aws:{service}:{place}:{prefix}x"
    shown = Resource(kind, "x", "111122223333", "eu-west-1", {}, arn=arn, tags={})
    hidden = Resource(kind, "x", "111122223333", "eu-west-1", {}, tags={})
    for pattern, truth in ((arn, TRUE), (f"arn:aws:{service}:*", TRUE), (f"{arn}y", FALSE)):
        selection = _selection([pattern], [], {}, negated=False)
        assert selects(selection, shown) is selects(selection, hidden) is truth


@pytest.mark.parametrize("attribute", ["LatestVersionNumber", "DefaultVersionNumber", "latest_version"])
def test_the_number_of_a_template_in_the_same_code_is_pinned(attribute: str) -> None:
    version = Unresolved("known_after_apply", present=True, target=("Template", attribute))
    asked = subject({"properties": {}})
    asked.resource.properties["Version"] = version
    assert PREDICATES["related.version_pinned"].check(asked, field=("Version",)).truth is TRUE
