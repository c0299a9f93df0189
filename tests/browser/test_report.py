"""The report in a browser: sorted, filtered, opened, printed, and read by other means than eyes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from claims_edit.masking import NO_MASKING, Masking, NoMasking
from claims_edit.report.reading import Reading, read
from tests.browser.conftest import OpenPage
from tests.report.support import KEY, page_of
from tests.report.test_page import HOSTILE, hostile, hostile_stories
from tests.runs.nights import written_nights
from tests.runs.support import published

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return read(published(tmp_path_factory.mktemp("sample")))


@pytest.fixture(scope="module")
def address(reading: Reading, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the sample, as a file."""
    return _file(tmp_path_factory.mktemp("page") / "report.html", page_of(reading))


@pytest.fixture
def report(page: Page, address: str) -> Page:
    """The page, open."""
    page.goto(address)
    return page


def _file(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def _column(page: Page, head: str) -> list[str]:
    """What a column shows, from the top."""
    heads = page.locator("#lines thead th").all_inner_texts()
    place = [text.strip().split("\n")[0] for text in heads].index(head) + 1
    rows = page.locator(f"#lines tbody tr:visible > :nth-child({place})")
    return [text.strip() for text in rows.all_inner_texts()]


def _amounts(page: Page, head: str) -> list[float]:
    return [float(text.replace(",", "")) for text in _column(page, head)]


def _filter(page: Page, label: str) -> Locator:
    return page.locator("#filter").get_by_label(label, exact=True)


def _sort(page: Page, head: str) -> str | None:
    page.locator("#lines thead").get_by_role("button", name=head, exact=True).click()
    column = page.locator("#lines thead th").filter(has_text=re.compile(f"^{head}"))
    return column.get_attribute("aria-sort")


# ---- sorting --------------------------------------------------------------------------------


def test_the_highest_charge_at_stake_is_first(report: Page) -> None:
    amounts = _amounts(report, "At stake")
    assert len(amounts) == 64
    assert amounts == sorted(amounts, reverse=True)


def test_amounts_sort_as_numbers_from_the_highest_and_back(report: Page) -> None:
    assert _sort(report, "Charge") == "descending"
    amounts = _amounts(report, "Charge")
    assert amounts == sorted(amounts, reverse=True)
    assert _sort(report, "Charge") == "ascending"
    amounts = _amounts(report, "Charge")
    assert amounts == sorted(amounts)
    assert amounts[0] < 10_000 < amounts[-1]
    assert report.locator("#lines th[aria-sort]").count() == 1


def test_texts_and_dates_sort_from_the_first(report: Page) -> None:
    for head in ("Service date", "Claim", "Edit"):
        assert _sort(report, head) == "ascending"
        assert _column(report, head) == sorted(_column(report, head))


def test_a_heading_sorts_by_the_keyboard(report: Page) -> None:
    button = report.locator("#lines thead").get_by_role("button", name="Billed", exact=True)
    button.focus()
    report.keyboard.press("Enter")
    amounts = _amounts(report, "Billed")
    assert amounts == sorted(amounts, reverse=True)
    report.keyboard.press("Space")
    assert _amounts(report, "Billed") == sorted(amounts)


# ---- filtering ------------------------------------------------------------------------------


def test_filters_narrow_together_and_are_undone(report: Page) -> None:
    shown = report.locator("#shown")
    expect(shown).to_have_text("64 of 64 lines")
    _filter(report, "Disposition").select_option("deny")
    assert set(_column(report, "Disposition")) == {"deny"}
    expect(shown).to_have_text("19 of 64 lines")
    _filter(report, "Edit").select_option("diagnosis-invalid")
    expect(shown).to_have_text("3 of 64 lines")
    _filter(report, "Text").fill("c-0093")
    assert _column(report, "Claim") == ["C-0093"]
    report.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text("64 of 64 lines")


def test_an_edit_that_did_not_decide_is_found_too(report: Page) -> None:
    _filter(report, "Edit").select_option("authorization-expired")
    assert "C-0093" in _column(report, "Claim")
    assert set(_column(report, "Edit")) != {"authorization-expired"}


def test_the_charge_at_least(report: Page) -> None:
    _filter(report, "Charge at least").fill("9000.01")
    assert all(amount > 9_000 for amount in _amounts(report, "Charge"))
    _filter(report, "Charge at least").fill("1e12")
    expect(report.locator("#none")).to_be_visible()


def test_sorting_keeps_the_filter(report: Page) -> None:
    _filter(report, "Disposition").select_option("partial")
    before = sorted(_column(report, "Claim"))
    _sort(report, "Billed")
    assert sorted(_column(report, "Claim")) == before
    assert len(before) == 5


def test_an_edit_of_the_table_leads_to_its_lines(report: Page) -> None:
    report.locator("#edits details summary").click()
    report.locator("#edits").get_by_role("link", name="duplicate-line").click()
    assert set(_column(report, "Edit")) == {"duplicate-line"}
    expect(_filter(report, "Edit")).to_have_value("duplicate-line")


# ---- one line -------------------------------------------------------------------------------


def test_a_line_opens_with_its_story_and_closes(report: Page) -> None:
    line = report.get_by_role("button", name="C-0093", exact=True)
    line.click()
    dialog = report.get_by_role("dialog", name="Claim C-0093, line 1")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("C50.A is no valid diagnosis code on 2026-01-12.")
    expect(dialog).to_contain_text("Authorization A-0093 ended on 2025-12-14")
    assert report.url.endswith("#claim=C-0093%2F1")
    report.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(line).to_be_focused()
    assert not report.url.endswith("1")


def test_from_line_to_line_in_the_order_that_is_shown(report: Page) -> None:
    _filter(report, "Disposition").select_option("partial")
    claims = _column(report, "Claim")
    report.get_by_role("button", name=claims[0], exact=True).click()
    expect(report.get_by_role("button", name="Previous")).to_be_disabled()
    report.get_by_role("button", name="Next").click()
    expect(report.get_by_role("dialog")).to_have_accessible_name(f"Claim {claims[1]}, line 1")
    report.keyboard.press("ArrowRight")
    expect(report.get_by_role("dialog")).to_have_accessible_name(f"Claim {claims[2]}, line 1")
    report.keyboard.press("ArrowLeft")
    report.keyboard.press("ArrowLeft")
    expect(report.get_by_role("dialog")).to_have_accessible_name(f"Claim {claims[0]}, line 1")
    report.get_by_role("button", name="Close").click()
    expect(report.locator("dialog")).to_be_hidden()


def test_a_link_opens_a_line(page: Page, address: str) -> None:
    page.goto(f"{address}#claim=C-0121%2F1")
    expect(page.get_by_role("dialog", name="Claim C-0121, line 1")).to_be_visible()
    page.goto(f"{address}#claim=C-0122%2F1")
    expect(page.get_by_role("dialog", name="Claim C-0122, line 1")).to_be_visible()


def test_a_link_to_nothing_opens_nothing(page: Page, address: str) -> None:
    for fragment in ("#claim=none%2F1", "#claim=%", "#edit=none", "#="):
        page.goto(f"{address}{fragment}")
        expect(page.locator("dialog")).to_be_hidden()


# ---- paper and dark -------------------------------------------------------------------------


def test_on_paper_there_are_tables_and_no_buttons(report: Page) -> None:
    report.emulate_media(media="print")
    expect(report.locator("nav")).to_be_hidden()
    expect(report.locator("#filter")).to_be_hidden()
    expect(report.locator("#lines")).to_be_visible()
    expect(report.locator("#dispositions-lines svg")).to_be_visible()
    body = report.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert body == "rgb(255, 255, 255)"
    printed = report.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_the_numbers_of_charts_are_printed_too(report: Page) -> None:
    closed = report.locator("#night details:not([open])")
    assert closed.count() == 1
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert closed.count() == 0
    report.evaluate("dispatchEvent(new Event('afterprint'))")
    assert closed.count() == 1


def test_an_open_line_is_printed_alone(report: Page) -> None:
    report.get_by_role("button", name="C-0093", exact=True).click()
    report.emulate_media(media="print")
    expect(report.locator("main")).to_be_hidden()
    expect(report.locator("dialog")).to_be_visible()


def test_in_the_dark_the_page_and_its_charts_are_dark(open_page: OpenPage, address: str) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        page.goto(address)
        colours.append(
            page.evaluate(
                """() => [
                    getComputedStyle(document.body).backgroundColor,
                    getComputedStyle(document.querySelector("#dispositions-lines svg text")).fill,
                ]"""
            )
        )
    (light, ink), (dark, white) = colours
    assert _brightness(light) > _brightness(white) > 200
    assert _brightness(dark) < 60
    assert _brightness(ink) < 60


def _brightness(colour: str) -> float:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_is_no_wider_than_the_screen(
    open_page: OpenPage, address: str, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("masked", [NO_MASKING, Masking(KEY)], ids=["ids", "pseudonyms"])
def test_no_table_is_cut_on_the_screen_of_a_laptop(
    page: Page, reading: Reading, masked: NoMasking, tmp_path: Path
) -> None:
    page.goto(_file(tmp_path / "report.html", page_of(reading, masked)))
    for width, beside in ((1200, False), (1400, False), (1401, True), (1440, True)):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(_CUT) == [], width
        first, second = (t.bounding_box() for t in page.locator("#who table").all())
        assert first is not None
        assert second is not None
        assert (first["y"] == second["y"]) is beside, width


# Tables wider than their place, and ids that are broken or shortened.
_CUT = """() => [...document.querySelectorAll(".wide, #lines .id, #lines tbody th")]
    .filter(e => e.scrollWidth > e.clientWidth || (!e.matches(".wide") && e.offsetHeight > 0 &&
      getComputedStyle(e).whiteSpace !== "nowrap"))
    .map(e => e.className + e.innerText.slice(0, 40))"""


# ---- by other means than eyes ---------------------------------------------------------------


def test_headings_landmarks_and_names(report: Page) -> None:
    assert report.locator("html").get_attribute("lang") == "en"
    assert report.title() == "Run tonight: prime-ic-0072"
    assert report.get_by_role("heading", level=1).all_inner_texts() == ["Run tonight"]
    for role in ("banner", "main", "contentinfo", "search"):
        assert report.get_by_role(role).count() == 1
    sections = report.locator("section")
    for section in sections.all():
        title = section.get_attribute("aria-labelledby")
        assert report.locator(f"h2#{title}").count() == 1
    for link in report.locator("nav a").all():
        assert report.locator(str(link.get_attribute("href"))).count() == 1
    unnamed = """() => [...document.querySelectorAll("button, input, select, a")]
        .filter(e => !(e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"""
    assert report.evaluate(unnamed) == []


def test_every_table_has_a_caption_and_headers(report: Page) -> None:
    tables = report.locator("table")
    assert tables.count() >= 6
    for table in tables.all():
        assert table.locator("caption").count() == 1
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.locator("tbody tr").count() == table.locator("tbody th[scope=row]").count()


def test_every_chart_has_a_name_a_description_and_its_numbers_beside_it(report: Page) -> None:
    figures = report.locator("figure")
    assert figures.count() == 4
    for figure in figures.all():
        caption = figure.locator("figcaption").inner_text()
        chart = figure.get_by_role("img")
        expect(chart).to_have_accessible_name(caption + " " + chart.locator("desc").inner_html())
        assert re.search(r"\d", chart.locator("desc").inner_html())
    for section in ("#night", "#edits"):
        assert report.locator(f"{section} details table").count() == 1


def test_identifiers_are_unique(report: Page) -> None:
    ids = report.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_words_stand_out_from_their_ground(open_page: OpenPage, address: str) -> None:
    """In the light and in the dark, by the ratio that the guidelines for accessibility ask for."""
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        page.goto(address)
        ratios = page.evaluate(_CONTRAST)
        assert [r for r in ratios if r[1] < 4.5] == [], scheme


_CONTRAST = """() => {
  const shade = (c) => { const v = c.match(/\\d+/g).slice(0, 3).map(x => x / 255)
      .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (c !== "rgba(0, 0, 0, 0)") return c; } return "rgb(255, 255, 255)"; };
  return ["h1", "p", "a", "small", "caption", "th", "td", "label", "#lines .open", "dt", "figure text"]
    .map(s => [s, document.querySelector(s)]).filter(([, e]) => e).map(([s, e]) => {
      const style = getComputedStyle(e);
      const [a, b] = [shade(s.endsWith("text") ? style.fill : style.color), shade(ground(e))];
      return [s, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]; });
}"""


# ---- hostile values, many runs --------------------------------------------------------------


def test_hostile_values_stay_texts_and_their_lines_open(
    page: Page, reading: Reading, tmp_path: Path
) -> None:
    page.goto(_file(tmp_path / "hostile.html", page_of(hostile(reading), tell=hostile_stories)))
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    for n, text in enumerate(HOSTILE):
        page.locator("#lines .open", has_text=re.compile(f" {n}$")).first.click()
        expect(page.locator("#story-title")).to_have_text(f"Claim {text} {n}, line 1")
        expect(page.locator("#story-body")).to_contain_text(text[:200].strip())
        page.keyboard.press("Escape")
    _filter(page, "Text").fill("<script>alert(1)</script>")
    assert 0 < len(_column(page, "Claim")) < 64
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_trend_of_several_nights(page: Page, tmp_path: Path) -> None:
    nights = written_nights(tmp_path)
    for night in ("first", "second"):
        run = nights.publish(tmp_path / "runs", night)
    page.goto(_file(tmp_path / "report.html", page_of(read(run))))
    charts = page.locator("#trends").get_by_role("img")
    assert charts.count() == 4
    expect(charts.first).to_be_visible()
    page.locator("#trends summary").click()
    assert page.locator("#trends tbody th").all_inner_texts() == ["first", "second"]
