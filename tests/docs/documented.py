"""The commands that pages show, and why some of them are not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_RUN: Final = {
    "git clone <this repository>": "the repository's address is not known",
    "make demo": "the checks of a fresh clone run it",
    "make test": "this is it",
    "pip install": "tests of installing do (tests/install)",
    "terraform show": "Terraform is not installed here",
    "$EDITOR": "a person edits",
    ".venv/bin/policyengine rules": "they write into the checkout; tests/cli/test_rules.py runs them elsewhere",
    "aws ": "the AWS CLI is not installed here",
    "docker ": "there may be no container engine; a test does the steps of the Dockerfile by hand",
    "policyengine deploy diff": "needs the stack of the page before it",
    "export POLICYENGINE_STORE=dynamodb:<output Table>": "needs the stack of the page before it",
    "policyengine remediate rollback act-": "the id is that of an action of the reader's",
    "policyengine remediate status act-": "the id is that of an action of the reader's",
    "policyengine remediate apply plan.json": "what is there to repair is the reader's; tests/remediate run it",
    "policyengine publish": "tests of publishing run it against stand-ins (tests/publish)",
    "policyengine scan --config-aggregator": "tests run it against a stand-in (tests/live/test_config_aggregator.py)",
    "policyengine snapshot --org -o snapshot/ --sign-key kms:ARN": "the key is the reader's",
    "policyengine evidence prove full.zip ID": "the id is that of a resource of the reader's",
    "policyengine evidence prove evidence.zip ID": "the id is that of a resource of the reader's",
    "policyengine evidence check-proof one.json": "follows the one before",
    "policyengine review --base origin/main": "needs a remote; tests of review have one (tests/cli/test_review.py)",
}
"""Beginning of a command -> why no test runs it as it stands."""


class Shown(NamedTuple):
    """A command of a page, its lines joined."""

    page: str
    line: int
    text: str

    @property
    def not_run(self) -> str | None:
        """Return why it is not run; None for one that is."""
        return next((why for start, why in NOT_RUN.items() if self.text.startswith(start)), None)


def pages() -> list[Path]:
    """Return every page with commands that users read."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page: Path) -> Iterator[Shown]:
    """Yield the commands of a page: lines after ``$``, and lines of shell blocks that begin with our name."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    for fence in _FENCE.finditer(text):
        first = text.count("\n", 0, fence.start(2)) + 1
        lines = fence[2].split("\n")
        index = 0
        while index < len(lines):
            start, line = index, lines[index]
            index += 1
            if not line.startswith("$ ") and not (
                fence[1] in ("", "sh", "console", "bash") and line.startswith("policyengine ")
            ):
                continue
            command = line.removeprefix("$ ")
            while command.endswith("\\") and index < len(lines):
                command = command[:-1] + lines[index].strip().removeprefix("> ")
                index += 1
            yield Shown(name, first + start, command)
