#!/usr/bin/env bash
# Installs policyengine into a virtual environment of its own: the action's checkout, or a version from PyPI.
set -euo pipefail

fail() {
  printf '::error title=policyengine::%s\n' "$1"
  exit 2
}

((BASH_VERSINFO[0] >= 5)) || fail "bash is older than 5; use a Linux runner, or put a newer bash first on PATH"
[[ "${POLICYENGINE_VERSION:-}" =~ ^([0-9][0-9A-Za-z.+!-]*)?$ ]] || fail "the input version is no version"
python=python3
command -v "$python" >/dev/null || fail "there is no python3; set the input python-version"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "python3 is older than 3.11; set the input python-version"

venv="$RUNNER_TEMP/policyengine/venv"
if [[ -x "$venv/bin/policyengine" ]]; then
  exit 0 # a job may use the action more than once
fi
"$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check install)
if [[ -n "${POLICYENGINE_VERSION:-}" ]]; then
  "${pip[@]}" "policyengine-aws[sam]==$POLICYENGINE_VERSION"
else
  "${pip[@]}" --constraint "$GITHUB_ACTION_PATH/constraints.txt" "${GITHUB_ACTION_PATH}[sam]"
fi
