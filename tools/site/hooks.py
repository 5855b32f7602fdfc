"""What mkdocs is told besides the pages in docs/: pages made of the rules and of the commands, and the order of all."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from commands import command_pages  # noqa: E402 - after the path is set
from rule_pages import rule_pages  # noqa: E402 - after the path is set

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {
    "Tutorials": [
        "tutorials/pull-request.md", "tutorials/organisation.md", "tutorials/auditor.md",
    ],
    "How to": [
        "init.md", "integrations.md", "reviewing.md", "fixing.md", "editor.md", "waivers.md", "cloudformation.md", "terraform.md",
        "live-accounts.md", "aws-config.md", "lambdas.md", "remediation.md", "publishing.md", "history.md",
        "well-architected.md", "frameworks.md", "shadow-ai.md", "iam-commands.md", "migrating.md",
    ],
    "Reference": [
        "verdicts.md", "configuration.md", "rule-language.md", "rule-packs.md", "output-formats.md", "formats.md",
        "snapshot-format.md",
        "resource-model.md", "catalog.md", "collectors.md", "remediation-store.md", "review-meaning.md",
    ],
    "Explanation": [
        "explanation/unknown.md", "explanation/proofs.md", "evidence.md", "iam.md", "comparison.md", "architecture.md",
    ],
}  # fmt: skip
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)\s]+)\)")
_MADE: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page into its section; one that stands in none is an error, which strict mode tells."""
    _MADE.update(rule_pages())
    _MADE.update(command_pages())
    docs = Path(config.docs_dir)
    nav: list[Any] = [{"Home": "index.md"}]
    for title, pages in SECTIONS.items():
        section: list[Any] = [page for page in pages if (docs / page).is_file()]
        if title == "Reference":
            section.append({"Commands": sorted(name for name in _MADE if name.startswith("commands/"))})
            section.append(
                {"Predicates": sorted(f"predicates/{p.name}" for p in (docs / "predicates").glob("*.md"))}
            )
        if title == "Explanation":
            section.append(
                {"Decisions": sorted(f"decisions/{p.name}" for p in (docs / "decisions").glob("*.md"))}
            )
        nav.append({title: section})
    nav.append({"Rules": ["rules.md", *_by_family()]})
    config.nav = nav
    return config


def _by_family() -> Iterator[dict[str, list[str]]]:
    families: dict[str, list[str]] = {}
    for name in sorted(_MADE):
        if name.startswith("rules/"):
            families.setdefault(name.split("/")[1], []).append(name)
    return ({family: pages} for family, pages in families.items())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for name, text in _MADE.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to rules to their pages; other files of the repository are named, not linked."""
    folder = Path(page.file.src_uri).parent
    rules = {name.rpartition("/")[2]: name for name in _MADE if name.startswith("rules/")}

    def link(found: re.Match[str]) -> str:
        text, target = found[1], found[2].partition("#")[0]
        path = (Path("docs") / folder / target).as_posix()
        inside = _normal(path)
        if inside.startswith("docs/"):
            return found[0]
        stem = Path(inside).stem
        if inside.startswith("rules/") and f"{stem}.md" in rules:
            up = "../" * len(folder.parts)
            return f"[{text}]({up}{rules[f'{stem}.md']})"
        if not (ROOT / inside).exists():
            return found[0]  # strict mode tells that it leads nowhere
        return f"{text} (`{inside}`)" if text.strip("`") != inside else f"`{inside}`"

    return _OUTSIDE.sub(link, markdown)


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


__all__ = ["on_config", "on_files", "on_page_markdown"]
