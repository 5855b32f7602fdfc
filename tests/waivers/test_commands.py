"""``policyengine waivers`` and ``policyengine baseline``, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Result, command
from tests.waivers.making import bucket, write

DAY = ("--as-of", "2026-06-01T00:00:00Z")
ONLY = (*DAY, "--rule", "s3-versioning")
ADD = (
    "--rule",
    "s3-versioning",
    "--owner",
    "Ana",
    "--approver",
    "Ben",
    "--reason",
    "scratch",
    "--ticket",
    "SEC-1",
    *DAY,
)
SUSPENDED = {"VersioningConfiguration": {"Status": "Suspended"}}
ENABLED = {"VersioningConfiguration": {"Status": "Enabled"}}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path, [bucket("logs"), bucket("site")])
    (tmp_path / "policyengine.yaml").write_text("waiving: {maximum_days: 400}\n")
    return tmp_path


def add(place: Path, *args: str) -> Result:
    return command(place, "waivers", "add", *ADD, *args)


def scan(place: Path, *args: str) -> Result:
    return command(place, "scan", "one.ndjson", *ONLY, *args)


def test_add_pins_to_what_there_is_and_lapses_when_it_changes(place: Path) -> None:
    done = add(place, "one.ndjson", "--resource", "arn:aws:s3:::logs", "--days", "90")
    assert done.code == 0 and "wrote W-1 to waivers.yaml" in done.out.replace(f"{place}/", "")
    assert "1 waived" in scan(place).out
    write(place, [bucket("logs", **SUSPENDED), bucket("site")])
    found = scan(place, "--format", "json").document
    assert found["summary"]["WAIVED"] == 0
    assert "/VersioningConfiguration changed since it was granted" in found["findings"][0]["message"]
    checked = command(place, "waivers", "check", "one.ndjson", *DAY)
    assert checked.code == 1 and "lapsed: W-1: s3-versioning" in checked.out
    assert command(place, "waivers", "pin", "W-1", "one.ndjson", *DAY).code == 0
    assert "1 waived" in scan(place).out
    assert command(place, "waivers", "check", "one.ndjson", *DAY).code == 0


@pytest.mark.slow
def test_add_takes_the_values_of_a_run_and_of_no_report(place: Path) -> None:
    assert scan(place, "--format", "ndjson=run.ndjson", "-o", "run").code == 1
    refused = add(place, "run.ndjson", "--resource", "logs", "--expires", "2026-12-01")
    assert (
        refused.code == 2 and "name a run directory" in refused.err and not (place / "waivers.yaml").exists()
    )
    assert add(place, "run", "--resource", "logs", "--expires", "2026-12-01").code == 0
    text = (place / "waivers.yaml").read_text()
    assert add(place, "one.ndjson", "--resource", "logs", "--expires", "2026-12-01").code == 0
    first, second = (
        part.replace("W-2", "W-1") for part in (text, (place / "waivers.yaml").read_text()[len(text) :])
    )
    assert first.removeprefix("waivers:\n") == second


@pytest.mark.slow
def test_a_run_directory_is_a_run(place: Path) -> None:
    assert scan(place, "-o", "run").code == 1
    assert add(place, "run", "--resource", "logs", "--days", "30").code == 0
    assert scan(place, "-o", "run2").code == 1
    checked = command(place, "waivers", "check", "run2", *DAY)
    assert checked.code == 0 and "expires within 30 days" in checked.out and "1 in force" in checked.out
    assert command(place, "baseline", "write", "run", "-o", "base.json").code == 0
    assert len(json.loads((place / "base.json").read_text())["findings"]) == 2
    assert json.loads((place / "base.json").read_text())["written"] == "2026-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--approver", "ana"), "`ana` owns what is waived: somebody else has to approve it"),
        (("--rule", "s3-version"), "unknown rule `s3-version`; did you mean `s3-versioning`?"),
        (("--days", "401"), "at most 400 are allowed"),
        (("--expires", "2026-05-01"), "the waiver expires on 2026-05-01, and is granted on 2026-06-01"),
        (("--resource", "nobody"), "nothing fails `s3-versioning` on resource nobody"),
        (("--account", "12"), "`12` is no account id"),
        (("--compensating", "nonsense"), "unknown rule `nonsense`"),
        (("--reason", " "), "`reason` is a text"),
        (("--id", "W-7"), "`W-7` stands twice"),
    ],
)
def test_nothing_is_written_with_a_mistake(place: Path, args: tuple[str, ...], says: str) -> None:
    add(place, "--id", "W-7", "--days", "9")
    before = (place / "waivers.yaml").read_bytes()
    expires = () if {"--days", "--expires"} & set(args) else ("--days", "90")
    resource = () if "--resource" in args else ("--resource", "logs")
    done = add(place, "one.ndjson", *resource, *expires, *args)
    assert done.code == 2 and says in done.err, done.err
    assert (place / "waivers.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("s3-versionin", "unknown rule `s3-versionin`; did you mean `s3-versioning`"),
        ("s3-versioning", "the rule fails where it is waived"),
        ("=logs", "expected RULE or RULE=RESOURCE"),
        ("s3-acls-disabled=", "expected RULE or RULE=RESOURCE"),
        ("", "expected RULE or RULE=RESOURCE"),
    ],
)
def test_what_compensates_is_looked_at_before_anything_is_written(place: Path, given: str, says: str) -> None:
    done = add(place, "one.ndjson", "--resource", "logs", "--days", "9", "--compensating", given)
    assert (done.code, says in done.err) == (2, True), done.err
    assert not (place / "waivers.yaml").exists()


def test_what_compensates_is_written(place: Path) -> None:
    done = add(
        place, "one.ndjson", "--resource", "logs", "--days", "9", "--compensating", "s3-versioning=site"
    )
    assert done.code == 0, done.err
    assert "it holds only while s3-versioning passes" in done.out
    assert "compensating" in (place / "waivers.yaml").read_text()


def test_add_without_a_target_needs_a_word(place: Path) -> None:
    assert "--no-pin" in add(place, "--resource", "logs", "--days", "9").err
    assert add(place, "--resource", "logs", "--days", "9", "--no-pin").code == 0
    assert "pin: false" in (place / "waivers.yaml").read_text()
    assert "over-broad" in add(place, "--days", "9").out


@pytest.mark.slow
def test_list_and_check(place: Path) -> None:
    assert command(place, "waivers", "check").out.startswith("no waivers: policyengine.yaml names no file")
    add(place, "one.ndjson", "--resource", "logs", "--days", "5")
    add(place, "--days", "100", "--granted", "2026-07-01")
    add(place, "--tag", "Stage=dev", "--granted", "2026-01-01", "--expires", "2026-05-01")
    table = command(place, "waivers", "list", *DAY).out
    assert [line.split()[:3] for line in table.splitlines()] == [
        ["ID", "STATE", "RULE"], ["W-1", "5", "days"], ["W-2", "not", "yet"], ["W-3", "expired", "s3-versioning"],
    ]  # fmt: skip
    found = json.loads(command(place, "waivers", "list", "--format", "json", *DAY).out)["waivers"]
    assert [(each["id"], each["state"], each["signed"]) for each in found] == [
        ("W-1", "5 days left", False), ("W-2", "not yet", False), ("W-3", "expired", False),
    ]  # fmt: skip
    checked = command(place, "waivers", "check", *DAY)
    assert checked.code == 1
    assert "expired: W-3: s3-versioning (tag Stage=dev): it expired on 2026-05-01" in checked.out
    assert "warning: W-1: s3-versioning (resource logs): expires within 7 days, on 2026-06-06" in checked.out
    assert "warning: W-2: s3-versioning (everywhere): over-broad" in checked.out


KEYS = """\
waiving:
  approvers:
    Ben: [ben.pub]
    Cleo: [cleo.pub]
"""


@pytest.fixture
def keys(place: Path) -> Path:
    from policyengine.evidence.keys import ED25519, P256
    from policyengine.evidence.signers import generate

    for name, kind in (("ben", P256), ("cleo", ED25519), ("eve", ED25519)):
        generate(kind, place / name)
    (place / "policyengine.yaml").write_text(KEYS)
    return place


@pytest.mark.slow
def test_without_a_configuration_the_nearest_file_is_read_and_said(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "app"
    inner.mkdir()
    write(inner, [bucket("logs"), bucket("site")])
    for args in (("list",), ("check",), ("check", "one.ndjson")):
        done = command(inner, "waivers", *args)
        assert done.code == 0
        assert "no waivers: there is neither policyengine.yaml nor waivers.yaml in" in done.out
    file = str(tmp_path / "waivers.yaml")
    assert add(inner, "one.ndjson", "--resource", "logs", "--days", "90", "--waivers", file).code == 0
    for args in (("list",), ("check",), ("check", "one.ndjson")):
        done = command(inner, "waivers", *args, *DAY)
        assert done.code == 0
        assert "W-1" in done.out or "1 waivers: 1 in force" in done.out
        assert "waivers.yaml was read; a scan reads it with --waivers" in done.err
    assert "waived" not in scan(inner).out, "a scan needs to be told"
    pinned = command(inner, "waivers", "pin", "W-1", "one.ndjson", *DAY)
    assert (pinned.code, pinned.out) == (0, "pinned W-1 to what 1 failure rest on\n")
    (inner / "policyengine.yaml").write_text("waiving: {maximum_days: 400}\n")
    done = command(inner, "waivers", "check")
    assert (done.code, done.err) == (0, "")
    assert "no waivers: policyengine.yaml names no file that has any" in done.out


@pytest.mark.slow
def test_where_keys_are_configured_only_what_the_approver_signed_holds(keys: Path) -> None:
    done = add(keys, "one.ndjson", "--resource", "logs", "--days", "90")
    assert "it holds when Ben has signed it: `policyengine waivers sign W-1`" in done.out
    found = scan(keys, "--format", "json").document
    assert found["findings"][0]["message"].endswith("(waiver W-1 does not hold: Ben has not signed it)")
    assert command(keys, "waivers", "check", *DAY).code == 1
    for key, says in (
        ("cleo", "a key that is not Ben's"),
        ("eve", "a key that is not Ben's"),
        ("none", "cannot be read"),
    ):
        refused = command(keys, "waivers", "sign", "W-1", "--key", key, *DAY)
        assert refused.code == 2 and says in refused.err
    assert command(keys, "waivers", "sign", "W-1", "--key", "ben", *DAY).code == 0
    assert "1 waived" in scan(keys).out and command(keys, "waivers", "check", *DAY).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('reason: "scratch"', 'reason: "other"'), ('ticket: "SEC-1"', 'ticket: "SEC-2"'), ('owner: "Ana"', 'owner: "Dan"'),
        ('expires: "2026-08-30"', 'expires: "2026-09-30"'), ('resource: "logs"', 'resource: "site"'),
        ("rule: s3-versioning", "rule: [s3-versioning, tags-mandatory]"), ('id: "W-1"', 'id: "W-2"'),
        ('granted: "2026-06-01"', 'granted: "2026-05-31"'), ("    scope:\n", '    compensating: tags-mandatory\n    scope:\n'),
    ],
)  # fmt: skip
def test_a_signature_is_over_all_that_is_said(keys: Path, before: str, after: str) -> None:
    add(keys, "one.ndjson", "--resource", "logs", "--days", "90")
    assert command(keys, "waivers", "sign", "W-1", "--key", "ben", *DAY).code == 0
    text = (keys / "waivers.yaml").read_text()
    assert before in text
    (keys / "waivers.yaml").write_text(text.replace(before, after, 1))
    checked = command(keys, "waivers", "check", *DAY)
    assert checked.code == 1 and "Ben has signed something else: it was changed since" in checked.out


@pytest.mark.slow
def test_a_pin_and_an_approver_are_signed_too(keys: Path) -> None:
    add(keys, "one.ndjson", "--resource", "logs", "--days", "90")
    command(keys, "waivers", "sign", "W-1", "--key", "ben", *DAY)
    write(keys, [bucket("logs", **SUSPENDED)])
    done = command(keys, "waivers", "pin", "W-1", "one.ndjson", *DAY)
    assert "`policyengine waivers sign W-1` gives it again" in done.out
    assert "signed something else" in command(keys, "waivers", "check", *DAY).out
    assert command(keys, "waivers", "sign", "W-1", "--key", "ben", *DAY).code == 0, "replaces the old one"
    assert (keys / "waivers.yaml").read_text().count("signature:") == 1
    assert "1 waived" in scan(keys).out
    text = (keys / "waivers.yaml").read_text()
    (keys / "waivers.yaml").write_text(text.replace('approver: "Ben"', 'approver: "Cleo"'))
    assert "signed by a key that is not Cleo's" in command(keys, "waivers", "check", *DAY).out
    (keys / "waivers.yaml").write_text(text.replace('approver: "Ben"', 'approver: "Zoe"'))
    assert "no key of Zoe is configured" in command(keys, "waivers", "check", *DAY).out


def test_the_messages_of_signatures_are_dsse(keys: Path) -> None:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md: what is signed is the PAE of type and payload."""
    from policyengine.cli.waivers.signing import PAYLOAD_TYPE, message_of
    from tests.waivers.making import waiver

    message = message_of(waiver())
    payload = message.split(b" ", 4)[4]
    assert message == b"DSSEv1 %d %s %d %s" % (
        len(PAYLOAD_TYPE),
        PAYLOAD_TYPE.encode(),
        len(payload),
        payload,
    )
    assert json.loads(payload)["approver"] == "Ben" and b" " not in payload.replace(b"scratch", b"")


def test_a_key_that_is_none_is_a_mistake(keys: Path) -> None:
    (keys / "ben.pub").write_text("no key")
    add(keys, "--days", "9")
    found = scan(keys)
    assert found.code == 2 and "the key of the approver `Ben`" in found.err


def test_only_what_is_new_fails_and_the_rest_is_debt(place: Path) -> None:
    done = command(place, "baseline", "write", "one.ndjson", "-o", "base.json", *ONLY)
    assert done.code == 0 and "wrote 2 failures" in done.out
    found = scan(place, "--baseline", "base.json")
    text = " ".join(found.out.split())
    assert (
        found.code == 0
        and "2 in the baseline" in text
        and "2 findings of the baseline are still open" in text
    )
    write(place, [bucket("logs"), bucket("new"), bucket("site", **SUSPENDED)])
    found = scan(place, "--baseline", "base.json", "--format", "json")
    assert found.code == 1
    told = {f["resource"]["id"]: (f["waiver"] or {}).get("kind") for f in found.document["findings"]}
    assert told == {"logs": "baseline", "new": None, "site": None}
    site = next(f for f in found.document["findings"] if f["resource"]["id"] == "site")
    assert site["message"].endswith("(the baseline has it with other values)")
    counts = found.document["run"]["baseline"]
    assert (counts["open"], counts["changed"], counts["fixed"], counts["unseen"]) == (1, 1, 0, 0)


@pytest.mark.slow
def test_what_is_fixed_can_be_taken_out(place: Path) -> None:
    command(place, "baseline", "write", "one.ndjson", "-o", "base.json", *ONLY)
    write(place, [bucket("logs", **ENABLED)])
    (place / "policyengine.yaml").write_text("baseline: base.json\n")
    text = " ".join(scan(place).out.split())
    assert "1 entry of the baseline can be removed (1 fixed): `policyengine baseline write --prune`" in text
    pruned = command(place, "baseline", "write", "one.ndjson", "-o", "base.json", "--prune", *DAY)
    assert "removed 1 entry of 2; 1 are left" in pruned.out and "1 were not met" in pruned.out
    left = json.loads((place / "base.json").read_text())
    assert [each["resource"][3] for each in left["findings"]] == ["site"] and left[
        "written"
    ] == "2026-06-01T00:00:00Z"
    command(place, "baseline", "write", "one.ndjson", "-o", "base.json", "--prune", "--gone", *DAY)
    assert json.loads((place / "base.json").read_text())["findings"] == []


@pytest.mark.slow
def test_what_is_not_determined_stays_in_the_baseline(place: Path) -> None:
    command(place, "baseline", "write", "one.ndjson", "-o", "base.json", *ONLY)
    dark = bucket("logs")
    dark["unknown"] = [{"path": "/VersioningConfiguration", "reason": "access_denied", "detail": "denied"}]
    write(place, [dark, bucket("site")])
    counts = scan(place, "--baseline", "base.json", "--format", "json").document["run"]["baseline"]
    assert (counts["open"], counts["unknown"], counts["fixed"]) == (1, 1, 0)
    command(place, "baseline", "write", "one.ndjson", "-o", "base.json", "--prune", "--gone", *DAY)
    assert len(json.loads((place / "base.json").read_text())["findings"]) == 2


@pytest.mark.slow
def test_what_a_person_accepts_is_no_debt(place: Path) -> None:
    add(place, "one.ndjson", "--resource", "logs", "--days", "90")
    command(place, "baseline", "write", "one.ndjson", "-o", "base.json", *ONLY)
    assert [each["resource"][3] for each in json.loads((place / "base.json").read_text())["findings"]] == [
        "site"
    ]
    found = scan(place, "--baseline", "base.json", "--format", "json").document
    assert [f["waiver"]["kind"] for f in found["findings"]] == ["waiver", "baseline"]
    again = command(
        place, "baseline", "write", "one.ndjson", "-o", "base.json", *ONLY, "--baseline", "base.json"
    )
    assert again.code == 2, "the command has no such option: the file is written anew"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "this is no baseline"),
        ("[", "not valid JSON"),
        ('{"schema":"policyengine/baseline/v1","written":"soon","findings":[]}', "`written` is no time of a run"),
        ('{"schema":"policyengine/baseline/v1","written":"2026-01-01T00:00:00Z","findings":{}}', "`findings` is no list"),
        ('{"schema":"policyengine/baseline/v1","written":"2026-01-01T00:00:00Z","findings":[1]}', "an entry is an object"),
        ('{"schema":"policyengine/baseline/v1","written":"2026-01-01T00:00:00Z","findings":[{"id":"1"}]}', "has no `rule`"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline_is_told_with_its_name(place: Path, text: str, says: str) -> None:
    (place / "base.json").write_text(text)
    found = scan(place, "--baseline", "base.json")
    assert found.code == 2 and says in found.err and "base.json" in found.err


@pytest.mark.slow
def test_another_file_is_not_written_over(place: Path) -> None:
    done = command(place, "baseline", "write", "one.ndjson", "-o", "policyengine.yaml", *DAY)
    assert done.code == 2 and "is no baseline" in done.err
