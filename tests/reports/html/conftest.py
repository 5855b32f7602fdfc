"""The machine's Chromium with the network off, and pages in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Opened:
    """A page in the browser, and everything that went wrong in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.trouble: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.trouble.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: the page is not looked at in a browser")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a page of this text from disk; at the end nothing may have gone wrong, and nothing may have been asked for."""
    opened: list[Opened] = []
    contexts = []

    def open_(
        text: str | Path,
        fragment: str = "",
        *,
        script: bool = True,
        init: str = "",
        ready: str = "html[data-ready]",
        **options: Any,
    ) -> Opened:
        path = text if isinstance(text, Path) else tmp_path / "report.html"
        if not isinstance(text, Path):
            path.write_text(text, encoding="utf-8", newline="")
        context = browser.new_context(
            offline=True,
            java_script_enabled=script,
            **{"viewport": {"width": 1440, "height": 900}, **options},
        )
        contexts.append(context)
        if init:
            context.add_init_script(init)
        found = Opened(context.new_page())
        found.page.goto(path.as_uri() + fragment)
        if script:
            found.page.wait_for_selector(ready, timeout=60_000)
        opened.append(found)
        return found

    yield open_
    for context in contexts:
        context.close()
    for found in opened:
        assert found.trouble == []
        assert [url for url in found.requests if not url.startswith(("file:", "blob:"))] == []
