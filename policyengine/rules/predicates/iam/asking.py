"""What the questions about policies have in common: sets of requests, answers, words.

This module loads ``policyengine.iam``; the table of predicates does not, so that rules without such a
question stay cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.domains import Callers, any_caller, any_entity, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.glob import compile_glob
from policyengine.iam.reason import WHY, No, Yes
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call
from policyengine.iam.spelling import documented
from policyengine.iam.statements import compiled
from policyengine.model.finding import Evidence, Witness
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, json_pointer
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.held import Held
from policyengine.rules.iam.reader import Document
from policyengine.rules.predicates.api import Answer

_READ: Final[dict[int, tuple[Any, RequestSet]]] = {}
"""By identity of the argument, which a rule binds once. INVARIANT: an entry holds its argument."""
_BELOW: Final = ("", "/*", ":*")
"""What follows the ARN of a resource in those of its parts: objects, indexes, log streams, versions."""
_BELOW_OF: Final = {"s3": ("", "/*"), "kms": ("",), "sqs": ("",), "sns": ("",)}
"""By service, where its ARNs say it: https://docs.aws.amazon.com/service-authorization/latest/reference/."""


def requests_of(requests: Any) -> RequestSet:
    """Return the set an argument describes, which must not be changed afterwards; raises PolicyError."""
    known = _READ.get(id(requests))
    if known is not None:
        return known[1]
    found = read_request_set(requests)
    if len(_READ) >= 1024:
        _READ.clear()
    _READ[id(requests)] = (requests, found)
    return found


def problem_of(requests: Any) -> str | None:
    """Say what is wrong with a set of requests in one line; None when nothing is."""
    try:
        read_request_set(requests)
    except PolicyError as error:
        return f"`requests`: {error}"
    return None


def unreadable(error: PolicyError) -> Answer:
    """Return the answer to a question whose parameters make no set of requests."""
    expected = "a set of requests that can be read"
    return Answer(UNKNOWN, (Evidence((), str(error), expected, "wrong_type"),))


def about_own(requests: RequestSet, held: Held) -> RequestSet:
    """Return the requests about the resource itself and its parts, where a rule does not say which."""
    if held.about != "resource" or requests.resources != ("*",) or held.arn is None:
        return requests
    _, _, service = (*held.arn.split(":", 3), "", "")[:3]  # sources repeat what is written: it may be no ARN
    below = _BELOW_OF.get(service, _BELOW)
    return replace(requests, resources=tuple(held.arn + part for part in below))


def names_others(held: Held) -> bool:
    """Say whether a policy allows something on what does not look like its own resource."""
    arn = held.arn
    for policy in held.policies if arn is not None else ():
        for statement in policy.statements:
            if statement.allow and statement.resources is not None and not statement.not_resource:
                near = (
                    r == "*" or r.startswith(f"{arn}") or compile_glob(r)(f"{arn}")
                    for r in statement.resources
                )
                # the widest a statement can be about stands for what may be another resource
                if not any(near) or (statement.opaque is not None and statement.resources == ("*",)):
                    return True
    return False


def callers_of(held: Held) -> Callers:
    """Return who may ask: the principal itself, whoever holds a document, principals of any account.

    AWS services that call for themselves are asked about only where a rule names them.
    """
    if held.about == "principal" and held.arn is not None and ":group/" not in held.arn:
        return one_caller(held.arn)
    return any_caller() if held.about == "resource" else any_entity()


def witness(request: Request) -> Witness:
    """Return a request as findings have it."""
    context = {documented(k): v if isinstance(v, str) else list(v) for k, v in request.context.items()}
    return Witness(request.principal, request.action, request.resource, context)


def unwanted(asked_for: str) -> str:
    """Return what is expected where something that was asked for must not be: ``a way out`` → ``no way out``."""
    for article in ("a ", "an ", "the "):
        asked_for = asked_for.removeprefix(article)
    return f"no {asked_for}"


def allowed(held: Held, answer: Reasoned, expected: str, unnamed: Collection[str] = ()) -> Answer:
    """TRUE with the request that is allowed; ``expected`` says what was asked for, which rules forbid;
    ``unnamed`` are accounts that stand for any."""
    if isinstance(answer, Yes):
        text = may_call(answer.witness, unnamed)
        found = Evidence(place_of(held, answer.witness), text, unwanted(expected), "request_allowed")
        cause = cause_of(held, allowing(held, answer.witness)[:1])
        return Answer(TRUE, (found,), witness(answer.witness), cause)
    if isinstance(answer, No):
        return Answer(FALSE, (Evidence(held.where, ABSENT, expected, "no_such_request"),))
    return undecided(held, answer.why, unwanted(expected))


def place_of(held: Held, request: Request) -> Path:
    """Return the path of the first statement of the resource's own that allows a request."""
    if any(s.line is not None for d in held.documents for s in d.policy.statements):
        for number, statement in allowing(held, request)[:1]:
            return held.place(held.documents[number], statement)
    return held.where


def allowing(held: Held, request: Request) -> list[tuple[int, int]]:
    """Return the statements that allow a request: the number of the document, the index of the statement."""
    asked = request.request()
    return [
        (number, statement.index)
        for number, document in enumerate(held.documents)
        for statement in document.policy.statements
        if statement.allow and compiled(statement).verdict(asked) is None
    ]


def cause_of(held: Held, statements: Iterable[tuple[int, int]]) -> str | None:
    """Return what an answer has as its cause where these statements are it; None where there is none."""
    found = dict.fromkeys(
        _statement_place(held, held.documents[number], index) for number, index in statements
    )
    return f"#{' '.join(found)}" if found else None


def _statement_place(held: Held, document: Document, index: int) -> str:
    """Own documents are told apart by their places, others by their names."""
    own = (document.type, document.id) == held.source
    return f"{json_pointer(document.path) if own else f'/{document.name}'}/Statement/{index}"


def undecided(held: Held, why: Sequence[str], expected: str) -> Answer:
    """UNKNOWN with what is not known of the documents, or why the question could not be decided."""
    evidence = [Evidence(path, value, expected, value.reason) for path, value in held.doubts]
    if not evidence:
        value = Unresolved("unsupported", "; ".join(WHY.get(code, code) for code in why))
        evidence = [Evidence(held.where, value, expected, value.reason)]
    return Answer(UNKNOWN, tuple(evidence))


def argument_problem(arguments: Mapping[str, Any]) -> str | None:
    """Say what is wrong with constant arguments that hold a set of requests."""
    return problem_of(arguments["requests"]) if arguments.get("requests") is not None else None
