"""A stand-in for the part of GitHub's REST API that comments need, over real HTTP.

https://docs.github.com/en/rest/issues/comments and
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api: `per_page` is at most 100, the `Link` header
names the next page; a read-only token gets 403 "Resource not accessible by integration".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WRITER, READER, PERSON = "token-that-writes", "token-that-reads", "token-of-a-person"
REPOSITORY, NUMBER = "example/shop", 7


class GitHub:
    """What is on the pull request, and what was asked."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.broken = 0
        """So many answers are 502 before the next real one."""
        self.elsewhere = False
        """The next page is said to be on another host."""
        self.url = ""

    def add(self, body: str, login: str = "someone", kind: str = "User") -> dict[str, Any]:
        number = len(self.comments) + 1
        page = f"https://github.example/{REPOSITORY}/pull/{NUMBER}#issuecomment-{number}"
        comment = {"id": number, "body": body.replace("\n", "\r\n"), "html_url": page,
                   "user": {"login": login, "type": kind}}  # fmt: skip
        self.comments.append(comment)
        return comment

    def answer(self, method: str, target: str, token: str, body: Any) -> tuple[int, Any, str]:
        parts = urlsplit(target)
        self.asked.append((method, target))
        if token not in (WRITER, READER, PERSON):
            return 401, {"message": "Bad credentials"}, ""
        if self.broken:
            self.broken -= 1
            return 502, {"message": "Server Error"}, ""
        if parts.path == "/user":
            if token == PERSON:
                return 200, {"login": "ann", "type": "User"}, ""
            return 403, {"message": "Resource not accessible by integration"}, ""
        if parts.path == f"/repos/{REPOSITORY}/issues/{NUMBER}/comments" and method == "GET":
            return self._page(parse_qs(parts.query))
        if token == READER:
            return 403, {"message": "Resource not accessible by integration"}, ""
        if parts.path == f"/repos/{REPOSITORY}/issues/{NUMBER}/comments" and method == "POST":
            if len(body["body"]) > 65_536:
                return 422, {"message": "Validation Failed"}, ""
            who = ("ann", "User") if token == PERSON else ("github-actions[bot]", "Bot")
            return 201, self.add(body["body"], *who), ""
        found = re.fullmatch(rf"/repos/{REPOSITORY}/issues/comments/(\d+)", parts.path)
        if found and method == "PATCH":
            comment = self.comments[int(found[1]) - 1]
            comment["body"] = body["body"].replace("\n", "\r\n")
            return 200, comment, ""
        return 404, {"message": "Not Found"}, ""

    def _page(self, query: dict[str, list[str]]) -> tuple[int, Any, str]:
        size, page = min(int(query["per_page"][0]), 100), int(query.get("page", ["1"])[0])
        start = (page - 1) * size
        more = start + size < len(self.comments)
        host = "https://elsewhere.example" if self.elsewhere else self.url
        where = f"{host}/repos/{REPOSITORY}/issues/{NUMBER}/comments?per_page={size}&page={page + 1}"
        link = f'<{self.url}/x?page=1>; rel="prev", <{where}>; rel="next"' if more else ""
        return 200, self.comments[start : start + size], link


@contextmanager
def github() -> Iterator[GitHub]:
    """Serve until the block ends."""
    state = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, answer, link = state.answer(self.command, self.path, token, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _do

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
