"""Systems Manager: parameters, documents, associations, maintenance windows, patch baselines."""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_PARAMETER: Final = "arn:{partition}:ssm:{region}:{account}:parameter/{path}"
"""A name that begins with a slash has no second one there:
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html"""
_WINDOW: Final = {"WindowId": "{WindowId}"}
_GONE: Final = ("DoesNotExistException",)
_INVOCATION: Final = {
    "RunCommand": "MaintenanceWindowRunCommandParameters",
    "Automation": "MaintenanceWindowAutomationParameters",
    "StepFunctions": "MaintenanceWindowStepFunctionsParameters",
    "Lambda": "MaintenanceWindowLambdaParameters",
}


def _tags(kind: str, name: str) -> Step:
    return Step(
        "ListTagsForResource",
        "TagList",
        {"ResourceType": kind, "ResourceId": name},
        gives=("tags",),
        gone=("InvalidResourceId",),
    )


def _tasks(context: Context, item: Json) -> Json:
    window = {"WindowId": item["WindowId"]}
    pages = context.pages("ssm", "DescribeMaintenanceWindowTasks", window)
    return {"Tasks": [_task(context, task) for page in pages for task in page.get("Tasks") or ()]}


def _task(context: Context, listed: Json) -> Json:
    """What a task is given, only its own call says; payloads for functions are left out: they may hold secrets."""
    task = {**listed, "TaskType": listed.get("Type"), "LoggingInfo": _logging(listed.get("LoggingInfo"))}
    names = {name: listed[name] for name in ("WindowId", "WindowTaskId")}
    try:
        given = context.call("ssm", "GetMaintenanceWindowTask", names).get("TaskInvocationParameters")
    except CallFailure as failure:
        context.fail(failure)
        return {**task, "TaskInvocationParameters": Unresolved(failure.reason, failure.detail)}
    shown = {
        _INVOCATION[kind]: {
            name: value for name, value in parameters.items() if name not in ("Payload", "Input")
        }
        for kind, parameters in (given or {}).items()
    }
    return {**task, "TaskInvocationParameters": shown or None}


def _logging(given: Json | None) -> Json | None:
    names = {"S3BucketName": "S3Bucket", "S3KeyPrefix": "S3Prefix", "S3Region": "Region"}
    return None if given is None else {own: given[name] for name, own in names.items() if name in given}


COLLECTORS = (
    Collector(
        "AWS::SSM::Parameter",
        "ssm",
        Step("DescribeParameters", "Parameters", {"MaxResults": 50}, rename={"Policies": ""}),
        id="{Name}",
        arn=_PARAMETER,
        tags="",
        expand=lambda item: [{**item, "path": item["Name"].removeprefix("/")}],
        details=(
            Step(  # one listing for all; SSM itself would be asked for each
                "GetResources",
                "ResourceTagMappingList",
                {"ResourceTypeFilters": ["ssm:parameter"], "ResourcesPerPage": 100},
                gives=("tags",),
                service="resourcegroupstaggingapi",
                once=_PARAMETER,
                key="ResourceARN",
                shape=lambda found, _item: [tag for each in found for tag in each.get("Tags") or ()],
            ),
        ),
    ),
    Collector(
        "AWS::SSM::Document",
        "ssm",
        Step("ListDocuments", "DocumentIdentifiers", {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}),
        id="{Name}",
        arn="arn:{partition}:ssm:{region}:{account}:document/{Name}",
        details=(
            Step(
                "DescribeDocumentPermission",
                "",
                {"Name": "{Name}", "PermissionType": "Share"},
                gives=("AccountIds", "AccountSharingInfoList"),
                gone=("InvalidDocument",),
                paged=True,
            ),
            Step(
                "GetDocument",
                "Content",
                {"Name": "{Name}"},
                into="Content",
                gone=("InvalidDocument",),
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::SSM::Association",
        "ssm",
        Step("ListAssociations", "Associations"),
        id="{AssociationId}",
        arn="arn:{partition}:ssm:{region}:{account}:association/{AssociationId}",
        tags="",
        details=(
            Step(
                "DescribeAssociation",
                "AssociationDescription",
                {"AssociationId": "{AssociationId}"},
                rename={"AssociationId": ""},
                gone=("AssociationDoesNotExist",),
            ),
            _tags("Association", "{AssociationId}"),
        ),
    ),
    Collector(
        "AWS::SSM::MaintenanceWindow",
        "ssm",
        Step("DescribeMaintenanceWindows", "WindowIdentities"),
        id="{WindowId}",
        arn="arn:{partition}:ssm:{region}:{account}:maintenancewindow/{WindowId}",
        tags="",
        details=(
            Step(
                "GetMaintenanceWindow",
                "AllowUnassociatedTargets",
                _WINDOW,
                into="AllowUnassociatedTargets",
                gone=_GONE,
                only_named=True,
            ),
            Step(
                "DescribeMaintenanceWindowTasks",
                "Tasks",
                into="related.tasks",
                gives=("related.tasks",),
                gone=_GONE,
                ask=_tasks,
                calls=("ssm:GetMaintenanceWindowTask",),
            ),
            Step(
                "DescribeMaintenanceWindowTargets",
                "Targets",
                _WINDOW,
                into="related.targets",
                gives=("related.targets",),
                gone=_GONE,
                paged=True,
            ),
            _tags("MaintenanceWindow", "{WindowId}"),
        ),
        also={
            "AWS::SSM::MaintenanceWindowTask": "related.tasks",
            "AWS::SSM::MaintenanceWindowTarget": "related.targets",
        },
    ),
    Collector(
        "AWS::SSM::PatchBaseline",
        "ssm",
        Step(
            "DescribePatchBaselines",
            "BaselineIdentities",
            {"Filters": [{"Key": "OWNER", "Values": ["Self"]}]},
            rename={"BaselineId": "Id", "BaselineName": "Name", "BaselineDescription": "Description"},
        ),
        id="{BaselineId}",
        arn="arn:{partition}:ssm:{region}:{account}:patchbaseline/{BaselineId}",
        tags="",
        details=(
            Step(
                "GetPatchBaseline",
                "",
                {"BaselineId": "{BaselineId}"},
                rename={"BaselineId": "", "Name": "", "Description": ""},
                gone=_GONE,
            ),
            _tags("PatchBaseline", "{BaselineId}"),
        ),
    ),
)
