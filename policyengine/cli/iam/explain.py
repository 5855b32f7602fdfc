"""``policyengine iam explain``: every statement of a target in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK, EXIT_USAGE
from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    json_line,
    plural,
    show,
    show_errors,
    some,
    why_texts,
    witness_json,
    witness_lines,
)
from policyengine.cli.iam.documents import read_documents
from policyengine.cli.iam.kinds import KIND
from policyengine.cli.iam.whole import whole
from policyengine.iam.catalogue import Catalogue
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.grammar import RULES, Kind
from policyengine.iam.reason import Answer, No, Unknown, Yes
from policyengine.iam.wording import (
    actions_of,
    catalogue_of,
    condition_words,
    left_open,
    warnings,
    what_is_left,
)
from policyengine.rules.iam.reader import Document


@click.command(context_settings=HELP)
@click.argument("target")
@KIND
@FORMAT
def explain(target: str, kind: Kind | None, format_: str) -> int:
    """Say in plain words what each statement of a policy does.

    TARGET is a policy, or a template, plan or snapshot with policies. Of a Deny: what it leaves open,
    with a request that shows it. Whatever is wider than it looks, unknown or likely misspelt is
    pointed out. Exit codes: 0, 2 a document is no policy AWS would take (the others are explained).

    \b
      policyengine iam explain scp.json --kind scp
      policyengine iam explain template.yaml
    """
    documents, errors = read_documents(target, kind)
    show_errors(errors)
    for number, document in enumerate(documents):
        if document.opaque is not None and document.opaque.reason.endswith("AWS would take"):
            continue  # its error was shown
        if format_ == "json":
            for line in lines(document):
                json_line(line)
        else:
            guessed = kind is None and document.type is None and document.policy.kind == "identity"
            show([*([""] if number else []), *page(document, guessed=guessed)])
    return EXIT_USAGE if errors else EXIT_OK


def lines(document: Document) -> Iterator[dict[str, Any]]:
    """Yield one JSON line for each statement."""
    policy = document.policy
    known = catalogue_of(policy)
    for statement in policy.statements:
        about = actions_of(statement, known)
        yield {
            "place": document.place,
            "name": document.name,
            "type": document.type,
            "kind": policy.kind,
            "statement": statement.index,
            "sid": statement.sid,
            "line": statement.line,
            "effect": "Allow" if statement.allow else "Deny",
            "actions": {
                "patterns": list(statement.actions),
                "excluded": statement.not_action,
                "count": about.count,
                "services": dict(about.services),
                "levels": dict(about.levels),
                "unknown": list(about.unknown),
            },
            "resources": None if statement.resources is None else list(statement.resources),
            "resources_excluded": statement.not_resource,
            "principals": None
            if statement.principals is None
            else {k: list(v) for k, v in statement.principals.items()},
            "principals_excluded": statement.not_principal,
            "conditions": [condition_words(c) for c in statement.conditions],
            **_left(policy, statement),
            "warnings": warnings(policy, statement, known),
        }


def _left(policy: Policy, statement: Statement) -> dict[str, Any]:
    """Return what a Deny leaves open: in words, and a request (null: nothing, or not decided with why)."""
    if statement.allow:
        return {"leaves_open": None, "witness": None, "undecided": []}
    answer = what_is_left(policy, statement)
    return {
        "leaves_open": [] if isinstance(answer, No) else left_open(statement),
        "witness": witness_json(answer.witness) if isinstance(answer, Yes) else None,
        "undecided": why_texts(answer.why) if isinstance(answer, Unknown) else [],
    }


# -- text -------------------------------------------------------------------------------------------------


def page(document: Document, *, guessed: bool = False) -> Iterator[str]:
    """Yield the lines a reader gets for one policy; ``guessed``: nobody says that it is an identity policy."""
    policy = document.policy
    name = "an identity policy, boundary or SCP" if guessed else RULES[policy.kind].name
    number = len({s.index for s in policy.statements})
    yield f"{document.place}: {name} with {plural(number, 'statement')}"
    if document.opaque is not None:
        yield f"  not known: {document.opaque.reason}"
        return
    known = catalogue_of(policy)
    for statement in policy.statements:
        yield ""
        yield from _statement(policy, statement, known)
    if policy.kind == "identity":
        told = list(whole(policy))
        if told:
            yield ""
            yield "  as an identity policy" if guessed else "  as a whole"
            yield from (f"    {line}" for line in told)


def _statement(policy: Policy, statement: Statement, known: Catalogue) -> Iterator[str]:
    where = f" (line {statement.line})" if statement.line else ""
    sid = f" {statement.sid}" if statement.sid else ""
    yield f"  {statement.index + 1}{sid}{where}"
    verb = "allows" if statement.allow else "denies"
    if statement.opaque is not None:
        verb = f"may {verb[:-1]}" if statement.allow else "may deny"
    yield f"    {verb} {_actions(statement, known)}"
    if statement.principals is not None:
        yield f"    to {_principals(statement)}"
    yield f"    on {_resources(statement)}"
    for at, condition in enumerate(statement.conditions):
        yield f"    {'and' if at else 'where'} {condition_words(condition)}"
    if not statement.allow:
        yield from _open(statement, what_is_left(policy, statement))
    yield from (f"    ! {warning}" for warning in warnings(policy, statement, known))


def _actions(statement: Statement, known: Catalogue) -> str:
    about = actions_of(statement, known)
    if not statement.not_action and len(statement.actions) <= 3:
        names = ", ".join(statement.actions)
    else:
        names = ("everything but " if statement.not_action else "") + some(statement.actions, 6)
    if statement.actions == ("*",) and not statement.not_action:
        return "every action"
    levels = ", ".join(f"{number:,} {level.lower()}" for level, number in about.levels)
    return f"{names} ({plural(about.count, 'action')}{': ' + levels if levels else ''})"


def _resources(statement: Statement) -> str:
    if statement.resources is None:
        return "the resource it belongs to"
    if statement.resources == ("*",) and not statement.not_resource:
        return "every resource"
    return ("every resource but " if statement.not_resource else "") + some(statement.resources, 6)


def _principals(statement: Statement) -> str:
    names: Sequence[str] = [name for found in (statement.principals or {}).values() for name in found]
    if list(names) == ["*"] and not statement.not_principal:
        return "everyone"
    return ("everyone but " if statement.not_principal else "") + some(names, 6)


def _open(statement: Statement, answer: Answer) -> Iterator[str]:
    """Yield what a Deny leaves open."""
    if isinstance(answer, No):
        yield "    leaves nothing of these open"
        return
    words = left_open(statement)
    if words:
        yield f"    leaves open: {words[0]}"
        yield from (f"      or {text}" for text in words[1:])
    if isinstance(answer, Yes):
        title = "such as" if words else "leaves open, such as"
        yield f"    {title}"
        yield from witness_lines(answer.witness, "      ")
    else:
        assert isinstance(answer, Unknown)
        yield f"    what it leaves open was not decided: {'; '.join(why_texts(answer.why))}"
