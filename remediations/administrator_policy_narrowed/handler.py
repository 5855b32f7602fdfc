"""Propose a narrower policy in place of one that makes administrators: what its holders called stays, the rest goes.

Only proposed: what nobody called for a year may still be needed in an emergency, and whoever knows decides.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
READS = ("Get*", "List*")
MANAGED_CHARACTERS = 6144
"""Of a managed policy, white space not counted: IAM/latest/UserGuide/reference_iam-quotas.html"""
SHOWN = 12


def image(target: Target, read: Reader) -> Json:
    """Return the policy's text, how many hold it, and what they called: ``{namespace: [actions, where AWS tells]}``.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html takes the ARN of a
    policy too, and then tells what all that hold it called, of the services the policy allows.
    """
    arn = target.resource.arn
    policy = (read.call("iam", "GetPolicy", {"PolicyArn": arn}) or {})["Policy"]
    asked = {"PolicyArn": arn, "VersionId": policy["DefaultVersionId"]}
    document = (read.call("iam", "GetPolicyVersion", asked) or {})["PolicyVersion"]["Document"]
    since = datetime.fromisoformat(target.now) - timedelta(days=target.parameters["days"])
    used: dict[str, list[str]] = {}
    for service in _services(read, arn):
        if not _since(service.get("LastAuthenticated"), since):
            continue
        actions = service.get("TrackedActionsLastAccessed") or ()
        called = {a["ActionName"] for a in actions if _since(a.get("LastAccessedTime"), since)}
        used[service["ServiceNamespace"]] = sorted(called)
    return {
        "document": document if isinstance(document, dict) else json.loads(document),
        "attached_to": policy.get("AttachmentCount", 0),
        "used": dict(sorted(used.items())),
    }


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
        old = read_policy(image["document"], "identity")
    except PolicyError as error:
        raise Refused("unsupported", f"the policy cannot be read: {error}") from None
    days = target.parameters["days"]
    if not image["used"]:
        text = (
            f"{image['attached_to']} hold the policy, and none of them called any service in the last {days} days: "
            "detach it; there is nothing that a narrower one would have to allow"
        )
        return Proposal(f"nobody used what the policy {target.id} allows", after=image, advice=text)
    document = narrowed(image["document"], old, image["used"])
    if not any(statement["Effect"] == "Allow" for statement in document["Statement"]):
        text = f"what its holders called in the last {days} days, other policies allow: detach it"
        return Proposal(f"nobody used what the policy {target.id} allows", after=image, advice=text)
    new = read_policy(document, "identity")
    if not isinstance(newly_allows([old], [new]), No):
        raise Refused("unsupported", "a narrower policy that surely allows nothing new could not be written")
    return Proposal(
        f"narrow the policy {target.id} to the {len(image['used'])} services its holders called in {days} days",
        after={**image, "document": document},
        advice="\n".join(_advice(document, old, new, days)),
    )


def narrowed(document: Mapping[str, Any], policy: Policy, used: Mapping[str, Sequence[str]]) -> Json:
    """Return the document with each Allow kept to the services that were called; what denies stays as it is."""
    written = document["Statement"]
    bodies = written if isinstance(written, list) else [written]
    statements = []
    for statement in policy.statements:
        body = bodies[statement.index]
        if not statement.allow:
            statements.append(body)
            continue
        actions = sorted({text for service in used for text in _kept(statement, service, used[service])})
        if actions:
            rest = {name: value for name, value in body.items() if name not in ("Action", "NotAction")}
            statements.append({**rest, "Action": actions})
    return {**document, "Statement": statements}


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


def _advice(document: Json, old: Policy, new: Policy, days: int) -> Iterator[str]:
    text = json.dumps(document, indent=2)
    yield f"Replace the policy's text by (a new default version; the old ones stay and can be set back):\n{text}"
    size = len("".join(json.dumps(document, separators=(",", ":")).split()))
    if size > MANAGED_CHARACTERS:
        yield f"It has {size:,} characters; a managed policy holds {MANAGED_CHARACTERS:,}: spread it over several."
    if not isinstance(administrator([new]), No):
        yield "It may still amount to administrator: look at the services it keeps."
    yield f"Lost, because nobody called it in the last {days} days:"
    for found in gains([new], [old]):
        if not isinstance(found, Gain):
            yield f"  - more that could not be decided: {'; '.join(found.why)}"
            continue
        counted = Counter(name.partition(":")[0] for name in found.actions)
        shown = ", ".join(f"{name} ({n})" for name, n in counted.most_common(SHOWN))
        more = f" and {len(counted) - SHOWN} services more" if len(counted) > SHOWN else ""
        yield f"  - {len(found.actions):,} actions, such as {found.witness.action} on {found.witness.resource}: {shown}{more}"
    yield "Data events (reading objects, invoking functions) are told by service only; emergencies are not told at all."
