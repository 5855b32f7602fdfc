"""The check for each CI host, as a file of its own: what is there already is never changed."""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple

from policyengine import __version__
from policyengine.cli.initialising.looking import Cdk, Repository
from policyengine.cli.initialising.proposals import Proposal
from policyengine.rules.data import data_root

PACKAGE: Final = f"policyengine-aws[sam]=={__version__}"
_CHECKOUT: Final = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
_PYTHON: Final = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0"

_PRE_COMMIT: Final = f"""\
  - repo: local
    hooks:
      - id: policyengine
        name: policyengine
        entry: policyengine pre-commit
        language: python
        additional_dependencies: ["{PACKAGE}"]
        files: \\.(ya?ml|json|template)$
        types: [text]
        require_serial: true
"""


class Advice(NamedTuple):
    """What a person has to add to a file that is there, and why."""

    where: str
    why: str
    text: str = ""


def check(host: str, found: Repository) -> tuple[Proposal, list[Advice]]:
    """Return the file of a host, and what is left to do by hand."""
    return {"github": _github, "gitlab": _gitlab, "codebuild": _codebuild}[host](found)


def pre_commit() -> Advice:
    """Return what goes into ``.pre-commit-config.yaml`` below ``repos:``."""
    return Advice(".pre-commit-config.yaml", "below `repos:`, to judge the files of each commit", _PRE_COMMIT)


# -- GitHub ------------------------------------------------------------------------------------------


def _github(found: Repository) -> tuple[Proposal, list[Advice]]:
    rules = "".join(f" --rules {shlex.quote(folder)}" for folder in found.rules)
    steps = [_SETUP]
    if found.cdk:
        steps.append(_synthesize(found.cdk))
    steps += [_review(found, rules), _SCAN.format(rules=rules)]
    text = _WORKFLOW.format(branch=found.branch) + "\n".join(steps)
    why = "reviews pull requests: what they newly allow fails, and is told in one comment; judges what is pushed"
    return Proposal(".github/workflows/policyengine.yml", text, why), _unknown_cdk(found)


_WORKFLOW: Final = """\
# Says what a pull request newly allows or makes worse: as problems at their lines, and in one comment that is kept up to
# date. Only that fails the job; a push to {branch} is judged whole. A pull request from a fork gets the summary of the job
# instead of a comment: its token may not write.
name: policyengine
on:
  pull_request:
  push:
    branches: ["{branch}"]
permissions:
  contents: read
  pull-requests: write # the comment
jobs:
  policyengine:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
"""
_SETUP: Final = f"""\
      - uses: {_CHECKOUT}
        with:
          fetch-depth: 2 # the merge of the pull request, and what it is merged into: HEAD^1
          persist-credentials: false
      - uses: {_PYTHON}
        with:
          python-version: "3.12"
      - name: Install policyengine
        run: pip install --quiet --disable-pip-version-check "{PACKAGE}"
"""
_SCAN: Final = """\
      - name: Judge everything
        if: github.event_name != 'pull_request'
        run: policyengine scan .{rules} --format github
"""


def _synthesize(apps: list[Cdk]) -> str:
    lines = ["      - name: Synthesize", "        run: |", "          synthesize() {"]
    for app in apps:
        folder = f'"$1"/{shlex.quote(app.folder)}' if app.folder else '"$1"'
        commands = " && ".join(app.synth)
        lines.append(f"            (cd {folder} && {commands})")
    lines += [
        "          }",
        "          synthesize .",
        '          if [ "$GITHUB_EVENT_NAME" = pull_request ]; then',
        '            git worktree add --quiet --detach "$RUNNER_TEMP/base" HEAD^1',
        '            synthesize "$RUNNER_TEMP/base"',
        "          fi",
    ]
    return "\n".join(lines) + "\n"


def _review(found: Repository, rules: str) -> str:
    calls = []
    if found.kinds:
        calls.append(("", f"--base HEAD^1 --exact-base --head HEAD{rules}"))
    for number, app in enumerate(found.cdk, 1):
        out = shlex.quote(app.out)
        name = "cdk" if len(found.cdk) == 1 else f"cdk-{number}"
        calls.append((name, f'--base "$RUNNER_TEMP/base"/{out} --head {out}{rules}'))
    lines = [
        "      - name: Review the pull request",
        "        if: github.event_name == 'pull_request'",
        "        env:",
        "          GITHUB_TOKEN: ${{ github.token }}",
        "        run: |",
        "          code=0",
        "          check() { # name of the comment, options of the review",
        '            local name="$1" result=0 more=()',
        "            shift",
        '            policyengine review "$@" --format github --format "markdown=$RUNNER_TEMP/review.md" || result=$?',
        "            [ $result = 0 ] && more+=(--update-only) # nothing to say: no new comment",
        '            [ -n "$name" ] && more+=(--comment-name "$name")',
        '            policyengine publish "$RUNNER_TEMP/review.md" --pull-request "${more[@]}" || true',
        "            [ $result -le $code ] || code=$result",
        "          }",
        *(f"          check {shlex.quote(name)} {options}" for name, options in calls),
        "          exit $code",
    ]
    return "\n".join(lines) + "\n"


def _unknown_cdk(found: Repository) -> list[Advice]:
    return [
        Advice(f"{app.folder or '.'}/cdk.json", "the app is in no language whose packages init installs: add that step before "
               "`synthesize`")
        for app in found.cdk
        if not app.known
    ]  # fmt: skip


# -- GitLab and CodeBuild ----------------------------------------------------------------------------


def _integration(name: str) -> str:
    return (data_root().rules.parent / "integrations" / name).read_text(encoding="utf-8")


def _pinned(text: str, before: str) -> str:
    """Set the version, which the file leaves open."""
    assert text.count(before) == 1, "the integration sets the version in one line"
    return text.replace(before, before.replace('""', f'"{__version__}"'))


def _gitlab(found: Repository) -> tuple[Proposal, list[Advice]]:
    text = _pinned(_integration("gitlab/policyengine.gitlab-ci.yml"), 'POLICYENGINE_VERSION: ""')
    why = "reviews merge requests, judges the default branch, and reports Code Quality"
    include = "include:\n  - local: policyengine.gitlab-ci.yml\n"
    advice = [Advice(".gitlab-ci.yml", "so that GitLab runs the job", include)]
    return Proposal("policyengine.gitlab-ci.yml", text, why), advice + _by_hand(found)


def _codebuild(found: Repository) -> tuple[Proposal, list[Advice]]:
    text = _pinned(_integration("aws/buildspec.yml"), 'POLICYENGINE_VERSION: ""')
    why = "reviews pull requests and judges other builds in CodeBuild, and reports there"
    advice = [
        Advice("the build project", "name the file as its buildspec (`--buildspec-override`, or Source.BuildSpec), or copy the "
               "commands into it: then whoever pushes cannot change them")
    ]  # fmt: skip
    return Proposal("policyengine-buildspec.yml", text, why), advice + _by_hand(found)


def _by_hand(found: Repository) -> list[Advice]:
    """What the files of these hosts do not do by themselves."""
    advice = [
        Advice(
            app.out,
            f"is made by `{app.synth[-1]}`: run it before the check, and in the base too for a review of folders",
        )
        for app in found.cdk
    ]
    if found.rules:
        options = " ".join(f"--rules {shlex.quote(folder)}" for folder in found.rules)
        advice.append(Advice("the check", f"rules of your own are asked with `{options}`"))
    return advice
