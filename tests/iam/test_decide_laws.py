"""What a decider remembers changes no answer: neither what it refuses, nor a word of what it says."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.authorize import authorize
from policyengine.iam.documents import MAX_DEPTH
from policyengine.iam.errors import PolicyError
from policyengine.iam.memory import ENTRY, Memory
from policyengine.iam.scenarios import Decider, read_scenario, written
from tests.iam.scenario import ACCOUNT, CALLERS, TARGETS

Pairs = list[tuple[str, Any]]
"""An object as its members, so that a key can stand in it twice."""

SHARED = Decider()


def anew(line: str) -> str:
    """Answer a line with nothing remembered, reading it as a whole; an error is its message."""
    try:
        scenario = read_scenario(line)
        request, policies = Decider().inputs(scenario)
        return written(json.dumps(scenario["id"]), authorize(request, policies))
    except PolicyError as error:
        return f"refused: {error}"


def remembering(line: str) -> str:
    try:
        return SHARED.answer(line)
    except PolicyError as error:
        return f"refused: {error}"


def text(value: Any, space: str = "") -> str:
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        members = [f"{json.dumps(k)}{space}:{space}{text(v, space)}" for k, v in value]
        return "{" + space + f"{space},{space}".join(members) + space + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(text(item, space) for item in value) + "]"
    return json.dumps(value)


def statement(draw: random.Random) -> Pairs:
    found: Pairs = [
        ("Effect", draw.choice(["Allow", "Allow", "Deny"])),
        (draw.choice(["Action", "Action", "NotAction"]), draw.choice(["*", "s3:*", "s3:Get*", ["kms:*", "s3:GetObject"], "iam:*"])),
        (draw.choice(["Resource", "Resource", "NotResource"]), draw.choice(["*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}/*", "arn:aws:iam::*:r*", ["arn:aws:s3:::c", "arn:aws:s3:::b/k", "arn:aws:s3:::d", "arn:aws:s3:::e"]])),
    ]  # fmt: skip
    if draw.random() < 0.3:
        found.insert(0, ("Sid", draw.choice(["A", "B1"])))
    if draw.random() < 0.5:
        operator, key, value = draw.choice(
            [
                ("Bool", "aws:SecureTransport", "true"), ("StringEquals", "aws:PrincipalOrgID", ["o-1", "o-2"]),
                ("StringLike", "aws:RequestedRegion", "eu-*"), ("ForAnyValue:StringEquals", "aws:TagKeys", ["a"]),
                ("NumericLessThan", "aws:MultiFactorAuthAge", "many"), ("Odd", "aws:x", "1"),
            ]
        )  # fmt: skip
        found.append(("Condition", [(operator, [(key, value)])]))
    return found


def policy(draw: random.Random, principal: bool = False) -> Pairs:
    statements = [statement(draw) for _ in range(draw.randint(1, 3))]
    if principal:
        for found in statements:
            who = draw.choice(["*", [("AWS", CALLERS["alice"])], [("AWS", f"arn:aws:iam::{ACCOUNT}:root")]])
            found.insert(1, (draw.choice(["Principal", "Principal", "NotPrincipal"]), who))
    return [("Version", "2012-10-17"), ("Statement", statements)]


def scenario(draw: random.Random) -> Pairs:
    context = [("aws:SecureTransport", "true"), ("aws:RequestedRegion", "eu-west-1"), ("aws:TagKeys", ["a", "b"]), ("aws:MultiFactorAuthAge", 60)]  # fmt: skip
    request: Pairs = [
        ("principal", draw.choice(list(CALLERS.values()))),
        ("action", draw.choice(["s3:GetObject", "s3:PutObject", "kms:Decrypt", "sts:AssumeRole"])),
        ("resource", draw.choice(["arn:aws:s3:::b/k", "arn:aws:s3:::c", *TARGETS.values()])),
        ("resource_account", draw.choice([ACCOUNT, "210987654321"])),
        ("context", draw.sample(context, draw.randint(1, 4))),
    ]
    found: Pairs = [
        (
            "id",
            draw.choice(
                [*"abcdefgh", "", "b-1", *range(10), -1, 1.5, 10**30, 'q"uote', "ünï", "\x7f", None, True]
            ),
        ),
        ("request", request),
        ("identity_policies", [policy(draw) for _ in range(draw.randint(0, 2))]),
        ("scps", [[policy(draw)] for _ in range(draw.randint(0, 2))]),
    ]
    for key, value in (("permissions_boundary", policy(draw)), ("resource_policy", policy(draw, True)), ("endpoint_policy", policy(draw, True)), ("management_account", ACCOUNT), ("remark", "kept")):  # fmt: skip
        if draw.random() < 0.4:
            found.append((key, value))
    return found


def objects(value: Any) -> list[Pairs]:
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return [value, *(inner for _, member in value for inner in objects(member))]
    return [inner for item in value for inner in objects(item)] if isinstance(value, list) else []


def spoilt(draw: random.Random, line: str) -> str:
    """Return the line with a character or two put in, left out or changed."""
    for _ in range(draw.randint(1, 2)):
        at = draw.randrange(len(line))
        line = line[:at] + draw.choice(["", *'{}[],:"\\ \t0aN', '"id":1,', ',"request":{}']) + line[at + draw.randint(0, 1) :]  # fmt: skip
    return line


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_what_is_remembered_changes_no_answer(seed: int) -> None:
    draw = random.Random(seed)
    found = scenario(draw)
    lines = [text(found, draw.choice(["", " ", "\t"]))]
    doubled = copy.deepcopy(found)
    twice = draw.choice(objects(doubled))
    twice.insert(draw.randrange(len(twice) + 1), draw.choice(twice))
    lines.append(text(doubled))
    assert "stands twice" in anew(lines[1])
    other = scenario(draw)
    # another request about the same policies, and the same one about policies that were refused
    lines += [text([*other[:2], *found[2:]]), text([*found[:2], *other[2:]])]
    draw.shuffle(other)
    lines.append(text(other))
    lines += [spoilt(draw, line) for line in lines]
    for line in [*lines, *lines]:
        assert remembering(line) == anew(line), line


@pytest.mark.parametrize("depth", [2 * MAX_DEPTH - 1, 2 * MAX_DEPTH, 2 * MAX_DEPTH + 1, 5_000])
def test_depth_is_counted_alike(depth: int) -> None:
    request = json.dumps({"principal": "*", "action": "s3:GetObject", "resource": "*"})
    nested = "[" * (depth - 1) + "]" * (depth - 1)
    for line in (
        f'{{"id":1,"request":{request},"scps":{nested}}}',
        f'{{"id":1,"request":{nested}}}',
        f'{{"id":1,"request":{request},"remark":"{nested}"}}',
    ):
        assert remembering(line) == anew(line)
        assert ("nested deeper" in anew(line)) == (depth > 2 * MAX_DEPTH and '"remark"' not in line)


@pytest.mark.slow
def test_a_memory_is_bounded() -> None:
    memory: Memory[int, str] = Memory(max_size=10 * (ENTRY + 100))
    for number in range(1000):
        memory.keep(number, "x", 100)
        assert memory.get(number) == "x"
        assert sum(memory.get(n) is not None for n in range(number + 1)) <= 10
    memory.keep(-1, "too large for it", 10**9)
    assert sum(memory.get(n) is not None for n in range(-1, 1000)) <= 1
