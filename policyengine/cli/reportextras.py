"""What reports are given beside findings that does not come from the run: frameworks, the whole pack, remediations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policyengine.cli.frameworkinfo import framework_infos, pack_mapping
from policyengine.reports.extras import Extras


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
