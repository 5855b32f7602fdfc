"""288 public templates: every one loads, none crashes, mistakes have a place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from policyengine.documents import load
from policyengine.model.errors import InputError
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import is_template, open_template

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "cloudformation"
FILES = sorted(p for p in CORPUS.glob("*") if p.suffix != ".txt")

pytestmark = pytest.mark.skipif(not FILES, reason="the shared corpora are not beside this checkout")

MACRO_EVENTS = {"196_event_bad.json", "197_event.json"}
UNPACKAGED = "is not known to CloudFormation"


def test_the_corpus_is_whole():
    assert len(FILES) == 288


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_every_template_is_evaluated_and_every_value_has_a_place(region):
    resources = errors = 0
    started = time.process_time()
    for file in FILES:
        document = load(file.read_bytes(), name=file.name, style="cloudformation")
        assert is_template(document.value) is (file.name not in MACRO_EVENTS)
        if file.name in MACRO_EVENTS:
            continue
        source = open_template(file, SourceOptions(base=CORPUS, region=region), document)
        for resource in source.resources():
            resources += 1
            for branch in (resource, *resource.variants):
                assert branch.file == file.name
                assert branch.locate(()).line is not None
                for name in branch.properties:
                    assert branch.locate((name,)).line is not None
        for error in source.errors:
            errors += 1
            assert error.location is not None
            assert error.location.line is not None
            known = (
                UNPACKAGED,
                "`Fn::GetAtt` takes a resource",
                "2AZ.eu-west-1.",
                "`RegionMap.eu-west-1.AZs`",
            )
            assert any(text in error.message for text in known)
    assert resources > 1700
    assert 0 < errors < 40
    assert time.process_time() - started < 60


def test_macro_events_are_no_templates():
    for name in MACRO_EVENTS:
        with pytest.raises(InputError, match="the template has no `Resources`"):
            open_template(CORPUS / name, SourceOptions())


def test_the_same_template_in_json_and_yaml_has_the_same_resources():
    """Twins stand near each other in the corpus; a macro or another default makes them differ."""
    equal = different = 0
    for file in FILES:
        if file.suffix != ".json" or file.name in MACRO_EVENTS:
            continue
        near = [p for p in FILES if p.suffix in (".yaml", ".yml") and p.stem[4:] == file.stem[4:]]
        for twin in near:
            if abs(int(twin.name[:3]) - int(file.name[:3])) <= 5:
                found = [
                    sorted((r.id, r.type, len(r.variants), sorted(r.properties)) for r in read(p))
                    for p in (file, twin)
                ]
                equal += found[0] == found[1]
                different += found[0] != found[1]
    assert equal > 70
    assert different < equal / 10


def read(path):
    return open_template(path, SourceOptions(base=CORPUS)).resources()
