"""The rule language as pydantic models: the one source of its shape and of the editor schema.

Only the shape lives here. What needs the catalog (paths, kinds, relations), the predicate table or
the frameworks is checked by :mod:`policyengine.rules.compiler`. This module is imported when
rules are loaded from YAML, never when a compiled pack runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag, model_validator

ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PARAMETER_PATTERN = r"^[a-z][a-z0-9_]*$"

Scalar: TypeAlias = bool | int | float | str
Family: TypeAlias = Literal[
    "iam", "network", "encryption", "tagging", "bedrock", "pipeline", "logging", "resilience",
    "vulnerability", "governance", "cost",
]  # fmt: skip
Pillar: TypeAlias = Literal[
    "security", "reliability", "operational-excellence", "performance-efficiency",
    "cost-optimization", "sustainability",
]  # fmt: skip
Outcome: TypeAlias = Literal["passes", "fails"]

COMPARISONS = ("is", "equals", "not_equals", "in", "not_in", "at_least", "at_most", "matches", "contains")


class Strict(BaseModel):
    """Unknown keys are errors; nothing is coerced silently."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=False)


class FieldCheck(Strict):
    """A comparison of the value at one path with exactly one operator."""

    field: str = Field(min_length=1, description="path from the resource's properties, or from the element")
    is_: Literal["present", "absent"] | None = Field(None, alias="is", description="whether a value is there")
    equals: Scalar | None = Field(None, description="the value is exactly this")
    not_equals: Scalar | None = Field(None, description="the value is anything else")
    in_: list[Scalar] | str | None = Field(None, alias="in", description="the value is one of these")
    not_in: list[Scalar] | str | None = Field(None, description="the value is none of these")
    at_least: int | float | str | None = Field(None, description="number comparison")
    at_most: int | float | str | None = Field(None, description="number comparison")
    matches: str | None = Field(None, description="the whole string matches this regular expression")
    contains: Scalar | None = Field(None, description="the list has this element, or the string this part")
    absent: Outcome | None = Field(None, description="what a missing value means under not_equals and not_in")

    @model_validator(mode="after")
    def _one_operator(self) -> FieldCheck:
        given = self.operators()
        if len(given) != 1:
            found = ", ".join(f"`{name}`" for name in given) or "none"
            raise ValueError(
                f"a field check has exactly one operator of {', '.join(COMPARISONS)}; found {found}"
            )
        if self.operator()[1] is None:
            raise ValueError(f"`{given[0]}` has no value; a missing property is `is: absent`")
        if self.absent is not None and given[0] not in ("not_equals", "not_in"):
            raise ValueError("`absent` goes with `not_equals` and `not_in` only")
        return self

    def operators(self) -> list[str]:
        """Return the names of the operators that are set."""
        named = {name.rstrip("_") for name in self.model_fields_set}
        return [name for name in COMPARISONS if name in named]

    def operator(self) -> tuple[str, Any]:
        """Return the operator's name and its expected value."""
        name = self.operators()[0]
        return name, getattr(self, name + "_" if name in ("is", "in") else name)


class EveryCheck(Strict):
    """Each element of a list satisfies a check."""

    every: str = Field(min_length=1, description="path to a list")
    satisfies: Check = Field(description="what has to hold for each element; paths begin at the element")
    empty: Outcome = Field("fails", description="what an empty or missing list means")


class SomeCheck(Strict):
    """At least one element of a list satisfies a check."""

    some: str = Field(min_length=1, description="path to a list")
    satisfies: Check = Field(description="what has to hold for one element; paths begin at the element")


class AllCheck(Strict):
    """Every one of these checks holds."""

    all: list[Check] = Field(min_length=1, description="checks that all have to hold")


class AnyCheck(Strict):
    """At least one of these checks holds."""

    any: list[Check] = Field(min_length=1, description="checks of which one has to hold")


class NoneCheck(Strict):
    """None of these checks holds."""

    none: list[Check] = Field(min_length=1, description="checks of which none may hold")


class PredicateCheck(RootModel[dict[str, dict[str, Any]]]):
    """A named predicate with its arguments: ``{net.open_to_internet: {ports: [22]}}``."""

    @model_validator(mode="after")
    def _one_name(self) -> PredicateCheck:
        if len(self.root) != 1:
            raise ValueError("one predicate to a check; join several with `all` or `any`")
        return self


_KINDS = ("field", "every", "some", "all", "any", "none")


def _kind_of(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return next((k for k in _KINDS if k in type(value).model_fields), "predicate")
    if not isinstance(value, dict):
        return None
    for kind in _KINDS:
        if kind in value:
            return kind
    return "predicate" if any("." in str(key) for key in value) else None


Check: TypeAlias = Annotated[
    Annotated[FieldCheck, Tag("field")]
    | Annotated[EveryCheck, Tag("every")]
    | Annotated[SomeCheck, Tag("some")]
    | Annotated[AllCheck, Tag("all")]
    | Annotated[AnyCheck, Tag("any")]
    | Annotated[NoneCheck, Tag("none")]
    | Annotated[PredicateCheck, Tag("predicate")],
    Discriminator(
        _kind_of,
        custom_error_type="not_a_check",
        custom_error_message="not a check: expected a mapping with one of field, every, some, all, any, none "
        "or a predicate such as net.open_to_internet",
    ),
]


class Parameter(Strict):
    """A typed parameter with its default."""

    type: Literal["integer", "number", "string", "boolean", "list:integer", "list:string", "json"] = Field(
        description="what policyengine.yaml may give"
    )
    default: Any = Field(description="the value when policyengine.yaml sets none")
    minimum: int | float | None = Field(None, description="the least number that may be given")
    maximum: int | float | None = Field(None, description="the greatest number that may be given")
    enum: list[Scalar] | None = Field(None, description="the only values that may be given")
    description: str | None = Field(None, description="what it is for, in a sentence")


class Mapping(Strict):
    """One control of a framework and how far the rule decides it."""

    control: str = Field(min_length=1, description="id of the control, as the framework spells it")
    decides: Literal["whole", "part"] = Field(
        description="whether the rule decides the control; one decided in part is never reported as satisfied"
    )


class Rule(Strict):
    """A rule file."""

    id: str = Field(
        pattern=ID_PATTERN, description="kebab-case, names the desired state, equals the file stem"
    )
    title: str = Field(min_length=8, max_length=120, description="the requirement in one line")
    family: Family = Field(description="what the rule is about")
    pillar: Pillar = Field(description="pillar of the Well-Architected Framework")
    severity: Literal["low", "medium", "high", "critical"] = Field(
        description="how bad a failure is; policyengine.yaml may say otherwise"
    )
    applies_to: str | list[str] = Field(description="a type, a list of types, or `taggable`")
    why: str = Field(min_length=20, description="what can go wrong, in the reader's words")
    fix: str = Field(min_length=10, description="how to repair it")
    parameters: dict[Annotated[str, Field(pattern=PARAMETER_PATTERN)], Parameter] = Field(
        default_factory=dict,
        description="name: what policyengine.yaml may set; `$name` in checks is its value",
    )
    with_: dict[Annotated[str, Field(pattern=PARAMETER_PATTERN)], str] = Field(
        default_factory=dict, alias="with", description="alias: relation of the catalog"
    )
    when: Check | None = Field(None, description="not met: NOT_APPLICABLE")
    require: Check = Field(description="what must be true")
    message: str = Field(min_length=8, description="shown on FAIL; {Property}, {parameter} are filled in")
    frameworks: dict[str, list[Mapping]] = Field(
        default_factory=dict, description="framework: the controls that the rule decides, wholly or in part"
    )
    remediation: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9_]*$", description="what repairs a failure: the folder of a remediation"
    )
    references: list[str] = Field(min_length=1, description="AWS documentation pages")

    def types(self) -> list[str]:
        """Return ``applies_to`` as a list."""
        return [self.applies_to] if isinstance(self.applies_to, str) else list(self.applies_to)


class CaseResource(Strict):
    """One resource of a test case with several."""

    type: str = Field(description="resource type")
    id: str | None = Field(default=None, description="physical id; what other resources refer to it by")
    properties: dict[str, Any] = Field(
        default_factory=dict, description="properties as CloudFormation has them"
    )
    tags: dict[str, Any] | None = Field(
        default=None, description="tags by key, instead of those among the properties"
    )
    related: dict[str, Any] = Field(default_factory=dict, description="name: list of what a source folds in")
    unknown: list[dict[str, str]] = Field(
        default_factory=list, description="JSON Pointers of what is not known, each with its reason"
    )
    account: str | None = Field(default=None, description="twelve digits; default: that of the context")
    region: str | None = Field(default=None, description="default: that of the context")
    subject: bool = Field(
        default=False, description="whether the expectation is about this one; default: the first"
    )


class CaseContext(Strict):
    """Where and when a test case takes place."""

    account: str = Field(default="111122223333", description="twelve digits")
    region: str | None = Field(default="eu-west-1", description="the region of resources that name none")
    ous: list[str] = Field(
        default_factory=list, description="ids of the OUs above the account, nearest first"
    )
    as_of: str = Field(default="2026-01-01T00:00:00Z", description="the clock (RFC 3339)")
    coverage: Literal["all", "none"] | None = Field(
        default=None,
        description="whether what is not among the resources is absent; default: all where there are several",
    )


class Case(Strict):
    """A test case: some resource and the verdict the rule must give it."""

    case: str = Field(min_length=3, description="what is special about it; each name once in a file")
    resource: dict[str, Any] | None = Field(None, description="properties of the only resource")
    resources: list[CaseResource] | None = Field(
        None, description="several resources, of which one is asked about"
    )
    type: str | None = Field(None, description="resource type, where the rule is about several")
    tags: dict[str, Any] | None = Field(
        None, description="tags by key, instead of those among the properties"
    )
    unknown: list[dict[str, str]] = Field(
        default_factory=list, description="JSON Pointers of what is not known, each with its reason"
    )
    related: dict[str, Any] = Field(default_factory=dict, description="name: list of what a source folds in")
    parameters: dict[str, Any] = Field(default_factory=dict, description="values of the rule's parameters")
    context: CaseContext = Field(default_factory=CaseContext, description="where and when it takes place")
    expect: Literal["PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"] = Field(
        description="the verdict it must have"
    )
    reason: str | None = Field(None, description="the reason code it must have")
    branch: dict[str, bool] | None = Field(None, description="the branch in which it must fail")

    @model_validator(mode="after")
    def _one_subject(self) -> Case:
        if (self.resource is None) == (self.resources is None):
            raise ValueError("a case has `resource` or `resources`, one of the two")
        return self


class EquivalentMutant(Strict):
    """A mutant that means the same as the rule, with the reason why."""

    mutant: str = Field(description="its name, as `rules test --mutate` tells it")
    reason: str = Field(min_length=10, description="why it means the same")


class EquivalentMutants(Strict):
    """The last item of a test file."""

    equivalent_mutants: list[EquivalentMutant] = Field(
        description="mutants that no case can tell from the rule"
    )


for _model in (EveryCheck, SomeCheck, AllCheck, AnyCheck, NoneCheck, Rule):
    _model.model_rebuild()
