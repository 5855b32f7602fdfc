"""Named lists of actions that sets of requests use as ``@name``: what counts as AI data processing, kept once.

The lists are ``data/action_sets.json``; each says what it is about, where that is documented and when it was
checked. ``includes`` takes other lists in. Rules name a list in a parameter, so that an organisation may add
actions of its own beside it (``["@bedrock-inference", "sagemaker:InvokeEndpoint*"]``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def action_sets() -> Mapping[str, tuple[str, ...]]:
    """Return each list by its name, those it includes among its actions."""
    text = (files("policyengine.iam") / "data" / "action_sets.json").read_text(encoding="utf-8")
    listed = json.loads(text)
    return {name: tuple(_actions(listed, name)) for name in listed}


def action_set(name: str) -> tuple[str, ...] | None:
    """Return the actions of a list, None where there is none of the name."""
    return action_sets().get(name)


def _actions(listed: Mapping[str, Mapping[str, list[str]]], name: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for other in listed[name].get("includes", ()):
        found.update(_actions(listed, other))
    return found | dict.fromkeys(listed[name].get("actions", ()))
