"""Scenarios: a request with all its policies as one JSON object, read and answered.

The form is that of ``docs/iam.md``. Documents are read once for each content.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from policyengine.iam.authorize import Block, Decision, decide
from policyengine.iam.documents import MAX_DEPTH, Policy, parse_json, read_policy, read_value, too_deep
from policyengine.iam.errors import JsonPath, PolicyError, shown
from policyengine.iam.grammar import Kind
from policyengine.iam.layers import At, Skipped
from policyengine.iam.memory import Memory
from policyengine.iam.plan import Plan, Policies
from policyengine.iam.public_access import PublicAccessBlock, effective
from policyengine.iam.request import Request

KEYS: Final = frozenset(
    {
        "id", "request", "identity_policies", "permissions_boundary", "session_policies", "scps", "rcps",
        "resource_policy", "endpoint_policy", "public_access_block", "management_account", "decision",
    }
)  # fmt: skip
REQUEST_KEYS: Final = frozenset({"principal", "action", "resource", "resource_account", "context"})
_SETTINGS: Final = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}
MAX_DOCUMENT: Final = 4 * 1024 * 1024
MAX_LINE: Final = 16 * 1024 * 1024
_TRUST: Final = ("sts:assume", "sts:tagsession", "sts:setsourceidentity")


class Decider:
    """Answers scenarios; keeps what it has read of documents, never a decision."""

    def __init__(self) -> None:
        self._read: Memory[tuple[Kind, bytes], Policy] = Memory()
        self._chains: Memory[tuple[Kind, bytes], list[list[Policy]]] = Memory()
        self._plans: Memory[tuple[Kind, str], Plan] = Memory()

    def answer(self, line: str) -> str:
        """Return the JSON line that answers one scenario; raises PolicyError for one that is none."""
        head = read_head(line)
        if head is None:
            scenario = read_scenario(line)
            request, policies = self.inputs(scenario)
            return written(_quoted(scenario["id"]), decide(request, Plan(policies)))
        scenario_id, request, rest = head
        key = (_resource_kind(request), rest)
        plan = self._plans.get(key)
        if plan is None:
            members = _members(rest)
            if members is None:
                members = read_scenario(line)
            _check_keys(members)
            plan = Plan(self._policies(members, request))
            self._plans.keep(key, plan, len(rest))
        return written(scenario_id, decide(request, plan))

    def inputs(self, scenario: Mapping[str, Any]) -> tuple[Request, Policies]:
        """Return the request and the policies of a scenario; raises PolicyError."""
        _check_keys(scenario)
        request = _request(scenario.get("request"))
        return request, self._policies(scenario, request)

    def _policies(self, scenario: Mapping[str, Any], request: Request) -> Policies:
        get = scenario.get
        management = get("management_account")
        if not isinstance(management, str | None):
            raise PolicyError(("management_account",), "no text", shown(management), "an account id")
        return Policies(
            identity=self._list("identity", _listed(get("identity_policies")), ("identity_policies",)),
            resource=self._one(_resource_kind(request), get("resource_policy"), ("resource_policy",)),
            boundary=self._one("boundary", get("permissions_boundary"), ("permissions_boundary",)),
            session=None if get("session_policies") is None
            else self._list("session", get("session_policies"), ("session_policies",)),
            scps=self._levels("scp", get("scps"), ("scps",)),
            rcps=self._levels("rcp", get("rcps"), ("rcps",)),
            endpoint=self._one("endpoint", get("endpoint_policy"), ("endpoint_policy",)),
            public_access=_public_access(get("public_access_block")),
            management_account=management,
        )  # fmt: skip

    def _one(self, kind: Kind, document: Any, path: JsonPath) -> Policy | None:
        if document is None:
            return None
        content = _content(document, path)
        found = self._read.get((kind, content))
        if found is None:
            if len(content) > MAX_DOCUMENT:
                raise PolicyError(path, "too large", f"{len(content)} bytes", f"at most {MAX_DOCUMENT}")
            try:
                found = read_policy(document, kind)
            except PolicyError as error:
                raise PolicyError((*path, *error.path), error.problem, error.found, error.expected) from None
            self._read.keep((kind, content), found, len(content))
        return found

    def _list(self, kind: Kind, documents: Any, path: JsonPath) -> list[Policy]:
        if not isinstance(documents, list):
            raise PolicyError(path, "no list", shown(documents), "a list of policy documents")
        read = [self._one(kind, d, (*path, i)) for i, d in enumerate(documents)]
        return [policy for policy in read if policy is not None]

    def _levels(self, kind: Kind, levels: Any, path: JsonPath) -> list[list[Policy]]:
        """Read a chain; accounts share chains, so a whole one is looked up at once."""
        if levels is None or levels == []:
            return []
        if not isinstance(levels, list):
            raise PolicyError(path, "no list", shown(levels), "a list for each level, the root first")
        content = _content(levels, path)
        found = self._chains.get((kind, content))
        if found is None:
            found = [self._list(kind, level, (*path, i)) for i, level in enumerate(levels)]
            self._chains.keep((kind, content), found, len(content))
        return found


def _check_keys(scenario: Mapping[str, Any]) -> None:
    for key in sorted(scenario.keys() - KEYS):
        if not isinstance(scenario[key], dict | list):
            continue  # a remark; what could be a policy is never passed over
        raise PolicyError((), "no such key", shown(key), ", ".join(sorted(KEYS)))


def _content(value: Any, path: JsonPath) -> bytes:
    """Return a key for this process only: equal values have equal bytes in version 2."""
    try:
        return marshal.dumps(value, 2)
    except ValueError:
        raise PolicyError(path, "too large") from None


def _listed(found: Any) -> Any:
    return [] if found is None else found


def read_scenario(line: str) -> dict[str, Any]:
    """Parse one line; raises PolicyError where it is no JSON object with an id."""
    if len(line) > MAX_LINE:
        raise PolicyError((), f"the line has {len(line)} characters", expected=f"at most {MAX_LINE}")
    if too_deep(line, 2 * MAX_DEPTH):
        raise PolicyError((), f"nested deeper than {2 * MAX_DEPTH} levels")
    scenario = parse_json(line)
    if not isinstance(scenario, dict):
        raise PolicyError((), "no scenario", shown(scenario), "an object with `id` and `request`")
    if not isinstance(scenario.get("id"), str | int) or isinstance(scenario.get("id"), bool):
        raise PolicyError(("id",), "no id", shown(scenario.get("id")), "a text or a number")
    return scenario


_SPACE: Final = r"[ \t\n\r]*"
_HEAD: Final = re.compile(
    _SPACE.join(("", r"\{", '"id"', ":", r'("[ !#-\[\]-~]*"|0|[1-9][0-9]{0,17})', ",", '"request"', ":", ""))
)
"""The usual beginning of a scenario; JSON writes such an id in this one way only."""
_NEXT: Final = re.compile(f'{_SPACE},{_SPACE}"')


def read_head(line: str) -> tuple[str, Request, str] | None:
    """Return the id as JSON, the request and the text behind it, of a line that begins with these two.

    None: the line does not, or something is wrong with them, which ``read_scenario`` will say. Whether
    the line is a scenario depends then on the text behind the request only, which is worth reading once
    for all requests about the same policies.
    """
    match = _HEAD.match(line)
    if match is None or len(line) > MAX_LINE:
        return None
    try:
        found, end = read_value(line, match.end())
        return match[1], _request(found), line[end:]
    except (PolicyError, RecursionError):
        return None


def _members(rest: str) -> dict[str, Any] | None:
    """Return what ``read_head`` leaves as an object; None where the whole line is to be read instead,
    because it is wrong, or to find that it is."""
    opening = _NEXT.match(rest)
    if opening is None:
        return None
    text = "{" + rest[opening.end() - 1 :]
    if too_deep(text, 2 * MAX_DEPTH):
        return None
    try:
        members: dict[str, Any] = parse_json(text)
    except PolicyError:
        return None
    return None if "id" in members or "request" in members else members


def _request(found: Any) -> Request:
    if not isinstance(found, dict):
        raise PolicyError(("request",), "no request", shown(found), "an object")
    if not REQUEST_KEYS.issuperset(found):
        other = min(found.keys() - REQUEST_KEYS)
        raise PolicyError(("request",), "no such key", shown(other), ", ".join(sorted(REQUEST_KEYS)))
    get: Callable[[str], Any] = found.get
    principal, action, resource = get("principal"), get("action"), get("resource")
    for key, value in (("principal", principal), ("action", action), ("resource", resource)):
        if not value or type(value) is not str:
            raise PolicyError(("request", key), "no text", shown(value), "a text")
    context = get("context")
    if context is not None and not isinstance(context, dict):
        raise PolicyError(("request", "context"), "no context", shown(context), "key → value or values")
    account = get("resource_account")
    if account is not None and not isinstance(account, str):
        raise PolicyError(("request", "resource_account"), "no text", shown(account), "an account id")
    try:
        return Request(principal, action, resource, context, account)
    except PolicyError as error:
        raise PolicyError(("request", *error.path), error.problem, error.found, error.expected) from None


def _resource_kind(request: Request) -> Kind:
    if request.service == "kms":
        return "key"
    return "trust" if request.lower_action.startswith(_TRUST) else "resource"


def _public_access(found: Any) -> PublicAccessBlock | None:
    """Read ``{"bucket": {…}, "account": {…}, "organization": "all" | "none"}``."""
    if found is None:
        return None
    path: JsonPath = ("public_access_block",)
    if not isinstance(found, dict) or found.keys() - {"bucket", "account", "organization"}:
        raise PolicyError(path, "no settings", shown(found), "`bucket`, `account` and `organization`")
    organization = found.get("organization")
    if organization not in (None, "all", "none"):
        raise PolicyError((*path, "organization"), "no such value", shown(organization), "`all` or `none`")
    return effective(
        _settings(found.get("bucket"), (*path, "bucket")),
        _settings(found.get("account"), (*path, "account")),
        None if organization is None else organization == "all",
    )


def _settings(found: Any, path: JsonPath) -> PublicAccessBlock | None:
    if found is None:
        return None
    if not isinstance(found, dict) or found.keys() - _SETTINGS.keys():
        raise PolicyError(path, "no settings", shown(found), ", ".join(f"`{k}`" for k in _SETTINGS))
    for key, value in found.items():
        if not isinstance(value, bool):
            raise PolicyError((*path, key), "no Boolean", shown(value), "true or false")
    return PublicAccessBlock(**{_SETTINGS[key]: value for key, value in found.items()})


_quoted: Final[Callable[[Any], str]] = json.JSONEncoder(ensure_ascii=True).encode


def written(scenario_id: str, decision: Decision) -> str:
    """Return a decision as one JSON line with the id, which is JSON already: ``id``, ``decision``, ``deciding``, ``reasons``, and
    ``unknown`` where the decision could be another one."""
    deciding = ",".join([at.text or _deciding(at) for at in decision.deciding])
    reasons = [_blocked(block) for block in decision.blocked]
    reasons.extend([skipped.text or _skipped(skipped) for skipped in decision.skipped])
    unknown = ""
    if decision.unknown:
        unknown = f',"unknown":{_quoted(_once([u.reason for u in decision.unknown]))}'
    return (
        f'{{"id":{scenario_id},"decision":"{decision.outcome}","deciding":[{deciding}],'
        f'"reasons":[{",".join(reasons)}]{unknown}}}'
    )


def _deciding(at: At) -> str:
    sid = "null" if at.statement.sid is None else _quoted(at.statement.sid)
    text = (
        f'{{{_place(at.layer, at.level)},"policy":{at.policy},"statement":{at.statement.index},"sid":{sid}}}'
    )
    at.text = text
    return text


def _skipped(skipped: Skipped) -> str:
    text = f'{(skipped.at.text or _deciding(skipped.at))[:-1]},"code":"{skipped.code}"}}'
    skipped.text = text
    return text


@lru_cache(maxsize=1024)
def _blocked(block: Block) -> str:
    return f'{{{_place(block.layer, block.level)},"code":"{block.code}"}}'


def _place(layer: str, level: int | None) -> str:
    return f'"layer":"{layer}"' if level is None else f'"layer":"{layer}","level":{level}'


def _once(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
