"""What stands in a baseline was accepted by nobody, in a bundle's populations as everywhere."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

from tests.cli.conftest import Run

AS_OF = ("--as-of", "2026-11-22T00:00:00Z")
ASKED = ("--rule", "s3-versioning", "--rule", "s3-default-encryption")
BUCKETS = [
    {
        "type": "AWS::S3::Bucket", "id": name, "account": "111122223333", "region": "eu-west-1", "tags": {},
        "properties": {"VersioningConfiguration": {"Status": "Suspended"}},
    }
    for name in ("debt", "waived")
]  # fmt: skip
WAIVERS = """waivers:
  - {id: W-1, rule: s3-versioning, scope: {resource: waived}, pin: false, owner: Ana, approver: Ben, reason: r,
     ticket: T, granted: "2026-11-01", expires: "2027-03-31"}
"""


def test_a_population_counts_what_a_waiver_accepts_and_no_debt(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.ndjson").write_text("".join(json.dumps(each) + "\n" for each in BUCKETS))
    (tmp_path / "w.yaml").write_text(WAIVERS)
    accepting = ("--waivers", "w.yaml", "--baseline", "b.json")
    run("evidence", "keygen", "key")
    assert (
        run("baseline", "write", "s.ndjson", "-o", "b.json", "--waivers", "w.yaml", *AS_OF, *ASKED).code == 0
    )
    assert run("scan", "s.ndjson", *AS_OF, *ASKED, *accepting, "-q", "-o", "kept").code == 0
    fast = ("--without", "html", "--without", "xlsx", "--framework", "aws-fsbp")
    assert run("evidence", "export", "kept", "--sign-key", "key", *fast, "-o", "e.zip").code == 0
    with zipfile.ZipFile(tmp_path / "e.zip") as bundle:
        index = json.loads(bundle.read("population/index.json"))
        (name,) = {c["file"] for c in index["controls"] if c["control"] == "S3.14"}
        head, _, body = bundle.read(name).decode().replace("\r\n", "\n").partition("\n\n")
    said = dict(csv.reader(io.StringIO(head)))
    assert (said["FAIL"], said["waived (counted in FAIL)"]) == ("2", "1")
    rows = {row["id"]: row["waivers"] for row in csv.DictReader(io.StringIO(body))}
    assert rows == {"debt": "", "waived": "s3-versioning=W-1"}
    shown = json.loads(run("frameworks", "show", "aws-fsbp", "--run", "kept", "--format", "json").out)
    (control,) = [each for each in shown["controls"] if each["control"] == "S3.14"]
    assert (control["status"], control["waived"]) == ("failed", 1)
