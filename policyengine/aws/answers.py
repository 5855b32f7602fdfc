"""Whether a successful answer is one of AWS's: botocore takes some broken ones for empty.

Of JSON that cannot be read, of a page of HTML that happens to be XML and of an empty body botocore makes an
answer without members: a proxy's page in place of a listing would say that there is nothing.
"""

from __future__ import annotations

from typing import Any, Final

_HTML: Final = (b"<!doctype", b"<html")
_LOOKED_AT: Final = 512
_MAX_OK: Final = 299


def check_answer(http_response: Any, model: Any, **_more: Any) -> None:
    """Refuse a body that is not the operation's; for botocore's event ``after-call``. Raises ResponseParserError."""
    shape = model.output_shape
    if http_response.status_code > _MAX_OK or shape is None or not _has_body(shape):
        return
    problem = _problem(http_response.content.strip(), model.service_model.resolved_protocol)
    if problem:
        from botocore.parsers import ResponseParserError

        raise ResponseParserError(f"the answer {problem}")


def _has_body(shape: Any) -> bool:
    """Whether the body is a document: not a stream, a text or bytes, and not all in headers."""
    payload = shape.serialization.get("payload")
    if payload is not None:
        return bool(shape.members[payload].type_name == "structure") and not getattr(
            shape.members[payload], "is_eventstream", False
        )
    return any("location" not in member.serialization for member in shape.members.values())


def _problem(body: bytes, protocol: str) -> str:
    if not body:
        return "is empty"
    if body[:_LOOKED_AT].lower().lstrip().startswith(_HTML):
        return "is a page of HTML"
    if "json" in protocol and not (body[:1] in b"{[" and body[-1:] in b"}]"):
        return "is no JSON"
    return ""
