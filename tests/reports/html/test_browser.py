"""The page in a real Chromium without a network: found, sorted, filtered, cited, printed, read by everybody."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.finding import Finding
from policyengine.reports.csv_report import cell as csv_cell
from policyengine.reports.html.details import shown

from .. import sample
from .conftest import Open, Opened
from .full import page
from .reading import Page

SEEN = "#explorer [role=status]"
ROW = "#explorer tr[data-row]"


@pytest.fixture(scope="module")
def hostile() -> str:
    return page(run=sample.broken_run())


@pytest.fixture(scope="module")
def many() -> str:
    return page(groups(400))


def groups(number: int) -> list[Finding]:
    """Findings of one rule over many groups; every tenth passes."""
    found = []
    for at in range(number):
        region = ("eu-west-1", "us-east-1")[at % 2]
        group = sample.in_account("AWS::EC2::SecurityGroup", f"sg-{at * 7919 % 100_003:06}", region)
        if at % 10 == 9:
            found.append(
                sample.make("ec2-ssh-not-open", group, "PASS", "requirement_met", "closed", evidence=[])
            )
        else:
            message = f"port {20 + at % 5} is open to 0.0.0.0/0"
            found.append(
                sample.make(
                    "ec2-ssh-not-open", group, "FAIL", "open_to_internet", message, evidence=[sample._ports()]
                )
            )
    return sorted(found, key=lambda finding: finding.sort_key)


def count(opened: Opened) -> int:
    return int(re.match(r"[\d,]+", opened.page.inner_text(SEEN))[0].replace(",", ""))


def wait_for_count(opened: Opened, number: int) -> None:
    opened.page.wait_for_selector(f'{SEEN}:text-matches("^{number:,} of ")', timeout=10_000)


def names(opened: Opened) -> list[str]:
    return opened.page.eval_on_selector_all(
        f"{ROW} td:nth-child(3) .first", "found => found.map(e => e.textContent)"
    )


def test_the_table_shows_what_fails_and_what_is_not_known_first(open_page: Open, hostile: str) -> None:
    opened = open_page(hostile)
    failing = [row for row in Page(hostile).findings() if row["status"] in ("FAIL", "UNKNOWN", "accepted")]
    assert count(opened) == len(failing)
    first = opened.page.inner_text(f"{ROW} >> nth=0")
    assert "FAIL" in first
    assert "critical" in first
    assert opened.page.locator("#worst").is_hidden()


def test_search_finds_words_of_names_rules_messages_and_ids(open_page: Open, many: str) -> None:
    opened = open_page(many)
    search = opened.page.get_by_role("searchbox")
    wanted = Page(many).findings()[0]
    search.fill(wanted["name"])
    wait_for_count(opened, 1)
    search.fill('"PORT 21" eu-west-1')
    expected = sum(
        "port 21" in row.get("message", "") and row["region"] == "eu-west-1" for row in Page(many).findings()
    )
    wait_for_count(opened, expected)
    search.fill(wanted["id"])
    wait_for_count(opened, 1)
    assert names(opened) == [wanted["name"]]
    search.fill("there is no such thing")
    wait_for_count(opened, 0)
    assert opened.page.get_by_text("No finding is like this.").is_visible()


def test_filters_narrow_and_passes_are_shown_when_asked_for(open_page: Open, many: str) -> None:
    opened = open_page(many)
    assert count(opened) == 360
    opened.page.get_by_role("button", name="PASS 40").click()
    wait_for_count(opened, 400)
    opened.page.get_by_label("Region").select_option("us-east-1")
    wait_for_count(opened, 200)
    opened.page.get_by_role("button", name="Reset").click()
    wait_for_count(opened, 360)


@pytest.mark.slow
def test_a_control_filter_shows_the_control_s_whole_population(open_page: Open, many: str) -> None:
    opened = open_page(many)
    opened.page.get_by_role("link", name="AWS Foundational Security Best Practices").first.click()
    opened.page.locator("table.controls").get_by_role("link", name="EC2.13").click()
    article = opened.page.locator("[id='control-aws-fsbp-EC2.13']")
    assert article.is_visible(), "a link opens what it leads into"
    article.get_by_role("link", name="Show its findings").click()
    wait_for_count(opened, 400)


KEYS = {
    "Resource": lambda row: row["name"], "Rule": lambda row: row["rule"], "Severity": lambda row: row["severity"],
    "Verdict": lambda row: ("FAIL", "UNKNOWN", "accepted").index(row["status"]), "What": lambda row: row["message"],
    "Where": lambda row: row["place"][0] or row["code"] or f"{row['account']}/{row['region']}",
}  # fmt: skip


@pytest.mark.slow
def test_sorting_by_every_column_both_ways(open_page: Open, hostile: str) -> None:
    opened, rows = open_page(hostile), Page(hostile).findings()
    tall = "const box = document.querySelector('.rows').style; box.height = '9000px'; box.maxHeight = 'none'"
    opened.page.evaluate(tall)
    for title, key in KEYS.items():
        orders = []
        for _ in range(2):
            opened.page.locator("#explorer thead").get_by_role("button", name=title).click()
            opened.page.wait_for_timeout(50)
            orders.append(opened.page.eval_on_selector_all(ROW, "found => found.map(e => e.dataset.row)"))
        assert sorted(orders[0]) == sorted(orders[1])
        assert opened.page.locator("#explorer th[aria-sort]").count() == 1
        if title == "What":  # sorted as templates, in which names are marks
            continue
        for order in orders:
            found = [key(rows[int(at)]) for at in order]
            expected = sorted(found, key=lambda v: v.encode("utf-16-be") if isinstance(v, str) else v)
            assert found in (expected, expected[::-1]), title


def test_the_keyboard_reaches_everything(open_page: Open, many: str) -> None:
    opened = open_page(many)
    grid = opened.page.get_by_role("grid")
    grid.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        opened.page.keyboard.press(key)
    selected = opened.page.locator(f"{ROW}[aria-selected=true]")
    assert selected.get_attribute("aria-rowindex") == "3"
    opened.page.keyboard.press("End")
    assert selected.get_attribute("aria-rowindex") == "361"
    assert grid.get_attribute("aria-activedescendant") == selected.get_attribute("id")
    assert grid.get_attribute("aria-rowcount") == "361"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.getAttribute('aria-label')") == "The chosen finding"
    opened.page.keyboard.press("Escape")
    assert opened.page.evaluate("document.activeElement.getAttribute('role')") == "grid"
    opened.page.keyboard.press("Home")
    assert selected.get_attribute("aria-rowindex") == "2"


@pytest.mark.slow
def test_only_some_rows_are_in_the_page_and_scrolling_shows_the_others(open_page: Open, many: str) -> None:
    opened = open_page(many)
    assert opened.page.locator(ROW).count() < 60
    opened.page.evaluate("document.querySelector('.rows').scrollTop = 1e9")
    last = [row for row in Page(many).findings() if row["status"] == "FAIL"][-1]
    opened.page.wait_for_selector(f"{ROW}[aria-rowindex='361']")
    assert names(opened)[-1] == last["name"]


def test_a_view_is_in_the_address_and_comes_back_from_it(open_page: Open, many: str) -> None:
    opened = open_page(many)
    opened.page.get_by_role("searchbox").fill('"port 22"')
    opened.page.wait_for_timeout(200)
    opened.page.get_by_label("Region").select_option("eu-west-1")
    opened.page.locator("#explorer thead").get_by_role("button", name="Resource").click()
    opened.page.locator("#explorer thead").get_by_role("button", name="Resource").click()
    opened.page.locator(f"{ROW} >> nth=2").click()
    before, number, fragment = names(opened), count(opened), opened.page.evaluate("location.hash")
    assert {"q=%22port+22%22", "region=eu-west-1", "sort=-resource"} < set(
        fragment.removeprefix("#findings?").split("&")
    )
    again = open_page(many, fragment)
    assert count(again) == number
    assert names(again)[:3] == before[:3]
    assert again.page.locator(".one").inner_text() == opened.page.locator(".one").inner_text()


@pytest.mark.slow
def test_a_finding_is_found_by_its_id_also_where_it_passes(open_page: Open, many: str) -> None:
    passing = next(row for row in Page(many).findings() if row["status"] == "PASS")
    opened = open_page(many, f"#findings?finding={passing['id']}")
    shown_ = opened.page.locator(".one").inner_text()
    assert passing["name"] in shown_
    assert passing["id"] in shown_
    assert "policyengine explain" in shown_
    failing = next(row for row in Page(many).findings() if row["status"] == "FAIL")
    opened = open_page(many, f"#finding-{failing['id']}")
    assert failing["id"] in opened.page.locator(".one").inner_text()
    opened = open_page(many, "#findings?finding=" + "0" * 32)
    assert "No finding of this run has the id" in opened.page.locator(".one").inner_text()


@pytest.mark.slow
def test_ids_that_the_page_computes_are_those_of_every_other_format(open_page: Open) -> None:
    found = sample.findings()
    opened = open_page(page(found), "#findings?show=fail,unknown,accepted,pass,na&sort=resource")
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert sorted(row[0] for row in rows[1:]) == sorted(finding.id for finding in found)
    by_id = {row[0]: row for row in rows[1:]}
    for finding in found:
        row = by_id[finding.id]
        assert row[3] == finding.rule
        name = shown(finding.resource_id)
        if "##" not in name and "::" not in name:  # what only a log reader would take for a command
            assert row[7] == csv_cell(name)
    assert not [cell for row in rows for cell in row if re.match("[=+\\-@\t\r]", cell)]


def test_the_detail_shows_lines_evidence_and_remedy_as_text(open_page: Open, hostile: str) -> None:
    rows = Page(hostile).findings()
    logs = next(row for row in rows if row["name"] == "Logs")
    opened = open_page(hostile, f"#findings?finding={logs['id']}")
    text = opened.page.locator(".one").inner_text()
    assert "SSEAlgorithm: AES256" in text
    assert "^^^^^^" in text
    assert "aws:kms" in text
    assert "Set `BucketEncryption`" in text
    opened.page.get_by_role("button", name="rule text").click()
    assert "title: text of s3-kms-encryption" in opened.page.get_by_role("dialog").inner_text()
    opened.page.keyboard.press("Escape")
    assert opened.page.get_by_role("dialog").count() == 0


@pytest.mark.slow
def test_a_rule_that_is_only_a_line_tells_all_when_asked(open_page: Open) -> None:
    passing = [finding for finding in sample.findings(hostile=False) if finding.verdict == "PASS"]
    opened = open_page(page(passing), "#rule-s3-kms-encryption")
    opened.page.locator("#rule-s3-kms-encryption").get_by_role("button").click()
    said = opened.page.get_by_role("dialog").inner_text()
    assert "Anyone with s3:GetObject" in said
    assert "title: text of s3-kms-encryption" in said
    opened.page.get_by_role("button", name="Close").click()
    assert opened.page.get_by_role("dialog").count() == 0
    without = open_page(page(passing), script=False)
    assert without.page.locator("button:visible").count() == 0


def test_hostile_names_are_text_in_rows_and_details(open_page: Open, hostile: str) -> None:
    opened = open_page(hostile)
    rows = [row for row in Page(hostile).findings() if row["type"] == "Custom::Thing"]
    assert len(rows) == len(sample.HOSTILE) + 1
    elements = opened.page.evaluate("document.querySelectorAll('script').length")
    for row in rows:
        opened.page.evaluate("hash => { location.hash = hash }", f"#findings?finding={row['id']}")
        opened.page.wait_for_timeout(30)
        assert row["id"] in opened.page.locator(".one").text_content()
        assert row["name"] in opened.page.locator(".one").text_content()
    assert opened.page.evaluate("document.querySelectorAll('script').length") == elements
    wide = "() => [...document.querySelectorAll('main *')].filter(e => e.scrollWidth > innerWidth && getComputedStyle(e).overflowX === 'visible').length"
    assert opened.page.evaluate(wide) == 0
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 768, 1100])
def test_narrow_windows_scroll_tables_and_not_the_page(open_page: Open, hostile: str, width: int) -> None:
    """WCAG 2.2, 1.4.10 Reflow: 320 CSS pixels without scrolling in two dimensions."""
    opened = open_page(hostile, viewport={"width": width, "height": 800})
    opened.page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    ends = "[...document.querySelectorAll('caption')].map(each => each.getBoundingClientRect().right)"
    assert max(opened.page.evaluate(ends)) <= width, "what a table is about can be read without scrolling it"


def test_without_a_script_everything_to_read_is_there(open_page: Open, hostile: str) -> None:
    opened = open_page(hostile, script=False)
    body = opened.page.locator("body").inner_text()
    for text in ("open violations", "The run is incomplete", "EC2.13", "port 22 is open to 0.0.0.0/0", "SSEAlgorithm: AES256",
                 "W-2", "works without a script", "Gap: no run for longer than agreed"):  # fmt: skip
        assert text in body
    assert opened.page.locator("#explorer").is_hidden()
    assert opened.page.locator(".js-only:visible").count() == 0


OLD_BROWSER = "delete globalThis.DecompressionStream; delete Uint8Array.fromBase64;"


def repacked(text: str, level: int, strategy: int) -> str:
    """The page with its columns compressed in another way."""

    def again(found: re.Match[str]) -> str:
        zipped = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
        data = zlib.decompress(base64.b64decode(found[2]))
        return found[1] + base64.b64encode(zipped.compress(data) + zipped.flush()).decode()

    return re.sub(r'(<script type="application/octet-stream" id="d-[a-z-]+">)([^<]+)', again, text)


@pytest.mark.slow
def test_a_browser_without_decompression_gets_the_same_table(open_page: Open, many: str) -> None:
    """Each kind of block of RFC 1951: stored, with fixed codes, with codes of its own."""
    plain = open_page(many)
    default = zlib.Z_DEFAULT_STRATEGY
    for level, strategy in (
        (9, default),
        (0, default),
        (6, zlib.Z_FIXED),
        (6, zlib.Z_HUFFMAN_ONLY),
        (1, zlib.Z_RLE),
    ):
        other = open_page(repacked(many, level, strategy), init=OLD_BROWSER)
        assert other.page.evaluate("typeof DecompressionStream") == "undefined"
        assert names(other) == names(plain)
        assert count(other) == count(plain)
        assert other.page.locator(".one").inner_text() == plain.page.locator(".one").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize("init", ["", OLD_BROWSER], ids=["browser", "own code"])
@pytest.mark.parametrize("damage", ["AAAA", "eNqT"])
def test_damaged_data_leave_the_static_page_and_say_so(
    open_page: Open, many: str, init: str, damage: str
) -> None:
    damaged = re.sub(r'(id="d-rule">)[^<]+', rf"\g<1>{damage}", many)
    opened = open_page(damaged, init=init, ready="text=The table cannot be shown")
    assert opened.page.locator("#worst").is_visible()


# ---- printing


def pdf_text(data: bytes) -> bytes:
    """The content streams of a PDF."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_printing_gives_numbered_pages_with_everything_expanded(
    open_page: Open, hostile: str, paper: str
) -> None:
    opened = open_page(hostile)
    data = opened.page.pdf(format=paper, prefer_css_page_size=False)
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert pages > 5
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#explorer").is_hidden()
    assert opened.page.locator("nav.toc").is_hidden()
    assert opened.page.locator("#worst").is_visible()
    assert opened.page.locator(".finding").first.is_visible()
    closed = """() => [...document.querySelectorAll('details:not([open])')].filter(
        box => !box.closest('#explorer') && box.children[1] && box.children[1].getBoundingClientRect().height === 0).length"""
    assert opened.page.evaluate(closed) == 0
    assert (
        opened.page.evaluate("getComputedStyle(document.querySelector('thead')).display")
        == "table-header-group"
    )


@pytest.mark.slow
def test_printing_opens_what_is_folded_and_folds_it_again(open_page: Open, hostile: str) -> None:
    opened = open_page(hostile)
    folded = "document.querySelectorAll('details:not([open])').length"
    before = opened.page.evaluate(folded)
    assert before > 0
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.evaluate(folded) == 0
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.evaluate(folded) == before


# ---- accessibility


def axe(opened: Opened) -> list[Any]:
    package = pytest.importorskip("axe_playwright_python", reason="carries axe-core")
    source = next(Path(package.__file__).parent.glob("**/axe.min.js"))
    opened.page.evaluate(source.read_text(encoding="utf-8"))
    return opened.page.evaluate(
        """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
            one => [one.id, one.impact, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"""
    )


@pytest.fixture(scope="module")
def readable() -> str:
    return page(sample.findings(hostile=False), sample.broken_run())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_everything_expanded(open_page: Open, readable: str, scheme: str) -> None:
    opened = open_page(readable, color_scheme=scheme, reduced_motion="reduce")
    opened.page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    assert axe(opened) == []


@pytest.mark.slow
def test_axe_finds_nothing_folded_nor_without_a_script(open_page: Open, readable: str) -> None:
    opened = open_page(readable)
    assert axe(opened) == []
    opened.page.evaluate("document.documentElement.classList.remove('js', 'data')")
    assert axe(opened) == []


# ---- many


@pytest.mark.slow
def test_a_hundred_thousand_findings_open_sort_and_filter_without_a_stutter(
    open_page: Open, tmp_path: Path
) -> None:
    from benchmarks.html_data import Organisation
    from policyengine.reports.base import write_reports
    from policyengine.reports.html.report import HtmlReport

    made = Organisation(121_000)
    path = tmp_path / "large.html"
    with path.open("w", encoding="utf-8", newline="") as out:
        write_reports(made.findings(), [HtmlReport(out, made.context())], made.run())
    assert path.stat().st_size < 3_000_000
    opened = open_page(path, "#findings")
    assert int(opened.page.evaluate("document.documentElement.dataset.ready")) < 10_000
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(digest) == 64
    steps = {
        "sort": "document.querySelector('[data-key=resource]').click()",
        "again": "document.querySelector('[data-key=resource]').click()",
        "scroll": "document.querySelector('.rows').scrollTop = 5e5",
        "all": "document.querySelectorAll('.chips button')[3].click()",
    }
    for name, step in steps.items():
        took = opened.page.evaluate(
            f"() => {{ const t = performance.now(); {step}; return performance.now() - t }}"
        )
        assert took < 1_000, name
    opened.page.get_by_role("searchbox").fill("payments prod")
    opened.page.wait_for_selector(f'{SEEN}:text-matches("^[1-9][0-9,]* of 121,000")')
    assert opened.page.locator(ROW).count() < 80


@pytest.mark.slow
def test_more_rows_than_a_browser_can_make_an_element_tall_are_all_reached(
    open_page: Open, tmp_path: Path
) -> None:
    from benchmarks.html_data import Organisation
    from policyengine.reports.base import write_reports
    from policyengine.reports.html.report import HtmlReport

    made = Organisation(200_000)
    path = tmp_path / "larger.html"
    with path.open("w", encoding="utf-8", newline="") as out:
        write_reports(made.findings(), [HtmlReport(out, made.context())], made.run())
    opened = open_page(path, "#findings?show=fail,unknown,accepted,pass,na")
    total = count(opened)
    assert opened.page.evaluate("document.querySelector('.rows').scrollHeight") < total * 52
    opened.page.get_by_role("grid").focus()
    selected = opened.page.locator(f"{ROW}[aria-selected=true]")
    sight = """() => { const row = document.querySelector('tr[aria-selected=true]').getBoundingClientRect(),
        box = document.querySelector('.rows').getBoundingClientRect(); return row.top > box.top && row.bottom < box.bottom + 8 }"""
    for key, at in (("End", total + 1), ("ArrowUp", total), ("Home", 2), ("ArrowDown", 3)):
        opened.page.keyboard.press(key)
        assert selected.get_attribute("aria-rowindex") == str(at)
        assert opened.page.evaluate(sight), key
    opened.page.evaluate(
        "document.querySelector('.rows').scrollTop = document.querySelector('.rows').scrollHeight / 2"
    )
    opened.page.wait_for_selector(f"{ROW}[aria-rowindex='{total // 2}']")
