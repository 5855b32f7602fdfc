"""The zip that the functions run: the same bytes for the same rules, remediations, settings and engine.

Stored, not deflated, since compressors differ between builds; times and modes are fixed; bytecode, which Lambda cannot
write for itself, is compiled with hashes in place of times and never checked against its source
(https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
import importlib.util
import io
import json
import marshal
import sys
import zipfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Final

from policyengine.config.compiled import write_settings
from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.model.errors import UsageError

RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime whose bytecode the zip holds: the one it is made with."""
PACKAGE: Final = Path(__file__).resolve().parent.parent
LEFT_OUT: Final = frozenset(
    {
        "__main__.py",
        "_data",
        "catalog/notes.py",
        "catalog/terraform",
        "cli",
        "config/baseline.py",
        "config/loader.py",
        "config/remediation_reader.py",
        "config/waivers_reader.py",
        "config/waivers_text.py",
        "deploy",
        "engine/kept",
        "evidence",
        "history",
        "iam/guard.py",
        "iam/scenarios.py",
        "lambdas/hook.py",
        "lambdas/hook_answer.py",
        "lambdas/hook_payload.py",
        "lambdas/hook_request.py",
        "publish",
        "reports",
        "review",
        "shadow_ai",
        "sources/cloudformation",
        "sources/config/aggregator.py",
        "sources/config/source.py",
        "sources/discover.py",
        "sources/live/collection.py",
        "sources/live/spool.py",
        "sources/recognize.py",
        "sources/terraform",
        "sources/trail.py",
        "store/lines.py",
        "store/rows.py",
        "store/run_writer.py",
        "store/rundir.py",
        "testing",
    }
)
"""What no function imports, below the package; a test walks every import from the handlers and finds none of it."""
FOR_HOOKS: Final = frozenset(
    {name for name in LEFT_OUT if name.startswith("lambdas/hook")} | {"sources/cloudformation"}
)
"""What only the function of a CloudFormation Hook imports; its zip holds PyYAML too, in Python alone."""
MOST_BYTES: Final = 15 * 1024 * 1024
_TIME: Final = (1980, 1, 1, 0, 0, 0)


def package(choice: Choice) -> bytes:
    """Return the zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members(choice)):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, data)
    return out.getvalue()


def name_of(data: bytes) -> str:
    """Return the file name of a zip: another content has another."""
    return f"policyengine-{hashlib.sha256(data).hexdigest()[:16]}.zip"


def members(choice: Choice) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the zip."""
    yield "policyengine/_data/rules.json", choice.pack.to_bytes()
    yield "policyengine/_data/remediations.json", choice.compiled_remediations
    settings: Any = write_settings(choice.settings)
    yield (
        "policyengine/_data/settings.json",
        json.dumps(settings, sort_keys=True, separators=(",", ":")).encode(),
    )
    yield from _zones(choice.settings)
    left_out = LEFT_OUT - FOR_HOOKS if choice.hook else LEFT_OUT
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE)
        if path.is_file() and "__pycache__" not in name.parts and not _is_left_out(name, left_out):
            yield from _file(f"policyengine/{name.as_posix()}", path)
    if choice.hook:
        yield from _yaml()
    for declaration in choice.remediations:
        folder = choice.handlers / declaration.id
        for path in sorted(folder.glob("*.py")):
            if path.name != "test_handler.py":
                yield from _file(f"policyengine/_data/remediations/{declaration.id}/{path.name}", path)


def _is_left_out(name: PurePath, left_out: frozenset[str]) -> bool:
    return any(part.as_posix() in left_out for part in (name, *name.parents))


def _yaml() -> Iterator[tuple[str, bytes]]:
    """PyYAML without its native part, which one zip for both architectures cannot hold, and with its licence."""
    distribution = importlib.metadata.distribution("PyYAML")
    for file in sorted(distribution.files or (), key=str):
        path = Path(str(distribution.locate_file(file)))
        if file.parts[0] == "yaml" and file.suffix == ".py":
            yield from _file(f"yaml/{file.name}", path)
        elif file.name == "LICENSE":
            yield "yaml/LICENSE", path.read_bytes()


def _zones(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """The time zones of change windows, as ``zoneinfo`` looks for them where the system has none
    (https://docs.python.org/3/library/zoneinfo.html#data-sources)."""
    names = sorted({window.zone for window in settings.remediation.windows} - {"UTC"})
    if not names:
        return
    folders = {"tzdata", "tzdata/zoneinfo"}
    for name in names:
        parts = name.split("/")
        folders |= {"/".join(("tzdata", "zoneinfo", *parts[:end])) for end in range(1, len(parts))}
        yield f"tzdata/zoneinfo/{name}", _zone(name)
    for folder in sorted(folders):
        yield f"{folder}/__init__.py", b""


def _zone(name: str) -> bytes:
    """Raises UsageError for a zone this machine has no data of."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes()
    try:
        package, _, file = f"tzdata.zoneinfo.{name.replace('/', '.')}".rpartition(".")
        return (importlib.resources.files(package) / file).read_bytes()
    except (ModuleNotFoundError, OSError):
        raise UsageError(f"this machine has no data of the time zone `{name}`; install tzdata") from None


def _file(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield name, data
    if path.suffix == ".py":
        yield _bytecode_name(name), _bytecode(name, data)


def _bytecode_name(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"


def _bytecode(name: str, data: bytes) -> bytes:
    """PEP 552: flags 1 (hash-based, not checked), then the hash of the source, then the code.

    Later versions of marshal write references that depend on how often a constant is used elsewhere in the process.
    """
    code = compile(data, f"/var/task/{name}", "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(data)
    return head + marshal.dumps(code, 2)
