"""A snapshot as a source: a directory with a manifest, or a single file of lines."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.model.withheld import Withholding
from policyengine.sources.base import NO_COVERAGE, Coverage, SourceOptions
from policyengine.sources.paths import display_path, printable
from policyengine.sources.snapshot import files
from policyengine.sources.snapshot.digest import folded_digest, line_digest
from policyengine.sources.snapshot.lines import MAX_LINE, parse_line
from policyengine.sources.snapshot.manifest import MANIFEST, Part, read_manifest
from policyengine.sources.snapshot.peek import Key, keyed_lines, line_filter
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.snapshot.satellites import Satellites, find_satellites
from policyengine.sources.snapshot.variants import join_branches

MAX_ERRORS = 1000
"""Errors listed per snapshot; one more says that there are others."""
MAX_BAD_LINES = 100_000
"""A part with more bad lines is not read to its end: it is no snapshot, and each costs time."""
RANGE = 16 << 20
"""Bytes of a single plain file that make one shard."""

_BOM = b"\xef\xbb\xbf"


class Shard(NamedTuple):
    """A piece that can be read by itself, in any process: a part, or a range of one at line ends."""

    part: int
    start: int = 0
    end: int | None = None


class SnapshotSource:
    """Implements :class:`~policyengine.sources.base.Source`; can be pickled and read again.

    A part that is broken (hash, missing file, a bad line) is told in ``errors``, and what the
    coverage said about its account and region is withdrawn: something is missing there, and
    nobody knows what.
    """

    kind = "snapshot"

    def __init__(
        self,
        target: str,
        parts: list[Part],
        coverage: Coverage = NO_COVERAGE,
        *,
        later_minor: bool = False,
        created: str | None = None,
        manifest: Path | None = None,
        failed: Mapping[tuple[str, str, str], Unresolved] | None = None,
        redaction_key: str | None = None,
    ) -> None:
        self.redaction_key = redaction_key
        self.failed = dict(failed or {})
        self.target = target
        self.parts = parts
        self.coverage = coverage
        self.created = created
        self.manifest = manifest
        self.errors: list[PolicyEngineError] = []
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self._later_minor = later_minor
        self._told: set[str] = set()
        self._lines_before: dict[Shard, int] = {}
        self._satellites: Satellites | None = None
        self.digests = False
        """Whether resources are given with their :attr:`Resource.digest`; to be set before anything is read."""
        self.redact: Callable[[Resource], Resource] | None = None
        """Takes secrets out of resources; to be set before anything is read."""
        self.withholding: Withholding | None = None
        """What resources are given without (decision 16); to be set before anything is read."""

    def resources(self) -> Iterator[Resource]:
        """Yield every resource, in the order of the parts."""
        for index in range(len(self.parts)):
            yield from self.read_shard(Shard(index))

    def shards(self) -> list[Shard]:
        """Return the pieces in order: read one after the other they give :meth:`resources`."""
        if len(self.parts) != 1 or self.parts[0].sha256 is not None:
            return [Shard(index) for index in range(len(self.parts))]
        path = self.parts[0].path
        try:
            size = path.stat().st_size
            if size <= RANGE or next(files.read_blocks(path), b"").startswith(files.ZSTD_MAGIC):
                return [Shard(0)]
            cuts = sorted({files.next_line(path, at) for at in range(0, size, RANGE)} | {size})
        except (OSError, files.StreamError):  # reading it will say so
            return [Shard(0)]
        return [Shard(0, start, end) for start, end in itertools.pairwise(cuts)]

    def groups(self) -> list[list[Shard]]:
        """Return the shards in order, grouped by account; one group where that is not known."""
        shards = self.shards()
        accounts = [self.parts[shard.part].account for shard in shards]
        runs = [
            [shard for _, shard in run]
            for _, run in itertools.groupby(zip(accounts, shards, strict=True), key=itemgetter(0))
        ]
        return runs if None not in accounts and len(runs) == len(set(accounts)) else [shards]

    def account_of(self, shard: Shard) -> str | None:
        """Return whose resources a piece holds; None where they may be of any account."""
        return self.parts[shard.part].account or None

    def count(self, shard: Shard) -> int | None:
        """Return how many resources a piece has, as the manifest says; None where nobody counted them."""
        return None if shard.end is not None else self.parts[shard.part].resources

    def prepare(self) -> None:
        """Find out once what copies of this source in other processes would each find out themselves."""
        self._folding()

    def read_shard(self, shard: Shard) -> Iterator[Resource]:
        """Yield the resources of one piece."""
        return self._folding().apply(join_branches(self._read(shard, lambda _line: True)))

    def scan_types(self, types: Collection[str], shard: Shard | None = None) -> Iterator[Resource]:
        """Yield the resources of these types only; other lines are mostly not even parsed."""
        return self._folding().apply(self._scan(types, shard))

    def _scan(self, types: Collection[str], shard: Shard | None = None) -> Iterator[Resource]:
        wanted = frozenset(types)
        keep = line_filter(wanted)
        for piece in [Shard(i) for i in range(len(self.parts))] if shard is None else [shard]:
            for resource in join_branches(self._read(piece, keep)):
                if resource.type in wanted:
                    yield resource

    def _folding(self) -> Satellites:
        """Found at the first reading; a pickled copy carries it to other processes."""
        if self._satellites is None:
            self._satellites = find_satellites(self._scan)
            for parent in self._satellites.parents if self.digests else ():
                parent.digest = folded_digest(parent)
        return self._satellites

    def check_present(self, part: Part) -> None:
        """Tell a part that is missing or has another size than the manifest says."""
        try:
            size = part.path.stat().st_size
        except OSError as problem:
            self._broken(part, f"cannot be read: {files.reason_of(problem)}", "unreadable")
            return
        if part.size is not None and size != part.size:
            self._broken(part, f"has {size} bytes, the manifest says {part.size}", "hash_mismatch")

    @property
    def paths(self) -> list[Path]:
        """The files that are read, in order."""
        folder = [self.manifest] if self.manifest is not None else []
        return [*folder, *(part.path for part in self.parts)]

    @cached_property
    def sorted(self) -> bool:
        """Whether the resources come in the order of their identities.

        Found out by reading the beginning of each line, not believed: the contract asks for it,
        but whoever streams findings in this order must be sure.
        """
        last: Key = ()
        for part in self.parts:
            try:
                for _, key, _ in keyed_lines(part.path, lambda _: None):
                    if key is not None and key < last:
                        return False
                    last = key or last
            except files.StreamError:
                return False
        return True

    # -- reading ------------------------------------------------------------------------------------

    def _read(self, shard: Shard, keep: Callable[[bytes], bool]) -> Iterator[Resource]:
        part = self.parts[shard.part]
        whole = shard.start == 0 and shard.end is None
        hasher = hashlib.sha256() if part.sha256 is not None and whole else None
        span = None if shard.end is None else shard.end - shard.start
        count, number, bad = 0, 1, 0
        account = part.account or None

        def too_long(line: int) -> None:
            self._bad_line(part, shard, line, f"the line is over the limit of {MAX_LINE >> 20} MiB")

        try:
            blocks = files.expand(files.read_blocks(part.path, hasher, shard.start, span))
            for number, lines in files.cut_lines(blocks, too_long):
                if number == 1 and not shard.start and lines[0].startswith(_BOM):
                    lines[0] = lines[0][len(_BOM) :]
                for offset, line in enumerate(lines):
                    if not line or line.isspace():
                        continue
                    count += 1
                    if not keep(line):
                        continue
                    try:
                        line = self._without_withheld(line)
                        resource = parse_line(line, self._later_minor)
                        if account is not None and resource.account != account:
                            _refuse_account(resource, account)
                        if self.digests:
                            resource.digest = line_digest(line, resource, self._later_minor)
                    except LineError as problem:
                        self._bad_line(part, shard, number + offset, str(problem))
                        bad += 1
                        if bad > MAX_BAD_LINES:
                            self._broken(part, f"has more than {MAX_BAD_LINES:,} bad lines", "bad_line")
                            return
                    else:
                        yield resource if self.redact is None else self.redact(resource)
        except files.StreamError as problem:
            self._broken(part, str(problem), "truncated" if "truncated" in str(problem) else "unreadable")
            return
        self._verify(part, hasher.hexdigest() if hasher is not None else None, count)

    def _without_withheld(self, line: bytes) -> bytes:
        if self.withholding is None:
            return line
        try:
            return self.withholding.committed(line)
        except ValueError as problem:
            raise LineError(str(problem)) from None

    def _verify(self, part: Part, digest: str | None, count: int) -> None:
        if digest is not None and digest != part.sha256:
            self._broken(
                part,
                f"does not have the SHA-256 the manifest says (found {digest[:12]}, expected "
                f"{str(part.sha256)[:12]}): it was changed or damaged after it was written",
                "hash_mismatch",
            )
        elif digest is not None and part.resources is not None and count != part.resources:
            self._broken(part, f"holds {count} lines, the manifest says {part.resources}", "line_count")

    def _bad_line(self, part: Part, shard: Shard, line: int, message: str) -> None:
        self._withdraw(part)
        if len(self._told) > MAX_ERRORS:
            return
        if shard.start and shard not in self._lines_before:
            self._lines_before[shard] = files.count_newlines(part.path, shard.start)
        before = self._lines_before.get(shard, 0)
        self.tell(InputError(message, Location(part.name, before + line), code="bad_line"))

    def _broken(self, part: Part, message: str, code: str) -> None:
        self.tell(InputError(message, Location(part.name), code=code))
        self._withdraw(part)

    def tell(self, error: PolicyEngineError) -> None:
        """List an error once, however often the part is read, and no more than MAX_ERRORS."""
        text = str(error)
        if text in self._told or len(self._told) > MAX_ERRORS:
            return
        self._told.add(text)
        if len(self._told) > MAX_ERRORS:
            error = InputError(
                f"more than {MAX_ERRORS} errors; the others are not listed", Location(self.target)
            )
        self.errors.append(error)

    def _withdraw(self, part: Part) -> None:
        if part.account is None or part.region is None:
            self.coverage = NO_COVERAGE
        else:
            place = (part.account, part.region)
            self.coverage = frozenset(c for c in self.coverage if c[:2] != place)


def _refuse_account(resource: Resource, account: str) -> None:
    """A part holds one account, and whoever asks about an account reads no other parts."""
    raise LineError(f"the line is of account `{resource.account}`, its part is of account `{account}`")


# -- opening ----------------------------------------------------------------------------------------


def open_snapshot(
    path: str | Path, options: SourceOptions, target: str | Path | None = None, *, name: str | None = None
) -> SnapshotSource:
    """Return the snapshot at ``path``: a directory with a manifest, or one file of lines.

    ``target`` is what the user named (``path`` when None); ``name`` is what messages call it instead. Raises InputError
    when the manifest
    cannot be used or the file cannot be opened.
    """
    place = Path(path)
    name = name or display_path(path, options, path if target is None else target)
    if not place.is_dir():
        return open_lines(place, name)
    manifest = read_manifest(place, name)
    source = SnapshotSource(
        name,
        manifest.parts,
        manifest.coverage,
        later_minor=manifest.minor > 0,
        created=manifest.created,
        manifest=place / MANIFEST,
        failed=manifest.failed,
        redaction_key=manifest.redaction_key,
    )
    for error in manifest.errors:
        source.tell(error)
    for part in manifest.parts:
        source.check_present(part)
    source.notes.extend(manifest.notes)
    source.notes.extend(_strangers(place, manifest.parts, name))
    return source


def open_lines(path: Path, name: str) -> SnapshotSource:
    """Return a single file of lines, called ``name`` in messages; it covers nothing beyond itself."""
    try:
        with path.open("rb"):
            pass
    except OSError as problem:
        message = f"cannot be read: {files.reason_of(problem)}"
        raise InputError(message, Location(name), code="unreadable") from None
    return SnapshotSource(name, [Part(path, name)])


def is_snapshot_folder(path: Path) -> bool:
    """Say whether a folder holds a snapshot: a manifest beside ``resources/``."""
    return (path / MANIFEST).is_file() and (path / "resources").is_dir()


def _strangers(folder: Path, parts: list[Part], name: str) -> Iterator[str]:
    listed = {part.path for part in parts}
    for path in sorted((folder / "resources").glob("*.ndjson*")):
        if path not in listed:
            yield f"{name}/resources/{printable(path.name)} is not in the manifest and is not read"
