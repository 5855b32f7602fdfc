"""What a function is deployed with: compiled rules, remediations and settings, beside the code.

``policyengine deploy package`` writes them; nothing is fetched at run time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from policyengine.config.compiled import read_settings
from policyengine.config.settings import Settings
from policyengine.rules.pack import Pack, parse_pack

Json = dict[str, Any]
FOLDER: Final = Path(__file__).resolve().parent.parent / "_data"
RULES: Final = "rules.json"
SETTINGS: Final = "settings.json"


class BundleError(Exception):
    """The function was packaged without something it needs."""


@dataclass(frozen=True)
class Bundle:
    """The rules in use and the settings of the organisation, digests included."""

    pack: Pack
    settings: Settings

    def rule(self, rule: str) -> Json | None:
        """Return the form of a rule, None for one that was not deployed."""
        return next((form for form in self.pack.rules if form["id"] == rule), None)


def load_bundle(folder: Path = FOLDER) -> Bundle:
    """Return what lies beside the code. Raises BundleError, RuleError (a damaged pack)."""
    try:
        pack = parse_pack((folder / RULES).read_bytes())
    except OSError:
        raise BundleError(
            f"`{folder / RULES}` is missing: the function was not made by `policyengine deploy package`"
        ) from None
    try:
        settings = read_settings(json.loads((folder / SETTINGS).read_bytes()))
    except FileNotFoundError:
        settings = Settings()
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BundleError(
            f"`{folder / SETTINGS}` is damaged ({type(problem).__name__}); package it again"
        ) from None
    return Bundle(pack, settings)
