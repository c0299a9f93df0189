"""What a line counts for once it was decided on, rule by rule, on both sides of each."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from claims_edit.contracts import LINES, PAST_COLUMNS
from claims_edit.decided import LINE_COLUMNS, binding, decided
from claims_edit.decision_contracts import DECIDED_LINES, DECIDED_ON, DECISIONS, DECISIONS_OF
from claims_edit.past import no_lines
from claims_edit.schemas import empty, polars_type, validated

Draws = list[dict[str, Any]]
DRUG = "J9207"
# A line that a limit cut: of 90 units it was allowed 30, which it drew.
CUT: dict[str, Any] = {
    "run_id": "first",
    "claim_id": "C1",
    "claim_line_number": 1,
    "member_id": "M1",
    "disposition": "partial",
    "billed_units": Decimal(90),
    "allowed_units": Decimal(30),
    "hcpcs_code": DRUG,
    "claim_frequency_code": "1",
    "governed": True,
    "service_date_unclear": False,
    "takes_part_in_limits": True,
    "matched_authorization_number": "A1",
    "authorization_draws": [{"authorization_number": "A2", "units": Decimal(30)}],
}
# A line that a finding denied: it took no part in the limits, and drew nothing.
DENIED = CUT | {
    "disposition": "deny",
    "allowed_units": Decimal(0),
    "takes_part_in_limits": False,
    "authorization_draws": [],
}
FLAGGED = CUT | {
    "disposition": "flag",
    "allowed_units": Decimal(90),
    "authorization_draws": [{"authorization_number": "A2", "units": Decimal(90)}],
}


def draw(number: str, units: int) -> dict[str, Any]:
    return {"authorization_number": number, "units": Decimal(units)}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = {c: polars_type(LINES.columns[c]) for c in LINE_COLUMNS}
    return pl.DataFrame(rows, schema={**columns, "run_id": pl.String()})


def decisions_on(line: dict[str, Any], made: str, **changes: Any) -> pl.DataFrame:
    of_decision = {
        "decision": made,
        "reason_code": "appeal-upheld",
        "decided_by": "an analyst",
        "decided_at": datetime(2026, 1, 2, tzinfo=UTC),
        "edit_ids": ["units-per-period"],
    }
    row = {c: line.get(c) for c in DECISIONS.columns} | of_decision | changes
    schema = {name: polars_type(column) for name, column in DECISIONS.columns.items()}
    return validated(DECISIONS, pl.DataFrame([row], schema=schema))


def counted(line: dict[str, Any], made: str) -> tuple[int, bool, Draws]:
    """The units, whether it takes part in limits, and the draws of a line that was decided on."""
    table = validated(DECIDED_LINES, binding(decisions_on(line, made), frame([line]), DRUG))
    (row,) = table.to_dicts()
    return int(row["counted_units"]), row["takes_part_in_limits"], row["authorization_draws"]


# ---- what was decided -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "made", "units", "takes_part", "draws"),
    [
        (CUT, "uphold", 30, True, [draw("A2", 30)]),
        (CUT, "override", 90, True, [draw("A2", 30), draw("A1", 60)]),
        (CUT, "documents", 30, True, [draw("A2", 30)]),
        (DENIED, "uphold", 0, False, []),
        (DENIED, "override", 90, True, [draw("A1", 90)]),
        (DENIED, "documents", 0, False, []),
        (FLAGGED, "uphold", 0, True, []),
        (FLAGGED, "override", 90, True, [draw("A2", 90)]),
        (FLAGGED, "documents", 90, True, [draw("A2", 90)]),
    ],
    ids=[f"{made} of {what}" for what in ("partial", "deny", "flag") for made in DECISIONS_OF],
)
def test_each_decision_on_each_disposition(
    line: dict[str, Any], made: str, units: int, takes_part: bool, draws: Draws
) -> None:
    assert counted(line, made) == (units, takes_part, draws)


@pytest.mark.parametrize(
    "facts",
    [
        {"governed": False},
        {"hcpcs_code": "J9999"},
        {"hcpcs_code": None},
        {"service_date_unclear": True},
    ],
    ids=str,
)
def test_a_line_that_limits_do_not_count_is_allowed_and_draws_nothing(
    facts: dict[str, Any],
) -> None:
    assert counted(DENIED | facts, "override") == (90, False, [])


def test_a_run_that_did_not_say_whether_the_day_is_known() -> None:
    assert counted(DENIED | {"service_date_unclear": None}, "override")[:2] == (90, True)


def test_without_a_matched_authorization_nothing_is_drawn() -> None:
    line = DENIED | {"matched_authorization_number": None}
    assert counted(line, "override") == (90, True, [])


def test_a_line_that_voids_allows_nothing() -> None:
    line = FLAGGED | {"allowed_units": Decimal(0), "authorization_draws": []}
    void = line | {"claim_frequency_code": "8", "takes_part_in_limits": False}
    assert counted(void, "override") == (0, False, [])


# ---- when it binds --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seen",
    [
        {"run_id": "second"},
        {"claim_id": "C2"},
        {"claim_line_number": 2},
        {"member_id": "M2"},
        {"disposition": "deny"},
        {"billed_units": Decimal(91)},
        {"allowed_units": Decimal("30.000001")},
    ],
    ids=lambda seen: next(iter(seen)),
)
def test_it_binds_while_all_that_was_seen_is_so(seen: dict[str, Any]) -> None:
    assert binding(decisions_on(CUT, "override"), frame([CUT]), DRUG).height == 1
    assert binding(decisions_on(CUT, "override", **seen), frame([CUT]), DRUG).height == 0


# ---- lines of history -----------------------------------------------------------------------


def past(*lines: dict[str, Any]) -> pl.DataFrame:
    types = {c: polars_type(LINES.columns[c]) for c in PAST_COLUMNS}
    rows = [{c: line.get(c) for c in (*PAST_COLUMNS, "run_id")} for line in lines]
    frame = pl.DataFrame(rows, schema={**types, "run_id": pl.String()})
    return frame.with_columns(run=pl.lit(1, pl.Int64)).select(c for c in no_lines().columns[:-1])


def test_lines_that_nobody_decided_on_stay_as_they_are() -> None:
    lines = past(CUT, CUT | {"claim_id": "C2"}, CUT | {"run_id": "second"})
    alone = decided(lines, empty(DECIDED_LINES))
    assert alone.equals(lines.with_columns(settled=False))
    assert alone.columns == no_lines().columns
    beside = decided(lines, binding(decisions_on(CUT, "override"), frame([CUT]), DRUG))
    assert beside[1:].equals(alone[1:])
    assert beside.schema == alone.schema


@pytest.mark.parametrize("made", DECISIONS_OF)
@pytest.mark.parametrize("line", [FLAGGED, CUT, DENIED], ids=DECIDED_ON)
def test_a_line_of_history_is_what_it_counts_for(line: dict[str, Any], made: str) -> None:
    bound = binding(decisions_on(line, made), frame([line]), DRUG)
    (row,) = decided(past(line), bound).to_dicts()
    units, takes_part, draws = counted(line, made)
    assert (row["allowed_units"], row["takes_part_in_limits"]) == (units, takes_part)
    assert row["authorization_draws"] == draws
    assert row["settled"] == (made == "uphold")
