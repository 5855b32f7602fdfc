"""One comment on a GitHub pull request that is kept up to date: found by a hidden marker, changed in place.

The REST API, with the job's token (https://docs.github.com/en/rest/issues/comments): a pull request is an issue there,
and its conversation are the issue's comments. A workflow run for a fork has a token that may only read
(https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request): nothing
can be written then, and whoever asked is told so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError, UsageError

Json = dict[str, Any]
MARKER: Final = "policyengine-review"
LONGEST: Final = 65_536
"""Characters of a comment's body; GitHub answers 422 "Body is too long (maximum is 65536 characters)" to more."""
_PER_PAGE: Final = 100
_MOST_PAGES: Final = 100
_MARK: Final = re.compile(r"\A\s*<!-- policyengine-review(?::[a-z0-9-]{1,50})? -->\n?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")


class Answer(NamedTuple):
    """What GitHub answered: the status, the decoded body, and the address of the next page ("" without one)."""

    status: int
    body: Any
    next: str = ""


Call = Callable[[str, str, Json | None], Answer]
"""(method, path or address, body) -> Answer. Raises ApiError where there is no answer at all."""


class ApiError(Exception):
    """GitHub could not be asked, or answered something else than it documents."""


class NotAllowedError(Exception):
    """The token may not write comments: it is a fork's, or the job lacks ``pull-requests: write``."""


class Place(NamedTuple):
    """A pull request: the address of the API, ``owner/name``, the number."""

    api: str
    repository: str
    number: int


class Outcome(NamedTuple):
    """``done``: ``created``, ``updated``, ``unchanged`` or ``none``; where the comment is, "" where there is none."""

    done: str
    url: str = ""


def place_of(environ: Mapping[str, str]) -> Place:
    """Return the pull request a workflow run is about. Raises UsageError, InputError.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables: ``GITHUB_API_URL``,
    ``GITHUB_REPOSITORY``, and ``GITHUB_EVENT_PATH``, the file with the webhook's payload.
    """
    repository, file = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_EVENT_PATH", "")
    if not _REPOSITORY.fullmatch(repository) or not file:
        raise UsageError(
            "--pull-request goes with a GitHub workflow run: GITHUB_REPOSITORY and GITHUB_EVENT_PATH say which one"
        )
    try:
        event = json.loads(Path(file).read_bytes())
        number = event["pull_request"]["number"]
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {(error.strerror or 'error').lower()}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            "this workflow run is not about a pull request: run --pull-request on `on: pull_request` only"
        ) from None
    if type(number) is not int or number < 1:
        raise InputError(f"`{file}` has no number of a pull request")
    return Place(environ.get("GITHUB_API_URL") or "https://api.github.com", repository, number)


def marked(text: str, name: str = "") -> str:
    """Return the body of a comment: the hidden marker first, once. Raises UsageError, InputError for what GitHub refuses."""
    if name and not _NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` cannot name a comment; expected lower-case letters, digits and `-`, at most 50"
        )
    body = f"{_marker(name)}\n{_MARK.sub('', text)}"
    if len(body) > LONGEST:
        raise InputError(
            f"{len(body):,} characters are more than a comment holds ({LONGEST:,}); `--format markdown` stops in time"
        )
    return body


def _marker(name: str) -> str:
    return f"<!-- {MARKER}{f':{name}' if name else ''} -->"


def publish(place: Place, body: str, call: Call, *, update_only: bool = False) -> Outcome:
    """Write the comment, or change the one there is; the same body changes nothing.

    ``update_only``: none is made where none is, so that a pull request with nothing to say stays quiet. Raises ApiError,
    NotAllowedError.
    """
    marker = body.partition("\n")[0]
    found = _existing(place, marker, call)
    if found is None:
        if update_only:
            return Outcome("none")
        answer = call("POST", f"/repos/{place.repository}/issues/{place.number}/comments", {"body": body})
        return Outcome("created", _written(answer, 201))
    if _same(str(found.get("body") or ""), body):
        return Outcome("unchanged", str(found.get("html_url") or ""))
    answer = call("PATCH", f"/repos/{place.repository}/issues/comments/{found['id']}", {"body": body})
    return Outcome("updated", _written(answer, 200))


def _same(one: str, other: str) -> bool:
    """GitHub gives line ends back as CRLF and trims the end."""
    return one.replace("\r\n", "\n").rstrip() == other.rstrip()


def _written(answer: Answer, expected: int) -> str:
    if answer.status in (401, 403, 404):
        raise NotAllowedError(_words(answer))
    if answer.status != expected or not isinstance(answer.body, dict):
        raise ApiError(f"GitHub answered {answer.status} to the comment: {_words(answer)}")
    return str(answer.body.get("html_url") or "")


def _words(answer: Answer) -> str:
    said = answer.body.get("message") if isinstance(answer.body, dict) else None
    return str(said or "no reason given")[:300]


def _existing(place: Place, marker: str, call: Call) -> Json | None:
    """Return the first comment with the marker that is ours; one that somebody else wrote is never overwritten."""
    me: str | None = None
    for comment in _comments(place, call):
        if not str(comment.get("body") or "").lstrip().startswith(marker):
            continue
        user = comment.get("user") or {}
        if user.get("type") == "Bot":  # a job's token, and that of any App, writes as one; people cannot
            return comment
        if me is None:
            who = call("GET", "/user", None)  # answers to a person's token only
            me = str(who.body.get("login") or "") if who.status == 200 and isinstance(who.body, dict) else ""
        if me and user.get("login") == me:
            return comment
    return None


def _comments(place: Place, call: Call) -> Iterator[Json]:
    address = f"/repos/{place.repository}/issues/{place.number}/comments?per_page={_PER_PAGE}"
    for _ in range(_MOST_PAGES):
        answer = call("GET", address, None)
        if answer.status in (401, 403, 404):
            raise NotAllowedError(_words(answer))
        if answer.status != 200 or not isinstance(answer.body, list):
            raise ApiError(f"GitHub answered {answer.status} to a list of comments: {_words(answer)}")
        yield from (each for each in answer.body if isinstance(each, dict))
        if not answer.next:
            return
        address = answer.next
