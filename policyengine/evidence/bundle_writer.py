"""Writing a bundle: members in any order, several at a time, in constant memory; signed when all are there."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from policyengine.evidence import bundle_zip
from policyengine.evidence.dsse import seal
from policyengine.evidence.manifest import (
    ENVELOPE,
    FULL,
    MANIFEST,
    NONE,
    REDACTED,
    ROLE_POPULATION,
    ROLE_RESULTS,
    ROLE_SECRET,
    RUN_FILE,
    SECRET_FILE,
    Fields,
    Head,
    Manifest,
    Member,
    Tree,
    check_path,
    folder_of,
    read_manifest,
)
from policyengine.evidence.packing import Packer
from policyengine.evidence.problems import MISMATCH, BundleError, Problem
from policyengine.evidence.rows import VerdictCounts
from policyengine.evidence.rule_lists import root_of_rules, rule_lines
from policyengine.evidence.signers import Signer
from policyengine.evidence.statement import Root, bundle_statement
from policyengine.model.errors import UsageError
from policyengine.model.merkle import HASH_SIZE, Merkle, leaf_hash
from policyengine.model.withheld import Withholding
from policyengine.store.lines import MAX_LINE

JSON: Final = "application/json"
NDJSON_GZ: Final = "application/gzip"
CSV: Final = "text/csv; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"
_COPY: Final = 1 << 20
_BEGINS: Final = b"# -- a bundle's verify.py begins with what follows\n"
_HERE: Final = b"# -- a bundle's verify.py has the first part here\n"
_GOES_ON: Final = b"# -- the second part\n"


class Stream(io.BufferedIOBase):
    """A member that is being written; ``close()`` or leave its ``with`` block. What a ``.gz`` member is given is what it
    holds unpacked: it is compressed here."""

    def __init__(self, path: str, role: str, media_type: str, file: BinaryIO) -> None:
        super().__init__()
        self.path = self.name = path
        self.role = role
        self.media_type = media_type
        self.size = 0
        self.crc = 0
        self._file = file
        self._hash = sha256()
        self._packer = Packer(self.put) if path.endswith(".gz") else None

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Add bytes; return how many."""
        block = data if isinstance(data, bytes) else bytes(data)
        if self._packer is not None:
            self._packer.write(block)
        else:
            self.put(block)
        return len(block)

    def put(self, block: bytes) -> None:
        """Add bytes as they are stored."""
        self._file.write(block)
        self._hash.update(block)
        self.crc = zlib.crc32(block, self.crc)
        self.size += len(block)

    def close(self) -> None:
        """End the member."""
        if not self.closed:
            if self._packer is not None:
                self._packer.end()
            self._file.close()
        super().close()

    def member(self) -> Member:
        """Return what the manifest says of the member once it is closed."""
        unpacked = self._packer.size if self._packer else None
        return Member(self.path, self.size, self._hash.hexdigest(), self.media_type, self.role, unpacked)


class Lines:
    """A member of lines that are leaves: parts of the population, or rows of results. ``close()`` or use ``with``.

    The order of leaves is the order in which such members were opened, line by line within each.
    """

    def __init__(self, stream: Stream, leaves: Path, writer: BundleWriter) -> None:
        self.stream = stream
        self.leaves = leaves
        """File of the leaves' hashes."""
        self.count = 0
        self._leaves = leaves.open("wb")
        self._writer = writer

    def write_line(self, line: bytes) -> None:
        """Add one line, without a line feed. Raises ValueError for one that has one, is too long, or is no row."""
        self.write_lines((line,))

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Add lines; a thousand at a time is quicker than one by one."""
        writer = self._writer
        holding = writer.withholding if self.stream.role == ROLE_POPULATION else None
        rows = self.stream.role == ROLE_RESULTS
        written, leaves = [], []
        for line in lines:
            if b"\n" in line or len(line) > MAX_LINE:
                raise ValueError(f"`{self.stream.path}`: a line has a line feed, or over {MAX_LINE:,} bytes")
            if rows:
                writer.verdicts.add(line)
            committed = holding.committed(line) if holding is not None else line
            written.append(line if writer.disclose else committed)
            leaves.append(leaf_hash(committed))
        if written:
            written.append(b"")
            self.stream.write(b"\n".join(written))
            self._leaves.write(b"".join(leaves))
            self.count += len(leaves)

    def close(self) -> None:
        """End the member."""
        self.stream.close()
        self._leaves.close()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BundleWriter:
    """Writes a bundle to ``path``: put in place whole by :meth:`finish`, and not at all without it.

        with BundleWriter(path) as bundle:
            with bundle.lines("snapshot/0001/resources/a.ndjson.gz", ROLE_POPULATION) as part:
                part.write_lines(lines)
            with bundle.lines("results/0001.ndjson.gz", ROLE_RESULTS) as rows:
                rows.write_line(row)
            with bundle.add("population/0001.csv", "population-csv", CSV) as stream:
                stream.write(b"...")
            bundle.add_bytes("run/run.json", text, "run", JSON)
            head = bundle.finish(Fields(run, engine, rule_pack), signer, previous=head_of_last)

    Members may be open at the same time and come in any order; they are sorted in the zip. Their content lies in a folder
    beside ``path`` meanwhile. ``README.txt``, ``verify.py`` and ``keys/signer.pem`` are added here.

    ``withholding`` says what may be withheld of the population; with ``disclose`` the bundle holds those values and the
    secret, without it neither. Both have the same roots.

    Raises UsageError where ``path`` cannot be written, ValueError for a member that cannot be.
    """

    def __init__(self, path: Path, *, withholding: Withholding | None = None, disclose: bool = True) -> None:
        self.path = path
        self.withholding = withholding
        self.disclose = disclose or withholding is None
        self.verdicts = VerdictCounts()
        self._streams: dict[str, Stream] = {}
        self._files: dict[str, Path] = {}
        self._lines: dict[str, list[Lines]] = {ROLE_POPULATION: [], ROLE_RESULTS: []}

    def __enter__(self) -> BundleWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=f".{self.path.name}."))
        except OSError as problem:
            raise UsageError(
                f"`{self.path}` cannot be written: {(problem.strerror or 'error').lower()}"
            ) from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, path: str, role: str, media_type: str) -> Stream:
        """Begin a member and return where its content is written to."""
        if role in self._lines or path == SECRET_FILE:
            raise ValueError(
                f"`{path}`: members of role `{role}` are written through `lines()`, or by the writer"
            )
        return self._add(path, role, media_type)

    def text(self, path: str, role: str, media_type: str) -> io.TextIOWrapper:
        """Begin a member of text and return where it is written to: UTF-8, line ends as they are given (for ``csv``)."""
        return io.TextIOWrapper(self.add(path, role, media_type), "utf-8", newline="")

    def add_bytes(self, path: str, data: bytes, role: str, media_type: str) -> None:
        """Add a whole member."""
        with self.add(path, role, media_type) as stream:
            stream.write(data)

    def add_file(self, path: str, source: Path, role: str, media_type: str) -> None:
        """Add a copy of a file."""
        with source.open("rb") as file, self.add(path, role, media_type) as stream:
            while block := file.read(_COPY):
                stream.write(block)

    def lines(self, path: str, role: str) -> Lines:
        """Begin a gzip member whose lines are leaves: ``snapshot/NNNN/…`` with ``ROLE_POPULATION``, inputs in order;
        ``results/NNNN.ndjson.gz`` with ``ROLE_RESULTS``."""
        if not path.endswith(".ndjson.gz") or role not in self._lines:
            raise ValueError(
                f"`{path}`: lines are in members called `….ndjson.gz`, of the population or of results"
            )
        stream = self._add(path, role, NDJSON_GZ)
        member = Lines(stream, self._folder / f"{len(self._streams)}.leaves", self)
        self._lines[role].append(member)
        return member

    def finish(
        self,
        fields: Fields,
        signer: Signer,
        *,
        previous: Head | None = None,
        population_root: str | None = None,
        results_root: str | None = None,
    ) -> Head:
        """Close what is open, sign, write the zip, and return its head.

        ``previous`` is the head of the bundle before this one. Where roots are given (hexadecimal), those of the members
        must be the same: raises BundleError (``mismatch``) otherwise. Of kind ``schema`` it is raised where no verifier
        would read the manifest, such as inputs that are out of order.
        """
        self._own_members(signer)
        self._close()
        population, inputs = self._population()
        results = self._tree(ROLE_RESULTS, dict(self.verdicts.counts()))
        for name, tree, expected in (
            ("population", population, population_root),
            ("results", results, results_root),
        ):
            if expected is not None and tree.root.root != expected:
                text = f"its root is {tree.root.root}, and the run's is {expected}"
                raise BundleError(Problem(MISMATCH, name, text))
        manifest = Manifest(
            fields,
            previous.sequence + 1 if previous else 1,
            previous,
            population,
            results,
            self._rules(),
            inputs,
            tuple(self._streams[path].member() for path in sorted(self._streams)),
            NONE if self.withholding is None else FULL if self.disclose else REDACTED,
            self.withholding.plan.to_json() if self.withholding else None,
        )
        self._write(manifest, signer)
        return manifest.head()

    def _close(self) -> None:
        for members in self._lines.values():
            for lines in members:
                lines.close()
        for stream in self._streams.values():
            stream.close()

    def _add(self, path: str, role: str, media_type: str) -> Stream:
        check_path(path)
        if path in self._streams:
            raise ValueError(f"`{path}` is there already")
        file = self._folder / f"{len(self._streams)}.member"
        stream = Stream(path, role, media_type, file.open("wb"))
        self._streams[path], self._files[path] = stream, file
        return stream

    def _own_members(self, signer: Signer) -> None:
        readme, script = own_texts()
        self.add_bytes("README.txt", readme, "readme", TEXT)
        self.add_bytes("verify.py", script, "verifier", "text/x-python; charset=utf-8")
        self.add_bytes("keys/signer.pem", signer.public.pem(), "key", "application/x-pem-file")
        if self.withholding is not None and self.disclose:
            with self._add(SECRET_FILE, ROLE_SECRET, TEXT) as stream:
                stream.write(self.withholding.secret.hex().encode() + b"\n")

    def _population(self) -> tuple[Tree, dict[str, Root]]:
        """The whole tree, and the root of each input."""
        by_folder: dict[str, list[Lines]] = {}
        for lines in self._lines[ROLE_POPULATION]:
            by_folder.setdefault(folder_of(lines.stream.path), []).append(lines)
        inputs = {}
        for folder, members in by_folder.items():
            one = Merkle()
            for lines in members:
                one.add_hashes(_hashes(lines.leaves))
            inputs[folder] = Root(one.root().hex(), one.size)
        return self._tree(ROLE_POPULATION, None), inputs

    def _rules(self) -> Root:
        file = self._files.get(RUN_FILE)
        return root_of_rules([] if file is None else rule_lines(file.read_bytes()))

    def _tree(self, role: str, verdicts: dict[str, int] | None) -> Tree:
        tree = Merkle()
        for lines in self._lines[role]:
            tree.add_hashes(_hashes(lines.leaves))
        return Tree(
            Root(tree.root().hex(), tree.size),
            tuple(lines.stream.path for lines in self._lines[role]),
            verdicts,
        )

    def _write(self, manifest: Manifest, signer: Signer) -> None:
        text = manifest.to_bytes()
        read_manifest(text)
        roots = manifest.population.root, manifest.results.root, manifest.rules
        payload = bundle_statement(sha256(text).hexdigest(), *roots)
        target = self._folder / "bundle.zip"
        with target.open("wb") as out:
            bundle_zip.write(out, self._contents(text, seal(payload, signer)))
            out.flush()
            os.fsync(out.fileno())
        try:
            target.replace(self.path)
        except OSError as problem:
            raise UsageError(
                f"`{self.path}` cannot be written: {(problem.strerror or 'error').lower()}"
            ) from problem

    def _contents(self, manifest: bytes, envelope: bytes) -> Iterator[tuple[str, int, int, BinaryIO]]:
        for path, text in ((ENVELOPE, envelope), (MANIFEST, manifest)):
            yield path, len(text), zlib.crc32(text), io.BytesIO(text)
        for path in sorted(self._streams):
            stream = self._streams[path]
            with self._files[path].open("rb") as content:
                yield path, stream.size, stream.crc, content


def own_texts() -> tuple[bytes, bytes]:
    """Return what every bundle carries: how to verify it, and the program that does with the standard library alone."""
    package = resources.files("policyengine.evidence")
    first = (package / "standalone_zip.py").read_bytes().partition(_BEGINS)[2]
    head, _, rest = (package / "standalone.py").read_bytes().partition(_HERE)
    script = head + first + rest.partition(_GOES_ON)[2]
    return (package / "bundle_readme.txt").read_bytes(), script


def _hashes(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(HASH_SIZE << 12):
            for at in range(0, len(block), HASH_SIZE):
                yield block[at : at + HASH_SIZE]
