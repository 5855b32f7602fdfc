"""``policyengine review``: options, wiring, exit code."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, EXIT_USAGE
from policyengine.cli.inputs import check_place, read_pairs, read_parameters
from policyengine.cli.outputs import AtomicFile, named_formats, terminal_look
from policyengine.cli.review.git import Repository
from policyengine.cli.review.judging import Gate, Judging, judging
from policyengine.cli.review.repairing import remedies
from policyengine.cli.review.revisions import of_revisions
from policyengine.cli.review.sides import Both, of_targets
from policyengine.cli.text import TargetText
from policyengine.documents.files import exists
from policyengine.model.errors import UsageError
from policyengine.model.reasons import SEVERITIES
from policyengine.reports.base import RunError
from policyengine.reports.jsontext import compact
from policyengine.review.changes import Change, worst
from policyengine.review.collected import only_collected
from policyengine.review.compare import compared
from policyengine.review.document import About, review_json
from policyengine.review.matching import is_unchanged, paired_resources
from policyengine.review.pages import programs
from policyengine.review.pages.markdown import markdown_page
from policyengine.review.pages.terminal import terminal_page
from policyengine.review.pairs import Pairing
from policyengine.review.written import written_changes
from policyengine.sources.base import SourceOptions

FORMATS: Final = ("terminal", "json", "markdown", "sarif", "github", "gitlab")


def run_review(scope: Sequence[Path], options: Mapping[str, Any]) -> int:
    """Compare, write every format, and return the exit code."""
    formats = named_formats(options["formats"], FORMATS, quiet=options["quiet"])
    check_place(options["account"], options["region"])
    with ExitStack() as stack:
        both, judged_by, after = _opened(scope, options, stack)
        both.base.judge(judged_by.evaluator)
        both.head.judge(judged_by.evaluator)
        every = paired_resources(both.base.resources, both.head.resources, both.files)
        pairing, not_collected = only_collected(every, both.base.coverage(), both.head.coverage())
        gates = (judged_by.gate(), after.gate())
        found = compared(pairing, both.base.findings, both.head.findings, gates, remedies())
        written = written_changes(pairing, both.base.templates(), both.head.templates())
        changes = worst([*_unread(both), *not_collected, *written, *found])
        document = review_json(changes, _about(both, pairing, judged_by))
        for name, path in formats:
            with ExitStack() as files:
                out = sys.stdout if path is None else files.enter_context(AtomicFile(path))
                for text in _texts(name, document, both, options, out):
                    out.write(text)
    if not any(name == "terminal" and path is None for name, path in formats):
        for error in document["run"]["errors"][:20]:
            print(f"error: {error['message']}", file=sys.stderr)
    return exit_code(document, both, options)


def exit_code(document: Mapping[str, Any], both: Both, options: Mapping[str, Any]) -> int:
    """Return 4, 2, 1, 3 or 0, in this order (DESIGN section 6)."""
    if both.base.incomplete or both.head.incomplete:
        return EXIT_INCOMPLETE
    if both.head.errors:
        return EXIT_USAGE
    least = options["fail_on"]
    if least != "never" and any(
        entry["effect"] == "worse" and SEVERITIES.index(entry["severity"]) >= SEVERITIES.index(least)
        for entry in document["entries"]
    ):
        return EXIT_FAIL
    return EXIT_UNKNOWN if options["strict"] and document["summary"]["unclear"] else EXIT_OK


def _opened(
    scope: Sequence[Path], options: Mapping[str, Any], stack: ExitStack
) -> tuple[Both, Judging, Judging]:
    """Open both sides, with what judges them and what will judge after the change: files or folders where the names are of
    such, revisions otherwise."""
    bound = SourceOptions(
        account=options["account"],
        region=options["region"],
        stack_tags=read_pairs("--stack-tag", options["stack_tags"]),
    )
    base, head = options["base"], options["head"]
    if exists(base):
        if scope:
            raise UsageError("a scope goes with revisions; --base and --head already name what is compared")
        _refuse_both(base)
        other = Path(head) if head is not None else Path()
        if not exists(other):
            raise UsageError(f"--head `{head}` is neither a file nor a folder, as --base is")
        if head is None and not Path(base).is_dir():
            raise UsageError("--base is a file: name the file to compare it with by --head")
        judged_by = judging(options, [Path(base)], None)
        bound = replace(bound, parameters=read_parameters(options["parameters"]))
        return of_targets(Path(base), other, bound), judged_by, judging(options, [other], None)
    repository = Repository(Path())
    wanted = list(scope) or [Path()]
    for path in wanted:
        if not exists(path) and head is None:
            raise UsageError(f"`{path}` does not exist; the scope names files or folders of the work tree")
    newest = repository.commit(head, "--head") if head is not None else None
    commit = repository.commit(base, "--base")
    if not options["exact_base"]:
        commit = repository.fork_point(commit, newest or repository.commit("HEAD", "--head"))
    last = Gate(repository, newest, stack, is_base=False) if newest is not None else None
    gates = Gate(repository, commit, stack), last
    judged_by, after = (judging(options, [wanted[0]], gate, repository.root) for gate in gates)
    given = options["parameters"]
    bounds = (
        replace(bound, parameters=gates[0].parameters(given)),
        replace(
            bound, parameters=gates[1].parameters(given) if gates[1] is not None else read_parameters(given)
        ),
    )
    return of_revisions(repository, (commit, newest), wanted, bounds, stack), judged_by, after


def _refuse_both(base: str) -> None:
    try:
        named = Repository(Path()).is_revision(base)
    except UsageError:
        return
    if named:
        raise UsageError(
            f"--base `{base}` is a file or folder and a revision: write `./{base}` or `refs/heads/{base}`"
        )


def _about(both: Both, pairing: Pairing, judged_by: Judging) -> About:
    counts: Counter[str] = Counter()
    for pair in pairing.pairs:
        how = "new" if pair.base is None else "gone" if pair.head is None else ""
        counts[how or ("unchanged" if is_unchanged(pair, pairing.renamed) else "changed")] += 1
    errors = [
        {"side": side, "code": error.code, "message": str(RunError.of(error))}
        for side, found in (("head", both.head), ("base", both.base))
        for error in found.errors
    ]
    return About(
        both.base.name,
        both.head.name,
        judged_by.as_of,
        judged_by.pack.digest,
        len(judged_by.pack.rules),
        judged_by.config,
        errors,
        both.base.incomplete or both.head.incomplete,
        list(_notes(judged_by)),
        dict(counts),
    )


def _unread(both: Both) -> Iterator[Change]:
    """Yield what changed and cannot be compared: that nothing is told of it must not look like nothing."""
    for name, why in both.unread.items():
        yield Change("unreadable", "unclear", "low", why, None, file=name)
    broken = {error.location.file for error in both.head.errors if error.location is not None}
    for error in both.base.errors if both.base.is_code else ():
        at = error.location
        if at is not None and at.file not in broken:
            title = f"the base cannot be read here, so that what it held looks new: {error.message}"
            yield Change("unreadable", "unclear", "low", title, None, file=at.file)
    for error in both.head.errors:
        at = error.location
        yield Change(
            "unreadable", "unclear", "low", error.message, None, location=at, file=at.file if at else None
        )


def _notes(judged_by: Judging) -> Iterator[str]:
    if judged_by.config is None:
        yield "the base has no policyengine.yaml: the defaults of every rule hold"


def _texts(
    name: str, document: Mapping[str, Any], both: Both, options: Mapping[str, Any], out: Any
) -> Iterator[str]:
    if name == "json":
        yield compact(document) + "\n"
    elif name == "markdown":
        yield markdown_page(document)
    elif name == "sarif":
        yield programs.sarif(document)
    elif name == "github":
        yield from programs.github(document)
    elif name == "gitlab":
        yield programs.gitlab(document)
    else:
        side = both.head
        text = TargetText([], None, side.discovery.sources, bases=[side.folder])
        yield from terminal_page(document, text.lines, terminal_look(out), everything=options["all"])
