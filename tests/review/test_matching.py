"""Which resource of the head is which of the base."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.matching import is_unchanged, paired_resources
from policyengine.review.pairs import Pairing
from tests.review.helpers import resources

TEMPLATE = """\
Resources:
  Data: {Type: AWS::S3::Bucket}
  Logs: {Type: AWS::S3::Bucket}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
  Reader:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: read
          PolicyDocument:
            Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: !Sub "${Data.Arn}/*"}]
"""


def how(pairing: Pairing) -> dict[str, tuple[str | None, str, bool]]:
    return {
        pair.either.id: (
            pair.base.id if pair.base else None,
            pair.how,
            is_unchanged(pair, pairing.renamed),
        )
        for pair in pairing.pairs
    }


def pairs_of(tmp_path: Path, after: str, name: str = "template.yaml") -> Pairing:
    return paired_resources(resources(tmp_path / "a", TEMPLATE), resources(tmp_path / "b", after, name))


def test_nothing_changed(tmp_path: Path) -> None:
    found = how(pairs_of(tmp_path, TEMPLATE))
    assert set(found.values()) == {
        (name, "the same place", True) for name in ("Data", "Logs", "Web", "Reader")
    }


def test_a_renamed_resource_and_what_refers_to_it_are_unchanged(tmp_path: Path) -> None:
    """Two buckets say the same: they are told apart by who refers to them."""
    after = TEMPLATE.replace("Data", "Facts").replace("Logs", "Aaa")
    found = how(pairs_of(tmp_path, after))
    assert found["Facts"] == ("Data", "renamed", True)
    assert found["Aaa"] == ("Logs", "renamed", True)
    assert found["Reader"] == ("Reader", "the same place", True)


def test_a_reference_to_another_resource_is_a_change(tmp_path: Path) -> None:
    found = how(pairs_of(tmp_path, TEMPLATE.replace("${Data.Arn}", "${Logs.Arn}")))
    assert found["Reader"] == ("Reader", "the same place", False)


def test_what_stands_around_a_reference_is_a_change(tmp_path: Path) -> None:
    found = how(pairs_of(tmp_path, TEMPLATE.replace("${Data.Arn}/*", "${Data.Arn}/a*")))
    assert found["Reader"] == ("Reader", "the same place", False)


def test_twins_that_are_renamed_together_are_told_apart_by_who_refers_to_them(tmp_path: Path) -> None:
    """Their order by name is turned round, and one of them is used."""
    found = how(pairs_of(tmp_path, TEMPLATE.replace("Data", "Zebra").replace("Logs", "Aaa")))
    assert found["Zebra"][0] == "Data" and found["Aaa"][0] == "Logs"
    assert all(unchanged for _, _, unchanged in found.values())


def test_a_moved_resource_is_found_in_the_other_file(tmp_path: Path) -> None:
    found = how(pairs_of(tmp_path, TEMPLATE, "other.yaml"))
    assert {each[1] for each in found.values()} == {"moved"}
    assert all(each[2] for each in found.values())


def test_renamed_and_changed_is_the_most_alike(tmp_path: Path) -> None:
    found = how(pairs_of(tmp_path, TEMPLATE.replace("Web:", "Front:").replace("10.0.0.0/8", "0.0.0.0/0")))
    assert found["Front"] == ("Web", "renamed and changed", False)


def test_another_type_in_its_place_is_another_resource(tmp_path: Path) -> None:
    found = pairs_of(
        tmp_path, TEMPLATE.replace("Logs: {Type: AWS::S3::Bucket}", "Logs: {Type: AWS::SQS::Queue}")
    )
    assert sorted((p.how, p.either.type) for p in found.pairs if p.how in ("new", "gone")) == [
        ("gone", "AWS::S3::Bucket"), ("new", "AWS::SQS::Queue"),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_those_that_say_the_same_are_paired_whole_or_left(count: int) -> None:
    def queue(name: str) -> Resource:
        return Resource("AWS::SQS::Queue", name, None, None, {}, file="t.yaml")

    found = paired_resources([queue(f"a{n}") for n in range(count)], [queue(f"b{n}") for n in range(3)])
    assert sum(pair.how == "renamed" for pair in found.pairs) == (3 if count == 3 else 0)
    assert sorted(pair.how for pair in found.pairs).count("new") == (0 if count == 3 else 3)


@given(st.permutations(["Data", "Logs", "Web", "Reader"]), st.data())
def test_any_renaming_of_everything_is_no_change(order: list[str], data: st.DataObject) -> None:
    new = data.draw(
        st.lists(st.from_regex(r"[A-Z][a-z]{3,7}", fullmatch=True), min_size=4, max_size=4, unique=True)
    )
    names = dict(zip(["Data", "Logs", "Web", "Reader"], new, strict=True))
    before = _resources({})
    after = sorted(_resources(names), key=lambda r: order.index({v: k for k, v in names.items()}[r.id]))
    pairing = paired_resources(before, after)
    assert {(p.base.id if p.base else None, p.head.id if p.head else None) for p in pairing.pairs} == set(
        names.items()
    )
    assert all(is_unchanged(pair, pairing.renamed) for pair in pairing.pairs)


def _resources(names: dict[str, str]) -> list[Resource]:
    """Return what the template says, with other logical ids."""

    def called(name: str) -> str:
        return names.get(name, name)

    loaded = yaml.safe_load(TEMPLATE.replace("!Sub ", ""))["Resources"]
    role = loaded["Reader"]["Properties"]
    gap = Unresolved("unresolved_reference", target=(called("Data"), "Arn"), present=True)
    role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = Unresolved(
        "unresolved_reference", f"${{{called('Data')}.Arn}}/*", parts=("", "/*"), gaps=(gap,)
    )
    return [
        Resource(each["Type"], called(name), None, None, each.get("Properties", {}), file="t.yaml")
        for name, each in loaded.items()
    ]
