"""The page from its parts: one template, its style and its script, each allowed by its hash alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final, TextIO
from urllib.parse import quote

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from policyengine.model.reasons import REASONS
from policyengine.reports.html.controls import anchored
from policyengine.reports.html.details import NAME_LIMIT
from policyengine.reports.html.trend import fails
from policyengine.reports.text import cut, plural, visible

TEXT_LIMIT: Final = 4_000
"""Characters of one text on the page; what is longer is cut and says so."""
_WRITE: Final = 64


def _final(value: Any) -> Any:
    """Make text safe to show before it is escaped: nothing but printable characters, on one line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(cut(value, TEXT_LIMIT))
    return value


def _lines(text: str) -> Markup:
    """Return a text of several lines, each made safe."""
    return Markup("\n").join(escape(visible(line)) for line in text.split("\n"))


def _listed(names: Iterable[str]) -> Markup:
    """Return names with commas between them, however many there are."""
    return Markup(", ").join(escape(visible(cut(name, NAME_LIMIT))) for name in names)


def _utc(text: str) -> str:
    """Return ``2026-11-21 09:00:00 UTC`` for RFC 3339 text in UTC, other text as it is."""
    if text.endswith("Z") and "T" in text:
        return text[:-1].replace("T", " ", 1) + " UTC"
    return text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _plural(value: Any, noun: str) -> str:
    return plural(value if isinstance(value, int) else len(value), noun)


def _reason(code: str) -> str:
    return REASONS[code][1] if code in REASONS else code


def environment(resources: Mapping[str, str]) -> Environment:
    """Return the templates' environment. Everything is escaped, and everything made visible first."""
    made = Environment(
        loader=DictLoader(dict(resources)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        n=lambda number: f"{number:,}",
        plural=_plural,
        utc=_utc,
        sentence=_sentence,
        reason=_reason,
        lines=_lines,
        listed=_listed,
        fails=fails,
        anchor=anchored,
        urlencode=_in_url,
        raw=Markup,  # base64 of our own: nothing in it can be markup
    )
    return made


def resource(name: str) -> str:
    """Return the text of a file of this package."""
    return files("policyengine.reports.html").joinpath(name).read_text(encoding="utf-8")


def source_hash(text: str) -> str:
    """Return the Content Security Policy source of an inline script or style (CSP Level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def write(out: TextIO, values: Mapping[str, Any]) -> None:
    """Write the page; ``values`` are what the template names."""
    style, script = resource("report.css"), resource("report.js")
    names = ("report.html.j2", "shadow_ai.html.j2")
    template = environment({name: resource(name) for name in names}).get_template("report.html.j2")
    stream = template.stream(
        **values,
        newline=Markup("\n"),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - the same
        style_hash=source_hash(style),
        script_hash=source_hash(script),
    )
    stream.enable_buffering(_WRITE)
    out.writelines(stream)


def _in_url(text: object) -> str:
    """Return a text as part of an address; halves of a surrogate pair, which no address can hold, are replaced."""
    return quote(str(text).encode("utf-8", "replace"), safe="")
