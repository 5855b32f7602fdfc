"""Scenarios: a request with all its policies as one JSON object, read and answered.

The form is that of ``docs/iam.md``. Documents are read once for each content.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from policyengine.iam.authorize import Decision, Policies, authorize
from policyengine.iam.documents import MAX_DEPTH, Policy, parse_json, read_policy, too_deep
from policyengine.iam.errors import JsonPath, PolicyError, shown
from policyengine.iam.grammar import Kind
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
_MAX_CACHED: Final = 50_000
MAX_DOCUMENT: Final = 4 * 1024 * 1024
MAX_LINE: Final = 16 * 1024 * 1024
_TRUST: Final = ("sts:assume", "sts:tagsession", "sts:setsourceidentity")


class Decider:
    """Answers scenarios; keeps what it has read of documents."""

    def __init__(self) -> None:
        self._read: dict[tuple[Kind, bytes], Policy] = {}
        self._chains: dict[tuple[Kind, bytes], list[list[Policy]]] = {}

    def answer(self, line: str) -> str:
        """Return the JSON line that answers one scenario; raises PolicyError for one that is none."""
        scenario = read_scenario(line)
        request, policies = self.inputs(scenario)
        return written(scenario["id"], authorize(request, policies))

    def inputs(self, scenario: Mapping[str, Any]) -> tuple[Request, Policies]:
        """Return the request and the policies of a scenario; raises PolicyError."""
        for key in sorted(scenario.keys() - KEYS):
            if not isinstance(scenario[key], dict | list):
                continue  # a remark; what could be a policy is never passed over
            raise PolicyError((), "no such key", shown(key), ", ".join(sorted(KEYS)))
        request = _request(scenario.get("request"))
        get = scenario.get
        management = get("management_account")
        if not isinstance(management, str | None):
            raise PolicyError(("management_account",), "no text", shown(management), "an account id")
        return request, Policies(
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
            if len(self._read) >= _MAX_CACHED:
                self._read.clear()
            self._read[kind, content] = found
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
            if len(self._chains) >= _MAX_CACHED:
                self._chains.clear()
            self._chains[kind, content] = found
        return found


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


def _request(found: Any) -> Request:
    if not isinstance(found, dict):
        raise PolicyError(("request",), "no request", shown(found), "an object")
    for key in found.keys() - REQUEST_KEYS:
        raise PolicyError(("request",), "no such key", shown(key), ", ".join(sorted(REQUEST_KEYS)))
    for key in ("principal", "action", "resource"):
        if not isinstance(found.get(key), str) or not found[key]:
            raise PolicyError(("request", key), "no text", shown(found.get(key)), "a text")
    context = {} if found.get("context") is None else found["context"]
    if not isinstance(context, dict):
        raise PolicyError(("request", "context"), "no context", shown(context), "key → value or values")
    account = found.get("resource_account")
    if account is not None and not isinstance(account, str):
        raise PolicyError(("request", "resource_account"), "no text", shown(account), "an account id")
    try:
        return Request(found["principal"], found["action"], found["resource"], context, account)
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


def written(scenario_id: str | int, decision: Decision) -> str:
    """Return a decision as one JSON line: ``id``, ``decision``, ``deciding``, ``reasons``, and
    ``unknown`` where the decision could be another one."""
    deciding = ",".join(
        f'{{{_place(layer, level)},"policy":{policy},"statement":{statement.index},"sid":{_sid(statement.sid)}}}'
        for layer, level, policy, statement in decision.deciding
    )
    reasons = [f'{{{_place(layer, level)},"code":"{code}"}}' for layer, level, code in decision.blocked]
    reasons.extend(
        f'{{{_place(layer, level)},"policy":{policy},"statement":{statement.index},'
        f'"sid":{_sid(statement.sid)},"code":"{code}"}}'
        for (layer, level, policy, statement), code in decision.skipped
    )
    unknown = ""
    if decision.unknown:
        unknown = f',"unknown":{_quoted(_once([u.reason for u in decision.unknown]))}'
    return (
        f'{{"id":{_quoted(scenario_id)},"decision":"{decision.outcome}","deciding":[{deciding}],'
        f'"reasons":[{",".join(reasons)}]{unknown}}}'
    )


def _place(layer: str, level: int | None) -> str:
    return f'"layer":"{layer}"' if level is None else f'"layer":"{layer}","level":{level}'


def _sid(sid: str | None) -> str:
    return "null" if sid is None else _quoted(sid)


def _once(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
