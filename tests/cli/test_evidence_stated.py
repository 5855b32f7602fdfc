"""What a bundle says of its run follows from the run: a signer cannot say that other rules were asked, or that all was read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.evidence.stated import contradictions, differing
from policyengine.cli.evidence.unpacking import unpack
from policyengine.cli.replaying import Again, again
from policyengine.evidence.manifest import Manifest
from tests.cli.conftest import Run, command
from tests.evidence.building import signer
from tests.evidence.tampering import Members, resigned

ACCOUNT, REGION = "111122223333", "eu-west-1"
PLACE = {"account": ACCOUNT, "region": REGION}
BUCKET = {
    "type": "AWS::S3::Bucket", "id": "b", "account": ACCOUNT, "region": REGION, "tags": {},
    "properties": {"VersioningConfiguration": {"Status": "Suspended"}},
}  # fmt: skip
WAIVERS = """waivers:
  - id: W-1
    rule: s3-versioning
    scope: {resource: b}
    pin: false
    owner: team@example.com
    approver: ciso@example.com
    reason: it is made anew every night
    ticket: SEC-1
    granted: "2026-11-01"
    expires: "2026-12-01"
"""
RULES = ("s3-default-encryption", "s3-tls-only", "s3-versioning")
ASKED = (
    *(part for rule in RULES for part in ("--rule", rule)),
    "--fail-on",
    "critical",
    "--as-of",
    "2026-11-22T00:00:00Z",
)
FAST = ("--without", "html", "--without", "xlsx", "--without", "oscal", "--without", "oscal-poam")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a kept run over a bucket whose failure is waived, and its bundle."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "s.ndjson").write_text(json.dumps(BUCKET) + "\n")
    (folder / "waivers.yaml").write_text(WAIVERS)
    command(folder, "evidence", "keygen", "key")
    done = command(folder, "scan", "s.ndjson", "--waivers", "waivers.yaml", *ASKED, "-q", "-o", "kept")
    assert done.code == 0, done.err
    done = command(folder, "evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def replayed(exported: Path, tmp_path: Path) -> tuple[Again, Manifest, set[str]]:
    """The run of the bundle, judged again."""
    manifest = unpack(exported / "e.zip", tmp_path)
    run = again(tmp_path)
    return run, manifest, {row[1] for row in run.rows()}


def waivers_of(run: Again) -> Json:
    return {"waivers": run.reader.run["waivers"], "baseline": None}


def test_nothing_is_said_of_a_run_that_is_what_it_says(replayed: tuple[Again, Manifest, set[str]]) -> None:
    run, manifest, types = replayed
    assert [*contradictions(run, manifest, waivers_of(run)), *differing(run, types)] == []
    assert [each["state"] for each in run.reader.run["waivers"]] == ["active"]


def swapped(about: Json) -> None:
    first, second, *rest = about["rules_of"]["AWS::S3::Bucket"]
    about["rules_of"]["AWS::S3::Bucket"] = [second, first, *rest]


DIFFERING: list[tuple[Callable[[Json], object], str]] = [
    (swapped, "rules_of.AWS::S3::Bucket[0] is"),
    (lambda about: about["rules_of"].update({"AWS::EC2::Volume": []}), "rules_of.AWS::EC2::Volume is `[]`"),
    (lambda about: about.update(severities={"s3-versioning": "low"}), "severities.s3-versioning is `low`"),
    (lambda about: about["verdicts"].pop("s3-versioning"), "verdicts.s3-versioning is `nothing`"),
    (lambda about: about["run"]["rule_pack"].update(rules=500), "rule_pack.rules is `500` in run/run.json, and made again `3`"),
    (lambda about: about["run"].pop("waivers"), "waivers is `[]`"),
    (lambda about: about["run"]["waivers"][0].update(expires="2027-12-01"), "waivers[0].expires is `2027-12-01`"),
    (lambda about: about["run"].update(baseline={"name": "b"}), "baseline is"),
    (lambda about: about["run"].update(unknown_types={"X::Y::Z": 1}), "unknown_types.X::Y::Z is `1`"),
    (lambda about: about["run"].update(undecidable=["s3-versioning"]), "undecidable is"),
    (lambda about: about["run"]["scope"].update(accounts=[ACCOUNT, "444455556666"]), "scope: accounts are"),
    (lambda about: about["run"]["scope"].update(regions=[]), "scope: regions are `[]`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"), DIFFERING, ids=[says.split(" ")[0] + str(n) for n, (_, says) in enumerate(DIFFERING)]
)
def test_what_does_not_follow_is_found(
    replayed: tuple[Again, Manifest, set[str]], change: Callable[[Json], object], says: str
) -> None:  # fmt: skip
    run, _, types = replayed
    change(run.reader.about)
    (found,) = differing(run, types)
    assert says in found


CONTRADICTIONS: list[tuple[Callable[[Json], object], str]] = [
    (lambda about: about["run"].update(as_of="2026-11-21T00:00:00Z"), "run.as_of: the manifest says `2026-11-22T00:00:00Z`"),
    (lambda about: about["run"].update(id="0" * 32), "run.id: the manifest says"),
    (lambda about: about["run"].update(engine_version="9"), "engine.version: the manifest says"),
    (lambda about: about["run"]["rule_pack"].update(digest="sha256:0"), "rule_pack.digest: the manifest says"),
    (lambda about: about["roots"]["population"].update(size=0), "roots.population.size: the manifest says `1`, run/run.json `0`"),
    (lambda about: about["run"]["errors"].append({"code": "denied"}), "that the run was complete and lists errors"),
    (lambda about: about["run"].update(started_at="2026-11-20T00:00:00Z"), "began at another time"),
    (lambda about: about["run"].update(finished_at="2026-11-20T00:00:00Z"), "ended before it began"),
    (lambda about: about["run"]["waivers"][0].update(owner="nobody"), "waivers.json.waivers[0].owner says `team@example.com`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    CONTRADICTIONS,
    ids=[says.split(" ")[0] + str(n) for n, (_, says) in enumerate(CONTRADICTIONS)],
)
def test_what_is_said_in_two_ways_is_found(
    replayed: tuple[Again, Manifest, set[str]], change: Callable[[Json], object], says: str
) -> None:  # fmt: skip
    run, manifest, _ = replayed
    waivers = json.loads(json.dumps(waivers_of(run)))
    change(run.reader.about)
    assert any(says in found for found in contradictions(run, manifest, waivers))


@pytest.mark.slow
def test_a_run_that_was_not_complete_is_not_called_so(run: Run, tmp_path: Path) -> None:
    """What was denied when collecting stands in the population: it is met again."""
    snapshot = tmp_path / "snapshot"
    (snapshot / "resources").mkdir(parents=True)
    part = snapshot / "resources/a.ndjson"
    part.write_text(json.dumps(BUCKET) + "\n")
    denied = {**PLACE, "code": "denied", "message": "may not", "operation": "s3:ListBuckets"}
    about = {
        "version": "1.0",
        "created": "2026-11-22T00:00:00Z",
        "parts": [{**PLACE, "path": "resources/a.ndjson", "sha256": sha256(part.read_bytes()).hexdigest()}],
        "coverage": [],
        "errors": [denied],
    }
    (snapshot / "manifest.json").write_text(json.dumps(about))
    run("evidence", "keygen", "key")
    assert run("scan", "snapshot", *ASKED, "-q", "-o", "kept").code == 4
    kept = json.loads((tmp_path / "kept/run.json").read_text())
    kept["run"].update(complete=True, errors=[])
    (tmp_path / "kept/run.json").write_text(json.dumps(kept))
    assert run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip").code == 0
    assert run("evidence", "verify", "e.zip", "--key", "key.pub").code == 0
    found = run("evidence", "replay", "e.zip", "--key", "key.pub")
    assert found.code == 13, found.out
    assert "says that the run was complete; judged again it has errors" in found.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("waivers.json", b'{"baseline":null,"waivers":[]}', "waivers.json.waivers says `[]`"),
        ("waivers.json", b"[]", "WRONG run: waivers.json says `[]`"),
        ("waivers.json", b"{", "has no form that is known"),
    ],
)
def test_another_list_of_waivers_is_found(
    exported: Path, run: Run, tmp_path: Path, name: str, text: bytes, says: str
) -> None:
    by = signer(tmp_path)

    def change(members: Members, _: Json) -> None:
        members[name] = text

    resigned(exported / "e.zip", tmp_path / "f.zip", by, change)
    found = run("evidence", "replay", "f.zip")
    assert found.code == 13 and says in found.out, found.out


@pytest.mark.slow
def test_the_letters_of_a_row_cannot_be_given_to_other_rules(
    exported: Path, run: Run, tmp_path: Path
) -> None:
    kept = json.loads((exported / "kept/run.json").read_text())
    swapped(kept)
    shutil.copytree(exported / "kept", tmp_path / "kept")
    (tmp_path / "kept/run.json").write_text(json.dumps(kept))
    run("evidence", "keygen", "key")
    done = run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    assert done.code == 0, done.err
    assert run("evidence", "verify", "e.zip", "--key", "key.pub").code == 0
    found = run("evidence", "replay", "e.zip", "--key", "key.pub")
    assert found.code == 13 and "WRONG run: rules_of.AWS::S3::Bucket[0]" in found.out, found.out


@pytest.mark.slow
def test_a_run_whose_row_contradicts_itself_is_not_exported(exported: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(exported / "kept", tmp_path / "kept")
    kept = json.loads((tmp_path / "kept/run.json").read_text())
    kept["rules_of"]["AWS::S3::Bucket"].reverse()
    (tmp_path / "kept/run.json").write_text(json.dumps(kept))
    run("evidence", "keygen", "key")
    done = run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    assert (
        done.code == 2
        and "the row of `b` in `kept` is damaged: s3-versioning: only a FAIL can be waived" in done.err
    )
