"""The checks that init writes: they fit their host's schema, and their steps run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine import __version__
from tests.integrations.github_server import NUMBER, REPOSITORY, WRITER, GitHub
from tests.integrations.repositories import OPEN, Change, git
from tests.integrations.runner import Runner

from .conftest import Init

WORKFLOW = ".github/workflows/policyengine.yml"
SCHEMAS = {"github": "github-workflows.json", "gitlab": "gitlab-ci.json"}


def check_schema(value: Any, host: str) -> None:
    vendored = pytest.importorskip("check_jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    file = Path(vendored.__file__).parent / "builtin_schemas" / "vendor" / SCHEMAS[host]
    jsonschema.validate(value, json.loads(file.read_text()))


def workflow(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / WORKFLOW).read_text())
    found["on"] = found.pop(True)  # YAML 1.1 reads `on` as a boolean; GitHub does not
    return found


def cdk(root: Path, folder: str, *names: str) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ("cdk.json", *names):
        (root / folder / name).write_text("{}")


@pytest.mark.parametrize(
    "apps", [{}, {"": ["package.json", "package-lock.json"]}, {"a b": ["requirements.txt"], "go": []}]
)
def test_the_workflow_fits_githubs_schema(repository: Path, init: Init, apps: dict[str, list[str]]) -> None:
    for folder, names in apps.items():
        cdk(repository, folder, *names)
    said = "\n".join(init(repository))
    found = workflow(repository)
    check_schema(found, "github")
    assert found["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert found["on"]["push"]["branches"] == ["trunk"]
    steps = found["jobs"]["policyengine"]["steps"]
    assert all(
        "@" not in step.get("uses", "@") or len(step["uses"].split("@")[1]) == 40
        for step in steps
        if "uses" in step
    )
    assert not [step for step in steps if "${{" in step.get("run", "")], (
        "no expression becomes part of a script"
    )
    assert f"policyengine-aws[sam]=={__version__}" in steps[2]["run"]
    assert ("no language whose packages init installs" in said) == ("go" in apps)
    assert any("Synthesize" in step.get("name", "") for step in steps) == bool(apps)


@pytest.mark.parametrize(
    ("host", "name"), [("gitlab", "policyengine.gitlab-ci.yml"), ("codebuild", "policyengine-buildspec.yml")]
)
def test_other_hosts_get_the_integration_with_the_version_pinned(
    repository: Path, init: Init, host: str, name: str
) -> None:
    said = "\n".join(init(repository, ci=host))
    found = yaml.safe_load((repository / name).read_text())
    if host == "gitlab":
        check_schema(found, host)
        assert found["policyengine"]["variables"]["POLICYENGINE_VERSION"] == __version__
        assert "  - local: policyengine.gitlab-ci.yml" in said
    else:
        assert found["env"]["variables"]["POLICYENGINE_VERSION"] == __version__
    (repository / ".gitlab-ci.yml").write_text("include: [{local: policyengine.gitlab-ci.yml}]\n")
    again = "\n".join(init(repository, ci=host))
    assert "include:" not in again and again.endswith("nothing to do")


# -- running the workflow's steps --------------------------------------------------------------------


TEMPLATE = """\
{"Resources": {"Web": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "web", "SecurityGroupIngress": [
  {"IpProtocol": "tcp", "FromPort": $port, "ToPort": $port, "CidrIp": "$source", "Description": "in"}]}}}}"""
MANIFEST = """\
{"version": "36.0.0", "artifacts": {"Web": {"type": "aws:cloudformation:stack",
  "environment": "aws://unknown-account/unknown-region", "properties": {"templateFile": "Web.template.json"}}}}"""


class Job(Runner):
    """Runs the named steps of the workflow; what it installs and checks out is there already."""

    def steps(self, event: str, *but: str) -> int:
        job = workflow(self.repository)["jobs"]["policyengine"]
        binaries = self.installed().parent
        for step in job["steps"]:
            wanted = {"github.event_name == 'pull_request'": event == "pull_request",
                      "github.event_name != 'pull_request'": event != "pull_request"}.get(step.get("if", ""), True)  # fmt: skip
            if "run" not in step or not wanted or step["name"] in ("Install policyengine", *but):
                continue
            environ = {**self.environ, "GITHUB_EVENT_NAME": event}
            if "env" in step:
                assert step["env"] == {"GITHUB_TOKEN": "${{ github.token }}"}
                environ["GITHUB_TOKEN"] = WRITER
            environ["PATH"] = f"{binaries}:{environ['PATH']}"
            # the default shell of a step: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]], cwd=self.repository, env=environ, text=True, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self.log += done.stdout
            if done.returncode:
                return done.returncode
        return 0


def job(tmp_path: Path, repository: Path, hub: GitHub) -> Job:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": NUMBER}}))
    environ = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_PATH": str(event), "GITHUB_API_URL": hub.url}
    return Job(tmp_path / "runner", repository, {}, environ)


def pull_request(folder: Path, root: Path, text: str, file: str) -> Path:
    """Return a shallow clone of the merge of a change, as actions/checkout leaves it with `fetch-depth: 2`."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "init")
    git(root, "switch", "-qc", "change")
    (root / file).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "change")
    git(root, "switch", "-q", "trunk")
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "change")
    change = Change.__new__(Change)
    change.origin, change.folder = root, folder
    return change.checkout("refs/heads/trunk", 2)


@pytest.mark.slow
def test_a_pull_request_that_opens_a_port_fails_and_one_that_does_not_passes(
    tmp_path: Path, repository: Path, init: Init, hub: GitHub
) -> None:
    init(repository)
    clone = pull_request(
        tmp_path, repository, "# more\n" + OPEN.replace("FromPort: 22", "FromPort: 20"), "infra/web.yaml"
    )
    run = job(tmp_path, clone, hub)
    assert run.steps("pull_request") == 1, run.log
    assert "::error" in run.log and "infra/web.yaml" in run.log
    assert len(hub.comments) == 1
    git(clone, "checkout", "-q", "HEAD^1")
    git(clone, "commit", "-q", "--allow-empty", "-m", "nothing")
    assert run.steps("pull_request") == 0
    assert len(hub.comments) == 1, "the comment is corrected, and none is added"


@pytest.mark.slow
def test_a_push_of_what_init_found_passes(tmp_path: Path, repository: Path, init: Init, hub: GitHub) -> None:
    init(repository)
    assert job(tmp_path, repository, hub).steps("push") == 0


@pytest.mark.slow
def test_templates_of_a_cdk_app_are_made_of_both_sides(
    tmp_path: Path, repository: Path, init: Init, hub: GitHub
) -> None:
    (repository / "infra" / "web.yaml").unlink()
    cdk(repository, "app", "package.json", "package-lock.json")
    (repository / "app" / "source.txt").write_text("443 10.0.0.0/8\n")
    (repository / ".gitignore").write_text("cdk.out/\n")
    init(repository)
    clone = pull_request(tmp_path, repository, "22 0.0.0.0/0\n", "app/source.txt")
    run = job(tmp_path, clone, hub)
    tools = run.installed().parent
    (tools / "npm").write_text("#!/bin/sh\nexit 0\n")
    (tools / "npx").write_text(  # stands for `npx cdk synth`: an assembly of one stack
        f"#!/bin/sh\nmkdir -p cdk.out\nread port source < source.txt\ncat > cdk.out/Web.template.json <<END\n{TEMPLATE}\nEND\n"
        f"cat > cdk.out/manifest.json <<END\n{MANIFEST}\nEND\n"
    )
    for name in ("npm", "npx"):
        (tools / name).chmod(0o755)
    assert run.steps("pull_request") == 1, run.log
    assert "Web" in run.log
    assert hub.comments[0]["body"].startswith("<!-- policyengine-review:cdk -->")
    assert (clone / "app" / "cdk.out").is_dir()
