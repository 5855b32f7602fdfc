"""Tags: ``tags_all`` where the plan knows it, else ``tags`` over the provider's ``default_tags``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog.terraform.language import TypeMap
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.tags import read_tags
from policyengine.sources.terraform.configuration import Configuration
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.mapper import settle
from policyengine.sources.terraform.values import Pending


def apply_tags(
    made: Draft, mapped: TypeMap | None, provider: Mapping[str, Any], configuration: Configuration
) -> None:
    """Set the draft's tags, and its tag property in the canonical shape."""
    if not registry.taggable(made.type):
        return
    if mapped is not None and mapped.tags:
        found = _tags(made.tree, mapped.tags, provider, configuration)
        _store(made, found)
        made.tags = found
    else:
        made.tags = read_tags(made.type, made.properties)


def _tags(
    tree: Mapping[str, Any], name: str, provider: Mapping[str, Any], configuration: Configuration
) -> Any:
    everything = tree.get("tags_all")
    if isinstance(everything, dict):
        return settle(everything)
    own = tree.get(name)
    if isinstance(own, Pending):
        return own.scalar()
    if isinstance(own, Unresolved):
        return own
    tags = settle(own) if isinstance(own, dict) else {}
    defaults, more = _default_tags(provider, configuration)
    tags = {**defaults, **tags}
    return OpenDict(tags, more) if more is not None else tags


def _default_tags(
    provider: Mapping[str, Any], configuration: Configuration
) -> tuple[dict[str, Any], Unresolved | None]:
    """Return the provider's default tags; Unresolved as well when the plan does not say them."""
    written = provider.get("default_tags")
    block = written[0] if isinstance(written, list) and written else written
    if not isinstance(block, dict) or "tags" not in block:
        return {}, None
    tags = configuration.constant(block["tags"])
    if isinstance(tags, dict):
        return {k: v for k, v in tags.items() if isinstance(v, str)}, None
    return {}, Unresolved("known_after_apply", "the provider's `default_tags`")


def _store(made: Draft, tags: Any) -> None:
    """Write the tags where the type carries them, so that paths and folding see them there."""
    place = registry.tag_property(made.type)
    if place is None or "." in place.name or made.properties.get(place.name) is not None:
        return
    if isinstance(tags, Unresolved):
        made.properties[place.name] = tags
    elif tags and place.shape == "map":
        made.properties[place.name] = tags
    elif tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        more = tags.more if isinstance(tags, OpenDict) else None
        made.properties[place.name] = OpenList(pairs, more) if more is not None else pairs
