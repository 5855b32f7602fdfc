"""Reduce moto's list of AWS managed policies (Apache-2.0) to the data of ``policyengine.iam.managed``.

``make iam-data`` (or ``python tools/build_managed_policies.py``) needs moto: install it, or name a wheel of
it (``pip download --no-deps moto``) with ``--wheel FILE``. Writes
``policyengine/iam/data/managed_policies.gz``; ``--check`` writes nothing and exits 1 when it would change.
moto itself is never imported; only the text in ``moto/iam/aws_managed_policies.py`` is read.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import importlib.metadata
import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "policyengine" / "iam" / "data" / "managed_policies.gz"
SOURCE = "iam/aws_managed_policies.py"


def installed() -> tuple[str, str]:
    """Return (moto's version, the text of its list) from this environment; SystemExit without moto."""
    found = importlib.util.find_spec("moto")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("moto is not installed: install it, or name a wheel of it with `--wheel FILE`")
    folder = Path(found.submodule_search_locations[0])
    return importlib.metadata.version("moto"), (folder / SOURCE).read_text(encoding="utf-8")


def in_wheel(path: Path) -> tuple[str, str]:
    """Return (moto's version, the text of its list) from a wheel of moto."""
    with zipfile.ZipFile(path) as wheel:
        return path.name.split("-")[1], wheel.read(f"moto/{SOURCE}").decode()


def policies(text: str) -> dict[str, dict[str, Any]]:
    """Return the policies by name: the file assigns one JSON text to one name."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found: dict[str, dict[str, Any]] = json.loads(str(node.value.value))
            return found
    raise SystemExit(f"moto/{SOURCE} holds no list any more; this tool has to be changed")


def build(version: str, text: str) -> bytes:
    """Return the file: a line of origin, then ``ARN version date document`` a line, by ARN.

    The date of the whole is that of the newest policy: what AWS changed later is not in it.
    """
    found = policies(text)
    header = {"moto": version, "date": max(p["UpdateDate"] for p in found.values())[:10]}
    lines = sorted(
        f"arn:aws:iam::aws:policy{policy['Path']}{name} {policy['DefaultVersionId']} "
        f"{policy['UpdateDate'][:10]} {json.dumps(policy['Document'], separators=(',', ':'))}"
        for name, policy in found.items()
    )
    return gzip.compress("\n".join([json.dumps(header), *lines]).encode(), compresslevel=9, mtime=0)


def main() -> int:
    """Write the file, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when stale")
    parser.add_argument("--wheel", type=Path, help="a wheel of moto, in place of the installed one")
    arguments = parser.parse_args()
    data = build(*(in_wheel(arguments.wheel) if arguments.wheel else installed()))
    # another zlib may compress the same text otherwise
    stale = not FILE.exists() or gzip.decompress(FILE.read_bytes()) != gzip.decompress(data)
    if stale and not arguments.check:
        FILE.write_bytes(data)
    print(f"{'stale' if arguments.check else 'written'}: {FILE.name if stale else 'nothing'}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
