"""A kept run of many accounts, from the kept run of one: its rows and what it judged, again for each account.

``python -m benchmarks.history_data RUN FOLDER COUNT [OTHER SHARE [DAY]]``: with OTHER, a run of the same account in which some
resources changed, one account in so many (SHARE, e.g. 0.01) is that one's; DAY moves the time of the run. Every line is
what ``scan -o`` wrote, but for the account.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from policyengine.store.run_writer import Rows, root_text
from policyengine.store.rundir import RunReader

FIRST = 100_000_000_000
Json = dict[str, Any]


class Account:
    """The lines of one account."""

    def __init__(self, run: Path) -> None:
        self.reader = RunReader(run)
        self.rows = list(self.reader.lines())
        folder = self.reader.inputs()[0]
        self.manifest: Json = json.loads((folder / "manifest.json").read_bytes())
        self.parts = [(part, (folder / part["path"]).read_bytes()) for part in self.manifest["parts"]]
        (self.id,) = {part["account"] for part in self.manifest["parts"]}

    def renamed(self, line: bytes, account: str) -> bytes:
        """Return a line as of another account."""
        return line.replace(self.id.encode(), account.encode())


def make(base: Account, folder: Path, count: int, other: Account | None, share: float, day: int) -> None:
    """Write a run of so many resources."""
    shutil.copytree(base.reader.path, folder, ignore=shutil.ignore_patterns("inputs", "results", "rules"))
    (folder / "inputs" / "0001" / "resources").mkdir(parents=True)
    rows = Rows(folder, "results")
    accounts = [f"{FIRST + number:012d}" for number in range(-(-count // len(base.rows)))]
    every = round(1 / share) if share else 0
    parts = []
    for number, account in enumerate(accounts):
        one = other if other is not None and every and number % every == every - 1 else base
        for line in one.rows[: count - rows.tree.size]:
            rows.add(one.renamed(line, account))
        parts += list(_inputs(one, account, folder / "inputs" / "0001"))
    rows.close()
    _manifest(base, folder, parts, accounts)
    about = dict(base.reader.about)
    about["results"] = rows.files
    about["roots"] = {**about["roots"], "results": {"root": root_text(rows.tree), "size": rows.tree.size}}
    about["run"] = _run(about["run"], day, accounts, folder.name)
    about["inputs"] = [{**each, "created": about["run"]["as_of"]} for each in about["inputs"]]
    (folder / "run.json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")
    triples = [{"types": ["*"], "places": [[a, p["region"]] for a in accounts for p, _ in base.parts]}]
    (folder / "coverage.json").write_text(json.dumps({"coverage": triples}))


def _inputs(one: Account, account: str, folder: Path) -> Iterator[Json]:
    import zstandard

    for part, data in one.parts:
        text = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        packed = zstandard.ZstdCompressor(level=1).compress(one.renamed(text, account))
        path = part["path"].replace(one.id, account)
        (folder / path).write_bytes(packed)
        yield {**part, "path": path, "account": account, "bytes": len(packed),
               "sha256": hashlib.sha256(packed).hexdigest()}  # fmt: skip


def _manifest(base: Account, folder: Path, parts: list[Json], accounts: list[str]) -> None:
    coverage = [{**each, "account": account} for account in accounts for each in base.manifest["coverage"]]
    text = json.dumps({**base.manifest, "parts": parts, "coverage": coverage})
    (folder / "inputs" / "0001" / "manifest.json").write_text(text)


def _run(run: Json, day: int, accounts: list[str], name: str) -> Json:
    at = (datetime.fromisoformat(run["as_of"]) + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    id_ = hashlib.sha256(f"{run['id']} {name} {day}".encode()).hexdigest()[:32]
    return {**run, "as_of": at, "started_at": at, "finished_at": at, "id": id_,
            "scope": {**run["scope"], "accounts": accounts}}  # fmt: skip


if __name__ == "__main__":
    run, folder, count, *more = sys.argv[1:]
    changed = Account(Path(more[0])) if more else None
    fraction = float(more[1]) if len(more) > 1 else 0.0
    make(
        Account(Path(run)), Path(folder), int(count), changed, fraction, int(more[2]) if len(more) > 2 else 0
    )
