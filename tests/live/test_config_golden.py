"""One resource, one verdict: as CloudFormation, Terraform, live API, AWS Config event and AWS Config history."""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from policyengine.aws.failures import CallFailure
from policyengine.catalog import registry
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.needs import ANY, needs_of
from policyengine.engine.piece import prepare
from policyengine.engine.references import values_at
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template
from policyengine.sources.config.mapping import resources_of
from policyengine.sources.live.table import collector_of

Json = dict[str, Any]
HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "config_golden.yaml").read_text(encoding="utf-8"))
PACK = load_packs()
NEEDS = needs_of(PACK.rules)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
POLICIES = ("Policy", "PolicyDocument", "AssumeRolePolicyDocument")
TEXTS = ("policyText", "Policy")
DOCUMENTS = ("policyDocument", "assumeRolePolicyDocument")


def _plans() -> Any:
    """The short descriptions of plans that the Terraform tests use."""
    spec = importlib.util.spec_from_file_location("plans", HERE.parent / "sources/terraform/plans.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLANS = _plans()


def event(case: Json) -> Json:
    """A rule's invocation: ``ARN``, ``awsAccountId``, objects; policies percent-encoded as IAM gives them."""
    item = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-11-21T08:59:59.139Z",
        "configurationStateId": 1795251599139,
        "configurationItemStatus": "OK",
        "configurationStateMd5Hash": "",
        "awsAccountId": "111122223333",
        "awsRegion": "us-east-1",
        "resourceType": CONFIG_NAMES.get(case["type"], case["type"]),
        "relationships": [],
        "relatedEvents": [],
        "supplementaryConfiguration": {},
        **case["item"],
    }
    item["configuration"] = _texts(_encoded(item["configuration"]))
    item["supplementaryConfiguration"] = _texts(item["supplementaryConfiguration"])
    notification = {"configurationItem": item, "messageType": "ConfigurationItemChangeNotification"}
    return {"invokingEvent": json.dumps(notification), "resultToken": "x", "eventLeftScope": False}


CODE = ("template", "plan")
AGREEABLE = {True: {"UNKNOWN", "NOT_APPLICABLE"}}
"""Rules about what only runs (a state, an attachment) and about what only code says do not apply to the other."""
CONFIG_NAMES: dict[str, str] = {}


def history(case: Json) -> Json:
    """An answer of GetResourceConfigHistory: ``arn``, ``accountId``, JSON in texts, the parts' own each."""
    item = json.loads(event(case)["invokingEvent"])["configurationItem"]
    supplement = {name: json.dumps(value) for name, value in item.pop("supplementaryConfiguration").items()}
    renamed = {
        "version": item.pop("configurationItemVersion"),
        "accountId": item.pop("awsAccountId"),
        "arn": item.pop("ARN"),
        "configurationItemMD5Hash": item.pop("configurationStateMd5Hash"),
        "configurationStateId": str(item.pop("configurationStateId")),
        "configuration": json.dumps(item.pop("configuration")),
    }
    return {**item, **renamed, "supplementaryConfiguration": supplement}


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: quote(json.dumps(v)) if k in DOCUMENTS and isinstance(v, dict) else _encoded(v)
            for k, v in value.items()
        }
    return [_encoded(v) for v in value] if isinstance(value, list) else value


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: json.dumps(v) if k in TEXTS and isinstance(v, dict) else _texts(v) for k, v in value.items()
        }
    return value


def written(case: Json, folder: Path) -> Resource:
    template = folder / "template.json"
    template.write_text(json.dumps({"Resources": case["template"]}), encoding="utf-8")
    return next(
        r for r in open_template(template, SourceOptions(base=folder)).resources() if r.type == case["type"]
    )


def planned(case: Json, folder: Path) -> Resource:
    def text(value: Any, name: str = "") -> Any:
        if isinstance(value, dict) and name in ("policy", "assume_role_policy"):
            return json.dumps(value)
        if isinstance(value, dict):
            return {k: text(v, k) for k, v in value.items()}
        return [text(v) for v in value] if isinstance(value, list) else value

    described = {address: {"after": text(after)} for address, after in case["terraform"].items()}
    return next(r for r in PLANS.read(described, folder).values() if r.type == case["type"])


class Answers(dict[str, Any]):
    """Calls that a test says nothing of are denied: what they give is not known, and is not compared."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> CallFailure:
        return CallFailure(name, "access_denied", "AccessDenied", "", "111122223333")


def lived(case: Json, canned: Callable[..., Any], collect: Callable[..., list[Resource]]) -> Resource:
    answers = Answers()
    for name, answer in case["live"].items():
        if answer == "Registry":
            body = {"Identifier": "build", "Properties": json.dumps(case["template"]["R"]["Properties"])}
            answers[name] = {"TypeName": case["type"], "ResourceDescription": body}
        elif isinstance(answer, str):
            answers[name] = CallFailure(name, "read_error", answer.partition(" ")[2], "", "111122223333")
        else:
            answers[name] = _json_policies(answer)
    account = canned(answers)
    needs = {case["type"]: frozenset(path.split(".")[0] for path in NEEDS[case["type"]] - {ANY})}
    spec = registry.spec(case["type"])
    place = "global" if spec is not None and spec.is_global else None
    found = collect(account, case["type"], needs=needs, place=place)
    assert found, collect.last.failures  # type: ignore[attr-defined]  # what the fixture tells beside the list
    return next(r for r in found if r.type == case["type"])


def _json_policies(value: Any) -> Any:
    """Policies are texts in the APIs' models."""
    if isinstance(value, dict):
        return {
            k: json.dumps(v) if k in POLICIES and isinstance(v, dict) else _json_policies(v)
            for k, v in value.items()
        }
    return [_json_policies(v) for v in value] if isinstance(value, list) else value


@pytest.fixture
def seen(
    request: pytest.FixtureRequest, tmp_path: Path, canned: Callable[..., Any], collect: Callable[..., Any]
) -> dict[str, Resource]:
    case = request.param
    found = {
        "template": written(case, tmp_path),
        **({"plan": planned(case, tmp_path)} if "terraform" in case else {}),
        **({"live": lived(case, canned, collect)} if _collected(case) else {}),
        "event": next(resources_of(event(case))),
        "history": next(resources_of(history(case))),
    }
    for resource in found.values():
        prepare(resource)
    return found


def _collected(case: Json) -> bool:
    return "live" in case and collector_of(case["type"]) is not None


def verdicts(resource: Resource) -> dict[str, str]:
    world = World()
    world.add(resource)
    return {f.rule: f.verdict for f in Evaluator(PACK, now=NOW).findings(resource, world)}


every_case = pytest.mark.parametrize("seen", CASES, ids=[c["name"] for c in CASES], indirect=True)


@every_case
def test_what_two_sources_decide_they_decide_alike(seen: dict[str, Resource]) -> None:
    judged = {name: verdicts(resource) for name, resource in seen.items()}
    assert judged["event"] == judged["history"]
    for first, second in itertools.combinations(judged, 2):
        different = {
            rule: (first, verdict, second, judged[second][rule])
            for rule, verdict in judged[first].items()
            if rule in judged[second]
            and judged[second][rule] != verdict
            and not AGREEABLE.get((first in CODE) != (second in CODE), {"UNKNOWN"})
            & {verdict, judged[second][rule]}
        }
        assert different == {}


@every_case
def test_event_and_history_are_one_resource(seen: dict[str, Resource]) -> None:
    ours, other = seen["event"], seen["history"]
    assert (ours.identity, ours.arn, ours.tags, ours.related) == (
        other.identity, other.arn, other.tags, other.related,
    )  # fmt: skip
    assert ours.properties == other.properties
    assert ours.collected_at == "2026-11-21T08:59:59Z"


@every_case
def test_rules_read_of_config_what_they_read_live(seen: dict[str, Resource]) -> None:
    """Where both know a property; ids are the ones users know."""
    if "live" not in seen:
        pytest.skip(f"no live answers for {seen['event'].type}")
    ours, live = seen["event"], seen["live"]
    assert (ours.type, ours.id, ours.region, ours.tags) == (live.type, live.id, live.region, live.tags)
    different = {}
    for path in sorted(NEEDS[ours.type] - {ANY}):
        pair = [_known(resource, path) for resource in (ours, live)]
        if None not in pair and pair[0] != pair[1]:
            different[path] = pair
    assert different == {}


def _known(resource: Resource, path: str) -> Any:
    values = list(values_at(resource, path.split(".")))
    if any(_has_unresolved(value) for value in values):
        return None
    return json.loads(json.dumps(values, default=str))


def _has_unresolved(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unresolved(v) for v in value.values())
    if isinstance(value, list):
        return any(_has_unresolved(v) for v in value)
    return isinstance(value, Unresolved)
