"""Words of the Guard language. https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from policyengine.migrate.drafts import NotConverted

_WORDS: Final = re.compile(
    r"""(?P<space>[\s]+|\#[^\n]*)
      | (?P<message><<(?:(?!>>)[\s\S])*>>)
      | (?P<text>'[^']*'|"(?:[^"\\]|\\.)*")
      | (?P<pattern>/(?:[^/\\\n]|\\.)+/)
      | (?P<variable>%[A-Za-z_][A-Za-z0-9_]*)
      | (?P<range>r[\[(](?=\s*-?[0-9]))
      | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_]))
      | (?P<name>[A-Za-z_][A-Za-z0-9_-]*(?:::[A-Za-z0-9_*-]+)*)
      | (?P<sign>==|!=|>=|<=|\|\||:=|[\[\]{}().,=<>!|*:])
    """,
    re.VERBOSE,
)
MOST_WORDS: Final = 200_000


class Word(NamedTuple):
    """One word: its kind, its text without quotes, and its line. ``glued``: nothing stands between it and the one before."""

    kind: str
    text: str
    line: int
    glued: bool = False

    def says(self, *texts: str) -> bool:
        """Whether it is a sign or a keyword of these; keywords stand in small or in capital letters."""
        return self.kind in ("sign", "name") and (
            self.text in texts or (self.text.lower() in texts and self.text.isupper())
        )


def words(text: str) -> Iterator[Word]:
    """Yield the words of a file, an ``end`` last. Raises NotConverted for what is none."""
    at, line, glued, number = 0, 1, False, 0
    while at < len(text):
        found = _WORDS.match(text, at)
        number += 1
        if found is None or number > MOST_WORDS:
            shown = " ".join(text[at : at + 20].split())
            raise NotConverted(f"`{shown}`", "is no word of the Guard language", line)
        kind, said = found.lastgroup or "", found.group()
        if kind != "space":
            yield Word(kind, _bare(kind, said), line, glued)
        glued = kind != "space"
        line += said.count("\n")
        at = found.end()
    yield Word("end", "", line)


def _bare(kind: str, said: str) -> str:
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", said[1:-1]) if said[0] == '"' else said[1:-1]
    if kind == "pattern":
        return said[1:-1].replace("\\/", "/")
    if kind == "message":
        return said[2:-2].strip()
    return said[1:] if kind == "variable" else said
