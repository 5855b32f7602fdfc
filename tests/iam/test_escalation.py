"""Known escalation paths: by documents alone, and over a world of principals with the chain that shows it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from policyengine.iam import escalation
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, anything, read_policy
from policyengine.iam.escalation import Carrier, Principal, Reaches, Step, World, paths_to_admin, render
from policyengine.iam.escalation_paths import PATHS
from policyengine.iam.holding import trust_of
from policyengine.iam.managed import managed_policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.questions import Escalates, escalates, escalations
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.search import Witness
from tests.iam.test_administration import allow, deny, read

HEAD = "arn:aws:iam::111122223333:"
ALICE, BOB, ADMIN = f"{HEAD}user/alice", f"{HEAD}user/bob", f"{HEAD}role/admin"
PASS_TO_EC2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
LAMBDA = ["lambda:CreateFunction", "lambda:InvokeFunction"]

# -- the paths as data ---------------------------------------------------------------------------------


def test_every_path_is_about_actions_that_aws_documents() -> None:
    known = catalogue()
    for path in PATHS:
        assert path.reference.startswith("https://")
        for need in path.needs:
            action = known.action(need.action)
            assert action is not None, need.action
            assert not need.kind or known.resource_type(action.service, need.kind) is not None
    assert len({path.id for path in PATHS}) == len(PATHS) >= 60


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.id)
def test_a_path_is_open_with_exactly_its_actions_and_with_one_fewer_is_not(path: Any) -> None:
    actions = list(dict.fromkeys(n.action for n in path.needs))
    if path.gives == "no boundary":
        assert escalations(read(allow(*actions))) == []
        return
    found = {e.path.id: e for e in escalations(read(allow(*actions)))}
    assert path.id in found
    assert found[path.id].limited is None
    for left_out in actions:
        fewer = [a for a in actions if a != left_out]
        assert not fewer or path.id not in {e.path.id for e in escalations(read(allow(*fewer)))}


# -- documents alone -----------------------------------------------------------------------------------

OPEN: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a new version of an own policy": ([allow("iam:CreatePolicyVersion")], "iam:CreatePolicyVersion"),
    "by a pattern": ([allow("iam:Create*")], "iam:CreatePolicyVersion"),
    "an own inline policy": (
        [allow("iam:PutUserPolicy", on="arn:aws:iam::*:user/${aws:username}")], "iam:PutUserPolicy",
    ),
    "a role to a function": (
        [allow("iam:PassRole", *LAMBDA)], "iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction",
    ),
    "a role to functions of one name": (
        [allow("iam:PassRole"), allow(*LAMBDA, on="arn:aws:lambda:eu-west-1:111122223333:function:app-*")],
        "iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction",
    ),
    "with MFA": (
        [allow("iam:CreateAccessKey", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})],
        "iam:CreateAccessKey",
    ),
    "a new user below a path": (
        [allow("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", on="arn:aws:iam::*:user/app/*")],
        "iam:CreateUser+iam:PutUserPolicy+iam:CreateAccessKey",
    ),
    "a role of one account": ([allow("sts:AssumeRole", on=f"{HEAD}role/*")], "sts:AssumeRole"),
}  # fmt: skip
LIMITED = {
    "one user's keys": [allow("iam:CreateAccessKey", on=BOB)],
    "one role": [allow("iam:PassRole", on=ADMIN), allow(*LAMBDA)],
    "one role to assume": [allow("sts:AssumeRole", on=ADMIN)],
    "one policy to attach": [
        allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": f"{HEAD}policy/x"}})
    ],
    "only within a boundary": [
        allow("iam:PutUserPolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": f"{HEAD}policy/b"}})
    ],
    "tagged instances": [
        allow("ssm:StartSession", Condition={"StringEquals": {"ssm:resourceTag/team": "a"}}),
    ],
    "documents nobody can read": [],
}
CLOSED = {
    "own keys": [allow("iam:CreateAccessKey", on="arn:aws:iam::*:user/${aws:username}")],
    "a role to another service": [
        allow("iam:PassRole", Condition=PASS_TO_EC2), allow(*LAMBDA, on="*"),
    ],
    "denied": [allow("iam:PassRole", *LAMBDA), deny("iam:PassRole")],
    "denied on roles": [allow("iam:PassRole", *LAMBDA), deny("iam:PassRole", on="arn:aws:iam::*:role/*")],
    "reading": [allow("iam:Get*", "iam:List*", "s3:*", "ec2:Describe*")],
    "administrator": [allow("*")],
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_open_path(name: str) -> None:
    statements, path = OPEN[name]
    policies = read(*statements)
    found = {e.path.id: e for e in escalations(policies)}
    assert found[path].limited is None
    answer = escalates(policies)
    assert isinstance(answer, Escalates)
    for witness in answer.escalation.requests:
        assert _allowed(witness, policies)


@pytest.mark.parametrize("name", LIMITED)
def test_a_path_to_what_the_documents_name_depends_on_what_that_is(name: str) -> None:
    policies = read(*LIMITED[name]) if LIMITED[name] else [_unread()]
    answer = escalates(policies)
    assert isinstance(answer, Unknown)
    assert answer.why
    assert all(e.limited for e in escalations(policies))


@pytest.mark.parametrize("name", CLOSED)
def test_closed(name: str) -> None:
    policies = read(*CLOSED[name])
    assert isinstance(escalates(policies), No)
    assert escalations(policies) == []


def test_of_a_principal_that_is_known() -> None:
    policies = read(allow("iam:PutRolePolicy", on=f"{HEAD}role/app"))
    assert isinstance(escalates(policies, f"{HEAD}role/app"), Escalates)
    assert isinstance(escalates(policies, f"{HEAD}role/other"), No)
    assert isinstance(escalates(policies, ALICE), No)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IAMFullAccess", Escalates), ("PowerUserAccess", Escalates), ("AWSLambda_FullAccess", Escalates),
        ("AmazonSSMFullAccess", Escalates), ("ReadOnlyAccess", No), ("SecurityAudit", No),
        ("job-function/ViewOnlyAccess", No), ("AmazonS3FullAccess", No), ("AdministratorAccess", No),
    ],
)  # fmt: skip
def test_policies_that_aws_manages(name: str, expected: type) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""
    policies = [read_policy(managed_policy(f"arn:aws:iam::aws:policy/{name}") or {}, "identity")]
    assert isinstance(escalates(policies), expected)


def test_without_any_of_the_actions_nothing_is_open() -> None:
    rng = random.Random(7)
    used = {n.action.lower() for p in PATHS for n in p.needs}
    others = [n for n in catalogue().names if n.lower() not in used]
    for _ in range(40):
        statements = [allow(*rng.sample(others, 30), on=rng.choice(("*", "arn:aws:*"))) for _ in range(3)]
        assert isinstance(escalates(read(*statements)), No)


def test_with_any_of_the_actions_every_request_of_an_open_path_is_allowed() -> None:
    rng = random.Random(8)
    used = sorted({n.action for p in PATHS for n in p.needs})
    places = (
        "*",
        "*",
        f"{HEAD}role/*",
        "arn:aws:iam::*:user/*",
        f"{HEAD}role/app",
        "arn:aws:lambda:*:*:function:*",
    )
    conditions: tuple[dict[str, Any], ...] = (
        {}, {}, PASS_TO_EC2, {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    )  # fmt: skip
    seen = 0
    for _ in range(60):
        statements = []
        for _ in range(3):
            one = allow(*rng.sample(used, 25), on=rng.choice(places), Condition=rng.choice(conditions))
            one["Effect"] = rng.choice(("Allow", "Allow", "Allow", "Deny"))
            statements.append({k: v for k, v in one.items() if v != {}})
        policies = read(*statements)
        for found in escalations(policies):
            seen += 1
            assert all(_allowed(w, policies) for w in found.requests)
    assert seen > 100


def _allowed(witness: Witness, policies: list[Policy]) -> bool:
    trust = trust_of(witness.principal.split(":")[4]) if witness.action == "sts:AssumeRole" else None
    decision = authorize(witness.request(), Policies(identity=policies, resource=trust))
    return decision.outcome == "Allowed" and not decision.unknown


def _unread() -> Policy:
    return Policy("identity", "2012-10-17", None, anything("identity", Opaque("not read")))


# -- a world -------------------------------------------------------------------------------------------


def trust(*services: str, aws: str | None = None) -> Policy:
    named: dict[str, Any] = {"Service": list(services)} if services else {}
    if aws:
        named["AWS"] = aws
    allowed = {"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole"}
    return read_policy({"Version": "2012-10-17", "Statement": allowed}, "trust")


def user(name: str, *statements: dict[str, Any], **more: Any) -> Principal:
    documents = read(*statements) if statements else []
    return Principal(f"{HEAD}user/{name}", documents, **{"managed": (), "groups": (), **more})


def role(name: str, trusted: Policy | None, *statements: dict[str, Any], **more: Any) -> Principal:
    documents = read(*statements) if statements else []
    return Principal(f"{HEAD}role/{name}", documents, trust=trusted, **{"managed": (), "groups": (), **more})


def world(*principals: Principal, carriers: Any = ()) -> World:
    return World({p.arn: p for p in principals}, carriers)


def boundary(*statements: dict[str, Any]) -> Policy:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)}, "boundary")


def scps(*statements: dict[str, Any]) -> list[list[Policy]]:
    return [[read_policy({"Version": "2012-10-17", "Statement": [allow("*"), *statements]}, "scp")]]


ADMIN_OF_LAMBDA = role("admin", trust("lambda.amazonaws.com"), allow("*"))
FUNCTION = Carrier("arn:aws:lambda:eu-west-1:111122223333:function:f", "lambda.amazonaws.com", ADMIN)
PASSES = [allow("iam:PassRole", *LAMBDA)]
CHAIN = (
    user("alice", allow("sts:AssumeRole", on=f"{HEAD}role/b")),
    role("b", trust(aws=ALICE), allow("iam:CreateAccessKey", on=f"{HEAD}user/carol")),
    user("carol", allow("*")),
)
REACHED: dict[str, tuple[World, list[str]]] = {
    "a role to a service it trusts": (
        world(user("alice", *PASSES), ADMIN_OF_LAMBDA), ["iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction"],
    ),
    "over another role": (world(*CHAIN), ["sts:AssumeRole", "iam:CreateAccessKey"]),
    "a trust policy that names it is enough": (
        world(user("alice", allow("s3:GetObject")), role("b", trust(aws=ALICE), allow("*"))), ["sts:AssumeRole"],
    ),
    "rewriting the trust policy": (
        world(user("alice", allow("iam:UpdateAssumeRolePolicy")), role("b", trust("ec2.amazonaws.com"), allow("*"))),
        ["iam:UpdateAssumeRolePolicy"],
    ),
    "a group": (
        world(user("alice", allow("iam:AddUserToGroup")), Principal(f"{HEAD}group/admins", read(allow("*")))),
        ["iam:AddUserToGroup"],
    ),
    "a function that runs with the role": (
        world(user("alice", allow("lambda:UpdateFunctionCode")), ADMIN_OF_LAMBDA, carriers=[FUNCTION]),
        ["lambda:UpdateFunctionCode"],
    ),
    "an attached policy": (
        world(user("alice", allow("iam:CreatePolicyVersion", on=f"{HEAD}policy/a"), managed=(f"{HEAD}policy/a",))),
        ["iam:CreatePolicyVersion"],
    ),
    "without its boundary": (
        world(user("alice", allow("iam:*"), boundary=boundary(allow("iam:PutUserPolicy", "iam:DeleteUser*")))),
        ["iam:PutUserPolicy", "iam:DeleteUserPermissionsBoundary"],
    ),
    "a new user": (
        world(user("alice", allow("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"),
                   deny("iam:AttachUserPolicy", on=ALICE))),
        ["iam:CreateUser+iam:AttachUserPolicy+iam:CreateAccessKey"],
    ),
}  # fmt: skip
NOT_REACHED: dict[str, World] = {
    "the role trusts another service": world(
        user("alice", allow("iam:PassRole", "ec2:RunInstances")), ADMIN_OF_LAMBDA
    ),
    "the role trusts somebody else": world(
        CHAIN[0], role("b", trust(aws=BOB), allow("*")), user("bob", allow("s3:GetObject"))
    ),
    "a boundary": world(user("alice", allow("iam:PutUserPolicy"), boundary=boundary(allow("iam:PutUserPolicy")))),
    "an SCP": world(user("alice", allow("iam:PutUserPolicy"), scps=scps(deny("iam:Put*"))), ADMIN_OF_LAMBDA),
    "no more than it has": world(
        user("alice", allow("s3:GetObject", "sts:AssumeRole")), role("b", trust(aws=ALICE), allow("s3:GetObject"))
    ),
    "no function runs with the role": world(user("alice", allow("lambda:UpdateFunctionCode")), ADMIN_OF_LAMBDA),
    "a policy that is not attached": world(
        user("alice", allow("iam:CreatePolicyVersion", on=f"{HEAD}policy/other"), managed=(f"{HEAD}policy/a",))
    ),
    "keys of one service to a user without it": world(
        user("alice", allow("iam:CreateServiceSpecificCredential")), user("bob", allow("s3:*"))
    ),
    "an administrator": world(user("alice", allow("*")), ADMIN_OF_LAMBDA),
    "a carrier of another kind": world(
        user("alice", allow("lambda:UpdateFunctionCode")), ADMIN_OF_LAMBDA,
        carriers=[Carrier("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "lambda.amazonaws.com", ADMIN)],
    ),
    "another account's role that does not trust it": World({
        ALICE: user("alice", allow("sts:AssumeRole")),
        "arn:aws:iam::444455556666:role/x": Principal(
            "arn:aws:iam::444455556666:role/x", read(allow("*")), trust=trust(aws="arn:aws:iam::444455556666:root")
        ),
    }, ()),
}  # fmt: skip
NOT_KNOWN: dict[str, tuple[World, str]] = {
    "carriers": (
        World({p.arn: p for p in (user("alice", allow("lambda:UpdateFunctionCode")), ADMIN_OF_LAMBDA)}, None),
        "runs with this role",
    ),
    "the trust policy": (world(user("alice", *PASSES), role("admin", None, allow("*"))), "trust policy"),
    "attached policies": (world(user("alice", allow("iam:CreatePolicyVersion"), managed=None)), "attached"),
    "the principal's documents": (
        world(user("alice", allow("s3:GetObject"), opaque=("a macro",))),
        "a macro",
    ),
}


@pytest.mark.parametrize("name", REACHED)
def test_reaches_more_by_a_shortest_chain_of_allowed_requests(name: str) -> None:
    there, expected = REACHED[name]
    found = escalation.escalates(there, ALICE)
    assert isinstance(found, Reaches)
    steps = paths_to_admin(there, ALICE)
    assert [s.path for s in steps] == expected
    assert steps[-1].path in render(steps) or steps[-1].requests[0].action in render(steps)
    for step in (*steps, *found.steps):
        _verify(there, step)
    _gained(there, found)


@pytest.mark.parametrize("name", NOT_REACHED)
def test_reaches_no_more(name: str) -> None:
    assert isinstance(escalation.escalates(NOT_REACHED[name], ALICE), No)
    assert paths_to_admin(NOT_REACHED[name], ALICE) == []


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_what_is_not_known_is_told(name: str) -> None:
    there, why = NOT_KNOWN[name]
    found = escalation.escalates(there, ALICE)
    assert isinstance(found, Unknown)
    assert why in " ".join(found.why)


def test_ten_thousand_principals_end() -> None:
    quiet = [role(f"r{i}", trust("ec2.amazonaws.com"), allow("s3:GetObject")) for i in range(10_000)]
    assert isinstance(escalation.escalates(world(user("alice", allow("sts:AssumeRole")), *quiet), ALICE), No)
    account = trust(aws=f"{HEAD}root")
    mesh = [role(f"r{i}", account, allow("sts:AssumeRole")) for i in range(10_000)]
    found = escalation.escalates(world(user("alice", allow("sts:AssumeRole")), *mesh), ALICE)
    assert isinstance(found, Unknown)
    assert found.why == ("too_large",)


def test_random_worlds_every_step_is_allowed_and_the_end_is_more() -> None:
    rng = random.Random(11)
    used = [*sorted({n.action for p in PATHS for n in p.needs}), "s3:GetObject", "sqs:SendMessage"]
    seen = {"Reaches": 0, "No": 0, "Unknown": 0}
    for _ in range(60):
        people = [user(n, allow(*rng.sample(used, 4))) for n in ("alice", "bob")]
        trusted = [
            trust("lambda.amazonaws.com"),
            trust(aws=ALICE),
            trust(aws=f"{HEAD}root"),
            trust("ec2.amazonaws.com"),
        ]
        people += [
            role(f"r{i}", rng.choice(trusted), allow(*rng.sample(used, 4), on=rng.choice(("*", f"{HEAD}*"))))
            for i in range(4)
        ]
        there = world(*people)
        found = escalation.escalates(there, ALICE)
        seen[type(found).__name__] += 1
        if isinstance(found, Reaches):
            for step in found.steps:
                _verify(there, step)
            _gained(there, found)
    assert seen["Reaches"] > 10
    assert seen["No"] > 5
    assert seen["Unknown"] == 0


def _verify(there: World, step: Step) -> None:
    """Every request is allowed to the principal in its state, roles' own trust policies included."""
    who = there.principals.get(step.source.arn)
    assert who is not None
    extra = read(allow("*")) if step.source.anything else []
    if step.source.group:
        extra += list(there.principals[step.source.group].identity)
    for witness in step.requests:
        assert witness.principal == who.arn
        trusted = None
        if witness.action == "sts:AssumeRole":
            rewritten = "iam:UpdateAssumeRolePolicy" in step.path
            trusted = trust(aws=who.arn) if rewritten else there.principals[witness.resource].trust
        decision = authorize(
            witness.request(),
            Policies(
                identity=[*who.identity, *extra],
                boundary=None if step.source.unbounded else who.boundary,
                scps=who.scps,
                resource=trusted,
            ),
        )
        assert decision.outcome == "Allowed"
        assert not decision.unknown


def _gained(there: World, found: Reaches) -> None:
    who = there.principals[ALICE]
    witness = found.witness
    same = Witness(ALICE, witness.action, witness.resource, witness.context)
    had = authorize(
        same.request("111122223333"), Policies(who.identity, boundary=who.boundary, scps=who.scps)
    )
    assert had.outcome != "Allowed"
    assert isinstance(found, Yes)


@pytest.mark.parametrize("principal", [None, "arn:aws:iam::111122223333:role/app"])
@pytest.mark.parametrize("hole", [{"Effect": Opaque("hole")}, {"Resource": Opaque("hole")}])
def test_a_request_on_anything_that_may_be_allowed_leaves_the_path_open(
    hole: dict[str, Any], principal: str | None
) -> None:
    own = {"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    policy = read_policy({"Version": "2012-10-17", "Statement": [passing, {**own, **hole}]}, "identity")
    answer = escalates([policy], principal)
    assert isinstance(answer, Unknown)
    assert "lambda:CreateFunction" in answer.why[0]
