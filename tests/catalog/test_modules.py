"""Modules are loaded when a type of theirs is asked for; what is listed wrongly is found when all are."""

from __future__ import annotations

import pytest

from policyengine.catalog.modules import Modules

DECLARED = {"a": {"AWS::S3::Bucket": 1}, "b": {"AWS::EC2::Volume": 2, "AWS::EC2::VPC": 3}}


def test_only_the_modules_of_a_service_are_loaded() -> None:
    loaded = []

    def load(name: str) -> dict[str, int]:
        loaded.append(name)
        return DECLARED[name]

    modules = Modules({"a": ("AWS::S3",), "b": ("AWS::EC2",)}, load)
    assert modules.find("AWS::SQS::Queue") is None
    assert loaded == []
    assert [modules.find(type) for type in ("AWS::EC2::VPC", "AWS::EC2::Volume", "AWS::EC2::No")] == [
        3,
        2,
        None,
    ]
    assert loaded == ["b"]
    assert modules.all() == {"AWS::S3::Bucket": 1, "AWS::EC2::Volume": 2, "AWS::EC2::VPC": 3}


@pytest.mark.parametrize(
    ("services", "wrong"),
    [
        ({"a": ("AWS::S3",), "b": ("AWS::SQS",)}, "`AWS::EC2::Volume` .*`b` is not listed"),
        ({"a": ("AWS::S3",), "again": ("AWS::S3",)}, "`AWS::S3::Bucket` is declared twice"),
    ],
)
def test_what_is_listed_wrongly(services: dict[str, tuple[str, ...]], wrong: str) -> None:
    modules = Modules(services, {**DECLARED, "again": {"AWS::S3::Bucket": 4}}.__getitem__)
    with pytest.raises(ValueError, match=wrong):
        modules.all()
