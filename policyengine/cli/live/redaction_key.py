"""The key of redacted values: of the organisation, kept outside every snapshot."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from policyengine.model.errors import InputError

if TYPE_CHECKING:
    from policyengine.sources.redaction import Redactor

VARIABLE: Final = "POLICYENGINE_REDACTION_KEY_FILE"
_BYTES: Final = 32
_MAX: Final = 4096


def redaction_key(file: Path | None = None) -> bytes:
    """Return the key in ``file``, else in the file the environment names, else the user's own, made at first.

    Raises InputError when a file that was named cannot be read or is too short, or the user's cannot be made.
    """
    named = file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        return _read(named)
    own = _config_folder() / "redaction.key"
    if own.is_file():
        return _read(own)
    try:
        own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _made(own)
    except OSError as problem:
        raise InputError(
            f"no key for redacting secrets can be kept at `{own}` ({problem.strerror}); name one of at least 16 "
            f"bytes with --redaction-key FILE or {VARIABLE}",
            code="no_redaction_key",
        ) from None


def redactor(file: Path | None = None) -> Redactor:
    """Return what takes secrets out, under that key. Raises as :func:`redaction_key`."""
    from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
    from policyengine.sources.redaction import Redactor

    return Redactor(redaction_key(file), looked_at)


def _made(own: Path) -> bytes:
    """Put a new key in place whole: of two runs that begin together one makes it and the other reads that."""
    handle, name = tempfile.mkstemp(prefix=".redaction-", dir=own.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_bytes(_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(name, own)
    finally:
        Path(name).unlink()
    return _read(own)


def _config_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "policyengine"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            key = file.read(_MAX)
    except OSError as problem:
        raise InputError(
            f"the redaction key `{path}` cannot be read: {problem.strerror}", code="no_redaction_key"
        ) from None
    if len(key) < 16:
        raise InputError(
            f"the redaction key `{path}` has {len(key)} bytes; expected at least 16 random ones",
            code="no_redaction_key",
        )
    return key
