"""Fixing from the command line: targets opened, templates planned, files written whole or not at all."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE
from policyengine.cli.inputs import check_place, read_configuration, read_pairs, read_parameters
from policyengine.cli.run import clock, selected
from policyengine.cli.text import cover
from policyengine.cli.waivers.writing import write_whole
from policyengine.documents import Document, load
from policyengine.engine.evaluate import Evaluator
from policyengine.fix.judging import Place
from policyengine.fix.patch import unified
from policyengine.fix.planning import Plan, Wanted, plan
from policyengine.fix.report import FileFixes, document, lines
from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.reports.text import without_log_commands
from policyengine.rules.packs import load_packs
from policyengine.sources.base import Source, SourceOptions
from policyengine.sources.cloudformation.cdk import stack_of
from policyengine.sources.discover import open_targets
from policyengine.sources.paths import STDIN, base_folder, printable
from policyengine.sources.snapshot.files import reason_of

_GENERATED: Final = {
    "plan": "a Terraform plan is generated, and configuration in HCL is not edited: change the `.tf` file; "
    "`scan --terraform-source DIR` names its line with each finding",
    "snapshot": "a snapshot says what runs: `policyengine remediate` repairs that",
    "config": "a file of AWS Config says what runs: `policyengine remediate` repairs that",
}


class Refused(NamedTuple):
    """A file that is not edited; ``walked`` where nobody named it."""

    file: str
    message: str
    walked: bool


class Read(NamedTuple):
    """A template as it was read."""

    path: Path
    data: bytes
    document: Document
    place: Place


def run(targets: Sequence[str], options: Mapping[str, Any]) -> int:
    """Plan and write or show the fixes; returns the exit code. Raises PolicyEngineError for what makes it impossible."""
    _, now = clock(options["as_of"])
    check_place(options["account"], options["region"])
    pack = load_packs(options["rule_folders"])
    settings = read_configuration(options, targets, pack).settings
    chosen = selected(pack, options)
    rules = None if chosen is pack else frozenset(form["id"] for form in chosen.rules)
    evaluator = Evaluator(pack, now=now, settings=settings)
    wanted = Wanted(options["unsafe"], rules, read_pairs("--tag", options["tags"]))
    found = open_targets(targets, _source_options(options))
    refused = [Refused(_file_of(e), e.message, found.was_walked(e)) for e in found.errors]
    done: list[FileFixes] = []
    for source in found.sources:
        try:
            read = _read(source)
            planned = plan(read.place, read.document, evaluator, wanted)
            if options["diff"]:
                _show_diff(read, planned, refused)
            elif planned.changed:
                _write(read, planned)
            done.append(FileFixes(read.place.file, planned))
        except InputError as error:
            refused.append(
                Refused(getattr(source, "file", source.target), error.message, found.was_walked(source))
            )
    _report(done, refused, options)
    if evaluator.crashes:
        print(
            f"error: {len(evaluator.crashes)} rules crashed: {', '.join(sorted(evaluator.crashes))}",
            file=sys.stderr,
        )
        return EXIT_INCOMPLETE
    if any(not each.walked for each in refused) or not (done or refused):
        return EXIT_USAGE
    return EXIT_FAIL if options["diff"] and any(each.plan.changed for each in done) else EXIT_OK


def _source_options(options: Mapping[str, Any]) -> SourceOptions:
    return SourceOptions(
        parameters=read_parameters(options["parameters"]),
        account=options["account"],
        region=options["region"],
        stack_tags=read_pairs("--stack-tag", options["stack_tags"]),
    )


def _file_of(error: Any) -> str:
    return error.location.file if error.location is not None else "?"


def _read(source: Source) -> Read:
    """Return a template to be edited. Raises InputError for what is not edited, with what to do instead."""
    if source.kind in _GENERATED:
        raise InputError(_GENERATED[source.kind])
    some: Any = source
    path: Path = some.paths[0]
    if source.target in (STDIN, "<stdin>"):
        raise InputError("standard input cannot be written: name the file")
    if stack_of(path) is not None:
        raise InputError(_of_cdk(None))
    real = path.resolve()
    if not real.is_relative_to(base_folder(path.parent).resolve()):
        raise InputError("it is a link that leads out of its folder: name the file itself")
    try:
        data = real.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {reason_of(error)}", Location(some.file)) from None
    found = load(data, name=some.file, style="cloudformation", max_bytes=some.options.max_bytes)
    if _bytes(data, found.text) != data:
        raise InputError("it is not written in UTF-8: save it as UTF-8 first")
    _refuse_cdk(found.value)
    return Read(real, data, found, Place(source.target, some.file, some.options, some.stack_tags))


def _refuse_cdk(root: Any) -> None:
    resources = root.get("Resources") if isinstance(root, dict) else None
    for body in resources.values() if isinstance(resources, dict) else ():
        metadata = body.get("Metadata") if isinstance(body, dict) else None
        construct = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        if construct is not None:
            raise InputError(_of_cdk(construct))


def _of_cdk(construct: Any) -> str:
    example = f", such as `{construct}`" if isinstance(construct, str) else ""
    return f"the CDK generated it: edit the construct in its source; each finding of `scan` names it{example}"


def _bytes(before: bytes, text: str) -> bytes:
    """Return a text as the bytes of a file that began with a byte order mark or not."""
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode()


def _write(read: Read, planned: Plan) -> None:
    """Replace the file whole. Raises InputError where somebody changed it meanwhile."""
    if read.path.read_bytes() != read.data:
        raise InputError("somebody changed it meanwhile: nothing is written; run it again")
    write_whole(read.path, _bytes(read.data, planned.text))


def _show_diff(read: Read, planned: Plan, refused: list[Refused]) -> None:
    """Print the difference; what is secret stands in it under stars, as in every report."""
    mark = "\ufeff" if read.data.startswith(codecs.BOM_UTF8) else ""
    after = load(
        planned.text.encode(), name=read.place.file, syntax=read.document.syntax, style="cloudformation"
    )
    old, new = (mark + _starred(read.place, each) for each in (read.document, after))
    sys.stdout.write(unified(old, new, read.place.file))
    if old != mark + read.document.text and planned.changed:
        print(
            f"note: {printable(read.place.file)} holds secrets, which the diff shows as stars: it does not apply "
            "where lines have them; run `fix` without --diff",
            file=sys.stderr,
        )


def _starred(place: Place, found: Document) -> str:
    """Return a text with stars over its secrets."""
    shown = found.text.split("\n")
    for secret in place.source(found).secret_text().spans:
        cover(shown, secret)
    return "\n".join(shown)


def _report(done: Sequence[FileFixes], refused: Sequence[Refused], options: Mapping[str, Any]) -> None:
    """The diff has standard output for itself: what goes beside it is for people and goes to standard error."""
    for each in refused:
        if not each.walked or not options["quiet"]:
            word = "skipped" if each.walked else "error"
            print(
                without_log_commands(f"{word}: {printable(f'{each.file}: {each.message}')}"), file=sys.stderr
            )
    if options["quiet"]:
        return
    out = sys.stderr if options["diff"] else sys.stdout
    if options["shape"] == "json":
        json.dump(document(done, [(r.file, r.message) for r in refused]), out, indent=1)
        print(file=out)
        return
    for line in lines(done, written=not options["diff"]):
        print(without_log_commands(printable(line)), file=out)
