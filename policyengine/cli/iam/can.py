"""``policyengine iam can`` and ``who-can``: whether, and who, through all layers a target shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, EXIT_USAGE
from policyengine.cli.iam.access import Access, Gate, chosen
from policyengine.cli.iam.alone import asked_alone
from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    STRICT,
    json_line,
    plural,
    show,
    show_errors,
    why_texts,
    witness_json,
    witness_lines,
)
from policyengine.cli.iam.documents import bare_document
from policyengine.cli.iam.requests import read_requests, request_options
from policyengine.cli.iam.world import World, read_world
from policyengine.iam.organization_records import ChainKind
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.model.errors import InputError, UsageError
from policyengine.rules.iam.reader import Document
from policyengine.sources.base import SourceOptions

_IN = click.option(
    "--in", "target", required=True, metavar="TARGET", help="a snapshot, template, plan or policy document"
)
_ACCOUNT = click.option("--account", metavar="ID", help="the account that templates and plans are for")


@click.command(context_settings=HELP)
@click.option("--principal", required=True, metavar="ARN", help="a user or role: ARN, name or logical id")
@_IN
@request_options(required=False)
@_ACCOUNT
@FORMAT
def can(principal: str, target: str, account: str | None, format_: str, **asked: Any) -> int:
    """Say whether a principal can make a request of a set.

    Its identity policies, boundary, SCPs and RCPs and the policies of the resources count, as far as
    TARGET shows them; a bare policy document answers by itself. The answer is yes with a request that is
    allowed, no, or not decided with what stood in the way. Exit codes: 0 yes, 1 no, 3 not decided, 2 no
    such principal, 4 TARGET could not be read whole.

    \b
      policyengine iam can --principal deployer --in snapshot/ --action iam:CreateUser
      policyengine iam can --principal deployer --in template.yaml --action 's3:*' --resource 'arn:aws:s3:::logs*'
    """
    alone = bare_document(target)
    if alone is not None:
        return _alone(alone, asked_alone(alone, _requests(asked), principal), format_)
    world, code = _world(target, account)
    if code is not None:
        return code
    gate = Gate(world, _requests(asked))
    records = chosen(world, [principal])
    if not records:
        raise InputError(unknown_principal(principal, world, target), code="no_principal")
    found = [gate.principal(record) for record in records]
    for access in found:
        if format_ == "json":
            json_line(as_json(access))
        else:
            show(_answered(access, ", ".join(_layers(world))))
    if world.incomplete:
        return EXIT_INCOMPLETE
    return _exit_code(found)


def _exit_code(found: Sequence[Access]) -> int:
    if any(isinstance(a.answer, Yes) for a in found):
        return EXIT_OK
    return EXIT_UNKNOWN if any(isinstance(a.answer, Unknown) for a in found) else EXIT_FAIL


def _alone(document: Document, access: Access, format_: str) -> int:
    """Print what a bare document answers; return the exit code."""
    if format_ == "json":
        json_line({**as_json(access), "note": "by this document alone"})
    else:
        show(_answered(access, f"{document.place} alone"))
    return _exit_code([access])


@click.command("who-can", context_settings=HELP)
@_IN
@request_options(required=False)
@_ACCOUNT
@FORMAT
@STRICT
def who_can(target: str, account: str | None, format_: str, strict: bool, **asked: Any) -> int:
    """List who can make a request of a set.

    Every user and role of TARGET through all layers it shows, and those from outside whom policies of
    resources and of roles let in (what their own account allows them is taken for granted). Exit codes:
    0; 3 one could not be decided (with --strict); 4 TARGET could not be read whole.

    \b
      policyengine iam who-can --in snapshot/ --action s3:DeleteBucket --resource arn:aws:s3:::ledger
    """
    alone = bare_document(target)
    if alone is not None:
        answered = _alone(alone, asked_alone(alone, _requests(asked), None), format_)
        return EXIT_UNKNOWN if strict and answered == EXIT_UNKNOWN else EXIT_OK
    world, code = _world(target, account)
    if code is not None:
        return code
    gate = Gate(world, _requests(asked))
    found = [gate.principal(record) for record in world.principals if record.kind != "group"]
    found.sort(key=lambda a: a.principal)
    found.extend(gate.outside())
    if format_ == "json":
        for access in found:
            json_line(as_json(access))
    else:
        show(_page(found, world))
    if world.incomplete:
        return EXIT_INCOMPLETE
    return EXIT_UNKNOWN if strict and any(isinstance(a.answer, Unknown) for a in found) else EXIT_OK


def _requests(asked: dict[str, Any]) -> Any:
    requests = read_requests(asked["requests_file"], asked["actions"], asked["resources"], asked["context"])
    if asked["requests_file"] is None and not asked["actions"]:
        raise UsageError("which requests? give --requests FILE or --action PATTERN")
    return requests


def _world(target: str, account: str | None) -> tuple[World, int | None]:
    """Return what the target holds; the exit code where there is nothing to ask about."""
    world = read_world([target], options=SourceOptions(account=account))
    show_errors([*world.errors, *world.org_errors])
    world.incomplete = world.incomplete or bool(world.org_errors)
    if not world.principals and not world.resources:
        if not world.errors:
            raise InputError(f"no principal and no resource with a policy in `{target}`", code="no_resource")
        return world, EXIT_USAGE
    world.incomplete = world.incomplete or bool(world.errors)
    return world, None


def unknown_principal(name: str, world: World, target: str) -> str:
    """Return the error for a user or role that a target does not hold."""
    import difflib

    names = [record.id for record in world.principals if record.kind != "group"]
    close = difflib.get_close_matches(name.rpartition("/")[2], names, n=1)
    hint = (
        f"; did you mean `{close[0]}`?"
        if close
        else f"; it has {plural(len(names), 'user or role', 'users and roles')}"
    )
    return f"no user or role `{name}` in `{target}`{hint}"


def as_json(access: Access) -> dict[str, Any]:
    """Return the JSON line of one principal."""
    answer = access.answer
    return {
        "principal": access.principal,
        "can": None if isinstance(answer, Unknown) else isinstance(answer, Yes),
        "witness": witness_json(answer.witness) if isinstance(answer, Yes) else None,
        "via": access.via,
        "outside": access.outside,
        "reasons": why_texts(answer.why) if isinstance(answer, Unknown) else [],
        "note": access.note,
    }


def _answered(access: Access, looked_at: str) -> Iterator[str]:
    answer = access.answer
    if isinstance(answer, Yes):
        yield f"yes: {access.principal} can"
        yield from witness_lines(answer.witness)
        if access.via is not None:
            yield f"  past the policy of {access.via}"
    elif isinstance(answer, No):
        yield f"no: {access.principal} cannot make any request of the set"
    else:
        yield f"not decided for {access.principal}"
        yield from (f"  - {text}" for text in why_texts(answer.why))
    if access.note:
        yield f"  ({access.note})"
    yield f"looked at: {looked_at}"


def _layers(world: World) -> Iterator[str]:
    """Yield the layers that the target shows."""
    yield "identity policies"
    if any(record.boundary for record in world.principals):
        yield "boundaries"
    if any(resource.documents for resource in world.resources):
        yield "resource policies"
    layers: tuple[tuple[ChainKind, str], ...] = (("scp", "SCPs"), ("rcp", "RCPs"))
    for kind, name in layers:
        if world.organization is not None and world.organization.enabled[kind] is not False:
            yield name


def _page(found: Sequence[Access], world: World) -> Iterator[str]:
    """Yield the lines a reader gets: who can, who perhaps can, how many cannot."""
    able = [a for a in found if isinstance(a.answer, Yes)]
    perhaps = [a for a in found if isinstance(a.answer, Unknown)]
    inside = [a for a in found if not a.outside]
    yield f"{len([a for a in able if not a.outside]):,} of {plural(len(inside), 'principal')} can"
    for access in [a for a in able if not a.outside]:
        yield from _entry(access)
    outside = [a for a in able if a.outside]
    if outside:
        yield ""
        yield f"{len(outside):,} from outside, if their own account lets them"
        for name in dict.fromkeys(a.principal for a in outside):
            theirs = [a for a in outside if a.principal == name]
            yield from _entry(theirs[0])
            if len(theirs) > 1:
                yield f"      and past {plural(len(theirs) - 1, 'more policy', 'more policies')}"
    if perhaps:
        yield ""
        yield f"{len(perhaps):,} not decided"
        for access in perhaps:
            assert isinstance(access.answer, Unknown)
            via = f" at {access.via}" if access.via else ""
            yield f"  {access.principal}{via}: {'; '.join(why_texts(access.answer.why))}"
    yield ""
    yield f"looked at: {', '.join(_layers(world))}"


def _entry(access: Access) -> Iterator[str]:
    assert isinstance(access.answer, Yes)
    witness = access.answer.witness
    yield f"  {access.principal}" + (f" ({access.note})" if access.note else "")
    lines = witness_lines(witness, "    ")
    yield lines[0]
    yield from (line for line in lines[1:] if witness.principal != access.principal or "  by " not in line)
    if access.via is not None:
        yield f"      past the policy of {access.via}"
