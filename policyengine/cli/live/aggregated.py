"""``scan --config-aggregator``: fetch what AWS Config aggregated into a private file, then evaluate that as any other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from policyengine.aws.failures import CallFailure
from policyengine.cli.live.fleet import Fleet
from policyengine.cli.live.wish import ROLE_NAME, Wish
from policyengine.cli.run import Run, prepare_run, selected
from policyengine.engine.needs import needs_of
from policyengine.model.errors import InputError
from policyengine.rules.packs import load_packs
from policyengine.sources.config.aggregator import Aggregator, recorded_names, write


@contextmanager
def aggregated_run(name: str, options: Mapping[str, Any]) -> Iterator[Run]:
    """Yield the run over what the aggregator holds of the types that rules read; the file lasts as long.

    Raises InputError when the aggregator cannot be asked.
    """
    pack = selected(load_packs(options["rule_folders"]), options)
    wish = Wish(
        organization=False, profile=options["profile"], regions=(), role_name=ROLE_NAME, external_id=None, accounts=(),
        ous=(), exclude=(), rate=options["rate"], workers=options["workers"],
    )  # fmt: skip
    fleet = Fleet(wish)
    aggregator = Aggregator(fleet.own, fleet.start, name)
    with tempfile.TemporaryDirectory(prefix="policyengine-") as folder:
        target = Path(folder) / "aggregator.json"
        try:
            with target.open("wb") as file:
                write(aggregator.items(recorded_names(needs_of(pack.rules), aggregator.known())), file.write)
        except CallFailure as failure:
            raise InputError(
                f"the aggregator `{name}` in {fleet.start} gave no answer: {failure}", code="call_failed"
            ) from None
        run = prepare_run([str(target)], options, called=f"aggregator {name}", near=["."])
        for source in run.discovery.sources:
            source.errors += _errors(aggregator, name)
        yield run


def _errors(aggregator: Aggregator, name: str) -> list[InputError]:
    found = [
        InputError(f"the aggregator `{name}`: {failure}", code="call_failed")
        for failure in aggregator.failures
    ]
    if aggregator.missed:
        message = f"the aggregator `{name}` did not give {aggregator.missed} resources that its query names"
        found.append(InputError(message, code="not_collected"))
    return found
