"""Raw claim rows read as the program reads them, without the edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import contracts, intake
from claims_edit.intake import ClaimRows
from claims_edit.members import Members, open_members
from claims_edit.scope import Scope
from tests.support import Row, reference_data, write_csv

DRUG = Scope(
    hcpcs_code="X0001",
    products=("012340056",),
    all_products=("012340056", "123456789"),
)


def claim(**cells: str | None) -> Row:
    """A sound in-scope row of the claims extract."""
    row: Row = {
        "claim_id": "C1",
        "claim_line_number": "1",
        "member_id": "M1",
        "birth_date": "1970-05-05",
        "gender": "female",
        "line_of_business": "commercial",
        "member_state": "TN",
        "claim_line_start_date": "2026-01-10",
        "hcpcs_code": "X0001",
        "service_unit_quantity": "10",
        "charge_amount": "100.00",
    }
    return row | cells


def read_rows(rows: Sequence[Row], members: Members | None = None) -> ClaimRows:
    columns = dict.fromkeys(contracts.CLAIM_SOURCE_COLUMNS)
    raw = pl.DataFrame([columns | row for row in rows], schema=dict.fromkeys(columns, pl.String))
    return intake.read_claim_rows(raw.with_row_index("row"), members)


def read_row(row: Row, members: Members | None = None) -> dict[str, Any]:
    """One row as it was read, with `failed`, the checks that it failed."""
    read = read_rows([row], members)
    return read.rows.row(0, named=True) | {"failed": sorted(read.failures["check"])}


def members_of(folder: Path, rows: Sequence[Row]) -> Members:
    """The members extract of `rows`, unread."""
    path = write_csv(folder / "members.csv", rows, ["member_id"])
    return Members(open_members(path), reference_data()["states"])


def read_file(path: Path, members: Members | None = None) -> intake.Claims:
    """The in-scope rows of a file, or of a folder of files."""
    return intake.read_claims(
        intake.open_claims([path], with_members=members is not None), members, DRUG
    )


def parquet(path: Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> Path:
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path, **options)
    return path
