"""What the command line reads besides targets: configuration and template parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from policyengine.aws.region_names import REGION_NAME
from policyengine.config.find import FILE_NAME as CONFIG
from policyengine.config.find import find_config
from policyengine.config.remediation import Repair
from policyengine.config.settings import Settings
from policyengine.documents.files import exists, is_file
from policyengine.model.account_id import is_account_id
from policyengine.model.errors import UsageError
from policyengine.rules.names import unknown
from policyengine.rules.pack import Pack
from policyengine.rules.parameters import check_value

if TYPE_CHECKING:
    from policyengine.cli.configured import Accepts

WAIVERS: Final = "waivers.yaml"
"""Beside the configuration it is read where the configuration names no others."""
TAKEN: Final = ("settings.json",)
"""Names that bundles give other files beside the configuration."""


class Configuration(NamedTuple):
    """The settings of a run, where they were written, and the texts of all files behind them, by name."""

    settings: Settings
    path: Path | None
    texts: Mapping[str, bytes]

    @property
    def whole(self) -> bytes:
        """All texts, one after the other: what decides a run besides rules and targets."""
        return b"\0".join(self.texts.values())


def read_parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return template parameters of ``--parameters``: files in either AWS format, or KEY=VALUE."""
    values: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if equals and not exists(text):
            values[key] = value
        elif not exists(text):
            raise UsageError(f"--parameters `{text}` is neither a file nor KEY=VALUE")
        else:
            from policyengine.sources.cloudformation import read_parameters_file

            values.update(read_parameters_file(Path(text)))
    return values


def read_pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return KEY=VALUE texts as a mapping; raises UsageError for a text without `=`."""
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} `{text}` is no KEY=VALUE")
        pairs[key] = value
    return pairs


def check_place(account: str | None, region: str | None) -> None:
    """Raise UsageError for an account or region that cannot be one: conditions and rules compare them."""
    if account is not None and not is_account_id(account):
        raise UsageError(f"--account `{account}` is no account id; expected twelve digits")
    if region is not None and not re.fullmatch(REGION_NAME, region):
        raise UsageError(f"--region `{region}` is no region; expected e.g. eu-west-1")


def read_settings(options: Mapping[str, Any], targets: Sequence[str], pack: Pack) -> tuple[Settings, bytes]:
    """Return the settings and the texts behind them (empty without any), as :func:`read_configuration` does."""
    found = read_configuration(options, targets, pack)
    return found.settings, found.whole


def read_configuration(options: Mapping[str, Any], targets: Sequence[str], pack: Pack) -> Configuration:
    """Return the configuration with its waivers and its baseline.

    The nearest file above the first target is used; ``--config`` overrides. A target that does
    not exist is reported when it is opened, not here. Raises ConfigError.
    """
    path: Path | None = options["config"]
    if path is None:
        existing = [Path(t) for t in targets if t != "-" and exists(t)]
        path = find_config(existing[0]) if existing else None
    settings, texts = Settings(), {}
    if path is not None:
        from policyengine.config.loader import load_config

        settings = load_config(
            path,
            lambda *args: _check(pack, *args),
            {r["id"]: r["parameters"] for r in pack.rules},
            _remediations,
            _top_names,
        )
        texts = {CONFIG: path.read_bytes()}
    accepts = _accepts(settings, path, options, pack)
    if accepts is not None:
        settings = replace(settings, waiving=accepts.waiving)
        texts |= {
            f"other-{name}" if name in (*texts, *TAKEN) else name: text
            for name, text in accepts.texts.items()
        }
    if options["ous"]:
        settings = replace(settings, ous={options["account"] or "": tuple(options["ous"])})
    return Configuration(settings, path, texts)


def _accepts(settings: Settings, path: Path | None, options: Mapping[str, Any], pack: Pack) -> Accepts | None:
    """Return what accepts failures; None where no file says anything of it, which nothing is loaded for."""
    waiving = settings.waiving
    named = waiving.files or waiving.baseline_file or options.get("waiver_files") or options.get("baseline")
    beside = path is not None and waiving.files is None and is_file(path.parent / WAIVERS)
    if not named and not beside:
        return None
    from policyengine.cli.configured import read_accepts

    return read_accepts(waiving, path, options, pack)


def _top_names(type_: str) -> Collection[str]:
    from policyengine.catalog import registry

    return registry.top_level(type_)


def _remediations() -> Mapping[str, Repair]:
    from policyengine.remediate.registry import load_remediations

    return load_remediations().repairs()


def _check(pack: Pack, rule: str, name: str, value: Any) -> str | None:
    """Say what is wrong with a parameter value of a rule, None when nothing is."""
    form = pack.rule(rule)
    if form is None:
        return None
    if name not in form["parameters"]:
        return unknown("parameter", name, form["parameters"])
    return check_value(form["parameters"][name], value)
