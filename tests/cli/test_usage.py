"""What a user is told who mistypes an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run

TEMPLATE = 'Resources: {B: {Type: "AWS::S3::Bucket"}}\n'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--account", "12"], "--account `12` is no account id; expected twelve digits"),
        (["--region", "mars"], "--region `mars` is no region; expected e.g. eu-west-1"),
        (["--parameters", "Foo"], "--parameters `Foo` is neither a file nor KEY=VALUE"),
        (["--terraform-source", "nope"], "Directory 'nope' does not exist"),
        (["--limit", "-1"], "-1 is not in the range x>=0"),
        (["--rule", "zzzzzzzz"], "unknown rule `zzzzzzzz`; `policyengine rules list` shows the "),
        (["--rule", "s3-versionin"], "did you mean `s3-versioning`?"),
        (["--format", "xml"], "unknown format `xml`; known are terminal, json"),
        (["--format", "json", "--format", "csv"], "two formats want standard output"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(
    run: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    done = run("scan", "t.yaml", *options)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("permissions", "--format", "terraform", "--role-name", 'x"\n}\nresource "a" "b" {'),
        ("permissions", "--format", "terraform", "--role-name", "${file(1)}"),
        ("permissions", "--role-name", "a/b"),
        ("permissions", "--role-name", ""),
        ("scan", "--org", "--role-name", "two words"),
        ("snapshot", "--org", "-o", "x", "--role-name", "path/" + "r" * 65),
    ],
)
def test_a_role_name_that_iam_refuses_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    """It stands in templates and Terraform that are printed: nobody may write more into them than a name."""
    done = run(*arguments)
    assert done.code == 2
    assert "is no name of a role" in done.err
    assert done.out == ""


@pytest.mark.parametrize("fmt", ["terminal", "github", "gitlab", "junit", "sarif", "markdown"])
def test_not_determined_is_said_once(run: Run, tmp_path: Path, fmt: str) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    done = run("scan", "t.yaml", "--rule", "s3-acls-disabled", "--format", fmt)
    assert "not determined" in done.out
    assert "not determined: not determined" not in done.out
