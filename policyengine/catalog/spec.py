"""What the catalog says about one type: the shape of the declarations in ``catalog/types``.

Named tuples, because dataclasses take longer to define than the whole import may last.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Scope = Literal["self", "account-region", "account", "organization"]


class Default(NamedTuple):
    """What AWS does when ``path`` (dotted) is absent.

    ``value`` is what holds; ``unless`` names properties whose presence makes the default depend
    on something else, so that the value is Unresolved(``default_depends``) instead. With
    ``depends=True`` it is always so (``note`` says on what). ``since`` is the ISO date (the month
    where AWS names no day) from which the default applies, None when it always did; ``source`` is
    the AWS page that says so. ``deployed`` is what absence means on a resource that exists (a snapshot
    or an account, not code), where that can be said although the default at creation depends.
    """

    path: str
    source: str
    value: Any = None
    since: str | None = None
    unless: tuple[str, ...] = ()
    depends: bool = False
    note: str = ""
    deployed: Any = None

    @property
    def provenance(self) -> str:
        """Return e.g. ``AWS default since 2023-01-05``."""
        return f"AWS default since {self.since}" if self.since else "AWS default"


class Satellite(NamedTuple):
    """A resource type that a source folds into this one before evaluation.

    A resource of ``type`` whose property ``by`` names this resource (by physical id, ARN or a
    reference) is removed from the stream and its properties appended to ``into``:
    ``related.<name>`` (a list of property objects) or a property path of this resource.
    """

    type: str
    by: str
    into: str


class Relation(NamedTuple):
    """How a rule reaches other resources: ``with: {alias: name}``.

    Forward (``via`` set): the value or values at the dotted path ``via`` of this resource name
    resources of type ``to`` by id, ARN or their property ``key``. Reverse (``by`` set): resources of
    type ``to`` whose dotted path ``by`` names this resource. Neither: all resources of type ``to``
    in ``scope``. ``many`` is False when at most one can match and the alias is that resource.
    ``via`` and ``by`` step through lists, and may begin with ``related``.
    """

    name: str
    to: str
    scope: Scope = "account-region"
    via: str | None = None
    by: str | None = None
    key: str | None = None
    many: bool = True


class TypeSpec(NamedTuple):
    """Our additions to the registry schema of one type.

    ``extra`` declares properties the registry does not have (derived views, account settings):
    dotted path -> ``string | integer | number | boolean | json | list:<kind> | map:<kind> | object``;
    lists are stepped through, and a step with dots stands in double quotes.
    ``related`` declares what may stand under ``related.<name>``. ``secrets`` are the last path
    segments whose values are never shown. ``names`` are the properties whose value names the
    resource (used to resolve references by physical id). ``untaggable`` are a property and its value that mark
    resources of AWS's own among them, which nobody can tag.
    """

    name: str
    names: tuple[str, ...] = ()
    defaults: tuple[Default, ...] = ()
    satellites: tuple[Satellite, ...] = ()
    relations: tuple[Relation, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    related: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    is_global: bool = False
    untaggable: tuple[str, Any] | None = None
