"""Manifests, statements and proofs of any content: an answer, never a crash, and never a success."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.evidence import standalone
from policyengine.evidence.canonical import encode
from policyengine.evidence.dsse import seal
from policyengine.evidence.inclusion import Wanted, check_proof, prove
from policyengine.evidence.manifest import ENVELOPE, MANIFEST
from policyengine.evidence.problems import BundleError, exit_code
from tests.evidence.tampering import Bundle, members_of, rename, seal_manifest, write_zip

ROOT = Path(__file__).resolve().parents[2]
FREE = {"run", "engine", "rule_pack", "frameworks"}
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1 << 60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "a" * 64, "snapshot/0001", "results/0001.ndjson.gz", "../x", "full", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "root", "count", "x", ""]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a value."""
    found = [at] if at else []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += places(value[key], (*at, key))
    return found


def put(value: Any, at: tuple[Any, ...], new: Any) -> None:
    for step in at[:-1]:
        value = value[step]
    if new is DROP and isinstance(value, dict):
        del value[at[-1]]
    elif new is not DROP:
        value[at[-1]] = new


DROP: Any = object()


@SLOW
@given(data=st.data(), new=anything | st.just(DROP), named=st.booleans())
def test_any_value_anywhere_in_a_manifest(bundle: Bundle, data: st.DataObject, new: Any, named: bool) -> None:
    members = members_of(bundle.path)
    manifest = json.loads(members[MANIFEST])
    at = data.draw(st.sampled_from(places(manifest)))
    put(manifest, at, new)
    try:
        if named and at != ("bundle",):
            rename(manifest)
        text = encode(manifest)
    except ValueError:
        return
    if text == members[MANIFEST]:
        return
    envelope = seal_manifest(text, json.loads(members[MANIFEST]), bundle.engine)
    write_zip(bundle.target, {**members, ENVELOPE: envelope, MANIFEST: text})
    (bundle.folder / "engine.pub").write_bytes(bundle.engine.public.pem())
    (bundle.folder / "collector.pub").write_bytes(bundle.collector.public.pem())
    keys = ["--key", str(bundle.folder / "engine.pub"), "--key", str(bundle.folder / "collector.pub")]
    problems = bundle.problems()
    if at[0] in FREE and named:
        return  # what the exporter says of the run is its own; the right key signed it
    if at[0] == "members" and at[-1] in ("media_type", "role") and not problems:
        return  # another word for a file, signed by the right key
    assert exit_code(problems) in (10, 12, 14), (at, new)
    assert standalone.main([str(bundle.target), *keys]) in (10, 12, 14) or at[0] in FREE | {
        "members",
        "withheld",
    }, (at, new)


@SLOW
@given(data=st.data(), new=anything | st.just(DROP))
def test_any_value_anywhere_in_a_proof(bundle: Bundle, data: st.DataObject, new: Any) -> None:
    proof = prove(bundle.path, Wanted("bucket-0000001"))
    value = json.loads(proof)
    at = data.draw(st.sampled_from(places(value)))
    put(value, at, new)
    try:
        text = encode(value)
    except ValueError:
        return
    if text == proof:
        return
    try:
        shown = check_proof(text, [bundle.engine.public], "proof")
    except BundleError:
        return
    assert at[0] == "results" and not shown.rows, "only the row was left out"


@SLOW
@given(payload=anything)
def test_any_statement_that_the_right_key_signed(bundle: Bundle, payload: Any) -> None:
    try:
        text = encode(payload)
    except ValueError:
        return
    members = members_of(bundle.path)
    write_zip(bundle.target, {**members, ENVELOPE: seal(text, bundle.engine)})
    assert exit_code(bundle.problems()) == 14


def test_what_verifies_does_not_load_what_it_does_not_need() -> None:
    code = (
        "import sys, policyengine.cli.evidence.verify, policyengine.evidence.verify, policyengine.evidence.bundle_writer\n"
        "print([name for name in ('cryptography', 'boto3', 'botocore', 'zstandard', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
