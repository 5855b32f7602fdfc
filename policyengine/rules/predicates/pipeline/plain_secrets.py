"""Whether variables and texts of a resource have credentials written in them.

Evidence names the variable and the kind of credential, never a part of its value; where the path itself is secret
and what was observed is therefore hidden, what was expected still says it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.catalog.secret_names import PAIR_NAMES, PAIR_VALUES
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.redacted import Looked, found_in
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.rules.credentials import MAX_TEXT, RESOLVED, form_of, in_text, names_secret, written_out
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_EXPECTED: Final = "no credential in plain text"
_KEPT: Final = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER"})
"""Types of CodeBuild's variables whose value is a name
(https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html)."""
_SECRET_ATTRIBUTES: Final = frozenset({"SecretAccessKey", "secret_string", "ses_smtp_password_v4"})
_PLAIN: Final = frozenset({"Ref", "Arn", "DNSName", "Endpoint.Address", "Endpoint.Port", "Name", "PrivateIp"})
"""Attributes that are in no case a secret; ``Ref`` gives names and identifiers."""
_MASKED: Final = frozenset({"OAuthToken", "SecretToken"})
"""What CodePipeline shows to nobody, so that a reference which CloudFormation resolves stays hidden
(https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipeline.html)."""
_MAX_JSON: Final = 100_000
_BETWEEN: Final = "$"
"""Stands for what is not known between two known parts of a text: a reference, so never itself a credential."""
_GAP: Final = re.compile(r"\$\{([^{}]{0,200})\}")
_GIVEN: Final = re.compile(r"AWS::[A-Za-z]+")
"""Pseudo parameters
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html)."""


class _Found(NamedTuple):
    """A credential (``kind``) or a value that may be one (``doubt``), and where."""

    path: Path
    name: str
    kind: str = ""
    doubt: Unresolved | None = None


def none_written(subject: Subject, *, fields: Sequence[str]) -> Answer:
    """FALSE when a variable or text at one of these paths, through lists, has a credential in it."""
    root = subject.resource.properties if subject.where is None else subject.where
    found = [
        one for name in fields for path, value in _at(root, name.split("."), ()) for one in _look(path, value)
    ]
    found = [f for f in found if not _is_masked(f)]
    bad = [f for f in found if f.doubt is None]
    if bad:
        shown = [(f.path, _said(f)) for f in bad]
        return Answer(
            FALSE,
            tuple(Evidence(p, s, f"{_EXPECTED}; found {s}", "forbidden_present") for p, s in shown),
        )
    if found:
        doubts = ((f.path, f.doubt) for f in found if f.doubt is not None)
        return Answer(UNKNOWN, tuple(Evidence(p, _blank(d), _EXPECTED, d.reason) for p, d in doubts))
    path = tuple(fields[0].split("."))
    return Answer(TRUE, (Evidence(path, "no credential found", _EXPECTED, "requirement_met"),))


def _said(found: _Found) -> str:
    return f"{found.kind} in `{found.name}`" if found.name else found.kind


def _blank(doubt: Unresolved) -> Unresolved:
    """Return the doubt without the text around it, which may be the secret itself."""
    return Unresolved(doubt.reason, doubt.detail if doubt.parts is None else "", present=doubt.present)


def _at(value: Any, steps: Sequence[str], at: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at the end of a path; lists on the way are stepped through."""
    if isinstance(value, Unresolved) or not steps:
        if value is not ABSENT:
            yield at, value
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _at(inner, steps, (*at, index))
        if isinstance(value, OpenList):
            yield at, value.more
    elif isinstance(value, Mapping):
        found = value[steps[0]] if steps[0] in value else getattr(value, "more", ABSENT)
        yield from _at(found, steps[1:], (*at, steps[0]))


def _look(path: Path, value: Any) -> Iterator[_Found]:
    """Yield what is wrong or not known at the end of a path: a list or map of variables, or a text."""
    if isinstance(value, Unresolved):
        looked = found_in(value)
        if looked is not None:
            yield from (_Found(path, "", said) for said in looked.text)
        else:
            yield from _unresolved(path, "", value)
    elif isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not None:
            yield from ((found._replace(path=path)) for found in _look(path, parsed))
        else:
            yield from (_Found(path, "", kind) for kind in in_text(_decoded(value)))
            if len(value) > MAX_TEXT:
                yield _Found(path, "", doubt=Unresolved("unsupported", "the text is too long to be read"))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _variable((*path, index), one)
        if isinstance(value, OpenList):
            yield _Found(path, "", doubt=value.more)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _named((*path, name), str(name), inner)
        if isinstance(value, OpenDict):
            yield _Found(path, "", doubt=value.more)


def _variable(path: Path, one: Any) -> Iterator[_Found]:
    if not isinstance(one, Mapping):
        yield from _look(path, one)
        return
    kind = one.get("Type", one.get("type", "PLAINTEXT"))
    name, value = _first(one, PAIR_NAMES), _first(one, PAIR_VALUES)
    if (isinstance(kind, str) and kind in _KEPT) or value is ABSENT:
        return
    if isinstance(kind, Unresolved):
        yield _Found(path, str(name) if isinstance(name, str) else "", doubt=kind)
        return
    found = list(_named(path, name if isinstance(name, str) else "", value))
    literal = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not found and isinstance(name, Unresolved) and literal and written_out(str(value)):
        found.append(_Found(path, "", doubt=name))
    yield from found


def _first(one: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((one[name] for name in names if name in one), getattr(one, "more", ABSENT))


def _named(path: Path, name: str, value: Any) -> Iterator[_Found]:
    if isinstance(value, Unresolved):
        looked = found_in(value)
        if looked is not None:
            yield from (_Found(path, "", said) for said in looked.variable)
        else:
            yield from _unresolved(path, name, value)
    elif isinstance(value, Mapping | list):
        yield from _look(path, value)
    elif isinstance(value, str) and _parsed(value) is not None:
        yield from (found._replace(path=path) for found in _look(path, _parsed(value)))
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        kind = form_of(str(value))
        if kind is not None:
            yield _Found(path, name, kind)
        elif names_secret(name) and written_out(str(value)):
            yield _Found(path, name, "a value in plain text")


def _unresolved(path: Path, name: str, value: Unresolved) -> Iterator[_Found]:
    """What refers to a resource is no secret, unless the attribute is one."""
    written = value.detail if value.detail.startswith("{{resolve:") else ""
    kind = next(iter(in_text(_BETWEEN.join(value.parts or (written,)))), None)
    if value.target is not None and value.target[1] in _SECRET_ATTRIBUTES:
        kind = f"the `{value.target[1]}` of `{value.target[0]}`"
    if kind is not None:
        yield _Found(path, name, kind)
    elif (value.target is None or names_secret(name)) and not _harmless(value):
        yield _Found(path, name, doubt=value)


def _harmless(value: Unresolved) -> bool:
    """Say whether all that is not known of a value are names that CloudFormation gives itself."""
    if value.parts is None:
        return value.detail.startswith("Ref: AWS::")
    if value.gaps:
        return all(_harmless(g) or (g.target is not None and g.target[1] in _PLAIN) for g in value.gaps)
    gaps = _GAP.findall(value.detail)
    return len(gaps) == len(value.parts) - 1 and all(map(_GIVEN.fullmatch, gaps))


def _parsed(text: str) -> Any:
    """Return the list or object that a text is in JSON, None for another text."""
    if text[:1] not in "[{" or len(text) > _MAX_JSON or text.count("[") + text.count("{") > 1000:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None


def _decoded(text: str) -> str:
    """Return the text behind base64, which user data is written in; any other text as it is."""
    packed = "".join(text.split())
    if len(packed) < 16 or len(packed) % 4:
        return text
    try:
        return base64.b64decode(packed, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text


def looked_at(name: str, value: str | Unresolved) -> Looked | None:
    """Return the kinds of credentials a value has, as a variable of this name and as a text: what is kept of a
    value that is taken out of a snapshot. None for one that is too long to be looked at, or of which so little is known
    that one of the two cannot be said."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return None
    as_variable, as_text = list(_named((), name, value)), list(_look((), value))
    if isinstance(value, Unresolved) and not (_is_decided(as_variable) and _is_decided(as_text)):
        return None
    return Looked(_told(as_variable), _told(as_text))


def _is_decided(found: Sequence[_Found]) -> bool:
    return not found or any(f.doubt is None for f in found)


def _told(found: Iterable[_Found]) -> tuple[str, ...]:
    bad = (f for f in found if f.doubt is None and not _is_masked(f))
    return tuple(dict.fromkeys(_said(f) for f in bad))


def _is_masked(found: _Found) -> bool:
    return found.name in _MASKED and found.kind == RESOLVED


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "secrets.none_written",
        none_written,
        "No variable and no text at these paths has a credential written in it.",
        {
            "fields": Arg(
                "list:string", help="paths of variables (a list or a map) or of a text; lists have no step"
            )
        },
        reads=(),
        reads_at="fields",
    ),
)
