"""Whether a successful answer is one of AWS's: botocore takes some broken ones for empty.

Of JSON that cannot be read, of a page of HTML that happens to be XML and of an empty body botocore makes an
answer without members: a proxy's page in place of a listing would say that there is nothing.
"""

from __future__ import annotations

from typing import Any, Final

_HTML: Final = (b"<!doctype", b"<html")
_LOOKED_AT: Final = 512
_MAX_OK: Final = 299
_JSON_TEXTS: Final = frozenset({"GetBucketPolicy"})
"""Operations of other protocols whose body is a JSON text
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html)."""


def check_answer(http_response: Any, model: Any, **_more: Any) -> None:
    """Refuse a body that is not the operation's; for botocore's event ``after-call``. Raises ResponseParserError."""
    shape = model.output_shape
    if http_response.status_code > _MAX_OK or shape is None or not _has_body(shape):
        return
    protocol = "json" if model.name in _JSON_TEXTS else model.service_model.resolved_protocol
    problem = _problem(http_response.content.strip(), protocol)
    if problem:
        from botocore.parsers import ResponseParserError

        raise ResponseParserError(f"the answer {problem}")


def _has_body(shape: Any) -> bool:
    """Whether the body is a document: not a stream or bytes, and not all in headers."""
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        return member.type_name in ("structure", "string") and not getattr(member, "is_eventstream", False)
    return any("location" not in member.serialization for member in shape.members.values())


def _problem(body: bytes, protocol: str) -> str:
    if not body:
        return "is empty"
    if body[:_LOOKED_AT].lower().lstrip().startswith(_HTML):
        return "is a page of HTML"
    if "json" in protocol and not (body[:1] in b"{[" and body[-1:] in b"}]"):
        return "is no JSON"
    return ""
