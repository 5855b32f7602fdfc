"""`policyengine init`: what it writes works, what is there stays, a second run has nothing to do."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from pathlib import Path

import pytest

from policyengine.cli.initialising.configuration import configuration
from policyengine.config.loader import load_config
from policyengine.model.errors import ConfigError, InputError, UsageError
from policyengine.rules.packs import load_packs
from tests.cli.conftest import command
from tests.integrations.repositories import CLOSED, OPEN, git

from .conftest import Init, files

WORKFLOW = ".github/workflows/policyengine.yml"
WRITTEN = {"policyengine.yaml", "policyengine-baseline.json", WORKFLOW}


# -- what is written ---------------------------------------------------------------------------------


def test_after_init_what_fails_today_fails_no_more_and_what_is_new_does(repository: Path) -> None:
    run = partial(command, repository)
    assert run("scan", ".", "-q").code == 1
    done = run("init", ".")
    assert done.code == 0, done.err
    assert set(files(repository)) == {"infra/web.yaml", *WRITTEN}
    after = run("scan", ".")
    assert after.code == 0 and "in the baseline" in after.out
    (repository / "infra" / "more.yaml").write_text(OPEN)
    assert run("scan", ".", "-q").code == 1


def test_a_second_run_has_nothing_to_do(repository: Path, init: Init) -> None:
    first = init(repository)
    assert [line for line in first if line.startswith("wrote")] == [
        "wrote policyengine-baseline.json", "wrote policyengine.yaml", f"wrote {WORKFLOW}",
    ]  # fmt: skip
    before = files(repository)
    second = init(repository / "infra")
    assert second[-1] == "nothing to do" and not any("wrote" in line for line in second)
    assert files(repository) == before


def test_new_failures_after_init_are_not_accepted_by_running_it_again(repository: Path, init: Init) -> None:
    (repository / "infra" / "web.yaml").write_text(
        "Resources: {H: {Type: AWS::CloudFormation::WaitConditionHandle}}\n"
    )
    init(repository)
    assert "policyengine-baseline.json" not in files(repository)
    (repository / "infra" / "web.yaml").write_text(OPEN)
    init(repository)
    assert "policyengine-baseline.json" not in files(repository), "only the first run begins with what fails"


def test_a_dry_run_writes_nothing_and_says_the_same(repository: Path, init: Init) -> None:
    before = files(repository)
    dry = init(repository, dry_run=True)
    assert files(repository) == before
    wet = init(repository)
    assert [line.replace("would write", "wrote") for line in dry] == wet[:-1]


@pytest.mark.parametrize("baseline", [True, False])
def test_the_configuration_can_be_read_and_so_can_every_line_it_suggests(
    tmp_path: Path, baseline: bool
) -> None:
    text = configuration(baseline=baseline)
    suggested = re.sub(r": (\{\}|\[\])\n#  ", ":\n#  ", text)
    suggested = re.sub(r"^#((?:  ){1,2}\S.*)$", r"\1", suggested, flags=re.MULTILINE).replace(
        "# baseline:", "baseline:"
    )
    assert suggested.count("\n  ") >= 7
    pack = load_packs()
    rules = {form["id"]: form["parameters"] for form in pack.rules}
    for number, each in enumerate((text, suggested)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(each)
        settings = load_config(file, lambda rule, name, value: None, rules)
        assert (settings.waiving.baseline_file is not None) == (baseline or each == suggested)
    assert settings.organization["rds-backup-retention"] == {"days": 14}
    assert settings.disabled and settings.severities and settings.scoped


# -- what is there -----------------------------------------------------------------------------------


def test_what_is_there_is_never_changed_and_its_difference_is_shown(repository: Path, init: Init) -> None:
    own = {
        "policyengine.yaml": "disabled: {}\n",
        WORKFLOW: "name: mine\n",
        "policyengine-baseline.json": "{}",
    }
    (repository / WORKFLOW).parent.mkdir()
    for name, text in own.items():
        (repository / name).write_text(text)
    with pytest.raises(ConfigError):  # a baseline that is none is nobody's to ignore
        (repository / "policyengine.yaml").write_text("baseline: policyengine-baseline.json\n")
        init(repository)
    (repository / "policyengine.yaml").write_text(own["policyengine.yaml"])
    said = init(repository)
    assert {name: files(repository)[name].decode() for name in own} == own
    assert f"{WORKFLOW} is there and says something else; it is left as it is. The difference:" in said
    assert "  -name: mine" in said and "  +name: policyengine" in said
    assert said[-1] == "nothing to do"


def test_a_file_that_appears_meanwhile_is_not_overwritten(repository: Path, init: Init) -> None:
    (repository / "policyengine.yaml").symlink_to(repository / "nowhere" / "else.yaml")
    with pytest.raises(InputError, match=r"`policyengine\.yaml` cannot be written"):
        init(repository)
    assert not (repository / "nowhere").exists()


def test_a_folder_that_cannot_be_written_to_is_an_error(repository: Path, init: Init) -> None:
    (repository / ".github" / "workflows").write_text("a file")
    with pytest.raises(InputError, match=r"policyengine\.yml` cannot be"):
        init(repository)


@pytest.mark.parametrize("text", ["repos: []\n", "repos:\n- repo: local\n  hooks: [{id: policyengine}]\n"])
def test_pre_commits_file_is_spoken_of_until_it_speaks_of_us(repository: Path, init: Init, text: str) -> None:
    (repository / ".pre-commit-config.yaml").write_text(text)
    said = "\n".join(init(repository))
    assert ("entry: policyengine pre-commit" in said) == ("policyengine" not in text)
    assert (repository / ".pre-commit-config.yaml").read_text() == text


# -- what is seen ------------------------------------------------------------------------------------


def test_a_repository_with_nothing_to_judge_is_an_error(tmp_path: Path, init: Init) -> None:
    (tmp_path / "readme.md").write_text("# nothing\n")
    with pytest.raises(UsageError, match="nothing to judge"):
        init(tmp_path)
    assert files(tmp_path).keys() == {"readme.md"}


def test_terraform_without_a_plan_gets_settings_and_no_check_that_would_fail(
    tmp_path: Path, init: Init
) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / "main.tf").write_text('resource "aws_s3_bucket" "b" {}\n')
    said = "\n".join(init(tmp_path))
    assert "terraform show -json p > plan.json" in said
    assert files(tmp_path).keys() == {"main.tf", "policyengine.yaml"}


def test_broken_templates_do_not_stop_it_and_are_counted(repository: Path, init: Init) -> None:
    (repository / "broken.yaml").write_text("AWSTemplateFormatVersion: '2010-09-09'\nResources: {A: [}\n")
    (repository / "bomb.json").write_text('{"Resources": ' + "[" * 100_000)
    (repository / "half.yaml").write_text(OPEN + "  Odd: {Properties: {}}\n")
    said = init(repository)
    assert "  2 files cannot be read, and are not judged: `policyengine scan .` says why" in said
    assert set(files(repository)) >= WRITTEN


@pytest.mark.parametrize(
    ("made", "remote", "hosts"),
    [
        ([".gitlab-ci.yml"], "", ["policyengine.gitlab-ci.yml"]),
        (["buildspec.yml"], "", ["policyengine-buildspec.yml"]),
        ([], "git@gitlab.example.com:team/shop.git", ["policyengine.gitlab-ci.yml"]),
        ([], "https://github.com/example/shop", [WORKFLOW]),
        ([], "https://example.com/github.com/shop", []),
        (["Jenkinsfile", "azure-pipelines.yml"], "", []),
    ],
)
def test_the_host_is_known_by_its_files_then_by_the_remote(
    repository: Path, init: Init, made: list[str], remote: str, hosts: list[str]
) -> None:
    (repository / ".github").rmdir()
    for name in made:
        (repository / name).write_text("stages: []\n")
    if remote:
        git(repository, "remote", "add", "origin", remote)
    said = "\n".join(init(repository))
    assert set(files(repository)) - WRITTEN - {"infra/web.yaml", *made} | (
        set(files(repository)) & {WORKFLOW}
    ) == set(hosts)
    for name in ("Jenkins", "Azure Pipelines") if "Jenkinsfile" in made else ():
        assert f"{name}: init writes no file for it" in said


def test_ci_none_writes_no_check(repository: Path, init: Init) -> None:
    init(repository, ci="none")
    assert WORKFLOW not in files(repository)


@pytest.mark.slow
def test_rules_of_the_repository_are_found_used_and_passed_on(repository: Path, init: Init) -> None:
    from policyengine.rules.data import data_root

    rules = repository / "our rules"
    rules.mkdir()
    source = data_root().rules / "ec2" / "security-group-admin-ports-closed.yaml"
    (rules / "own.yaml").write_text(
        source.read_text().replace("id: security-group-admin-ports-closed", "id: own")
    )
    (rules / "own.test.yaml").write_text("[]\n")
    (repository / "infra" / "web.yaml").write_text(OPEN)
    said = init(repository)
    assert "rules of your own in our rules" in said[0]
    kept = json.loads((repository / "policyengine-baseline.json").read_text())
    assert "own" in {entry["rule"] for entry in kept["findings"]}
    assert "--rules 'our rules' --format github" in (repository / WORKFLOW).read_text()


@pytest.mark.slow
def test_folders_that_only_look_like_rules_are_told_and_not_asked(repository: Path, init: Init) -> None:
    from policyengine.rules.data import data_root

    (repository / "copy").mkdir()
    for name in ("security-group-admin-ports-closed.yaml", "security-group-admin-ports-closed.test.yaml"):
        (repository / "copy" / name).write_bytes((data_root().rules / "ec2" / name).read_bytes())
    (repository / "other").mkdir()
    (repository / "other" / "x.yaml").write_text("a: 1\n")
    (repository / "other" / "x.test.yaml").write_text("b: 1\n")
    said = "\n".join(init(repository))
    for folder in ("copy", "other"):
        assert f"by hand: {folder}: is left out: it looks like rules, but " in said
    assert "exists twice" in said
    assert "--rules" not in (repository / WORKFLOW).read_text()


@pytest.mark.parametrize(
    "name", ["${{ github.actor }}", "a: b", "a\nrun: evil", "a #b", "$(touch pwned)", 'q"uote']
)
def test_names_that_would_mean_something_in_a_workflow_are_left_out(
    repository: Path, init: Init, name: str
) -> None:
    (repository / name).mkdir()
    (repository / name / "cdk.json").write_text("{}")
    for file in ("x.yaml", "x.test.yaml"):
        (repository / name / file).write_text("a: 1\n")
    assert "is left out: its name has characters" in "\n".join(init(repository))
    assert name not in (repository / WORKFLOW).read_text()


def test_what_a_hostile_git_configuration_says_goes_nowhere(repository: Path, init: Init) -> None:
    git(repository, "config", "core.fsmonitor", "touch pwned")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", 'refs/remotes/origin/x"];$(touch${IFS}pwned)')
    init(repository)
    assert 'branches: ["main"]' in (repository / WORKFLOW).read_text()
    assert not list(repository.parent.rglob("pwned"))


def test_a_folder_outside_any_repository_is_its_own_root(tmp_path: Path, init: Init) -> None:
    (tmp_path / "web.yaml").write_text(CLOSED)
    init(tmp_path, ci="gitlab")
    assert {"policyengine.yaml", "policyengine.gitlab-ci.yml"} <= files(tmp_path).keys()
    assert os.access(tmp_path / "policyengine.yaml", os.R_OK)
