"""What is deployed: the rules and remediations chosen, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from policyengine.aws.models import service_model
from policyengine.config.settings import Settings
from policyengine.model.errors import UsageError
from policyengine.model.suppression import SUPPRESSION
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.registry import Remediations
from policyengine.rules.pack import Pack
from policyengine.sources.config.aggregator import recorded_names

Json = dict[str, Any]
PREFIX: Final = "policyengine-"
MOST_CONFIG_RULES: Final = 150
"""Config rules of one template: with what stands around them it stays below CloudFormation's 500 resources
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html) and its size."""


class Choice:
    """Rules, remediations and settings of one deployment. Raises UsageError where nothing can be deployed.

    ``hook``: it is for a CloudFormation Hook, whose function reads templates and repairs nothing.
    """

    def __init__(
        self,
        pack: Pack,
        remediations: Remediations,
        settings: Settings,
        *,
        repair: bool = True,
        hook: bool = False,
    ) -> None:
        forms = [form for form in pack.rules if form["id"] not in settings.disabled]
        forms = forms if hook else [form for form in forms if not _about_code(form)]
        if not forms:
            raise UsageError(
                "no rule is left to deploy: every one that was chosen is disabled or about code only"
            )
        if len(forms) > MOST_CONFIG_RULES and not hook:
            raise UsageError(
                f"{len(forms)} rules are more Config rules than one template holds ({MOST_CONFIG_RULES}); choose with "
                "--rule or --family, and deploy several stacks, each with another value of the parameter `Name`"
            )
        self.pack = Pack(pack.digest, tuple(sorted(forms, key=lambda form: str(form["id"]))))
        self.settings = settings
        self.hook = hook
        wanted = (
            {form["remediation"] for form in forms if form["remediation"]} if repair and not hook else set()
        )
        self.remediations: tuple[Declaration, ...] = tuple(each for each in remediations if each.id in wanted)
        self._all = remediations

    @property
    def handlers(self) -> Path:
        """The folder with the handlers' code."""
        return self._all.folder

    @cached_property
    def compiled_remediations(self) -> bytes:
        """The declarations that go into the package."""
        return Remediations(self._all.folder, {each.id: each for each in self.remediations}).to_bytes()

    @cached_property
    def recorded(self) -> frozenset[str]:
        """The types AWS Config can record, by its own names (botocore's model of it)."""
        shape = service_model("config").shape_for("ResourceType")
        return frozenset(shape.enum)

    def config_types(self, form: Json) -> tuple[str, ...]:
        """Return AWS Config's names of the types a rule is about; () for a rule that has to run on a schedule.

        A rule whose answer lies in other resources too, or about what AWS Config does not record, is asked on a schedule.
        """
        types = sorted({type for variant in form["variants"] for type in variant["types"]})
        if "taggable" in types or any(variant["with"] for variant in form["variants"]):
            return ()
        names = recorded_names(types, self.recorded)
        return names if names and all(self._is_recorded(type) for type in types) else ()

    def _is_recorded(self, type: str) -> bool:
        return bool(recorded_names((type,), self.recorded))

    def types(self) -> frozenset[str]:
        """Return every type some remediation is about."""
        return frozenset(type for each in self.remediations for type in each.types)

    def rules_with(self, remediations: Iterable[str]) -> tuple[str, ...]:
        """Return the rules that these remediations repair."""
        wanted = set(remediations)
        return tuple(form["id"] for form in self.pack.rules if form["remediation"] in wanted)


def _about_code(form: Json) -> bool:
    """Whether a rule is about what only code has: no account has anything to ask it about."""
    return all(set(variant["types"]) == {SUPPRESSION} for variant in form["variants"])
