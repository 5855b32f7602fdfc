"""Policy documents of whatever a user names: a bare policy, or all that a template, plan or snapshot holds."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from policyengine.documents import Document as Text
from policyengine.documents import load
from policyengine.iam.documents import read_policy
from policyengine.iam.errors import JsonPath, PolicyError
from policyengine.iam.grammar import Kind
from policyengine.iam.organization_records import POLICY_TYPES
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.rules.iam.reader import Document, Reader
from policyengine.rules.iam.tables import spots
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.spool import spool

MAX_BARE: Final = 4 * 1024 * 1024
"""Bytes of a file that may be a bare policy: four times what ``read_policy`` takes."""


class Documents(NamedTuple):
    """Policies, what went wrong, and whether a snapshot could not be read whole (exit code 4)."""

    documents: list[Document]
    errors: list[PolicyEngineError]
    incomplete: bool = False


def read_documents(
    target: str, kind: Kind | None = None, options: SourceOptions | None = None
) -> tuple[list[Document], list[PolicyEngineError]]:
    """Return every policy of a target, and what went wrong, as ``read_all`` has them."""
    found = read_all(target, kind, options)
    return found.documents, found.errors


def read_all(target: str, kind: Kind | None = None, options: SourceOptions | None = None) -> Documents:
    """Return every policy of a target, and what went wrong.

    A file that is a policy by itself is one document, of ``kind`` or of the kind its elements show; in
    anything else ``kind`` keeps only the documents of that kind. Errors: an unreadable target, a
    document AWS would refuse (with its place), a target without a policy.
    """
    bare = bare_text(target)
    if bare is not None:
        try:
            return Documents([_read_bare(bare, kind)], [])
        except InputError as error:
            return Documents([], [error])
    found = open_targets([target], options or SourceOptions())
    reader = Reader()
    documents = [d for source in found.sources for r in source.resources() for d in documents_of(r, reader)]
    if kind is not None:
        documents = [d for d in documents if d.policy.kind == kind]
    errors = [*found.errors, *(e for source in found.sources for e in source.errors), *reader.errors]
    if not documents and not errors:
        what = "policy" if kind is None else f"policy of the kind `{kind}`"
        errors.append(InputError(f"no {what} in `{target}`", code="no_resource"))
    incomplete = any(source.kind == "snapshot" and source.errors for source in found.sources)
    return Documents(documents, errors, incomplete)


def bare_document(target: str) -> Document | None:
    """Return a file that is a policy by itself, None for anything else; raises InputError for a refused one."""
    text = bare_text(target)
    return None if text is None else _read_bare(text, None)


def documents_of(resource: Resource, reader: Reader) -> Iterator[Document]:
    """Yield the policies of a resource, each of its branches by itself."""
    for branch in (resource, *resource.variants):
        if branch.type == "AWS::Organizations::Policy":
            kind = POLICY_TYPES.get(str(branch.properties.get("Type")))
            if kind is not None and "Content" in branch.properties:
                yield reader.document(branch, ("Content",), branch.properties["Content"], kind)
        for path, value, spot in spots(branch):
            yield reader.document(branch, path, value, spot)


# -- bare policies ----------------------------------------------------------------------------------------


def bare_text(target: str, name: str | None = None) -> Text | None:
    """Return the document of a file that is a policy by itself, called ``name``; None for anything else."""
    try:
        data = _data(target)
        if data is None or b"tatement" not in data:
            return None
        text = load(data, name=name or target)
    except (OSError, ValueError, InputError):
        return None  # opening it as a target says what is wrong
    value = text.value
    if not isinstance(value, dict) or "Resources" in value:
        return None
    return text if any(isinstance(key, str) and key.lower() == "statement" for key in value) else None


def _data(target: str) -> bytes | None:
    """Return the bytes of a small file, None for others; standard input can still be read afterwards."""
    if target == "-":
        path = spool(sys.stdin.buffer.fileno(), "-", SourceOptions().max_bytes)
        with path.open("rb") as copy:
            os.dup2(copy.fileno(), sys.stdin.buffer.fileno())
    else:
        path = FilePath(target)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BARE:
        return None
    return path.read_bytes()


def _read_bare(text: Text, kind: Kind | None) -> Document:
    def line_of(path: JsonPath) -> int | None:
        found = text.locate(path)
        return None if found is None else found.line

    try:
        policy = read_policy(text.value, kind or kind_of(text.value), line_of)
    except PolicyError as error:
        place = text.locate(error.path) or Location(text.name)
        raise InputError(str(error), place, code="no_policy") from None
    return Document(policy, text.name, FilePath(text.name).name)


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Return the kind a bare document seems to be.

    A policy without principals may be an identity policy, a boundary or an SCP; only SCPs have Sids with
    other characters than letters and digits.
    """
    found = next((v for k, v in document.items() if k.lower() == "statement"), None)
    statements = [s for s in (found if isinstance(found, list) else [found]) if isinstance(s, dict)]
    keys = {str(key).lower() for statement in statements for key in statement}
    if not keys & {"principal", "notprincipal"}:
        sids = [sid for s in statements for sid in _texts(_get(s, "sid"))]
        return "identity" if all(sid.isascii() and sid.isalnum() for sid in sids if sid) else "scp"
    actions = [a for s in statements for a in _texts(_get(s, "action"))]
    if not keys & {"resource", "notresource"} and actions and all(a.startswith("sts:") for a in actions):
        return "trust"
    return "key" if actions and all(a.startswith("kms:") for a in actions) else "resource"


def _get(statement: Mapping[str, Any], name: str) -> Any:
    return next((v for k, v in statement.items() if k.lower() == name), None)


def _texts(value: Any) -> list[str]:
    return [v.lower() for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
