"""Propose a narrower policy in place of those that make administrators: what its holders called stays, the rest goes.

Only proposed: what nobody called for a year may still be needed in an emergency, and whoever knows decides.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from policyengine.iam.administration import administrator
from policyengine.iam.catalogue import catalogue
from policyengine.iam.difference import Gain, gains
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import No, newly_allows
from policyengine.iam.ways import action_bits
from policyengine.remediate.api import Json, Proposal, Reader, Refused, Target
from policyengine.sources.live import waiting

_JOB, _REPORT = "GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"
ROLE = "AWS::IAM::Role"
READS = ("Get*", "List*")
MANAGED_CHARACTERS = 6144
"""Of a managed policy, white space not counted: IAM/latest/UserGuide/reference_iam-quotas.html"""
SHOWN = 12


def image(target: Target, read: Reader) -> Json:
    """Return the texts by name, how many hold them, and what these called: ``{namespace: [actions, where AWS tells]}``.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html takes the ARN of a
    policy too, and then tells what all that hold it called, of the services the policy allows.
    """
    arn, holders = target.resource.arn, 1
    if target.resource.type == ROLE:
        documents = _of_role(target.id, read)
    else:
        policy, document = _managed(arn, read)
        documents, holders = {f"policy {target.id}": document}, policy.get("AttachmentCount", 0)
    since = datetime.fromisoformat(target.now) - timedelta(days=target.parameters["days"])
    used: dict[str, list[str]] = {}
    for service in _services(read, arn):
        if not _since(service.get("LastAuthenticated"), since):
            continue
        actions = service.get("TrackedActionsLastAccessed") or ()
        called = {a["ActionName"] for a in actions if _since(a.get("LastAccessedTime"), since)}
        used[service["ServiceNamespace"]] = sorted(called)
    return {"documents": documents, "attached_to": holders, "used": dict(sorted(used.items()))}


def _of_role(name: str, read: Reader) -> dict[str, Json]:
    """Return the documents of a role: attached ones, AWS's own among them, and inline ones."""
    about = {"RoleName": name}
    found: dict[str, Json] = {}
    for each in read.all("iam", "ListAttachedRolePolicies", about, result="AttachedPolicies"):
        found[f"policy {each['PolicyName']}"] = _managed(each["PolicyArn"], read)[1]
    for inline in read.all("iam", "ListRolePolicies", about, result="PolicyNames"):
        got = read.call("iam", "GetRolePolicy", {**about, "PolicyName": inline}) or {}
        found[f"inline policy {inline}"] = _parsed(got["PolicyDocument"])
    return dict(sorted(found.items()))


def _managed(arn: str | None, read: Reader) -> tuple[Json, Json]:
    """Return a managed policy and the document of its default version."""
    policy: Json = (read.call("iam", "GetPolicy", {"PolicyArn": arn}) or {})["Policy"]
    asked = {"PolicyArn": arn, "VersionId": policy["DefaultVersionId"]}
    return policy, _parsed((read.call("iam", "GetPolicyVersion", asked) or {})["PolicyVersion"]["Document"])


def _parsed(document: Any) -> Json:
    found: Json = document if isinstance(document, dict) else json.loads(document)
    return found


def _services(read: Reader, arn: str | None) -> list[Json]:
    """Return the report of AWS, made for this question; waits a minute at most."""
    job = (read.call("iam", _JOB, {"Arn": arn, "Granularity": "ACTION_LEVEL"}) or {})["JobId"]
    for pause in (*waiting.PAUSES, None):
        page = read.call("iam", _REPORT, {"JobId": job, "MaxItems": 1000}) or {}
        if page["JobStatus"] != "IN_PROGRESS":
            break
        if pause is None:
            raise Refused("not_known", f"iam:{_REPORT}: AWS was still preparing the report after a minute")
        waiting.sleep(pause)
    if page["JobStatus"] != "COMPLETED":
        why = (page.get("Error") or {}).get("Message", page["JobStatus"])
        raise Refused("not_known", f"iam:{_REPORT}: {why}")
    found = list(page.get("ServicesLastAccessed") or ())
    while page.get("IsTruncated"):
        page = read.call("iam", _REPORT, {"JobId": job, "MaxItems": 1000, "Marker": page["Marker"]}) or {}
        found += page.get("ServicesLastAccessed") or ()
    return found


def _since(text: str | None, since: datetime) -> bool:
    return text is not None and datetime.fromisoformat(text) >= since


def plan(target: Target, image: Json) -> Proposal:
    """Propose the narrower policy, with what is lost, each group of actions with a request that shows it."""
    try:
        old = [read_policy(document, "identity") for document in image["documents"].values()]
    except PolicyError as error:
        raise Refused("unsupported", f"a policy cannot be read: {error}") from None
    days = target.parameters["days"]
    what = f"the role {target.id}" if target.resource.type == ROLE else f"the policy {target.id}"
    document = narrowed(image["documents"].values(), old, image["used"])
    if not any(statement["Effect"] == "Allow" for statement in document["Statement"]):
        text = (
            f"Nothing of what {what} allows was called in the last {days} days by the {image['attached_to']} that hold it: "
            "detach it; there is nothing that a narrower one would have to allow."
        )
        return Proposal(f"nobody used what {what} allows", after=image, advice=text)
    new = read_policy(document, "identity")
    if not isinstance(newly_allows(old, [new]), No):
        raise Refused("unsupported", "a narrower policy that surely allows nothing new could not be written")
    return Proposal(
        f"narrow {what} to the {len(image['used'])} services that were called in {days} days",
        after={**image, "documents": {"proposed": document}},
        advice="\n".join(_advice(list(image["documents"]), document, old, new, days)),
    )


def narrowed(
    documents: Iterable[Mapping[str, Any]], policies: Sequence[Policy], used: Mapping[str, Sequence[str]]
) -> Json:
    """Return one document with each Allow kept to the services that were called; what denies stays as it is."""
    statements: list[Json] = []
    for document, policy in zip(documents, policies, strict=True):
        written = document["Statement"]
        bodies = written if isinstance(written, list) else [written]
        for statement in policy.statements:
            body = bodies[statement.index]
            if statement.allow:
                actions = sorted(
                    {text for service in used for text in _kept(statement, service, used[service])}
                )
                rest = {name: value for name, value in body.items() if name not in ("Action", "NotAction")}
                body = {**rest, "Action": actions}
            if body.get("Action") != []:
                statements.append(body)
    sids = Counter(body.get("Sid") for body in statements)
    alone = [{k: v for k, v in body.items() if k != "Sid" or sids[v] == 1} for body in statements]
    return {"Version": "2012-10-17", "Statement": alone}


def _kept(statement: Statement, service: str, called: Sequence[str]) -> Iterator[str]:
    """Yield what an Allow says of one service, in as few patterns as it was said in.

    Of IAM itself only what was called is kept, and reading: whoever administers IAM gives themselves the rest.
    """
    known = catalogue()
    whole = known.service_mask(service)
    said = action_bits(statement, known) & whole
    if not said:
        return
    if service == "iam":
        for name in (*(f"iam:{verb}" for verb in READS), *(f"iam:{action}" for action in called)):
            mask = known.matching(name)
            if mask and not mask & ~said:
                yield name
    elif said == whole:
        yield f"{service}:*"
    elif statement.not_action:
        yield from (name for name in known.names if known.matching(name) & said)
    else:
        for pattern in statement.actions:
            prefix, _, name = pattern.partition(":")
            if prefix.lower() in (service, "*"):
                yield f"{service}:{name or '*'}"


def _advice(
    names: Sequence[str], document: Json, old: Sequence[Policy], new: Policy, days: int
) -> Iterator[str]:
    text = json.dumps(document, indent=2)
    yield f"In place of {', '.join(names)} (keep the old text until nobody has missed anything):\n{text}"
    size = len("".join(json.dumps(document, separators=(",", ":")).split()))
    if size > MANAGED_CHARACTERS:
        yield f"It has {size:,} characters; a managed policy holds {MANAGED_CHARACTERS:,}: spread it over several."
    if not isinstance(administrator([new]), No):
        yield "It may still amount to administrator: look at the services it keeps."
    yield f"Lost, because nobody called it in the last {days} days:"
    for found in gains([new], old):
        if not isinstance(found, Gain):
            yield f"  - more that could not be decided: {'; '.join(found.why)}"
            continue
        counted = Counter(name.partition(":")[0] for name in found.actions)
        shown = ", ".join(f"{name} ({n})" for name, n in counted.most_common(SHOWN))
        more = f" and {len(counted) - SHOWN} services more" if len(counted) > SHOWN else ""
        yield f"  - {len(found.actions):,} actions, such as {found.witness.action} on {found.witness.resource}: {shown}{more}"
    yield "Data events (reading objects, invoking functions) are told by service only; emergencies are not told at all."
