"""The predicates about a whole organisation: what each is called and asked with. See ``iam``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_PREFIX: Final = "AWS::Organizations::"


def covers(subject: Subject, *, requests: Any) -> Answer:
    """TRUE when SCPs deny every request of the set in the account, or in every member account."""
    from policyengine.rules.predicates import org_covers

    return org_covers.covers(subject, requests=requests)


def _requests_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.rules.predicates import iam_asking

    return iam_asking.argument_problem(arguments)


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "org.covers",
        covers,
        "SCPs deny every request of the set in the account, whatever the account's own policies allow.",
        {"requests": Arg("json", help="a set of requests: `action`, `resource`, `principal`, `context`")},
        (f"{_PREFIX}Account", f"{_PREFIX}Organization", "AWS::::Account"),
        problem=_requests_problem,
        wide=tuple(_PREFIX + name for name in ("Organization", "OrganizationalUnit", "Account", "Policy")),
    ),
)
