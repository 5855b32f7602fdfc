"""What reports are given beside findings that does not come from the run: frameworks, the whole pack, remediations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from policyengine.cli.frameworkinfo import framework_infos, pack_mapping
from policyengine.cli.ruleinfo import rule_info
from policyengine.model.errors import InputError
from policyengine.reports.base import RuleInfo
from policyengine.reports.extras import Extras
from policyengine.store.rundir import RunReader


def known_extras(forms: Iterable[Mapping[str, Any]] | None = None) -> Extras:
    """Return extras with ``frameworks``, ``pack`` and ``remediations``.

    ``forms`` are all compiled rules of the pack, also those that the run did not ask; None: those that come with this
    program. Takes about 0.2 s: call it only for a report that shows frameworks.
    """
    from policyengine.remediate.registry import load_remediations
    from policyengine.rules.packs import load_packs

    return Extras(
        frameworks=framework_infos(),
        pack=pack_mapping(load_packs().rules if forms is None else forms),
        remediations={name: found.mode for name, found in load_remediations().declarations.items()},
    )


def rules_asked(reader: RunReader) -> dict[str, RuleInfo]:
    """Return the rules that a run asked, with the severities of the run; one that was disabled is not among them.

    Raises InputError for a run directory that is damaged.
    """
    try:
        disabled = json.loads((reader.path / "settings.json").read_bytes())["disabled"]
        infos = [rule_info(form) for form in reader.rules if form["id"] not in disabled]
        return {info.id: replace(info, severity=reader.facts[info.id].severity) for info in infos}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"`{reader.path}` is damaged: its rules or settings cannot be read") from error
