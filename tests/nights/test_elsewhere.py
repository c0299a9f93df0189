"""Lines that another system allowed: a column that the file lacks is not compared by, unlike a null."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import runs
from claims_edit.contracts import ALLOWED_ELSEWHERE
from claims_edit.schemas import polars_type
from claims_edit.settings import RunSettings
from tests.oracle.examples import authorization, claim
from tests.oracle.extract import RawExtract
from tests.oracle.reading import RawRow
from tests.support import REFERENCE

AS_OF = date(2026, 12, 31)
BILLED = claim(
    claim_id="C2",
    service_unit_quantity=45,
    ndc_code="70020-1910-01",
    ndc_quantity=3,
    hcpcs_modifier_1="JZ",
)
ALLOWED: dict[str, Any] = {
    "claim_id": "C1",
    "claim_line_number": 1,
    "member_id": "M1",
    "claim_line_start_date": date.fromisoformat(BILLED["claim_line_start_date"] or ""),
    "hcpcs_code": "J9207",
    "allowed_units": 15,
    "billed_units": 45,
    "hcpcs_modifier_1": "JZ",
    "hcpcs_modifier_2": None,
    "ndc_code": "70020191001",
    "rendering_npi": "1111111111",
}
OTHER = {
    "billed_units": 60,
    "hcpcs_modifier_1": "JW",
    "ndc_code": "70020-1911-01",
    "rendering_npi": "2222222222",
}


def edits_of(folder: Path, allowed: dict[str, Any], authorized: RawRow | None = None) -> list[str]:
    """What is found of a line, after one that was allowed elsewhere."""
    types = {c: polars_type(ALLOWED_ELSEWHERE.columns[c]) for c in allowed}
    pl.DataFrame([allowed], schema=types).write_parquet(folder / "allowed.parquet")
    files = RawExtract([BILLED], [authorized or authorization()], None, AS_OF).write(folder)
    settings = RunSettings(
        claims=(files["claims"],),
        authorizations=files["authorizations"],
        out=folder / "out",
        as_of=AS_OF,
        run_id="tonight",
        reference_data=REFERENCE,
        history=folder / "allowed.parquet",
    )
    lines = pl.read_parquet(runs.run(settings).folder / "lines.parquet")
    return [edit for edits in lines["edit_ids"] for edit in edits]


def test_the_same_service_is_a_duplicate(tmp_path: Path) -> None:
    assert "duplicate-line" in edits_of(tmp_path, ALLOWED)


def test_what_was_allowed_nothing_is_repeated_by_nobody(tmp_path: Path) -> None:
    assert "duplicate-line" not in edits_of(tmp_path, ALLOWED | {"allowed_units": 0})


@pytest.mark.parametrize("column", OTHER)
@pytest.mark.parametrize("value", ["another", "null", "lacking"])
def test_each_column_is_compared_by_where_it_is_there(
    tmp_path: Path, column: str, value: str
) -> None:
    allowed = dict(ALLOWED)
    if value == "lacking":
        for name in [c for c in ALLOWED if c.startswith(column.rstrip("12"))]:
            del allowed[name]
    else:
        allowed[column] = OTHER[column] if value == "another" else None
    assert ("duplicate-line" in edits_of(tmp_path, allowed)) == (value == "lacking")


def test_a_file_with_keys_and_units_alone(tmp_path: Path) -> None:
    known = list(ALLOWED)[:6]
    assert "duplicate-line" in edits_of(tmp_path, {c: ALLOWED[c] for c in known})


@pytest.mark.parametrize("number", ["A1", "a1 ", " A1"])
def test_draws_are_of_the_authorization_however_it_is_written(tmp_path: Path, number: str) -> None:
    draws = [{"authorization_number": number, "units": 90}]
    allowed = ALLOWED | {"claim_line_start_date": date(2025, 12, 1), "authorization_draws": draws}
    edits = edits_of(tmp_path, allowed, authorization(approved_units=90))
    assert "authorization-units-exceeded" in edits
