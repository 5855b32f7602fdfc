"""Errors a user meets, as one tree.

PolicyEngineError
 ├── InputError        a target, template, plan or snapshot that cannot be read (exit 2)
 ├── RuleError         a rule or rule test that cannot be loaded (exit 2)
 ├── ConfigError       policyengine.yaml, waivers, baseline (exit 2)
 └── UsageError        options that do not go together (exit 2)

Messages are one line, lower case, in the user's words, user input in backticks; the place comes
first: ``path:line:column: message``.
"""

from __future__ import annotations

from typing import Any

from policyengine.model.location import Location


class PolicyEngineError(Exception):
    """Base of the errors that are shown without a traceback.

    ``message`` is one printable line: control characters of quoted input are spelt out here, so that no
    place that quotes input can forget it.
    """

    code = "error"

    def __init__(self, message: str, location: Location | None = None, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = _one_line(message)
        self.location = location
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.location, self.code))


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in text)


def _rebuild(
    kind: type[PolicyEngineError], message: str, location: Location | None, code: str
) -> PolicyEngineError:
    return kind(message, location, code=code)


class InputError(PolicyEngineError):
    """A target that cannot be read, or a part of one."""

    code = "input_error"


class RuleError(PolicyEngineError):
    """A rule that cannot be loaded."""

    code = "rule_error"


class ConfigError(PolicyEngineError):
    """A configuration file that cannot be used."""

    code = "config_error"


class UsageError(PolicyEngineError):
    """Options that do not go together."""

    code = "usage_error"
