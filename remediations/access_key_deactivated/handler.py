"""Deactivate access keys of an IAM user; none is ever deleted, and none of the root user is touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from policyengine.model.values import Unresolved
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

ACTIVE, INACTIVE = "Active", "Inactive"
_KEYS = ("related", "access_keys")


def image(target: Target, read: Reader) -> Json:
    """Return the user's keys by id, ``{id, made, status, quiet}``, and which of the active ones was used last.

    ``quiet``: neither used nor made within `quiet_days`; null for a key that is off, of which use says nothing. A key
    without ``LastUsedDate`` was never used since AWS began to look, on 2015-04-22:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
    """
    if (target.resource.arn or "").endswith(":root"):
        raise Refused(
            "unsupported", "keys of the root user are removed by signing in as root, never from here"
        )
    # without UserName AWS would list the keys of whoever asks:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
    listed = read.all("iam", "ListAccessKeys", {"UserName": target.id}, result="AccessKeyMetadata")
    since = _time(target.now) - timedelta(days=target.parameters["quiet_days"])
    keys, moments = [], {}
    for key in sorted(listed, key=lambda each: str(each["AccessKeyId"])):
        if key.get("UserName") != target.id:
            raise Refused("unsupported", f"key {key['AccessKeyId']} is not one of the user {target.id}")
        made = _time(key["CreateDate"])
        entry: Json = {
            "id": key["AccessKeyId"], "made": made.isoformat(), "status": key["Status"], "quiet": None
        }  # fmt: skip
        if key["Status"] == ACTIVE:
            used = read.call("iam", "GetAccessKeyLastUsed", {"AccessKeyId": key["AccessKeyId"]}) or {}
            last = used["AccessKeyLastUsed"].get("LastUsedDate")
            moments[entry["id"]] = (made if last is None else max(_time(last), made), made)
            entry["quiet"] = moments[entry["id"]][0] < since
        keys.append(entry)
    return {"keys": keys, "used_last": max(moments, key=lambda each: moments[each], default=None)}


def plan(target: Target, image: Json) -> Proposal:
    """Deactivate the keys the finding is about; refuses those in use, or says so, as `in_use` asks.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
    """
    chosen = [key for key in image["keys"] if key["id"] in _meant(target, image) and key["status"] == ACTIVE]
    if not chosen:
        return Proposal("the keys the rule is about are inactive already", after=image)
    busy = [key["id"] for key in chosen if not key["quiet"]]
    days = target.parameters["quiet_days"]
    said = f"{' and '.join(busy)} was used or made within the last {days} days"
    if busy and target.parameters["in_use"] != "ask":
        raise Refused("unsafe", f"{said}: give what uses it another key or a role first, then deactivate it")
    ids = {key["id"] for key in chosen}
    keys = [{**key, "status": INACTIVE, "quiet": None} if key["id"] in ids else key for key in image["keys"]]
    left = [key["id"] for key in keys if key["status"] == ACTIVE]
    last = image["used_last"] if image["used_last"] in left else next(iter(left), None)
    return Proposal(
        f"deactivate {len(chosen)} of {len(keys)} access keys of the user {target.id}",
        tuple(_step(target.id, key) for key in chosen),
        after={"keys": keys, "used_last": last},
        concerns=(f"{said}: what signs its requests with it will fail",) if busy else (),
    )


def _step(user: str, key: Json) -> Step:
    about = {"UserName": user, "AccessKeyId": key["id"]}
    return Step(
        f"deactivate {key['id']}",
        Call("iam", "UpdateAccessKey", {**about, "Status": INACTIVE}),
        undo=(Call("iam", "UpdateAccessKey", {**about, "Status": ACTIVE}),),
        why="it was neither used nor made lately"
        if key["quiet"]
        else "it is in use; whoever approves accepts that",
    )


def _meant(target: Target, image: Json) -> set[str]:
    """Return the ids of the keys the finding is about.

    Rules about each key name them in their evidence; those that count keys are about all of them, or about all but
    the one that was used last.
    """
    evidence = [each for each in target.finding.evidence if each.path[:2] == _KEYS]
    if any(len(each.path) == len(_KEYS) for each in evidence):
        every = {key["id"] for key in image["keys"]}
        return every - {image["used_last"]} if target.finding.rule == "iam-one-active-access-key" else every
    unsure = {each.path[2] for each in evidence if isinstance(each.observed, Unresolved)}
    known: list[Json] = target.resource.related.get("access_keys") or []
    return {_id(known[int(each.path[2])], image) for each in evidence if each.path[2] not in unsure}


def _id(known: Json, image: Json) -> str:
    """Return the id of a key that was collected: told by when it was made, for ids are taken out as secrets."""
    made = _time(known["CreateDate"]).isoformat()
    found = [str(key["id"]) for key in image["keys"] if key["made"] == made]
    if len(found) != 1:
        raise Refused("not_known", f"which of the user's keys was made at {made} cannot be told")
    return found[0]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
