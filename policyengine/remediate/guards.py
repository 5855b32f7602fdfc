"""What has to hold before anything is planned or changed. Each guard raises Refused, or says what it found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policyengine.config.remediation import Remediating, Window
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.remediate.api import Proposal, Refused
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.ports import Observation, Subject

Json = dict[str, Any]
FOR_GOOD: Final = frozenset(
    {"not_failing", "not_known", "waived", "excluded", "owned_by_code", "unsafe", "unsupported", "drifted", "altered",
     "unknown_target"}
)  # fmt: skip
"""Refusals that end an action; the others may be over in a while."""
_CREATED: Final = (
    "CreationDate", "CreateDate", "CreationTime", "CreatedTime", "CreateTime", "CreationDateTime", "CreatedAt", "Created",
    "CreatedDate", "CreatedTimestamp", "SnapshotCreateTime", "ClusterCreateTime", "InstanceCreateTime", "LaunchTime",
    "StartTime",
)  # fmt: skip
"""Canonical properties that say when a resource was made."""
_STACK: Final = ("aws:cloudformation:stack-name", "aws:cloudformation:logical-id")
"""Tags that CloudFormation puts on what it makes
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html)."""
_TERRAFORM: Final = (
    "terraform",
    "managed-by",
    "managedby",
    "managed_by",
    "iac",
    "tf-workspace",
    "tfc-workspace",
)
"""Tag keys, in any case, by which people say that Terraform or another tool owns a resource: a custom, no fact of AWS's."""
_TOOLS: Final = ("terraform", "opentofu", "pulumi", "cdk", "cloudformation", "crossplane", "terragrunt")


def failing(observation: Observation, subject: Subject) -> tuple[Resource, Finding]:
    """Return the resource and its FAIL, as just read."""
    resource, finding = observation.resource, observation.finding
    if resource is None:
        raise Refused(
            "not_failing",
            f"{subject.type} `{subject.id}` does not exist in {subject.account} {subject.region}",
        )
    if finding is None:
        raise Refused("not_failing", f"{subject.rule} says nothing about {subject.type} `{subject.id}`")
    if finding.verdict == UNKNOWN:
        raise Refused("not_known", f"{subject.rule} cannot be decided now: {finding.message}")
    if finding.waiver is not None and finding.waiver.get("kind") != "baseline":  # that nobody has accepted
        raise Refused(
            "waived",
            f"the finding is waived: {finding.waiver.get('reason') or finding.waiver.get('id') or ''}",
        )
    if finding.verdict != FAIL:
        raise Refused("not_failing", f"{subject.rule} is {finding.verdict} now; nothing has to be done")
    return resource, finding


def not_excluded(resource: Resource, settings: Remediating) -> None:
    """Refuse what carries an exclusion tag, in whatever case it is written, and what may carry one, or one that says who
    owns it, that could not be read."""
    tags = resource.tags
    if tags is None:
        return
    if isinstance(tags, Unresolved):
        raise Refused(
            "not_known",
            f"its tags could not be read ({tags.detail or tags.reason}), and one may exclude it or say who owns it",
        )
    excluding = {tag.casefold() for tag in settings.exclusion_tags}
    for tag in tags:
        if tag.casefold() in excluding:
            raise Refused("excluded", f"the tag `{tag}` keeps remediation away from it")


def owner(resource: Resource) -> Json | None:
    """Return who owns a resource by its tags: a stack and logical id, or a tool; None where nobody is named."""
    tags = resource.tags if isinstance(resource.tags, Mapping) else {}
    stack, logical = (tags.get(name) for name in _STACK)
    if stack is not None:  # also where its value could not be read
        return {
            "kind": "cloudformation",
            "stack": stack if isinstance(stack, str) else "of unknown name",
            "logical_id": logical if isinstance(logical, str) else None,
        }
    for key, value in sorted(tags.items()):
        if key.lower() not in _TERRAFORM:
            continue
        said = str(value).lower() if isinstance(value, str) else ""
        tool = next((tool for tool in _TOOLS if tool in said), None)
        if key.lower().startswith("t") and said not in ("", "false", "no", "none"):
            tool = tool or "terraform"
        if tool is not None:
            return {"kind": tool, "tag": f"{key}={value}"}
    return None


def patch_for(finding: Finding, owned: Json) -> str:
    """Return what to change where the resource is declared: the place, and each property with what it should be."""
    where = (
        f"{owned['kind']} stack `{owned['stack']}`"
        if "stack" in owned
        else f"the {owned['kind']} code ({owned['tag']})"
    )
    logical = f", resource `{owned['logical_id']}`" if owned.get("logical_id") else ""
    lines = [f"change it in {where}{logical}: a change here would be undone by the next deployment"]
    for evidence in finding.evidence:
        path = "/".join(str(step) for step in evidence.path)
        lines.append(f"  Properties/{path}: expected {evidence.expected}")
    return "\n".join(lines)


def created(resource: Resource) -> str | None:
    """Return when a resource was made, by which one of the same name that was made anew is another; None where that is
    not said.

    An instance's launch time is none: it changes when the instance is started again. Nor is a bucket's: "This date can change
    when making changes to your bucket, such as editing its bucket policy"
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html).
    """
    if resource.type == "AWS::S3::Bucket":
        return None
    times = (resource.properties.get(name) for name in _CREATED if name != "LaunchTime")
    return next((each for each in times if isinstance(each, str)), None)


def settled(resource: Resource, settings: Remediating, now: datetime) -> None:
    """Refuse what was made a moment ago: whoever makes it may not have finished (c7n #262)."""
    for name in _CREATED:
        made = _time(resource.properties.get(name))
        if made is not None:
            age = (now - made).total_seconds()
            if age < settings.settling:
                raise Refused(
                    "too_young",
                    f"it was created {max(0, int(age))} s ago; changes wait for {settings.settling} s",
                )
            return


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def window_open(declaration: Declaration, settings: Remediating, now: datetime) -> None:
    """Refuse a change outside of the change windows, or in a freeze."""
    for freeze in settings.freezes:
        start, end = _time(freeze.start), _time(freeze.end)
        assert start is not None and end is not None, "the reader of the configuration lets only times pass"
        if start <= now < end:
            raise Refused(
                "outside_window",
                f"changes are frozen until {freeze.end}{f': {freeze.why}' if freeze.why else ''}",
            )
    if not settings.windows:
        if declaration.window:
            raise Refused(
                "outside_window",
                f"`{declaration.id}` may interrupt service, so it runs only in a change window, and none is declared: "
                "add `remediation.windows` to policyengine.yaml",
            )
        return
    if not any(_is_open(window, now) for window in settings.windows):
        raise Refused("outside_window", "no change window is open now")


def _is_open(window: Window, now: datetime) -> bool:
    from zoneinfo import ZoneInfo

    try:
        local = now.astimezone(UTC if window.zone == "UTC" else ZoneInfo(window.zone))
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise Refused(
            "outside_window", f"the time zone `{window.zone}` is not known here, so no change window is open"
        ) from None
    minute = local.hour * 60 + local.minute
    start, end = _minute(window.start), _minute(window.end)
    if start <= end:
        return local.weekday() in window.days and start <= minute < end
    yesterday = (local - timedelta(days=1)).weekday()
    return (local.weekday() in window.days and minute >= start) or (yesterday in window.days and minute < end)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def approvals_needed(
    declaration: Declaration, proposal: Proposal, resource: Resource, finding: Finding, settings: Remediating
) -> int:
    """Return how many people have to approve: 0 only for what the settings let run automatically."""
    approving = settings.approving
    needed = [
        declaration.approvals,
        proposal.approvals,
        approving.severities.get(finding.severity, 0),
        approving.environments.get(_environment(resource, approving.environment_tag), 0),
        approving.destructive if declaration.destructive else 0,
        1
        if proposal.concerns or declaration.mode != "automatic" or declaration.id not in settings.automatic
        else 0,
    ]
    return max(needed)


def _environment(resource: Resource, tag: str) -> str:
    value = resource.tags.get(tag) if isinstance(resource.tags, Mapping) else None
    return value.lower() if isinstance(value, str) else "unknown"
