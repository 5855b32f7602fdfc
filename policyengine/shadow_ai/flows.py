"""VPC flow logs as text, versions 2 to 8 and custom formats: which lookups were followed by a connection.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html has the fields. Files in S3 begin with the names of
their fields; the logs in CloudWatch Logs do not, and then the default format is assumed or a format must be given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from policyengine.model.errors import UsageError
from policyengine.shadow_ai.counting import LIMIT, Counted
from policyengine.shadow_ai.problems import Problems
from policyengine.shadow_ai.reading import READ_ERRORS, lines, read_problem

DEFAULT: Final = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
    "bytes", "start", "end", "action", "log-status",
)  # fmt: skip
"""The default format, which is version 2."""
_NEEDED: Final = ("srcaddr", "dstaddr", "bytes", "start", "end", "action")
_FIELD: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")
_STAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z?")
MAX_LINE: Final = 64 << 10
LONGEST: Final = 3600
"""Seconds of a record; the longest aggregation interval is ten minutes."""
_MANY: Final = 500_000
_V4: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")


def address_of(text: str) -> str | None:
    """Return an address in the one way to write it, None for what is none."""
    if _V4.fullmatch(text):
        return text
    if ":" not in text or len(text) > 45:
        return None
    import ipaddress

    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


class Layout(NamedTuple):
    """Where the fields of a format stand, -1 for those it lacks."""

    width: int
    source: int
    destination: int
    bytes: int
    start: int
    end: int
    action: int
    status: int
    vpc: int
    account: int
    interface: int
    instance: int


def layout_of(names: Sequence[str]) -> Layout:
    """Return where fields stand. Raises UsageError for a format that cannot be joined."""
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise UsageError(f"the format lacks {', '.join(missing)}")
    if "vpc-id" not in names and "account-id" not in names:
        raise UsageError("the format has neither vpc-id nor account-id; addresses of many VPCs are alike")
    at = {name: position for position, name in enumerate(names)}
    wanted = (*_NEEDED, "log-status", "vpc-id", "account-id", "interface-id", "instance-id")
    return Layout(len(names), *(at.get(name, -1) for name in wanted))


def read_format(text: str) -> Layout:
    """Return the layout of a format as AWS writes it, ``${version} ${vpc-id} …``. Raises UsageError."""
    names = [part.removeprefix("${").removesuffix("}") for part in text.split()]
    if not names or not all(_FIELD.fullmatch(name) for name in names):
        raise UsageError("--flow-format is no list of fields such as '${version} ${vpc-id} ${srcaddr}'")
    try:
        return layout_of(names)
    except UsageError as error:
        raise UsageError(f"--flow-format: {error.message}") from None


class Flows:
    """Joins flow records with the answers of lookups.

    A record belongs to a service when an address that was answered to its source talks with that source, in the
    same VPC (or the same account, where the format has no vpc-id), from the lookup until ``window`` seconds after
    it. Addresses of content delivery networks are shared: where the same source looked up several services at one
    address, each gets the record, and it is counted as ambiguous.
    """

    def __init__(
        self, answers: Counted, window: int, given: Layout | None = None, limit: int = LIMIT
    ) -> None:
        self._answers, self._window, self._given = answers, window, given
        self._addresses = answers.distinct(1, _MANY)
        self._asked: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        self.problems = Problems()
        self.records = 0
        self.skipped = 0
        """Records that say that others were lost (SKIPDATA)."""
        self.without_vpc = False
        self.found = Counted(7, 5, limit)
        """service, account, VPC, source address, interface, instance, address of the service: accepted and rejected
        records, bytes sent and received, ambiguous records."""

    def read(self, stream: BinaryIO, name: str) -> None:
        """Join what a file holds."""
        layout = self._given
        first = True
        wrong = self.problems.of(name)
        try:
            for number, batch, goes_on in lines(stream, MAX_LINE):
                for offset, line in enumerate(batch):
                    if first and line:
                        first = False
                        if line.startswith("PAR1"):
                            self.problems.add(
                                name, None, "is Parquet, which is not read; deliver flow logs as text"
                            )
                            return
                        header = _header(line)
                        if header is not None:
                            layout = layout_of(header)
                            continue
                    if goes_on:
                        wrong(number, "is longer than a record can be")
                    elif line and not line.isspace():
                        message = self._line(line, layout)
                        if message is not None:
                            wrong(number + offset, message)
        except UsageError as error:
            self.problems.add(name, 1, error.message)
        except READ_ERRORS as problem:
            self.problems.add_error(read_problem(problem, name))

    def _line(self, line: str, layout: Layout | None) -> str | None:
        """Join one record; returns what is wrong with it."""
        if not line.isascii():
            return "is no text of ASCII"
        parts = line.split()
        if parts and _STAMP.fullmatch(parts[0]):
            del parts[0]
        if layout is None:
            if len(parts) != len(DEFAULT) or parts[0] != "2":
                return "has no names of fields above it and is not in the default format; give --flow-format"
            layout = _DEFAULT
        if len(parts) != layout.width:
            return f"has {len(parts)} fields, expected {layout.width}"
        self.records += 1
        status = parts[layout.status] if layout.status >= 0 else "OK"
        if status in ("NODATA", "SKIPDATA"):
            self.skipped += status == "SKIPDATA"
            return None
        source, destination = parts[layout.source], parts[layout.destination]
        if ":" in source:
            source, destination = address_of(source) or "", address_of(destination) or ""
        known = self._addresses
        try:
            if known is None or destination in known:
                self._join(parts, layout, source, destination, sent=True)
            if known is None or source in known:
                self._join(parts, layout, destination, source, sent=False)
        except ValueError as problem:
            return str(problem)
        return None

    def _join(self, parts: list[str], layout: Layout, inside: str, outside: str, *, sent: bool) -> None:
        rows = self._lookups(inside, outside)
        if not rows:
            return
        start, end, size = (_number(parts[n]) for n in (layout.start, layout.end, layout.bytes))
        if not start <= end <= start + LONGEST:
            raise ValueError("ends before it starts, or an hour later")
        vpc = _known(parts, layout.vpc)
        account = _known(parts, layout.account)
        self.without_vpc |= not vpc
        services = {}
        for row in rows:
            place, _, owner = row[3].partition(" ")
            if (
                (place == vpc if vpc else owner == account)
                and row[-2] <= end
                and start <= row[-1] + self._window
            ):
                services[row[2]] = (owner, place)
        accepted = parts[layout.action] == "ACCEPT"
        for service, (owner, place) in sorted(services.items()):
            key = (
                service, owner, place, inside, _known(parts, layout.interface), _known(parts, layout.instance), outside
            )  # fmt: skip
            numbers = (
                int(accepted), int(not accepted), size * (accepted and sent), size * (accepted and not sent),
                int(len(services) > 1),
            )  # fmt: skip
            self.found.add(key, numbers, start, end)

    def _lookups(self, inside: str, outside: str) -> list[tuple[Any, ...]]:
        key = (inside, outside)
        found = self._asked.get(key)
        if found is None:
            if len(self._asked) >= LIMIT:
                self._asked.clear()
            found = self._asked[key] = list(self._answers.rows(*key))
        return found

    def close(self) -> None:
        """Let go of what is on disk."""
        self.found.close()


_DEFAULT: Final = layout_of(DEFAULT)


def _header(line: str) -> list[str] | None:
    names = line.split()
    return names if len(names) > 1 and all(_FIELD.fullmatch(name) for name in names) else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"`{text[:40]}` is no number")
    return int(text)


def _known(parts: list[str], at: int) -> str:
    text = parts[at] if at >= 0 else ""
    return "" if text == "-" else text[:64]
