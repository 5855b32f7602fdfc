"""``policyengine iam covers``: is a set of requests denied in every member account, by SCPs alone?"""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    STRICT,
    exit_code,
    json_line,
    plural,
    show,
    show_errors,
    some,
    why_texts,
    witness_json,
    witness_lines,
)
from policyengine.cli.iam.requests import read_requests, request_options
from policyengine.iam.covering import Coverage, coverage, passed_over
from policyengine.iam.organization import Organization
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.reasons import REASONS
from policyengine.model.errors import UsageError

Reason = dict[str, Any]


@click.command(context_settings=HELP)
@click.option("--in", "target", required=True, metavar="SNAPSHOT", help="what holds the organisation")
@request_options(required=True)
@click.option("--account", "accounts", multiple=True, metavar="ID", help="only this account; may repeat")
@FORMAT
@STRICT
def covers(target: str, requests_file: Path, accounts: Sequence[str], format_: str, strict: bool) -> int:
    """Say whether a set of requests is denied in every member account.

    Denied by the SCPs above the account alone, whatever its own policies allow; where not, a request
    that gets through is shown. SNAPSHOT may also be a template or plan. Exit codes: 0 all accounts are
    covered, 1 one is not, 3 one could not be decided (with --strict), 4 the organisation could not be
    read whole.

    \b
      policyengine iam covers --in snapshot/ --requests bedrock-outside-eu.json
    """
    from policyengine.cli.iam.organizations import read_target

    gc.set_threshold(100_000, 50, 50)
    requests = read_requests(requests_file)
    found = read_target(target)
    organization = found.organization
    for account in accounts:
        if account not in organization.accounts:
            who = "the management account" if account == organization.management_account else "no account"
            raise UsageError(f"--account `{account}` is {who} of the organisation; expected a member account")
    show_errors(found.errors)
    results = coverage(organization, requests, accounts or None)
    explainer = Explainer()
    counts = {Yes: 0, No: 0, Unknown: 0}
    groups = Groups()
    for result in results:
        counts[type(result.answer)] += 1
        if format_ == "json":
            json_line(account_json(result, explainer.reasons(result)))
        else:
            groups.add(result, explainer.reasons(result))
    if format_ == "text":
        show(page(groups, organization, requests_file.name))
    return exit_code(
        incomplete=bool(found.errors), found=bool(counts[Yes]), unknown=bool(counts[Unknown]), strict=strict
    )


def account_json(result: Coverage, reasons: Sequence[Reason]) -> dict[str, Any]:
    """Return the JSON line of one account."""
    answer = result.answer
    covered = None if isinstance(answer, Unknown) else isinstance(answer, No)
    witness = witness_json(answer.witness) if isinstance(answer, Yes) else None
    return {"account": result.account, "covered": covered, "witness": witness, "reasons": reasons}


class Explainer:
    """Says why an account is covered, or not; what holds for many accounts is said once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Coverage, list[Reason]]] = {}

    def reasons(self, result: Coverage) -> list[Reason]:
        """Return the reasons, each with a ``code`` and, where it is about a statement, its place."""
        answer = result.answer
        if isinstance(answer, Unknown):
            return [{"code": "unknown", "text": text} for text in why_texts(answer.why)]
        if not result.layer:
            return [{"code": "scps_not_enabled", "text": "SCPs are not enabled in the organisation"}]
        key: Hashable = (id(result.denials), None)
        if isinstance(answer, Yes):
            witness = answer.witness
            shape = (witness.principal, witness.resource, *sorted(map(str, witness.context.items())))
            key = (id(result.denials), witness.action, *(t.replace(result.account, "") for t in shape))
        if key not in self._known:
            found = list(_let_through(result) if isinstance(answer, Yes) else _denying(result))
            self._known[key] = (result, found)
        return self._known[key][1]


def _let_through(result: Coverage) -> Iterator[Reason]:
    """Yield why each Deny statement that names an action in question does not stop the witness."""
    assert isinstance(result.answer, Yes)
    if not result.denials:
        yield {"code": "no_deny", "text": "no SCP above the account denies any of these actions"}
    passed = list(passed_over(result.denials, result.answer.witness))
    if result.denials and not passed:
        action = result.answer.witness.action
        yield {"code": "no_deny", "text": f"no SCP above the account denies {action}"}
    for denial, code in passed:
        yield {"code": code, **_place(denial.node, denial.attached, denial.statement)}


def _denying(result: Coverage) -> Iterator[Reason]:
    for node in result.blocked:
        yield {"code": "no_allow", "text": "no SCP here allows any of these actions", "node": node}
    for denial in result.denials:
        if denial.statement.opaque is not None:
            continue  # nobody knows whether it denies anything: it is no reason
        yield {"code": "denied", **_place(denial.node, denial.attached, denial.statement)}


def _place(node: str, attached: Any, statement: Any) -> Reason:
    return {
        "node": node,
        "policy": attached.id,
        "name": attached.name,
        "statement": statement.index,
        "sid": statement.sid,
    }


# -- text -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Group:
    """Accounts with the same answer, and the first of them."""

    first: Coverage
    reasons: Sequence[Reason]
    accounts: list[str] = field(default_factory=list)


class Groups:
    """Accounts by what is said of them."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}

    def add(self, result: Coverage, reasons: Sequence[Reason]) -> None:
        """Put an account where it belongs."""
        kind = type(result.answer)
        action = result.answer.witness.action if isinstance(result.answer, Yes) else ""
        said = tuple(_said(reason) for reason in reasons) if kind is not No else ()
        group = self._groups.setdefault((kind, action, said), Group(result, reasons))
        group.accounts.append(result.account)

    def of(self, kind: type) -> list[Group]:
        """Return the groups with an answer of a kind, the largest first."""
        found = [g for g in self._groups.values() if isinstance(g.first.answer, kind)]
        return sorted(found, key=lambda g: -len(g.accounts))


def page(groups: Groups, organization: Organization, requests: str) -> Iterable[str]:
    """Yield the lines a reader gets: the verdict, what gets through, and who is beyond SCPs."""
    open_, unknown, closed = (groups.of(kind) for kind in (Yes, Unknown, No))
    numbers = [sum(len(g.accounts) for g in found) for found in (open_, unknown, closed)]
    total = sum(numbers)
    what = f"`{requests}`"
    if numbers[2] == total:
        yield f"covered: SCPs deny all of {what} in {plural(total, 'member account')}"
    else:
        yield f"not covered: SCPs deny all of {what} in {numbers[2]:,} of {plural(total, 'member account')}"
    for group in open_[:MOST_GROUPS]:
        assert isinstance(group.first.answer, Yes)
        yield ""
        yield f"open in {plural(len(group.accounts), 'account')}: {some(group.accounts)}"
        yield from witness_lines(group.first.answer.witness)
        yield from (f"  - {_said(reason)}" for reason in group.reasons[:MOST])
        if len(group.reasons) > MOST:
            yield f"  - and {plural(len(group.reasons) - MOST, 'more statement')} that do not apply"
    if len(open_) > MOST_GROUPS:
        rest = sum(len(g.accounts) for g in open_[MOST_GROUPS:])
        yield ""
        yield f"open in {plural(rest, 'more account')} for other reasons: see --format json"
    for group in unknown[:MOST_GROUPS]:
        yield ""
        yield f"not decided in {plural(len(group.accounts), 'account')}: {some(group.accounts)}"
        yield from (f"  - {_said(reason)}" for reason in group.reasons)
    if closed and (open_ or unknown):
        yield ""
        for group in closed:
            yield f"covered in {plural(len(group.accounts), 'account')}: {some(group.accounts)}"
    yield ""
    yield from _beyond(organization)


MOST = 5
"""Statements of an account that are named one by one."""
MOST_GROUPS = 8
"""Groups of accounts that are shown one by one."""


def _said(reason: Reason) -> str:
    code = reason["code"]
    if "policy" not in reason:
        return f"{reason['text']}: `{reason['node']}`" if "node" in reason else str(reason["text"])
    number = f"statement {reason['statement'] + 1}" + (f" `{reason['sid']}`" if reason["sid"] else "")
    where = f"`{reason['name']}` at `{reason['node']}`, {number}"
    return f"{where}: {REASONS.get(code, code)}"


def _beyond(organization: Organization) -> Iterable[str]:
    manager = organization.management_account
    if manager is not None:
        yield f"The management account {manager} is no member account: SCPs do not restrict it."
    yield "Service-linked roles are beyond SCPs everywhere."
    flagged = organization.flagged()
    if flagged:
        yield f"Not active: {some([f'{a} ({s.lower()})' for a, s in flagged.items()])}."
