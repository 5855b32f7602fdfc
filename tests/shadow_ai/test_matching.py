"""Names belong to services label by label, and the longest domain wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policyengine.shadow_ai.catalogue import approve, parse_domain
from policyengine.shadow_ai.matching import Match, Matcher, matcher_of
from policyengine.shadow_ai.names import a_labels, labels
from tests.shadow_ai.helpers import SHIPPED, catalogue_of, naive

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "names.yaml").read_text(encoding="utf-8"))
MATCHER = matcher_of(SHIPPED)
LABELS = st.sampled_from(["a", "b", "com", "ai", "x-ai", "-ai", "openai", "notopenai"])
NAMES = st.lists(LABELS, min_size=0, max_size=7).map(tuple)
PATTERNS = st.tuples(
    st.sampled_from(["", "="]),
    st.lists(st.sampled_from(["a", "b", "ai", "*", "*-ai", "openai"]), max_size=3),
    st.tuples(st.sampled_from(["a", "openai"]), st.sampled_from(["com", "ai"])),
).map(lambda p: p[0] + ".".join([*p[1], *p[2]]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case["name"]))
def test_names_belong_to_services(case: dict[str, Any]) -> None:
    found = MATCHER.find(case["name"])
    assert (found.service.id if found else None) == case["service"]
    if found:
        assert found.domain.pattern == case["domain"]


@given(NAMES, st.lists(PATTERNS, min_size=1, max_size=8, unique=True))
def test_the_tree_finds_what_comparing_with_every_domain_finds(
    name: tuple[str, ...], patterns: list[str]
) -> None:
    domains = [parse_domain(pattern) for pattern in patterns]
    catalogue = catalogue_of(**{f"s{n}": [d.pattern] for n, d in enumerate(domains)})
    found = Matcher(catalogue.services, ()).find_labels(name)
    fitting = [domain for domain in domains if naive(domain, name)]
    if not fitting:
        assert found is None
        return
    assert found is not None
    assert naive(found.domain, name)
    longest = max(len(domain.labels) for domain in fitting)
    assert len(found.domain.labels) == longest
    plain = [d.pattern for d in fitting if len(d.labels) == longest and "*" not in d.pattern]
    if plain and not found.domain.exact:
        assert found.domain.pattern in plain, "what is written out says more than what is left open"


@given(NAMES, st.lists(PATTERNS, min_size=1, max_size=5, unique=True), PATTERNS)
def test_an_exception_is_nobodys_and_takes_nothing_longer_away(
    name: tuple[str, ...], patterns: list[str], excepted: str
) -> None:
    catalogue = catalogue_of(one=patterns)
    with_it = Matcher(catalogue.services, [parse_domain(excepted)]).find_labels(name)
    without = Matcher(catalogue.services, ()).find_labels(name)
    if not naive(parse_domain(excepted), name):
        assert with_it == without
    elif with_it is not None:
        assert len(with_it.domain.labels) >= len(parse_domain(excepted).labels)


@given(st.text(max_size=300))
def test_no_text_breaks_it(name: str) -> None:
    found = MATCHER.find(name)
    assert found is None or isinstance(found, Match)
    assert all(labels(name))


def test_very_long_names_cost_little() -> None:
    assert MATCHER.find("a." * 500 + "openai.com") is not None
    assert MATCHER.find("a" * 1000) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policyengine.shadow_ai.matching._REMEMBERED", 10)
    matcher = matcher_of(SHIPPED)
    for number in range(100):
        assert matcher.find(f"{number}.openai.com.") is not None
    assert len(matcher._known) <= 10


def test_letters_of_other_scripts_are_punycode() -> None:
    # https://www.rfc-editor.org/rfc/rfc3492 and browsers' mapping of what people write
    assert labels("b\u00fccher.example") == ("xn--bcher-kva", "example")
    assert a_labels("B\u00dcCHER.Example.") == ("xn--bcher-kva", "example")
    matcher = Matcher(catalogue_of(books=["b\u00fccher.example"]).services, ())
    assert matcher.find("www.xn--bcher-kva.example.") is not None
    assert matcher.find("b\u00fccher.example.") is not None


def test_approving_a_domain_tells_it_apart() -> None:
    matcher = matcher_of(approve(SHIPPED, ["acme.openai.azure.com", "chatgpt.com"]))
    ours = matcher.find("acme.openai.azure.com.")
    others = matcher.find("other.openai.azure.com.")
    assert (
        ours is not None and ours.service.approved and ours.service.id == "azure-openai:acme.openai.azure.com"
    )
    assert others is not None and not others.service.approved and others.service.id == "azure-openai"
    chat = matcher.find("ab.chatgpt.com")
    assert chat is not None and chat.service.name == "OpenAI and ChatGPT (chatgpt.com)"


def test_approving_a_domain_covers_what_is_below_it() -> None:
    """Also where the list knows something longer, which alone would win."""
    matcher = matcher_of(approve(SHIPPED, ["openai.com"]))
    for name in ("openai.com.", "api.openai.com.", "x.api.openai.com.", "y.openai.com."):
        found = matcher.find(name)
        assert found is not None and found.service.id == "openai:openai.com", name
    other = matcher.find("chatgpt.com.")
    assert other is not None and not other.service.approved
    alone = matcher_of(approve(SHIPPED, ["=openai.com"]))
    for name, approved in (("openai.com.", True), ("api.openai.com.", False), ("y.openai.com.", False)):
        found = alone.find(name)
        assert found is not None and found.service.approved is approved, name


def test_approvals_do_not_disturb_each_other() -> None:
    matcher = matcher_of(approve(SHIPPED, ["openai.com", "api.openai.com", "api.openai.com", "anthropic"]))
    found = matcher.find("api.openai.com.")
    assert found is not None and found.service.approved and found.domain.pattern == "api.openai.com"
    whole = matcher_of(approve(SHIPPED, ["chatgpt.com", "openai"]))
    for name in ("chatgpt.com.", "api.openai.com."):
        found = whole.find(name)
        assert found is not None and found.service.approved
