"""``--cache``: results that are kept between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from policyengine.config.settings import Settings
from policyengine.engine.evaluate import Evaluator
from policyengine.rules.pack import Pack


def evaluator_for(
    pack: Pack, now: datetime, settings: Settings, sources: Sequence[Any], options: Mapping[str, Any]
) -> tuple[Evaluator, list[str]]:
    """Return the evaluator of a run, and notes on why results are not kept although they were to be.

    Only snapshots tell a resource from what it was; templates and plans are judged as ever.
    """
    folder: Path | None = options.get("cache")
    telling = [source for source in sources if hasattr(source, "digests")]
    if folder is None or not telling:
        return Evaluator(pack, now=now, settings=settings), []
    from policyengine.engine.kept.file import ResultFile
    from policyengine.engine.kept.keeping import KeepingEvaluator
    from policyengine.engine.kept.stamps import engine_stamp

    engine = engine_stamp()
    if engine is None:
        note = f"results are not kept in `{folder}`: the program's own files were changed a moment ago"
        return Evaluator(pack, now=now, settings=settings), [note]
    for source in telling:
        source.digests = True
    return KeepingEvaluator(pack, now=now, file=ResultFile(folder), engine=engine, settings=settings), []
