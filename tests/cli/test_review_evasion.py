"""What a change may try so that ``policyengine review`` does not look at it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.baseline import baseline
from policyengine.cli.review import review
from policyengine.model.errors import PolicyEngineError
from tests.cli.test_review import OPENED, TEMPLATE, Asked, Repo, ask, repo, told

__all__ = ["ask", "repo"]  # fixtures

PORT = "the internet can newly reach tcp 22 of `Web`"


def worse(found: dict[str, Any]) -> list[str]:
    return [title for _, title in told(found, "worse")]


@pytest.mark.parametrize("committed", [False, True])
def test_a_link_in_the_place_of_a_template_is_followed(repo: Repo, ask: Asked, committed: bool) -> None:
    hidden = repo.root / ".hidden"
    hidden.mkdir()
    (hidden / "t.yaml").write_text(OPENED)
    (repo.root / "template.yaml").unlink()
    (repo.root / "template.yaml").symlink_to(".hidden/t.yaml")
    if committed:
        repo.commit()
    code, found = ask("--base", "HEAD~1" if committed else "HEAD", *(["--head", "HEAD"] * committed))
    assert code == 1 and worse(found) == [PORT]
    assert found["run"]["resources"] == {"changed": 1, "unchanged": 1}


@pytest.mark.parametrize("committed", [False, True])
def test_a_link_that_leads_out_is_no_success(repo: Repo, ask: Asked, committed: bool) -> None:
    (repo.root.parent / "t.yaml").write_text(OPENED)
    (repo.root / "template.yaml").unlink()
    (repo.root / "template.yaml").symlink_to("../t.yaml")
    if committed:
        repo.commit()
    code, found = ask("--base", "HEAD~1" if committed else "HEAD", *(["--head", "HEAD"] * committed))
    assert code == 2 and "symbolic link" in found["run"]["errors"][0]["message"]


def test_a_link_that_leads_to_another_template_than_before_is_followed(repo: Repo, ask: Asked) -> None:
    repo.write(dev_yaml=OPENED)
    (repo.root / "prod.yaml").symlink_to("template.yaml")
    repo.commit()
    (repo.root / "prod.yaml").unlink()
    (repo.root / "prod.yaml").symlink_to("dev.yaml")
    repo.commit()
    code, found = ask("--base", "HEAD~1", "--head", "HEAD")
    assert code == 1 and [e["file"] for e in found["entries"] if e["effect"] == "worse"] == ["prod.yaml"]


def test_a_new_link_to_what_is_read_anyway_is_no_second_template(repo: Repo, ask: Asked) -> None:
    repo.commit(template_yaml=OPENED)
    (repo.root / "same.yaml").symlink_to("template.yaml")
    (repo.root / "nowhere").symlink_to("/etc/nothing")
    repo.commit()
    code, found = ask("--base", "HEAD~1", "--head", "HEAD")
    assert (code, found["entries"]) == (0, [])


def test_a_template_that_moves_where_no_scan_looks_is_told(repo: Repo, ask: Asked) -> None:
    (repo.root / ".hidden").mkdir()
    repo.git("mv", "template.yaml", ".hidden/template.yaml")
    code, found = ask("--base", "HEAD")
    assert code == 0 and found["run"]["resources"] == {"gone": 2}
    assert any("hidden" in title for title in [t for _, t in told(found, "unclear")])
    assert ask("--base", "HEAD", "--strict")[0] == 3


@pytest.mark.parametrize(
    "files",
    [
        {"manifest.json": '{"version": "36.0.0", "artifacts": {}}'},
        {"manifest.json": '{"version": 1, "parts": []}', "resources/x.ndjson": ""},
        {"run.json": "{}", "rules.json": "{}"},
    ],
    ids=["cdk", "snapshot", "run"],
)
def test_a_manifest_beside_templates_does_not_hide_them(
    repo: Repo, ask: Asked, files: dict[str, str]
) -> None:
    repo.commit(infra__template_yaml=TEMPLATE)
    repo.write(infra__template_yaml=OPENED)
    for name, text in files.items():
        path = repo.root / "infra" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    code, found = ask("--base", "HEAD")
    assert code != 0 and PORT in worse(found)


def test_another_repository_inside_is_told(repo: Repo, ask: Asked) -> None:
    inner = Repo(repo.root / "nested")
    inner.commit(template_yaml=OPENED)
    code, found = ask("--base", "HEAD")
    assert code == 0 and "another repository" in told(found, "unclear")[0][1]
    repo.commit()
    inner.commit(template_yaml=TEMPLATE)
    for asked in (("--base", "HEAD"), ("--base", "HEAD~1", "--head", "HEAD")):
        code, found = ask(*asked)
        assert code == 0 and "another repository" in told(found, "unclear")[0][1], asked


def test_a_scope_that_neither_side_has_is_an_error(repo: Repo, ask: Asked) -> None:
    repo.commit(template_yaml=OPENED)
    with pytest.raises(PolicyEngineError, match=r"`infar` is on neither side"):
        ask("--base", "HEAD~1", "--head", "HEAD", "infar")
    with pytest.raises(PolicyEngineError, match=r"`\.\.` lies outside of"):
        ask("--base", "HEAD", "..")


PARAMETER = "Parameters: {C: {Type: String}}\n" + OPENED.replace("0.0.0.0/0}", "!Ref C}")


def given(value: str) -> str:
    return json.dumps({"Parameters": {"C": value}})


@pytest.mark.parametrize("committed", [False, True])
def test_values_of_parameters_are_those_of_each_side(repo: Repo, ask: Asked, committed: bool) -> None:
    repo.commit(template_yaml=PARAMETER, params_json=given("10.0.0.0/8"))
    repo.write(params_json=given("0.0.0.0/0"))
    if committed:
        repo.commit()
    asked = ["--base", "HEAD~1", "--head", "HEAD"] if committed else ["--base", "HEAD"]
    code, found = ask(*asked, "--parameters", "params.json")
    assert code == 1 and worse(found) == [PORT]
    assert ask(*asked, "--parameters", "params.json", "--parameters", "C=10.0.0.0/8")[0] == 0


@pytest.mark.parametrize("where", ["template.yaml", "sub"])
def test_what_a_hook_of_git_sets_leads_nowhere_else(
    repo: Repo, ask: Asked, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Hooks run with GIT_DIR, GIT_INDEX_FILE and GIT_PREFIX (githooks(5)), which bind git to other places from a subfolder."""
    repo.commit(sub__template_yaml=TEMPLATE)
    repo.write(**{"sub__template_yaml" if where == "sub" else "template_yaml": OPENED})
    monkeypatch.setenv("GIT_DIR", str(repo.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other-index")
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    monkeypatch.setenv("GIT_GLOB_PATHSPECS", "1")
    if where == "sub":
        monkeypatch.chdir(repo.root / "sub")
    code, found = ask("--base", "HEAD")
    assert code == 1 and worse(found) == [PORT]
    assert found["run"]["resources"] == {"changed": 1, "unchanged": 1}


def test_paths_are_no_patterns(repo: Repo, ask: Asked) -> None:
    (repo.root / ":(exclude)t.yaml").write_text(OPENED)
    code, found = ask("--base", "HEAD", ":(exclude)t.yaml")
    assert code == 1 and {e["file"] for e in found["entries"]} == {":(exclude)t.yaml"}


def test_names_are_only_names(repo: Repo, ask: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["-rf.yaml", "a\nb.yaml", "q\"'.yaml", "%0A::error::x.yaml", "ä ö.yaml", "[x](y).yaml"]
    for name in names:
        (repo.root / name).write_text(OPENED)
    (repo.root / os.fsdecode(b"\xff.yaml")).write_text(OPENED)
    code, found = ask("--base", "HEAD")
    assert code == 1
    assert len({e["file"] for e in found["entries"] if e["effect"] == "worse"}) == len(names) + 1
    for form in ("markdown", "github", "gitlab", "sarif", "terminal"):
        assert review.main(["--base", "HEAD", "--format", form], standalone_mode=False) == 1
        out = capsys.readouterr().out
        assert "\n::error::x" not in out and "\nb.yaml" not in out
        out.encode()


def test_a_configuration_behind_a_link_judges(repo: Repo, ask: Asked) -> None:
    repo.write(conf__pe_yaml="disabled:\n  security-group-admin-ports-closed: not for us\n")
    (repo.root / "policyengine.yaml").symlink_to("conf/pe.yaml")
    repo.commit()
    repo.write(template_yaml=OPENED)
    _, found = ask("--base", "HEAD")
    assert found["run"]["config"].endswith(":policyengine.yaml")
    assert not any(e["rules"] for e in found["entries"])


def test_what_git_lacks_is_no_success(repo: Repo, ask: Asked) -> None:
    repo.commit(template_yaml=OPENED)
    blob = repo.git("rev-parse", "HEAD:template.yaml")
    path = repo.root / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.unlink()
    with pytest.raises(PolicyEngineError, match="git does not have"):
        ask("--base", "HEAD~1", "--head", "HEAD")


def test_a_folder_of_a_work_tree_of_its_own(repo: Repo, ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("worktree", "add", "-q", "../other")
    other: Path = repo.root.parent / "other"
    (other / "template.yaml").write_text(OPENED)
    monkeypatch.chdir(other)
    code, found = ask("--base", "HEAD")
    assert code == 1 and worse(found) == [PORT]


SANDBOX = """\
waivers:
  - id: W-9
    rule: security-group-admin-ports-closed
    scope: {tag: {Stage: sandbox}}
    owner: a@example.com
    approver: b@example.com
    reason: nothing of worth is there
    ticket: T-1
    granted: "2026-01-01"
    expires: "2026-06-01"
    pin: false
"""


def test_a_tag_that_brings_a_resource_into_a_waiver_is_told(repo: Repo, ask: Asked) -> None:
    repo.commit(waivers_yaml=SANDBOX, policyengine_yaml="severities: {}\n")
    tagged = OPENED.replace("VpcId: vpc-1\n", "VpcId: vpc-1\n      Tags: [{Key: Stage, Value: sandbox}]\n")
    repo.write(template_yaml=tagged)
    _, found = ask("--base", "HEAD", "--as-of", "2026-02-01T00:00:00Z")
    entry = next(e for e in found["entries"] if e["kind"] == "gate")
    assert entry["effect"] == "new" and entry["title"].startswith(
        "waiver `W-9` accepts `security-group-admin-ports-closed` here, which is new"
    )
    assert [(r["before"], r["after"]) for r in entry["rules"]] == [("PASS", "FAIL")]


def test_what_the_base_cannot_be_read_of_is_told(repo: Repo, ask: Asked) -> None:
    repo.commit(template_yaml=TEMPLATE + "  Broken: [\n")
    repo.write(template_yaml=OPENED)
    code, found = ask("--base", "HEAD")
    assert code == 1
    assert "the base cannot be read here" in " ".join(title for _, title in told(found, "unclear"))


@pytest.mark.slow
def test_a_baselined_failure_under_another_name_is_the_same(
    repo: Repo, ask: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who renames a file and writes the baseline anew has made nothing worse."""

    def write(name: str) -> None:
        baseline.main(["write", name, "-o", "baseline.json"], standalone_mode=False)
        capsys.readouterr()

    repo.write(template_yaml=OPENED)
    write("template.yaml")
    repo.commit(policyengine_yaml="baseline: baseline.json\n")
    repo.git("mv", "template.yaml", "network.yaml")
    code, found = ask("--base", "HEAD", rules=())
    assert code == 1 and {kind for kind, _ in told(found, "worse")} == {"waiver"}
    write("network.yaml")
    code, found = ask("--base", "HEAD", rules=())
    assert (code, worse(found)) == (0, [])
    assert {e["file"] for e in found["entries"] if e["kind"] == "gate"} == {"policyengine.yaml"}
    repo.write(network_yaml=OPENED.replace("Port: 22", "Port: 0"))
    write("network.yaml")
    assert ask("--base", "HEAD", rules=())[0] == 1


def test_the_side_that_lacks_what_judges_is_named(repo: Repo, ask: Asked) -> None:
    repo.commit(w_yaml="waivers: []\n")
    (repo.root / "w.yaml").unlink()
    repo.commit()
    with pytest.raises(PolicyEngineError, match=r"`w\.yaml` is not in the head"):
        ask("--base", "HEAD~1", "--head", "HEAD", "--waivers", "w.yaml")


ESCAPED = json.dumps({"Resources": {"Web": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
    "GroupDescription": "web", "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "::/0"}],
}}}}).replace('"Res', '"\\u0052es')  # fmt: skip
POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\xef\xbb\xbf" + OPENED.encode(), 1),
        (OPENED.replace("Resources:", "? Resources\n:").encode(), 1),
        (ESCAPED.replace("CidrIp", "CidrIpv6").encode(), 1),
        (OPENED.replace("\n", "\r").encode(), 1),
        (OPENED.replace("Resources", "Resource").encode() + b"  - [", 2),
        (b"", 0),
        (b"name: a chart\n", 0),
    ],
    ids=["mark", "explicit key", "escaped key", "carriage returns", "broken", "empty", "other"],
)
def test_what_was_a_template_is_read_however_it_is_spelt(
    repo: Repo, ask: Asked, text: bytes, code: int
) -> None:
    (repo.root / "template.yaml").write_bytes(text)
    assert ask("--base", "HEAD")[0] == code
    assert ask("--base", "HEAD", "--strict")[0] == (code or 3)


@pytest.mark.parametrize("text", [POLICY + "x", POLICY.replace('"Action"', '"Action": "*", "Action"')])
def test_a_policy_that_is_broken_is_an_error(repo: Repo, ask: Asked, text: str) -> None:
    repo.commit(p_json=POLICY)
    repo.write(p_json=text)
    assert ask("--base", "HEAD")[0] == 2
