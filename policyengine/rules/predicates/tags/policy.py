"""AWS Organizations tag policies: reading their JSON and judging tags by it.

Syntax and meaning:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html
``{"tags": {POLICY_KEY: {"tag_key": …, "tag_value": […], "enforced_for": […],
"report_required_tag_for": […]}}}``. In a policy as written each setting is ``{"@@assign": …}``, or
``@@append``/``@@remove`` for children; in an effective policy it is the plain value.

- The policy key names the tag whatever its case; ``tag_key`` is the spelling that complies, the
  policy key in lower case where it is not given.
- ``tag_value`` lists the values that comply, case-sensitive, with at most one ``*`` each; without
  it any value does. Tags that no policy key names, and resources without the tag, comply.
- ``enforced_for`` says where AWS blocks tagging calls; what complies is the same without it.
- ``report_required_tag_for`` lists resource types (``ec2:instance``, ``ec2:ALL_SUPPORTED``) that
  must have the tag.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.tags.names import is_aws_key, matches_wildcard, plain_type

_SETTINGS: Final = frozenset({"tag_key", "tag_value", "enforced_for", "report_required_tag_for"})
_SERVICES: Final = {
    "certificatemanager": "acm", "efs": "elasticfilesystem", "elasticloadbalancingv2": "elasticloadbalancing",
    "elasticsearch": "es", "kinesisfirehose": "firehose", "msk": "kafka", "opensearchservice": "es",
    "stepfunctions": "states",
}  # fmt: skip
"""CloudFormation's service name -> the one of tag policies, where they differ."""
_TYPES: Final = {"rds:dbinstance": "rds:db", "rds:dbcluster": "rds:cluster"}

Parts = tuple[list[Evidence], list[Evidence], list[Evidence]]


@dataclass(frozen=True, slots=True)
class TagRule:
    """What one policy key asks: without ``values`` any value complies."""

    name: str
    spelling: str
    values: tuple[str, ...] | None
    required_for: tuple[str, ...]


def parse(policy: Any) -> tuple[TagRule, ...] | str:
    """Return the rules of a tag policy given as an object or as JSON text.

    What cannot be read is answered with a sentence part saying what was expected.
    """
    if isinstance(policy, str):
        if len(policy) > 100_000:
            return "a tag policy of at most 100,000 characters"
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return "a tag policy as valid JSON"
    entries = policy.get("tags") if isinstance(policy, dict) else None
    if not isinstance(entries, dict):
        return "a tag policy: an object with the key `tags`"
    rules = []
    for name, entry in entries.items():
        if name.startswith("@@"):
            continue
        rule = _rule(name, entry)
        if isinstance(rule, str):
            return rule
        rules.append(rule)
    return tuple(rules)


def _rule(name: str, entry: Any) -> TagRule | str:
    if not isinstance(entry, dict):
        return f"an object with `tag_key` or `tag_value` for the policy key `{name}`"
    strange = [k for k in entry if k not in _SETTINGS and not k.startswith("@@")]
    if strange:
        return f"only tag_key, tag_value, enforced_for and report_required_tag_for under `{name}`, not `{strange[0]}`"
    spelling = _setting(entry.get("tag_key"))
    if not isinstance(spelling, str | None) or (
        spelling is not None and spelling.casefold() != name.casefold()
    ):
        return f"a `tag_key` that is `{name}` but for its case"
    lists = [_list(entry.get(setting)) for setting in ("tag_value", "report_required_tag_for")]
    if any(isinstance(found, str) for found in lists):
        return f"lists of texts under `tag_value` and `report_required_tag_for` of `{name}`"
    values, required_for = (found if isinstance(found, tuple) else None for found in lists)
    return TagRule(name, spelling if spelling is not None else name.lower(), values, required_for or ())


def _setting(value: Any) -> Any:
    """Return what a setting assigns: in an effective policy the value itself."""
    return value.get("@@assign") if isinstance(value, dict) else value


def _list(setting: Any) -> tuple[str, ...] | str | None:
    """Return a list setting with its own appends and removals applied; text when it is none."""
    if setting is None:
        return None
    parts = setting if isinstance(setting, dict) else {"@@assign": setting}
    found: dict[str, list[str]] = {}
    for operator in ("@@assign", "@@append", "@@remove"):
        given = parts.get(operator, [])
        items = [given] if isinstance(given, str) else given
        if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
            return "not a list of texts"
        found[operator] = items
    kept = [*found["@@assign"], *found["@@append"]]
    if not kept and "@@assign" not in parts:
        return None
    return tuple(item for item in kept if item not in found["@@remove"])


def judge(rules: Sequence[TagRule], tags: Mapping[str, Any], resource_type: str) -> Parts:
    """Return the evidence that fails, is unknown and complies."""
    failed: list[Evidence] = []
    unknown: list[Evidence] = []
    found: list[Evidence] = []
    for rule in rules:
        named = [k for k in sorted(tags) if k.casefold() == rule.name.casefold() and not is_aws_key(k)]
        for key in named:
            evidence, known = _judge_tag(rule, key, tags[key])
            (found if evidence.reason == "requirement_met" else failed if known else unknown).append(evidence)
        if not named and not hasattr(tags, "more"):
            _judge_missing(rule, resource_type, failed, unknown)
    return failed, unknown, found


def _judge_tag(rule: TagRule, key: str, value: Any) -> tuple[Evidence, bool]:
    """Return the evidence for a tag and whether it is decided."""
    path = ("tags", key)
    if isinstance(value, Unresolved) and not value.present:
        return Evidence(path, value, f"a tag `{rule.spelling}`", value.reason), False
    if key != rule.spelling:
        return Evidence(path, key, f"the tag key spelt `{rule.spelling}`", "tag_misspelt"), True
    if not rule.values or "*" in rule.values:
        return Evidence(path, value, "any value", "requirement_met"), True
    expected = "one of " + ", ".join(f"`{v}`" for v in rule.values)
    if isinstance(value, Unresolved):
        return Evidence(path, value, expected, value.reason), False
    if not isinstance(value, str):
        return Evidence(path, value, expected, "wrong_type"), False
    complies = any(matches_wildcard(v, value) for v in rule.values)
    return Evidence(path, value, expected, "requirement_met" if complies else "tag_value"), True


def _judge_missing(
    rule: TagRule, resource_type: str, failed: list[Evidence], unknown: list[Evidence]
) -> None:
    """Decide ``report_required_tag_for``; AWS's names of types are not CloudFormation's."""
    needed = _is_required(rule.required_for, resource_type)
    if needed is False:
        return
    expected = f"a tag `{rule.spelling}`, which the tag policy requires for {', '.join(rule.required_for)}"
    if needed:
        failed.append(Evidence(("tags", rule.spelling), ABSENT, expected, "tag_missing"))
    else:
        doubt = Unresolved("unsupported", f"whether the tag policy means {resource_type}")
        unknown.append(Evidence(("tags", rule.spelling), doubt, expected, "unsupported"))


def _is_required(listed: Sequence[str], resource_type: str) -> bool | None:
    """Return whether one of the listed types is this one; None when only the service is sure."""
    parts = resource_type.lower().split("::")
    if len(parts) != 3 or parts[0] != "aws":
        return None if listed else False
    service = _SERVICES.get(parts[1], parts[1])
    name = _TYPES.get(f"{service}:{parts[2]}", f"{service}:{parts[2]}")
    same_service = [entry for entry in listed if entry.lower().partition(":")[0] == service]
    if any(plain_type(entry) == plain_type(name) for entry in same_service):
        return True
    return None if same_service else False
