"""One line to one resource: what becomes known, unknown, absent or an error."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError

from .helpers import line, record, same

DENIED = {"reason": "access_denied", "detail": "ec2:Describe denied"}
WHY = Unresolved("access_denied", "ec2:Describe denied")


def unknown(path: str, properties: dict, **more: object):
    return parse_line(line(properties=properties, unknown=[{"path": path, **DENIED, **more}]))


def test_a_line_becomes_a_resource() -> None:
    found = parse_line(
        line(arn="arn:aws:x", tags={"Owner": "a"}, related={"Policy": [{"A": 1}]}, collected_at="2026-11-21")
    )
    assert found.identity == ("111122223333", "eu-west-1", "AWS::EC2::SecurityGroup", "sg-1")
    assert (found.arn, found.tags, found.related) == ("arn:aws:x", {"Owner": "a"}, {"Policy": [{"A": 1}]})
    assert found.properties == {"GroupDescription": "web"}
    assert found.collected_at == "2026-11-21"
    assert found.file is None


@pytest.mark.parametrize(
    ("path", "properties", "expected"),
    [
        ("/Foo", {"A": 1}, {"A": 1, "Foo": WHY}),
        ("/Foo/Bar", {"Foo": {"A": 1}}, {"Foo": {"A": 1, "Bar": WHY}}),
        ("/Foo/Bar/Baz", {"A": 1}, {"A": 1, "Foo": WHY}),
        ("/Foo/Bar/Baz", {"Foo": {}}, {"Foo": {"Bar": WHY}}),
        ("/Foo", {"Foo": "known"}, {"Foo": WHY}),
        ("/Foo/Bar", {"Foo": None}, {"Foo": WHY}),
        ("/L/0", {"L": [1, 2]}, {"L": [WHY, 2]}),
        ("/L/1", {"L": [1, None, 3]}, {"L": [1, WHY, 3]}),
        ("/L/2", {"L": [1, 2]}, {"L": [1, 2, WHY]}),
        ("/L/7", {"L": [1, 2]}, {"L": OpenList([1, 2], WHY)}),
        ("/L/-", {"L": [1, 2]}, {"L": OpenList([1, 2], WHY)}),
        ("/L/-", {"L": []}, {"L": OpenList([], WHY)}),
        ("/L/-", {}, {"L": WHY}),
        ("/L/0/M/-", {"L": [{"M": [1]}]}, {"L": [{"M": OpenList([1], WHY)}]}),
        ("/O/-", {"O": {"A": 1}}, {"O": OpenDict({"A": 1}, WHY)}),
        ("/a~1b/c~0d", {"a/b": {}}, {"a/b": {"c~d": WHY}}),
        ("/", {"A": 1}, {"A": 1, "": WHY}),
    ],
)
def test_a_pointer_puts_what_is_not_known_in_its_place(path, properties, expected) -> None:
    assert same(unknown(path, properties).properties) == same(expected)


def test_an_empty_pointer_leaves_no_property_absent() -> None:
    found = parse_line(line(type="Other::Odd::Type", properties={"A": 1}, unknown=[{"path": "", **DENIED}]))
    assert same(found.properties) == same(OpenDict({"A": 1}, WHY))


def test_an_empty_pointer_fills_in_the_properties_the_catalog_knows() -> None:
    found = parse_line(line(type="AWS::S3::Bucket", properties={}, unknown=[{"path": "", **DENIED}]))
    assert found.properties.get("BucketEncryption", ABSENT) == WHY
    assert found.tags == WHY


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tags": {"Owner": "a"}}, {"Owner": "a"}),
        ({"tags": {}}, {}),
        ({}, {}),
        (
            {"properties": {"Tags": [{"Key": "Owner", "Value": "a"}, {"Key": "Empty"}]}},
            {"Owner": "a", "Empty": ""},
        ),
        ({"tags": {"B": "1"}, "properties": {"Tags": [{"Key": "Owner", "Value": "a"}]}}, {"B": "1"}),
        ({"type": "AWS::SSM::Parameter", "properties": {"Tags": {"Owner": "a"}}}, {"Owner": "a"}),
        ({"type": "AWS::EC2::Route"}, None),
        ({"tags": {"A": "1"}, "unknown": [{"path": "/Tags/Owner", **DENIED}]}, {"A": "1", "Owner": WHY}),
        ({"unknown": [{"path": "/Tags/Owner", **DENIED}]}, {"Owner": WHY}),
        ({"tags": {"A": "1"}, "unknown": [{"path": "/Tags", **DENIED}]}, WHY),
        ({"tags": {"A": "1"}, "unknown": [{"path": "/Tags/-", **DENIED}]}, WHY),
        (
            {
                "properties": {"Tags": [{"Key": "A", "Value": "1"}]},
                "unknown": [{"path": "/Tags/Owner", **DENIED}],
            },
            {"A": "1", "Owner": WHY},
        ),
    ],
)
def test_tags_come_from_the_map_else_from_the_types_property(changes, expected) -> None:
    assert parse_line(line(**changes)).tags == expected


def test_a_tag_pointer_leaves_a_list_property_alone() -> None:
    properties = {"Tags": [{"Key": "A", "Value": "1"}]}
    assert unknown("/Tags/Owner", properties).properties == properties


def test_a_satellite_may_be_unknown() -> None:
    found = parse_line(
        line(
            related={"A": [1]}, unknown=[{"path": "/related/A/-", **DENIED}, {"path": "/related/B", **DENIED}]
        )
    )
    assert same(found.related) == same({"A": OpenList([1], WHY), "B": WHY})


def test_null_is_missing_wherever_it_stands() -> None:
    found = parse_line(line(properties={"A": None, "B": {"C": None, "D": [1, None, {"E": None}]}}))
    assert found.properties == {"B": {"D": [1, {}]}}


def test_the_word_null_in_a_string_stays() -> None:
    assert parse_line(line(properties={"A": "null"})).properties == {"A": "null"}


def test_a_reason_of_a_later_version_is_still_unknown() -> None:
    found = parse_line(line(unknown=[{"path": "/A", "reason": "quota", "detail": "d"}]))
    assert found.properties["A"] == Unresolved("unsupported", "quota: d")


def test_the_place_of_code_is_its_identity() -> None:
    found = parse_line(
        line(
            account="",
            region="",
            location={"file": "t.yaml", "line": 3, "column": 5},
            branch={"IsProd": True},
        )
    )
    assert found.identity == ("", "t.yaml", "", "sg-1")
    assert str(found.locate(("A",))) == "t.yaml:3:5"
    assert found.branch == {"IsProd": True}
    assert found.account is None


BAD = [
    (b"[1]", "a list, expected an object"),
    (b"null", "null, expected an object"),
    (b"{}", "`type` is missing"),
    (line(type=3), "`type` is a number, expected a string"),
    (line(type="Bucket"), "expected a type name such as `AWS::S3::Bucket`"),
    (line(type="AWS::S3::Bucket\n"), "expected a type name"),
    (line(id=""), "`id` is empty"),
    (line(id=None), "`id` is missing"),
    (line(account=111122223333), "`account` is a number, expected a string"),
    (line(region=["a"]), "`region` is a list"),
    (line(properties=[]), "`properties` is a list, expected an object"),
    (line(properties="x"), "`properties` is a string"),
    (line(tags=[{"Key": "a"}]), "`tags` is a list, expected an object"),
    (line(tags={"Owner": None}), "the tag `Owner` is null, expected a string"),
    (line(tags={"Owner": 1}), "the tag `Owner` is a number"),
    (line(related=[]), "`related` is a list"),
    (line(related={"A": {}}), "`related.A` is an object, expected a list"),
    (line(arn=5), "`arn` is a number"),
    (line(collected_at=5), "`collected_at` is a number"),
    (line(unknown={}), "`unknown` is an object, expected a list"),
    (line(unknown=["/A"]), "`unknown[0]` is a string"),
    (line(unknown=[{"path": "/A"}]), "`unknown[0]` needs `path` and `reason`"),
    (line(unknown=[{"path": "A", "reason": "throttled"}]), "it must start with `/`"),
    (line(unknown=[{"path": "/GroupDescription/A", "reason": "throttled"}]), "is a string and has no `A`"),
    (line(properties={"L": [1]}, unknown=[{"path": "/L/x", "reason": "throttled"}]), "`x` is no index"),
    (line(location="t.yaml"), "`location` must be an object with `file`"),
    (line(location={"file": "a", "line": "3"}), "no integer"),
    (line(branch={"A": "yes"}), "`branch` must be"),
    (line(provenance={"a": 1}), "`provenance` must be"),
    (line(unkown=[]), "`unkown` is no field of a snapshot line"),
    (b'{"type":"a","type":"b"}', "the key `type` stands twice"),
    (b'{"type":"AWS::S3::Bucket","properties":{"A":1,"A":2}}', "the key `A` stands twice"),
    (b'{"a":NaN}', "`NaN` is no JSON value"),
    (b'{"a":1e999}', "too large"),
    (b'{"a":' + b"9" * 5000 + b"}", "more digits than can be read"),
    (b'{"a":"\xff"}', "byte 7 of the line is no UTF-8"),
    (b'{"a":"\\ud800"}', "half of a surrogate pair"),
    (b'{"a":1} x', "more text follows"),
    (b'{"a" 1}', "no JSON at character 6"),
    (b'{"a":"b', "is the file truncated?"),
    (b'{"a":', "is the file truncated?"),
    ('{"a":1}'.encode("utf-16"), "UTF-16 or binary"),
    (b'{"a":' + b"[" * 600 + b"]" * 600 + b"}", "nested deeper than 200 levels"),
    (b"[" * 100_000, "nested deeper than 200 levels"),
    (b"[" * 20_000 + b"]" * 20_000, "nested deeper than 200 levels"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=[m[:40] for _, m in BAD])
def test_a_bad_line_says_what_is_wrong(text: bytes, message: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_line(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    assert parse_line(line(properties={"A": '["{' * 2000})).properties["A"] == '["{' * 2000


def test_the_nesting_check_is_linear_in_quotes() -> None:
    hostile = b'{"a":"' + b'\\"[' * 1_000_000
    begin = time.process_time()
    with pytest.raises(LineError):
        parse_line(hostile)
    assert time.process_time() - begin < 5


def test_a_later_minor_version_may_have_fields_this_one_does_not_know() -> None:
    assert parse_line(line(novel=1), True).id == "sg-1"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*record(), "tags", "related", "unknown", "arn", "location", "branch", "provenance", "collected_at"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
def test_wrong_shapes_give_an_error_and_nothing_else(changes) -> None:
    try:
        parse_line(json.dumps(record(**changes)).encode())
    except LineError as problem:
        assert str(problem)


@given(st.binary(max_size=60))
def test_any_bytes_give_an_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(LineError):
        parse_line(data)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=3))
def test_a_damaged_line_is_a_resource_or_an_error(position: int, damage: bytes) -> None:
    good = line(tags={"Owner": "a"}, unknown=[{"path": "/A/-", "reason": "throttled"}])
    position %= len(good)
    try:
        parse_line(good[:position] + damage + good[position + len(damage) :])
    except LineError as problem:
        assert str(problem)
