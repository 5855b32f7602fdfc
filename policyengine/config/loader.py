"""Reading ``policyengine.yaml``: found, parsed, checked against the rules in use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from policyengine.config.reading import (
    MOST_ERRORS,
    ConfigErrors,
    Mistakes,
    Step,
    TooManyError,
    in_order,
    unknown,
)
from policyengine.config.remediation import Remediating, Repair
from policyengine.config.settings import ScopedParameters, Settings
from policyengine.config.waivers import Waiving
from policyengine.documents import Document, DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.errors import ConfigError
from policyengine.model.location import Location
from policyengine.model.reasons import SEVERITIES
from policyengine.model.withheld import Plan

TOP_KEYS: Final = (
    "version",
    "parameters",
    "scopes",
    "severities",
    "disabled",
    "remediation",
    "waivers",
    "waiving",
    "baseline",
    "evidence",
)
ALL_RULES: Final = "all-rules"
"""Stands among the rules for every rule that has a parameter of the name; what a rule itself is given wins."""
SCOPE_KEYS: Final = ("account", "ou", "tag")

__all__ = [
    "ALL_RULES",
    "MOST_ERRORS",
    "SCOPE_KEYS",
    "TOP_KEYS",
    "CheckParameter",
    "ConfigErrors",
    "load_config",
]

CheckParameter = Callable[[str, str, Any], str | None]
"""(rule, parameter, value) -> what is wrong with it, or None."""


def load_config(
    path: Path,
    check_parameter: CheckParameter,
    rules: Mapping[str, Collection[str]],
    remediations: Callable[[], Mapping[str, Repair]] = dict,
    top_names: Callable[[str], Collection[str]] | None = None,
) -> Settings:
    """Read a configuration file; ``rules``: the names of the parameters of each rule, by its id. ``remediations`` is
    asked for those there are where the file has a section about them, ``top_names`` for the properties of a type.

    Raises ConfigErrors with the place of every mistake: unknown keys, rules, parameters, values of
    the wrong type, a disabled rule without a reason. Raises ConfigError for a file that cannot be
    read or parsed.
    """
    name = _display(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"cannot be read: {reason}", Location(name)) from error
    try:
        document = load(data, name=name, syntax="yaml", style="strict")
    except DocumentError as error:
        if error.code == "empty":
            return Settings()
        raise ConfigError(error.message, error.location) from error
    return _Reader(document, check_parameter, rules, remediations, top_names).read()


def _display(path: Path) -> str:
    """Return the path as a user would type it: relative where the file lies below the current folder."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return path.as_posix()


class _Reader(Mistakes):
    """Reads what it can and keeps every mistake; what is returned is only used where there is none."""

    def __init__(
        self,
        document: Document,
        check_parameter: CheckParameter,
        rules: Mapping[str, Collection[str]],
        remediations: Callable[[], Mapping[str, Repair]],
        top_names: Callable[[str], Collection[str]] | None,
    ) -> None:
        super().__init__(document)
        self.check_parameter = check_parameter
        self.rules = rules
        self.remediations = remediations
        self.top_names = top_names

    def read(self) -> Settings:
        try:
            settings = self._settings()
        except TooManyError:
            settings = Settings()
        if not self.errors:
            return settings
        raise in_order(self.errors, self.document.name)

    def _settings(self) -> Settings:
        value = self.document.value
        if value is None:
            return Settings()
        top = self.mapping(value, ())
        if self.other_version(top, "policyengine.yaml"):
            return Settings()
        self.known_keys(top, TOP_KEYS, ())
        scoped, remediation = self._scopes(top.get("scopes", [])), self._remediation(top)
        return Settings(
            organization=self._parameters(top.get("parameters", {}), ("parameters",)),
            scoped=scoped,
            severities=self._severities(top.get("severities", {})),
            disabled=self._disabled(top.get("disabled", {})),
            remediation=remediation,
            waiving=self._waiving(top),
            withhold=self._withhold(top, scoped, remediation),
        )

    def _withhold(
        self, top: Mapping[str, Any], scoped: Sequence[ScopedParameters], remediation: Remediating
    ) -> Plan | None:
        if "evidence" not in top:
            return None
        from policyengine.config.withhold_reader import read_evidence  # see _remediation

        tags = [scope.tag[0] for scope in scoped if scope.tag is not None]
        return read_evidence(self, top["evidence"], [*tags, *remediation.exclusion_tags], self.top_names)

    def _waiving(self, top: Mapping[str, Any]) -> Waiving:
        if not {"waivers", "waiving", "baseline"} & top.keys():
            return Waiving()
        from policyengine.config.waivers_reader import read_waiving_section  # see _remediation

        return read_waiving_section(self, top)

    def _remediation(self, top: Mapping[str, Any]) -> Remediating:
        if "remediation" not in top:
            return Remediating()
        from policyengine.config.remediation_reader import read_remediation  # few runs have the section

        return read_remediation(self, top["remediation"], ("remediation",), self.remediations())

    def _knows_rule(self, rule: str, place: Sequence[Step]) -> bool:
        if rule in self.rules:
            return True
        self.wrong(place, unknown("rule", rule, self.rules), key=True)
        return False

    def _parameters(self, value: Any, place: tuple[Step, ...]) -> dict[str, dict[str, Any]]:
        given = self.mapping(value, place)
        found = self._shared(given.get(ALL_RULES, {}), (*place, ALL_RULES))
        for rule, values in given.items():
            if rule == ALL_RULES:
                continue
            known = self._knows_rule(rule, (*place, rule))
            own = self.mapping(values, (*place, rule))
            found[rule] = {**found.get(rule, {}), **own}
            for name, item in own.items() if known else ():
                problem = self.check_parameter(rule, name, item)
                if problem:
                    self.wrong((*place, rule, name), f"{shown(f'{rule}.{name}')}: {problem}")
        return found

    def _shared(self, value: Any, place: tuple[Step, ...]) -> dict[str, dict[str, Any]]:
        """Return what is set for every rule that has a parameter of the name."""
        found: dict[str, dict[str, Any]] = {}
        for name, item in self.mapping(value, place).items():
            having = [rule for rule, names in self.rules.items() if name in names]
            if not having:
                every = dict.fromkeys(n for names in self.rules.values() for n in names)
                self.wrong((*place, name), unknown("parameter", name, every), key=True)
            for rule in having:
                problem = self.check_parameter(rule, name, item)
                if problem:
                    self.wrong((*place, name), f"{shown(name)} of {shown(rule)}: {problem}")
                    break
                found.setdefault(rule, {})[name] = item
        return found

    def _scopes(self, value: Any) -> list[ScopedParameters]:
        if not isinstance(value, list):
            self.wrong(("scopes",), "`scopes` is a list of `{account|ou|tag: ..., parameters: ...}`")
            return []
        return [self._scope(item, ("scopes", index)) for index, item in enumerate(value)]

    def _scope(self, value: Any, place: tuple[Step, ...]) -> ScopedParameters:
        if not isinstance(value, dict):
            self.mapping(value, place)
            return ScopedParameters({})
        self.known_keys(value, (*SCOPE_KEYS, "parameters"), place)
        parameters = self._parameters(value.get("parameters", {}), (*place, "parameters"))
        given = [key for key in SCOPE_KEYS if key in value]
        if len(given) != 1:
            what = f"found {' and '.join(given)}" if given else "found none"
            self.wrong(place, f"a scope has exactly one of account, ou, tag; {what}")
        account, ou = (self._id(value, key, place) for key in ("account", "ou"))
        tag = self._tag(value["tag"], (*place, "tag")) if "tag" in value else None
        return ScopedParameters(parameters, account=account, ou=ou, tag=tag)

    def _id(self, scope: Mapping[str, Any], key: str, place: tuple[Step, ...]) -> str | None:
        if key not in scope:
            return None
        name = scope[key]
        if isinstance(name, str):
            return name
        self.wrong((*place, key), f"{shown(str(name))} is no string; quote the id")
        return None

    def _tag(self, value: Any, place: tuple[Step, ...]) -> tuple[str, str] | None:
        if not isinstance(value, dict) or len(value) != 1 or not isinstance(next(iter(value.values())), str):
            self.wrong(place, "a tag scope is one `{Key: value}` pair of strings")
            return None
        return next(iter(value.items()))

    def _severities(self, value: Any) -> dict[str, str]:
        found = dict(self.mapping(value, ("severities",)))
        for rule, severity in found.items():
            self._knows_rule(rule, ("severities", rule))
            if severity not in SEVERITIES:
                self.wrong(("severities", rule), unknown("severity", str(severity), SEVERITIES))
        return found

    def _disabled(self, value: Any) -> dict[str, str]:
        found = dict(self.mapping(value, ("disabled",)))
        for rule, reason in found.items():
            self._knows_rule(rule, ("disabled", rule))
            if not isinstance(reason, str) or not reason.strip():
                self.wrong(("disabled", rule), f"{shown(rule)} is disabled without a reason; write why")
        return found
