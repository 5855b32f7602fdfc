"""Predicates about user tags. Keys that start with ``aws:`` are AWS's own and never count.

Where not all tags are known (an object with ``more``), a tag that is not seen may still be there:
what a seen tag settles is answered, the rest is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.patterns import compile_pattern
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.tags import policy as tag_policy
from policyengine.rules.predicates.tags.names import is_aws_key, matches_wildcard, normal_value, variant_of

PLACEHOLDERS: Final = (
    "TBD", "TBA", "TODO", "FIXME", "none", "null", "nil", "n/a", "unknown", "undefined", "changeme",
    "replaceme", "placeholder", "to be defined", "to be determined", "xxx",
)  # fmt: skip
"""What is written where a tag must have a value and nobody decided one."""

Tags = Mapping[str, Any]


def required(subject: Subject, *, keys: Sequence[str]) -> Answer:
    """TRUE when every key is there, exactly spelt, whatever its value."""
    tags = _tags(subject, "tags: " + ", ".join(keys))
    if isinstance(tags, Answer):
        return tags
    found, failed, unknown = [], [], []
    for key in keys:
        path: Path = ("tags", key)
        value = tags.get(key)
        if isinstance(value, Unresolved) and not value.present:
            unknown.append(Evidence(path, value, f"a tag `{key}`", value.reason))
        elif key in tags and not is_aws_key(key):
            found.append(Evidence(path, tags[key], f"a tag `{key}`", "requirement_met"))
        else:
            variant = variant_of(key, (k for k in tags if k not in keys))
            failed.append(_missing(key, variant))
    return _answer(failed, unknown, found)


def _missing(key: str, variant: str | None) -> Evidence:
    if variant is None:
        return Evidence(("tags", key), ABSENT, f"a tag `{key}`", "tag_missing")
    return Evidence(("tags", variant), variant, f"a tag spelt exactly `{key}`", "tag_misspelt")


def no_placeholders(subject: Subject, *, keys: Sequence[str], placeholders: Sequence[str]) -> Answer:
    """TRUE when none of the keys that are there has a blank value or a placeholder."""
    refused = frozenset(normal_value(p) for p in placeholders) | {""}
    return _each_value(
        subject, keys, lambda _key, value: normal_value(value) not in refused, "tag_placeholder",
        lambda _key: "a value, not a placeholder",
    )  # fmt: skip


def one_of(subject: Subject, *, key: str, values: Sequence[str]) -> Answer:
    """TRUE when the tag is there and its value is one of the texts, whatever the case."""
    expected = f"a tag `{key}` that is " + (" or ".join(f"`{v}`" for v in values) or "nothing at all")
    tags = _tags(subject, expected)
    if isinstance(tags, Answer):
        return tags
    path: Path = ("tags", key)
    value = tags.get(key, getattr(tags, "more", ABSENT)) if not is_aws_key(key) else ABSENT
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(path, value, expected, value.reason),))
    if value is ABSENT:
        return Answer(FALSE, (Evidence(path, value, expected, "tag_missing"),))
    if str(value).casefold() in {v.casefold() for v in values}:
        return Answer(TRUE, (Evidence(path, value, expected, "requirement_met"),))
    return Answer(FALSE, (Evidence(path, value, expected, "tag_value"),))


def allowed_values(subject: Subject, *, values: Any) -> Answer:
    """TRUE when each key of ``values`` that is there has one of its allowed values.

    ``values`` maps a key to a list of texts (``*`` stands for any characters) and of
    ``{matches: REGEX}``. Other shapes are UNKNOWN.
    """
    problem = _wrong_values(values)
    if problem is not None:
        return Answer(UNKNOWN, (Evidence((), values, problem, "wrong_type"),))
    return _each_value(
        subject, list(values), lambda key, value: any(_fits(a, value) for a in values[key]), "tag_value",
        lambda key: "one of " + ", ".join(_show(a) for a in values[key]),
    )  # fmt: skip


def _wrong_values(values: Any) -> str | None:
    """Return what the argument should have been, None when it is right."""
    if not isinstance(values, dict):
        return "`values` as an object: tag key -> list of allowed values"
    for key, allowed in values.items():
        if not isinstance(allowed, list):
            return f"a list of the values allowed for `{key}`"
        for item in allowed:
            if isinstance(item, str):
                continue
            if not isinstance(item, dict) or list(item) != ["matches"] or _pattern(item["matches"]) is None:
                return f"a text or {{matches: REGEX}} among the values allowed for `{key}`"
    return None


def _fits(allowed: Any, value: str) -> bool:
    if isinstance(allowed, str):
        return matches_wildcard(allowed, value)
    pattern = _pattern(allowed["matches"])
    return pattern is not None and bool(pattern.fullmatch(value))


@lru_cache(maxsize=256)
def _pattern(text: Any) -> Any:
    """Return the compiled pattern, None for what is none."""
    try:
        return compile_pattern(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _show(allowed: Any) -> str:
    return f"`{allowed}`" if isinstance(allowed, str) else f"/{allowed['matches']}/"


def policy(subject: Subject, *, policy: Any) -> Answer:
    """TRUE when the tags comply with an AWS Organizations tag policy."""
    rules = tag_policy.parse(policy)
    if isinstance(rules, str):
        return Answer(UNKNOWN, (Evidence((), policy, rules, "wrong_type"),))
    tags = _tags(subject, "tags that comply with the tag policy")
    if isinstance(tags, Answer):
        return tags
    failed, unknown, found = tag_policy.judge(rules, tags, subject.resource.type)
    more = getattr(tags, "more", None)
    if more is not None and rules:
        unknown.append(Evidence(("tags",), more, "tags that comply with the tag policy", more.reason))
    return _answer(failed, unknown, found)


def _tags(subject: Subject, expected: str) -> Tags | Answer:
    """Return the tags of the resource, or the answer that they cannot be judged."""
    tags = subject.resource.tags
    if isinstance(tags, Unresolved):
        return Answer(UNKNOWN, (Evidence(("tags",), tags, expected, tags.reason),))
    if tags is None:
        observed = f"{subject.resource.type} cannot be tagged"
        return Answer(UNKNOWN, (Evidence(("tags",), observed, expected, "wrong_type"),))
    return tags


def _each_value(subject: Subject, keys: Sequence[str], passes: Any, reason: str, expected: Any) -> Answer:
    """Judge the values of the keys that are there; ``passes(key, value)`` decides a known one."""
    tags = _tags(subject, "known tags")
    if isinstance(tags, Answer):
        return tags
    more = getattr(tags, "more", None)
    found, failed, unknown = [], [], []
    for key in keys:
        value = tags.get(key, ABSENT) if not is_aws_key(key) else ABSENT
        path: Path = ("tags", key)
        if value is ABSENT and more is None:
            found.append(Evidence(path, ABSENT, expected(key), "requirement_met"))
        elif value is ABSENT or isinstance(value, Unresolved):
            cause: Any = more if value is ABSENT else value
            unknown.append(Evidence(path, cause, expected(key), cause.reason))
        elif not isinstance(value, str):
            unknown.append(Evidence(path, value, expected(key), "wrong_type"))
        elif passes(key, value):
            found.append(Evidence(path, value, expected(key), "requirement_met"))
        else:
            failed.append(Evidence(path, value, expected(key), reason))
    return _answer(failed, unknown, found)


def _answer(failed: list[Evidence], unknown: list[Evidence], found: list[Evidence]) -> Answer:
    if failed:
        return Answer(FALSE, tuple(failed))
    return Answer(UNKNOWN, tuple(unknown)) if unknown else Answer(TRUE, tuple(found))


_KEYS: Final = Arg("list:string", help="tag keys, exactly spelt")
PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "tags.required",
        required,
        "All mandatory tag keys are there, exactly spelt.",
        {"keys": _KEYS},
        reads=("tags",),
    ),
    Predicate(
        "tags.no_placeholders",
        no_placeholders,
        "None of the tags has a blank value or a placeholder such as TBD; a tag that is not there is not judged.",
        {"keys": _KEYS, "placeholders": Arg("list:string", False, list(PLACEHOLDERS), "values not accepted")},
        reads=("tags",),
    ),
    Predicate(
        "tags.one_of",
        one_of,
        "The tag is there and has one of the values, whatever the case.",
        {"key": Arg("string", help="the tag key"), "values": Arg("list:string", help="the values")},
        reads=("tags",),
    ),
    Predicate(
        "tags.allowed_values",
        allowed_values,
        "Each of the tags that is there has one of its allowed values.",
        {"values": Arg("json", help="tag key -> list of texts (`*`: anything) and {matches: REGEX}")},
        reads=("tags",),
    ),
    Predicate(
        "tags.policy",
        policy,
        "The tags comply with an AWS Organizations tag policy.",
        {"policy": Arg("json", help="the policy's JSON, best the account's effective tag policy")},
        reads=("tags",),
    ),
)
