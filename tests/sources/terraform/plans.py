"""Short descriptions of plans for tests, turned into what ``terraform show -json`` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.terraform.addresses import steps
from policyengine.sources.terraform.plan import PlanSource, open_plan


def make_plan(described: dict[str, Any]) -> dict[str, Any]:
    """Return a plan from address -> ``{after, unknown, sensitive, refs, hidden, actions, for_each}``.

    The configuration of a resource says every attribute of ``after`` as a constant, except those of
    ``hidden``; ``refs`` maps attributes to references. Keys that are no address: ``modules`` (call -> inputs and outputs),
    ``provider`` (expressions of the AWS provider), ``variables``.
    """
    described = dict(described)
    modules = described.pop("modules", {})
    provider = described.pop("provider", {})
    variables = described.pop("variables", {})
    root: dict[str, Any] = {"resources": [], "module_calls": {}}
    for name, module in modules.items():
        _module(root, name).update(
            expressions={k: {"references": v} for k, v in module.get("inputs", {}).items()},
            source=module.get("source", f"./{name}"),
        )
        _module(root, name)["module"]["outputs"] = {
            k: {"expression": {"references": v}} for k, v in module.get("outputs", {}).items()
        }
    changes = [_change(root, address, resource or {}) for address, resource in described.items()]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "variables": {k: {"value": v} for k, v in variables.items()},
        "planned_values": {"root_module": {}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": provider}},
            "root_module": root,
        },
    }


def _module(parent: dict[str, Any], name: str) -> dict[str, Any]:
    calls = parent.setdefault("module_calls", {})
    return calls.setdefault(name, {"module": {"resources": [], "module_calls": {}}})


def _change(root: dict[str, Any], address: str, resource: dict[str, Any]) -> dict[str, Any]:
    *path, kind, last = steps(address)
    module, names = root, []
    for call in path[1::2]:
        module = _module(module, call.name)["module"]
        names.append(f"module.{call.name}" + ("" if call.key is None else f"[{json.dumps(call.key)}]"))
    configured = [r for r in module["resources"] if (r["type"], r["name"]) == (kind.name, last.name)]
    if not configured:
        module["resources"].append(_configuration(kind.name, last.name, resource))
    change = {
        "actions": resource.get("actions", ["create"]),
        "before": None,
        "after": resource.get("after", {}),
        "after_unknown": resource.get("unknown", {}),
        "after_sensitive": resource.get("sensitive", {}),
    }
    found = {"address": address, "mode": "managed", "type": kind.name, "name": last.name, "change": change}
    if names:
        found["module_address"] = ".".join(names)
    if last.key is not None:
        found["index"] = last.key
    return found


def _configuration(kind: str, name: str, resource: dict[str, Any]) -> dict[str, Any]:
    refs = {k: {"references": v} for k, v in resource.get("refs", {}).items()}
    hidden = resource.get("hidden", ())
    written = {k: v for k, v in (resource.get("after") or {}).items() if v is not None and k not in hidden}
    expressions = {k: _expression(v) for k, v in written.items()}
    found = {
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_config_key": "aws",
        "expressions": expressions | refs,
    }
    if "for_each" in resource:
        found["for_each_expression"] = {"references": resource["for_each"]}
    return found


def _expression(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return [{k: _expression(inner) for k, inner in block.items() if inner is not None} for block in value]
    return {"constant_value": value}


def source(plan: Any, folder: Path, **options: Any) -> PlanSource:
    """Write a plan to a file and open it."""
    file = folder / "plan.json"
    file.write_text(plan if isinstance(plan, str) else json.dumps(plan, indent=1), encoding="utf-8")
    return open_plan(file, SourceOptions(base=folder, **options))


def read(plan: dict[str, Any], folder: Path, **options: Any) -> dict[str, Resource]:
    """Return the resources of a described plan by id; fails the test on any error."""
    opened = source(make_plan(plan), folder, **options)
    found = {r.id: r for r in opened.resources()}
    assert opened.errors == []
    return found


def shown(value: Any) -> Any:
    """Return model values as plain data: ``{"?": reason, "target": "address.attribute"}``."""
    if isinstance(value, Unresolved):
        found: dict[str, Any] = {"?": value.reason}
        return found | ({"target": ".".join(value.target)} if value.target else {})
    if isinstance(value, OpenList):
        return [*(shown(v) for v in value), {"...": value.more.reason}]
    if isinstance(value, list):
        return [shown(v) for v in value]
    if isinstance(value, dict):
        found = {k: shown(v) for k, v in value.items() if not _gap(v)}
        return found | ({"...": value.more.reason} if isinstance(value, OpenDict) else {})
    return value


def _gap(value: Any) -> bool:
    """What the mapping does not cover, which the golden data leaves out."""
    return isinstance(value, Unresolved) and value.detail.startswith("not read from")
