"""A survey with a share for each principal answers the same in whatever order it is asked, also where there is too
much to look at: an answer may be kept while the others are asked again."""

from __future__ import annotations

import random

import pytest

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.escalation_survey import Found, Survey
from policyengine.iam.escalation_world import Principal, World
from policyengine.iam.reason import Unknown

ACCOUNT = "111122223333"


def allowing(*actions: str) -> Policy:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return read_policy({"Version": "2012-10-17", "Statement": [statement]}, "identity")


def trusting(named: dict[str, str]) -> Policy:
    statement = {"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole"}
    return read_policy({"Version": "2012-10-17", "Statement": [statement]}, "trust")


def world(roles: int) -> World:
    """Return an account whose roles may all assume each other, one of them an administrator's."""
    trust = trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assuming, reading = allowing("sts:AssumeRole"), allowing("s3:GetObject")
    found = {}
    for number in range(roles):
        own = (reading,) if number % 3 == 0 else (assuming,)
        arn = f"arn:aws:iam::{ACCOUNT}:role/r{number:02}"
        found[arn] = Principal(arn, identity=own, trust=trust, managed=(), groups=())
    top = f"arn:aws:iam::{ACCOUNT}:role/top"
    found[top] = Principal(top, identity=(allowing("*"),), trust=trust, managed=(), groups=())
    return World(found, ())


@pytest.mark.parametrize("each", [20, 60, 5_000])
def test_answers_do_not_depend_on_the_order(each: int) -> None:
    account = world(20)
    orders = [sorted(account.principals) for _ in range(4)]
    for seed, order in enumerate(orders):
        random.Random(seed).shuffle(order)
    answers: list[dict[str, Found]] = []
    for order in orders:
        survey = Survey(account, each=each)
        answers.append({arn: survey.of(arn, only_administrator=True) for arn in order})
    assert all(found == answers[0] for found in answers)
    cut = [a for a in answers[0].values() if a.to_administrator == Unknown(("too_large",))]
    assert bool(cut) == (each == 20)


def test_some_alone_are_answered_as_among_all() -> None:
    account = world(20)
    whole = Survey(account, each=40)
    everybody = {arn: whole.of(arn, only_administrator=True) for arn in account.principals}
    for arn, found in everybody.items():
        assert Survey(account, each=40).of(arn, only_administrator=True) == found


def test_who_may_nothing_consults_nobody_else() -> None:
    account = world(6)
    reading = account.principals[f"arn:aws:iam::{ACCOUNT}:role/r00"]
    alone = Principal(reading.arn, identity=reading.identity, trust=reading.trust, managed=(), groups=())
    service = trusting({"Service": "ec2.amazonaws.com"})
    others = {
        arn: Principal(arn, identity=p.identity, trust=service, managed=(), groups=())
        for arn, p in account.principals.items()
    }
    found = Survey(World({**others, alone.arn: alone}, ()), each=40).of(alone.arn)
    assert found.consulted == {alone.arn}
