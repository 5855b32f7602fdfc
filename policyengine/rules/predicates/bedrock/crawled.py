"""``retrieval.permissions_crawled``: whether a connector of Q Business or Kendra reads who may see a document.

Documents that are indexed without access control lists count as public:
https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/gmail-user-management.html. Most connectors have a
switch ``crawlAcl``; the one for S3 reads the lists of a file that its configuration names
(https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/s3-user-management.html,
https://docs.aws.amazon.com/kendra/latest/APIReference/API_AccessControlListConfiguration.html), the one for
databases those of a column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenDict, Unresolved
from policyengine.rules.predicates.api import Answer, Subject

_EXPECTED: Final = "permissions read along with the documents"
_SWITCHES: Final = (
    ("additionalProperties", "crawlAcl"),
    ("additionalProperties", "isCrawlAcl"),
    ("accessControlConfiguration", "crawlAcl"),
    ("enableAclCrawling",),
)
_FILES: Final = (
    ("additionalProperties", "aclConfigurationFilePath"),
    ("aclConfigurationFilePath",),
)
_KENDRA: Final = {
    "S3": ("S3Configuration", "AccessControlListConfiguration", "KeyPath"),
    "DATABASE": ("DatabaseConfiguration", "AclConfiguration", "AllowedGroupsColumnName"),
}
_DEFAULT: Final = Unresolved("default_depends", "whether permissions are read depends on the connector")


class _Found(NamedTuple):
    path: Path
    value: Any


def permissions(subject: Subject) -> Answer:
    """TRUE when the configuration makes the connector read access control lists."""
    properties = subject.resource.properties
    if subject.resource.type == "AWS::QBusiness::DataSource":
        return _of_template(properties.get("Configuration", ABSENT), ("Configuration",))
    configuration = properties.get("DataSourceConfiguration", ABSENT)
    template = _first(configuration, (("TemplateConfiguration", "Template"),), ("DataSourceConfiguration",))
    if template.value is not ABSENT:
        return _of_template(template.value, template.path)
    type_ = properties.get("Type")
    if isinstance(type_, str) and type_ in _KENDRA:
        return _named(_first(configuration, (_KENDRA[type_],), ("DataSourceConfiguration",)))
    why = type_ if isinstance(type_, Unresolved) else _DEFAULT
    return Answer(UNKNOWN, (Evidence(("DataSourceConfiguration",), why, _EXPECTED, why.reason),))


def _of_template(configuration: Any, path: Path) -> Answer:
    """Answer for a configuration of the connectors that Q Business and Kendra share."""
    if isinstance(configuration, str):
        try:
            configuration = json.loads(configuration)
        except (ValueError, RecursionError):
            configuration = Unresolved("unsupported", "the configuration is no JSON")
    if not isinstance(configuration, Mapping):
        why = configuration if isinstance(configuration, Unresolved) else _DEFAULT
        return Answer(UNKNOWN, (Evidence(path, why, _EXPECTED, why.reason),))
    type_ = _at(configuration, ("type",), ()).value
    if isinstance(type_, str):
        return _of_s3(configuration, path) if type_.upper() == "S3" else _switched(configuration, path)
    others = _switched(configuration, path)
    if not isinstance(type_, Unresolved) or others.truth in (UNKNOWN, _of_s3(configuration, path).truth):
        return others
    return Answer(UNKNOWN, (Evidence((*path, "type"), type_, _EXPECTED, type_.reason),))


def _of_s3(configuration: Mapping[str, Any], path: Path) -> Answer:
    return _named(_first(configuration, _FILES, path))


def _switched(configuration: Mapping[str, Any], path: Path) -> Answer:
    """Answer for a connector other than that for S3, which has a switch."""
    switch = _first(configuration, _SWITCHES, path)
    if switch.value is ABSENT:
        return Answer(UNKNOWN, (Evidence(switch.path, _DEFAULT, _EXPECTED, _DEFAULT.reason),))
    if isinstance(switch.value, Unresolved):
        return Answer(UNKNOWN, (Evidence(switch.path, switch.value, _EXPECTED, switch.value.reason),))
    on = switch.value is True or (isinstance(switch.value, str) and switch.value.lower() == "true")
    reason = "requirement_met" if on else "value_mismatch"
    return Answer(TRUE if on else FALSE, (Evidence(switch.path, switch.value, _EXPECTED, reason),))


def _named(found: _Found) -> Answer:
    """Answer for a connector that reads the lists only where it is told."""
    value = found.value
    if isinstance(value, Unresolved) and value.target is None:
        return Answer(UNKNOWN, (Evidence(found.path, value, _EXPECTED, value.reason),))
    if value is ABSENT or value in ("", None):
        return Answer(FALSE, (Evidence(found.path, ABSENT, _EXPECTED, "missing"),))
    return Answer(TRUE, (Evidence(found.path, value, _EXPECTED, "requirement_met"),))


def _first(value: Any, ways: Sequence[Sequence[str]], path: Path) -> _Found:
    """Return what stands at the first of several places where something does; ABSENT at the first else."""
    found = [_at(value, way, path) for way in ways]
    return next((one for one in found if one.value is not ABSENT), found[0])


def _at(value: Any, steps: Sequence[str], path: Path) -> _Found:
    whole = (*path, *steps)
    for step in steps:
        if isinstance(value, Unresolved):
            return _Found(path, value.part())
        if not isinstance(value, Mapping):
            return _Found(whole, ABSENT)
        path = (*path, step)
        value = value.get(step, value.more if isinstance(value, OpenDict) else ABSENT)
    return _Found(path, value)
