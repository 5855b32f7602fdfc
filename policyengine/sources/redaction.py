"""Secrets taken out before anything is written: a keyed digest stands in their place, and what a look at them found.

Every text at a secret property (``TypeSpec.secrets``: environment variables, user data, source code, tokens) becomes
``Unresolved("redacted")``; so does any other text in which a detector finds a credential, also where only parts of it are
known, a tag or a value in a free-form document whose key says that it is one, and what follows ``--password`` in a list.
Its detail holds

* an HMAC-SHA-256 under a key that is kept outside the snapshot: the same value at the same property of the same type
  has the same digest, so that diffs, caches and waivers hold, and nobody without the key can try values;
* what detectors found while the value was there, so that rules about plain text secrets give the verdict they
  would have given on the value itself.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final, Protocol

from policyengine.catalog import registry
from policyengine.catalog.secret_names import PAIR_NAMES, PAIR_VALUES, secret_names
from policyengine.model.redacted import Looked, is_dynamic, redacted, without_text
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved

_BYTES: Final = 16
_SCALARS: Final = (str, int, float)
_TAGS: Final = frozenset({"Tags", "tags"})


class Detector(Protocol):
    """Looks at a value before it is taken out; ``name`` is what the value is called, "" where nothing says it."""

    def __call__(self, name: str, value: str | Unresolved) -> Looked | None:
        """Return what kinds of credentials the value has; None where it cannot be looked at, or is not known enough."""
        ...


class Redactor:
    """Takes secrets out of resources. ``key`` has at least 16 bytes."""

    def __init__(self, key: bytes, detect: Detector) -> None:
        if len(key) < 16:
            raise ValueError("a key for redaction has at least 16 bytes")
        self._key = key
        self._detect = detect
        self.key_id = hmac.new(key, b"policyengine key id", hashlib.sha256).hexdigest()[:8]
        self._names: dict[str, frozenset[str]] = {}

    def __call__(self, resource: Resource) -> Resource:
        """Return the resource without secrets: the same object, changed."""
        names = self._names.get(resource.type)
        if names is None:
            names = self._names[resource.type] = secret_names((resource.type,))
        work = _Work(self, resource.type, names)
        resource.properties = work.value(resource.properties, (), "", secret=False)
        resource.related = work.value(resource.related, ("related",), "", secret=False)
        if isinstance(resource.tags, Mapping):
            resource.tags = work.value(resource.tags, ("tags",), "", secret=False)
        return resource

    def digest(self, type: str, path: tuple[str, ...], value: str) -> str:
        """Return the digest of a value of a type's property; lists have no step in ``path``."""
        text = "\0".join((type, ".".join(path), value))
        mac = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()[:_BYTES]
        return f"hmac-sha256:{self.key_id}:{mac.hex()}"


class _Work:
    def __init__(self, redactor: Redactor, type: str, names: frozenset[str]) -> None:
        self._redactor = redactor
        self._type = type
        self._names = names

    def value(self, value: Any, path: tuple[str, ...], name: str, *, secret: bool) -> Any:
        if isinstance(value, dict):
            return self._object(value, path, secret=secret)
        if isinstance(value, list):
            items = [
                self.value(each, path, name, secret=secret or self._assigned(_option(value, index), each))
                for index, each in enumerate(value)
            ]
            return OpenList(items, value.more) if isinstance(value, OpenList) else items
        if isinstance(value, Unresolved):
            return self._reference(value, path, name, secret=secret)
        if isinstance(value, bool) or not isinstance(value, _SCALARS):
            return value
        return self._text(value, path, name, secret=secret)

    def _reference(self, value: Unresolved, path: tuple[str, ...], name: str, *, secret: bool) -> Unresolved:
        """What is not known may have parts that are: of a secret they go, and so do those with a credential in them. What
        they were stays."""
        kept = without_text(value)
        if kept is value:
            return value
        found = self._redactor._detect(name, value)
        if found is None or (not secret and not found.text):
            return kept if secret or self._tells(value) else value
        return redacted(self._redactor.digest(self._type, path, value.detail), found, part=True)

    def _tells(self, value: Unresolved) -> bool:
        """Whether the words for what is not known have a credential in them, which no rule looks for there."""
        found = self._redactor._detect("", value.detail)
        return found is None or bool(found.text)

    def _object(self, value: dict[str, Any], path: tuple[str, ...], *, secret: bool) -> dict[str, Any]:
        called = _called(value)
        below = {}
        for key, each in value.items():
            hidden = secret or (key in self._names and not (path and path[0] in _TAGS))
            name = called if called and key in _VALUES else key
            inner = (*path, key)
            hidden = hidden or (self._assigned(name, each) and self._free(inner))
            below[key] = self.value(each, inner, name, secret=hidden)
        return OpenDict(below, value.more) if isinstance(value, OpenDict) else below

    def _assigned(self, name: str, value: Any) -> bool:
        """Whether a name and a text together are what a script would assign a credential with."""
        if not name or not isinstance(value, str) or not _SHORTEST_NAMED <= len(value) <= _LONGEST_NAMED:
            return False
        lower = name.lower()
        if not any(hint in lower for hint in _HINTS):  # most names, and a look costs time
            return False
        found = self._redactor._detect("", f'{name}="{value}"')
        return found is not None and bool(found.text)

    def _free(self, path: tuple[str, ...]) -> bool:
        """Whether users choose the names there: tags and documents. Conditions of policies have names of AWS's."""
        if not _TAGS.isdisjoint(path):
            return True
        if "Condition" in path:
            return False
        schema = registry.schema(self._type)
        kind = schema.kind(path) if schema is not None else None
        return kind is not None and kind.name == "json"

    def _text(self, value: str | float, path: tuple[str, ...], name: str, *, secret: bool) -> Any:
        text = str(value)
        if not text or is_dynamic(value):
            return value
        if not secret and (not isinstance(value, str) or len(text) < _SHORTEST):
            return value
        found = self._redactor._detect(name, text)
        if not secret and found is not None and not found.text:
            return value
        return redacted(self._redactor.digest(self._type, path, text), found)


_SHORTEST: Final = 12
"""No known form of a credential is shorter."""
_HINTS: Final = ("pass", "secret", "token", "key")
_SHORTEST_NAMED: Final = 6
_LONGEST_NAMED: Final = 200
"""A longer text is looked at by itself."""
_VALUES: Final = frozenset(PAIR_VALUES)


def _called(value: Mapping[str, Any]) -> str:
    """Return what a pair of name and value calls its value."""
    if _VALUES.isdisjoint(value):
        return ""
    names = (value.get(key) for key in PAIR_NAMES)
    return next((name for name in names if isinstance(name, str)), "")


def _option(items: list[Any], index: int) -> str:
    """Return the option of a command line that stands before an item."""
    before = items[index - 1] if index else None
    return before if isinstance(before, str) and before.startswith("-") and "=" not in before else ""
