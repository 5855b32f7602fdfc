"""``make bench``: measure everything, print it, write ``benchmarks/RESULTS.md``.

``--only memory,template,corpus,snapshot,decide,coverage,managed,iamrules,incremental,live,liveorg,items,events,coldimport,oscal,
html,evidence,export,history,timeline,shadowai,review`` runs parts (``lambdas`` stands for items, events and coldimport) and
does not write the page;
``--sizes`` chooses the snapshots; ``--without-peers`` measures ours alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[0] = str(HERE.parent)

from benchmarks import (  # noqa: E402 - after the path is set
    engines,
    evidence_export,
    evidence_verify,
    history_diff,
    history_timeline,
    iam_coverage,
    iam_decide,
    iam_managed,
    iam_rules,
    incremental,
    lambdas,
    live,
    peers,
    reports_html,
    reports_oscal,
    review,
    shadow_ai,
    snapshots,
    table,
    templates,
)

PARTS = (
    "memory",
    "template",
    "corpus",
    "decide",
    "coverage",
    "managed",
    "iamrules",
    "incremental",
    "snapshot",
    "live",
    "liveorg",
    "items",
    "events",
    "coldimport",
    "oscal",
    "html",
    "evidence",
    "export",
    "history",
    "timeline",
    "shadowai",
    "review",
)


def main(argv: list[str]) -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args(argv)
    wanted = options.only.replace("lambdas", "items,events,coldimport").split(",")
    with_peers = not options.without_peers
    if with_peers:
        peers.build()
    peers.compile_ours()
    sections = []
    for part in wanted:
        section = measure(part, options, with_peers=with_peers)
        if section is None:
            print(f"\n{part}: skipped, the corpus is not beside this checkout")
            continue
        table.show(section)
        sections.append(section)
    if set(wanted) == set(PARTS) and with_peers:
        versions = {"policyengine": table.our_version(), **peers.versions("checkov", "checkov"),
                    **peers.versions("engines", "c7n", "jsonschema-rs")}  # fmt: skip
        (HERE / "RESULTS.md").write_text(table.markdown(sections, versions), encoding="utf-8")
        print(f"\nwrote {HERE / 'RESULTS.md'}")
    return 0


def measure(part: str, options: argparse.Namespace, *, with_peers: bool) -> table.Section | None:
    """Return the section of one part; None where its input is absent."""
    if part == "memory":
        return engines.measure(rounds=options.rounds, with_peers=with_peers)
    if part == "template":
        return templates.one_template(options.rounds, with_peers=with_peers)
    if part == "corpus":
        return templates.corpus(min(3, options.rounds), with_peers=with_peers)
    if part == "snapshot":
        return snapshots.measure([int(size) for size in options.sizes.split(",")])
    if part == "decide":
        return iam_decide.measure(min(3, options.rounds), with_peers=with_peers)
    if part == "coverage":
        return iam_coverage.measure(min(3, options.rounds))
    if part == "managed":
        return iam_managed.measure(min(3, options.rounds))
    if part == "live":
        return live.account(min(3, options.rounds))
    if part == "liveorg":
        return live.organization(min(3, options.rounds))
    if part == "iamrules":
        return iam_rules.measure(min(3, options.rounds), with_peers=with_peers)
    if part == "incremental":
        return incremental.measure(min(3, options.rounds))
    if part == "items":
        return lambdas.one_item(min(3, options.rounds), with_peers=with_peers)
    if part == "events":
        return lambdas.events(min(3, options.rounds), with_peers=with_peers)
    if part == "history":
        return history_diff.measure(min(3, options.rounds))
    if part == "timeline":
        return history_timeline.measure(1)
    if part == "coldimport":
        return lambdas.cold_import(options.rounds, with_peers=with_peers)
    if part == "oscal":
        return reports_oscal.measure(min(3, options.rounds))
    if part == "html":
        return reports_html.measure(min(3, options.rounds), with_peers=with_peers)
    if part == "evidence":
        return evidence_verify.measure(min(3, options.rounds))
    if part == "export":
        return evidence_export.measure()
    if part == "review":
        return review.measure(min(3, options.rounds), with_peers=with_peers)
    if part == "shadowai":
        return shadow_ai.measure(min(3, options.rounds))
    raise SystemExit(f"no such part `{part}`; known are {', '.join(PARTS)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
