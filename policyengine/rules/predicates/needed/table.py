"""Predicates about what a role must stay able to do: what each is called and asked with. See ``iam``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_NEEDS: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group")


def undenied(
    subject: Subject, *, actions: Sequence[str], role: str | None, where_allowed: Sequence[str]
) -> Answer:
    """TRUE when no Deny of the policies stops any of the actions altogether."""
    from policyengine.rules.predicates.needed import answers as needed_answers

    return needed_answers.undenied(subject, actions=actions, role=role, where_allowed=where_allowed)


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "needed.undenied",
        undenied,
        "No Deny of the policies stops any of the actions altogether.",
        {
            "actions": Arg("list:string", help="actions that are needed"),
            "role": Arg(
                "alias", False, None, "the role whose policies are meant; without one the resource's own"
            ),
            "where_allowed": Arg("list:string", False, (), "only where the policies grant one of these"),
        },
        (),
        _NEEDS,
    ),
)
