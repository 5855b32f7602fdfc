"""Saying that a name is unknown, with the nearest one that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MANY = 12


def unknown(what: str, name: str, choices: Iterable[str]) -> str:
    """Return ``unknown WHAT `NAME`; did you mean `X`?``."""
    import difflib  # nothing is misspelt in most runs

    options: Sequence[str] = list(choices)
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    lowered = {o.lower(): o for o in options}
    best = lowered.get(name.lower()) or (close[0] if close else None)
    if best:
        return f"unknown {what} `{name}`; did you mean `{best}`?"
    if len(options) > MANY and what == "rule":
        return f"unknown rule `{name}`; `policyengine rules list` shows the {len(options):,} there are"
    shown = ", ".join(sorted(options)[:MANY])
    return f"unknown {what} `{name}`" + (
        f"; known are {shown}" + (", ..." if len(options) > MANY else "") if shown else ""
    )
