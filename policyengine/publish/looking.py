"""Of a finding that the run does not have: whether it is gone, or whether nobody looked.

Only what a run directory proves to be gone is archived. A rule that was not asked, a place or a type that was not read
whole, a call that failed near: each leaves the finding as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policyengine.history.compare import Rules
from policyengine.history.looked import Looked
from policyengine.reports.asff import PREFIX
from policyengine.store.coverage import Places

Json = dict[str, Any]


class Looking:
    """Where a run looked and what it asked. ``rules`` are the ids of the rules it used, ``undecidable`` those that its
    kind of source cannot decide, ``errors`` its run errors."""

    def __init__(
        self,
        coverage: Places,
        rules: Iterable[str],
        *,
        undecidable: Iterable[str] = (),
        errors: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.coverage = coverage
        self._rules = frozenset(rules) - frozenset(undecidable)
        self._looked = Looked(coverage, None)
        errors = list(errors)
        unread = [(error.get("account"), error.get("region")) for error in errors]
        lost = [(error.get("account"), str(t)) for error in errors for t in error.get("types") or ()]
        self._read = Rules(None, None, unread, lost)

    def why_kept(self, finding: Mapping[str, Any]) -> str:
        """Return why a finding that the run does not have stays as it is, "" where its resource is gone.

        ``finding`` is one of ours in ASFF.
        """
        fields = finding.get("ProductFields") or {}
        type_, region = fields.get(f"{PREFIX}resource-type"), fields.get(f"{PREFIX}region")
        rule = str(finding["GeneratorId"]).removeprefix(PREFIX)
        if rule not in self._rules:
            return f"the run did not ask {rule}"
        if not type_ or not region:
            return "the finding does not say what it is about"
        about = {
            "resource": {"account": finding["AwsAccountId"], "region": region, "type": type_},
            "location": None,
        }
        if self._read.was_unread(about):
            return f"the run could not read everything in {finding['AwsAccountId']}/{region}"
        missing = self._looked.why_not(about, self._looked)
        return f"the run {missing}" if missing else ""
