"""The whole way from resources to reports: random values at known places, every rule, every format."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from policyengine.catalog import registry
from policyengine.cli.ruleinfo import rule_info
from policyengine.engine.evaluate import Evaluator
from policyengine.model.finding import Finding
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import UNRESOLVED_REASONS, OpenDict, OpenList, Unresolved
from policyengine.reports.base import Context, RunError, RunInfo, TerminalOptions, write_reports
from policyengine.reports.table import REPORTS

from .cases import Given
from .judging import everything, judge
from .mutate import ODD

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "findings-v1.schema.json"
MOST_STEPS = 3
PLACES = (("111122223333", "eu-west-1"), ("111122223333", "global"), ("444455556666", "us-east-1"))

TEXTS = st.sampled_from([o for o in ODD if isinstance(o, str)]) | st.text(max_size=8).filter(
    lambda text: text.isascii() or text.encode("utf-8", "ignore").decode() == text
)
HOLES = st.builds(
    Unresolved,
    st.sampled_from(sorted(UNRESOLVED_REASONS)),
    TEXTS,
    present=st.booleans(),
    target=st.none() | st.just(("r0", "Arn")),
)
SCALARS = st.one_of(
    TEXTS, st.integers(-2, 70_000), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), HOLES
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@cache
def tested_values() -> dict[tuple[str, str], list[Any]]:
    """Return what the rules' own tests have at each top-level property of each type."""
    from tests.soundness.judging import rules, situations

    found: dict[tuple[str, str], list[Any]] = {}
    for rule in sorted(rules()):
        for situation in situations(rule):
            for resource in situation.resources:
                for name, value in resource.properties.items():
                    known = found.setdefault((resource.type, name), [])
                    if len(known) < 8 and value not in known:
                        known.append(value)
    return found


@st.composite
def resources(draw: Any) -> list[Resource]:
    """Draw resources of types that the catalog covers, most values like those of the rules' tests."""
    types = draw(st.lists(st.sampled_from(sorted(registry.covered())), min_size=1, max_size=5))
    return [_resource(draw, type_, number) for number, type_ in enumerate(types)]


def _resource(draw: Any, type_: str, number: int) -> Resource:
    names = [n for n in registry.schema(type_).children() if n not in ("related", "Tags")]
    chosen = draw(st.lists(st.sampled_from(names), max_size=6, unique=True)) if names else []
    properties = {name: draw(_value(type_, name)) for name in chosen}
    account, region = draw(st.sampled_from(PLACES))
    taggable = registry.taggable(type_)
    tags = draw(st.dictionaries(TEXTS, TEXTS | HOLES, max_size=3) | HOLES) if taggable else None
    file = draw(st.none() | st.just("t.yaml"))
    place = Location("t.yaml", 3, 5)
    return Resource(
        type_, f"r{number}", account, region, properties if draw(st.integers(0, 9)) else OpenDict(properties, draw(HOLES)),
        tags=tags, related=draw(st.just({}) | st.dictionaries(TEXTS, st.lists(ANYTHING, max_size=2), max_size=2)),
        file=file, locate=lambda _path: place if file else None,
    )  # fmt: skip


def _value(type_: str, name: str) -> Any:
    known = tested_values().get((type_, name), [])
    shape = registry.schema(type_).kind((name,))
    by_kind = {
        "boolean": st.booleans() | HOLES,
        "integer": st.integers(-1, 70_000) | HOLES,
        "string": TEXTS | HOLES,
    }
    options = [ANYTHING, by_kind.get(shape.name if shape else "", ANYTHING)]
    if known:
        options += [st.sampled_from(known)] * 3
        lists = [value for value in known if type(value) is list]
        if lists:
            options.append(st.builds(OpenList, st.sampled_from(lists), HOLES))
    return st.one_of(options)


RESOURCES = resources()


def check(found: list[Resource]) -> None:
    """Evaluate every rule and write every report; raises for a crash or an incomplete finding."""
    for covered in (True, False):
        findings = judge(everything(), [Given(found, covered=covered)])
        _reports(sorted(findings, key=lambda f: f.sort_key), everything())


@cache
def _schema() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads(CONTRACT.read_text())) if CONTRACT.exists() else None


def _reports(findings: list[Finding], evaluator: Evaluator) -> None:
    context = Context(
        rules={form["id"]: rule_info(form) for form in evaluator.forms},
        source=_NoText(),
        terminal=TerminalOptions(),
    )
    time = "2026-11-21T00:00:00Z"
    run = RunInfo(
        id="0" * 32, started_at=time, finished_at=time, engine_version="0", as_of=time, rule_pack_digest="sha256:" + "0" * 64,
        rule_count=1, targets=["given"], errors=[RunError("x", "y", None, None, None, None, None)],
    )  # fmt: skip
    texts = {}
    for name, kind in REPORTS.items():
        if kind.binary:
            write_reports(findings, [kind.make(io.BytesIO(), context)], run)
            continue
        out = io.StringIO()
        write_reports(findings, [kind.make(out, context)], run)
        texts[name] = out.getvalue()
        texts[name].encode("utf-8")
    document = json.loads(texts["json"])
    if _schema() is not None:
        _schema().validate(document)
    json.loads(texts["sarif"])
    json.loads(texts["gitlab"])
    ET.fromstring(texts["junit"])
    assert all(line.isprintable() for line in texts["terminal"].split("\n"))


class _NoText:
    """Text of no file."""

    def lines(self, _file: str) -> None:
        """Return None."""

    def absolute(self, _file: str) -> None:
        """Return None."""
