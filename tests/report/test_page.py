"""The page: what it counts, what it shows of hostile values, and that it is one file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from claims_edit.contracts import LINE_KEY
from claims_edit.masking import NO_MASKING, Masking
from claims_edit.report import charts, figures
from claims_edit.report.page import written
from claims_edit.report.reading import Reading, read
from tests.report.support import KEY, page_of, stories_in
from tests.runs.nights import written_nights
from tests.runs.support import manifest_of

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' & <b>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "L" * 5_000,
)


@pytest.fixture(scope="module")
def reading(run: Path) -> Reading:
    return read(run)


class _Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


# ---- figures --------------------------------------------------------------------------------


def test_lines_and_charges_are_those_of_the_manifest(reading: Reading) -> None:
    table = figures.dispositions(reading.manifest)
    assert table.rows[0] == ("pay", 27, Decimal("211500.00"), Decimal("0.00"))
    assert sum(row[1] for row in table.rows) == reading.manifest["rows"]["edited"]


def test_edits_are_ranked_by_lines_and_have_what_is_at_stake(reading: Reading) -> None:
    table = figures.edits(reading.tables["flagged_lines"], reading.tables["findings"])
    first = dict(zip(table.columns, table.rows[0], strict=True))
    assert first["edit"] == "coverage-criteria"
    assert (first["lines"], first["of which unknown"]) == (6, 4)
    assert first["charge at stake"] == Decimal("54000.00")
    lines = [row[2] for row in table.rows]
    assert lines == sorted(lines, reverse=True)
    assert sum(row[4] for row in table.rows) == reading.tables["flagged_lines"].height


def test_a_provider_is_the_rendering_or_else_the_billing_one(reading: Reading) -> None:
    tables = reading.tables
    rows = figures.providers(tables["lines"], tables["flagged_lines"]).rows
    assert [row[0] for row in rows] == ["1000000001", "1000000002"]
    assert all(flagged <= among for _, flagged, among, *_ in rows)


def test_rejects_count_under_each_check(reading: Reading) -> None:
    names = ("rejected_lines", "rejected_authorizations", "rejected_clinical_facts")
    rows = figures.rejects({name: reading.tables[name] for name in names}).rows
    assert ("lines", "conflicting_key", 2) in rows
    assert ("authorizations", "status:known_value", 1) in rows
    assert ("clinical facts", "her2_ihc:at_most_3", 1) in rows


def test_the_trend_is_of_the_runs_up_to_this_one(tmp_path: Path) -> None:
    nights = written_nights(tmp_path)
    for night in ("first", "second", "third"):
        nights.publish(tmp_path / "runs", night)
    table = figures.trend(read(tmp_path / "runs" / "run_id=second").last_runs)
    assert [row[0] for row in table.rows] == ["first", "second"]
    row = dict(zip(table.columns, table.rows[1], strict=True))
    manifest = manifest_of(tmp_path / "runs" / "run_id=second")
    assert row["lines"] == manifest["rows"]["edited"]
    assert row["deny"] == manifest["dispositions"]["deny"]["lines"]
    # What is void is no denial.
    assert row["denied charge"] == Decimal(manifest["dispositions"]["deny"]["denied_charge_amount"])
    text = page_of(read(tmp_path / "runs" / "run_id=second"))
    assert "The last 2 runs of this folder and drug" in text
    assert "Lines of earlier runs that would be allowed more today: 1." in text


def test_thirty_runs_are_the_last_thirty(reading: Reading) -> None:
    manifests = [reading.manifest | {"run_id": f"night-{n:02d}"} for n in range(30)]
    drawn = charts.over_runs(figures.trend(manifests))
    assert [chart.name for chart in drawn] == [
        *("trend-lines", "trend-flag-rate", "trend-denied", "trend-rejects")
    ]
    assert "over 30 runs" in drawn[0].description


def test_a_run_of_the_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    nights = written_nights(tmp_path)
    for night in ("first", "second"):
        run = nights.publish(tmp_path / "runs", night)
    (tmp_path / "runs" / "run_id=first" / "manifest.json").write_text("{}")
    assert "Of 1 run of this folder the manifest could not be read" in page_of(read(run))


def _decisions(*rows: tuple[str, str, str | None, str]) -> pl.DataFrame:
    """Decisions as they are counted: edit, decision, reason, and by whom."""
    return pl.DataFrame(
        [
            ("r", e, d, c, by, datetime(2026, 3, 1 + i, 9, tzinfo=UTC))
            for i, (e, d, c, by) in enumerate(rows)
        ],
        schema={
            **dict.fromkeys(
                ("run_id", "primary_edit_id", "decision", "reason_code", "decided_by"), pl.String
            ),
            "decided_at": pl.Datetime("ms", "UTC"),
        },
        orient="row",
    )


def test_override_rates_are_by_the_edit_that_decided(reading: Reading) -> None:
    decisions = _decisions(
        ("duplicate-line", "override", "coded-right", "ann"),
        ("duplicate-line", "override", "coded-right", "bea"),
        ("duplicate-line", "override", "other", "ann"),
        ("duplicate-line", "uphold", None, "ann"),
        ("ndc-missing", "documents", None, "ann"),
    )
    table = figures.decided(decisions)
    assert table.rows == [
        ("duplicate-line", 4, 1, 3, 0, 0.75, "coded-right 2, other 1"),
        ("ndc-missing", 1, 0, 0, 1, None, ""),
    ]
    text = page_of(replace(reading, decisions=decisions))
    assert "5 standing decisions of 2 people, from 2026-03-01 to 2026-03-05" in text
    assert "75.0%" in text
    assert "There are no decisions yet" not in text
    assert "There is no <code>decisions.parquet</code>" not in text
    # Who decided is a count.
    assert not re.search(r"\b(ann|bea)\b", text)


def test_decisions_on_lines_that_are_otherwise_now_or_gone_are_left_out(
    run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(run.parent, tmp_path / "out")) / run.name
    made = (
        pl.read_parquet(folder / "flagged_lines.parquet")
        .head(8)
        .select(
            *LINE_KEY,
            *("member_id", "disposition", "billed_units", "allowed_units", "primary_edit_id"),
            run_id=pl.lit(manifest_of(folder)["run_id"]),
            decision=pl.lit("uphold"),
            reason_code=pl.lit(None, pl.String),
            decided_by=pl.lit("ann"),
            decided_at=pl.lit(datetime(2026, 3, 1, tzinfo=UTC)),
        )
        .to_dicts()
    )
    other = next(row["disposition"] for row in made if row["disposition"] != made[0]["disposition"])
    made[0]["disposition"] = other
    made[1]["member_id"] += "x"
    made[2]["billed_units"] += 1
    made[3]["allowed_units"] -= 1
    made[4]["claim_line_number"] += 90
    made[5]["run_id"] = "lost"
    pl.DataFrame(made).write_parquet(folder.parent / "decisions.parquet")
    found = read(folder)
    assert found.decisions is not None
    assert (found.decisions.height, found.decisions_left_out) == (2, 6)
    text = page_of(found)
    assert "2 standing decisions of 1 person" in text
    assert "6 decisions are left out: " in text
    pl.DataFrame(made[:1]).write_parquet(folder.parent / "decisions.parquet")
    text = page_of(read(folder))
    assert "1 decision is left out: " in text
    assert NONE_YET not in text
    assert NO_FILE not in text


def test_the_table_of_the_workbook_says_how_many_decisions_were_left_out() -> None:
    assert figures.decided(_decisions()).caption == "Decisions by the edit that decided"
    assert figures.decided(_decisions(), 3).caption.endswith(
        "; 3 left out, since their line is no longer so"
    )


NO_FILE = "There is no <code>decisions.parquet</code> beside the runs."
NONE_YET = "There are no decisions yet: <code>decisions.parquet</code> beside the runs has none."


def test_a_night_without_decisions_says_why(reading: Reading) -> None:
    without, empty = page_of(reading), page_of(replace(reading, decisions=_decisions()))
    assert (NO_FILE in without, NONE_YET in without) == (True, False)
    assert (NO_FILE in empty, NONE_YET in empty) == (False, True)
    assert "This run read" not in without + empty


@pytest.mark.parametrize("beside", [None, _decisions()], ids=["no file", "no decisions"])
def test_what_the_run_read_is_told_wherever_it_was(
    reading: Reading, beside: pl.DataFrame | None
) -> None:
    counted = {"read": 1200, "applied": 3, "of_other_runs": 4, "left_out": 5}
    run = replace(reading.run, manifest=reading.manifest | {"decisions": counted})
    text = page_of(replace(reading, run=run, decisions=beside))
    assert (
        "This run read 1,200 decisions on earlier runs: 3 on its members, which it applied; 4 on runs "
        "that are no history of it; 5 left out, since"
    ) in text


def test_drift_is_told_in_words(reading: Reading) -> None:
    warning = {"kind": "edit", "name": "ndc-missing", "share": "0.5", "low": "0.1", "high": "0.2"}
    drifted: dict[str, Any] = {"runs": 12, "warnings": [warning | {"median": "0.15"}]}
    run = replace(reading.run, manifest=reading.manifest | {"drift": drifted})
    text = page_of(replace(reading, run=run))
    assert "edit ndc-missing: 50.00% of lines, outside 10.00% to 20.00%" in text


# ---- a night in which nothing happened ------------------------------------------------------


def test_a_night_without_a_line_has_a_page(tmp_path: Path) -> None:
    nights = written_nights(tmp_path)
    nights.write("empty.csv", [])
    run = nights.publish(tmp_path / "runs", "empty")
    assert outcome(["report", str(run), "--workbook"]) == 0
    text = (run / "report.html").read_text()
    assert "No edit found anything." in text
    assert "This is the first run of this folder and drug." in text


# ---- lines ----------------------------------------------------------------------------------


def test_every_flagged_line_is_there_with_its_reasons_and_its_story(reading: Reading) -> None:
    elements = _Elements(page_of(reading))
    keys = {row["data-key"] for row in elements.of("tr") if "data-key" in row}
    flagged = reading.tables["flagged_lines"]
    assert keys == {f"{c}/{n}" for c, n in flagged.select("claim_id", "claim_line_number").rows()}
    stories = stories_in(page_of(reading))
    assert len(stories) == flagged.height
    claims = [
        str(row["data-key"]).partition("/")[0] for row in elements.of("tr") if "data-key" in row
    ]
    assert [
        c for c, story in zip(claims, stories, strict=True) if f"Claim {c} line" not in story
    ] == []


def test_fewer_lines_are_those_with_most_at_stake_and_the_page_says_so(reading: Reading) -> None:
    text = page_of(reading, lines=5)
    rows = [row for row in _Elements(text).of("tr") if "data-key" in row]
    most = reading.tables["flagged_lines"].sort(
        "charge_at_stake", "claim_id", "claim_line_number", descending=[True, False, False]
    )
    keys = most.head(5).select("claim_id", "claim_line_number").rows()
    assert [row["data-key"] for row in rows] == [f"{c}/{n}" for c, n in keys]
    assert "The 5 lines with the highest charge at stake, of 64." in text
    assert "highest charge at stake, of" not in page_of(reading)


def test_members_of_the_ranking_are_masked_in_any_case(run: Path, tmp_path: Path) -> None:
    assert outcome(["report", str(run), "--to", str(tmp_path), "--unmasked"]) == 0
    text = (tmp_path / "report.html").read_text()
    assert "Not masked" in text
    ranking = text[text.index("Members with the most") : text.index('id="rejects"')]
    assert re.search(r"M-\w{4}-\w{4}-\w{4}", ranking)
    members = read(run).tables["flagged_lines"]["member_id"]
    assert [m for m in members if f">{m}<" in ranking] == []


# ---- one file -------------------------------------------------------------------------------


def test_the_page_asks_for_nothing_and_allows_nothing_but_its_own(reading: Reading) -> None:
    text = page_of(reading)
    elements = _Elements(text)
    assert elements.of("link") == elements.of("img") == elements.of("iframe") == []
    assert elements.of("script") == [{}]
    assert len(elements.of("style")) == 1
    (policy,) = (m["content"] for m in elements.of("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert [
        a for _, a in elements.found if "style" in a or any(k.startswith("on") for k in a)
    ] == []
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}
    links = [a["href"] for a in elements.of("a")]
    assert all(link and link.startswith("#") for link in links)


def test_equal_runs_have_equal_pages(reading: Reading) -> None:
    assert page_of(reading) == page_of(reading)


def test_charts_have_names_descriptions_and_the_colours_of_the_page(reading: Reading) -> None:
    for chart in charts.by_disposition(figures.dispositions(reading.manifest)):
        (svg,) = _Elements(chart.svg).of("svg")
        assert svg["role"] == "img"
        assert svg["aria-labelledby"] == f"{chart.name}-title {chart.name}-desc"
        assert f'<desc id="{chart.name}-desc">{chart.description}</desc>' in chart.svg
        assert "var(--pay)" in chart.svg
        assert "#01010" not in chart.svg


# ---- hostile values -------------------------------------------------------------------------


def hostile(reading: Reading) -> Reading:
    """A night in which whatever a claim can have is out to be something else."""
    flagged = reading.tables["flagged_lines"]
    bad = pl.Series((list(HOSTILE) * flagged.height)[: flagged.height])
    claims = bad + pl.Series([f" {n}" for n in range(flagged.height)])
    texts = ("member_id", "primary_reason", "all_reasons", "rendering_npi", "ndc_code")
    columns = dict.fromkeys(texts, bad)
    other = flagged.with_columns(claim_id=claims, **columns)
    return replace(reading, tables={**reading.tables, "flagged_lines": other})


def hostile_stories(keys: Sequence[tuple[str, int]]) -> list[str]:
    """Stories as the templates would write them: escaped."""
    return [f"<article class='story'><p>{escape(claim)}</p></article>" for claim, _ in keys]


@pytest.mark.parametrize("masked", [True, False])
def test_no_value_becomes_a_part_of_the_page(reading: Reading, masked: bool) -> None:
    bad = hostile(reading)
    shown = Masking(KEY) if masked else NO_MASKING
    text = page_of(bad, shown, tell=hostile_stories)
    elements = _Elements(text)
    plain = _Elements(page_of(reading))
    assert elements.of("script") == [{}]
    assert elements.of("img") == []
    names = {name for name, _ in elements.found}
    assert names <= {name for name, _ in plain.found}
    assert not any(k.startswith("on") for _, attributes in elements.found for k in attributes)
    if not masked:
        keys = {row["data-key"] for row in elements.of("tr") if "data-key" in row}
        assert {f"{HOSTILE[0]} 0/1"} <= keys


def test_values_are_written_as_people_write_them() -> None:
    assert written(None, "money") == ""
    assert written(1234567, "count") == "1,234,567"
    assert written(Decimal("1234.5"), "money") == "1,234.50"
    assert written(Decimal("100.000000"), "units") == "100"
    assert written(Decimal("52.500000"), "units") == "52.5"
    assert written(0.123, "share") == "12.3%"
