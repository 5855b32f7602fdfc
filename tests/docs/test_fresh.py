"""Generated pages are fresh, and what the README names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("tool", ["tools/document_rules.py", "tools/document_model.py"])
def test_generated_pages_are_fresh(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, tool, "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text)]
    broken = [t for t in targets if t and "://" not in t and not (page.parent / t).exists()]
    assert broken == []


def test_every_make_target_explains_itself() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    named = {name for line in lines if line.startswith(".PHONY:") for name in line.split()[1:]}
    explained = {line.split(":")[0] for line in lines if re.match(r"^[a-z-]+:.*## ", line)}
    assert named <= explained


def test_no_file_of_ours_names_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    private = re.compile("|".join(["/" + "work/(main|shared)", "\\." + "library/"]))
    named = []
    for name in listed:
        path = ROOT / name
        if path.suffix in {".zst", ".png"} or not path.is_file():
            continue
        if private.search(path.read_text(encoding="utf-8", errors="replace")):
            named.append(name)
    assert named == []
