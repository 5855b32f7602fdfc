"""Configuration items for tests: the fields every item has, and what a test is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from policyengine.model.resource import Resource
from policyengine.sources.config.mapping import resources_of
from policyengine.sources.config.source import ConfigFile, ConfigSource

Json = dict[str, Any]
CORPUS = Path(__file__).parents[4] / "shared/corpora/config-items"


def item(type: str, configuration: Any = None, **fields: Any) -> Json:
    """An item as history has it; ``supplement`` is its supplementaryConfiguration."""
    return {
        "version": "1.3",
        "accountId": "111122223333",
        "configurationItemCaptureTime": "2026-11-21T08:59:59.139Z",
        "configurationItemStatus": "OK",
        "configurationStateId": "1795251599139",
        "arn": None,
        "resourceType": type,
        "resourceId": "r-1",
        "awsRegion": "eu-west-1",
        "tags": {},
        "relationships": [],
        "configuration": {} if configuration is None else configuration,
        "supplementaryConfiguration": fields.pop("supplement", {}),
        **fields,
    }


def one(type: str, configuration: Any = None, **fields: Any) -> Resource:
    """The resource of one item."""
    (found,) = resources_of(item(type, configuration, **fields))
    return found


def delivered(folder: Path, items: list[Any], name: str = "snapshot.json", *, snapshot: bool = True) -> Path:
    """A file as AWS Config delivers it."""
    record: Json = {"fileVersion": "1.0", **({"configSnapshotId": "s-1"} if snapshot else {})}
    path = folder / name
    path.write_text(json.dumps({**record, "configurationItems": items}), encoding="utf-8")
    return path


def source(*paths: Path) -> ConfigSource:
    return ConfigSource(paths[0].name, [ConfigFile(path, path.name) for path in paths])
