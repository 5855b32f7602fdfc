"""`publish --pull-request`: one comment, changed in place; a fork's goes into the job summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli import pull_request
from policyengine.cli.pull_request import Api, comment
from policyengine.model.errors import InputError, UsageError
from policyengine.publish.pull_request import LONGEST, ApiError, marked, place_of

from .github_server import NUMBER, PERSON, READER, REPOSITORY, WRITER, GitHub

MARK = "<!-- policyengine-review -->"


class Job:
    """A workflow run for a pull request."""

    def __init__(self, folder: Path, hub: GitHub) -> None:
        self.folder = folder
        event = folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": NUMBER}}))
        self.summary = folder / "summary.md"
        self.environ = {
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_PATH": str(event), "GITHUB_API_URL": hub.url,
            "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_TOKEN": WRITER,
        }  # fmt: skip

    def __call__(self, text: str, *, name: str = "", token: str = WRITER, **options: Any) -> int:
        file = self.folder / "review.md"
        file.write_text(text)
        given = {"target": file, "comment_name": name, "update_only": False, "dry_run": False, **options}
        return comment(given, {**self.environ, "GITHUB_TOKEN": token})


@pytest.fixture
def job(tmp_path: Path, hub: GitHub) -> Job:
    return Job(tmp_path, hub)


def bodies(hub: GitHub) -> list[str]:
    return [each["body"].replace("\r\n", "\n") for each in hub.comments]


def test_a_comment_is_made_then_changed_in_place_then_left_alone(
    hub: GitHub, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job(f"{MARK}\n# one\n") == 0
    assert job("# two\n") == 0
    writes = [method for method, _ in hub.asked if method != "GET"]
    assert (writes, bodies(hub)) == (["POST", "PATCH"], [f"{MARK}\n# two\n"])
    assert job(f"{MARK}\n# two\n") == 0
    assert [method for method, _ in hub.asked if method != "GET"] == writes, "the same again changes nothing"
    assert "says the same already: https://github.example/" in capsys.readouterr().out


def test_the_comment_is_found_behind_hundreds_of_others(hub: GitHub, job: Job) -> None:
    for number in range(230):
        hub.add(f"comment {number}")
    hub.add(f"{MARK}\nold", "github-actions[bot]", "Bot")
    hub.add("one more")
    assert job("new") == 0
    assert bodies(hub)[230] == f"{MARK}\nnew"
    assert len(hub.comments) == 232
    assert [target.rpartition("&")[2] for _, target in hub.asked[:3]] == [
        hub.asked[0][1].rpartition("&")[2], "page=2", "page=3",
    ]  # fmt: skip


def test_a_comment_that_somebody_else_marked_is_not_overwritten(hub: GitHub, job: Job) -> None:
    hub.add(f"{MARK}\nplanted", "mallory")
    assert job("ours") == 0
    assert bodies(hub) == [f"{MARK}\nplanted", f"{MARK}\nours"]


def test_a_persons_token_finds_the_comment_of_that_person(hub: GitHub, job: Job) -> None:
    assert job("one", token=PERSON) == 0
    assert job("two", token=PERSON) == 0
    assert bodies(hub) == [f"{MARK}\ntwo"]


def test_names_keep_comments_apart(hub: GitHub, job: Job) -> None:
    assert job("a", name="network") == job("b", name="data") == job("c", name="network") == job("d") == 0
    assert bodies(hub) == [
        "<!-- policyengine-review:network -->\nc", "<!-- policyengine-review:data -->\nb", f"{MARK}\nd",
    ]  # fmt: skip


def test_a_fork_gets_the_job_summary_and_is_told_why(
    hub: GitHub, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job("# opens a port", token=READER) == 0
    assert hub.comments == []
    assert job.summary.read_text() == f"{MARK}\n# opens a port\n"
    said = capsys.readouterr().out
    assert "Resource not accessible by integration" in said and "pull-requests: write" in said
    assert READER not in said


def test_without_a_summary_a_refusal_is_not_a_success(
    job: Job, hub: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    del job.environ["GITHUB_STEP_SUMMARY"]
    assert job("text", token=READER) == 4
    assert capsys.readouterr().out.startswith("error: the token may not write comments")


def test_update_only_stays_quiet_until_there_is_a_comment(hub: GitHub, job: Job) -> None:
    assert job("all is well", update_only=True) == 0
    assert hub.comments == []
    assert job("opens a port") == job("all is well", update_only=True) == 0
    assert bodies(hub) == [f"{MARK}\nall is well"]


def test_dry_run_asks_nothing(hub: GitHub, job: Job) -> None:
    assert job("text", dry_run=True, token="") == 0
    assert hub.asked == []


def test_reading_is_tried_again_and_writing_a_new_one_is_not(
    hub: GitHub, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pull_request.time, "sleep", lambda seconds: None)
    hub.broken = 2
    assert job("text") == 0
    assert [method for method, _ in hub.asked] == ["GET", "GET", "GET", "POST"]
    hub.broken = 3
    assert job("other") == 4
    assert "GitHub answered 502" in capsys.readouterr().out
    hub.comments.clear()
    api = Api(hub.url, WRITER)
    hub.broken = 1
    assert api("POST", f"/repos/{REPOSITORY}/issues/{NUMBER}/comments", {"body": "x"}).status == 502
    assert hub.comments == []


def test_nobody_listening_is_incomplete(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pull_request.time, "sleep", lambda seconds: None)
    job.environ["GITHUB_API_URL"] = "http://127.0.0.1:1"
    assert job("text") == 4
    said = capsys.readouterr().out
    assert "Connection refused" in said and WRITER not in said


def test_a_next_page_elsewhere_does_not_get_the_token(hub: GitHub, job: Job) -> None:
    for number in range(101):
        hub.add(f"comment {number}")
    hub.elsewhere = True
    with pytest.raises(ApiError, match="another host"):
        pull_request.publish(place_of(job.environ), marked("x"), Api(hub.url, WRITER))


@pytest.mark.parametrize("address", ["http://api.example", "file:///etc/passwd", "api.example", ""])
def test_the_token_goes_to_https_only(address: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL"):
        Api(address, WRITER)


@pytest.mark.parametrize(
    ("event", "environ", "words"),
    [
        ({"ref": "refs/heads/main"}, {}, "not about a pull request"),
        ({"pull_request": {"number": "7/../8"}}, {}, "no number"),
        ({"pull_request": {"number": 7}}, {"GITHUB_REPOSITORY": "../x?y"}, "GITHUB_REPOSITORY"),
        ([], {}, "not about a pull request"),
    ],
)
def test_a_run_that_is_about_no_pull_request_is_an_error(
    job: Job, event: Any, environ: dict[str, str], words: str
) -> None:
    Path(job.environ["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
    with pytest.raises((UsageError, InputError), match=words):
        place_of({**job.environ, **environ})


def test_a_body_is_marked_once_and_never_longer_than_github_takes() -> None:
    """GitHub refuses more than 65,536 characters ("Body is too long")."""
    assert marked(marked("x")) == marked("x") == f"{MARK}\nx"
    assert marked(marked("x"), "net") == "<!-- policyengine-review:net -->\nx"
    assert len(marked("x" * (LONGEST - len(MARK) - 1))) == LONGEST
    with pytest.raises(InputError, match="65,537 characters"):
        marked("x" * (LONGEST - len(MARK)))
    with pytest.raises(UsageError, match="cannot name a comment"):
        marked("x", "--> <script>")
