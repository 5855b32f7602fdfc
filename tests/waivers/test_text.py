"""What a person wrote stays as it is, byte for byte; what is added reads as it should, or nothing is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.config.waivers_text import entry_of, quoted, with_entry, with_key
from policyengine.documents import load
from policyengine.model.errors import ConfigError
from tests.waivers.making import waiver

ENTRY = entry_of(waiver(resources=("logs",), pins={"e" * 32: {"/A/0": "sha256:" + "1" * 32}}))
FILES = {
    "nothing": "",
    "a comment": "# ours\n",
    "an empty list": "# ours\nwaivers: []   # none\n",
    "nothing under the key": "waivers:\n",
    "no line end": "waivers:\n- {id: a}",
    "dashes at the margin": "waivers:\n- id: a\n  rule: b   # why\n\n# the end\n",
    "deep dashes": "waivers:\n      -   id: a\n          rule: b\n",
    "flow entries": 'waivers:\n  - {id: "a", rule: b}\n  - {id: c}\n',
    "windows": "waivers:\r\n  - id: a\r\n    reason: |\r\n      two\r\n      lines\r\n",
    "block text": "waivers:\n  - id: a\n    reason: >-\n      two\n      lines\n    rule: b\n",
}


def listed(data: bytes) -> list[Any]:
    value: Any = load(data, name="w", syntax="yaml", style="strict").value
    return list(value["waivers"])


@pytest.mark.parametrize("name", FILES)
def test_an_entry_is_added_and_the_rest_stays(name: str) -> None:
    before = FILES[name].encode()
    after = with_entry(before, "w.yaml", ENTRY)
    assert listed(after)[-1] == ENTRY
    if name != "an empty list":
        assert after.startswith(before)
    else:
        assert after.startswith(b"# ours\nwaivers:   # none\n")
    again = with_entry(after, "w.yaml", {**ENTRY, "id": "W-2"})
    assert again.startswith(after) and [each["id"] for each in listed(again)][-2:] == ["W-1", "W-2"]
    assert (b"\r\n" in after) == ("windows" in name) and after.count(b"\r\n") in (0, after.count(b"\n"))


@pytest.mark.parametrize(
    "text", ["waivers: [{id: a}]\n", "waivers: [\n  {id: a}\n]\n", "waivers:\n  - id: a\n...\n", "- id: a\n"]
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"w\.yaml"):
        with_entry(text.encode(), "w.yaml", ENTRY)


KEYED = """\
# head
waivers:
  - id: a      # the first
    rule: b

    # about the pin
    pin:
      x: {y: z}
    reason: c

  # the second
  - id: d
    rule: e
# tail
"""


def test_a_key_is_replaced_and_the_rest_stays() -> None:
    after = with_key(KEYED.encode(), "w.yaml", "a", "pin", {"f" * 32: {"/A": "sha256:1"}}).decode()
    assert [each.get("pin") for each in listed(after.encode())] == [{"f" * 32: {"/A": "sha256:1"}}, None]
    kept = KEYED.replace("    pin:\n      x: {y: z}\n", "").splitlines()
    assert [line for line in after.splitlines() if line in kept] == kept


def test_a_key_is_added_to_the_right_entry() -> None:
    for id_, other in (("a", 1), ("d", 0)):
        after = with_key(KEYED.encode(), "w.yaml", id_, "signature", {"keyid": "k", "sig": "s"})
        found = listed(after)
        assert found[1 - other]["signature"] == {"keyid": "k", "sig": "s"} and "signature" not in found[other]
        kept = KEYED.splitlines()
        assert [line for line in after.decode().splitlines() if line in kept] == kept


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        (KEYED, "nobody"),
        ("waivers:\n  - {id: a}\n", "a"),
        ("waivers:\n  - pin: false\n    id: a\n", "a"),
        ("", "a"),
    ],
)
def test_a_key_that_cannot_be_written_is_refused(text: str, id_: str) -> None:
    with pytest.raises(ConfigError, match=r"w\.yaml"):
        with_key(text.encode(), "w.yaml", id_, "pin", {"x": {"y": "z"}})


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert load(f"a: {quoted(text)}\n".encode(), name="w", syntax="yaml", style="strict").value == {"a": text}


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20), min_size=4, max_size=4
    )
)
def test_any_waiver_is_written_as_it_is(texts: list[str]) -> None:
    owner, reason, ticket, resource = texts
    given_one = waiver(owner=owner, reason=reason, ticket=ticket, resources=(resource,))
    data = with_entry(FILES["deep dashes"].encode(), "w.yaml", entry_of(given_one))
    assert listed(data)[-1] == entry_of(given_one) and data.startswith(FILES["deep dashes"].encode())
