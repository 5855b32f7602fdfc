"""The intrinsic functions, one by one, in an explicit table.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
Each takes (evaluation, argument, path in the result, path in the document) and returns a value.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import ZONE_LIST, Unresolved
from policyengine.sources.cloudformation.evaluation import Evaluation
from policyengine.sources.cloudformation.inputs import NO_VALUE, scalar_text
from policyengine.sources.cloudformation.networks import subnets
from policyengine.sources.cloudformation.partitions import by_partition
from policyengine.sources.cloudformation.template import kind_of, quoted
from policyengine.sources.cloudformation.usage import SUB_VARIABLE, source_text

Function = Callable[[Evaluation, Any, Path, Path], Any]

_LONGEST_TEXT: Final = 4 * 1024 * 1024
"""A value longer than any AWS takes; a chain of ``Fn::Join`` could double without end otherwise."""
_LONGEST_KNOWN: Final = 4096
"""Characters of a text in part unknown that are kept: twice the longest ARN."""


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _argument(r: Evaluation, raw: Any, doc: Path, count: Sequence[int], shape: str) -> list[Any] | None:
    """Return a list argument of one of the allowed lengths; None after reporting anything else."""
    if isinstance(raw, list) and len(raw) in count:
        return raw
    found = f"a list of {len(raw)}" if isinstance(raw, list) else kind_of(raw)
    r.template.error(f"`{doc[-1]}` takes {shape}, not {found}", doc)
    return None


def _bad(doc: Path) -> Unresolved:
    return Unresolved("unsupported", f"the arguments of `{doc[-1]}` are wrong")


def _inner(r: Evaluation, raw: Any, doc: Path) -> Any:
    """Evaluate an argument; its path in the result is of no interest."""
    moved, r.moved = r.moved, {}
    try:
        value = r.value(raw, (), doc)
    finally:
        r.moved = moved
    if value is NO_VALUE:
        return r.wrong("`AWS::NoValue` cannot be the argument of a function", doc)
    return value


def _ref(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    name = raw if isinstance(raw, str) else _inner(r, raw, doc)
    if isinstance(name, Unresolved):
        return r.unknown(f"Ref: {source_text(raw)}")
    if not isinstance(name, str):
        return r.wrong(f"`Ref` takes a name, not {kind_of(raw)}", doc)
    return r.reference(name, doc)


def _get_att(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    parts = raw.split(".", 1) if isinstance(raw, str) else raw
    if not isinstance(parts, list) or len(parts) < 2:
        found = quoted(raw) if isinstance(raw, str) else kind_of(raw)
        r.template.error(f"`Fn::GetAtt` takes a resource and an attribute, not {found}", doc)
        return _bad(doc)
    names = [p if isinstance(p, str) else _inner(r, p, (*doc, i)) for i, p in enumerate(parts)]
    if any(isinstance(n, Unresolved) for n in names):
        return r.unknown(f"GetAtt: {source_text({'Fn::GetAtt': raw})}")
    if not all(_is_scalar(n) for n in names):
        r.template.error("`Fn::GetAtt` takes two names", doc)
        return _bad(doc)
    return _attribute(r, str(names[0]), ".".join(str(n) for n in names[1:]), doc)


def _attribute(r: Evaluation, name: str, attribute: str, doc: Path) -> Unresolved:
    if name in r.template.resource_ids:
        return r.unknown(f"GetAtt: {name}.{attribute}", target=(name, attribute))
    if name in r.inputs.parameters:
        return r.wrong(f"{quoted(name)} is a parameter: `Fn::GetAtt` takes a resource", doc)
    return r.no_such(name, doc)


def _sub(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    own: dict[str, Any] = {}
    text, place = raw, doc
    if isinstance(raw, list):
        if len(raw) != 2 or not isinstance(raw[1], dict):
            r.template.error("`Fn::Sub` takes text, or `[text, {name: value}]`", doc)
            return _bad(doc)
        text, own, place = raw[0], raw[1], (*doc, 0)
    if not isinstance(text, str):
        return r.wrong(f"`Fn::Sub` takes text, not {kind_of(text)}", place)
    parts: list[Any] = []
    sources: list[str] = []
    end = 0
    for match in SUB_VARIABLE.finditer(text):
        parts += [text[end : match.start()], _variable(r, match, own, doc, place)]
        written = own.get(match[2].strip())
        sources += [text[end : match.start()], match[0] if written is None else source_text(written)]
        end = match.end()
    return _concatenate(r, [*parts, text[end:]], [*sources, text[end:]])


def _variable(r: Evaluation, match: Any, own: dict[str, Any], doc: Path, place: Path) -> Any:
    name = match[2].strip()
    if match[1]:
        return "${" + match[2] + "}"
    if name in own:
        return _inner(r, own[name], (*doc, 1, name))
    if name in r.scope:
        return r.scope[name]
    head, dot, attribute = name.partition(".")
    if not name.replace(".", "").replace(":", "").replace("_", "").isalnum():
        hint = "write `${!…}` for text that is not a variable"
        return r.wrong(f"{quoted(match[0])} is no variable of `Fn::Sub`; {hint}", place)
    return _attribute(r, head, attribute, place) if dot else r.reference(name, place)


def _join(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (2,), "`[delimiter, [values]]`")
    if parts is None:
        return _bad(doc)
    if not isinstance(parts[0], str):
        return r.wrong(f"the delimiter of `Fn::Join` is {kind_of(parts[0])}, not text", (*doc, 0))
    values = _inner(r, parts[1], (*doc, 1))
    if isinstance(values, Unresolved):
        return r.unknown(source_text(parts[1]))
    if not isinstance(values, list):
        return r.wrong(f"`Fn::Join` takes a list of values, not {kind_of(values)}", (*doc, 1))
    # elements that were dropped (AWS::NoValue) leave no text to show, so the texts must pair up
    written = parts[1] if isinstance(parts[1], list) and len(parts[1]) == len(values) else values
    texts = [source_text(w) if isinstance(v, Unresolved) else v for w, v in zip(written, values, strict=True)]
    joined, sources = [], []
    for index, (value, text) in enumerate(zip(values, texts, strict=True)):
        joined += [parts[0], value] if index else [value]
        sources += [parts[0], text] if index else [text]
    return _concatenate(r, joined, sources)


def _concatenate(r: Evaluation, parts: Sequence[Any], sources: Sequence[Any]) -> Any:
    """Return the joined text, or what is known of it."""
    unknown = [p for p in parts if not _is_scalar(p)]
    if not unknown:
        text = "".join(scalar_text(p) for p in parts)
        if len(text) > _LONGEST_TEXT:
            return Unresolved("unsupported", f"text of {len(text):,} characters", present=True)
        return text
    shown = "".join(
        scalar_text(p) if _is_scalar(p) else str(s) if isinstance(s, str) else "${…}"
        for p, s in zip(parts, sources, strict=True)
    )
    gaps = tuple(gap for p in unknown if isinstance(p, Unresolved) for gap in p.gaps or (p,))
    known = _known(parts)
    told = gaps if known is not None and len(gaps) == len(known) - 1 else ()
    return r.unknown(shown, target=_target(parts), parts=known, gaps=told)


def _known(parts: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the texts between the values that are not known; None for a text too long to keep."""
    known = [""]
    for part in parts:
        if _is_scalar(part):
            known[-1] += scalar_text(part)
        elif isinstance(part, Unresolved) and part.parts is not None:
            known[-1] += part.parts[0]
            known += part.parts[1:]
        else:
            known.append("")
    return tuple(known) if sum(map(len, known)) <= _LONGEST_KNOWN else None


def _target(parts: Sequence[Any]) -> tuple[str, str] | None:
    """Return the one resource a text names: ``${X}``, ``arn:…:${X}``, ``${X.Arn}/*``; else None.

    ``${X}-logs`` names something else, so the text around must be set off by ``:`` or ``/``.
    """
    kept = [p for p in parts if p != ""]
    hits = [i for i, p in enumerate(kept) if isinstance(p, Unresolved) and p.target is not None]
    targets = {kept[i].target for i in hits}
    if len(targets) != 1:
        return None
    before = kept[hits[0] - 1] if hits[0] else ":"
    after = kept[hits[-1] + 1] if hits[-1] + 1 < len(kept) else ":"
    if str(before)[-1:] in (":", "/") and str(after)[:1] in (":", "/"):
        found: tuple[str, str] = targets.pop()
        return found
    return None


def _select(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (2,), "`[index, [values]]`")
    if parts is None:
        return _bad(doc)
    index, values = _inner(r, parts[0], (*doc, 0)), _inner(r, parts[1], (*doc, 1))
    if isinstance(index, Unresolved) or isinstance(values, Unresolved):
        return r.unknown(
            f"Select {source_text(parts[0])} of {source_text(parts[1])}", target=_zone(index, values)
        )
    digits = scalar_text(index)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return r.wrong(f"the index of `Fn::Select` is {quoted(index)}, not a number from 0", (*doc, 0))
    if not isinstance(values, list):
        return r.wrong(f"`Fn::Select` takes a list of values, not {kind_of(values)}", (*doc, 1))
    if int(digits) >= len(values):
        return r.wrong(f"`Fn::Select` takes element {digits} of {len(values)}, counted from 0", doc)
    return values[int(digits)]


def _zone(index: Any, zones: Any) -> tuple[str, str] | None:
    """Return what tells one zone of ``Fn::GetAZs`` from another, None for other lists."""
    if (
        isinstance(index, Unresolved)
        or not isinstance(zones, Unresolved)
        or zones.target is None
        or zones.target[0] != ZONE_LIST
    ):
        return None
    return f"{ZONE_LIST}: {zones.target[1]}", scalar_text(index)


def _split(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (2,), "`[delimiter, text]`")
    if parts is None:
        return _bad(doc)
    delimiter, text = _inner(r, parts[0], (*doc, 0)), _inner(r, parts[1], (*doc, 1))
    if isinstance(delimiter, Unresolved) or isinstance(text, Unresolved):
        if delimiter == "," and text.target is not None and text.target[1].endswith(("Id", "Arn")):
            return [text]  # the id or ARN of one resource has no comma in it
        return r.unknown(f"Split of {source_text(parts[1])}")
    if not isinstance(delimiter, str) or not delimiter or not _is_scalar(text):
        r.template.error("`Fn::Split` takes a delimiter and text", doc)
        return _bad(doc)
    return scalar_text(text).split(delimiter)


def _find_in_map(r: Evaluation, raw: Any, at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (3, 4), "`[map, key, key]`")
    if parts is None:
        return _bad(doc)
    keys = [_inner(r, part, (*doc, i)) for i, part in enumerate(parts[:3])]
    tables: list[Any] = [r.template.mappings]
    for key in keys:
        tables = [found for table in tables for found in _entries(table, key)]
    if any(not _may_be_mapped(table) for table in tables):
        return r.wrong(
            "an entry of `Mappings` is text, a number or a list of them, not null or an object", doc
        )
    default = parts[3].get("DefaultValue") if len(parts) == 4 and isinstance(parts[3], dict) else None
    if default is not None and (not tables or any(isinstance(k, Unresolved) for k in keys)):
        fallback = _inner(r, default, (*doc, 3, "DefaultValue"))
        tables = [*tables, fallback]
    if tables and all(table == tables[0] for table in tables):
        return tables[0]
    named = by_partition(r.template.mappings, keys) if default is None else None
    if named is not None:
        return _sub(r, named, at, doc)
    path = ".".join(source_text(part) for part in parts[:3])
    if any(isinstance(key, Unresolved) for key in keys):
        return r.unknown(f"FindInMap: {path}")
    written = ".".join(scalar_text(key) if _is_scalar(key) else "…" for key in keys)
    return r.wrong(f"`Mappings` has no {quoted(written)}", doc)


def _may_be_mapped(value: Any) -> bool:
    """Whether a mapping may have the value: text or a list.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html
    """
    return _is_scalar(value) or (isinstance(value, list) and all(map(_is_scalar, value)))


def _entries(table: Any, key: Any) -> list[Any]:
    """Return what a key finds; every entry for a key that is not known."""
    if not isinstance(table, dict):
        return []
    if isinstance(key, Unresolved):
        return list(table.values())
    text = scalar_text(key)
    return [table[text]] if text in table else []


def _import_value(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    name = _inner(r, raw, doc)
    return r.unknown(f"ImportValue: {name if isinstance(name, str) else source_text(raw)}")


def _cidr(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (2, 3), "`[block, count, bits]`")
    if parts is None:
        return _bad(doc)
    values = [_inner(r, part, (*doc, i)) for i, part in enumerate(parts)]
    if any(isinstance(v, Unresolved) for v in values):
        return r.unknown(f"Cidr: {', '.join(source_text(p) for p in parts)}")
    try:
        return subnets(*(scalar_text(v) for v in values))
    except ValueError as error:
        return r.wrong(f"`Fn::Cidr`: {error}", doc)


def _base64(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    text = _inner(r, raw, doc)
    if isinstance(text, Unresolved):
        # the parts are those of the text: who looks at user data wants that, and nobody the parts of its encoding
        return r.unknown(f"Base64: {text.detail}", parts=text.parts, gaps=text.gaps)
    if not _is_scalar(text):
        return r.wrong(f"`Fn::Base64` takes text, not {kind_of(text)}", doc)
    return base64.b64encode(scalar_text(text).encode("utf-8", "surrogatepass")).decode()


def _get_azs(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    region = "" if raw is None else _inner(r, raw, doc)  # `!GetAZs` without a word is common
    shown = region if isinstance(region, str) else source_text(raw)
    here = region == "" or region == r.reference("AWS::Region", doc)
    return r.unknown(f"GetAZs: {shown}", target=(ZONE_LIST, "" if here else shown))


def _if(r: Evaluation, raw: Any, at: Path, doc: Path) -> Any:
    parts = _argument(r, raw, doc, (3,), "`[condition, value if true, value if false]`")
    if parts is None:
        return _bad(doc)
    name = parts[0]
    if not isinstance(name, str):
        return r.wrong(f"`Fn::If` takes the name of a condition, not {kind_of(name)}", (*doc, 0))
    if name not in r.template.conditions and name not in r.conditions:
        if r.template.more_ids or r.template.macro is not None:
            return Unresolved("unresolved_reference", f"condition {quoted(name)}")
        return r.wrong(f"{quoted(name)} is no condition of this template", (*doc, 0))
    decided = r.conditions.get(name)
    if decided is None:
        return Unresolved("too_many_branches", f"condition `{name}`")
    chosen = 1 if decided else 2
    r.moved[at] = (*doc, chosen)
    return r.value(parts[chosen], at, (*doc, chosen))


def _transform(_r: Evaluation, raw: Any, _at: Path, _doc: Path) -> Any:
    return macro_value(raw)


def macro_value(raw: Any) -> Unresolved:
    """Return what stands for the result of ``Fn::Transform``."""
    named = raw[0] if isinstance(raw, list) and raw else raw
    name = named.get("Name") if isinstance(named, dict) else named
    return Unresolved("unsupported", f"macro {quoted(name)}" if isinstance(name, str) else "a macro")


def _to_json(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    value = _inner(r, raw, doc)
    if _holds_unknown(value):
        return r.unknown("ToJsonString of values that are not all known")
    return json.dumps(value, separators=(",", ":"))


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return hasattr(value, "more") or any(_holds_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(_holds_unknown(v) for v in value)
    return isinstance(value, Unresolved)


def _length(r: Evaluation, raw: Any, _at: Path, doc: Path) -> Any:
    value = _inner(r, raw, doc)
    if isinstance(value, Unresolved):
        return r.unknown(f"Length of {source_text(raw)}")
    if not isinstance(value, list):
        return r.wrong(f"`Fn::Length` takes a list, not {kind_of(value)}", doc)
    return len(value)


FUNCTIONS: Final[dict[str, Function]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json,
    "Fn::Transform": _transform,
}
