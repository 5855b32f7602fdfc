"""Finds blocks and attributes in Terraform's language, with their places; evaluates nothing.

A single pass in linear time that understands what can hide a brace or a quote: ``#``, ``//`` and
``/* */`` comments, quoted strings with nested ``${…}``, and heredocs
(https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md). What it cannot make sense of is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_DEEPEST = 64


class Token(NamedTuple):
    """``kind`` is ``word``, ``text``, ``end`` (of a line) or the punctuation itself."""

    kind: str
    value: str
    line: int
    column: int


@dataclass(slots=True)
class Block:
    """A block: ``resource "aws_s3_bucket" "b" {`` has the words ``("resource", "aws_s3_bucket", "b")``."""

    words: tuple[str, ...]
    line: int
    column: int
    attributes: dict[str, tuple[int, int]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    end: int | None = None
    """The line of its closing brace; None where there is none."""


class Comment(NamedTuple):
    """``text`` with what opens it; ``alone``: nothing stands before it on its line."""

    text: str
    line: int
    column: int
    alone: bool


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HEREDOC = re.compile(r"<<-?([A-Za-z_][A-Za-z0-9_-]*)[ \t]*(?=\r?\n)")
_PLAIN = re.compile(r'[^"\\$%\n]+')


def tokens(text: str, comments: list[Comment] | None = None) -> Iterator[Token]:
    """Split a file into the tokens that matter for finding blocks; ``comments`` is given those on the way."""
    at, line, start, end = 0, 1, 0, len(text)
    while at < end:
        character = text[at]
        column = at - start + 1
        if character == "\n":
            yield Token("end", "", line, column)
            at, line, start = at + 1, line + 1, at + 1
        elif character == "#" or text.startswith("//", at):
            stop = _line_end(text, at)
            if comments is not None:
                comments.append(_comment(text, start, at, stop, line))
            at = stop
        elif text.startswith("/*", at):
            close = text.find("*/", at + 2)
            stop = end if close < 0 else close + 2
            if comments is not None:
                comments.append(_comment(text, start, at, stop, line))
            line, start, at = _advance(text, at, stop, line, start)
        elif character == '"':
            stop = _string_end(text, at + 1)
            yield Token("text", text[at + 1 : stop - 1], line, column)
            line, start, at = _advance(text, at, stop, line, start)
        elif character == "<" and (heredoc := _HEREDOC.match(text, at)):
            yield Token("text", "", line, column)
            stop = _heredoc_end(text, heredoc.end(), heredoc[1])
            line, start, at = _advance(text, at, stop, line, start)
        elif word := _WORD.match(text, at):
            yield Token("word", word[0], line, column)
            at = word.end()
        else:
            if character in "{}[]()=":
                double = text.startswith(("==", "=>"), at)
                yield Token("other" if double else character, character, line, column)
                at += 1 if double else 0
            at += 1


def _comment(text: str, start: int, at: int, stop: int, line: int) -> Comment:
    return Comment(text[at:stop].rstrip("\r"), line, at - start + 1, not text[start:at].strip())


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _advance(text: str, at: int, stop: int, line: int, start: int) -> tuple[int, int, int]:
    """Move to ``stop``, counting the lines on the way; return (line, its start, place)."""
    lines = text.count("\n", at, stop)
    return (line + lines, text.rfind("\n", at, stop) + 1 if lines else start, stop)


def _string_end(text: str, at: int) -> int:
    """Return the place after the closing quote; templates inside may hold quoted strings again."""
    stack = ['"']  # what closes each level: a quote or the brace of a template
    end = len(text)
    while at < end and stack:
        if stack[-1] == '"':
            plain = _PLAIN.match(text, at)
            if plain:
                at = plain.end()
                continue
            if text[at] == "\n":  # a quoted string cannot hold one: do not swallow the file
                return at
            if text[at] == "\\":
                at += 2
                continue
            if text.startswith(("$${", "%%{"), at):
                at += 3
                continue
            if text.startswith(("${", "%{"), at):
                stack.append("}")
                at += 2
                continue
            if text[at] == '"':
                stack.pop()
        elif text[at] == '"':
            stack.append('"')
        elif text[at] == "{":
            stack.append("}")
        elif text[at] == "}":
            stack.pop()
        at += 1
    return min(at, end)


def _heredoc_end(text: str, at: int, word: str) -> int:
    """Return the end of the line that closes a heredoc (its line break not included)."""
    at = text.find("\n", at)
    while 0 <= at < len(text):
        stop = _line_end(text, at + 1)
        if text[at + 1 : stop].strip() == word:
            return stop
        at = stop if stop < len(text) else -1
    return len(text)


def parse(text: str, comments: list[Comment] | None = None) -> list[Block]:
    """Return the top-level blocks of a file; ``comments`` is given those of the file."""
    top = Block((), 1, 1)
    stack = [top]
    words: list[Token] = []
    depth = 0  # of brackets inside an expression
    in_expression = False
    for token in tokens(text, comments):
        if in_expression:
            if token.kind in "[({":
                depth += 1
            elif token.kind in "])}" and depth:
                depth -= 1
            elif (token.kind == "end" and not depth) or token.kind == "}":
                in_expression = False
            if in_expression or token.kind != "}":
                continue
        if token.kind in ("word", "text"):
            words.append(token)
            continue
        if token.kind == "=" and len(words) == 1:
            stack[-1].attributes.setdefault(words[0].value, (words[0].line, words[0].column))
            in_expression, depth = True, 0
        elif token.kind == "{" and words and words[0].kind == "word":
            block = Block(tuple(w.value for w in words), words[0].line, words[0].column)
            if len(stack) < _DEEPEST:
                stack[-1].blocks.append(block)
            stack.append(block)
        elif token.kind == "}" and len(stack) > 1:
            stack.pop().end = token.line
        words = []
    return top.blocks
