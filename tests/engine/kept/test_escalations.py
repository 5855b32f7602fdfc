"""An account whose principals come by each other, from day to day: the same chains as without results.

Every answer about a chain rests on those it came by, and on whom else there is. The second test takes each of these
recordings out and must see it: a law that can't fail holds nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.engine.kept.recording import Recorder
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved
from policyengine.rules.iam.everybody import TABLES
from policyengine.rules.iam.organizations import TYPES as ORGANIZATION
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.privilege.table import CARRIERS

from .memory import InMemory, State, both

ACCOUNT, OTHER = "111122223333", "arn:aws:iam::999988887777:root"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
RULES = [form for form in load_packs().rules if form["id"] == "iam-no-path-to-administrator"]
ROLES, USERS, GROUPS, POLICIES = (
    tuple(f"{kind}{n}" for n in range(m)) for kind, m in zip("rugp", (6, 3, 2, 5), strict=True)
)
COVERED = {*TABLES, *CARRIERS, *ORGANIZATION}
DEEDS: tuple[tuple[list[str], str], ...] = (
    (["s3:GetObject"], "*"),
    (["*"], "*"),
    (["sts:AssumeRole"], "*"),
    (["sts:AssumeRole"], f"arn:aws:iam::{ACCOUNT}:role/r1"),
    (["sts:AssumeRole"], f"arn:aws:iam::{ACCOUNT}:role/r3"),
    (["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*"),
    (["lambda:UpdateFunctionCode"], "*"),
    (["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"], f"arn:aws:iam::{ACCOUNT}:role/r2"),
    (["iam:CreateAccessKey"], f"arn:aws:iam::{ACCOUNT}:user/u1"),
    (["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"], "*"),
    (["iam:AddUserToGroup"], "*"),
    (["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"], "*"),
    (["iam:CreatePolicyVersion"], f"arn:aws:iam::{ACCOUNT}:policy/p1"),
)  # fmt: skip
TRUSTED: tuple[dict[str, Any], ...] = (
    {"Service": "lambda.amazonaws.com"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/r0"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:user/u0"},
    {"AWS": OTHER},
)


def arn(kind: str, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


class Account:
    """What there is, and what becomes of it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.found: dict[tuple[str, str], Resource] = {}
        for name in POLICIES:
            self._add("ManagedPolicy", name, {"ManagedPolicyName": name, "PolicyDocument": self._document()})
        for name in GROUPS:
            self._add("Group", name, {"GroupName": name, "ManagedPolicyArns": self._attached()})
        for name in USERS:
            self._add("User", name, {"UserName": name, "Groups": self._some(GROUPS), "ManagedPolicyArns": []})
        for name in ROLES:
            self._add(
                "Role", name, {"RoleName": name, "ManagedPolicyArns": self._attached(), **self._trust()}
            )
        for name in ("f0", "f1"):
            own = {"FunctionName": name, "Role": arn("role", self.rng.choice(ROLES)), "MemorySize": 128}
            self.found["f", name] = Resource(
                "AWS::Lambda::Function", name, ACCOUNT, "eu-west-1", own, tags={}
            )
        self.types = set(COVERED)

    def _add(self, kind: str, name: str, properties: dict[str, Any]) -> None:
        own = arn("policy" if kind == "ManagedPolicy" else kind.lower(), name)
        resource = Resource(f"AWS::IAM::{kind}", name, ACCOUNT, "global", properties, own, tags={})
        self.found[kind, name] = resource

    def _document(self) -> dict[str, Any]:
        said = self.rng.choices(DEEDS, (9, 1, *(2,) * (len(DEEDS) - 2)), k=self.rng.randint(1, 2))
        each = [{"Effect": "Allow", "Action": actions, "Resource": on} for actions, on in said]
        return {"Version": "2012-10-17", "Statement": each}

    def _trust(self) -> dict[str, Any]:
        own = {"Effect": "Allow", "Principal": self.rng.choice(TRUSTED), "Action": "sts:AssumeRole"}
        return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [own]}}

    def _some(self, names: tuple[str, ...]) -> list[str]:
        return self.rng.sample(names, self.rng.choice((0, 0, 1)))

    def _attached(self) -> list[str]:
        return [arn("policy", name) for name in self.rng.sample(POLICIES, self.rng.choice((0, 1, 1, 2)))]

    def state(self) -> State:
        coverage: Coverage = frozenset(
            (ACCOUNT, region, type_) for type_ in self.types for region in ("global", "eu-west-1")
        )
        failed = {}
        if "AWS::IAM::User" not in self.types:
            why = Unresolved("throttled", "the call")
            failed = {(ACCOUNT, "global", "AWS::IAM::User"): why}
        resources = sorted(self.found.values(), key=lambda r: r.identity)
        return State(resources, coverage, NOW, failed)

    def pass_by(self) -> None:
        """Change one thing."""
        edits: tuple[Callable[[], None], ...] = (
            self._rewrite, self._rewrite, self._retrust, self._attach, self._bound, self._join, self._rename,
            self._remove, self._run, self._uncover, self._unimportant,
        )  # fmt: skip
        self.rng.choice(edits)()

    def _of(self, *kinds: str) -> Resource:
        return self.rng.choice([r for (kind, _), r in self.found.items() if kind in kinds])

    def _set(self, resource: Resource, **properties: Any) -> None:
        kept = {**resource.properties, **properties}
        changed = {key: value for key, value in kept.items() if value is not None}
        key = next(key for key, one in self.found.items() if one is resource)
        self.found[key] = Resource(
            resource.type,
            resource.id,
            resource.account,
            resource.region,
            changed,
            resource.arn,
            resource.tags,
        )

    def _rewrite(self) -> None:
        self._set(self._of("ManagedPolicy"), PolicyDocument=self._document())

    def _retrust(self) -> None:
        self._set(self._of("Role"), **self._trust())

    def _attach(self) -> None:
        self._set(self._of("Role", "Group", "User"), ManagedPolicyArns=self._attached())

    def _bound(self) -> None:
        limit = self.rng.choice((None, arn("policy", self.rng.choice(POLICIES))))
        self._set(self._of("Role", "User"), PermissionsBoundary=limit)

    def _join(self) -> None:
        self._set(self._of("User"), Groups=self._some(GROUPS))

    def _rename(self) -> None:
        """Two resources of one ARN, as a snapshot put together of two may show."""
        resource, other = self._of("Role"), self._of("Role")
        key = next(key for key, one in self.found.items() if one is resource)
        self.found[key] = Resource(
            resource.type, resource.id, ACCOUNT, "global", resource.properties,
            self.rng.choice((other.arn, arn("role", resource.id))), tags={},
        )  # fmt: skip

    def _remove(self) -> None:
        resource = self._of("Role", "User", "ManagedPolicy")
        key = next(key for key, one in self.found.items() if one is resource)
        if sum(kind == key[0] for kind, _ in self.found) > 2:
            del self.found[key]

    def _run(self) -> None:
        self._set(
            self._of("f"), Role=arn("role", self.rng.choice(ROLES)), MemorySize=self.rng.choice((128, 256))
        )

    def _uncover(self) -> None:
        self.types ^= {"AWS::IAM::User"}

    def _unimportant(self) -> None:
        self._set(self._of("Role"), MaxSessionDuration=self.rng.choice((3600, 7200)), Description="edited")


def differences(seed: int, days: int = 14) -> Iterator[tuple[bool, int, int]]:
    """Yield of each day whether the findings are the same, how many there are, and how many were judged."""
    account, file = Account(seed), InMemory()
    for _ in range(days):
        plain, kept, judged = both(account.state(), RULES, file)
        yield kept == plain, len(plain), judged
        account.pass_by()


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 12))])
def test_chains_are_as_without(seed: int) -> None:
    days = list(differences(seed))
    assert all(same for same, _, _ in days)


@pytest.mark.slow
def test_most_chains_are_not_looked_for_again() -> None:
    days = [day for seed in range(6) for day in list(differences(seed))[1:]]
    assert sum(judged for _, _, judged in days) < sum(number for _, number, _ in days) / 2


def test_the_account_has_chains_of_every_verdict() -> None:
    found = [f for seed in range(6) for f in both(Account(seed).state(), RULES, InMemory())[0]]
    assert {str(f.verdict) for f in found} >= {"PASS", "FAIL"}
    assert any("; then " in f.message for f in found)


@pytest.mark.parametrize(
    "name", ["iam.principal", "iam.everybody", "iam.namesakes", "iam.open", "iam.running", "iam.attached"]
)
def test_an_answer_without_what_it_rests_on_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Recorder.look

    def forgetful(self: Recorder, narrow: Any, argument: str | None) -> Any:
        before = set(self._current)
        found = look(self, narrow, argument)
        if narrow.name == name:
            self._current = before
        return found

    monkeypatch.setattr(Recorder, "look", forgetful)
    assert not all(same for seed in range(60) for same, _, _ in differences(seed))
