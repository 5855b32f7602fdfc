"""The two files of a converted rule, and the head that says where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import yaml

from policyengine.migrate.drafts import LONGEST_TITLE, PILLARS, Draft, family_of, sentence
from policyengine.migrate.expressions import check, leaves
from policyengine.migrate.samples import Sample

_TOOLS: Final = {"custodian": "Cloud Custodian's policy", "guard": "CloudFormation Guard's rule"}


class Kept(NamedTuple):
    """A case as it is written; ``note`` says why it is not what the other tool would say."""

    sample: Sample
    expect: str
    note: str = ""


def rule_text(draft: Draft) -> str:
    """Return the rule file."""
    family = family_of(f"{draft.id} {_paths(draft)}")
    body: dict[str, Any] = {
        "id": draft.id,
        "title": _at_least(draft.title, 8, f"What {draft.name} asks of {draft.type}", LONGEST_TITLE),
        "family": family,
        "pillar": PILLARS.get(family, "security"),
        "severity": draft.severity,
        "applies_to": draft.type,
        "why": _at_least(
            draft.why, 20, f"Converted from {_TOOLS[draft.tool]} {draft.name}, which does not say why.", 2000
        ),
        "fix": _at_least(
            draft.fix, 10, f"Set what {draft.name} asks for: {_paths(draft) or 'see the check'}.", 1000
        ),
    }
    if draft.when is not None:
        body["when"] = check(draft.when)
    body["require"] = check(draft.require)
    body["message"] = _at_least(draft.message, 8, f"not as {draft.name} asks", 400)
    body["references"] = [draft.reference]
    return _head(draft) + _yaml(body)


def tests_text(cases: Sequence[Kept]) -> str:
    """Return the test file: one case a line, as the bundled ones are written."""
    return "".join(_case(kept) for kept in cases)


def _case(kept: Kept) -> str:
    sample = kept.sample
    body: dict[str, Any] = {"case": sentence(sample.name, 200), "resource": sample.properties}
    if sample.tags or "tag " in sample.name:
        body["tags"] = sample.tags
    if sample.unknown:
        body["unknown"] = [{"path": sample.unknown, "reason": "access_denied"}]
    body["expect"] = kept.expect
    line = yaml.safe_dump(
        [body], default_flow_style=None, sort_keys=False, width=1_000_000, allow_unicode=True
    )
    flow = yaml.safe_dump(body, default_flow_style=True, sort_keys=False, width=1_000_000, allow_unicode=True)
    return (f"# {kept.note}\n" if kept.note else "") + (
        f"- {flow}" if "\n" not in flow.rstrip("\n") else line
    )


def _head(draft: Draft) -> str:
    lines = [
        f"Converted from {_TOOLS[draft.tool]} {sentence(draft.name, 80)} ({draft.file}:{draft.line or 1})."
    ]
    lines += [f"Note: {note}" for note in draft.notes]
    return "".join(f"# {sentence(line, 400)}\n" for line in lines)


def _paths(draft: Draft) -> str:
    found = dict.fromkeys(
        ".".join(path).replace(".[]", "") or (getattr(leaf, "tag", None) or "ingress")
        for path, leaf in leaves(draft.require)
    )
    return ", ".join(found)


def _at_least(text: str, shortest: int, instead: str, longest: int) -> str:
    line = sentence(text, longest)
    return line if len(line) >= shortest else sentence(instead, longest)


def _yaml(body: dict[str, Any]) -> str:
    return yaml.safe_dump(body, sort_keys=False, width=110, allow_unicode=True)
