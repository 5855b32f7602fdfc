"""``diff --fail-on-new``: what somebody accepts is no news, and what nobody accepts any more is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import command
from tests.waivers.making import bucket, write
from tests.waivers.test_scan import file_of

EARLIER, LATER = "2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"


def run_of(place: Path, name: str, day: str, form: str, *args: str) -> str:
    target = ("-o", name) if form == "run" else ("--format", f"ndjson={name}")
    command(place, "scan", "one.ndjson", "--as-of", day, "--rule", "s3-versioning", *target, *args)
    return name


@pytest.mark.parametrize("form", ["run", "report"])
def test_what_is_new_and_accepted_fails_nothing(tmp_path: Path, form: str) -> None:
    (tmp_path / "w.yaml").write_text(file_of("resource: site"))
    write(tmp_path, [bucket("logs")])
    before = run_of(tmp_path, "before", EARLIER, form)
    write(tmp_path, [bucket("logs"), bucket("site")])
    after = run_of(tmp_path, "after", EARLIER, form, "--waivers", "w.yaml")
    found = command(tmp_path, "diff", before, after, "--fail-on-new")
    assert found.code == 0 and "1 new and accepted, 1 still open" in found.out
    plain = run_of(tmp_path, "plain", EARLIER, form)
    assert command(tmp_path, "diff", before, plain, "--fail-on-new").code == 1


@pytest.mark.parametrize("form", ["run", "report"])
def test_what_is_not_accepted_any_more_is_told(tmp_path: Path, form: str) -> None:
    (tmp_path / "w.yaml").write_text(file_of("resource: site"))
    write(tmp_path, [bucket("logs"), bucket("site")])
    before = run_of(tmp_path, "before", EARLIER, form, "--waivers", "w.yaml")
    after = run_of(tmp_path, "after", LATER, form, "--waivers", "w.yaml")
    found = command(tmp_path, "diff", before, after, "--fail-on-new")
    assert found.code == 1 and "1 not accepted any more, 1 still open" in found.out
    assert "not accepted any more: medium s3-versioning" in found.out and "waiver W-1 expired" in found.out
    assert command(tmp_path, "diff", after, before, "--fail-on-new").code == 0
