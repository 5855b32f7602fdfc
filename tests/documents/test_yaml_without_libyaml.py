"""PyYAML's own parser, which is all a function of Lambda has, gives the same documents as libyaml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
READ = """
import json, sys
if sys.argv[1] == "without":
    sys.modules["yaml._yaml"] = None
import yaml
from policyengine.documents import DocumentError, load
from policyengine.documents.yaml_text import CParser
assert CParser.__module__.startswith("yaml") == (sys.argv[1] == "with")
found = []
for text in json.load(sys.stdin):
    try:
        document = load(text.encode(), name="t.yaml", style="cloudformation", syntax="yaml")
        place = document.locate(("Resources", "A", "Properties", "X"))
        found.append([repr(document.value), str(place)])
    except DocumentError as problem:
        found.append([problem.code, ""])
print(json.dumps(found))
"""
TEXTS = [
    "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      X: !Sub '${A}-b'\n      Y: [1, 0o7, yes, ~, 1.5, 2026-01-01]\n",
    "a: &x {b: 1}\nc: *x\n", "a: 1\na: 2\n", "a: [", "- !Nope x\n", "\x01", "a: |\n  text\n  more\n", "? {a: 1}\n: b\n", "[" * 100_000,
    "a: " + "{b: " * 600 + "1" + "}" * 600, "---\na: 1\n---\nb: 2\n", "", "# only a comment\n", "a: *nowhere\n", "%YAML 1.2\n---\na: 1\n",
]  # fmt: skip


def read(how: str, texts: list[str]) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", READ, how],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_both_parsers_read_the_same() -> None:
    texts = [*TEXTS, (EXAMPLES / "template.yaml").read_text()]
    one, other = read("with", texts), read("without", texts)
    different = [(text[:40], a, b) for text, a, b in zip(texts, one, other, strict=True) if a != b]
    assert different == []
