"""A handler that crashes refuses; it loses no run and quotes nothing it has read."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from policyengine.remediate.api import Refused


@contextmanager
def handled(handler: str) -> Iterator[None]:
    """Turn any mistake of a handler's ``image`` or ``plan`` into Refused (``not_known``): what it would have read or
    said is not known. The words of the exception are left out: they may quote a secret."""
    try:
        yield
    except Refused:
        raise
    except Exception as problem:
        frames = traceback.extract_tb(problem.__traceback__)
        place = f" at {Path(frames[-1].filename).parent.name}/{Path(frames[-1].filename).name}:{frames[-1].lineno}"
        raise Refused(
            "not_known",
            f"the remediation `{handler}` crashed ({type(problem).__name__}{place}); nothing was changed",
        ) from problem
