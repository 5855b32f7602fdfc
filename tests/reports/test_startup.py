"""Reports must not slow down a scan that takes a fraction of a second."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "rich",
    "click",
    "yaml",
    "pydantic",
    "jsonschema",
    "boto3",
    "jinja2",
    "tempfile",
    "shutil",
    "csv",
    "unicodedata",
}


def test_the_table_of_formats_imports_nothing_heavy() -> None:
    code = (
        "import io, sys; from policyengine.reports.table import REPORTS; from policyengine.reports.base import Context;"
        "[reporter.make(io.StringIO(), Context()) for reporter in REPORTS.values()]; print('\\n'.join(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not HEAVY & set(loaded.stdout.split())


ROOT = __file__.rsplit("/tests/", 1)[0]
