"""Step Functions."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_MACHINE: Final = {"stateMachineArn": "{stateMachineArn}"}
_GONE: Final = ("StateMachineDoesNotExist",)
_GIVES: Final = (
    "EncryptionConfiguration",
    "LoggingConfiguration",
    "RoleArn",
    "StateMachineRevisionId",
    "TracingConfiguration",
)


def _described(result: Json, _item: Json) -> Json:
    names = ("encryptionConfiguration", "loggingConfiguration", "roleArn", "tracingConfiguration")
    return {**{name: result.get(name) for name in names}, "StateMachineRevisionId": result.get("revisionId")}


COLLECTORS = (
    Collector(
        "AWS::StepFunctions::StateMachine",
        "stepfunctions",
        Step(
            "ListStateMachines",
            "stateMachines",
            rename={"type": "StateMachineType", "stateMachineArn": "Arn"},
        ),
        id="{name}",
        arn="{stateMachineArn}",
        tags="",
        shape=lambda item: {**item, "StateMachineName": item["name"]},
        gives=("StateMachineName",),
        details=(
            # without the definition no key of the customer's is needed
            Step(
                "DescribeStateMachine",
                "",
                {**_MACHINE, "includedData": "METADATA_ONLY"},
                gives=_GIVES,
                gone=_GONE,
                shape=_described,
            ),
            Step(
                "DescribeStateMachine",
                "definition",
                _MACHINE,
                into="Definition",
                gives=("Definition", "DefinitionString", "DefinitionSubstitutions"),
                gone=_GONE,
                only_named=True,
            ),
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceArn": "{stateMachineArn}"},
                gives=("tags",),
                gone=("ResourceNotFound",),
            ),
        ),
    ),
)
