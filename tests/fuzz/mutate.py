"""Damaging a seed: its bytes, or the tree they stand for. Every step is data, so that failures shrink."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml
from hypothesis import strategies as st

from policyengine.documents import DocumentError, load

from .policies import ELEMENT, change, statements

ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1e300, 10**20, "", " ", "x", "0.0.0.0/0", "arn:aws:s3:::b", "${A}", "{{resolve:x}}",
    "\x1b[31m", "</script>", "=1+1", "\u202e", "true", "-1", "2026-01-01", [], [[]], {}, {"": {}}, {"Ref": "B"},
    {"Fn::If": ["Prod", 1]}, {"Fn::GetAtt": "B"}, {"Fn::Sub": ["${X}", {"X": 1}]}, ["a", 1, None],
]  # fmt: skip
BYTES = [b"\x00", b"\xff", b"\n", b"\t", b'"', b"{", b"[", b"}", b"]", b":", b",", b"&a ", b"*a ", b"!!map ", b"<<: *b\n", b"\\u",
         b"\\ud800", b"1e999", b"NaN", b"---\n", b"? ", b"- ", b"| \n", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80"]  # fmt: skip

POSITION = st.integers(0, 10_000)
BYTE_STEP = st.one_of(
    st.tuples(st.just("flip"), POSITION, st.integers(1, 255)),
    st.tuples(st.just("cut"), POSITION, POSITION),
    st.tuples(st.just("truncate"), POSITION, st.just(0)),
    st.tuples(st.just("insert"), POSITION, st.sampled_from(BYTES)),
    st.tuples(st.just("repeat"), POSITION, POSITION),
)
PLAIN_STEP = st.one_of(
    st.tuples(st.sampled_from(["delete", "wrap", "double", "rename"]), POSITION, POSITION),
    st.tuples(st.just("swap"), POSITION, POSITION),
    st.tuples(st.just("replace"), POSITION, st.sampled_from(ODD)),
    st.tuples(st.just("say"), POSITION, ELEMENT),
)
TREE_STEP = PLAIN_STEP | st.tuples(st.just("inside"), POSITION, PLAIN_STEP)
STEPS = st.tuples(st.lists(TREE_STEP, max_size=4), st.lists(BYTE_STEP, max_size=3))


def mutated(seed: bytes, steps: Any, syntax: str) -> bytes:
    """Return the seed with its tree changed and then its bytes."""
    tree_steps, byte_steps = steps
    data = _tree(seed, tree_steps, syntax) if tree_steps and syntax != "bytes" else seed
    for kind, position, operand in byte_steps:
        data = _bytes(data, kind, position, operand)
    return data


def _bytes(data: bytes, kind: str, position: int, operand: Any) -> bytes:
    at = position * len(data) // 10_000
    if kind == "insert":
        return data[:at] + operand + data[at:]
    if kind == "truncate" or not data[at:]:
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ operand]) + data[at + 1 :]
    end = min(len(data), at + 1 + operand % 200)
    return data[:at] + (data[end:] if kind == "cut" else data[at:end] * 2 + data[end:])


def _tree(seed: bytes, steps: Any, syntax: str) -> bytes:
    try:
        value = (
            json.loads(seed) if syntax == "json" else load(seed, name="seed", style="cloudformation").value
        )
    except (ValueError, DocumentError):
        return seed
    for kind, position, operand in steps:
        value = changed(value, kind, position, operand)
    if syntax == "json":
        return json.dumps(value).encode()
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode("utf-8", "surrogatepass")


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    """Collect (container, key) of everything below."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        found.append((value, key))
        _places(inner, found)


def changed(value: Any, kind: str, position: int, operand: Any) -> Any:
    """Return a copy of a tree with one step taken."""
    value = json.loads(json.dumps(value, default=str))  # aliases of YAML are one object otherwise
    found: list[tuple[Any, Any]] = []
    _places(value, found)
    if kind in ("say", "inside"):
        _policy(value, found, position, operand, inside=kind == "inside")
        return value
    if not found:
        return value
    holder, key = found[position % len(found)]
    if kind == "replace":
        holder[key] = operand
    elif kind == "delete":
        del holder[key]
    elif kind == "wrap":
        holder[key] = [holder[key]] if operand % 2 else {"Fn::Join": holder[key]}
    elif kind == "double" and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == "rename" and isinstance(holder, dict):
        other_holder, other = found[operand % len(found)]
        holder[str(other) if isinstance(other_holder, dict) else "renamed"] = holder.pop(key)
    elif kind == "swap":
        other_holder, other = found[operand % len(found)]
        taken = json.loads(json.dumps(holder[key]))
        holder[key] = json.loads(json.dumps(other_holder[other]))
        if _stands(value, other_holder, other):
            other_holder[other] = taken
    return value


def _policy(value: Any, found: list[tuple[Any, Any]], position: int, operand: Any, *, inside: bool) -> None:
    """Let a statement say something else, or take a step inside a text that is JSON itself (a plan's policies)."""
    if not inside:
        every = list(statements(value))
        if every:
            change(every[position % len(every)], operand)
        return
    texts = [(h, k) for h, k in found if isinstance(h[k], str) and h[k][:1] in ("{", "[")]
    if texts:
        holder, key = texts[position % len(texts)]
        with contextlib.suppress(ValueError):
            holder[key] = json.dumps(changed(json.loads(holder[key]), *operand))


def _stands(value: Any, holder: Any, key: Any) -> bool:
    found: list[tuple[Any, Any]] = []
    _places(value, found)
    return any(h is holder and k == key for h, k in found)
