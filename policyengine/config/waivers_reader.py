"""Reading ``waivers.yaml``, and what ``policyengine.yaml`` says about waivers (docs/waivers.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from policyengine.config.reading import Mistakes, Place, TooManyError, in_order, unknown
from policyengine.config.waivers import DEFAULT_DAYS, Compensating, Waiver, Waiving
from policyengine.documents import Document, DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.account_id import is_account_id
from policyengine.model.errors import ConfigError
from policyengine.model.location import Location
from policyengine.model.people import same_person, why_nobody

FILE_NAME: Final = "waivers.yaml"
KEYS: Final = (
    "id", "rule", "scope", "owner", "approver", "reason", "ticket", "granted", "expires", "pin", "compensating",
    "signature",
)  # fmt: skip
NEEDED: Final = ("id", "rule", "owner", "approver", "reason", "ticket", "granted", "expires")
SCOPES: Final = ("resource", "account", "ou", "tag", "in_place")
MOST_DAYS: Final = 3660
MOST_FILES: Final = 100
LONGEST: Final[Mapping[str, int]] = {"id": 100, "owner": 200, "approver": 200, "reason": 2000, "ticket": 500}
LONGEST_SCOPE: Final = 2100
"""An ARN has at most 2,048 characters (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html)."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FINDING: Final = re.compile(r"[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{32}")

Verify = Callable[[Waiver], str]
"""Says why a waiver is not signed as it has to be; "" where it is."""


@dataclass(frozen=True)
class About:
    """What a file of waivers is read with. ``rules`` are the ids of those there are; ``seen`` waiver ids and where they
    stand, over all files of a run."""

    rules: Collection[str]
    maximum_days: int = DEFAULT_DAYS
    verify: Verify | None = None
    seen: dict[str, Location | None] = field(default_factory=dict)


def read_waiving_section(mistakes: Mistakes, top: Mapping[str, Any]) -> Waiving:
    """Return what the configuration says about waivers: where they are, and what holds for all. Raises TooManyError."""
    section = mistakes.mapping(top.get("waiving", {}), ("waiving",))
    mistakes.known_keys(section, ("maximum_days", "approvers"), ("waiving",))
    most = section.get("maximum_days", DEFAULT_DAYS)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_DAYS:
        text = f"`maximum_days` is a whole number from 1 to {MOST_DAYS:,}; found {shown(str(most))}"
        mistakes.wrong(("waiving", "maximum_days"), text)
        most = DEFAULT_DAYS
    approvers = {}
    place: Place = ("waiving", "approvers")
    for name, files in mistakes.mapping(section.get("approvers", {}), place).items():
        wrong = why_nobody(name)
        if wrong:
            mistakes.wrong((*place, name), wrong, key=True)
        approvers[name] = _files(mistakes, files, (*place, name), "files of public keys")
    baseline = top.get("baseline")
    if "baseline" in top and (not isinstance(baseline, str) or not baseline):
        mistakes.wrong(("baseline",), f"`baseline` is the name of a file; found {shown(str(baseline))}")
        baseline = None
    files = _files(mistakes, top["waivers"], ("waivers",), "files of waivers") if "waivers" in top else None
    return Waiving(maximum_days=most, files=files, baseline_file=baseline, approvers=approvers)


def _files(mistakes: Mistakes, value: Any, place: Place, what: str) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(name, str) and name for name in given):
        mistakes.wrong(place, f"`{place[-1]}` is the name of a file or a list of {what}")
        return ()
    if len(given) > MOST_FILES:
        mistakes.wrong(place, f"`{place[-1]}` has {len(given)} files; at most {MOST_FILES} are read")
    return tuple(given[:MOST_FILES])


def read_waivers(data: bytes, name: str, about: About) -> list[Waiver]:
    """Return the waivers of one file, in its order; ``name`` is what messages call it.

    Raises ConfigErrors with the place of every mistake, ConfigError for a text that cannot be parsed.
    """
    try:
        document = load(data, name=name, syntax="yaml", style="strict")
    except DocumentError as error:
        if error.code == "empty":
            return []
        raise ConfigError(error.message, error.location) from error
    reader = _Reader(document, about)
    try:
        found = reader.read()
    except TooManyError:
        found = []
    if reader.errors:
        raise in_order(reader.errors, name)
    return found


class _Reader(Mistakes):
    def __init__(self, document: Document, about: About) -> None:
        super().__init__(document)
        self.about = about

    def read(self) -> list[Waiver]:
        if self.document.value is None:
            return []
        top = self.mapping(self.document.value, ())
        if self.other_version(top, "a file of waivers"):
            return []
        self.known_keys(top, ("version", "waivers"), ())
        listed = top.get("waivers")
        items = self.items(listed, ("waivers",), "waivers") if listed is not None else []
        found = [self._waiver(item, ("waivers", index)) for index, item in enumerate(items)]
        verify = self.about.verify
        if verify is None or self.errors:
            return found
        return [replace(waiver, refused=verify(waiver)) for waiver in found]

    def _waiver(self, value: Any, place: Place) -> Waiver:
        given = self.mapping(value, place)
        self.known_keys(given, KEYS, place)
        lacking = [name for name in NEEDED if name not in given]
        if lacking and isinstance(value, dict):
            self.wrong(place, f"the waiver lacks {' and '.join(f'`{name}`' for name in lacking)}")
        texts = {name: self._text(given, name, place) for name in LONGEST}
        self._once(texts["id"], place)
        self._people(given, texts, place)
        granted, expires = self._days(given, place)
        scope = self._scope(given.get("scope", {}), (*place, "scope"))
        waiver = Waiver(
            texts["id"], rules=self._rules(given, place), owner=texts["owner"], approver=texts["approver"],
            reason=texts["reason"], ticket=texts["ticket"], granted=granted, expires=expires, **scope,
            pins=self._pins(given, scope, place),
            compensating=self._compensating(given, place), signature=self._signature(given, place),
        )  # fmt: skip
        comp = waiver.compensating
        if comp is not None and comp.rule in waiver.rules and comp.resource is None:
            text = f"{shown(comp.rule)} fails where it is waived: another rule has to compensate it"
            self.wrong((*place, "compensating"), text)
        return waiver

    def _text(self, given: Mapping[str, Any], name: str, place: Place) -> str:
        value = given.get(name)
        if name not in given:
            return ""
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST[name]:
            text = f"`{name}` is a text of 1 to {LONGEST[name]:,} characters"
            quote = "; in quotes" if isinstance(value, int | float) else ""
            self.wrong((*place, name), f"{text}{quote}; found {shown(str(value))}")
            return ""
        return value

    def _once(self, id_: str, place: Place) -> None:
        if not id_:
            return
        if not id_.isprintable():
            self.wrong((*place, "id"), f"{shown(id_)} has characters that cannot be seen")
        if id_ in self.about.seen:
            first = self.about.seen[id_]
            self.wrong((*place, "id"), f"{shown(id_)} stands twice: the first is at {first}")
            return
        self.about.seen[id_] = self.document.locate((*place, "id"))

    def _people(self, given: Mapping[str, Any], texts: Mapping[str, str], place: Place) -> None:
        for name in ("owner", "approver"):
            wrong = why_nobody(texts[name])
            if wrong:
                self.wrong((*place, name), f"`{name}`: {wrong}")
        if texts["owner"] and texts["approver"] and same_person(texts["owner"], texts["approver"]):
            text = f"{shown(texts['approver'])} owns what is waived: somebody else has to approve it"
            self.wrong((*place, "approver"), text)

    def _days(self, given: Mapping[str, Any], place: Place) -> tuple[str, str]:
        granted, expires = (self._day(given, name, place) for name in ("granted", "expires"))
        if granted is None or expires is None:
            return "", ""
        days, most = (expires - granted).days, self.about.maximum_days
        if days <= 0:
            self.wrong((*place, "expires"), f"the waiver expires on {expires}, and is granted on {granted}")
        elif days > most:
            last = date.fromordinal(min(granted.toordinal() + most, date.max.toordinal()))
            text = f"the waiver holds for {days:,} days; at most {most:,} are allowed: {last} is the latest"
            self.wrong((*place, "expires"), text)
        return granted.isoformat(), expires.isoformat()

    def _day(self, given: Mapping[str, Any], name: str, place: Place) -> date | None:
        value = given.get(name)
        if name not in given:
            return None
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        text = f'`{name}` is a day such as "2026-12-31", in quotes; found {shown(str(value))}'
        self.wrong((*place, name), text)
        return None

    def _rules(self, given: Mapping[str, Any], place: Place) -> tuple[str, ...]:
        if "rule" not in given:
            return ()
        where = (*place, "rule")
        names = self._names(given["rule"], where, "rule ids")
        for index, name in enumerate(names):
            self._is_rule(name, (*where, index) if isinstance(given["rule"], list) else where)
        return names

    def _is_rule(self, name: str, place: Place) -> bool:
        if name in self.about.rules:
            return True
        self.wrong(place, unknown("rule", name, self.about.rules))
        return False

    def _names(self, value: Any, place: Place, what: str) -> tuple[str, ...]:
        """Return the texts of a text or a list of them; each may stand there once."""
        single = not isinstance(value, list)
        found: dict[str, None] = {}
        for index, item in enumerate([value] if single else value):
            where = place if single else (*place, index)
            if not isinstance(item, str) or not 0 < len(item) <= LONGEST_SCOPE:
                quote = "; quote it" if isinstance(item, int | float) else ""
                self.wrong(
                    where, f"`{place[-1]}` is a text or a list of {what}; found {shown(str(item))}{quote}"
                )
            elif item in found:
                self.wrong(where, f"{shown(item)} stands twice")
            else:
                found[item] = None
        if not single and not value:
            self.wrong(place, f"`{place[-1]}` is an empty list; expected {what}")
        return tuple(found)

    def _scope(self, value: Any, place: Place) -> dict[str, Any]:
        given = self.mapping(value, place)
        self.known_keys(given, SCOPES, place)
        resources, accounts, ous = (
            self._names(given[name], (*place, name), what) if name in given else ()
            for name, what in (("resource", "ids or ARNs"), ("account", "account ids"), ("ou", "ids of OUs"))
        )
        for name in accounts:
            if not is_account_id(name):
                text = f"{shown(name)} is no account id: expected twelve digits, in quotes"
                self.wrong((*place, "account"), text)
        tags: dict[str, str] = {}
        if "tag" in given:
            where = (*place, "tag")
            for key, item in self.mapping(given["tag"], where).items():
                if not isinstance(item, str):
                    text = f"the value of the tag {shown(key)} is no text; quote it: found {shown(str(item))}"
                    self.wrong((*where, key), text)
                tags[key] = str(item)
            if given["tag"] == {}:
                self.wrong(where, "`tag` names no tag; expected `{Key: value}`")
        in_place = given.get("in_place", False)
        if in_place is not True and "in_place" in given:
            text = "`in_place` is `true`: the waiver is only about resources at which code refers to it"
            self.wrong((*place, "in_place"), f"{text}; found {shown(str(in_place))}")
        return {
            "resources": resources, "accounts": accounts, "ous": ous, "tags": tags, "in_place": in_place is True,
        }  # fmt: skip

    def _pins(
        self, given: Mapping[str, Any], scope: Mapping[str, Any], place: Place
    ) -> Mapping[str, Mapping[str, str]] | None:
        where = (*place, "pin")
        if "pin" not in given:
            if scope["resources"] or scope["in_place"]:
                what = "a resource" if scope["resources"] else "what code refers to"
                text = (
                    f"a waiver of {what} says which values it accepts: `policyengine waivers add` and "
                    "`policyengine waivers pin` write `pin`, and `pin: false` accepts whatever they are"
                )
                self.wrong(place, text)
            return None
        value = given["pin"]
        if value is False:
            return None
        found: dict[str, Mapping[str, str]] = {}
        for finding, pin in self.mapping(value, where).items():
            if not _FINDING.fullmatch(finding):
                text = f"{shown(finding)} is no id of a finding: expected 32 hex digits"
                self.wrong((*where, finding), text, key=True)
            digests = self.mapping(pin, (*where, finding))
            for path, digest in digests.items():
                if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                    text = f"{shown(str(digest))} is no digest: expected `sha256:` and 32 hex digits"
                    self.wrong((*where, finding, path), text)
            found[finding] = {path: str(digest) for path, digest in digests.items()}
        return found

    def _compensating(self, given: Mapping[str, Any], place: Place) -> Compensating | None:
        if "compensating" not in given:
            return None
        value, where = given["compensating"], (*place, "compensating")
        if isinstance(value, str):
            return Compensating(value) if self._is_rule(value, where) else None
        named = self.mapping(value, where)
        self.known_keys(named, ("rule", "resource"), where)
        rule, resource = named.get("rule"), named.get("resource")
        if not isinstance(rule, str):
            if isinstance(value, dict):
                self.wrong(where, "`compensating` is the id of a rule, or `{rule: ID, resource: NAME}`")
            return None
        if resource is not None and (not isinstance(resource, str) or not 0 < len(resource) <= LONGEST_SCOPE):
            self.wrong((*where, "resource"), f"`resource` is an id or ARN; found {shown(str(resource))}")
            resource = None
        return Compensating(rule, resource) if self._is_rule(rule, (*where, "rule")) else None

    def _signature(self, given: Mapping[str, Any], place: Place) -> Mapping[str, str] | None:
        if "signature" not in given:
            return None
        where = (*place, "signature")
        named = self.mapping(given["signature"], where)
        self.known_keys(named, ("keyid", "sig"), where)
        if set(named) != {"keyid", "sig"} or not all(isinstance(each, str) for each in named.values()):
            if isinstance(given["signature"], dict):
                self.wrong(
                    where, "`signature` has `keyid` and `sig`: `policyengine waivers sign` writes them"
                )
            return None
        return dict(named)


def file_names(waiving: Waiving, config: Path | None) -> Sequence[Path]:
    """Return the files of waivers: as configured, from the folder of the configuration, else ``waivers.yaml`` there."""
    if config is None:
        return ()
    if waiving.files is not None:
        return tuple(config.parent / name for name in waiving.files)
    beside = config.parent / FILE_NAME
    return (beside,) if beside.is_file() else ()
