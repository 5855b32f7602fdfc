"""Settings as plain JSON, for what runs without the file they were written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from policyengine.config.remediation import Approving, Breaker, Freeze, Limits, Remediating, Window
from policyengine.config.settings import ScopedParameters, Settings
from policyengine.config.waivers import read_waiving
from policyengine.model.withheld import Plan

Json = dict[str, Any]


def write_settings(settings: Settings) -> Json:
    """Return the settings as JSON."""
    return {field.name: _plain(getattr(settings, field.name)) for field in fields(settings)}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def read_settings(form: Mapping[str, Any]) -> Settings:
    """Return the settings of :func:`write_settings`. Raises KeyError, TypeError, ValueError for anything else."""
    scoped = [
        ScopedParameters(**{**each, "tag": tuple(each["tag"]) if each["tag"] else None})
        for each in form["scoped"]
    ]
    waiving = read_waiving(form["waiving"])
    remediation = read_remediating(form["remediation"])
    plan = form.get("withhold")
    withhold = None if plan is None else Plan.from_json(plan)
    read = {"scoped": scoped, "remediation": remediation, "waiving": waiving, "withhold": withhold}
    return Settings(**{**form, **read})


def read_remediating(form: Mapping[str, Any]) -> Remediating:
    """Return the section of :func:`write_settings` about remediation."""
    given = dict(form)
    for name in ("exclusion_tags", "waves"):
        given[name] = tuple(given[name])
    given["automatic"] = frozenset(given["automatic"])
    given["windows"] = tuple(Window(**{**each, "days": tuple(each["days"])}) for each in given["windows"])
    given["freezes"] = tuple(Freeze(**each) for each in given["freezes"])
    given["limits"] = Limits(**given["limits"])
    given["breaker"] = Breaker(**given["breaker"])
    given["approving"] = Approving(**given["approving"])
    return Remediating(**given)
