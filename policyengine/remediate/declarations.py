"""Reading ``remediation.yaml``: every mistake with its place, what was found and what was expected.

Only texts are read here; the compiled form (:mod:`policyengine.remediate.registry`) needs no YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.documents import Document, DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.errors import RuleError
from policyengine.remediate.declaration import MODES, REVERSIBLE, Declaration
from policyengine.rules.names import unknown
from policyengine.rules.parameters import check_value

MAX_BYTES: Final = 64 * 1024
MOST_ERRORS: Final = 100
MOST_APPROVALS: Final = 5
LONGEST_VERIFYING: Final = 3600
TAGGABLE: Final = "taggable"
"""Among ``types``: every type that can be tagged, as in ``applies_to`` of a rule."""
PLACES: Final = ("partition", "region", "account")
_PARAMETER: Final = "parameter."
"""What an ARN template of ``scope`` and ``also`` may name."""
READING: Final = (
    "BatchDescribe", "BatchGet", "Check", "Describe", "Get", "Head", "List", "Lookup", "Query", "Search", "Simulate",
    "Validate", "View",
)  # fmt: skip
"""How the names of operations begin that change nothing. A test holds each declared read against the access levels of
the service authorization reference too."""
READING_TOO: Final = frozenset(
    {"iam:GenerateServiceLastAccessedDetails", "iam:GenerateCredentialReport", "logs:StartQuery"}
)
"""Operations that prepare an answer and change nothing else
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html)."""
PARAMETER_KEYS: Final = ("type", "default", "minimum", "maximum", "enum", "description")
PARAMETER_TYPES: Final = ("integer", "number", "string", "boolean", "list:integer", "list:string", "json")

_ID: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_OPERATION: Final = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*")
_ACTION: Final = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*")
_ARN: Final = re.compile(
    r"arn:\{partition\}:[a-z0-9-]+:(?:\{region\}|\*|[a-z0-9-]*):(?:\{account\}|\*|aws|):.+"
)
_LEFT_OUT: Final[Mapping[str, Any]] = {
    "lost": "",
    "scope": {},
    "also": {},
    "conditions": {},
    "withheld": [],
    "parameters": {},
}
_KEYS: Final = tuple(Declaration.__dataclass_fields__)
Step = str | int


def read_declaration(
    text: bytes, name: str, folder: str, rules: Collection[str]
) -> tuple[Declaration | None, list[RuleError]]:
    """Return the declaration in a text, or what is wrong with it, in the order of the file.

    ``name`` stands in messages, ``folder`` is the name of the folder, which is the id; ``rules`` are the ids there are.
    """
    try:
        document = load(text, name=name, syntax="yaml", style="strict", max_bytes=MAX_BYTES)
    except DocumentError as error:
        return None, [RuleError(error.message, error.location)]
    reader = _Reader(document)
    declaration = reader.read(folder, rules)
    return (None, reader.sorted()) if reader.errors else (declaration, [])


class _Reader:
    """Keeps every mistake; what it returns is used only where there is none."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[RuleError] = []
        self.form: dict[str, Any] = {}

    def sorted(self) -> list[RuleError]:
        def place(error: RuleError) -> tuple[int, int]:
            at = error.location
            return (at.line or 0, at.column or 0) if at is not None else (0, 0)

        return sorted(self.errors, key=place)

    def wrong(self, place: Sequence[Step], message: str, *, key: bool = False) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(RuleError(message, self.document.locate(tuple(place), key=key)))

    def read(self, folder: str, rules: Collection[str]) -> Declaration | None:
        value = self.document.value
        if not isinstance(value, dict):
            self.wrong(
                (), "expected a mapping with id, title, version, fixes, types, reads, writes and so on"
            )
            return None
        for key in value:
            if key not in _KEYS:
                self.wrong((key,), unknown("key", str(key), _KEYS), key=True)
        for key in _KEYS:
            if key not in value and key not in _LEFT_OUT:
                self.wrong((), f"lacks the key `{key}`")
        self.form = {**_LEFT_OUT, **{key: value[key] for key in _KEYS if key in value}}
        self._scalars(folder)
        self._lists(rules)
        for key in ("scope", "also"):
            self._templates(key)
        self._conditions()
        self._parameters()
        if self.errors:
            return None
        self._together()
        if TAGGABLE in self.form["types"]:
            self.form["types"] = sorted({*self.form["types"], *registry.taggable_types()} - {TAGGABLE})
        return None if self.errors else Declaration.from_json(self.form)

    def _scalars(self, folder: str) -> None:
        if self._text("id", 1, 60) and not _ID.fullmatch(self.form["id"]):
            self.wrong(("id",), f"{shown(self.form['id'])} is no snake_case name")
        elif "id" in self.form and self.form["id"] != folder:
            self.wrong(
                ("id",), f"id {shown(str(self.form['id']))} is not the folder's name; expected `{folder}`"
            )
        self._text("title", 8, 120)
        self._text("dangers", 10, 4000)
        self._text("lost", 0, 1000)
        self._integer("version", 1, 10_000)
        self._integer("approvals", 0, MOST_APPROVALS)
        self._integer("verify_seconds", 0, LONGEST_VERIFYING)
        for key in ("destructive", "window"):
            if key in self.form and not isinstance(self.form[key], bool):
                self.wrong((key,), f"`{key}` is true or false; found {shown(str(self.form[key]))}")
        for key, known in (("mode", MODES), ("reversible", REVERSIBLE)):
            if key in self.form and self.form[key] not in known:
                self.wrong((key,), unknown(key, str(self.form[key]), known))

    def _text(self, key: str, least: int, most: int) -> bool:
        if key not in self.form:
            return False
        value = self.form[key]
        if not isinstance(value, str) or not least <= len(value.strip()) <= most:
            self.wrong(
                (key,), f"`{key}` is a text of {least} to {most} characters; found {shown(str(value))}"
            )
            return False
        self.form[key] = value.strip()
        return True

    def _integer(self, key: str, least: int, most: int) -> None:
        value = self.form.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong((key,), f"`{key}` is a whole number from {least} to {most}; found {shown(str(value))}")

    def _lists(self, rules: Collection[str]) -> None:
        self._list("fixes", lambda rule: None if rule in rules else unknown("rule", rule, rules))
        self._list("types", _type)
        self._list("reads", _reads)
        self._list("writes", _operation, may_be_empty=self.form.get("mode") == "plan")
        writes = [op for op in self.form.get("writes") or () if isinstance(op, str)]
        self._list(
            "withheld",
            lambda op: None if op in writes else unknown("operation among `writes`", op, writes),
            may_be_empty=True,
        )
        self._list(
            "references",
            lambda url: None if url.startswith("https://") else f"{shown(url)} is no https:// address",
        )

    def _list(self, key: str, problem: Callable[[str], str | None], *, may_be_empty: bool = False) -> None:
        if key not in self.form:
            return
        value = self.form[key]
        if not isinstance(value, list) or not (value or may_be_empty):
            self.wrong((key,), f"`{key}` is a list of texts with at least one; found {shown(str(value))}")
            self.form[key] = []
            return
        seen: set[str] = set()
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.wrong((key, index), f"expected a text in quotes; found {shown(str(item))}")
                continue
            said = f"{shown(item)} stands twice in `{key}`" if item in seen else problem(item)
            seen.add(item)
            if said:
                self.wrong((key, index), said)

    def _templates(self, key: str) -> None:
        value = self.form[key]
        if not isinstance(value, dict):
            self.wrong((key,), f"`{key}` is a mapping to lists of ARNs; found {shown(str(value))}")
            return
        operations = [
            op for name in ("reads", "writes") for op in self.form.get(name, ()) if isinstance(op, str)
        ]
        for name, arns in value.items():
            if key == "scope" and name not in operations:
                text = unknown("operation", name, operations)
                self.wrong((key, name), f"{text}; `scope` restricts what `reads` and `writes` list", key=True)
            elif key == "also" and not _ACTION.fullmatch(name):
                self.wrong((key, name), f"{shown(name)} is no IAM action such as `iam:PassRole`", key=True)
            if not isinstance(arns, list) or not arns:
                self.wrong((key, name), f"expected a list of ARNs; found {shown(str(arns))}")
                continue
            for index, arn in enumerate(arns):
                # an action that AWS checks beside the operation's own may have no resource type: logs:CreateLogDelivery
                said = None if key == "also" and arn == "*" else _arn(arn, self.form["parameters"])
                if said:
                    self.wrong((key, name, index), said)

    def _conditions(self) -> None:
        value = self.form["conditions"]
        if not isinstance(value, dict):
            self.wrong(
                ("conditions",), f"`conditions` is a mapping of IAM actions; found {shown(str(value))}"
            )
            return
        for action, tests in value.items():
            if not _ACTION.fullmatch(action):
                self.wrong(
                    ("conditions", action),
                    f"{shown(action)} is no IAM action such as `iam:PassRole`",
                    key=True,
                )
            if not _is_condition(tests):
                text = "expected `{Operator: {condition:key: [values]}}`, as in a policy's `Condition`"
                self.wrong(("conditions", action), f"{text}; found {shown(str(tests))}")

    def _parameters(self) -> None:
        value = self.form["parameters"]
        if not isinstance(value, dict):
            self.wrong(("parameters",), f"`parameters` is a mapping; found {shown(str(value))}")
            return
        for name, declared in value.items():
            place = ("parameters", name)
            if not _ID.fullmatch(name):
                self.wrong(place, f"{shown(name)} is no snake_case name", key=True)
            if not isinstance(declared, dict):
                self.wrong(place, f"expected `{{type: ..., default: ...}}`; found {shown(str(declared))}")
                continue
            self._parameter(place, declared)

    def _parameter(self, place: tuple[Step, ...], declared: Mapping[str, Any]) -> None:
        before = len(self.errors)
        for key in declared:
            if key not in PARAMETER_KEYS:
                self.wrong((*place, key), unknown("key", key, PARAMETER_KEYS), key=True)
        for key in ("type", "default"):
            if key not in declared:
                self.wrong(place, f"the parameter lacks the key `{key}`")
        if "type" in declared and declared["type"] not in PARAMETER_TYPES:
            self.wrong((*place, "type"), unknown("type", str(declared["type"]), PARAMETER_TYPES))
        for key in ("minimum", "maximum"):
            bound = declared.get(key, 0)
            if not isinstance(bound, int | float) or isinstance(bound, bool):
                self.wrong((*place, key), f"`{key}` is a number; found {shown(str(bound))}")
        if not isinstance(declared.get("enum", []), list):
            self.wrong((*place, "enum"), f"`enum` is a list; found {shown(str(declared['enum']))}")
        if before == len(self.errors):
            problem = check_value(declared, declared["default"])
            if problem:
                self.wrong((*place, "default"), problem)

    def _together(self) -> None:
        """What single values cannot say: a destructive change never runs without a person, and so on."""
        form = self.form
        both = sorted({*form["reads"]} & {*form["writes"]})
        if both:
            self.wrong(("writes", form["writes"].index(both[0])), f"`{both[0]}` stands in `reads` already")
        if form["mode"] == "automatic" and form["destructive"]:
            self.wrong(("mode",), "what is destructive is never automatic; expected `approval` or `plan`")
        if form["mode"] == "automatic" and form["approvals"]:
            self.wrong(
                ("approvals",), f"`automatic` asks nobody; found {form['approvals']} approvals, expected 0"
            )
        if form["mode"] == "approval" and not form["approvals"]:
            self.wrong(("approvals",), "`mode: approval` asks for at least one person; found 0")
        if form["reversible"] == "full" and form["lost"]:
            self.wrong(("lost",), "`reversible: full` loses nothing; leave `lost` out, or say `partial`")
        if form["reversible"] != "full" and not form["lost"]:
            self.wrong(
                ("reversible",), f"`reversible: {form['reversible']}` lacks `lost`: what is not restored"
            )


def _type(type: str) -> str | None:
    known = type == TAGGABLE or registry.spec(type) is not None or registry.schema(type) is not None
    return None if known else unknown("resource type", type, registry.covered())


def _operation(operation: str) -> str | None:
    if _OPERATION.fullmatch(operation):
        return None
    return f"{shown(operation)} is no operation such as `s3:PutBucketPolicy` (botocore's service, AWS's operation)"


def _reads(operation: str) -> str | None:
    said = _operation(operation)
    if said or operation in READING_TOO or operation.partition(":")[2].startswith(READING):
        return said
    return f"{shown(operation)} may change something; `reads` are operations that begin with {', '.join(READING)}"


def _is_condition(tests: Any) -> bool:
    return isinstance(tests, dict) and all(
        isinstance(keys, dict)
        and keys
        and all(
            isinstance(values, list) and all(isinstance(v, str) for v in values) for values in keys.values()
        )
        for keys in tests.values()
    )


def _arn(arn: Any, parameters: Any) -> str | None:
    if not isinstance(arn, str):
        return f"expected an ARN in quotes; found {shown(str(arn))}"
    if arn.startswith(f"{{{_PARAMETER}") and arn.endswith("}"):
        name = arn[len(_PARAMETER) + 1 : -1]
        known = list(parameters) if isinstance(parameters, dict) else []
        return None if name in known else unknown("parameter", name, known)
    names = re.findall(r"\{([^{}]*)\}", arn)
    bad = next((name for name in names if name not in PLACES), None)
    if bad is not None:
        return unknown("name in an ARN", bad, PLACES)
    if not _ARN.fullmatch(arn):
        return f"{shown(arn)} is no ARN such as `arn:{{partition}}:s3:::*`; operations without one are left out of `scope`"
    return None
