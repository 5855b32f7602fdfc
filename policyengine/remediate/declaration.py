"""What a remediation says of itself (``remediation.yaml``), in the form that is loaded without PyYAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
MODES: Final = ("automatic", "approval", "plan")
REVERSIBLE: Final = ("full", "partial", "no")


@dataclass(frozen=True)
class Declaration:
    """One remediation.

    ``fixes`` are rule ids, each of which names this remediation; ``types`` the resource types it can be asked
    about. ``reads`` and ``writes`` are operations (``s3:GetBucketPolicy``): what ``image`` may call, and what
    steps and their undoing may. ``mode``: ``automatic`` may run without a person where the settings allow it,
    ``approval`` never does, ``plan`` only proposes and is never applied. ``approvals`` is the least number of
    people. ``destructive``: data or history may be lost. ``reversible`` says how far rollback restores,
    ``lost`` what it does not. ``window``: only in a declared change window. ``verify_seconds`` is how long the
    change may take to show. ``scope`` gives, for an operation, the ARNs its role may call it on: templates over
    ``{partition}``, ``{region}``, ``{account}`` and ``{parameter.NAME}`` (a parameter of the remediation: where it is
    not set the action is not granted); ``*`` without. ``also`` are IAM actions that AWS checks beside
    the operations' own (``iam:PassRole``) -> ARN templates. ``conditions``: IAM action -> operator -> condition key ->
    values, under which alone the role may use it. ``withheld`` are writes, needed for taking back only, that a deployed
    role is not given (switching detection off, lifting a quarantine): a person takes back with their own credentials.
    ``dangers`` is shown with every plan.
    """

    id: str
    title: str
    version: int
    fixes: tuple[str, ...]
    types: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    mode: str
    approvals: int
    destructive: bool
    reversible: str
    lost: str
    window: bool
    verify_seconds: int
    scope: Mapping[str, tuple[str, ...]]
    also: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    withheld: tuple[str, ...]
    dangers: str
    parameters: Mapping[str, Mapping[str, Any]]
    references: tuple[str, ...]

    @classmethod
    def from_json(cls, form: Json) -> Declaration:
        """Return the declaration of a compiled form, as :meth:`to_json` writes it."""
        lists = {name: tuple(form[name]) for name in ("fixes", "types", "reads", "writes", "references")}
        maps = {name: {k: tuple(v) for k, v in form[name].items()} for name in ("scope", "also")}
        conditions = {
            action: {operator: {k: tuple(v) for k, v in keys.items()} for operator, keys in tests.items()}
            for action, tests in form.get("conditions", {}).items()
        }
        withheld = tuple(form.get("withheld", ()))
        return cls(**{**form, **lists, **maps, "conditions": conditions, "withheld": withheld})

    def to_json(self) -> Json:
        """Return the compiled form."""
        form = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in form.items():
            if isinstance(value, tuple):
                form[name] = list(value)
        for name in ("scope", "also"):
            form[name] = {k: list(v) for k, v in form[name].items()}
        form["conditions"] = {
            action: {operator: {k: list(v) for k, v in keys.items()} for operator, keys in tests.items()}
            for action, tests in self.conditions.items()
        }
        return form

    @property
    def operations(self) -> frozenset[str]:
        """Every operation its deployed role is granted."""
        return frozenset((*self.reads, *self.writes)) - frozenset(self.withheld)
