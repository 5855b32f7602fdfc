"""What an auditor may not see: one run, a full and a redacted bundle with the same roots, and nothing shown anywhere."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import json
import re
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from policyengine.sources.snapshot.writer import write_lines
from tests.cli.conftest import Run

ACCOUNT, REGION = "111122223333", "eu-west-1"
AS_OF = ("--as-of", "2026-11-22T00:00:00Z")
FAST = ("--without", "html", "--without", "xlsx", "--without", "well-architected")
WITHHELD = (
    "Zebra-Okapi-4711",
    "quagga.internal.example",
    "ann.lee@example.com",
    "Project Nightjar",
    "gnu-pipe-77",
)
"""The values that the plan below names, wherever they stand; no other text holds them."""
CONFIG = """
evidence:
  withhold:
    properties:
      AWS::Lambda::Function: [/Environment/Variables/*, /Description]
      AWS::S3::Bucket: [/LifecycleConfiguration/Rules/*/Prefix]
    tags: [owner]
"""
TEMPLATE = """
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: templated
      Runtime: python3.8
      Description: gnu-pipe-77
      Role: arn:aws:iam::111122223333:role/fn
      Handler: a.b
      Code: {ZipFile: x}
      Tags: [{Key: owner, Value: ann.lee@example.com}]
"""


def line(type_: str, id_: str, properties: dict[str, Any], **more: Any) -> bytes:
    own = {"type": type_, "id": id_, "account": ACCOUNT, "region": REGION, "properties": properties}
    return json.dumps({**own, **more}).encode()


def collected(folder: Path, *more: bytes) -> Path:
    """A snapshot as our collectors write them: it is copied as it is."""
    function = {
        "FunctionName": "fn",
        "Runtime": "python3.8",
        "Environment": {"Variables": {"API": "Zebra-Okapi-4711", "HOST": "quagga.internal.example"}},
        "Description": "Project Nightjar",
    }
    bucket = {
        "BucketName": "logs",
        "Tags": [{"Key": "owner", "Value": "ann.lee@example.com"}, {"Key": "stage", "Value": "prod"}],
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Prefix": "gnu-pipe-77", "Id": "r"}]},
    }
    lines = [
        line("AWS::Lambda::Function", "fn", function, tags={"owner": "ann.lee@example.com"}),
        line("AWS::S3::Bucket", "logs", bucket),
        line("AWS::S3::Bucket", "plain", {"BucketName": "plain"}),
        *more,
    ]
    place = (ACCOUNT, REGION)
    whole = frozenset((*place, t) for t in ("AWS::Lambda::Function", "AWS::S3::Bucket"))
    return write_lines(
        folder, [(place, each) for each in lines], created="2026-11-21T09:00:00Z", coverage=whole,
        collection={"redaction_key": "00000000", "started": "2026-11-21T09:00:00Z"},
    )  # fmt: skip


@pytest.fixture
def world(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "policyengine.yaml").write_text(CONFIG)
    collected(tmp_path / "snapshot")
    run("evidence", "keygen", "key")
    return tmp_path


def bundles(run: Run, folder: Path, *given: str, kept: str = "kept") -> None:
    for name, more in (("full", ()), ("redacted", ("--redact",))):
        done = run("evidence", "export", kept, "--sign-key", "key", *given, *more, "-o", f"{name}.zip")
        assert done.code == 0, done.err
        assert ("the full bundle" in done.out) == (name == "full")


def manifest(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as opened:
        found: dict[str, Any] = json.loads(opened.read("MANIFEST.json"))
    return found


def opened(data: bytes) -> Iterator[bytes]:
    """What a member holds: as it is, unpacked, and what base64 in a page unpacks to."""
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            for name in inner.namelist():
                yield from opened(inner.read(name))
    if data[:9].lower() == b"<!doctype":
        for text in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data):
            with suppress(binascii.Error):
                yield from unpacked(base64.b64decode(text))


def unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    for bits in (-15, 15, 31):
        try:
            yield zlib.decompressobj(bits).decompress(data)
        except zlib.error:
            continue


def shown(bundle: Path) -> dict[str, set[str]]:
    """member -> the withheld values that it shows."""
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(bundle) as archive:
        for name in archive.namelist():
            for text in opened(archive.read(name)):
                for value in WITHHELD:
                    if value.encode() in text:
                        found.setdefault(name, set()).add(value)
    return found


@pytest.mark.slow
def test_nothing_withheld_is_in_a_redacted_bundle_with_every_report(run: Run, world: Path) -> None:
    (world / "template.yaml").write_text(TEMPLATE)
    scanned = run("scan", "snapshot", "template.yaml", "-q", "-o", "kept", *AS_OF)
    assert scanned.code in (0, 1), scanned.err
    bundles(run, world)
    members = shown(world / "full.zip")
    assert set().union(*members.values()) == set(WITHHELD)
    assert {name.partition("/")[0] for name in members} == {"snapshot"}, (
        "rows and reports were made without them"
    )
    assert shown(world / "redacted.zip") == {}
    full, redacted = manifest(world / "full.zip"), manifest(world / "redacted.zip")
    assert full["roots"] == redacted["roots"] and full["inputs"] == redacted["inputs"]
    assert (full["withheld"]["state"], redacted["withheld"]["state"]) == ("full", "redacted")
    paths = {each["path"] for each in redacted["members"]}
    assert "withheld/secret.txt" not in paths
    assert {"report.html", "report.xlsx", "oscal/assessment-results.json"} <= paths
    with zipfile.ZipFile(world / "redacted.zip") as archive:
        page = archive.read("report.html")
    assert any(b"s3-tls-only" in text for text in opened(page) if text is not page), (
        "the page's data were looked at"
    )


def test_both_bundles_verify_and_replay_to_the_same_root(run: Run, world: Path) -> None:
    (world / "template.yaml").write_text(TEMPLATE)
    run("scan", "snapshot", "template.yaml", "-q", "-o", "kept", *AS_OF)
    bundles(run, world, *FAST)
    roots = set()
    for name in ("full.zip", "redacted.zip"):
        verified = run("evidence", "verify", name, "--key", "key.pub")
        assert verified.code == 0, verified.out
        again = run("evidence", "replay", name, "--key", "key.pub")
        assert again.code == 0, again.out
        assert "values are withheld in 3 lines; the run was judged without them" in again.out
        roots.add(again.out.splitlines()[-1])
    assert roots == {f"root  sha256:{manifest(world / 'full.zip')['roots']['results']['root']}"}


@pytest.mark.slow
def test_no_unsalted_digest_of_what_is_withheld_is_in_a_redacted_bundle(run: Run, world: Path) -> None:
    """Who knows all but one value could try values against the digest of a part, or of the run's input."""
    run("snapshot", "sign", "snapshot", "--sign-key", "key")
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    bundles(run, world, *FAST)
    whole = run("scan", "snapshot", "--format", "json", *AS_OF).document["run"]["id"]
    digests = [whole, *(hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(world / "snapshot"))]
    about = json.loads((world / "snapshot/manifest.json").read_text())
    assert {part["sha256"] for part in about["parts"]} <= set(digests)
    with zipfile.ZipFile(world / "redacted.zip") as archive:
        texts = [text for name in archive.namelist() for text in opened(archive.read(name))]
        shown = json.loads(archive.read("snapshot/0001/manifest.json"))
    assert not [digest for digest in digests if any(digest.encode() in text for text in texts)]
    assert [set(part) for part in shown["parts"]] == [{"path", "account", "region", "resources"}]
    assert run("evidence", "replay", "redacted.zip", "--key", "key.pub").code == 0


def _files(folder: Path) -> list[Path]:
    named = ("manifest.json", "*.ndjson.zst")
    return [path for name in named for path in folder.rglob(name)]


@pytest.mark.slow
def test_single_values_are_disclosed_against_the_redacted_roots(run: Run, world: Path) -> None:
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    bundles(run, world, *FAST)
    assert run("evidence", "prove", "full.zip", "fn", "--disclose", "-o", "proof.json").code == 0
    checked = run("evidence", "check-proof", "proof.json", "--key", "key.pub")
    assert checked.code == 0, checked.out
    assert "disclosed  /Environment/Variables/API: Zebra-Okapi-4711" in checked.out
    proved = json.loads((world / "proof.json").read_text())
    assert manifest(world / "redacted.zip")["roots"]["population"]["root"] in json.dumps(
        proved
    ) + checked.out + str(base64.b64decode(proved["envelope"]["payload"]) if "envelope" in proved else "")


def test_the_secret_is_private_and_no_input(run: Run, world: Path) -> None:
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    place = world / "kept/withheld.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    secret = json.loads(place.read_text())["secret"]
    others = [path for path in (world / "kept").rglob("*") if path.is_file() and path != place]
    assert len(others) > 5
    assert not any(secret.encode() in path.read_bytes() for path in others)
    place.unlink()
    for command in (
        ("report", "kept", "--format", "csv"),
        ("evidence", "export", "kept", "--sign-key", "key", "-o", "x.zip"),
    ):
        lost = run(*command)
        assert (lost.code, "withheld.json" in lost.err) == (2, True), lost.err
    assert not (world / "x.zip").exists()


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_and_another_run_another_secret(run: Run, world: Path) -> None:
    for name, as_of in (("kept", AS_OF), ("again", AS_OF), ("later", ("--as-of", "2026-11-23T00:00:00Z"))):
        run("scan", "snapshot", "-q", "-o", name, *as_of, "-j", "2" if name == "again" else "1")
    for name in ("kept", "again"):
        run("evidence", "export", name, "--sign-key", "key", "--redact", *FAST, "-o", f"{name}.zip")
    assert (world / "kept.zip").read_bytes() == (world / "again.zip").read_bytes()
    secrets = {
        name: json.loads((world / name / "withheld.json").read_text())["secret"] for name in ("kept", "later")
    }
    assert secrets["kept"] != secrets["later"], "a salt that was shown once says nothing of another run"


def test_what_a_rule_reads_of_it_is_unknown_and_never_pass(run: Run, world: Path) -> None:
    """A rule about descriptions: what it would fail on, or pass on, is not seen by anybody."""
    (world / "own").mkdir()
    (world / "own/function-description-heron.yaml").write_text(
        """
id: function-description-heron
title: Every function is called Heron
family: governance
pillar: security
severity: low
applies_to: AWS::Lambda::Function
why: Descriptions are shown in many places.
fix: Say Heron.
require: {field: Description, equals: Heron}
message: "the description is {Description}"
references: ["https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"]
"""
    )
    whole = (
        "scan",
        "snapshot",
        "--rules",
        "own",
        "--rule",
        "function-description-heron",
        "--format",
        "json",
        *AS_OF,
    )
    plain = run(*whole)
    assert plain.code == 1, plain.err
    kept = run(*whole, "-o", "kept")
    verdicts = [each["verdict"] for each in kept.document["findings"]]
    assert verdicts == ["UNKNOWN"]
    assert not any(value in kept.out for value in WITHHELD)
    assert any("judged without them" in note for note in kept.document["run"]["notes"])
    told = run("report", "kept", "--format", "json").document["findings"]
    assert [each["verdict"] for each in told] == ["UNKNOWN"]


@pytest.mark.slow
def test_results_kept_of_whole_resources_are_not_taken_for_those_without(run: Run, world: Path) -> None:
    """Verdicts that `--cache` keeps are of what was judged then."""
    rule = {
        "id": "function-description-heron", "title": "Functions are called Heron", "family": "governance", "pillar": "security",
        "severity": "low", "applies_to": "AWS::Lambda::Function", "why": "Descriptions are shown in many places.", "fix": "Describe it as Heron.",
        "require": {"field": "Description", "equals": "Heron"}, "message": "is {Description}",
        "references": ["https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"],
    }  # fmt: skip
    (world / "own").mkdir()
    (world / "own/function-description-heron.yaml").write_text(json.dumps(rule))
    whole = (
        "scan",
        "snapshot",
        "--rules",
        "own",
        "--rule",
        rule["id"],
        "--format",
        "json",
        "--cache",
        "cache",
        *AS_OF,
    )
    for more, verdict in (
        ((), "FAIL"),
        (("-o", "kept"), "UNKNOWN"),
        ((), "FAIL"),
        (("-o", "kept"), "UNKNOWN"),
    ):
        found = run(*whole, *more)
        assert found.code in (0, 1), found.err
        assert [each["verdict"] for each in found.document["findings"]] == [verdict], (more, found.err)
        assert ("Project Nightjar" in found.out) == (not more)


@pytest.mark.slow
def test_a_target_is_exported_without_values_at_once(run: Run, world: Path) -> None:
    (world / "template.yaml").write_text(TEMPLATE)
    given = ("evidence", "export", "template.yaml", "--sign-key", "key", *FAST, *AS_OF)
    assert run(*given, "-o", "full.zip").code == 0
    assert run(*given, "--redact", "-o", "redacted.zip").code == 0
    assert set().union(*shown(world / "full.zip").values()) == {"gnu-pipe-77", "ann.lee@example.com"}
    assert shown(world / "redacted.zip") == {}
    assert run("evidence", "replay", "redacted.zip", "--key", "key.pub").code == 0


def test_what_stands_elsewhere_too_is_refused_by_name(run: Run, world: Path) -> None:
    twice = line(
        "AWS::Lambda::Function", "other",
        {"FunctionName": "other", "Description": "Heron Street", "Layers": [{"Note": "of Heron Street 5"}]},
    )  # fmt: skip
    collected(world / "snapshot", twice)
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    done = run("evidence", "export", "kept", "--sign-key", "key", "--redact", *FAST, "-o", "x.zip")
    assert done.code == 2 and not (world / "x.zip").exists()
    assert "AWS::Lambda::Function `other`: /Description stands at /properties/Layers/0/Note too" in done.err
    assert "Heron" not in done.err + done.out, "the message does not show it either"
    assert run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "x.zip").code == 0


@pytest.mark.slow
def test_nothing_is_redacted_where_nothing_is_withheld(run: Run, world: Path) -> None:
    (world / "policyengine.yaml").unlink()
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    assert not (world / "kept/withheld.json").exists()
    done = run("evidence", "export", "kept", "--sign-key", "key", "--redact", *FAST, "-o", "x.zip")
    assert done.code == 2 and "nothing is withheld in `kept`" in done.err


# -- populations that were signed -------------------------------------------------------------------


@pytest.mark.slow
def test_a_population_signed_with_a_plan_holds_in_both_bundles(run: Run, world: Path) -> None:
    run("evidence", "keygen", "collector")
    signed = run("snapshot", "sign", "snapshot", "--sign-key", "collector")
    assert signed.code == 0, signed.err
    assert (
        "begun to be collected at 2026-11-21T09:00:00Z: what happened to it in between is not shown"
        in signed.out
    )
    assert stat.S_IMODE((world / "snapshot/withheld.json").stat().st_mode) == 0o600
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    assert (world / "kept/withheld.json").read_bytes() == (world / "snapshot/withheld.json").read_bytes()
    assert not list((world / "kept/inputs").rglob("withheld.json"))
    bundles(run, world, *FAST)
    for name in ("full.zip", "redacted.zip"):
        found = run("evidence", "verify", name, "--key", "key.pub", "--collector-key", "collector.pub")
        assert found.code == 0, found.out
        assert "snapshot/0001: as it was signed at 20" in found.out
        assert run("evidence", "verify", name, "--key", "key.pub", "--collector-key", "key.pub").code == 11
    with zipfile.ZipFile(world / "redacted.zip") as archive:
        (world / "verify.py").write_bytes(archive.read("verify.py"))
    keys = ("--key", "key.pub", "--key", "collector.pub")
    alone = [sys.executable, "-I", "-S", "verify.py", "redacted.zip", *keys]
    done = subprocess.run(alone, cwd=world, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "nothing is wrong: verified" in done.stdout) == (0, True), (
        done.stdout + done.stderr
    )
    (world / "policyengine.yaml").unlink()
    assert run("scan", "snapshot", "-q", "-o", "kept", *AS_OF).code in (0, 1)
    assert (world / "kept/withheld.json").exists(), "what was withheld when it was signed stays withheld"


@pytest.mark.slow
def test_another_plan_than_the_signed_one_is_refused(run: Run, world: Path) -> None:
    run("snapshot", "sign", "snapshot", "--sign-key", "key")
    (world / "policyengine.yaml").write_text(CONFIG.replace("[owner]", "[owner, stage]"))
    done = run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    assert done.code == 2 and "the configuration withholds otherwise" in done.err
    assert not (world / "kept").exists()
    (world / "policyengine.yaml").unlink()
    run("snapshot", "sign", "snapshot", "--sign-key", "key")
    assert not (world / "snapshot/withheld.json").exists(), "signed again with everything shown"
    (world / "policyengine.yaml").write_text(CONFIG)
    done = run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    assert done.code == 2 and "nothing withheld, or its `withheld.json` is missing" in done.err


@pytest.mark.slow
def test_two_snapshots_with_secrets_of_their_own_are_two_runs(run: Run, world: Path) -> None:
    collected(world / "second", line("AWS::S3::Bucket", "third", {"BucketName": "third"}))
    for name in ("snapshot", "second"):
        run("snapshot", "sign", name, "--sign-key", "key")
    done = run("scan", "snapshot", "second", "-q", "-o", "kept", *AS_OF)
    assert done.code == 2 and "a run can keep only one; scan one after the other" in done.err


@pytest.mark.slow
def test_a_population_that_changed_after_it_was_signed_is_told(run: Run, world: Path) -> None:
    import shutil

    run("snapshot", "sign", "snapshot", "--sign-key", "key")
    keep = (
        (world / "snapshot/population.dsse.json").read_bytes(),
        (world / "snapshot/withheld.json").read_bytes(),
    )
    shutil.rmtree(world / "snapshot")
    collected(world / "snapshot", line("AWS::S3::Bucket", "slipped-in", {"BucketName": "slipped-in"}))
    for name, text in zip(("population.dsse.json", "withheld.json"), keep, strict=True):
        (world / "snapshot" / name).write_bytes(text)
    run("scan", "snapshot", "-q", "-o", "kept", *AS_OF)
    run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    found = run("evidence", "verify", "e.zip", "--key", "key.pub")
    assert found.code == 10
    assert "the population that was signed when collection ended is another than this input's" in found.out


@pytest.mark.slow
def test_what_scan_would_not_keep_as_it_is_is_not_signed(run: Run, world: Path) -> None:
    about = json.loads((world / "snapshot/manifest.json").read_text())
    del about["collection"]
    (world / "snapshot/manifest.json").write_text(json.dumps(about))
    done = run("snapshot", "sign", "snapshot", "--sign-key", "key")
    assert done.code == 2 and "does not say under which key its secrets were taken out" in done.err
    assert not (world / "snapshot/population.dsse.json").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evidence: {hide: 1}", "policyengine.yaml:1:12: unknown key `hide`; known are withhold"),
        ("evidence: {withhold: {tags: owner}}", "`tags` is a list of keys of tags; found `owner`"),
        ("evidence: {withhold: {tags: [1]}}", "`1` is no key of a tag; quote it"),
        ("evidence: {withhold: {properties: {Lambda: [/A]}}}", "`Lambda` is no type"),
        (
            "evidence: {withhold: {properties: {'AWS::Lamda::Function': [/A]}}}",
            "`AWS::Lamda::Function` is no type that is covered",
        ),
        (
            "evidence: {withhold: {properties: {'AWS::Lambda::Function': [A]}}}",
            "`A` is no pointer to a value",
        ),
        (
            "evidence: {withhold: {properties: {'AWS::Lambda::Function': [/Environmet/X]}}}",
            "unknown property `Environmet`; did you mean `Environment`?",
        ),
        (
            "evidence: {withhold: {tags: [team]}}\nscopes: [{tag: {team: a}, parameters: {}}]",
            "1:30: the tag `team` decides which settings hold for a resource",
        ),
        (
            "evidence: {withhold: {tags: ['policyengine:no-remediation']}}\n",
            "the tag `policyengine:no-remediation` decides which settings hold",
        ),
    ],
)
def test_mistakes_in_the_section_are_told_with_their_place(
    run: Run, world: Path, text: str, said: str
) -> None:
    (world / "policyengine.yaml").write_text(text)
    done = run("scan", "snapshot", "-q", *AS_OF)
    assert done.code == 2
    assert said in done.err, done.err


def test_what_nothing_has_is_told(run: Run, world: Path) -> None:
    """A pointer or key with a slip of the pen withholds nothing, and whoever wrote it has to know."""
    more = CONFIG.replace(
        "/Description]", "/Description, /Environment/Variable/*, /Environment/Variables]"
    ).replace("[owner]", "[owner, Owner]")
    (world / "more.yaml").write_text(more)
    arguments = (
        "scan",
        "snapshot",
        "--config",
        "more.yaml",
        "--format",
        "json",
        "-o",
        "told",
        *AS_OF,
        "--rule",
        "lambda-runtime-supported",
    )
    done = run(*arguments)
    said = "names `/Environment/Variable/*` of AWS::Lambda::Function, the tag `Owner`, which nothing here has"
    assert done.err.count(said) == 1
    notes = json.loads((world / "told" / "run.json").read_text())["run"]["notes"]
    assert sum(said in note for note in notes) == 1
    assert said in str(done.document["run"]["notes"])
    signed = run("snapshot", "sign", "snapshot", "--sign-key", "key", "--config", "more.yaml")
    assert (signed.code, said in signed.err) == (0, True), signed.err
