"""Names of people: who is whom, however a name is spelt."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

LONGEST: Final = 200
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control and format characters (zero width, direction) and what stands for no character."""
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Scripts whose letters look alike (https://www.unicode.org/reports/tr39/, section 5): a name is in one of them."""


@lru_cache(maxsize=4096)
def why_nobody(name: str) -> str:
    """Say why a name, spaces at its ends and doubled ones apart, could pass for another's; "" for one that cannot."""
    name = " ".join(name.split())
    if any(unicodedata.category(each) in _INVISIBLE for each in name):
        return f"{ascii(name)[:LONGEST]} has characters that cannot be seen, and names nobody"
    scripts = {
        script for each in name for script in _SCRIPTS if unicodedata.name(each, "").startswith(script)
    }
    if len(scripts) > 1:
        mixed = " and ".join(sorted(each.capitalize() for each in scripts))
        return f"{ascii(name)[:LONGEST]} mixes letters of {mixed}, and names nobody"
    return ""


@lru_cache(maxsize=4096)
def person(who: str) -> str:
    """Return what two spellings of one name have in common: compatibility forms, case, space and what cannot be seen."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", who).casefold())
    return " ".join("".join(each for each in plain if unicodedata.category(each) not in _INVISIBLE).split())


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return person(one) == person(other)
