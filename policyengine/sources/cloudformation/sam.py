"""SAM templates: translated by AWS's own translator where it is installed, unknown where it is not.

The translator is the optional package aws-sam-translator. It is imported only for a template that
asks for it, and never calls AWS: the policies it would look up are given to it as names.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.sources.cloudformation.inputs import Inputs
from policyengine.sources.cloudformation.sam_library import NOT_PUBLISHED, translate
from policyengine.sources.cloudformation.template import Declared, Template

_SERVERLESS: Final = "AWS::Serverless::"
_FALLBACK_REGION: Final = "us-east-1"
_BECOMES: Final = {
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::Application": "AWS::CloudFormation::Stack",
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::GraphQLApi": "AWS::AppSync::GraphQLApi",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::LayerVersion": "AWS::Lambda::LayerVersion",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}
"""SAM type -> the type of the resource that keeps its name when it is translated
(https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html)."""


class Serverless:
    """The resources of a SAM template after translation, or why they are not known."""

    def __init__(self, template: Template, declared: list[Declared]) -> None:
        self.template = template
        self.declared = declared
        self.notes: list[str] = []
        self.reason: Unresolved | None = None
        self._refused: set[str] = set()
        self._origins: dict[str, Path] = {}
        self._globals = template.root.get("Globals")

    def unknown(self, declared: Declared) -> Unresolved | None:
        """Return why a resource's properties are not known; None when they are."""
        return self.reason if declared.id in self._refused else None

    def origin(self, declared: Declared) -> Path:
        """Return where the resource stands, or the SAM resource it was made from."""
        return self._origins.get(declared.id, declared.path)

    def refuse(self, why: str) -> None:
        """Note that SAM resources stay unknown, and that others may come from them.

        They are given the type they become, so that its rules answer UNKNOWN instead of nothing.
        """
        self.reason = Unresolved("unsupported", f"SAM resource: {why}")
        self.template.more_ids = True
        self._refused = {d.id for d in self.declared if d.type.startswith(_SERVERLESS)}
        self.declared = [self._renamed(d) if d.id in self._refused else d for d in self.declared]
        count = len(self._refused)
        what = "1 SAM resource is" if count == 1 else f"{count} SAM resources are"
        self.notes.append(f"{self.template.document.name}: {what} UNKNOWN: {why}")

    @staticmethod
    def _renamed(declared: Declared) -> Declared:
        type_ = _BECOMES.get(declared.type, declared.type)
        return replace(declared, raw={**declared.raw, "Type": type_})

    def accept(self, resources: dict[str, Any]) -> None:
        """Take the translator's resources; those it left alone keep their exact places."""
        before = {d.id: d for d in self.declared}
        found: list[Declared] = []
        for name, raw in resources.items():
            if not isinstance(raw, dict) or not isinstance(raw.get("Type"), str):
                continue
            old = before.get(name)
            if old is not None and not old.type.startswith(_SERVERLESS):
                found.append(old)
                continue
            made_from = old or self._maker(name, before)
            path = made_from.path if made_from else ("Resources",)
            self._origins[name] = path
            found.append(Declared(name, {"Properties": {}, **raw}, path))
        self.declared = found

    @staticmethod
    def _maker(name: str, before: dict[str, Declared]) -> Declared | None:
        """Names of generated resources start with the name of what they are generated for."""
        makers = [d for d in before.values() if d.type.startswith(_SERVERLESS) and name.startswith(d.id)]
        return max(makers, key=lambda d: len(d.id), default=None)


def serverless(template: Template, inputs: Inputs, declared: list[Declared]) -> Serverless:
    """Translate a SAM template as far as that is possible here. Never raises."""
    result = Serverless(template, declared)
    if not any(d.type.startswith(_SERVERLESS) for d in declared):
        return result
    if any(d.scope for d in declared):
        result.refuse("loops and SAM together are not supported")
        return result
    try:
        resources = _translate(template, inputs)
    except ImportError:
        result.refuse("`pip install 'policyengine-aws[sam]'` translates them")
    except Exception as error:  # noqa: BLE001 - the translator raises whatever odd input makes it raise
        result.refuse(_why(error))
    else:
        result.accept(resources)
    return result


def _why(error: Exception) -> str:
    causes = getattr(error, "causes", None)
    first = causes[0] if isinstance(causes, list) and causes else error
    text = " ".join(str(getattr(first, "message", first)).split())
    return f"the SAM translator refuses them: {text[:200]}" if text else "the SAM translator failed"


def _translate(template: Template, inputs: Inputs) -> dict[str, Any]:
    source = _packaged(_without_secrets(deepcopy(template.root)))
    values = {
        name: parameter.shown
        for name, parameter in inputs.parameters.items()
        if isinstance(parameter.shown, str | int | float)
    }
    made = translate(source, values, inputs.region or _FALLBACK_REGION)
    resources: dict[str, Any] = json.loads(json.dumps(made["Resources"]))
    return {name: _unpackaged(body) for name, body in resources.items()}


def _without_secrets(root: dict[str, Any]) -> dict[str, Any]:
    """The translator writes defaults into properties; those of NoEcho parameters must not be."""
    for declared in (root.get("Parameters") or {}).values():
        if isinstance(declared, dict) and str(declared.get("NoEcho")).lower() == "true":
            declared.pop("Default", None)
    return root


_LOCAL_BUCKET: Final = "policyengine-not-packaged"
_LOCAL: Final = {
    "Function": ("CodeUri",),
    "LayerVersion": ("ContentUri",),
    "Api": ("DefinitionUri",),
    "HttpApi": ("DefinitionUri",),
    "StateMachine": ("DefinitionUri",),
}
"""SAM resource or ``Globals`` section -> properties that name a local file until ``sam package`` ran."""


def _packaged(root: dict[str, Any]) -> dict[str, Any]:
    """Put a stand-in where a local path is: the translator only takes packaged templates."""
    parts = [(name, body) for name, body in (root.get("Globals") or {}).items()]
    for body in root["Resources"].values():
        if isinstance(body, dict) and str(body.get("Type")).startswith(_SERVERLESS):
            kind = str(body["Type"]).removeprefix(_SERVERLESS)
            properties = body.setdefault("Properties", {})
            parts.append((kind, properties))
            if kind == "Function" and isinstance(properties, dict):
                zipped = properties.get("PackageType", "Zip") == "Zip"
                if zipped and not {"CodeUri", "InlineCode", "ImageUri"} & properties.keys():
                    properties["CodeUri"] = "."
    for kind, properties in parts:
        for key in _LOCAL.get(kind, ()):
            value = properties.get(key) if isinstance(properties, dict) else None
            if isinstance(value, str) and not value.startswith("s3://"):
                properties[key] = f"s3://{_LOCAL_BUCKET}/local"
    return root


def _unpackaged(value: Any) -> Any:
    """Return generated values with the stand-ins unknown again."""
    if isinstance(value, list):
        return [_unpackaged(item) for item in value]
    if value == NOT_PUBLISHED:
        return Unresolved("unresolved_reference", "the template of a published application", present=True)
    if not isinstance(value, dict):
        return value
    if _LOCAL_BUCKET in (value.get("S3Bucket"), value.get("Bucket")):
        return Unresolved("unresolved_reference", "code that `sam package` has not uploaded", present=True)
    return {key: _unpackaged(inner) for key, inner in value.items()}
