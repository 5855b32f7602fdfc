#!/usr/bin/env bash
# Reviews a pull request against what it is merged into; judges everything on other events. Never fails by itself: the
# exit code goes into an output, so that reports are written before the job ends with it.
set -euo pipefail

policyengine="$RUNNER_TEMP/policyengine/venv/bin/policyengine"
out="$RUNNER_TEMP/policyengine/out"
mkdir -p "$out"
rm -f "$out/report.md" "$out/policyengine.sarif"

output() {
  [[ "$2" != *$'\n'* ]] || return 0 # a line end would begin another output
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

error() {
  printf '::error title=policyengine::%s\n' "$1"
}

# The lines of a text as words, blank ones left out.
lines=()
lines_of() {
  local line
  lines=()
  while IFS= read -r line || [[ -n "$line" ]]; do
    line="${line%$'\r'}"
    [[ -z "${line//[[:space:]]/}" ]] || lines+=("$line")
  done <<<"$1"
}

have() {
  git cat-file -e "$1^{commit}" 2>/dev/null
}

# Prints what the change is compared with: where GitHub merged it into the base, the base as it was merged into; else
# where the two parted. A shallow clone gets what is missing, and no more.
base_of() {
  local want="$1" head parents
  head="$(git rev-parse HEAD)"
  if [[ -z "$want" ]]; then
    mapfile -t parents < <(git cat-file -p "$head" | sed -n '/^$/q; s/^parent //p')
    if ((${#parents[@]} == 2)) && [[ "$head" == "${GITHUB_SHA:-}" ]]; then
      have "${parents[0]}" || git fetch --quiet --no-tags --depth=1 origin "${parents[0]}" || return 1
      printf '%s\n' "${parents[0]}"
      return 0
    fi
    want="$BASE_SHA"
  fi
  [[ -n "$want" && "$want" != -* ]] || return 1
  if ! have "$want"; then
    git fetch --quiet --no-tags origin "$want" && want="$(git rev-parse FETCH_HEAD)" || return 1
  fi
  git merge-base "$want" "$head" 2>/dev/null && return 0
  [[ "$(git rev-parse --is-shallow-repository)" == true ]] || return 1
  git fetch --quiet --no-tags --unshallow origin || return 1
  git merge-base "$want" "$head"
}

lines_of "${PATHS:-}"
paths=("${lines[@]:-.}")
lines_of "${ARGUMENTS:-}"
more=("${lines[@]}")
same=()
[[ -z "$CONFIG" ]] || same+=(--config "$CONFIG")
[[ "$STRICT" != true ]] || same+=(--strict)
shown=terminal
[[ "$ANNOTATIONS" != true ]] || shown=github

mode=scan
case "${GITHUB_EVENT_NAME:-}" in
  pull_request | pull_request_target) mode=review ;;
esac
[[ -z "$BASE" ]] || mode=review
output mode "$mode"

command=(scan)
targets=("${paths[@]}")
if [[ "$mode" == review && -e "$BASE" ]]; then
  # two folders or files, such as templates that were made of both sides before
  if ((${#paths[@]} != 1)); then
    error "the input base is a folder or a file: name one to compare it with in the input paths"
    output exit-code 2
    exit 0
  fi
  command=(review --base "$BASE" --head "${paths[0]}")
  targets=()
elif [[ "$mode" == review ]]; then
  if ! base="$(base_of "$BASE")"; then
    error "what the change is compared with was not found; check out with fetch-depth 0, or set the input base"
    output exit-code 2
    exit 0
  fi
  if [[ "$base" == "$(git rev-parse HEAD)" ]]; then
    # so it is on pull_request_target: a base compared with itself would pass whatever the change does
    error "what is checked out is the base itself; check out the pull request, or use on: pull_request"
    output exit-code 2
    exit 0
  fi
  command=(review --base "$base" --exact-base --head HEAD)
fi

code=0
"$policyengine" "${command[@]}" --fail-on "$FAIL_ON" "${same[@]}" "${more[@]}" --format "$shown" \
  --format "markdown=$out/report.md" -- "${targets[@]}" || code=$?

if [[ "$SARIF" == true ]]; then
  # code scanning compares whole results by itself: the difference alone would look like everything else was repaired
  whole=0
  "$policyengine" scan --quiet --fail-on never "${same[@]}" --format "sarif=$out/policyengine.sarif" \
    -- "${paths[@]}" || whole=$?
  ((whole == 0 || whole == 3)) || ((code >= 2)) || code=$whole
  [[ ! -s "$out/policyengine.sarif" ]] || output sarif "$out/policyengine.sarif"
fi
[[ ! -s "$out/report.md" ]] || output markdown "$out/report.md"
output exit-code "$code"
