"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from policyengine.model.errors import UsageError
from policyengine.sources.paths import printable


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file; its permissions stay. Raises UsageError."""
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".policyengine.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as problem:
        reason = (problem.strerror or "error").lower()
        raise UsageError(f"`{printable(str(path))}` cannot be written: {reason}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
