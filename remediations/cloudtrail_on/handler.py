"""Switch trails on, have them sign what they write, and see to it that one covers all regions.

A trail is only made where the settings name the bucket; nothing of one that is there is replaced.
"""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_TRAIL, _ACCOUNT = "AWS::CloudTrail::Trail", "AWS::::Account"
_MANAGEMENT = {"eventCategory", "eventSource"}


def image(target: Target, read: Reader) -> Json:
    """Return the trails the change is about: the one, or of an account all its own, told by ARN.

    Trails of all regions show as shadows in every region, those of the organisation in every account:
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    asked: Json = {"includeShadowTrails": True}
    if target.resource.type == _TRAIL:
        asked["trailNameList"] = [target.resource.arn]
    found = (read.call("cloudtrail", "DescribeTrails", asked) or {})["trailList"]
    own = [trail for trail in found if trail["TrailARN"].split(":")[4] == target.account]
    if target.resource.type == _TRAIL and not own:
        raise Refused(
            "unsupported", "the trail belongs to another account of the organisation: change it there"
        )
    return {
        "trails": [
            _trail(trail, read, target.resource.type == _ACCOUNT)
            for trail in sorted(own, key=lambda each: str(each["TrailARN"]))
        ]
    }


def _trail(trail: Json, read: Reader, selectors: bool) -> Json:
    """Return a trail; what it records counts only where one of several is chosen."""
    arn, home = trail["TrailARN"], trail["HomeRegion"]
    status = read.call("cloudtrail", "GetTrailStatus", {"Name": arn}, region=home) or {}
    records_all = None
    if selectors:
        found = read.call("cloudtrail", "GetEventSelectors", {"TrailName": arn}, region=home) or {}
        records_all = _records_all(found)
    return {
        "arn": arn,
        "home": home,
        "logging": status["IsLogging"],
        "validation": bool(trail.get("LogFileValidationEnabled")),
        "multi_region": bool(trail.get("IsMultiRegionTrail")),
        "global_services": bool(trail.get("IncludeGlobalServiceEvents")),
        "records_all": records_all,
    }


def _records_all(selected: Json) -> bool:
    """Say whether a trail records all management events; without selectors it does.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    plain, advanced = selected.get("EventSelectors") or (), selected.get("AdvancedEventSelectors") or ()
    if not plain and not advanced:
        return True
    if any(each.get("IncludeManagementEvents") and each.get("ReadWriteType") == "All" for each in plain):
        return True
    fields = [{field["Field"]: field for field in each["FieldSelectors"]} for each in advanced]
    return any(
        "Management" in (each.get("eventCategory", {}).get("Equals") or ()) and each.keys() <= _MANAGEMENT
        for each in fields
    )


def plan(target: Target, image: Json) -> Proposal:
    """Repair the trail the rule is about, or give the account one that covers all regions."""
    if target.resource.type == _ACCOUNT:
        return _account(target, image)
    (trail,) = image["trails"]
    if target.finding.rule == "cloudtrail-log-file-validation":
        steps = [] if trail["validation"] else [_update(trail, EnableLogFileValidation=(True, False))]
        return _proposal(
            "have digest files written that prove the log unchanged", steps, trail, image, validation=True
        )
    steps = [] if trail["logging"] else [_start(trail)]
    return _proposal("switch the trail on", steps, trail, image, logging=True)


def _account(target: Target, image: Json) -> Proposal:
    """Use a trail that covers all regions, else widen the one of the parameter `trail`, else make that one."""
    usable = [trail for trail in image["trails"] if trail["multi_region"] and trail["records_all"]]
    if usable:
        trail = next((trail for trail in usable if trail["logging"]), usable[0])
        steps = [] if trail["logging"] else [_start(trail)]
        return _proposal("switch the trail of all regions on", steps, trail, image, logging=True)
    name = target.parameters["trail"]
    arn = f"arn:{target.partition}:cloudtrail:{target.region}:{target.account}:trail/{name}"
    named = next((trail for trail in image["trails"] if trail["arn"].rpartition("/")[2] == name), None)
    if named is None:
        return _new(target, image, name, arn)
    if not named["records_all"]:
        raise Refused(
            "unsupported", f"the trail {name} leaves management events out: change its event selectors"
        )
    widened = _update(
        named,
        IsMultiRegionTrail=(True, named["multi_region"]),
        IncludeGlobalServiceEvents=(True, named["global_services"]),
    )
    steps = [widened, *([] if named["logging"] else [_start(named)])]
    changed = {"multi_region": True, "global_services": True, "logging": True}
    return _proposal("have the trail cover all regions", steps, named, image, **changed)


def _new(target: Target, image: Json, name: str, arn: str) -> Proposal:
    bucket = target.parameters["bucket"].replace("{account}", target.account)
    if not bucket:
        raise Refused(
            "unsupported",
            "no trail covers all regions, and where a new one may write is not said: set `bucket`",
        )
    own = target.parameters
    made: Json = {
        "Name": name, "S3BucketName": bucket, "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
    }  # fmt: skip
    made |= {"S3KeyPrefix": own["prefix"]} if own["prefix"] else {}
    made |= {"KmsKeyId": own["kms_key"]} if own["kms_key"] else {}
    trail = {
        "arn": arn, "home": target.region, "logging": True, "validation": True, "multi_region": True,
        "global_services": True, "records_all": True,
    }  # fmt: skip
    create = Step(
        "create",
        Call("cloudtrail", "CreateTrail", made),
        (Call("cloudtrail", "DeleteTrail", {"Name": name}),),
        "AWS refuses it where the bucket's policy does not let CloudTrail write",
    )
    return Proposal(
        f"make a trail {name} of all regions that writes to {bucket}",
        (create, _start(trail)),
        after={"trails": sorted([*image["trails"], trail], key=lambda each: str(each["arn"]))},
        concerns=("a second trail of the account costs money for every event; the first one is free",)
        if image["trails"]
        else (),
    )


def _proposal(summary: str, steps: list[Step], trail: Json, image: Json, **changed: bool) -> Proposal:
    trails = [{**each, **changed} if each["arn"] == trail["arn"] else each for each in image["trails"]]
    return Proposal(summary, tuple(steps), after={"trails": trails} if steps else image)


def _start(trail: Json) -> Step:
    about = {"Name": trail["arn"]}
    return Step(
        "start logging",
        Call("cloudtrail", "StartLogging", about, trail["home"]),
        (Call("cloudtrail", "StopLogging", about, trail["home"]),),
        "find out who stopped it",
    )


def _update(trail: Json, **settings: tuple[bool, bool]) -> Step:
    """Return an update of these settings, ``name=(new, old)``; UpdateTrail leaves what it does not name."""
    new = {"Name": trail["arn"], **{name: value for name, (value, _) in settings.items()}}
    old = {"Name": trail["arn"], **{name: value for name, (_, value) in settings.items()}}
    return Step(
        "update",
        Call("cloudtrail", "UpdateTrail", new, trail["home"]),
        (Call("cloudtrail", "UpdateTrail", old, trail["home"]),),
        "what the call does not name stays",
    )
