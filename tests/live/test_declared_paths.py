"""What bundled rules read below a property is in the answers too, and Cloud Control gives what they read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.engine.needs import ANY
from policyengine.rules.iam import carrier_forms
from policyengine.sources.live.given import given_by_step, result_shape
from policyengine.sources.live.plan import make_plan
from policyengine.sources.live.spec import Collector, RegistryCollector, Step
from policyengine.sources.live.table import collector_of

botocore_session = pytest.importorskip("botocore.session")
from tests.live.test_declarations import CONTEXT, PLAIN, _ids, _needs  # noqa: E402  # after importorskip


def _steps(collector: Collector) -> list[Step]:
    found = [collector.list, *([collector.describe] if collector.describe else [])]
    return [step for step in found if step.operation]


PAIRS = ({"Key", "Value"}, {"ParameterName", "ParameterValue"}, {"ParameterKey", "ParameterValue"})
"""What lists of pairs are made of: maps, for which any key may be asked."""


def _element(shape: Any) -> Any:
    while shape is not None and shape.type_name == "list":
        shape = shape.member
    return shape


def _is_pair(element: Any) -> bool:
    return any(pair <= set(getattr(element, "members", ())) for pair in PAIRS)


def _has_room(shape: Any, path: list[str], renames: Mapping[str, str], at: str = "") -> bool:
    """Whether an answer can say what stands at a canonical path; a text may hold a document, a map anything."""
    if shape is None:
        return False
    pairs = shape.type_name == "list" and _is_pair(_element(shape))
    shape = _element(shape)
    if not path or pairs or shape.type_name in ("map", "string"):
        return True
    if shape.type_name != "structure":
        return False
    if getattr(shape, "is_document_type", False):
        return True
    if set(shape.members) >= {"Items", "Quantity"}:
        return _has_room(shape.members["Items"], path, renames, at)
    for name, member in shape.members.items():
        here = f"{at}.{name}" if at else name
        target = renames.get(here, name).split(".")
        if here in renames and renames[here] == "":
            continue
        own = target == path[: len(target)] or target[0].casefold() == path[0].casefold()
        if own and (len(path) < len(target) or _has_room(member, path[len(target) :], renames, here)):
            return True
    return False


def _told(collector: Collector, path: list[str]) -> bool:
    for step in _steps(collector):
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        if path[0] in step.gives or _has_room(shape, path, {**collector.rename, **step.rename}):
            return True
    for step in collector.details:
        if path[0] not in given_by_step(collector, step, CONTEXT):
            continue
        below = path[len(step.into.split(".")) :] if step.into else path
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        by_code = step.gives or step.shape or step.ask or (step.into and _is_pair(shape))
        if by_code or _has_room(shape, below, step.rename):
            return True
    return False


def _read(collector: Any, of: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Yield what is read of properties that no code makes."""
    unknown = getattr(collector, "unknown", ())
    for path in sorted(of.get(collector.type, frozenset()) - {ANY}):
        top = path.split(".")[0]
        excused = any(f"{path}.".startswith(f"{u}.") for u in unknown)
        if (
            top in registry.top_level(collector.type)
            and top not in getattr(collector, "gives", ())
            and not excused
        ):
            yield path


BY_SHAPE = [c for c in PLAIN if c.shape is None and (c.describe is None or c.describe.shape is None)]


@pytest.mark.parametrize("collector", BY_SHAPE, ids=_ids(BY_SHAPE))
def test_answers_have_room_for_what_rules_read_below_a_property(collector: Collector) -> None:
    missing = [path for path in _read(collector, _needs()) if not _told(collector, path.split("."))]
    assert not missing, f"no call gives {missing}: rename it, or declare it `unknown`"


@pytest.mark.parametrize("type", sorted(carrier_forms.FORMS))
def test_the_roles_of_what_runs_are_given(type: str) -> None:
    """Whoever changes what runs with a role acts as it: a role that did not arrive would be taken for none."""
    path = carrier_forms.FORMS[type].role.split(".")
    assert path[0] in registry.top_level(type), f"the catalog has no `{path[0]}`: it would be left out"
    collector = collector_of(type)
    assert collector is not None
    for part in getattr(collector, "parts", ()) or (collector,):
        if isinstance(part, Collector) and part.type == type:
            assert path[0] in part.gives or _told(part, path), f"no call gives {'.'.join(path)}"


def test_cloud_control_gives_what_rules_read() -> None:
    """Our own properties and those AWS only takes are never in its answers: each needs calls of the service."""
    never: set[tuple[str, str]] = set()
    for collector in make_plan(_needs()).collectors:
        if not isinstance(collector, RegistryCollector):
            continue
        schema = registry.schema(collector.type)
        own = registry.schema_data().get(collector.type, {}).get("p", {})
        extra = {path.split(".")[0] for path in (schema.extra if schema is not None else ())} - set(own)
        lost = {*registry.handlers(collector.type).write_only, *extra}
        for path in _read(collector, _needs()):
            if any(f"{path}.".startswith(f"{name}.") for name in lost):
                never.add((collector.type, path))
    assert never <= NOT_GIVEN.keys(), sorted(never - NOT_GIVEN.keys())
    assert NOT_GIVEN.keys() <= never, f"given now: {sorted(NOT_GIVEN.keys() - never)}"


NOT_GIVEN: dict[tuple[str, str], str] = {
    ("AWS::AppFlow::ConnectorProfile", "KMSArn"): "DescribeConnectorProfiles does not name the key either",
}
"""What no API tells, so that rules about it say UNKNOWN of what runs."""
