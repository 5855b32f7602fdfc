"""What the rows of a bundle say, letter by letter: for samples by verdict, and of one control."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, BinaryIO, Final, NamedTuple

from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import Manifest
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.rule_lists import MAX_RUN, read_rule_lines, rules_of_line
from policyengine.model.errors import UsageError
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICT_OF
from policyengine.reports.samples import NO_RULE

INDEX: Final = "population/index.json"
_WORST: Final = (FAIL, UNKNOWN, PASS, NOT_APPLICABLE)


class Judged(NamedTuple):
    """Which rule each letter is of, by type; ``rules`` are those of a control, None for all."""

    rules_of: Mapping[str, Sequence[str]]
    rules: frozenset[str] | None

    def verdicts(self, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return (rule, verdict) of a row, of the control's rules alone. Raises ValueError for another number of letters."""
        names = self.rules_of.get(row["type"], ())
        return tuple(
            (rule, VERDICT_OF[letter])
            for rule, letter in zip(names, row["verdicts"], strict=True)
            if letter in VERDICT_OF and (self.rules is None or rule in self.rules)
        )

    def to_json(self, name: str | None) -> dict[str, Any] | None:
        """Return what a sample says of the control it is of."""
        return None if self.rules is None else {"name": name, "rules": sorted(self.rules)}


def worst(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return the worst verdict, ``NO_RULE`` where there is none."""
    said = {verdict for _, verdict in verdicts}
    return next((verdict for verdict in _WORST if verdict in said), NO_RULE)


def judged_by(
    file: BinaryIO, places: Mapping[str, Stored], manifest: Manifest, control: str | None
) -> Judged:
    """Return what the letters of a bundle's rows are of; ``control`` is ``FRAMEWORK:CONTROL``.

    Raises BundleError where the members that say so are not those that were signed, UsageError for a control that the
    bundle does not have, or that no rule of its run speaks of.
    """
    lines = [rules_of_line(line.decode()) for line in read_rule_lines(file, dict(places), manifest)]
    lists = {told[0]: told[1] for told in lines if told is not None}
    if control is None:
        return Judged(lists, None)
    framework, _, name = control.partition(":")
    known = _controls(_index(file, places, manifest))
    rules = known.get((framework, name))
    if rules is None:
        those = sorted({each for each, _ in known})
        raise UsageError(
            f"`{control}` is no FRAMEWORK:CONTROL of this bundle; its frameworks are {', '.join(those) or 'none'}, and "
            f"`{INDEX}` in it lists their controls"
        )
    if not rules:
        raise UsageError(f"no rule of this run speaks of `{control}`: there is nothing to draw from")
    return Judged(lists, frozenset(rules))


def _index(file: BinaryIO, places: Mapping[str, Stored], manifest: Manifest) -> Any:
    member = manifest.by_path.get(INDEX)
    if member is None:
        raise UsageError(f"the bundle has no `{INDEX}`, which says what rules a control has")
    if member.size > MAX_RUN:
        raise BundleError(Problem(SCHEMA, INDEX, f"it has more than {MAX_RUN:,} bytes"))
    file.seek(places[INDEX].data)
    data = file.read(member.size)
    if sha256(data).hexdigest() != member.sha256:
        raise BundleError(
            Problem(MISMATCH, INDEX, "its bytes are not those that the manifest has the SHA-256 of")
        )
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BundleError(Problem(SCHEMA, INDEX, "it is no JSON")) from None


def _controls(index: Any) -> dict[tuple[str, str], Sequence[str]]:
    try:
        rules = {each["file"]: [str(rule) for rule in each["rules"]] for each in index["members"]}
        return {
            (str(each["framework"]), str(each["control"])): rules.get(each["file"], [])
            for each in index["controls"]
        }
    except (KeyError, TypeError, AttributeError):
        raise BundleError(Problem(SCHEMA, INDEX, "it does not say what rules a control has")) from None
