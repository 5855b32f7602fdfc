"""Whether a CodeDeploy deployment group brings a new version to some before it brings it to all.

The predefined configurations are those of
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html; without one CodeDeploy takes
servers one at a time and shifts all traffic of Lambda and ECS at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_PREDEFINED: Final = "CodeDeployDefault."
_AT: Final = ("DeploymentConfigName",)
_EXPECTED: Final = "a configuration that leaves part of the fleet or of the traffic on the old version"


def gradual(subject: Subject, *, config: str, application: str) -> Answer:
    """TRUE when the group's deployment configuration is not all at once, or servers get a second fleet."""
    name = subject.resource.properties.get("DeploymentConfigName", ABSENT)
    if isinstance(name, str) and name.startswith(_PREDEFINED):
        return _answer(name, _predefined(subject, name.removeprefix(_PREDEFINED)))
    if name is ABSENT:
        found = _one(subject, application)
        platform = found if isinstance(found, Unresolved) else found.get("ComputePlatform", "Server")
        shown = f"the default of {platform}" if isinstance(platform, str) else platform
        return _answer(shown, platform if isinstance(platform, Unresolved) else platform == "Server")
    if isinstance(name, Unresolved) and name.target is None:
        return _answer(name, name)
    found = _one(subject, config)
    return _answer(name, found if isinstance(found, Unresolved) else _keeps_some(found))


def _predefined(subject: Subject, name: str) -> bool | Unresolved:
    if name != "AllAtOnce":
        return not name.endswith("AllAtOnce")
    kind = _get(_get(subject.resource.properties, "DeploymentStyle"), "DeploymentType")
    return kind if isinstance(kind, Unresolved) else kind == "BLUE_GREEN"


def _keeps_some(config: Mapping[str, Any]) -> bool | Unresolved:
    """Decide a configuration of one's own: traffic in steps, or hosts that must stay healthy."""
    routing, hosts = _get(config, "TrafficRoutingConfig"), _get(config, "MinimumHealthyHosts")
    steps = [_get(routing, name) for name in ("TimeBasedCanary", "TimeBasedLinear")]
    least = _get(hosts, "Value")
    if isinstance(least, str) and least.isascii() and least.isdigit() and len(least) < 10:
        least = int(least)
    if any(isinstance(step, Mapping) for step in steps):
        return True
    if isinstance(least, int | float) and not isinstance(least, bool) and least >= 1:
        return True
    return next((value for value in (*steps, least) if isinstance(value, Unresolved)), False)


def _get(value: Any, name: str) -> Any:
    if isinstance(value, Unresolved):
        return value.part()
    if not isinstance(value, Mapping):
        return ABSENT
    return value[name] if name in value else getattr(value, "more", ABSENT)


def _one(subject: Subject, alias: str) -> Mapping[str, Any] | Unresolved:
    found = subject.related(alias)
    if isinstance(found, Unresolved):
        return found
    if not found:
        more = found.more if isinstance(found, OpenList) else None
        return more or Unresolved("not_collected", "what the deployment group names")
    return found[0].properties


def _answer(observed: Any, verdict: bool | Unresolved) -> Answer:
    if isinstance(verdict, Unresolved):
        return Answer(UNKNOWN, (Evidence(_AT, verdict, _EXPECTED, verdict.reason),))
    reason = "requirement_met" if verdict else "value_mismatch"
    return Answer(TRUE if verdict else FALSE, (Evidence(_AT, observed, _EXPECTED, reason),))


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "deployment.gradual",
        gradual,
        "The deployment group brings a new version to some before it brings it to all.",
        {
            "config": Arg("alias", help="the relation to the deployment configuration"),
            "application": Arg("alias", help="the relation to the application"),
        },
        types=("AWS::CodeDeploy::DeploymentGroup",),
    ),
)
