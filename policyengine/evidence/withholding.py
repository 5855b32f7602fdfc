"""The secret and the plan of a bundle that holds values which may be withheld."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import FULL, MANIFEST, SECRET_FILE, Manifest
from policyengine.evidence.problems import SCHEMA, BundleError, Problem
from policyengine.model.withheld import MIN_SECRET, Plan, Withholding

_MAX_SECRET: Final = 4096


def withholding_of(file: BinaryIO, places: Mapping[str, Stored], manifest: Manifest) -> Withholding | None:
    """Return what tells lines from leaves; None where both are the same. Raises BundleError (``schema``)."""
    try:
        plan = Plan.from_json(manifest.plan) if manifest.plan is not None else None
    except ValueError as problem:
        raise BundleError(Problem(SCHEMA, MANIFEST, str(problem))) from None
    if plan is None or manifest.withheld != FULL:
        return None
    member = manifest.by_path[SECRET_FILE]
    text = (
        b"".join(bundle_reader.content(file, places[SECRET_FILE], member))
        if member.size <= _MAX_SECRET
        else b""
    )
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) < MIN_SECRET or secret.hex().encode() + b"\n" != text:
        raise BundleError(Problem(SCHEMA, SECRET_FILE, "it is no secret: hexadecimal digits and a line feed"))
    return Withholding(plan, secret)
