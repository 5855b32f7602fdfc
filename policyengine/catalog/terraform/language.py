"""The mapping language: how one Terraform resource type becomes one canonical type.

A mapping is text, a list of fields separated by white space. A field is::

    source[*][:converter…][=Target] [{ fields of the block }]

``source`` is a Terraform attribute; ``a.b`` steps through single blocks. ``*`` says that the
canonical value is a list: with braces a list of blocks, without a list of values. Without ``*``
a block (which a plan writes as a list of one) is unwrapped. ``Target`` is the canonical name,
``A.B`` nests; without it, the last source step in PascalCase. Converters are named in
``CONVERTERS`` and run from left to right. The same target may be written by several fields: the
first that has a value wins.

    storage_encrypted multi_az=MultiAZ parameter*=Parameters { name=ParameterName value:text }
    policy:json=KeyPolicy  encrypt_at_rest=EncryptionAtRestOptions { enabled kms_key_id }

Names are checked against the registry schemas and the provider's schema by
``tests/catalog/test_terraform_tables.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.catalog.terraform.converters import CONVERTERS


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a mapping; ``fields`` is None for a value and a tuple for a block."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    many: bool = False
    converters: tuple[str, ...] = ()
    fields: tuple[Field, ...] | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """A further canonical resource that a Terraform resource holds within itself.

    ``each`` is the block (one resource for each) or attribute that must be there; ``text`` maps the
    block, or the whole resource when ``each`` is an attribute; ``link`` is the property that is a
    reference to the holder (a list when ``link_list``), by its attribute ``by``.
    """

    to: str
    each: str
    text: str
    link: str
    by: str = "id"
    link_list: bool = False
    block: bool = False
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the parsed fields."""
        return parse(self.text)


@dataclass(frozen=True, slots=True)
class Merge:
    """A Terraform resource that is part of another one: joined to it by the source.

    ``parent`` is the canonical type, ``by`` the attribute that names it. The mapped properties are
    laid into the parent's; lists named in ``append`` are appended to instead. Where ``by`` is a list the
    part is joined to each resource it names. ``code`` names a function of ``sources/terraform/parts.py``
    that makes properties the language cannot say.
    """

    parent: str
    by: str
    text: str
    append: tuple[str, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the parsed fields."""
        return parse(self.text)


@dataclass(frozen=True, slots=True)
class TypeMap:
    """How one Terraform resource type becomes a canonical resource.

    ``constants`` are dotted canonical paths with a value that always holds. ``code`` names a
    function of ``sources/terraform/special.py`` that finishes what the language cannot say, and
    ``sets`` the dotted canonical paths it may set. ``absent`` are dotted canonical paths that Terraform
    has no way to set, so that leaving them out is knowledge and not ignorance. ``tags`` is the
    Terraform attribute that carries tags. ``physical`` is the canonical property that holds the
    Terraform ``id`` once it is known. ``attributes`` are a list property of ``{Key, Value}`` and the
    Terraform attribute -> key that fill it. ``partial`` says that the resource is a setting of an
    account or region: whatever it does not set is not collected.
    """

    to: str
    text: str
    emit: tuple[Emit, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    sets: str = ""
    absent: str = ""
    tags: str = "tags"
    physical: str = ""
    attributes: tuple[str, Mapping[str, str]] | None = None
    partial: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the parsed fields."""
        return parse(self.text)


_TOKEN: Final = re.compile(
    r"(?P<source>[a-z0-9_]+(?:\.[a-z0-9_]+)*)(?P<many>\*?)(?P<converters>(?::[a-z0-9_]+)*)"
    r"(?:=(?P<target>[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*))?"
)


def pascal(name: str) -> str:
    """Return ``KmsKeyId`` for ``kms_key_id``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


_parsed: dict[str, tuple[Field, ...]] = {}


def parse(text: str) -> tuple[Field, ...]:
    """Return the fields of a mapping text, parsed once.

    Raises ValueError naming the word that is no field, or an unbalanced brace.
    """
    found = _parsed.get(text)
    if found is None:
        words = text.replace("{", " { ").replace("}", " } ").split()
        fields, rest = _parse_fields(words, 0)
        if rest != len(words):
            raise ValueError(f"unexpected `}}` after word {rest} of mapping `{text[:60]}`")
        found = _parsed[text] = fields
    return found


def _parse_fields(words: list[str], at: int) -> tuple[tuple[Field, ...], int]:
    fields: list[Field] = []
    while at < len(words) and words[at] != "}":
        match = _TOKEN.fullmatch(words[at])
        if match is None:
            raise ValueError(f"`{words[at]}` is no field of a mapping")
        at += 1
        inner: tuple[Field, ...] | None = None
        if at < len(words) and words[at] == "{":
            inner, at = _parse_fields(words, at + 1)
            if at >= len(words):
                raise ValueError(f"`{match[0]}` has a brace that is not closed")
            at += 1
        fields.append(_make(match, inner))
    return tuple(fields), at


def _make(match: re.Match[str], inner: tuple[Field, ...] | None) -> Field:
    source = tuple(match["source"].split("."))
    target = match["target"] or pascal(source[-1])
    converters = tuple(c for c in match["converters"].split(":") if c)
    for name in converters:
        if name not in CONVERTERS:
            raise ValueError(f"`{name}` in `{match[0]}` is no converter")
    return Field(source, tuple(target.split(".")), bool(match["many"]), converters, inner)
