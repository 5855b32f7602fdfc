"""How the result looks: a table on a terminal, JSON, and rows of CSV."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TextIO

from policyengine.reports.csv_report import cell
from policyengine.reports.jsontext import cleaned
from policyengine.reports.text import LOG_COMMAND, cut, display_width, plural, visible, without_log_commands
from policyengine.shadow_ai.catalogue import CONFIDENCE, UNGOVERNED

if TYPE_CHECKING:
    from policyengine.shadow_ai.catalogue import Catalogue

_TOP: Final = 5
_STATES: Final = {
    "connected": "connected",
    "sent": "sent, and nothing came back",
    "rejected": "tried to connect, and was rejected",
    "none": "no connection to an answered address is in the flow logs",
}
_COLUMNS: Final = (
    "service", "name", "provider", "category", "approved", "account", "region", "vpc", "address", "instance", "endpoint",
    "queries", "blocked", "failed", "other_types", "first", "last", "known_by", "flow_logs",
)  # fmt: skip


def write(found: dict[str, Any], form: str, path: Path | None, out: TextIO) -> None:
    """Write the document in a format, to a file that appears whole or to ``out``."""
    from policyengine.cli.outputs import AtomicFile

    if path is not None:
        with AtomicFile(path) as file:
            _write(found, form, file)
        return
    if form != "terminal" and isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="strict", newline="")
    _write(found, form, out)


def _write(found: dict[str, Any], form: str, out: IO[str]) -> None:
    if form == "json":
        out.writelines(_json(found))
    elif form == "csv":
        out.writelines(_csv(found))
    else:
        out.writelines(without_log_commands(visible(line)) + "\n" for line in _terminal(found))


def _json(found: dict[str, Any]) -> Iterator[str]:
    """One line a service, a source and a call would be long; indented JSON can be compared line by line."""
    import json

    text = json.dumps(cleaned(found), indent=1, allow_nan=False)
    yield LOG_COMMAND.sub(r"#\\u0023", text)
    yield "\n"


def _csv(found: dict[str, Any]) -> Iterator[str]:
    yield _row(list(_COLUMNS))
    for service in found["services"]:
        start = [service["id"], service["name"], service["provider"], service["category"]]
        for source in service["sources"]:
            texts = [source[key] for key in ("account", "region", "vpc", "address", "instance", "endpoint")]
            numbers = [str(source[key]) for key in ("count", "blocked", "failed", "other_types")]
            times = [source["first"], source["last"]]
            joined = "" if service["connected"] is None else service["connected"]["state"]
            yield _row([*start, _approval(service), *texts, *numbers, *times, _known_by(service), joined])
        if service["sources_left_out"]:
            words = f"and {service['sources_left_out']:,} more sources"
            yield _row([*start, "", "", "", "", words, *[""] * (len(_COLUMNS) - 9)])


def _approval(service: dict[str, Any]) -> str:
    """AWS's own services are governed by IAM and SCPs, and resolvers are no AI: nobody is asked to approve them here."""
    if service["approved"]:
        return "yes"
    return "no" if service["category"] in UNGOVERNED else "not asked"


def _known_by(service: dict[str, Any]) -> str:
    """How sure it is that the domains which were looked up are the service's: the surest of them."""
    said = {domain["confidence"] for domain in service["domains"]}
    return next((each for each in CONFIDENCE if each in said), "")


def _row(texts: list[str | None]) -> str:
    return ",".join('"' + cell(text).replace('"', '""') + '"' for text in texts) + "\r\n"


def _terminal(found: dict[str, Any]) -> Iterator[str]:
    period, coverage = found["period"], found["coverage"]
    yield (
        f"Looked up from {period['from'] or 'no time'} to {period['to'] or 'no time'}: "
        f"{plural(coverage['records'], 'query', 'queries')} of "
        f"{plural(len(coverage['vpcs_seen']) + coverage['vpcs_seen_left_out'], 'VPC')}"
    )
    services = found["services"]
    if not services:
        yield "no service of the list was looked up in these logs; what they cannot show stands below"
    else:
        yield ""
        yield from _table(services)
        for service in services:
            if service["queries"] or service["blocked"] or service["failed"]:
                yield from _sources(service)
    yield from _bedrock(found["bedrock"])
    yield from _rest(found)


def _table(services: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        ("service", "category", "", "known by", "looked up", "blocked", "failed", "sources", "first", "last")
    ]
    for service in services:
        mark = "approved" if service["approved"] else ""
        count = len(service["sources"]) + service["sources_left_out"]
        rows.append(
            (
                f"{cut(service['name'], 36)}", service["category"], mark, _known_by(service), f"{service['queries']:,}",
                f"{service['blocked']:,}", f"{service['failed']:,}", f"{count:,}",
                service["first_seen"][:16], service["last_seen"][:16],
            )
        )  # fmt: skip
    widths = [max(display_width(visible(row[n])) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = [
            _padded(visible(text), width, right=4 <= n <= 7)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def _sources(service: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{service['name']} ({service['id']})"
    for source in service["sources"][:_TOP]:
        place = " ".join(source[key] or "?" for key in ("account", "region", "vpc", "address"))
        more = " ".join(source[key] for key in ("instance", "endpoint") if source[key])
        counts = [f"{source['count']:,} looked up"] + [
            f"{source[key]:,} {word}"
            for key, word in (("blocked", "blocked"), ("failed", "failed"), ("other_types", "of other types"))
            if source[key]
        ]
        yield f"  {place}{' ' + more if more else ''}: {', '.join(counts)}, {source['first']} to {source['last']}"
    rest = len(service["sources"]) - _TOP
    left = max(rest, 0) + service["sources_left_out"]
    if left:
        yield f"  and {left:,} more sources (--format json or csv)"
    yield from _connected(service["connected"])


def _connected(joined: dict[str, Any] | None) -> Iterator[str]:
    if joined is None:
        return
    word = _STATES[joined["state"]]
    if joined["state"] == "none":
        yield f"  {word}"
        return
    ambiguous = f", {joined['ambiguous']:,} of them ambiguous" if joined["ambiguous"] else ""
    yield (
        f"  {word}: {joined['flows']:,} flow records, {joined['bytes_sent']:,} bytes sent, "
        f"{joined['bytes_received']:,} received, {joined['rejected']:,} rejected{ambiguous}"
    )


def _bedrock(calls: list[dict[str, Any]] | None) -> Iterator[str]:
    if calls is None:
        return
    yield ""
    yield f"Calls to models in CloudTrail: {sum(c['calls'] for c in calls):,}"
    shown = sorted(
        calls, key=lambda c: (-c["calls"], -c["denied"], c["principal"] or "", c["event"], c["model"] or "")
    )
    for call in shown[: _TOP * 4]:
        who = f"{call['principal'] or '?'}{' as ' + call['session'] if call['session'] else ''}"
        yield (
            f"  {call['account'] or '?'} {call['region'] or '?'} {who}: {call['calls']:,} {call['event']} "
            f"{call['model'] or ''}".rstrip()
            + (f", {call['denied']:,} denied" if call["denied"] else "")
            + (f", {call['failed']:,} failed" if call["failed"] else "")
        )
    if len(shown) > _TOP * 4:
        yield f"  and {len(shown) - _TOP * 4:,} more (--format json)"


def tell_errors(found: dict[str, Any]) -> None:
    """Say on standard error what could not be read, for formats that are no page for people."""
    for error in found["errors"][: _TOP * 4]:
        place = error["file"] if error["line"] is None else f"{error['file']}:{error['line']}"
        print(without_log_commands(f"error: {visible(place)}: {visible(error['message'])}"), file=sys.stderr)
    total = len(found["errors"]) + found["errors_left_out"]
    if total > _TOP * 4:
        print(f"error: and {total - _TOP * 4:,} more", file=sys.stderr)
    if total:
        print("error: the result is incomplete", file=sys.stderr)


def _rest(found: dict[str, Any]) -> Iterator[str]:
    coverage = found["coverage"]
    if coverage["vpcs_unlogged"]:
        yield ""
        yield "UNKNOWN: VPCs these logs do not cover"
        for vpc in coverage["vpcs_unlogged"][: _TOP * 4]:
            yield f"  {vpc['account']} {vpc['region']} {vpc['vpc']}: {vpc['why']}"
        if len(coverage["vpcs_unlogged"]) > _TOP * 4:
            yield f"  and {len(coverage['vpcs_unlogged']) - _TOP * 4:,} more (--format json)"
    yield ""
    yield "What this cannot show"
    for sentence in coverage["blind_spots"]:
        yield f"  - {sentence}"
    if found["errors"]:
        yield ""
        total = len(found["errors"]) + found["errors_left_out"]
        yield f"{plural(total, 'error')}; the result is incomplete"
        for error in found["errors"][: _TOP * 4]:
            place = error["file"] if error["line"] is None else f"{error['file']}:{error['line']}"
            yield f"  {place}: {error['message']}"
        if total > _TOP * 4:
            yield f"  and {total - _TOP * 4:,} more"


def print_list(catalogue: Catalogue) -> None:
    """Print services and domains, one domain a line, with how each is known."""
    for service in catalogue.services:
        for domain in service.domains:
            mark = " approved" if service.approved else ""
            print(
                without_log_commands(
                    visible(
                        f"{service.category} {service.id} {domain.pattern} {domain.confidence}{mark} {domain.source}"
                    )
                )
            )
