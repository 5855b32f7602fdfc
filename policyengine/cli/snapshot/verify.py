"""``policyengine snapshot verify``: is a snapshot what its manifest says?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK
from policyengine.model.errors import UsageError
from policyengine.sources.base import SourceOptions
from policyengine.sources.paths import printable


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 as it says; 2 no snapshot; 4 damaged.",
)
@click.argument("folder", type=click.Path(path_type=Path))
def verify(folder: Path) -> int:
    """Read every line of a snapshot, and hold hashes, counts, order and contents against its manifest."""
    from policyengine.sources.snapshot import open_snapshot

    if not folder.is_dir():
        raise UsageError(f"`{folder}` is no folder of a snapshot")
    source = open_snapshot(folder, SourceOptions())
    collector = len(source.errors)
    resources, misplaced = _read(source)
    damage = [printable(str(error)) for error in source.errors[collector:]] + misplaced
    for said in damage:
        print(f"damaged: {said}")
    if not source.sorted:
        print("damaged: its lines are not in the order of account, region, type and id")
    for note in source.notes:
        print(f"note: {printable(note)}")
    whole = not damage and source.sorted
    print(
        f"{folder}: {resources:,} resources in {len(source.parts):,} parts, "
        f"{'as the manifest says' if whole else 'not what the manifest says'}; "
        f"{len(source.coverage):,} types whole by account and region, {collector:,} errors of the collector"
    )
    return EXIT_OK if whole else EXIT_INCOMPLETE


def _read(source: Any) -> tuple[int, list[str]]:
    """Return how many resources there are, and which parts hold some of another account or region than theirs."""
    resources, misplaced = 0, {}
    for shard in source.shards():
        part = source.parts[shard.part]
        for resource in source.read_shard(shard):
            resources += 1
            if part.account and (resource.account, resource.region) != (part.account, part.region):
                misplaced[part.name] = (
                    f"{printable(part.name)}: is of {part.account} {part.region} and holds "
                    f"{printable(resource.id)} of {resource.account} {resource.region}"
                )
    return resources, list(misplaced.values())
