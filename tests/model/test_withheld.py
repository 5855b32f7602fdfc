"""Values that may be withheld: leaves commit to them, and do not show them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.canonical_json import canonical
from policyengine.model.merkle import root_of
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.model.withheld import Disclosure, Plan, Withholding, digest_of, shows, steps
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError

SECRET = b"0123456789abcdef"
PLAN = Plan({"AWS::S3::Bucket": ("/Secret", "/List/*/Value", "/Deep/a~1b"), "*": ("/Any",)}, ("owner", "ö"))
HOLDING = Withholding(PLAN, SECRET)


def bucket(**members: Any) -> dict[str, Any]:
    return {
        "type": "AWS::S3::Bucket",
        "id": "b",
        "account": "111122223333",
        "region": "eu-west-1",
        "properties": {},
        **members,
    }


def committed(record: dict[str, Any], holding: Withholding = HOLDING) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(holding.committed(canonical(record)))
    return value


def test_a_value_becomes_a_salted_digest() -> None:
    record = bucket(properties={"Secret": "hunter2", "Other": 1})
    line = HOLDING.committed(canonical(record))
    assert b"hunter2" not in line
    redacted = json.loads(line)
    assert redacted["properties"] == {"Other": 1}
    (disclosure,) = HOLDING.disclosures(canonical(record))
    assert redacted["unknown"] == [
        {"path": "/Secret", "reason": "redacted", "detail": digest_of(disclosure), "present": True}
    ]
    assert (disclosure.path, disclosure.value) == ("/Secret", "hunter2")
    assert shows(line, disclosure)
    for other in (
        disclosure._replace(value="hunter3"),
        disclosure._replace(salt="00" * 32),
        disclosure._replace(path="/Other"),
        disclosure._replace(path="tags:/Secret"),
    ):
        assert not shows(line, other)


def test_the_entries_are_those_that_snapshots_are_read_with() -> None:
    """docs/snapshot-format.md: `of` says which side a pointer is about; list elements leave null."""
    record = bucket(
        tags={"owner": "ann", "env": "prod"},
        properties={
            "Secret": {"a": [1]},
            "List": [{"Value": 1}, {"Value": None}, {"Value": 3}],
            "Deep": {"a/b": True},
            "Tags": [{"Key": "owner", "Value": "ann"}, {"Key": "env", "Value": "prod"}],
        },
        unknown=[{"path": "/Zone", "reason": "access_denied"}],
    )
    redacted = committed(record)
    assert [(entry["path"], entry.get("of")) for entry in redacted["unknown"]] == [
        ("/Deep/a~1b", None), ("/List/0/Value", None), ("/List/2/Value", None), ("/Secret", None),
        ("/Tags/0/Value", None), ("/Tags/owner", "tags"), ("/Zone", None),
    ]  # fmt: skip
    assert redacted["tags"] == {"env": "prod"}
    assert redacted["properties"]["Tags"] == [{"Key": "owner"}, {"Key": "env", "Value": "prod"}]
    assert redacted["properties"]["List"] == [{}, {"Value": None}, {}]


@pytest.mark.parametrize(
    "properties",
    [
        {"Tags": [{"Key": "owner", "Value": "ann"}]},
        {"Tags": {"owner": "ann"}},
        {"HostedZoneTags": [{"Key": "owner", "Value": "ann"}]},
        {"FileSystemTags": [{"key": "owner", "value": "ann"}]},
        {"Nested": {"Tags": [{"TagKey": "owner", "TagValue": "ann"}]}},
        {"tags": {"owner": "ann"}},
    ],
)
def test_tags_are_found_wherever_properties_hold_them(properties: dict[str, Any]) -> None:
    for record in (bucket(properties=properties), bucket(related={"x": [properties]})):
        assert "ann" not in json.dumps(committed(record))


def test_values_of_satellites_keep_the_places_of_others() -> None:
    holding = Withholding(Plan({"AWS::S3::Bucket": ("/related/Policy/1",)}), SECRET)
    redacted = committed(bucket(related={"Policy": ["a", "b", "c"]}), holding)
    assert redacted["related"] == {"Policy": ["a", None, "c"]}
    assert redacted["unknown"][0]["path"] == "/related/Policy/1"
    seen = parse_line(canonical(redacted))
    assert isinstance(seen.related["Policy"][1], Unresolved), "a rule must not take it for absent"
    assert "related" not in seen.properties


@pytest.mark.parametrize(
    "spelt",
    [
        b'"ow/ner"',
        b'"ow\\/ner"',
        b'"\\u006fw/ner"',
        b'"ow\\u002Fner"',
        '"ö"'.encode(),
        b'"\\u00f6"',
        b'"\\u00F6"',
    ],
)
def test_escapes_hide_nothing(spelt: bytes) -> None:
    """Each is the only name in its line that is withheld."""
    key = json.loads(spelt)
    assert key in ("ow/ner", "ö")
    holding = Withholding(Plan({}, (key,)), SECRET)
    line = canonical(bucket(tags={"key": "hunter2"})).replace(b'"key"', spelt)
    assert json.loads(line)["tags"] == {key: "hunter2"}
    assert b"hunter2" not in holding.committed(line)


@pytest.mark.parametrize(
    "spelt", [b'"AWS::S3::Bucket"', b'"AWS\\u003a:S3::Bucket"', b'"\\u0041WS::S3::Bucket"']
)
def test_escapes_of_types_hide_nothing(spelt: bytes) -> None:
    holding = Withholding(Plan({"AWS::S3::Bucket": ("/Secret",)}), SECRET)
    line = canonical(bucket(properties={"Secret": "hunter2"})).replace(b'"AWS::S3::Bucket"', spelt)
    assert b"hunter2" in line
    assert b"hunter2" not in holding.committed(line)


def test_a_line_without_such_values_is_its_own_leaf() -> None:
    plan = Plan({"AWS::S3::Bucket": ("/Secret",)}, ("owner",))
    holding = Withholding(plan, SECRET)
    for line in (
        b'{"type": "AWS::EC2::VPC",  "id":"x"}',
        b'{"type": "AWS::S3::Bucket", "id":"x" }',
        b'{"type":"AWS::S3::Bucket","id":"x","properties":{"Secret":null}}',
        b'{"type":"AWS::EC2::VPC","id":"\\u0061","tags":{}}',
        b"",
        b"no json, and no name that is withheld",
    ):
        assert holding.committed(line) is line


@pytest.mark.parametrize(
    "line", [b'["AWS::S3::Bucket"]', b'{"type":"AWS::S3::Bucket"', b'{"AWS::S3::Bucket":' + b"[" * 100_000]
)
def test_a_line_that_cannot_be_read_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="a line is no JSON"):
        Withholding(Plan({"AWS::S3::Bucket": ("/Secret",)}), SECRET).committed(line)


def test_salts_differ_by_place_and_resource_and_secret() -> None:
    salts = set()
    for holding in (HOLDING, Withholding(PLAN, SECRET + b"x")):
        for name in ("a", "b"):
            for members in ({"Secret": 1, "Any": 1}, {"List": [{"Value": 1}]}):
                line = canonical(bucket(id=name, properties=members))
                salts |= {disclosure.salt for disclosure in holding.disclosures(line)}
    assert len(salts) == 2 * 2 * 3
    with pytest.raises(ValueError, match="at least 16"):
        Withholding(PLAN, b"short")


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"properties": {}}, {"properties": [], "tags": []}, {"properties": {"T": ["Secret"]}, "tags": []},
     {"properties": {"T": ["/"]}, "tags": []}, {"properties": {"T": "x"}, "tags": []}, {"properties": {}, "tags": [1]},
     {"properties": {}, "tags": [], "more": 1}],
)  # fmt: skip
def test_plans_have_one_form(value: Any) -> None:
    with pytest.raises(ValueError, match=r"withheld|pointer"):
        Plan.from_json(value)


def test_a_plan_is_read_as_it_is_written() -> None:
    again = Plan.from_json(json.loads(json.dumps(PLAN.to_json())))
    assert again.to_json() == PLAN.to_json()
    assert steps("/a~1b/~01") == ("a/b", "~1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Secret", "Key", "Value", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)
records = st.builds(
    lambda id, properties, tags, type: bucket(id=id, properties=properties, tags=tags, type=type),
    st.text(max_size=3),
    st.dictionaries(st.sampled_from(["Secret", "List", "Deep", "Any", "Tags", "x"]), json_values, max_size=4),
    st.dictionaries(st.sampled_from(["owner", "ö", "env"]), st.text(max_size=3), max_size=3),
    st.sampled_from(["AWS::S3::Bucket", "AWS::EC2::VPC"]),
)


@given(st.lists(records, max_size=6))
def test_law_full_and_redacted_have_the_same_root(found: list[dict[str, Any]]) -> None:
    lines = [canonical(record) for record in found]
    redacted = [HOLDING.committed(line) for line in lines]
    assert [HOLDING.committed(line) for line in redacted] == redacted, "what is redacted is its own leaf"
    assert root_of(redacted) == root_of(HOLDING.committed(line) for line in lines)
    again = Withholding(Plan.from_json(PLAN.to_json()), SECRET)
    assert [again.committed(line) for line in lines] == redacted, "the plan in a bundle says the same"
    for line, short in zip(lines, redacted, strict=True):
        for disclosure in HOLDING.disclosures(line):
            assert shows(short, disclosure)


@given(records, st.text(min_size=1, max_size=3))
def test_law_another_value_is_another_leaf(record: dict[str, Any], other: str) -> None:
    record["type"] = "AWS::S3::Bucket"
    one = {**record, "properties": {**record["properties"], "Secret": {"v": other}}}
    two = {**record, "properties": {**record["properties"], "Secret": {"v": other + "x"}}}
    assert HOLDING.committed(canonical(one)) != HOLDING.committed(canonical(two))


def test_a_disclosure_cannot_be_moved_to_another_resource() -> None:
    one, two = (canonical(bucket(id=name, properties={"Secret": "same"})) for name in ("a", "b"))
    (disclosure,) = HOLDING.disclosures(one)
    assert isinstance(disclosure, Disclosure)
    assert shows(HOLDING.committed(one), disclosure)
    assert not shows(HOLDING.committed(two), disclosure)


_NAMES = st.sampled_from(["A", "B", "Tags", "Key", "Value", "related", "owner", "-", "0", "a/b", "~", ""])
_VALUES = st.recursive(
    st.text(alphabet='xyzé\u2028"\\', min_size=1, max_size=5) | st.integers(1000, 9999) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(_NAMES, _VALUES, max_size=3),
    st.dictionaries(_NAMES, st.text(max_size=4), max_size=2) | st.none(),
    st.dictionaries(_NAMES, st.lists(_VALUES, max_size=2), max_size=2),
    st.lists(st.lists(_NAMES | st.just("*"), min_size=1, max_size=3), max_size=3),
    st.booleans(),
)
def test_what_is_withheld_is_unknown_to_rules_and_never_absent(
    properties: dict[str, Any], tags: Any, related: dict[str, Any], places: list[list[str]], by_tag: bool
) -> None:
    """Rules judge the line that is shown: a value that looked absent could make one pass."""
    record = bucket(properties=properties, related=related, **({} if tags is None else {"tags": tags}))
    pointers = [f"/{'/'.join(s.replace('~', '~0').replace('/', '~1') for s in place)}" for place in places]
    plan = Plan({"*": tuple(p for p in pointers if p != "/")}, ("owner",) if by_tag else ())
    holding, line = Withholding(plan, SECRET), canonical(record)
    try:
        parse_line(line)
    except LineError:
        return  # no line of a snapshot to begin with
    seen = parse_line(holding.committed(line))
    for disclosure in holding.disclosures(line):
        path = disclosure.path
        if path.startswith("tags:"):
            assert isinstance(seen.tags, dict) and isinstance(seen.tags["owner"], Unresolved)
            continue
        place = steps(path) if path != "/" else ("",)
        inside: Any = seen.properties
        if place[0] == "related":
            inside, place = seen.related, place[1:]
        assert unknown_at(inside, place), (path, seen.properties, seen.related)


def unknown_at(value: Any, place: tuple[str, ...]) -> bool:
    for step in place:
        if isinstance(value, Unresolved):
            return True
        if isinstance(value, OpenDict | OpenList) and (step == "-" or step not in value):
            return True
        if isinstance(value, Unresolved | str | int):
            return False
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return isinstance(value, Unresolved | OpenDict | OpenList)
