#!/usr/bin/env bash
# Keeps the comment on a pull request up to date; elsewhere, and where no comment is wanted, what failed goes into the
# summary of the job. Where there is nothing to say nothing is written, but a comment that is there is corrected.
set -euo pipefail

policyengine="$RUNNER_TEMP/policyengine/venv/bin/policyengine"

if [[ "$COMMENT" == true && "$MODE" == review && "${GITHUB_EVENT_NAME:-}" == pull_request* ]]; then
  options=(--pull-request)
  [[ -z "$COMMENT_NAME" ]] || options+=(--comment-name "$COMMENT_NAME")
  [[ "$EXIT_CODE" != 0 ]] || options+=(--update-only)
  "$policyengine" publish "$MARKDOWN" "${options[@]}" ||
    printf '::warning title=policyengine::the comment was not written; the log of this step says why\n'
elif [[ "$EXIT_CODE" != 0 ]]; then
  cat "$MARKDOWN" >>"$GITHUB_STEP_SUMMARY"
fi
