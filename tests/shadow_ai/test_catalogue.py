"""The list that comes with us holds together; a user's additions are checked with the place of each mistake."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from policyengine.model.errors import ConfigError, UsageError
from policyengine.shadow_ai.catalogue import CATEGORIES, CONFIDENCE, DATA, approve, parse_domain, with_file
from policyengine.shadow_ai.matching import matcher_of
from tests.shadow_ai.helpers import SHIPPED


def test_the_list_is_as_long_as_we_say() -> None:
    domains = [domain for service in SHIPPED.services for domain in service.domains]
    assert len(SHIPPED.services) >= 240
    assert len(domains) >= 430
    assert all(count == 1 for count in Counter(domain.pattern for domain in domains).values())
    assert [s.id for s in SHIPPED.services] == sorted({s.id for s in SHIPPED.services})


def test_the_documentation_says_how_long_it_is_and_how_sure() -> None:
    domains = [domain for service in SHIPPED.services for domain in service.domains]
    text = (Path(__file__).parents[2] / "docs" / "shadow-ai.md").read_text(encoding="utf-8")
    assert f"{len(SHIPPED.services)} services, {len(domains)} domains, of {SHIPPED.date}" in text
    listed = sum(domain.confidence == "listed" for domain in domains) / len(domains)
    assert ("Sixty per cent are `listed`" in text) == (0.55 < listed < 0.65)


@pytest.mark.parametrize("service", SHIPPED.services, ids=lambda s: s.id)
def test_every_service_says_how_its_domains_are_known(service: object) -> None:
    assert service.category in CATEGORIES
    assert service.name and service.provider and not service.approved
    for domain in service.domains:
        assert domain.confidence in CONFIDENCE and domain.confidence != "user"
        address = domain.source.partition(", ")[0]
        assert urlsplit(address).scheme == "https" and urlsplit(address).hostname
        assert parse_domain(domain.pattern).pattern == domain.pattern, "written in its one way"


def test_no_domain_is_shared_ground() -> None:
    """What many hold must not be one's: a bucket, a CDN, a cloud, a public suffix."""
    matcher = matcher_of(SHIPPED)
    for name in (
        "s3.amazonaws.com", "d111111abcdef8.cloudfront.net", "example.azurewebsites.net", "github.com",
        "googleapis.com", "accounts.google.com", "www.google.com", "microsoft.com", "login.microsoftonline.com",
        "blob.core.windows.net", "vercel.app", "amazonaws.com", "ec2.us-east-1.amazonaws.com", "cloudflare.com",
        "aliyuncs.com", "ibm.com", "oraclecloud.com", "nvidia.com", "baidu.com", "tencent.com", "databricks.com",
        "livekit.cloud", "ovh.net", "co.uk", "ai", "api.github.com", "sts.amazonaws.com",
    ):  # fmt: skip
        assert matcher.find(f"{name}.") is None, name


def test_a_file_adds_replaces_and_excepts() -> None:
    text = b"""
services:
  - {id: acme-llm, name: Acme, provider: Acme, category: api, domains: [llm.acme.example, "=Chat.Acme.example"]}
  - {id: openai, category: api, approved: true, domains: [api.openai.com]}
  - {id: cursor, domains: [cursor.com]}
exceptions: [status.cursor.com]
"""
    matcher = matcher_of(with_file(SHIPPED, text, "mine.yaml"))

    def ident(name: str) -> str | None:
        found = matcher.find(name)
        return found.service.id if found else None

    assert ident("x.llm.acme.example.") == "acme-llm"
    assert ident("chat.acme.example.") == "acme-llm"
    assert ident("x.chat.acme.example.") is None
    assert ident("status.cursor.com.") is None
    assert ident("a.status.cursor.com.") is None
    assert ident("www.cursor.com.") == "cursor"
    assert ident("api2.cursor.sh.") is None, "a service that is replaced has the new domains alone"
    found = matcher.find("api.openai.com.")
    assert found is not None and found.service.approved and found.domain.confidence == "user"


def test_a_users_domain_wins_over_ours() -> None:
    matcher = matcher_of(with_file(SHIPPED, b"services: [{id: aaa, domains: [openai.com]}]", "f"))
    found = matcher.find("openai.com.")
    assert found is not None and found.service.id == "aaa"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("services: [{id: a, domains: [com]}]", "f:1", "stands for too much"),
        ("services: [{id: a, domains: ['*.com']}]", "f:1", "stands for too much"),
        ("services: [{id: a, domains: ['a.*']}]", "f:1", "stands for too much"),
        ("services: [{id: a, domains: ['a*b.example.com']}]", "f:1", "a label"),
        ("services: [{id: a, domains: ['a b.example.com']}]", "f:1", "a label"),
        ("services: [{id: a, domains: ['https://a.example/']}]", "f:1", "a label"),
        ("services: [{id: a, domains: ['a..example']}]", "f:1", "no domain name"),
        ("services: [{id: a, domains: [1]}]", "f:1", "is no text"),
        ("services: [{id: a, domains: []}]", "f:1", "one domain at least"),
        ("services:\n- {id: A, domains: [a.example]}", "f:2", "is no id"),
        ("services:\n- {id: a, domains: [a.example]}\n- {id: a, domains: [b.example]}", "f:3", "stands twice"),
        ("services: [{id: a, category: magic, domains: [a.example]}]", "f:1", "is none of"),
        ("services: [{id: a, approved: sure, domains: [a.example]}]", "f:1", "true or false"),
        ("services: [{id: a, domain: [a.example]}]", "f:1", "expected an object with"),
        ("services: {}", "f:1", "expected a list"),
        ("exceptions: a.example", "f:1", "expected a list"),
        ("- a", "f:1", "expected an object with `services`"),
        ("{", "f:1", ""),
        ("", "f", "empty"),
        ("a: &x [*x]", "f:1", ""),
    ],
)  # fmt: skip
def test_mistakes_of_a_file_have_places(text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_file(SHIPPED, text.encode(), "f")
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


@pytest.mark.parametrize("wanted", ["opanai", "example.com", "", "*", "com"])
def test_what_is_no_service_cannot_be_approved(wanted: str) -> None:
    with pytest.raises(UsageError, match="--approved"):
        approve(SHIPPED, [wanted])


def test_the_data_file_is_kept_in_order() -> None:
    """One line a domain, sorted, so that a change is one line; every source is used."""
    text = (DATA / "services.json").read_text(encoding="utf-8")
    data = json.loads(text)
    used = {source for service in data["services"] for _, source, _ in service["domains"]}
    assert used == set(data["sources"])
    assert list(data["sources"]) == sorted(data["sources"])
    for service in data["services"]:
        patterns = [pattern for pattern, _, _ in service["domains"]]
        assert patterns == sorted(patterns, key=lambda p: (p.lstrip("=").split(".")[::-1], p)), service["id"]
        assert all(text.count(f'  ["{pattern}", ') == 1 for pattern in patterns)
