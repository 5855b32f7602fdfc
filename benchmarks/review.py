"""A pull request that opens one port in a repository of public templates: how long the review takes.

Beside it, on the same change: a scan of the whole repository, which is what checks in CI do, and Checkov on the one
file that changed, told to fail on what it finds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict
from benchmarks.templates import CORPUS, checkov, ours

GROUP = "150_EC2InstanceWithSecurityGroupSample.yaml"
PORT = """\
        - IpProtocol: tcp
          FromPort: 3389
          ToPort: 3389
          CidrIp: 0.0.0.0/0
"""


def measure(rounds: int = 3, *, with_peers: bool = True) -> Section | None:
    """Return the section, None where there is no corpus."""
    if not CORPUS.is_dir():
        return None
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as room:
        repository = Path(room)
        changed = prepare(repository)
        review(repository)  # compiles the rules into their cache
        jobs = {"review": partial(review, repository), "scan of the whole": partial(ours, repository)}
        if with_peers:
            jobs["Checkov, the changed file"] = partial(checkov, changed)
        found = interleaved(rounds, jobs)
        worse = entries(repository)
    wall = {name: median([cost.wall for cost in costs]) for name, costs in found.items()}
    cpu = {name: median([cost.cpu for cost in costs]) for name, costs in found.items()}
    met = verdict(wall["review"] < 2 and len(worse) == 1, "one finding in under 2 s")
    rows = []
    for name in jobs:
        figure = f"{wall[name]:.2f} s, {cpu[name]:.2f} s CPU"
        if name == "review":
            rows.append(Row(name, figure, f"{len(worse)} entry: {'; '.join(worse)}", met))
        else:
            rows.append(Row(name, figure, f"{cpu[name] / cpu['review']:.1f} x the CPU of the review"))
    return Section(
        "A pull request that opens one port, in a repository of 288 templates",
        "Whole processes from a cold start, every rule; the port is opened in a security group that was open before on another.",
        rows,
    )


def prepare(repository: Path) -> Path:
    """Put the corpus into a repository, commit it, and open a port in one template; return the template."""
    shutil.copytree(CORPUS, repository, dirs_exist_ok=True)
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for arguments in (["init", "-q", "."], ["add", "-A"], ["commit", "-q", "-m", "templates"]):
        subprocess.run([*git, *arguments], cwd=repository, check=True)
    changed = next(repository.rglob(GROUP))
    text = changed.read_text()
    changed.write_text(
        text.replace("      SecurityGroupIngress:\n", "      SecurityGroupIngress:\n" + PORT, 1)
    )
    return changed


def review(repository: Path) -> Cost:
    """Review the work tree."""
    return run([Path(sys.executable).parent / "policyengine", "review", "--base", "HEAD"], cwd=repository)


def entries(repository: Path) -> list[str]:
    """Return what got worse."""
    program = Path(sys.executable).parent / "policyengine"
    done = subprocess.run(
        [program, "review", "--base", "HEAD", "--format", "json"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    return [e["title"] for e in json.loads(done.stdout)["entries"] if e["effect"] == "worse"]
