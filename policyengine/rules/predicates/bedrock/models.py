"""The models that Bedrock resources use: where they process requests, and whether they are allowed.

A model is named by its id, by an ARN, or through a profile, a router or provisioned throughput, which the
source must show for the model behind it to be known:
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-use.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path as File
from typing import Any, Final, NamedTuple

from policyengine.model.leaves import leaves
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Subject

GUARDRAIL: Final = "AWS::Bedrock::Guardrail"
PROFILE: Final = "AWS::Bedrock::ApplicationInferenceProfile"
ROUTER: Final = "AWS::Bedrock::IntelligentPromptRouter"
THROUGHPUT: Final = "AWS::Bedrock::ProvisionedModelThroughput"
DEPLOYMENT: Final = "AWS::Bedrock::CustomModelDeployment"
NEEDS: Final = (PROFILE, ROUTER, THROUGHPUT, DEPLOYMENT)
_GENERATIVE: Final = "BedrockFoundationModelConfiguration.ModelArn"
_INGESTION: Final = "VectorIngestionConfiguration"
_FLOW: Final = "AWS::Bedrock::Flow"
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::Bedrock::Agent": (
        "FoundationModel",
        "PromptOverrideConfiguration.PromptConfigurations.FoundationModel",
    ),
    "AWS::Bedrock::Prompt": ("Variants.ModelId",),
    "AWS::Bedrock::KnowledgeBase": (
        "KnowledgeBaseConfiguration.VectorKnowledgeBaseConfiguration.EmbeddingModelArn",
        "KnowledgeBaseConfiguration.ManagedKnowledgeBaseConfiguration.EmbeddingModelArn",
    ),
    "AWS::Bedrock::DataSource": (
        f"{_INGESTION}.ParsingConfiguration.{_GENERATIVE}",
        f"{_INGESTION}.ContextEnrichmentConfiguration.{_GENERATIVE}",
    ),
    _FLOW: (),
    PROFILE: ("Models.ModelArn", "ModelSource.CopyFrom"),
    ROUTER: ("Models.ModelArn", "FallbackModel.ModelArn"),
    THROUGHPUT: ("ModelArn",),
    DEPLOYMENT: ("ModelArn",),
    "AWS::Bedrock::CustomModel": ("BaseModelArn",),
    "AWS::BedrockAgentCore::Harness": ("Model.BedrockModelConfig.ModelId",),
    GUARDRAIL: ("CrossRegionConfig.GuardrailProfileArn",),
}
"""Where each type names models; a guardrail names the profile that says where it examines content. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Bedrock.html"""
_NODE: Final = (
    "Prompt.SourceConfiguration.Inline.ModelId",
    "KnowledgeBase.ModelId",
    "KnowledgeBase.RerankingConfiguration.BedrockRerankingConfiguration.ModelConfiguration.ModelArn",
)
_BEHIND: Final = {
    "application-inference-profile": PROFILE,
    "prompt-router": ROUTER,
    "default-prompt-router": ROUTER,
    "provisioned-model": THROUGHPUT,
    "custom-model-deployment": DEPLOYMENT,
}
_CALLED: Final = (
    "InferenceProfileId", "InferenceProfileArn", "PromptRouterArn", "ProvisionedModelArn", "CustomModelDeploymentArn",
)  # fmt: skip
_DEEPEST: Final = 8


class Model(NamedTuple):
    """A model as a resource names it. ``id``: of the model, without the prefix of a profile.

    ``regions``: every region it may be processed in; None where it may be any (a global profile).
    ``exact``: it is processed in all of these, and not in some of them.
    """

    path: Path
    named: str
    id: str
    regions: tuple[str, ...] | None
    exact: bool


Found = Model | tuple[Path, Unresolved]


@lru_cache(maxsize=1)
def geographies() -> Mapping[str, tuple[str, ...]]:
    """Return prefix of a geographic profile -> the regions it may send requests to."""
    file = File(__file__).parents[1] / "data" / "bedrock_geographies.json"
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {prefix: tuple(regions) for prefix, regions in data["regions"].items()}


def models_of(subject: Subject, profile_regions: Mapping[str, Any]) -> Iterator[Found]:
    """Yield the models a resource uses; with a path and Unresolved what is not known.

    ``profile_regions``: geography -> exactly the regions of its profiles, where somebody says so.
    """
    naming = _Naming(subject, profile_regions)
    for path, value in _named(subject.resource):
        yield from naming.models(path, value, subject.resource.region, 0)


def _named(resource: Resource) -> Iterator[tuple[Path, Any]]:
    if resource.type == _FLOW:
        yield from _of_flow(resource.properties)
        return
    for dotted in PATHS.get(resource.type, ()):
        found = list(_leaves(resource.properties, dotted))
        yield from found
        if found and resource.type == PROFILE:
            return  # what the profile has is known; what it was copied from says less


def _leaves(value: Any, dotted: str, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at a path, but for what is given as null."""
    return ((at, found) for at, found in leaves(value, tuple(dotted.split(".")), path) if found is not None)


def _of_flow(properties: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield what the nodes of a flow name; a definition that stands elsewhere is not known."""
    text = properties.get("DefinitionString")
    if isinstance(text, str) and "Definition" not in properties:
        try:
            definition = _pascal(json.loads(text))
        except (ValueError, RecursionError):
            definition = Unresolved("unsupported", "the definition of the flow is no JSON")
        yield from _of_definition(definition, ("DefinitionString",), 0)
    elif "Definition" in properties:
        yield from _of_definition(properties["Definition"], ("Definition",), 0)
    for key in ("DefinitionString", "DefinitionS3Location"):
        value = properties.get(key)
        if value is not None and not isinstance(value, str):
            why = (
                value if isinstance(value, Unresolved) else Unresolved("not_collected", "a definition in S3")
            )
            yield (key,), why


def _pascal(value: Any) -> Any:
    """Return a definition as text has it (``modelId``) with the names of the registry."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _pascal(inner) for key, inner in value.items()}
    return [_pascal(inner) for inner in value] if isinstance(value, list) else value


def _of_definition(definition: Any, path: Path, depth: int) -> Iterator[tuple[Path, Any]]:
    if isinstance(definition, Unresolved):
        yield path, definition
        return
    nodes = definition.get("Nodes") if isinstance(definition, dict) else None
    if isinstance(definition, OpenDict) and nodes is None:
        nodes = definition.more
    if isinstance(nodes, Unresolved):
        yield (*path, "Nodes"), nodes
    for index, node in enumerate(nodes if isinstance(nodes, list) else ()):
        at: Path = (*path, "Nodes", index, "Configuration")
        configuration = node.get("Configuration") if isinstance(node, dict) else node
        for dotted in _NODE:
            yield from _leaves(configuration, dotted, at)
        loop = configuration.get("Loop") if isinstance(configuration, dict) else None
        if isinstance(loop, dict) and depth < _DEEPEST:
            yield from _of_definition(loop.get("Definition"), (*at, "Loop", "Definition"), depth + 1)
    if isinstance(nodes, OpenList):
        yield (*path, "Nodes", "-"), nodes.more


class _Naming:
    """Finds the models behind names, in one place of one source."""

    def __init__(self, subject: Subject, profile_regions: Mapping[str, Any]) -> None:
        self._subject = subject
        self._regions = profile_regions

    def models(self, path: Path, value: Any, region: str | None, depth: int) -> Iterator[Found]:
        """Yield the models that one value names; ``region`` is that of what names it."""
        if isinstance(value, Unresolved):
            target = self._declared(value) if value.target is not None else None
            if target is None:
                yield path, value
            else:
                yield from self._behind(path, target, depth)
        elif not isinstance(value, str):
            yield path, Unresolved("unsupported", "what names the model is no text")
        elif value.startswith("arn:"):
            yield from self._by_arn(path, value, depth)
        else:
            yield from self._by_id(path, value, value, region, depth)

    def _by_id(self, path: Path, named: str, name: str, region: str | None, depth: int) -> Iterator[Found]:
        prefix, _, rest = name.partition(".")
        if prefix == "global" and "." in rest:
            yield Model(path, named, rest, None, False)
        elif "." in rest and (prefix in geographies() or len(prefix) == 2):
            yield from self._by_profile(path, named, name, depth)
        else:
            yield Model(path, named, name, () if region is None else (region,), region is not None)

    def _by_profile(self, path: Path, named: str, name: str, depth: int) -> Iterator[Found]:
        """Yield the models of a geographic profile: those it has, where the source shows it."""
        prefix, _, rest = name.partition(".")
        shown = self._shown(PROFILE, named, name)
        given = self._regions.get(prefix)
        if shown is not None and shown.properties.get("Models") is not None and depth < _DEEPEST:
            yield from self._behind(path, shown, depth)
        elif isinstance(given, list) and given:
            yield Model(path, named, rest, tuple(f"{region}" for region in given), True)
        elif prefix in geographies():
            yield Model(path, named, rest, geographies()[prefix], False)
        else:
            yield path, Unresolved("unsupported", f"`{name}`: a geography that is not known")

    def _by_arn(self, path: Path, value: str, depth: int) -> Iterator[Found]:
        parts = value.split(":", 5)
        kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
        region = parts[3] if len(parts) == 6 else ""
        if kind == "foundation-model":
            yield Model(path, value, name, (region,) if region else None, bool(region))
        elif kind == "guardrail-profile" and "." in name:
            yield from self._by_profile(path, value, name, depth)
        elif kind == "inference-profile":
            yield from self._by_id(path, value, name, region, depth)
        elif kind in ("custom-model", "imported-model"):
            yield Model(path, value, f"{kind}/{name}", (region,), True)
        elif kind in _BEHIND:
            target = self._shown(_BEHIND[kind], value, name)
            if target is None:
                yield path, Unresolved("not_collected", f"the model behind `{value}`")
            else:
                yield from self._behind(path, target, depth)
        else:
            yield path, Unresolved("unsupported", f"`{value}` is not known to name a model")

    def _behind(self, path: Path, target: Resource, depth: int) -> Iterator[Found]:
        """Yield the models that a profile, a router or throughput stands for."""
        if depth >= _DEEPEST:
            yield path, Unresolved("unsupported", "profiles that refer to each other")
            return
        nothing = True
        for _, value in _named(target):
            nothing = False
            yield from self.models(path, value, target.region, depth + 1)
        if nothing:
            yield path, Unresolved("not_collected", f"the model behind `{target.id}`")

    def _declared(self, value: Unresolved) -> Resource | None:
        name = value.target[0] if value.target is not None else ""
        return next((r for type_ in NEEDS for r in self._table(type_) if r.id == name), None)

    def _shown(self, type_: str, named: str, name: str) -> Resource | None:
        """Return the resource of a type that an ARN or an id names."""
        for resource in self._table(type_):
            own = resource.properties
            called = (resource.id, resource.arn, *(own[key] for key in _CALLED if key in own))
            if named in called or name in called:
                return resource
        return None

    def _table(self, type_: str) -> list[Resource]:
        found = self._subject.tables(type_)
        return found if isinstance(found, list) else []
