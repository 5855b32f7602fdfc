"""``scan --live`` and the like: collect into a snapshot of this run, then go on with that as with any other."""

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
from policyengine.sources.live.collection import Collected


@contextmanager
def collected_for(wish: Wish, options: Mapping[str, Any]) -> Iterator[tuple[Path, Collected]]:
    """Yield the snapshot of what the rules of ``options`` need, and what is to be said of it; the folder lasts as long.

    Raises UsageError, InputError.
    """
    pack = selected(load_packs(options["rule_folders"]), options)
    with tempfile.TemporaryDirectory(prefix="policyengine-") as folder:
        target = Path(folder) / "snapshot"
        collected = collect(
            wish, plan_for(pack), target, pack=pack, now=now_text(), resume=False, quiet=bool(options["quiet"]),
            kept=False,
        )  # fmt: skip
        yield target, collected


@contextmanager
def collected_run(wish: Wish, options: Mapping[str, Any]) -> Iterator[Run]:
    """Yield the run over what was collected; the snapshot lasts as long.

    Raises UsageError, InputError.
    """
    with collected_for(wish, options) as (target, collected):
        accounts = sorted({kept.task.account for kept in collected.tasks})
        called = (
            f"live organisation ({len(accounts)} accounts)"
            if wish.organization
            else f"live account {''.join(accounts)}"
        )
        yield prepare_run([str(target)], options, called=called, near=["."])
