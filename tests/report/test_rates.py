"""How often each edit was overridden: one count for the report, its workbook and the review."""

from __future__ import annotations

import polars as pl

from claims_edit.report import figures
from claims_edit.report.rates import override_rates

COLUMNS = ("primary_edit_id", "decision", "reason_code")


def decisions(*rows: tuple[str | None, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


MADE = decisions(
    *[("often", "override", code) for code in ("b", "a", "c", "a", "b", "a", "d", None)],
    *[("often", "uphold", "a")] * 8,
    ("always", "override", "other"),
    ("never", "uphold", None),
    ("waiting", "documents", "a"),
    (None, "override", "other"),
    (None, "uphold", None),
)


def test_the_highest_rate_is_first_and_null_where_nothing_was_final() -> None:
    assert override_rates(MADE).select("edit_id", "rate").rows() == [
        ("always", 1.0),
        ("often", 0.5),
        (None, 0.5),
        ("never", 0.0),
        ("waiting", None),
    ]


def test_each_decision_is_counted_and_the_reasons_are_those_of_overrides() -> None:
    rows = {row["edit_id"]: row for row in override_rates(MADE).to_dicts()}
    assert rows["often"] == {
        "edit_id": "often",
        "decided": 16,
        "uphold": 8,
        "override": 8,
        "documents": 0,
        "rate": 0.5,
        "reasons": "a 3, b 2, c 1",
    }
    assert (rows["waiting"]["documents"], rows["waiting"]["reasons"]) == (1, "")
    assert rows[None]["decided"] == 2


def test_the_order_of_the_decisions_is_nothing() -> None:
    assert override_rates(MADE.reverse()).equals(override_rates(MADE))


def test_without_decisions_there_is_no_row() -> None:
    assert override_rates(decisions()).height == 0


def test_the_table_of_the_report_has_the_same_rows() -> None:
    assert figures.decided(MADE).rows == override_rates(MADE).rows()
