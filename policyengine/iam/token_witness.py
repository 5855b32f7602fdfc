"""Tokens that a reader can take for real: whose claims have their forms, fit together and read well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from policyengine.iam.search import Witness
from policyengine.iam.token_forms import PLACE

_NICE: Final = {
    "who": "someone-else", "like": "anything-else", "owner": "your-org", "repository": "your-repo", "name": "repo",
    "rest": "ref:refs/heads/main", "number": "7", "any": "any", "namespace": "default", "phase": "apply",
}  # fmt: skip
MOST: Final = 24
"""Most values of a policy that are tried as patterns of a token's value."""

Forms = Mapping[str, Sequence[str]]
_Parsed = dict[str, tuple[str, dict[str, str]]]


def fitting(
    witness: Witness, forms: Forms, values: Mapping[str, Sequence[str]], valid: Callable[[Witness], bool]
) -> Witness | None:
    """Return a token like the one found in which every claim has one of its forms and places of the same
    name have the same text, and which is ``valid``; None where none of those that were tried is.

    ``forms``: key in lower case → forms; ``values``: key → values that the policy names.
    """
    for parsed, texts in _candidates(witness, forms, values):
        token = _made(witness, parsed, texts)
        if valid(token):
            return _polished(witness, parsed, texts, valid)
    return None


def _candidates(
    witness: Witness, forms: Forms, values: Mapping[str, Sequence[str]]
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield key → form and place → text: the plainest token, the one that was found, those made of the
    policy's own patterns."""
    claimed = {k: v for k, v in witness.context.items() if k.lower() in forms and isinstance(v, str)}
    yield {key: forms[key.lower()][0] for key in claimed}, _NICE
    found = {key: _parsed(value, forms[key.lower()]) for key, value in claimed.items()}
    yield from _together(found)
    for key in claimed:
        fillers = ("x", _filled(forms[key.lower()][0], _NICE))
        for value in values.get(key.lower(), ())[:MOST]:
            for filler in fillers:
                text = value.replace("*", filler).replace("?", "x")
                yield from _together({**found, key: _parsed(text, forms[key.lower()])})


def _together(
    found: Mapping[str, tuple[str, dict[str, str]] | None],
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the forms with one text for each place: of several that claims give it, one after the other."""
    parsed = {key: item for key, item in found.items() if item is not None}
    if len(parsed) < len(found):
        return
    texts: dict[str, dict[str, None]] = {}
    for _, places in parsed.values():
        for place, text in places.items():
            texts.setdefault(place, {})[text] = None
    first = {place: next(iter(several)) for place, several in texts.items()}
    forms = {key: form for key, (form, _) in parsed.items()}
    yield forms, first
    for place, several in texts.items():
        for text in list(several)[1:]:
            yield forms, {**first, place: text}


def _polished(
    witness: Witness, forms: dict[str, str], texts: Mapping[str, str], valid: Callable[[Witness], bool]
) -> Witness:
    """Return the token with words in place of made-up texts, as far as it stays valid."""
    best = dict(texts)
    for place in list(best):
        trial = {**best, place: _NICE.get(place, place)}
        if valid(_made(witness, forms, trial)):
            best = trial
    return _made(witness, forms, best)


def _made(witness: Witness, forms: Mapping[str, str], texts: Mapping[str, str]) -> Witness:
    context = {key: _filled(form, texts) for key, form in forms.items()}
    return replace(witness, context={**witness.context, **context})


def _filled(form: str, texts: Mapping[str, str]) -> str:
    pieces = PLACE.split(form)
    pieces[1::2] = [texts.get(name, name) for name in pieces[1::2]]
    return "".join(pieces)


def _parsed(value: str, forms: Sequence[str]) -> tuple[str, dict[str, str]] | None:
    """Return the first form that a value has, with the texts of its places."""
    for form in forms:
        match = _expression(form).fullmatch(value)
        if match is not None:
            return form, match.groupdict()
    return None


@lru_cache(maxsize=1024)
def _expression(form: str) -> re.Pattern[str]:
    """Return what reads the places of a value. A place ends where the text behind it begins, so that a value
    is read in one pass."""
    pieces = PLACE.split(form)
    found = re.escape(pieces[0])
    for place, text in zip(pieces[1::2], pieces[2::2], strict=True):
        found += f"(?P<{place}>[^{re.escape(text[0])}]+)" if text else f"(?P<{place}>.+)"
        found += re.escape(text)
    return re.compile(found, re.DOTALL)
