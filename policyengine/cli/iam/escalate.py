"""``policyengine iam escalate``: who can get more than it has, by which requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, EXIT_USAGE
from policyengine.cli.iam.access import chosen
from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    json_line,
    plural,
    show,
    show_errors,
    why_texts,
    witness_json,
)
from policyengine.cli.iam.can import unknown_principal
from policyengine.cli.iam.world import Part, World, read_world
from policyengine.iam.escalation import Reaches
from policyengine.iam.escalation_edges import protected
from policyengine.iam.escalation_survey import Found, Survey
from policyengine.iam.escalation_world import State, Step
from policyengine.iam.reason import Answer, Unknown, Yes
from policyengine.model.errors import InputError
from policyengine.rules.iam.graph import world_of
from policyengine.rules.iam.principals import caller_arn
from policyengine.sources.base import SourceOptions

PARTS: Final[tuple[Part, ...]] = ("organization", "principals", "carriers")
LISTED: Final = 50
"""Names that the text lists of administrators, and principals that were not decided."""


@click.command(context_settings=HELP)
@click.option("--in", "target", required=True, metavar="TARGET", help="what holds the principals")
@click.option("--principal", metavar="ARN", help="only this user or role: ARN, name or logical id")
@click.option("--to-admin", is_flag=True, help="only ask who can make itself administrator")
@click.option("--account", metavar="ID", help="the account that templates and plans are for")
@FORMAT
def escalate(target: str, principal: str | None, to_admin: bool, account: str | None, format_: str) -> int:
    """Say who can get more than it has, and how.

    Follows the known escalation paths over the users, roles and groups of TARGET: identity policies,
    boundaries, SCPs, RCPs, trust policies, and what runs with which role. Each step is printed with
    requests that are allowed; the shortest way to administrator where there is one. Exit codes:
    0 nobody can, 1 someone can, 3 not decided, 2 no such principal, 4 TARGET could not be read whole.

    \b
      policyengine iam escalate --in snapshot/
      policyengine iam escalate --in template.yaml --principal Deployer --to-admin
    """
    world = read_world([target], PARTS, SourceOptions(account=account))
    show_errors([*world.errors, *world.org_errors])
    world.incomplete = world.incomplete or bool(world.errors or world.org_errors)
    if not any(record.kind != "group" for record in world.principals):
        if not world.errors:
            raise InputError(f"no user and no role in `{target}`", code="no_resource")
        return EXIT_USAGE
    found = _ask(world, _wanted(world, principal, target), to_admin=to_admin)
    if format_ == "json":
        for one in found:
            json_line(as_json(one))
    else:
        show(page(found, world, to_admin=to_admin))
    return _exit_code(found, incomplete=world.incomplete)


def _wanted(world: World, principal: str | None, target: str) -> list[str]:
    """Return the ARNs to ask about: users and roles, but not service-linked ones, which nobody can use."""
    if principal is None:
        arns = {caller_arn(record)[0] for record in world.principals if record.kind != "group"}
        return sorted(arn for arn in arns if ":role/aws-service-role/" not in arn)
    records = chosen(world, [principal])
    if not records:
        raise InputError(unknown_principal(principal, world, target), code="no_principal")
    return sorted({caller_arn(record)[0] for record in records})


def _ask(world: World, arns: Sequence[str], *, to_admin: bool) -> list[Found]:
    survey = Survey(world_of(world.principals, world.carried, world.organization))
    return [survey.of(arn, only_administrator=to_admin) for arn in arns]


def _exit_code(found: Sequence[Found], *, incomplete: bool) -> int:
    if incomplete:
        return EXIT_INCOMPLETE
    if any(isinstance(one.escalates, Yes) for one in found):
        return EXIT_FAIL
    undecided = any(isinstance(one.escalates, Unknown) for one in found)
    return EXIT_UNKNOWN if undecided else EXIT_OK


# -- JSON -------------------------------------------------------------------------------------------------


def as_json(found: Found) -> dict[str, Any]:
    """Return the JSON line of one principal."""
    answer = found.escalates
    steps = answer.steps if isinstance(answer, Reaches) else ()
    return {
        "principal": found.arn,
        "escalates": _truth(answer),
        "administrator": _truth(found.administrator),
        "to_administrator": _truth(found.to_administrator),
        "path": [_step(step) for step in steps],
        "gains": witness_json(answer.witness) if isinstance(answer, Yes) else None,
        "reasons": _reasons(found),
    }


def _truth(answer: Answer) -> bool | None:
    return None if isinstance(answer, Unknown) else isinstance(answer, Yes)


def _step(step: Step) -> dict[str, Any]:
    return {
        "from": _state(step.source),
        "to": _state(step.target),
        "path": step.path,
        "requests": [witness_json(witness) for witness in step.requests],
        "reference": step.reference,
    }


def _state(state: State) -> dict[str, Any]:
    """Return a principal and how it is changed on the way."""
    return {
        "principal": state.arn,
        "any_policy": state.anything,
        "no_boundary": state.unbounded,
        "group": state.group,
    }


def _reasons(found: Found) -> list[str]:
    """Return why something is not known of a principal, in words."""
    answers = (found.administrator, found.to_administrator, found.escalates)
    why = [text for answer in answers if isinstance(answer, Unknown) for text in why_texts(answer.why)]
    return list(dict.fromkeys(why))


# -- text -------------------------------------------------------------------------------------------------


def page(found: Sequence[Found], world: World, *, to_admin: bool) -> Iterator[str]:
    """Yield the lines a reader gets: the verdict, each way up, administrators, what is not decided."""
    up = [one for one in found if isinstance(one.to_administrator, Yes)]
    more = [one for one in found if isinstance(one.escalates, Yes) and one not in up]
    administrators = [one.arn for one in found if isinstance(one.administrator, Yes)]
    undecided = [one for one in found if isinstance(one.escalates, Unknown)]
    yield from _summary(found, up, more, administrators, undecided, to_admin=to_admin)
    for one in [*up, *more]:
        yield ""
        yield from _way(one)
    if administrators and len(found) > 1:
        yield ""
        yield f"{plural(len(administrators), 'administrator')}, with no more to get"
        yield from _listed(administrators)
    if undecided:
        yield ""
        yield f"not decided for {plural(len(undecided), 'principal')}"
        yield from _listed([f"{one.arn}: {'; '.join(_reasons(one)[:3])}" for one in undecided])
    yield ""
    yield f"looked at: {', '.join(_looked_at(world))}"
    if any(caller_arn(record)[1] for record in world.principals):
        yield "ARNs that the code does not fix are made up"


def _summary(
    found: Sequence[Found],
    up: Sequence[Found],
    more: Sequence[Found],
    administrators: Sequence[str],
    undecided: Sequence[Found],
    *,
    to_admin: bool,
) -> Iterator[str]:
    if len(found) == 1:
        yield _verdict(found[0], to_admin=to_admin)
        return
    all_ = plural(len(found), "principal")
    verb = "can make itself" if len(up) == 1 else "can make themselves"
    yield f"{len(up):,} of {all_} {verb} administrator"
    if not to_admin:
        more_ = "get more than it has" if len(more) == 1 else "get more than they have"
        yield f"{len(more):,} can {more_} otherwise"
    yield f"{len(administrators):,} {'is' if len(administrators) == 1 else 'are'} administrator already"
    if undecided:
        yield f"{len(undecided):,} could not be decided"


def _verdict(one: Found, *, to_admin: bool) -> str:
    if isinstance(one.administrator, Yes):
        return f"no: {one.arn} is administrator already"
    if isinstance(one.to_administrator, Yes):
        return f"yes: {one.arn} can make itself administrator"
    if isinstance(one.escalates, Yes):
        return f"yes: {one.arn} can get more than it has"
    if isinstance(one.escalates, Unknown):
        return f"not decided for {one.arn}"
    what = "make itself administrator" if to_admin else "get more than it has"
    return f"no: {one.arn} cannot {what} by a known path"


def _way(one: Found) -> Iterator[str]:
    """Yield the steps of a principal, and what it may do in the end."""
    answer = one.escalates
    assert isinstance(answer, Reaches)
    where = "administrator" if isinstance(one.to_administrator, Yes) else "more"
    yield f"{one.arn}: {where} in {plural(len(answer.steps), 'step')}"
    for number, step in enumerate(answer.steps, 1):
        yield f"  {number}. {step.path}"
        for witness in step.requests:
            yield f"     {witness.action} on {witness.resource}"
            pairs = [
                f"{k} = {v if isinstance(v, str) else ', '.join(v)}" for k, v in _telling(witness.context)
            ]
            if pairs:
                yield f"       with {'; '.join(pairs)}"
        yield f"     -> {step.target}"
        yield f"     see {step.reference}"
    yield f"  then it may {answer.witness.action} on {answer.witness.resource}"


def _telling(context: Any) -> list[tuple[str, Any]]:
    """Return the keys of a request that say something: the region of a request to IAM does not."""
    return [(k, v) for k, v in context.items() if k.lower() != "aws:requestedregion"]


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield f"  and {len(lines) - LISTED:,} more; --format json lists all"


def _looked_at(world: World) -> Iterator[str]:
    """Yield what the target shows that has a say."""
    yield "identity policies"
    if any(record.boundary for record in world.principals):
        yield "boundaries"
    yield "trust policies"
    if world.carried is not None and world.carried.carriers:
        yield plural(len(world.carried.carriers), "resource that runs", "resources that run") + " with a role"
    if world.organization is not None:
        if world.organization.enabled["scp"] is not False:
            yield "SCPs"
        if world.organization.enabled["rcp"] is not False:
            yield "RCPs"
    kept = sum(protected(caller_arn(record)[0]) for record in world.principals)
    if kept:
        yield f"{plural(kept, 'role')} that only AWS can change"
