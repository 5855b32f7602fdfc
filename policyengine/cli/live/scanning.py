"""``scan --live``: collect into a snapshot of this run, then evaluate that as any other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from policyengine.cli.live.collect import collect, plan_for
from policyengine.cli.live.wish import Wish
from policyengine.cli.run import Run, now_text, prepare_run, selected
from policyengine.rules.packs import load_packs


@contextmanager
def collected_run(wish: Wish, options: Mapping[str, Any]) -> Iterator[Run]:
    """Yield the run over what was collected; the snapshot lasts as long.

    Raises UsageError, InputError.
    """
    pack = selected(load_packs(options["rule_folders"]), options)
    with tempfile.TemporaryDirectory(prefix="policyengine-") as folder:
        target = Path(folder) / "snapshot"
        collected = collect(
            wish,
            plan_for(pack),
            target,
            pack=pack,
            now=now_text(),
            resume=False,
            quiet=bool(options["quiet"]),
            kept=False,
        )
        accounts = sorted({kept.task.account for kept in collected.tasks})
        called = (
            f"live organisation ({len(accounts)} accounts)"
            if wish.organization
            else f"live account {''.join(accounts)}"
        )
        yield prepare_run([str(target)], options, called=called, near=["."])
