"""Reading ``policyengine.yaml``: found, parsed, checked against the rules in use."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from policyengine.config.settings import ScopedParameters, Settings
from policyengine.documents import Document, DocumentError, load
from policyengine.model.errors import ConfigError
from policyengine.model.reasons import SEVERITIES

TOP_KEYS = ("parameters", "scopes", "severities", "disabled")
SCOPE_KEYS = ("account", "ou", "tag")

CheckParameter = Callable[[str, str, Any], str | None]
"""(rule, parameter, value) -> what is wrong with it, or None."""
Step = str | int


def load_config(path: Path, check_parameter: CheckParameter, rule_ids: Iterable[str]) -> Settings:
    """Read a configuration file.

    Raises ConfigError with the place of the first mistake: unknown keys, rules, parameters,
    values of the wrong type, a disabled rule without a reason.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        document = load(data, name=path.name, syntax="yaml", style="strict")
    except DocumentError as error:
        if error.code == "empty":
            return Settings()
        raise ConfigError(error.message, error.location) from error
    return _Reader(document, check_parameter, tuple(rule_ids)).settings()


class _Reader:
    def __init__(self, document: Document, check_parameter: CheckParameter, rule_ids: Sequence[str]) -> None:
        self.document = document
        self.check_parameter = check_parameter
        self.rule_ids = rule_ids

    def fail(self, place: Sequence[Step], message: str, *, key: bool = False) -> ConfigError:
        return ConfigError(message, self.document.locate(tuple(place), key=key))

    def settings(self) -> Settings:
        value = self.document.value
        if value is None:
            return Settings()
        top = self._mapping(value, ())
        self._known_keys(top, TOP_KEYS, ())
        return Settings(
            organization=self._parameters(top.get("parameters", {}), ("parameters",)),
            scoped=self._scopes(top.get("scopes", [])),
            severities=self._severities(top.get("severities", {})),
            disabled=self._disabled(top.get("disabled", {})),
        )

    def _mapping(self, value: Any, place: Sequence[Step]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            where = ".".join(map(str, place)) or "the file"
            raise self.fail(place, f"`{where}` is no mapping; expected `key: value` lines")
        return value

    def _known_keys(self, value: Mapping[str, Any], known: Sequence[str], place: Sequence[Step]) -> None:
        for key in value:
            if key not in known:
                raise self.fail((*place, key), _unknown("key", str(key), known), key=True)

    def _known_rule(self, rule: str, place: Sequence[Step]) -> None:
        if rule not in self.rule_ids:
            raise self.fail(place, _unknown("rule", str(rule), self.rule_ids), key=True)

    def _parameters(self, value: Any, place: tuple[Step, ...]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for rule, values in self._mapping(value, place).items():
            self._known_rule(rule, (*place, rule))
            found[rule] = dict(self._mapping(values, (*place, rule)))
            for name, given in found[rule].items():
                problem = self.check_parameter(rule, name, given)
                if problem:
                    raise self.fail((*place, rule, name), f"`{rule}.{name}`: {problem}")
        return found

    def _scopes(self, value: Any) -> list[ScopedParameters]:
        if not isinstance(value, list):
            raise self.fail(("scopes",), "`scopes` is a list of `{account|ou|tag: ..., parameters: ...}`")
        return [self._scope(item, ("scopes", index)) for index, item in enumerate(value)]

    def _scope(self, value: Any, place: tuple[Step, ...]) -> ScopedParameters:
        item = self._mapping(value, place)
        self._known_keys(item, (*SCOPE_KEYS, "parameters"), place)
        given = [key for key in SCOPE_KEYS if key in item]
        if len(given) != 1:
            raise self.fail(place, "a scope has exactly one of account, ou, tag")
        parameters = self._parameters(item.get("parameters", {}), (*place, "parameters"))
        if given[0] != "tag":
            name = item[given[0]]
            if not isinstance(name, str):
                raise self.fail((*place, given[0]), f"`{name}` is no string; quote the id")
            by_account = given[0] == "account"
            return ScopedParameters(
                parameters, account=name if by_account else None, ou=None if by_account else name
            )
        tag = self._mapping(item["tag"], (*place, "tag"))
        if len(tag) != 1 or not all(isinstance(v, str) for v in tag.values()):
            raise self.fail((*place, "tag"), "a tag scope is one `{Key: value}` pair of strings")
        return ScopedParameters(parameters, tag=next(iter(tag.items())))

    def _severities(self, value: Any) -> dict[str, str]:
        found = dict(self._mapping(value, ("severities",)))
        for rule, severity in found.items():
            self._known_rule(rule, ("severities", rule))
            if severity not in SEVERITIES:
                raise self.fail(("severities", rule), _unknown("severity", str(severity), SEVERITIES))
        return found

    def _disabled(self, value: Any) -> dict[str, str]:
        found = dict(self._mapping(value, ("disabled",)))
        for rule, reason in found.items():
            self._known_rule(rule, ("disabled", rule))
            if not isinstance(reason, str) or not reason.strip():
                raise self.fail(("disabled", rule), f"`{rule}` is disabled without a reason; write why")
        return found


def _unknown(what: str, name: str, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    return f"unknown {what} `{name}`" + (f"; did you mean `{close[0]}`?" if close else "")
