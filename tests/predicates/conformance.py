"""Reads conformance cases of predicates: data in, one answer out.

A case is ``{case, args, expect, ...}`` with ``expect: TRUE|FALSE|UNKNOWN``, the resource's ``type``,
``properties``, ``tags``, ``related`` and ``with`` (alias -> list of properties), ``relations`` (alias ->
path that names them), ``tables`` (type -> list of ``{id, properties}``; other types are not collected),
``resource`` (``arn``, ``region``, ``file``, ``id`` of the resource), ``witness`` (a part of the request
that is shown), ``now``, ``where``, and ``evidence``: ``[[path, reason], ...]`` in order (needed
unless TRUE is expected), ``says``: a part of the first evidence's ``expected``. In values
``{$unresolved: reason}`` is an unresolved one, ``{$reference: id}`` one that refers to a resource of the
source, and the key ``$more`` in an object or a last element ``{$more: reason}`` says that there may be
more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from policyengine.model.finding import Evidence
from policyengine.model.reasons import REASONS
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Predicate, Subject

FOLDER = Path(__file__).parent
KEYS = {
    "case", "args", "expect", "evidence", "says", "type", "properties", "tags", "related", "with", "now", "where",
    "relations", "tables", "resource", "witness",
}  # fmt: skip
NOW = "2026-11-21T12:00:00Z"


def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of one file; ValueError for one that expects nothing or has an unknown key."""
    loaded: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    for case in loaded:
        strange = case.keys() - KEYS
        if strange or case.get("expect") not in ("TRUE", "FALSE", "UNKNOWN"):
            raise ValueError(f"{name}.yaml: {case.get('case')}: unknown keys {strange} or no expectation")
        if case["expect"] != "TRUE" and not case.get("evidence"):
            raise ValueError(f"{name}.yaml: {case['case']}: {case['expect']} without evidence")
    return loaded


def value(form: Any) -> Any:
    """Return the model value of a case's value."""
    if isinstance(form, dict):
        if form.keys() == {"$unresolved"}:
            return Unresolved(form["$unresolved"])
        if form.keys() == {"$reference"}:
            return Unresolved("unresolved_reference", present=True, target=(form["$reference"], "Arn"))
        plain = {k: value(v) for k, v in form.items() if k != "$more"}
        return OpenDict(plain, Unresolved(form["$more"])) if "$more" in form else plain
    if isinstance(form, list):
        if form and isinstance(form[-1], dict) and form[-1].keys() == {"$more"}:
            return OpenList([value(v) for v in form[:-1]], Unresolved(form[-1]["$more"]))
        return [value(v) for v in form]
    return form


def resource(case: dict[str, Any], properties: Any) -> Resource:
    """Return the resource of a case; ``tags: null`` is a type that cannot be tagged."""
    own = case.get("resource", {})
    return Resource(
        type=case.get("type", "AWS::EC2::Instance"),
        id=own.get("id", "subject"),
        account=own.get("account", "111122223333"),
        region=own.get("region", "eu-west-1"),
        properties=properties,
        arn=own.get("arn"),
        file=own.get("file"),
        tags=value(case.get("tags", {})),
        related=value(case.get("related", {})),
    )


def table(case: dict[str, Any], type_: str) -> Any:
    """Return the resources of a type that a case shows; an element ``{$more: reason}`` leaves the list open."""
    listed = value(case.get("tables", {}).get(type_, {"$unresolved": "not_collected"}))
    if isinstance(listed, Unresolved):
        return listed
    made = [
        resource({"type": type_, "resource": {"id": one["id"]}}, one.get("properties", {})) for one in listed
    ]
    return OpenList(made, listed.more) if isinstance(listed, OpenList) else made


def _related(properties: Any) -> Resource:
    """Return a related resource; keys with a dollar among its properties are its own: region, type, account."""
    own = {key[1:]: text for key, text in properties.items() if key.startswith("$")}
    form = {"resource": own, **({"type": own["type"]} if "type" in own else {})}
    return resource(form, {k: v for k, v in properties.items() if not k.startswith("$")})


def subject(case: dict[str, Any]) -> Subject:
    """Return the subject of a case."""
    aliases = value(case.get("with", {}))

    def related(alias: str) -> Any:
        found = aliases[alias]
        if isinstance(found, Unresolved):
            return found
        made = [_related(properties) for properties in found]
        return OpenList(made, found.more) if isinstance(found, OpenList) else made

    return Subject(
        resource=resource(case, value(case.get("properties", {}))),
        now=datetime.fromisoformat(case.get("now", NOW)).astimezone(UTC),
        related=related,
        tables=lambda type_: table(case, type_),
        organization=lambda type_: table(case, type_),
        where=value(case["where"]) if "where" in case else None,
        relations={alias: {"via": via} for alias, via in case.get("relations", {}).items()},
    )


def check(predicate: Predicate, case: dict[str, Any]) -> None:
    """Ask the predicate and hold its answer against the case."""
    given = {
        key: tuple(v) if predicate.args[key].kind == "path" else v for key, v in case.get("args", {}).items()
    }
    defaults = {key: arg.default for key, arg in predicate.args.items() if not arg.required}
    answer = predicate.check(subject(case), **{**defaults, **given})
    assert answer.truth.name == case["expect"], answer
    if "evidence" in case:
        found = [[*e.path, e.reason] for e in answer.evidence]
        assert found == [[*path, reason] for path, reason in case["evidence"]]
    if "says" in case:
        assert case["says"] in f"{answer.evidence[0].observed} {answer.evidence[0].expected}"
    if "witness" in case:
        assert answer.witness is not None
        shown = answer.witness._asdict()
        assert {key: shown[key] for key in case["witness"]} == case["witness"]
    for item in answer.evidence:
        assert explains(item, case["expect"])


def explains(item: Evidence, truth: str) -> bool:
    """Return whether the reason of the evidence can stand for this truth."""
    verdict = {"TRUE": "PASS", "FALSE": "FAIL", "UNKNOWN": "UNKNOWN"}[truth]
    return bool(item.expected) and verdict in REASONS[item.reason][0]
