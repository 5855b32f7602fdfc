"""``policyengine publish FILE --pull-request``: Markdown into the one comment of a GitHub pull request."""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.outputs import say
from policyengine.model.errors import InputError, UsageError
from policyengine.publish.pull_request import (
    Answer,
    ApiError,
    NotAllowedError,
    Outcome,
    marked,
    place_of,
    publish,
)

_SECONDS: Final = 20
_TRIES: Final = 3
_MOST_BYTES: Final = 32 * 1024 * 1024
_NEXT: Final = re.compile(r'<([^<>]{1,2000})>; ?rel="next"')
_WORDS: Final = {
    "created": "wrote the comment",
    "updated": "changed the comment",
    "unchanged": "the comment says the same already",
    "none": "there is no comment to change, and none was asked for",
}


def comment(options: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> int:
    """Put the file into the comment; into the job summary where the token may not write. Raises PolicyEngineError."""
    place = place_of(environ)
    body = marked(_text(options["target"]), options["comment_name"] or "")
    if options["dry_run"]:
        say(f"would write {len(body):,} characters to pull request {place.number} of {place.repository}")
        return EXIT_OK
    token = environ.get("GITHUB_TOKEN", "")
    if not token:
        raise UsageError("GITHUB_TOKEN is not set: pass the job's token, `env: {GITHUB_TOKEN: …}`")
    try:
        outcome = publish(place, body, Api(place.api, token), update_only=options["update_only"])
    except NotAllowedError as refused:
        return _to_summary(body, str(refused), environ)
    except ApiError as problem:
        say(f"error: the comment was not written: {problem}")
        return EXIT_INCOMPLETE
    _say(outcome)
    return EXIT_OK


def _say(outcome: Outcome) -> None:
    say(f"{_WORDS[outcome.done]}{f': {outcome.url}' if outcome.url else ''}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or 'error').lower()}") from None
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is no UTF-8 text; expected what `--format markdown` writes") from None


def _to_summary(body: str, why: str, environ: Mapping[str, str]) -> int:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary."""
    file = environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        say(f"error: the token may not write comments ({why}), and there is no job summary to write to")
        return EXIT_INCOMPLETE
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(f"{body}\n")
    except OSError as error:
        print(f"error: `{file}` cannot be written: {(error.strerror or 'error').lower()}", file=sys.stderr)
        return EXIT_INCOMPLETE
    say(
        f"note: the token may not write comments ({why}): the review is in the summary of this job. A pull request from a "
        "fork gets no other; elsewhere the job needs `permissions: {pull-requests: write}`"
    )
    return EXIT_OK


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Api:
    """GitHub's REST API at one address; ``token`` goes nowhere else. Calls raise ApiError."""

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise UsageError(f"GITHUB_API_URL `{address}` is no address; expected https://…")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise UsageError(
                f"GITHUB_API_URL `{address}` would send the token unencrypted; expected https://…"
            )
        self._base = address.rstrip("/")
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __call__(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        """Ask once; reading and changing, which may be repeated, up to three times where GitHub is out of order."""
        address = path if path.startswith(f"{self._base}/") else f"{self._base}{path}"
        if not path.startswith("/") and address != path:
            raise ApiError("GitHub named a next page on another host")
        tries = 1 if method == "POST" else _TRIES
        for attempt in range(1, tries + 1):
            try:
                answer = self._once(method, address, body)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if attempt == tries:
                    raise ApiError(f"{method} {address.partition('?')[0]}: {reason}") from None
            else:
                if attempt == tries or answer.status not in (429, 500, 502, 503, 504):
                    return answer
            time.sleep(attempt)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, address: str, body: dict[str, Any] | None) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            address,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "User-Agent": "policyengine",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return _answer(
                    response.status, response.headers.get("Link") or "", response.read(_MOST_BYTES)
                )
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, "", error.read(_MOST_BYTES))


def _answer(status: int, link: str, data: bytes) -> Answer:
    found = _NEXT.search(link)
    try:
        body = json.loads(data) if data else None
    except ValueError:
        body = None
    return Answer(status, body, found[1] if found else "")
