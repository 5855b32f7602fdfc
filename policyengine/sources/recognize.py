"""What a file is, from its bytes: a snapshot, a template, a Terraform plan, a file of AWS Config, or not ours.

The beginning of a file settles most cases. A whole document is parsed only when its bytes hold one
of the words that ours must have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from policyengine.documents import Document, DocumentError, load
from policyengine.model.errors import InputError
from policyengine.sources.config.item import is_config
from policyengine.sources.config.stream import GZIP_MAGIC, inflate
from policyengine.sources.snapshot.files import ZSTD_MAGIC, StreamError, cut_lines, expand

HEAD: Final = 64 * 1024
ACCEPTED: Final = (
    "expected a CloudFormation template (YAML or JSON), a Terraform plan (`terraform show -json`), "
    "a snapshot (`.ndjson`, or a folder with `manifest.json`), a snapshot, history or event of AWS Config, "
    "or a folder with any of these"
)

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_JSON_MARKS = (b"Resources", b"format_version", b"resourceType", b"configurationItem", b"terraform_version")
_YAML_MARK = re.compile(
    rb"""^(?:\xef\xbb\xbf)?[ \t]*["']?(?:Resources|AWSTemplateFormatVersion)["']?[ \t]*:""", re.MULTILINE
)
_LINE = re.compile(rb'^\s*\{\s*"')
_LINE_KEYS = frozenset({"type", "id", "properties"})
_CONFIG_LIST = re.compile(
    rb'\s*\{\s*"(?:fileVersion|configSnapshotId|configurationItems|[bB]aseConfigurationItems)"\s*:'
)
_CONFIG_MARKS = (b'"configurationItems"', b'"baseConfigurationItems"', b'"BaseConfigurationItems"')
_DOCUMENTS = (".json", ".yaml", ".yml", ".template")


class Verdict(NamedTuple):
    """``kind``: ``snapshot``, ``manifest`` (of one), ``template``, ``plan``, ``config``, ``other`` or ``broken``.

    ``document`` is what was parsed on the way; ``reason`` says what the file is when it is not
    ours (a phrase that follows "is"); ``error`` is set for ``broken``.
    """

    kind: str
    reason: str = ""
    document: Document | None = None
    error: InputError | None = None


def _other(reason: str) -> Verdict:
    return Verdict("other", reason)


def recognize(head: bytes, rest: Callable[[], bytes], name: str, *, asked: bool, max_bytes: int) -> Verdict:
    """Return what a file is.

    ``head`` is its beginning (at most HEAD bytes), ``rest`` reads the whole file (it may raise
    InputError, which is passed on), ``name`` is how messages call it. ``asked`` says that the user named this very
    file: then it is parsed even when nothing in its bytes promises a document of ours.
    """
    if not head.strip():
        return _other("empty")
    if head.startswith(ZSTD_MAGIC):
        return _compressed(head)
    if head.startswith(GZIP_MAGIC):
        return _gzipped(head)
    if head.startswith(b"PK\x03\x04"):
        return _other("a zip archive (a binary Terraform plan? print it with `terraform show -json`)")
    if b"\0" in head and not head.startswith((*_UTF16, b"\xef\xbb\xbf")) and not _wide(head):
        return _other("binary")
    if name.endswith((".tf", ".tofu")):
        return _other("Terraform configuration (make a plan and scan `terraform show -json PLANFILE`)")
    if name.endswith((".ndjson", ".jsonl")) or _is_line(head):
        return Verdict("snapshot")
    if _lists_items(head):
        return Verdict("config")
    return _document(head, rest, name, asked, max_bytes)


def _compressed(head: bytes) -> Verdict:
    try:
        for _, lines in cut_lines(expand([head]), lambda _: None):
            if not _LINE.match(lines[0].removeprefix(b"\xef\xbb\xbf")):
                return _other("zstd, but no snapshot")
            break
    except StreamError:  # the head of a longer file is a truncated one
        pass
    return Verdict("snapshot")


def _gzipped(head: bytes) -> Verdict:
    """Only AWS Config delivers gzip that is read here; what is inside is decided by its beginning."""
    first = b""
    try:
        for block in inflate([head]):
            first += block
            if len(first) >= HEAD:
                break
    except StreamError as problem:  # the head of a longer file is a truncated one
        if not first:
            return _other(str(problem).removeprefix("is "))
    start = first[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    ours = _lists_items(first) or (start in (b"{", b"[") and b"configurationItem" in first)
    return Verdict("config") if ours else _other("gzip, but nothing of AWS Config")


def _lists_items(head: bytes) -> bool:
    """Say whether a document begins as AWS Config's files and answers do, however long it is."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    return _CONFIG_LIST.match(text) is not None and any(mark in text for mark in _CONFIG_MARKS)


def _wide(head: bytes) -> bool:
    """ASCII in UTF-16 without a mark: the document reader has a better message for it."""
    return len(head) > 3 and head[:4].count(0) == 2 and b"\0\0" not in head[:4]


def _is_line(head: bytes) -> bool:
    """Say whether the first line is a snapshot's, however long it is."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not _LINE.match(text):
        return False
    first, newline, _ = text.partition(b"\n")
    if newline or len(head) < HEAD:
        try:
            record = json.loads(first)
        except (ValueError, RecursionError):
            return first.startswith(b'{"type":"') and b'"properties":' in first
        return isinstance(record, dict) and record.keys() >= _LINE_KEYS
    return first.startswith(b'{"type":"') and b'"id":"' in first


def _document(head: bytes, rest: Callable[[], bytes], name: str, asked: bool, max_bytes: int) -> Verdict:
    data = rest() if len(head) >= HEAD else head
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    wide = data.startswith(_UTF16)
    flow = start in (b"{", b"[")
    if not asked and not wide:
        marked = any(m in data for m in _JSON_MARKS) if flow else _YAML_MARK.search(data)
        if not marked:
            return _other("no template, plan or snapshot")
    try:
        document = load(data, name=name, style="cloudformation", max_bytes=max_bytes)
    except DocumentError as problem:
        return (
            Verdict("broken", "broken", None, problem)
            if _promised(data, name, asked)
            else _other("no document")
        )
    return _of_value(document)


def _promised(data: bytes, name: str, asked: bool) -> bool:
    """Say whether a file that cannot be parsed looks like ours, so that it is worth an error."""
    if asked:
        return True
    text = data.replace(b"\0", b"")
    template = b"AWSTemplateFormatVersion" in text or (b"AWS::" in text and b"Resources" in text)
    ours = template or b'"planned_values"' in text or b'"configurationItemCaptureTime"' in text
    return ours and name.endswith(_DOCUMENTS)


def _of_value(document: Document) -> Verdict:
    from policyengine.sources.cloudformation import is_template
    from policyengine.sources.terraform.marks import is_plan, is_state

    value = document.value
    if is_plan(value):
        return Verdict("plan", document=document)
    if is_template(value):
        return Verdict("template", document=document)
    if is_state(value):
        return _other("a Terraform state (scan a plan: `terraform show -json PLANFILE`)")
    if is_config(value):
        return Verdict("config", document=document)
    if isinstance(value, dict) and "version" in value and "parts" in value:
        return Verdict("manifest", document=document)
    if isinstance(value, dict) and value.keys() >= _LINE_KEYS:
        return Verdict("snapshot")
    return _other(_shape(value))


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(f"`{str(k)[:30]}`" for k in list(value)[:3])
        return f"an object with {keys}" if keys else "an empty object"
    if isinstance(value, list):
        return "a list"
    return "plain text"
