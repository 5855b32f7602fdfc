"""What of each control no rule decides, and with whom it remains: ``frameworks/remains/<framework>.yaml``.

```yaml
framework: soc2
judged:
  - controls: ["CC1.3"]
    remains: [people, process]
    why: one sentence in our words; the texts of most standards are copyrighted
    source: https://...
```

``controls: all`` is for every control that no other entry names. A control that no entry names was not judged by
anybody, and reports say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from policyengine.documents import Document
from policyengine.rules.frameworks import Framework, read_document, wrong

FOLDER: Final = "remains"
Kind = Literal["people", "process", "aws", "rule", "unclear"]
KINDS: Final[tuple[Kind, ...]] = ("people", "process", "aws", "rule", "unclear")
_KEYS: Final = ("controls", "remains", "why", "source")


@dataclass(frozen=True, slots=True)
class Remainder:
    """With whom what a rule does not decide of a control remains; ``why`` is a sentence, ``source`` an address."""

    kinds: tuple[Kind, ...]
    why: str
    source: str


def load_remains(root: Path, frameworks: Mapping[str, Framework]) -> dict[str, dict[str, Remainder]]:
    """Return framework id -> control -> what remains; ``root`` is the folder of frameworks.

    Raises RuleError with the place for a file of another shape, an unknown framework or control, a control that is
    judged twice.
    """
    return {path.stem: _read(path, frameworks) for path in sorted((root / FOLDER).glob("*.yaml"))}


def _read(path: Path, frameworks: Mapping[str, Framework]) -> dict[str, Remainder]:
    document = read_document(path)
    value = document.value
    if not isinstance(value, dict) or set(value) != {"framework", "judged"}:
        raise wrong(document, (), "expected a mapping with framework and judged, and nothing else")
    if value["framework"] != path.stem or path.stem not in frameworks:
        known = ", ".join(frameworks)
        raise wrong(
            document,
            ("framework",),
            f"expected the file's name, one of {known}; found `{value['framework']}`",
        )
    if not isinstance(value["judged"], list):
        raise wrong(document, ("judged",), "`judged` must be a list")
    found: dict[str, Remainder] = {}
    others: Remainder | None = None
    for index, entry in enumerate(value["judged"]):
        remainder = _entry(document, index, entry)
        if entry["controls"] == "all":
            if others is not None:
                raise wrong(document, ("judged", index, "controls"), "`controls: all` stands twice")
            others = remainder
            continue
        for place, control in _controls(document, index, entry, frameworks[path.stem]):
            if control in found:
                raise wrong(document, place, f"the control `{control}` is judged twice")
            found[control] = remainder
    if others is None:
        return found
    return {control: found.get(control, others) for control in frameworks[path.stem].controls}


def _entry(document: Document, index: int, entry: Any) -> Remainder:
    at = ("judged", index)
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        raise wrong(document, at, f"expected a mapping with {', '.join(_KEYS)}, and nothing else")
    kinds = entry["remains"]
    if not isinstance(kinds, list) or not kinds or len(set(map(str, kinds))) < len(kinds):
        raise wrong(document, (*at, "remains"), "`remains` must be a list with at least one kind, each once")
    for place, kind in enumerate(kinds):
        if kind not in KINDS:
            raise wrong(
                document, (*at, "remains", place), f"unknown kind `{kind}`; known are {', '.join(KINDS)}"
            )
    for key in ("why", "source"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise wrong(document, (*at, key), f"`{key}` must be text")
    if not entry["source"].startswith("https://"):
        raise wrong(document, (*at, "source"), "`source` must be an https address")
    return Remainder(tuple(cast(Kind, kind) for kind in kinds), entry["why"].strip(), entry["source"])


def _controls(
    document: Document, index: int, entry: Mapping[str, Any], framework: Framework
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    at = ("judged", index, "controls")
    controls = entry["controls"]
    if not isinstance(controls, list) or not controls:
        raise wrong(document, at, "`controls` must be `all` or a list with at least one id")
    for place, control in enumerate(controls):
        if not isinstance(control, str) or not framework.has(control):
            close = framework.suggest(str(control))
            hint = f"; did you mean {' or '.join(f'`{c}`' for c in close)}?" if close else ""
            raise wrong(document, (*at, place), f"`{framework.id}` has no control `{control}`{hint}")
        yield (*at, place), control
