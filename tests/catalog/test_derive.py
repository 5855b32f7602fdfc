"""Derived views: what is written awkwardly is read easily, and doubt is kept."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.catalog.derive import derive, derived_names, parse_text
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
DOUBT = Unresolved("unresolved_reference", "`Ref: X`")


def resource(type_name, properties, locate=None):
    made = Resource(type_name, "it", None, None, properties)
    if locate is not None:
        made.locate = locate
    return made


def attributes(value):
    made = resource(BALANCER, {"LoadBalancerAttributes": value})
    derive(made)
    return made.properties["Attributes"]


def pair(key, value):
    return {"Key": key, "Value": value}


def test_a_key_value_list_becomes_a_map():
    assert attributes([pair("a.b", "true"), pair("c", "60")]) == {"a.b": "true", "c": "60"}


def test_the_last_of_two_equal_keys_counts():
    assert attributes([pair("a", "1"), pair("a", "2")]) == {"a": "2"}


def test_an_unresolved_value_is_the_value_of_its_key():
    found = attributes([pair("a", DOUBT)])
    assert found == {"a": DOUBT}
    assert not isinstance(found, OpenDict)


@pytest.mark.parametrize(
    "value",
    [
        [pair("a", "1"), pair(DOUBT, "2")],
        [pair("a", "1"), DOUBT],
        OpenList([pair("a", "1")], DOUBT),
        [pair("a", "1"), OpenDict({"Value": "2"}, DOUBT)],
    ],
)
def test_what_may_be_another_key_leaves_the_map_open(value):
    found = attributes(value)
    assert isinstance(found, OpenDict)
    assert found == {"a": "1"}
    assert found.more == DOUBT


def test_an_unresolved_list_is_an_unresolved_view():
    assert attributes(DOUBT) == DOUBT


@pytest.mark.parametrize("value", ["text", {"Key": "a"}, 7])
def test_a_list_of_the_wrong_type_is_unresolved(value):
    assert attributes(value).reason == "unsupported"


@pytest.mark.parametrize("element", [{}, {"Key": 7, "Value": "x"}, "text", {"Key": "a"}])
def test_an_element_without_key_or_value_adds_nothing(element):
    assert attributes([element]) == {}


def test_without_the_list_there_is_no_view():
    made = resource(BALANCER, {"Name": "x"})
    derive(made)
    assert made.properties == {"Name": "x"}


def test_several_keys_are_joined():
    made = resource(
        "AWS::ElasticBeanstalk::Environment",
        {"OptionSettings": [{"Namespace": "aws:autoscaling:asg", "OptionName": "MinSize", "Value": "2"}]},
    )
    derive(made)
    assert made.properties["Options"] == {"aws:autoscaling:asg:MinSize": "2"}


def test_a_redrive_policy_as_text_is_parsed_in_place():
    made = resource(
        "AWS::SQS::Queue", {"RedrivePolicy": '{"deadLetterTargetArn": "arn:x", "maxReceiveCount": null}'}
    )
    derive(made)
    assert made.properties["RedrivePolicy"] == {"deadLetterTargetArn": "arn:x"}


def test_deriving_twice_changes_nothing():
    made = resource(
        BALANCER, {"LoadBalancerAttributes": [pair("a", "1")]}, lambda path: Location("t", len(path))
    )
    derive(made)
    first, locate = dict(made.properties), made.locate
    derive(made)
    assert made.properties == first
    assert made.locate is locate


def test_the_place_of_a_view_is_where_it_is_written():
    asked = []
    made = resource(
        BALANCER,
        {"LoadBalancerAttributes": [pair("a", "1"), pair("b", "2")]},
        lambda path: asked.append(path),
    )
    derive(made)
    for path in [("Attributes", "b"), ("Attributes", "missing"), ("Attributes",), ("Name",), ()]:
        made.locate(path)
    assert asked == [
        ("LoadBalancerAttributes", 1, "Value"),
        ("LoadBalancerAttributes",),
        ("LoadBalancerAttributes",),
        ("Name",),
        (),
    ]


def test_a_resource_with_views_can_cross_processes():
    made = resource(BALANCER, {"LoadBalancerAttributes": OpenList([pair("a", "1")], DOUBT)})
    derive(made)
    copied = pickle.loads(pickle.dumps(made))
    assert copied.properties["Attributes"].more == DOUBT


def test_views_that_need_no_storing_are_named():
    assert derived_names(BALANCER) == {"Attributes"}
    assert derived_names("AWS::SQS::Queue") == frozenset()
    assert derived_names("AWS::Nope::Nope") == frozenset()


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 200 + "]" * 200, '{"a": "' + "x" * 1_000_001 + '"}', "nope", "[NaN"]
)
def test_text_that_is_no_json_or_too_much_of_it_is_unresolved(text):
    assert parse_text(text).reason == "unsupported"


def test_brackets_inside_strings_are_no_depth():
    text = json.dumps({"a": "[{" * 500, "b": '\\"[' * 500})
    assert parse_text(text) == json.loads(text)


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=20,
)


@given(json_values)
def test_any_json_text_without_nulls_is_read_as_json_reads_it(value):
    assert parse_text(json.dumps(value)) == value


@given(st.lists(st.tuples(st.text(), st.text())))
def test_the_map_is_the_dict_of_the_pairs(pairs):
    assert attributes([pair(k, v) for k, v in pairs]) == dict(pairs)
