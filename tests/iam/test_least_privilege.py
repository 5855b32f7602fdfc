"""What policies allow on anything, by what they leave out, whole services; tags, boundaries, tenants."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.bounds_held import sheds_boundary
from policyengine.iam.breadth import breadth
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.exposure import own_policy
from policyengine.iam.glob import compile_glob
from policyengine.iam.holding import Holder
from policyengine.iam.reaching import Reached, Reacher, reaches, told_apart
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.request import Request
from policyengine.iam.statement_kinds import negated, whole_services
from policyengine.iam.trusted_tags import changes

ROLE = "arn:aws:iam::111122223333:role/app"
Body = dict[str, Any]


def policy(*statements: Body, kind: Any = "identity") -> Policy:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def allow(action: Any = None, resource: Any = "*", condition: Any = None, **more: Any) -> Body:
    body: Body = {"Effect": "Allow", **more}
    if action is not None:
        body["Action"] = action
    if resource is not None:
        body["Resource"] = resource
    return {**body, "Condition": condition} if condition else body


def deny(action: Any, resource: Any = "*", condition: Any = None) -> Body:
    return {**allow(action, resource, condition), "Effect": "Deny"}


# -- on anything ------------------------------------------------------------------------------------------


def test_each_finding_names_its_statements_and_actions() -> None:
    first = policy(allow("s3:GetObject", "arn:aws:s3:::data/*"), allow(["s3:GetObject", "s3:PutObject"]))
    second = policy(allow("s3:DeleteObject"))
    bits = catalogue().matching("s3:*Object")
    found = {f.statements: f.names(9) for f in breadth(Holder(ROLE, [first, second]), bits).found}
    assert found[(0, 1),] == ["s3:GetObject", "s3:PutObject"]
    assert found[(1, 0),] == ["s3:DeleteObject"]


def test_a_bound_on_what_is_asked_is_not_silence() -> None:
    known = catalogue()
    names = [known.names[at] for at in range(0, 20_000, 9)]
    body = [allow(name, f"arn:aws:s3:::b{at}") for at, name in enumerate(names[:900])]
    found = breadth(Holder(ROLE, [policy(*body)]), known.all)
    assert not found.found
    assert found.why in ((), ("too_large",))


ACTIONS = ["s3:GetObject", "s3:PutObject", "kms:Decrypt", "sqs:SendMessage", "iam:PassRole"]
PATTERNS = [
    "*", "arn:aws:s3:::data/*", "arn:aws:s3:::*", "arn:aws:kms:*:*:key/*", "arn:aws:kms:eu-west-1:111122223333:key/k",
    "arn:aws:sqs:*:111122223333:*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/x",
]  # fmt: skip
CONDITIONS = [
    None,
    {"StringEquals": {"aws:ResourceTag/a": "b"}},
    {"StringEqualsIfExists": {"aws:ResourceTag/a": "b"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"Bool": {"aws:SecureTransport": "true"}},
]


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    actions = draw(st.lists(st.sampled_from([*ACTIONS, "s3:*", "*"]), min_size=1, max_size=2))
    resources = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))
    body = allow(actions, resources, draw(st.sampled_from(CONDITIONS)))
    if draw(st.booleans()):
        body["NotResource"] = body.pop("Resource")
    return {**body, "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}


@settings(max_examples=60, deadline=None)
@given(st.lists(bodies(), min_size=1, max_size=4))
def test_what_is_allowed_on_a_name_nobody_wrote_is_allowed_on_another(statements: list[Body]) -> None:
    holder = Holder(ROLE, [policy(*statements)])
    for found in breadth(holder, catalogue().matching_any(ACTIONS)).found:
        shown = found.witness
        for resource in (shown.resource, shown.resource.replace("zz-any", "Other.qq")):
            request = Request(shown.principal, shown.action, resource, dict(shown.context))
            own = own_policy(shown.action, "111122223333")
            assert authorize(request, Policies(identity=holder.identity, resource=own)).outcome == "Allowed"
        assert found.statements


@settings(max_examples=40, deadline=None)
@given(st.lists(bodies(), min_size=1, max_size=3), bodies())
def test_a_deny_more_allows_nothing_more(statements: list[Body], more: Body) -> None:
    bits = catalogue().matching_any(ACTIONS)
    before = breadth(Holder(ROLE, [policy(*statements)]), bits)
    after = breadth(Holder(ROLE, [policy(*statements, {**more, "Effect": "Deny"})]), bits)
    had = {name for f in before.found for name in f.names(99)}
    has = {name for f in after.found for name in f.names(99)}
    assert has <= had


# -- statements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([allow(NotAction="iam:*")], [0]),
        ([allow(NotAction="iam:*"), deny("*")], []),
        ([allow(NotAction="iam:*"), {**deny(None), "NotAction": "iam:*"}], []),
        ([deny("s3:*"), allow(NotAction=["s3:*"])], [1]),
        ([{**deny(None), "NotAction": "iam:*"}], []),
    ],
)
def test_allow_with_not_action(statements: list[Body], found: list[int]) -> None:
    got = negated([policy(*statements)], "action")
    assert [one.place.statement for one in got] == found
    assert all(one.witness is not None for one in got)


def test_services_that_one_statement_allows_whole() -> None:
    one = whole_services([policy(allow(["sqs:*", "s3:Get*"]), allow("sns:*", "arn:aws:sns:*:*:t"))], ())
    assert [(f.place.statement, f.services) for f in one] == [(0, ("sqs",)), (1, ("sns",))]
    assert [f.witness.action.partition(":")[0] for f in one if f.witness] == ["sqs", "sns"]
    assert whole_services([policy(allow("rds-db:connect"))], ()) == []
    assert whole_services([policy(allow("rds-db:connect"))], ("rds-db",))


# -- tags -------------------------------------------------------------------------------------------------

SHOP = {"StringEquals": {"aws:ResourceTag/team": "shop"}}


def tags(*statements: Body, boundary: Policy | None = None) -> list[tuple[str, str, bool]]:
    found = changes([policy(*statements)], boundary, ROLE)
    return [(c.trusted.of, c.trusted.tag, c.trusted.lets_in) for c in found]


def test_a_tag_of_any_resource_may_be_set() -> None:
    assert tags(allow("ec2:StopInstances", "*", SHOP), allow("ec2:CreateTags")) == [
        ("resource", "team", True)
    ]
    assert tags(allow("ec2:StopInstances", "*", SHOP)) == []
    limit = policy(allow(["ec2:Stop*"]))
    assert tags(allow("ec2:StopInstances", "*", SHOP), allow("ec2:CreateTags"), boundary=limit) == []


def test_everything_under_a_tag_is_asked_in_bounded_time() -> None:
    assert tags(allow("*", "*", SHOP)) == []
    assert tags(allow("*", "*", SHOP), allow("ec2:CreateTags")) == [("resource", "team", True)]


def test_what_is_passed_over_trusts_nothing_but_allows() -> None:
    trusting, tagging = policy(allow("ec2:StopInstances", "*", SHOP)), policy(allow("ec2:CreateTags"))
    assert changes([trusting, tagging], None, ROLE)
    assert not changes([trusting, tagging], None, ROLE, {0})
    assert changes([trusting, tagging], None, ROLE, {1})


# -- boundaries, tenants ----------------------------------------------------------------------------------


def test_a_boundary_that_is_not_named_may_be_any() -> None:
    everything = policy(allow("*"))
    own = policy(allow("iam:DeleteRolePermissionsBoundary", ROLE))
    assert isinstance(sheds_boundary([own], everything, None, ROLE), Yes)
    other = policy(allow("iam:DeleteRolePermissionsBoundary", "arn:aws:iam::111122223333:role/other"))
    assert sheds_boundary([other], everything, None, ROLE) == No()


BUCKET = "arn:aws:s3:::globex-data"


def reached(*statements: Body, bucket: Policy | None = None, **own: str) -> Any:
    who = Reacher(ROLE, [policy(*statements)], None, own)
    return reaches(who, Reached(BUCKET, (f"{BUCKET}/*",), "s3", bucket, {"Tenant": "globex"}))


def test_a_bucket_is_reached_by_either_policy() -> None:
    assert isinstance(reached(allow("s3:GetObject")), Yes)
    assert reached(allow("s3:GetObject", "arn:aws:s3:::acme-*")) == No()
    trusting = policy({**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": ROLE}}, kind="resource")
    assert isinstance(reached(allow("sqs:*"), bucket=trusting), Yes)
    closed = policy({**deny("s3:*", [BUCKET, f"{BUCKET}/*"]), "Principal": "*"}, kind="resource")
    assert reached(allow("s3:*"), bucket=closed) == No()


def test_tags_of_both_sides_decide() -> None:
    same = allow("s3:*", "*", {"StringEquals": {"aws:ResourceTag/Tenant": "${aws:PrincipalTag/Tenant}"}})
    assert reached(same, Tenant="acme") == No()
    assert isinstance(reached(same, Tenant="globex"), Yes)
    assert not isinstance(reached(same), Yes)
    prefix = allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/Tenant}-*")
    assert reached(prefix, Tenant="acme") == No()
    assert isinstance(reached(prefix, Tenant="globex"), Yes)


def test_a_tag_that_is_missing_is_not_guessed() -> None:
    answer = reached(allow("s3:*", "*", {"StringEquals": {"aws:PrincipalTag/Tenant": "globex"}}))
    assert isinstance(answer, No | Unknown)


NAMES = st.text("ab-", min_size=1, max_size=4)
HEADS = st.sampled_from(["arn:aws:s3:::", "arn:*:s3:::", "arn:aws:sqs:*:*:", "arn:aws:s3"])
TEXTS = st.one_of(st.just("*"), st.tuples(HEADS, st.text("ab-*/", max_size=5)).map("".join))


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), NAMES, NAMES)
def test_resources_that_statements_see_alike_are_reached_alike(
    patterns: list[str], one: str, two: str
) -> None:
    document = [policy(allow("s3:*", patterns))]
    seen = [told_apart(document, Reached(f"arn:aws:s3:::{n}", (), "s3", None, {})) for n in (one, two)]
    if seen[0] is None or seen[0] != seen[1] or 2 in seen[0]:
        return
    for below in ("", "/a", "/b-/a"):
        matched = [[compile_glob(p)(f"arn:aws:s3:::{n}{below}") for p in patterns] for n in (one, two)]
        assert matched[0] == matched[1]


def test_long_lists_of_values_on_every_action_end() -> None:
    """One search compares the values of a key with one another; many searches of many values are not made."""
    tag = "aws:PrincipalTag/x"
    first = allow("*", condition={"StringEquals": {tag: [f"v{i}" for i in range(2_000)]}})
    second = deny("*", condition={"StringLike": {tag: [f"*v{i}*" for i in range(2_000)]}})
    started = time.process_time()
    found = breadth(Holder(ROLE, [policy(first, second)]), catalogue().all)
    assert time.process_time() - started < 15
    assert found.found == ()
    assert found.why == ("too_large",)


def test_lists_that_people_write_are_searched() -> None:
    blocks = [f"10.{i}.0.0/16" for i in range(100)]
    body = allow("*", condition={"IpAddress": {"aws:SourceIp": blocks}})
    bits = catalogue().matching_any(["s3:*", "ec2:*"])
    found = breadth(Holder(ROLE, [policy(body)]), bits)
    assert found.why == ()
    assert {one.statements for one in found.found} == {((0, 0),)}
    assert sum(one.bits.bit_count() for one in found.found) == bits.bit_count()
