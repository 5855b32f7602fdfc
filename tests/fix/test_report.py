"""Reports of fixes: the document is what its schema says, lines name what a reader needs, diffs are patches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.fix.knowledge import EFFECTS
from policyengine.fix.patch import lines_of, unified
from policyengine.fix.planning import Wanted
from policyengine.fix.report import SCHEMA, FileFixes, document, lines
from tests.fix.helpers import ROOT, planned
from tests.fix.test_templates import GROUP


def schema() -> Any:
    return json.loads((ROOT / "policyengine" / "fix" / "schemas" / "fix-v1.schema.json").read_bytes())


@pytest.mark.parametrize("unsafe", [False, True])
def test_the_document_is_what_its_schema_says(unsafe: bool) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(schema())
    made = document([FileFixes("t.yaml", planned(GROUP, Wanted(unsafe=unsafe)))], [("p.json", "generated")])
    validator.validate(made)
    assert made["schema"] == SCHEMA == schema()["title"]
    (file,) = made["files"]
    assert bool(file["fixed"]) is unsafe
    assert bool(file["unsafe"]) is not unsafe
    kinds = schema()["$defs"]["fix"]["properties"]["effects"]["items"]["properties"]["kind"]["enum"]
    assert sorted(kinds) == sorted(EFFECTS)


def test_lines_name_place_rule_resource_change_and_effect() -> None:
    found = planned(GROUP, Wanted(unsafe=True, rules=frozenset(["security-group-admin-ports-closed"])))
    text = list(lines([FileFixes("t.yaml", found)], written=True))
    assert text[0].startswith("template.yaml:12:")
    assert (
        "fixed `security-group-admin-ports-closed` of `Web`: SecurityGroupIngress.1.CidrIp = 172.20.0.0/16"
        in text[0]
    )
    assert any("it may cut off access" in line for line in text)
    assert any("goes away with it" in line for line in text)
    assert text[-1].startswith("1 of 1 files changed; ")


def test_a_text_without_a_last_line_feed_says_so() -> None:
    assert unified("a\nb", "a\nb\nc", "f") == (
        "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n\\ No newline at end of file\n"
    )
    assert unified("a\n", "a\n", "f") == ""


@given(st.text(alphabet="a\n\r\x0b\u2028é"))
def test_law_lines_are_the_text(text: str) -> None:
    assert "".join(lines_of(text)) == text
