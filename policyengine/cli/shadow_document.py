"""The document of ``shadow-ai --format json``, read again by what shows it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any, Final

from policyengine.model.errors import InputError
from policyengine.model.formats import refused

_MOST = 256 << 20
SCHEMA: Final = "policyengine/shadow-ai/v1"


def read_shadow_ai(path: Path) -> dict[str, Any]:
    """Return the document. Raises InputError for a file that is none, with the place of the first mistake."""
    import jsonschema

    try:
        if path.stat().st_size > _MOST:
            raise InputError(f"`{path}` is over the limit of {_MOST >> 20} MiB")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"`{path}` cannot be read as JSON: {error}") from None
    wrong = refused(document.get("schema") if isinstance(document, dict) else None, SCHEMA)
    if wrong is not None:
        raise InputError(f"`{path}` is not what `shadow-ai --format json` writes: {wrong}")
    schema = json.loads(
        (resources.files("policyengine.shadow_ai") / "schemas/shadow-ai-v1.schema.json").read_bytes()
    )
    problem = next(jsonschema.Draft202012Validator(schema).iter_errors({**document, "schema": SCHEMA}), None)
    if problem is not None:
        place = "/" + "/".join(map(str, problem.absolute_path))
        raise InputError(
            f"`{path}` is not what `shadow-ai --format json` writes: at `{place}` {problem.message[:200]}"
        )
    found: dict[str, Any] = document
    return found
