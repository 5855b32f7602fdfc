"""Data flows one way: the table of docs/architecture.md, held by walking every import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "policyengine"

EVERYTHING = frozenset({"*"})
ALLOWED: dict[str, frozenset[str]] = {
    "iam": frozenset(),
    "net": frozenset(),
    "model": frozenset(),
    "aws": frozenset(),
    "documents": frozenset({"model"}),
    "config": frozenset({"model", "documents"}),
    "catalog": frozenset({"model"}),
    "sources": frozenset({"model", "documents", "catalog", "aws"}),
    "rules": frozenset({"model", "documents", "catalog", "iam", "net"}),
    "engine": frozenset({"model", "rules", "config", "catalog"}),
    "store": frozenset({"model", "aws"}),
    "reports": frozenset({"model", "engine", "config", "store"}),
    "review": frozenset({"model", "catalog", "rules", "engine", "config", "store", "reports", "net", "iam"}),
    "evidence": frozenset({"model", "engine", "config", "store", "reports"}),
    "shadow_ai": frozenset({"model", "documents"}),
    "publish": frozenset({"model", "config", "store", "reports", "history"}),
    "history": frozenset({"model", "catalog", "rules", "engine", "config", "store", "reports"}),
    "remediate": frozenset(
        {"model", "documents", "catalog", "rules", "engine", "config", "sources", "store", "aws"}
    ),
    "fix": frozenset({"model", "documents", "catalog", "rules", "engine", "sources"}),
    "migrate": frozenset({"model", "documents", "catalog", "rules", "sources"}),
    "cli": EVERYTHING,
    "lambdas": EVERYTHING,
    "deploy": EVERYTHING,
    "testing": EVERYTHING,
}
"""package -> packages of ours it may import; see docs/decisions/0002 for where this differs from the design."""

FORBIDDEN_IN_CORE = ("boto3", "botocore")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0] if path.parent != PACKAGE else "__root__"


def imported(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide which package is meant"
            yield node.module or "", node.lineno


def test_every_package_has_a_row() -> None:
    packages = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert packages <= set(ALLOWED), "a new package needs a row in ALLOWED and in docs/architecture.md"


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_follow_the_data_flow(path: Path) -> None:
    package = package_of(path)
    allowed = EVERYTHING if package == "__root__" else ALLOWED[package]
    wrong = []
    for name, line in imported(path):
        parts = name.split(".")
        if parts[0] in FORBIDDEN_IN_CORE and package != "aws":
            wrong.append(f"line {line}: only `aws` imports {parts[0]}")
        if parts[0] != "policyengine" or len(parts) == 1:
            continue
        if parts[1] != package and allowed is not EVERYTHING and parts[1] not in allowed:
            wrong.append(f"line {line}: `{package}` must not import `{parts[1]}`")
    assert wrong == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(out.stdout.split())


HEAVY = {
    "boto3",
    "botocore",
    "pydantic",
    "rich",
    "jsonschema",
    "samtranslator",
    "cfnlint",
    "zstandard",
    "asyncio",
}


@pytest.mark.parametrize(
    ("statement", "may_load"),
    [
        ("import policyengine", set()),
        ("import policyengine.cli.main", set()),
        ("import policyengine.cli.scan", set()),
        ("import policyengine.cli.run", set()),
        ("import policyengine.engine.scan", set()),
        ("import policyengine.rules.pack", set()),
        ("import policyengine.sources.cloudformation", set()),
        ("import policyengine.sources.config.mapping", set()),
        ("import policyengine.sources.config.source", set()),
        ("import policyengine.sources.terraform", set()),
    ],
)
def test_import_budget(statement: str, may_load: set[str]) -> None:
    assert loaded_by(statement) & HEAVY == may_load


def test_the_root_imports_nothing_of_ours() -> None:
    assert {m for m in loaded_by("import policyengine") if m.startswith("policyengine.")} == set()
