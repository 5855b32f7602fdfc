"""Reads a page back with the standard library: its elements, its columns, its findings."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from typing import Any, NamedTuple

STATUSES = ("FAIL", "UNKNOWN", "accepted", "PASS", "N/A")
NUMBERS = ("following", "rule", "status", "severity", "reason", "line", "column")
WORDS = ("type", "account", "region", "arn", "construct", "code", "message", "detail", "file")
VOID = {"meta", "link", "br", "input", "rect", "line"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """Every element in order, the texts of scripts and styles by element, and all text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self._raw: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append(Element(tag, found))
        if tag in ("script", "style"):
            self._raw = found.get("id") or tag
            self.raw[self._raw] = ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._raw = None
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self._raw is not None:
            self.raw[self._raw] += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def ids(self) -> list[str]:
        return [e.attributes["id"] for e in self.elements if e.attributes.get("id")]

    def column(self, name: str) -> bytes:
        return zlib.decompress(base64.b64decode(self.raw[f"d-{name}"], validate=True))

    def numbers(self, name: str) -> list[int]:
        found, value, shift = [], 0, 0
        for byte in self.column(name):
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                found.append(value)
                value = shift = 0
        return found

    def lines(self, name: str) -> list[str]:
        return self.column(name).decode().split("\n")[:-1]

    def words(self, name: str) -> list[str]:
        lines, known, found = self.lines(f"{name}-lines"), 0, []
        for use in self.numbers(f"{name}-uses"):
            if use == 0:
                found.append(lines[known])
                known += 1
            else:
                found.append(lines[known - use])
        return found

    def findings(self) -> list[dict[str, Any]]:
        """Every row, as the script would show it."""
        about = json.loads(self.column("about"))
        numbers = {name: self.numbers(name) for name in NUMBERS}
        words = {name: self.words(name) for name in WORDS}
        names = self.lines("name")
        kept = dict(line.split(" ", 1) for line in self.lines("id"))
        resources = [at for at, many in enumerate(numbers["following"]) for _ in range(many)]
        found, told = [], 0
        for row, resource in enumerate(resources):
            rule = about["rules"][numbers["rule"][row]]
            one = {k: words[k][resource] for k in ("type", "account", "region", "construct", "code")}
            arn = words["arn"][resource]
            marks = {"\x02": names[resource], "\x03": one["account"], "\x04": one["region"]}
            arn = re.sub("[\x02-\x04]", lambda m, marks=marks: marks[m[0]], arn)
            marks["\x01"] = arn
            code = one["code"]
            identity = (
                ("", code, "", names[resource])
                if code
                else (one["account"], one["region"], one["type"], names[resource])
            )
            digest = hashlib.sha256("\0".join((rule["id"], *identity)).encode()).hexdigest()[:32]
            one |= {
                "name": names[resource], "arn": arn, "rule": rule["id"], "id": kept.get(str(row), digest),
                "status": STATUSES[numbers["status"][row]], "severity": numbers["severity"][row],
                "reason": about["reasons"][numbers["reason"][row]][0],
            }  # fmt: skip
            if numbers["status"][row] <= 2:
                plain = lambda text, marks=marks: re.sub("[\x01-\x04]", lambda m: marks[m[0]], text)  # noqa: E731
                detail = plain(words["detail"][told])
                one |= {"message": plain(words["message"][told]), "detail": json.loads(detail) if detail else {},
                        "place": (words["file"][told], numbers["line"][told], numbers["column"][told])}  # fmt: skip
                told += 1
            found.append(one)
        assert len(found) == about["rows"]
        assert told == len(words["message"]) == len(words["detail"])
        return found
