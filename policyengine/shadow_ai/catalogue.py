"""The list of services: what the data file says, and what a user's file adds, replaces and excepts.

``data/services.json`` has the services in the order of their ids. A domain stands for itself and everything below it. A
label ``*`` stands for exactly one label, ``*-text`` for one that ends so (regions in the names of endpoints);
``=`` in front stands for the name alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.documents.document import load
from policyengine.model.errors import ConfigError, InputError, UsageError
from policyengine.model.location import Location
from policyengine.shadow_ai.names import a_labels

CATEGORIES: Final = (
    "assistant", "api", "coding", "image", "voice", "gateway", "hub", "agents", "notebook", "search", "writing",
    "aws", "resolver",
)  # fmt: skip
"""``aws``: services of AWS's own, whose use IAM governs. ``resolver``: DNS over HTTPS or TLS, a blind spot and no AI."""
UNGOVERNED: Final = frozenset(CATEGORIES) - {"aws", "resolver"}
"""Categories that ``--fail-on-unapproved`` is about."""
CONFIDENCE: Final = ("documented", "catalogued", "client", "listed", "user")
"""``documented``: a page of the vendor's names it; ``catalogued``: a public catalogue of models does, beside the vendor's
documentation; ``client``: a public client library connects to it; ``listed``: a community's list of domains has it."""
DATA: Final = Path(__file__).parent / "data"
MAX_FILE: Final = 4 * 1024 * 1024
_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|\*(-[a-z0-9-]{0,60}[a-z0-9])?")
_KEYS: Final = frozenset({"id", "name", "provider", "category", "domains", "approved", "note"})


class Domain(NamedTuple):
    """One domain: its pattern as written, the labels, whether it stands for the name alone, and how it is known."""

    pattern: str
    labels: tuple[str, ...]
    exact: bool
    source: str
    confidence: str


class Service(NamedTuple):
    """A service; ``approved`` is what the user said."""

    id: str
    name: str
    provider: str
    category: str
    domains: tuple[Domain, ...]
    approved: bool = False


class Catalogue(NamedTuple):
    """Services in the order of their ids, and domains that are excepted from all of them; ``date`` is the data file's."""

    date: str
    services: tuple[Service, ...]
    exceptions: tuple[Domain, ...] = ()


def shipped() -> Catalogue:
    """Return the list that comes with us."""
    data = json.loads((DATA / "services.json").read_bytes())
    sources = data["sources"]
    services = [
        Service(
            item["id"], item["name"], item["provider"], item["category"],
            tuple(parse_domain(p, sources[s], c) for p, s, c in item["domains"]),
        )
        for item in data["services"]
    ]  # fmt: skip
    return Catalogue(data["date"], tuple(services))


def parse_domain(pattern: str, source: str = "", confidence: str = "user") -> Domain:
    """Return a domain. Raises ValueError for what is none."""
    exact = pattern.startswith("=")
    text = pattern.removeprefix("=")
    parts = a_labels(text)
    for label in parts:
        if not _LABEL.fullmatch(label):
            raise ValueError(f"has a label `{label[:70]}` that no domain of a service has")
    if len(parts) < 2 or "*" in parts[-1] + parts[-2]:
        raise ValueError("stands for too much; expected two labels at least, the last two without `*`")
    return Domain(("=" if exact else "") + ".".join(parts), parts, exact, source, confidence)


def with_file(catalogue: Catalogue, data: bytes, name: str) -> Catalogue:
    """Return the catalogue with a user's file: `services` add or replace by id, `exceptions` are looked past.

    Raises ConfigError with the place of a mistake.
    """
    try:
        document = load(data, name=name, style="strict", max_bytes=MAX_FILE)
    except InputError as error:
        raise ConfigError(error.message, error.location) from None
    reader = _Reader(document)
    services = {service.id: service for service in catalogue.services}
    for service in reader.services():
        services[service.id] = service
    exceptions = (*catalogue.exceptions, *reader.exceptions())
    return Catalogue(catalogue.date, tuple(services[key] for key in sorted(services)), exceptions)


class _Reader:
    """Reads a user's file and says where a mistake is."""

    def __init__(self, document: Any) -> None:
        self._document = document
        if not isinstance(document.value, dict) or not document.value.keys() <= {"services", "exceptions"}:
            raise self._wrong((), "expected an object with `services` and `exceptions`")

    def _wrong(self, path: tuple[Any, ...], message: str) -> ConfigError:
        return ConfigError(message, self._document.locate(path) or Location(self._document.name))

    def _list(self, path: tuple[Any, ...], value: Any) -> Sequence[Any]:
        if not isinstance(value, list):
            raise self._wrong(path, "expected a list")
        return value

    def services(self) -> list[Service]:
        """Return the services of the file."""
        listed = self._list(("services",), self._document.value.get("services", []))
        found = [self._service(("services", n), item) for n, item in enumerate(listed)]
        seen: set[str] = set()
        for number, service in enumerate(found):
            if service.id in seen:
                raise self._wrong(("services", number, "id"), f"`{service.id}` stands twice")
            seen.add(service.id)
        return found

    def _service(self, path: tuple[Any, ...], item: Any) -> Service:
        if not isinstance(item, dict) or not item.keys() <= _KEYS:
            raise self._wrong(path, f"expected an object with {', '.join(sorted(_KEYS))}")
        ident = self._text(path, item, "id")
        if not _ID.fullmatch(ident):
            raise self._wrong((*path, "id"), f"`{ident[:80]}` is no id; expected a-z, 0-9, `-` and `.`")
        category = self._text(path, item, "category", "assistant")
        if category not in CATEGORIES:
            raise self._wrong((*path, "category"), f"`{category[:40]}` is none of {', '.join(CATEGORIES)}")
        approved = item.get("approved", False)
        if not isinstance(approved, bool):
            raise self._wrong((*path, "approved"), "expected true or false")
        domains = self.domains((*path, "domains"), item.get("domains"))
        if not domains:
            raise self._wrong(path, "a service has one domain at least")
        name = self._text(path, item, "name", ident)
        return Service(ident, name, self._text(path, item, "provider", name), category, domains, approved)

    def _text(self, path: tuple[Any, ...], item: Mapping[str, Any], key: str, default: str = "") -> str:
        value = item.get(key, default)
        if not isinstance(value, str) or not value or len(value) > 200:
            raise self._wrong((*path, key), f"`{key}` must be a text of at most 200 characters")
        return value

    def exceptions(self) -> tuple[Domain, ...]:
        """Return the domains that are no service's."""
        return self.domains(("exceptions",), self._document.value.get("exceptions", []))

    def domains(self, path: tuple[Any, ...], value: Any) -> tuple[Domain, ...]:
        """Return the domains of a list."""
        found = []
        for number, text in enumerate(self._list(path, value)):
            try:
                if not isinstance(text, str):
                    raise ValueError("is no text")  # noqa: TRY004 - all mistakes are told in one way below
                found.append(parse_domain(text, self._document.name))
            except ValueError as error:
                raise self._wrong((*path, number), f"`{str(text)[:80]}` {error}") from None
        return tuple(found)


def approve(catalogue: Catalogue, wanted: Sequence[str]) -> Catalogue:
    """Return the catalogue with services approved: by id, or by a domain that is one's or below it.

    A domain makes a service of its own (``openai:chatgpt.com``), so that what is approved and what is not are
    counted apart. Raises UsageError for what is neither.
    """
    services = {service.id: service for service in catalogue.services}
    for text in wanted:
        if text in services:
            services[text] = services[text]._replace(approved=True)
            continue
        try:
            domain = parse_domain(text)
        except ValueError:
            raise UsageError(
                f"--approved `{text[:80]}` is neither the id of a service nor a domain"
            ) from None
        owner = _owner(list(services.values()), domain)
        if owner is None:
            raise UsageError(
                f"--approved `{text[:80]}` is no domain of a service on the list; add one with --services"
            )
        base = services[owner.id.partition(":")[0]]
        ident = f"{base.id}:{domain.pattern}"
        services[ident] = base._replace(
            id=ident,
            name=f"{base.name} ({domain.pattern})",
            domains=(domain, *_below(base, domain)),
            approved=True,
        )
    return catalogue._replace(services=tuple(services[key] for key in sorted(services)))


def _below(service: Service, domain: Domain) -> list[Domain]:
    """Return the domains of a service that an approval of ``domain`` covers too; longer ones would win over it."""
    wanted = domain.labels
    return [
        each
        for each in service.domains
        if not domain.exact and len(each.labels) >= len(wanted) and each.labels[-len(wanted) :] == wanted
        and each.pattern != domain.pattern
    ]  # fmt: skip


def _owner(services: Sequence[Service], domain: Domain) -> Service | None:
    from policyengine.shadow_ai.matching import Matcher

    match = Matcher(services, ()).find_labels(domain.labels)
    return None if match is None else match.service
