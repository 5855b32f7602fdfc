"""Roots of a bundle's lines, made again: one task a member, on several processes where that helps."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from policyengine.evidence.bundle_reader import content
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import ROLE_POPULATION, ROLE_RESULTS, Manifest, Member, Tree, folder_of
from policyengine.evidence.packing import PackedError, line_batches
from policyengine.evidence.problems import MISMATCH, Problem
from policyengine.evidence.rows import VerdictCounts
from policyengine.evidence.statement import Root
from policyengine.model.merkle import HASH_SIZE, Merkle
from policyengine.model.withheld import Withholding

ALONE: Final = 8 << 20
"""Bytes of members up to which other processes are not worth their start."""


class Task(NamedTuple):
    """A member whose lines are leaves, and where it stands."""

    bundle: Path
    place: Stored
    member: Member
    withholding: Withholding | None


class Leaves(NamedTuple):
    """Hashes of a member's lines, 32 bytes each; verdicts of rows; what is wrong."""

    path: str
    hashes: bytes
    verdicts: dict[str, int]
    problem: str


def leaves_of(task: Task) -> Leaves:
    """Return the leaves of one member."""
    hashes: list[bytes] = []
    counts = VerdictCounts()
    rows = task.member.role == ROLE_RESULTS
    number = 0
    try:
        with task.bundle.open("rb") as file:
            for lines in line_batches(content(file, task.place, task.member)):
                if task.withholding is not None:
                    lines = [task.withholding.committed(line) for line in lines]
                hashes.append(b"".join([sha256(b"\x00" + line).digest() for line in lines]))
                if rows:
                    for at, line in enumerate(lines, start=number + 1):
                        number = at
                        counts.add(line)
    except PackedError as problem:
        return Leaves(task.member.path, b"", {}, str(problem))
    except ValueError as problem:
        return Leaves(
            f"{task.member.path} line {number}" if rows else task.member.path, b"", {}, str(problem)
        )
    return Leaves(task.member.path, b"".join(hashes), counts.counts(), "")


def check_roots(
    bundle: Path, manifest: Manifest, places: dict[str, Stored], withholding: Withholding | None, jobs: int
) -> Iterator[Problem]:
    """Yield where roots, counts or verdicts over the lines are not those of the manifest."""
    tasks = [
        Task(bundle, places[path], manifest.by_path[path], withholding if role == ROLE_POPULATION else None)
        for role, tree in ((ROLE_POPULATION, manifest.population), (ROLE_RESULTS, manifest.results))
        for path in tree.parts
    ]
    trees = {ROLE_POPULATION: Merkle(), ROLE_RESULTS: Merkle()}
    inputs: dict[str, Merkle] = {path: Merkle() for path in manifest.inputs}
    counts = VerdictCounts()
    damaged = False
    for task, leaves in zip(tasks, _done(tasks, jobs), strict=True):
        if leaves.problem:
            damaged = True
            yield Problem(MISMATCH, leaves.path, leaves.problem)
            continue
        hashes = [leaves.hashes[at : at + HASH_SIZE] for at in range(0, len(leaves.hashes), HASH_SIZE)]
        trees[task.member.role].add_hashes(hashes)
        if task.member.role == ROLE_POPULATION and len(inputs) > 1:
            inputs[folder_of(task.member.path)].add_hashes(hashes)
        counts.add_counts(leaves.verdicts)
    if damaged:
        return
    if len(inputs) == 1:
        inputs = dict.fromkeys(inputs, trees[ROLE_POPULATION])
    yield from _compare(manifest, trees, inputs)
    if counts.counts() != manifest.results.verdicts:
        yield Problem(
            MISMATCH,
            "results",
            f"its rows have the verdicts {counts.counts()}; listed are {dict(manifest.results.verdicts or {})}",
        )


def _compare(manifest: Manifest, trees: dict[str, Merkle], inputs: dict[str, Merkle]) -> Iterator[Problem]:
    whole: list[tuple[str, Tree]] = [(ROLE_POPULATION, manifest.population), (ROLE_RESULTS, manifest.results)]
    expected: list[tuple[str, Root, Merkle]] = [(role, tree.root, trees[role]) for role, tree in whole]
    expected += [(path, root, inputs[path]) for path, root in manifest.inputs.items()]
    for name, root, tree in expected:
        found = Root(tree.root().hex(), tree.size)
        if found.count != root.count:
            yield Problem(MISMATCH, name, f"it has {found.count:,} lines; {root.count:,} are listed")
        elif found != root:
            yield Problem(
                MISMATCH,
                name,
                f"the root over its {root.count:,} lines is {found.root}; listed is {root.root}",
            )


def _done(tasks: Sequence[Task], jobs: int) -> Iterator[Leaves]:
    """Results in the order of tasks; no more than ``jobs + 1`` are under way or waiting to be taken."""
    if jobs < 2 or len(tasks) < 2 or sum(task.member.size for task in tasks) < ALONE:
        yield from map(leaves_of, tasks)
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    free = threading.Semaphore(jobs + 1)

    def paced() -> Iterator[Task]:
        for task in tasks:
            free.acquire()
            yield task

    with ExitStack() as stack:
        pool = stack.enter_context(multiprocessing.get_context(method).Pool(min(jobs, len(tasks))))
        try:
            for leaves in pool.imap(leaves_of, paced()):
                yield leaves
                free.release()
        finally:
            free.release(len(tasks))  # the pool cannot end while its feeder waits for a place
