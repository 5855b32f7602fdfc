"""Add tags that are missing, with values from a declared source of truth; a tag that is there is never changed.

A tag can grant access, start a backup or stop a machine at night: who asks about it is read before, and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from policyengine.iam.conditions import compile_condition
from policyengine.iam.documents import Condition, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.rules.predicates.tags.names import is_aws_key, variant_of

_API: Final = "resourcegroupstaggingapi"
_OWN: Final = {"AWS::IAM::Role": ("Role", "RoleName"), "AWS::IAM::User": ("User", "UserName")}
"""IAM takes tags of roles and users by calls of its own only:
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html"""
_LISTED: Final = {
    "User": ("UserDetailList", "UserName", "UserPolicyList"),
    "Role": ("RoleDetailList", "RoleName", "RolePolicyList"),
    "Group": ("GroupDetailList", "GroupName", "GroupPolicyList"),
}
_ABOUT_REQUESTS: Final = ("requesttag", "tagkeys")
MOST_TAGS: Final = 50
LONGEST_VALUE: Final = 256
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""
SHOWN: Final = 10


# -- reading ----------------------------------------------------------------------------------------------


def image(target: Target, read: Reader) -> Json:
    """Return the resource's tags, values that other places give, and who asks about the tags that may be added."""
    wanted: Mapping[str, Any] = target.parameters["values"]
    if not isinstance(wanted, dict) or not wanted:
        raise Refused(
            "unsupported", "no value of a tag is declared: set the parameter `values`, key -> source"
        )
    tags = dict(sorted(_tags(target, read).items()))
    # of tags that are there nobody has to be asked: what changes about them later is no change of this
    lacking = {key: source for key, source in wanted.items() if key not in tags}
    if not lacking:
        return {"tags": tags, "account_tags": {}, "asked_by": [], "backed_up_by": []}
    return {
        "tags": tags,
        "account_tags": _account_tags(target, read, lacking),
        "asked_by": sorted(_asking(read, lacking), key=lambda each: sorted(each.items(), key=str)),
        "backed_up_by": sorted(_selections(read, lacking), key=lambda each: sorted(each.items())),
    }


def _tags(target: Target, read: Reader) -> dict[str, str]:
    """Return the tags that people set, as AWS has them now."""
    own = _OWN.get(target.resource.type)
    if own is not None:
        found = read.all("iam", f"List{own[0]}Tags", {own[1]: target.id}, result="Tags")
    else:
        if not target.resource.arn:
            raise Refused("unsupported", "its ARN is not known, and tags are set by ARN")
        asked = {"ResourceARNList": [target.resource.arn]}
        told = read.all(_API, "GetResources", asked, result="ResourceTagMappingList")
        found = [tag for each in told for tag in each.get("Tags") or ()]
    return {tag["Key"]: tag["Value"] for tag in found if not is_aws_key(tag["Key"])}


def _account_tags(target: Target, read: Reader, wanted: Mapping[str, Any]) -> Json:
    """Return the account's tags that values come from; only the management account and delegated administrators may
    read them: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTagsForResource.html"""
    names = {source["account_tag"] for source in wanted.values() if _kind(source) == "account_tag"}
    if not names:
        return {}
    found = read.all("organizations", "ListTagsForResource", {"ResourceId": target.account}, result="Tags")
    return {tag["Key"]: tag["Value"] for tag in found if tag["Key"] in names}


def _asking(read: Reader, wanted: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the statements of the account's IAM policies that ask about a tag of a resource or principal."""
    keys = {key.casefold() for key in wanted}
    for who, kind, document in _documents(read):
        try:
            policy = read_policy(document, kind)
        except PolicyError:
            yield {"who": who, "unreadable": True}
            continue
        for statement in policy.statements:
            entry = {"who": who, "statement": statement.index, "allow": statement.allow}
            for condition in statement.conditions:
                if _tag_of(condition.key) in keys:
                    asked = {
                        "operator": condition.operator,
                        "key": condition.key,
                        "values": list(condition.values),
                    }
                    yield {**entry, **asked}
            texts = [*(statement.resources or ()), *(v for c in statement.conditions for v in c.values)]
            for key in sorted(keys):
                if any(f"tag/{key}}}" in text.casefold() for text in texts):
                    yield {**entry, "variable": key}


def _documents(read: Reader) -> Iterator[tuple[str, Literal["identity", "trust"], Any]]:
    """Yield ``(whose, kind, document)`` of every policy that roles, users, groups and the account hold."""
    operation = "GetAccountAuthorizationDetails"
    for kind, (result, name, inline) in _LISTED.items():
        for entity in read.all("iam", operation, {"Filter": [kind]}, result=result):
            whose = f"{kind.lower()} {entity[name]}"
            for policy in entity.get(inline) or ():
                yield f"{whose}, policy {policy['PolicyName']}", "identity", policy["PolicyDocument"]
            if entity.get("AssumeRolePolicyDocument"):
                yield f"{whose}, trust policy", "trust", entity["AssumeRolePolicyDocument"]
    for policy in read.all("iam", operation, {"Filter": ["LocalManagedPolicy"]}, result="Policies"):
        for version in policy.get("PolicyVersionList") or ():
            if version.get("IsDefaultVersion"):
                yield f"policy {policy['PolicyName']}", "identity", version["Document"]


def _tag_of(key: str) -> str:
    """Return the tag a condition key asks about, in lower case; "" for keys about other things.

    Every service names the tags of its resources ``…tag/KEY`` (``ec2:ResourceTag/KEY``, ``rds:db-tag/KEY``):
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    kind, _, tag = key.partition("/")
    name = kind.casefold().rpartition(":")[2]
    return "" if name in _ABOUT_REQUESTS or not name.endswith("tag") else tag.casefold()


def _selections(read: Reader, wanted: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the backup selections that choose resources by one of the tags.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
    """
    for plan in read.all("backup", "ListBackupPlans", result="BackupPlansList"):
        about = {"BackupPlanId": plan["BackupPlanId"]}
        for listed in read.all("backup", "ListBackupSelections", about, result="BackupSelectionsList"):
            asked = {**about, "SelectionId": listed["SelectionId"]}
            found = (read.call("backup", "GetBackupSelection", asked) or {})["BackupSelection"]
            pairs = [each for group in (found.get("Conditions") or {}).values() for each in group or ()]
            keys = {
                each["ConditionKey"].removeprefix("aws:ResourceTag/")
                for each in (*(found.get("ListOfTags") or ()), *pairs)
            }
            for key in sorted(keys & wanted.keys()):
                yield {"plan": plan["BackupPlanName"], "selection": found["SelectionName"], "key": key}


# -- planning ---------------------------------------------------------------------------------------------


def plan(target: Target, image: Json) -> Proposal:
    """Add every tag the finding lacks, or none: half of them would leave the finding as it is."""
    tags = image["tags"]
    _same_as_seen(target, tags)
    missing = _missing(target, tags)
    if not missing:
        return Proposal(
            "no tag that is declared is missing; values that are there are not changed", after=image
        )
    added = {key: _value(key, target, image) for key in sorted(missing)}
    if len(tags) + len(added) > MOST_TAGS:
        raise Refused("unsupported", f"it would have {len(tags) + len(added)} tags; AWS takes {MOST_TAGS}")
    return Proposal(
        f"add {', '.join(f'{key}={value}' for key, value in added.items())}",
        (_step(target, added),),
        after=_after(target, image, added),
        concerns=tuple(_concerns(target, image, added)),
    )


def _after(target: Target, image: Json, added: Mapping[str, str]) -> Json:
    """Return the image with the tags, and with what is asked about those that are still not there."""
    tags = dict(sorted({**image["tags"], **added}.items()))
    lacking = {key: source for key, source in target.parameters["values"].items() if key not in tags}
    names = {key.casefold() for key in lacking}
    sources = {source["account_tag"] for source in lacking.values() if _kind(source) == "account_tag"}
    return {
        "tags": tags,
        "account_tags": {key: value for key, value in image["account_tags"].items() if key in sources},
        "asked_by": [each for each in image["asked_by"] if lacking and _asked_about(each, names)],
        "backed_up_by": [each for each in image["backed_up_by"] if each["key"] in lacking],
    }


def _asked_about(asking: Json, names: set[str]) -> bool:
    return bool(asking.get("unreadable")) or (asking.get("variable") or _tag_of(asking["key"])) in names


def _same_as_seen(target: Target, tags: Json) -> None:
    """Refuse where the service's own answer and the tagging API's differ: one of the two does not show all tags."""
    seen = target.resource.tags
    if not isinstance(seen, Mapping):
        raise Refused("not_known", "its tags could not be read")
    known = {key for key in seen if not is_aws_key(key)}
    if known != set(tags):
        differing = ", ".join(sorted(known ^ set(tags))[:SHOWN])
        raise Refused(
            "not_known", f"its service and the tagging API tell different tags ({differing}); try again later"
        )


def _missing(target: Target, tags: Json) -> list[str]:
    """Return the keys the finding lacks; a key in another spelling stays, and the declared one is added."""
    lacking = {str(each.path[1]) for each in target.finding.evidence if each.reason == "tag_missing"}
    variants = {str(each.path[1]) for each in target.finding.evidence if each.reason == "tag_misspelt"}
    wanted = target.parameters["values"]
    spelt = {key for key in wanted if key not in tags and variant_of(key, variants) is not None}
    undeclared = sorted(lacking - wanted.keys())
    if undeclared:
        raise Refused(
            "unsupported",
            f"no value is declared for {', '.join(undeclared)}: add it to the parameter `values`",
        )
    return sorted((lacking | spelt) - tags.keys())


def _kind(source: Any) -> str:
    return next(iter(source)) if isinstance(source, dict) and len(source) == 1 else ""


def _value(key: str, target: Target, image: Json) -> str:
    """Return the value of a key by its source: a text, ``{account_tag: KEY}``, ``{by_account: {ID: value}}`` or
    ``{by_region: {REGION: value}}``."""
    source = target.parameters["values"][key]
    found: Any = source
    if _kind(source) == "account_tag":
        found = image["account_tags"].get(source["account_tag"])
    elif _kind(source) == "by_account":
        found = source["by_account"].get(target.account)
    elif _kind(source) == "by_region":
        found = source["by_region"].get(target.region)
    if found is None:
        raise Refused(
            "unsupported", f"the declared source of `{key}` has no value for {target.account} {target.region}"
        )
    if not isinstance(found, str) or not 0 < len(found.strip()) <= LONGEST_VALUE or is_aws_key(key):
        raise Refused(
            "unsupported",
            f"the declared value of `{key}` is none a tag can have: a text of 1 to 256 characters",
        )
    return found


def _step(target: Target, added: Mapping[str, str]) -> Step:
    own = _OWN.get(target.resource.type)
    if own is not None:
        about = {own[1]: target.id}
        pairs = [{"Key": key, "Value": value} for key, value in added.items()]
        call = Call("iam", f"Tag{own[0]}", {**about, "Tags": pairs})
        undo = Call("iam", f"Untag{own[0]}", {**about, "TagKeys": list(added)})
    else:
        arns = {"ResourceARNList": [target.resource.arn]}
        call = Call(_API, "TagResources", {**arns, "Tags": dict(added)})
        undo = Call(_API, "UntagResources", {**arns, "TagKeys": list(added)})
    return Step("tag", call, (undo,), "only keys that are not there are added")


def _concerns(target: Target, image: Json, added: Mapping[str, str]) -> Iterator[str]:
    by_key = {key.casefold(): value for key, value in added.items()}
    told = [text for each in image["asked_by"] if (text := _told(each, by_key)) is not None]
    yield from told[:SHOWN]
    if len(told) > SHOWN:
        yield f"{len(told) - SHOWN} more statements ask about these tags"
    for each in image["backed_up_by"]:
        if each["key"] in added:
            yield f"the backup plan {each['plan']} chooses resources by {each['key']} (selection {each['selection']})"
    for key in added:
        if key.casefold() in {name.casefold() for name in target.parameters["acting_keys"]}:
            yield f"the parameter `acting_keys` says that something acts on {key}"


def _told(asking: Json, added: Mapping[str, str]) -> str | None:
    """Say what a statement makes of the new tags; None where it asks about others."""
    if asking.get("unreadable"):
        return f"{asking['who']} could not be read; it may ask about these tags"
    where = f"{asking['who']}, statement {asking['statement']} ({'Allow' if asking['allow'] else 'Deny'})"
    if "variable" in asking:
        return f"{where} names the tag in a policy variable" if asking["variable"] in added else None
    key = asking["key"]
    value = added.get(_tag_of(key))
    if value is None:
        return None
    condition = Condition(asking["operator"], key, tuple(asking["values"]))
    before, after = (_holds(condition, context) for context in ({}, {key: value}))
    text = f"{where} asks for {key} {asking['operator']} {', '.join(asking['values'])[:120]}: "
    return text + (
        f"it {before} without the tag and {after} with it" if before != after else f"it {after} either way"
    )


def _holds(condition: Condition, context: Mapping[str, str]) -> str:
    request = Request("arn:aws:iam::123456789012:role/any", "s3:GetObject", "*", dict(context))
    answer = compile_condition(condition, True)(request)
    return "cannot be decided" if isinstance(answer, Opaque) else "holds" if answer else "does not hold"
