"""Credentials in plain text: known by their form, or by the name of what holds them.

Only the kind of what was found is ever returned, never a part of it. The forms are those their issuers document
(https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html and the like). Every expression
is bounded, so that a text of any origin is read in time linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

MAX_TEXT: Final = 100_000
"""More of a text is not read; user data has at most 16 KB, an environment a few."""

RESOLVED: Final = "a secret that CloudFormation writes out"
_FORMS: Final = tuple(
    (kind, tuple(hints.split()), re.compile(form))
    for kind, hints, form in (
        ("an AWS access key", "AKIA ASIA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
        ("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}"),
        ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20}"),
        ("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
        (
            "a Slack webhook",
            "hooks.slack.com/",
            r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{16}",
        ),
        ("a Stripe key", "k_live_", r"\b[rs]k_live_[A-Za-z0-9]{16}"),
        ("a Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
        ("a PyPI token", "pypi-AgE", r"\bpypi-AgE[A-Za-z0-9_-]{40}"),
        ("a Docker token", "dckr_pat_", r"\bdckr_pat_[A-Za-z0-9_-]{20}"),
        ("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
        ("an Azure storage key", "AccountKey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
        ("a private key", "-----BEGIN", r"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY-----"),
        (
            "a signed token",
            "eyJ",
            r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10}",
        ),
        (RESOLVED, "{{resolve:secretsmanager:", r"\{\{resolve:secretsmanager:[^}]{1,600}"),
        ("a password in a URL", "://", r"(?<=[a-z0-9])://[^/\s:@]{0,80}:(?![/$<{%*])[^/\s:@]{1,200}@"),
        ("a token in a URL", "://", r"(?<=http)s?://[A-Za-z0-9_-]{20,200}@"),
    )
)
"""Kind, texts of which one stands in every credential of this kind, and its form."""
_EXAMPLE: Final = re.compile(
    r"EXAMPLE|xxxxx|XXXXX|\*\*\*\*|:SecretString:(?:username|host|port|dbname|engine|url)\b"
)
"""Keys of the documentation, and fields of a database's secret that are no secret."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "apikey", "credential", "credentials",
     "pass", "privatekey", "secretkey", "accesskey", "authtoken"}
)  # fmt: skip
_SECRET_PAIRS: Final = (
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("encryption", "key"),
    ("signing", "key"),
)
_ABOUT: Final = frozenset(
    {
        "algorithm", "alias", "arn", "arns", "audience", "bucket", "count", "days", "enabled", "endpoint", "expiration",
        "expiry", "expires", "field", "file", "format", "header", "hours", "id", "ids", "identifier", "issuer", "lambda",
        "length", "lifetime", "limit", "location", "manager", "max", "min", "minutes", "mode", "name", "names", "namespace",
        "param", "parameter", "path", "policy", "prefix", "provider", "ref", "region", "required", "rotation", "seconds",
        "size", "source", "store", "suffix", "table", "ttl", "type", "uri", "url", "user", "username", "validity",
        "version",
    }
)  # fmt: skip
"""Last words of names that say something about a secret without being it: ``DB_SECRET_ARN``."""
_WHOLE: Final = frozenset({"awsaccesskeyid"})
_ELSEWHERE: Final = (
    "arn:", "{{", "$", "%", "<", "#{", "ssm:", "secretsmanager:", "vault:", "file:", "http://", "https://", "/", "s3://",
)  # fmt: skip
"""Beginnings of values that say where a secret is kept."""
_NOTHING: Final = frozenset(
    {"true", "false", "yes", "no", "none", "null", "undefined", "on", "off", "enabled", "disabled", "0", "1"}
)
_ASSIGNED: Final = re.compile(
    r"((?i:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[A-Za-z0-9_-]{0,40})"
    r"[\"']?[ \t]{0,5}(?:[:=]|[ \t])[ \t]{0,5}([\"']?)([^\s\"'`;,)}|&\\]{6,200})"
)
_ASSIGNED_TO: Final = ("passw", "passphrase", "secret", "token", "key")
_NAME_BEFORE: Final = re.compile(r"[A-Za-z0-9_.-]{0,60}\Z")


def form_of(text: str) -> str | None:
    """Return which known form of a credential stands in the text, None when there is none."""
    text = text[:MAX_TEXT]
    for kind, hints, form in _FORMS:
        for found in form.finditer(text) if any(hint in text for hint in hints) else ():
            if not _EXAMPLE.search(text, found.start(), min(len(text), found.end() + 100)):
                return kind
    return None


def names_secret(name: str) -> bool:
    """Say whether something of this name holds a secret: ``DB_PASSWORD`` does, ``DB_PASSWORD_ARN`` does not."""
    words = [word.lower() for word in _WORD.findall(name[:200])]
    if "".join(words) in _WHOLE:
        return True
    if not words or words[-1] in _ABOUT:
        return False
    pairs = set(pairwise(words))
    return not _SECRET_WORDS.isdisjoint(words) or any(pair in pairs for pair in _SECRET_PAIRS)


def written_out(value: str) -> bool:
    """Say whether a value is itself what its name promises, not the place where it is kept nor what AWS masked."""
    text = value.strip()
    return len(text.strip("*")) > 1 and text.lower() not in _NOTHING and not text.startswith(_ELSEWHERE)


@lru_cache(maxsize=256)
def in_text(text: str) -> tuple[str, ...]:
    """Return the kinds of credentials in a script or a file, by form and by assignment."""
    text = text[:MAX_TEXT]
    kind = form_of(text)
    found = [kind] if kind is not None else []
    lower = text.lower()
    if any(word in lower for word in _ASSIGNED_TO):
        found += _assigned(text)
    return tuple(found)


def _assigned(text: str) -> Iterator[str]:
    for found in _ASSIGNED.finditer(text):
        before = _NAME_BEFORE.search(text[max(0, found.start() - 60) : found.start()])
        name, quoted, value = (before[0] if before else "") + found[1], found[2], found[3]
        if names_secret(name) and written_out(value) and _looks_secret(name, value, bool(quoted)):
            yield f"a value for `{name.lstrip('-')}`"


def _looks_secret(name: str, value: str, quoted: bool) -> bool:
    """Words of a sentence follow ``token`` and ``password`` too; a secret has digits or is quoted behind ``=``."""
    if "$" in value or "{" in value or "(" in value or "::" in value:
        return False
    if not any(c.isdigit() for c in value):
        return quoted and "pass" in name.lower() and value.isascii() and " " not in value
    return any(c.isalpha() for c in value) and "/" not in value[:1] and not value.startswith("--")


__all__ = ["MAX_TEXT", "RESOLVED", "form_of", "in_text", "names_secret", "written_out"]
