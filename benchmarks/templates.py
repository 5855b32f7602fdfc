"""Figures b and c: one template from a cold start, and a corpus, beside Checkov."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import ROOT, Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict

CORPUS = ROOT.parent / "shared" / "corpora" / "cloudformation"
SMALLEST = 1000
"""Bytes: below stand fragments that hold no resource."""
EXAMPLE = ROOT / "examples" / "template.yaml"


def ours(target: Path) -> Cost:
    """Scan with every bundled rule."""
    return run([Path(sys.executable).parent / "policyengine", "scan", target, "--fail-on", "never"])


WITHOUT_SAM = """
import sys
sys.modules["samtranslator"] = None
from policyengine.cli.main import main
main(["scan", sys.argv[1], "--fail-on", "never"])
"""


def ours_without_sam(target: Path) -> Cost:
    """Scan as an installation without the SAM extra does."""
    return run([sys.executable, "-c", WITHOUT_SAM, target])


def checkov(target: Path) -> Cost:
    """Scan with Checkov: only its CloudFormation checks, and without asking the network."""
    what = "-d" if target.is_dir() else "-f"
    program = peers.binary("checkov", "checkov")
    return run(
        [program, what, target, "--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]
    )


def chosen() -> list[Path]:
    """Return templates of the corpus: the smallest, a middling one, the largest; or the example."""
    if not CORPUS.is_dir():
        return [EXAMPLE]
    files = (p for p in CORPUS.rglob("*") if p.suffix in (".yaml", ".yml", ".json", ".template"))
    known = sorted(
        (p for p in files if p.stat().st_size > SMALLEST), key=lambda p: (p.stat().st_size, p.name)
    )
    return [EXAMPLE, known[0], known[len(known) // 2], known[-1]]


def one_template(rounds: int = 5, *, with_peers: bool = True) -> Section:
    """Return the section of single templates."""
    rows = []
    for path in chosen():
        jobs = {"ours": partial(ours, path)} | ({"checkov": partial(checkov, path)} if with_peers else {})
        ours(path)  # compiles the rules into their cache
        found = interleaved(rounds, jobs)
        wall = {name: median([c.wall for c in costs]) for name, costs in found.items()}
        name = f"{path.name} ({path.stat().st_size / 1000:.0f} kB)"
        if with_peers:
            ratio = wall["checkov"] / wall["ours"]
            rows.append(Row(name, f"{wall['ours']:.2f} s", f"Checkov {wall['checkov']:.2f} s, {ratio:.1f} x",
                            verdict(ratio >= 8, "one eighth")))  # fmt: skip
        else:
            rows.append(Row(name, f"{wall['ours']:.2f} s"))
    return Section(
        "One CloudFormation template, whole process",
        "Wall time from a cold start, all bundled rules, compiled rules in their cache; Checkov runs only its "
        "CloudFormation checks and downloads nothing.",
        rows,
    )


def corpus(rounds: int = 3, *, with_peers: bool = True) -> Section | None:
    """Return the section of the whole corpus, None where there is none."""
    if not CORPUS.is_dir():
        return None
    jobs = {"ours": partial(ours, CORPUS), "ours without the SAM extra": partial(ours_without_sam, CORPUS)}
    if with_peers:
        jobs["Checkov"] = partial(checkov, CORPUS)
    ours(CORPUS)
    found = interleaved(rounds, jobs)
    cpu = {name: median([c.cpu for c in costs]) for name, costs in found.items()}
    count = sum(1 for p in CORPUS.rglob("*") if p.is_file())
    rows = []
    for name, seconds in cpu.items():
        ratio = cpu.get("Checkov", 0.0) / seconds
        told = name != "Checkov" and with_peers
        goal = verdict(ratio >= 10, "one tenth") if told else ""
        rows.append(Row(name, f"{seconds:.2f} s", f"Checkov takes {ratio:.1f} x" if told else "", goal))
    return Section(
        f"A folder of {count} public templates",
        "CPU time of the whole run, every rule. With the extra, SAM templates "
        "are translated (Checkov reads them as they are).",
        rows,
    )
