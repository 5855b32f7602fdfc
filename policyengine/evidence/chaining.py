"""The chain of bundles: each manifest holds the digest of the one before.

Leaving out a bundle in the middle breaks the chain. Leaving out the newest does not: only a head that is kept elsewhere
(an object under S3 Object Lock, a time stamp, the auditor's own note) shows that something came after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from policyengine.evidence.bundle_reader import signed_manifest
from policyengine.evidence.canonical import decode
from policyengine.evidence.keys import PublicKey
from policyengine.evidence.manifest import MANIFEST, Head, Manifest
from policyengine.evidence.problems import CHAIN, BundleError, Problem
from policyengine.model.errors import UsageError

_HEAD: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_MAX_ANCHOR: Final = 4096


def head_of(text: str) -> str:
    """Return the digest of a head that was given as ``sha256:…``, as bare hexadecimal, or as the file of an anchor: the
    canonical JSON that :meth:`~policyengine.evidence.manifest.Head.to_json` makes. Raises UsageError."""
    found = _HEAD.fullmatch(text)
    if found:
        return found[1]
    try:
        with Path(text).open("rb") as file:
            value = decode(file.read(_MAX_ANCHOR + 1).removesuffix(b"\n"), most=_MAX_ANCHOR)
        if isinstance(value, dict) and (found := _HEAD.fullmatch(str(value.get("manifest_sha256")))):
            return found[1]
    except OSError as problem:
        reason = (problem.strerror or "error").lower()
        raise UsageError(
            f"the head `{text}` is no digest (`sha256:…`), and no file that can be read: {reason}"
        ) from None
    except ValueError:
        pass
    raise UsageError(
        f"`{text}` is no head: expected `sha256:` and 64 hexadecimal digits, or the file of an anchor"
    )


def check_chain(
    manifest: Manifest, keys: Sequence[PublicKey], expect_head: str | None, previous: Sequence[Path]
) -> Iterator[Problem]:
    """Yield where a bundle does not follow the earlier ones, or is not the one that is expected to be the newest."""
    if not _numbered(manifest):
        yield Problem(CHAIN, MANIFEST, f"it is number {manifest.sequence}, and names another one before it")
    here = manifest.head().manifest_sha256
    if expect_head is not None and here != expect_head:
        text = f"the newest bundle is sha256:{expect_head}; this is number {manifest.sequence}, sha256:{here}"
        yield Problem(CHAIN, MANIFEST, text)
    later, known = manifest, True
    earlier: dict[str, tuple[Path, Manifest]] = {}
    for path in previous:
        try:
            one = signed_manifest(path, keys)
        except BundleError as error:
            yield Problem(error.problem.kind, f"{path.name}: {error.problem.where}", error.problem.text)
            known = False
            continue
        earlier[one.head().manifest_sha256] = (path, one)
    while later.previous is not None and earlier and known:
        found = earlier.pop(later.previous.manifest_sha256, None)
        if found is None:
            yield Problem(
                CHAIN,
                f"bundle {later.previous.sequence}",
                f"it is missing: bundle {later.sequence} follows {_named(later.previous)}",
            )
            break
        path, one = found
        if one.head() != later.previous:
            yield Problem(
                CHAIN,
                path.name,
                f"bundle {later.sequence} calls it {_named(later.previous)}; it is {_named(one.head())}",
            )
        if not _numbered(one):
            yield Problem(CHAIN, path.name, f"it is number {one.sequence}, and names another one before it")
        later = one
    for path, one in earlier.values() if known else ():
        yield Problem(CHAIN, path.name, f"{_named(one.head())} is not among those that this bundle follows")


def _numbered(manifest: Manifest) -> bool:
    """Number 1 follows none, and every other one the number before."""
    before = 0 if manifest.previous is None else max(manifest.previous.sequence, 1)
    return manifest.sequence == before + 1


def _named(head: Head) -> str:
    return f"number {head.sequence}, {head.bundle[:16]}…"
