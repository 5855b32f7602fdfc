"""A bare policy document asked by itself: what it allows less what it denies, whatever else there is."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK, EXIT_UNKNOWN
from policyengine.cli.iam.answers import json_line, show, why_texts, witness_json, witness_lines
from policyengine.iam.domains import Callers, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import Answer, Unknown, Yes, grants
from policyengine.iam.request import read_caller
from policyengine.iam.request_set import RequestSet
from policyengine.model.errors import InputError
from policyengine.rules.iam.reader import Document

HOLDER = "whoever holds it"
"""Who asks, where a document names no principals."""


def ask(document: Document, requests: RequestSet, principal: str | None, format_: str) -> int:
    """Answer, print, and return the exit code: 0 yes, 1 no, 3 not decided.

    ``principal``: None for anybody. Raises InputError for one that is no principal's ARN or name.
    """
    answer = grants([document.policy], requests, _callers(principal, document))
    named = any(s.principals is not None for s in document.policy.statements)
    who = principal or ("anybody" if named else HOLDER)
    if format_ == "json":
        json_line(
            {
                "principal": who,
                "can": None if isinstance(answer, Unknown) else isinstance(answer, Yes),
                "witness": witness_json(answer.witness) if isinstance(answer, Yes) else None,
                "via": None,
                "outside": False,
                "reasons": why_texts(answer.why) if isinstance(answer, Unknown) else [],
                "note": "by this document alone",
            }
        )
    else:
        show(_lines(answer, who, document))
    if isinstance(answer, Unknown):
        return EXIT_UNKNOWN
    return EXIT_OK if isinstance(answer, Yes) else EXIT_FAIL


def _callers(principal: str | None, document: Document) -> Callers | None:
    if principal is None:
        return None
    try:
        read_caller(principal)
    except PolicyError as error:
        hint = f"`{document.place}` is one policy, without principals of its own: name one by its ARN"
        raise InputError(f"{error}; {hint}", code="no_principal") from None
    return one_caller(principal)


def _lines(answer: Answer, who: str, document: Document) -> Iterator[str]:
    if isinstance(answer, Yes):
        yield f"yes: {who} can"
        yield from witness_lines(answer.witness)
    elif isinstance(answer, Unknown):
        yield f"not decided for {who}"
        yield from (f"  - {text}" for text in why_texts(answer.why))
    else:
        yield f"no: {who} cannot make any request of the set"
    yield f"looked at: {document.place} alone"
