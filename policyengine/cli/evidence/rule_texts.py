"""Whether the rules that a run was judged by are what their texts say: people read texts, and compiled forms judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policyengine.rules.data import data_root
from policyengine.rules.pack import Pack, parse_pack
from policyengine.rules.packs import MAX_RULE_BYTES, load_packs

_SOURCE: Final = "source"
"""Where a text lay when it was compiled: no part of what it says."""


def differing(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the rules of an unpacked run: ``rules.json`` against ``rules/ID.yaml``.

    Of rules that the settings disable no text is kept. A text that this installation has too is not
    compiled again: its form is the installation's own.
    """
    forms = {form["id"]: form for form in parse_pack((folder / "rules.json").read_bytes()).rules}
    disabled = json.loads((folder / "settings.json").read_bytes()).get("disabled", {})
    texts = {path.stem: path for path in sorted((folder / "rules").glob("*.yaml"))}
    own = _Own()
    for rule, form in sorted(forms.items()):
        path = texts.get(rule)
        if path is None and rule in disabled:
            continue  # nothing was judged by it, here as there
        if path is None:
            yield f"the rule `{rule}` was judged by, and the bundle does not have its text"
        elif _said(own.form(path)) != _said(form):
            yield f"the rule `{rule}` was judged by another rule than its text in the bundle says"
    for rule in sorted(texts.keys() - forms.keys()):
        yield f"the bundle has the text of a rule `{rule}` that nothing was judged by"


class _Own:
    """What texts say by the rules and the compiler of this installation."""

    def __init__(self) -> None:
        self._pack: Pack = load_packs()
        self._forms = {form["id"]: form for form in self._pack.rules}
        self._root = data_root().rules
        self._known: dict[str, Path] = {path.stem: path for path in self._root.rglob("*.yaml")}

    def form(self, path: Path) -> Mapping[str, Any] | None:
        """Return the compiled form of a text; None where it does not compile."""
        if path.stat().st_size > MAX_RULE_BYTES:
            return None
        text = path.read_bytes()
        here = self._known.get(path.stem)
        if here is not None and path.stem in self._forms and here.read_bytes() == text:
            return self._forms[path.stem]
        from policyengine.rules.loader import compile_text

        return compile_text(path, text)[0]


def _said(form: Mapping[str, Any] | None) -> str:
    if form is None:
        return ""
    return json.dumps({key: form[key] for key in form if key != _SOURCE}, sort_keys=True)
