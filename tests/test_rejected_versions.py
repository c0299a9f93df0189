"""A rejected row is no version of a claim, and what its claim bills beside the drug is none either."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from claims_edit import runs
from claims_edit.contracts import AUTHORIZATIONS, CLAIMS
from claims_edit.settings import RunSettings
from tests.support import REFERENCE, Row, edit_rows, write_csv

AS_OF = date(2026, 2, 28)
DOSE: Row = {
    "claim_id": "C1",
    "claim_line_number": "1",
    "member_id": "M1",
    "birth_date": "1970-01-01",
    "gender": "female",
    "line_of_business": "commercial",
    "claim_line_start_date": "2026-01-12",
    "hcpcs_code": "J9207",
    "service_unit_quantity": "90",
    "charge_amount": "9000.00",
    "ndc_code": "70020-1911-01",
    "ndc_quantity": "2",
    "ndc_unit": "UN",
    "diagnosis_code_1": "C50.911",
}
AUTHORIZATION: Row = {
    "authorization_number": "A1",
    "member_id": "M1",
    "hcpcs_code": "J9207",
    "status": "approved",
    "effective_date": "2026-01-01",
    "expiration_date": "2026-06-30",
}
REPLACES: Row = {"claim_id": "C2", "claim_frequency_code": "7", "original_claim_id": "C1"}
VISIT: Row = {"claim_line_number": "2", "hcpcs_code": "96413", "ndc_code": None}


@pytest.mark.parametrize(
    ("units", "original", "rejected"),
    [("90", "superseded", 0), ("0", "pay", 1)],
    ids=["a good replacement counts", "a rejected one leaves the original as it was"],
)
def test_a_replacement_whose_dose_is_rejected(units: str, original: str, rejected: int) -> None:
    replacement = DOSE | REPLACES | {"service_unit_quantity": units}
    edited = edit_rows([DOSE, replacement, DOSE | REPLACES | VISIT], [AUTHORIZATION], as_of=AS_OF)
    assert edited.line("C1")["disposition"] == original
    assert edited.rejected_lines.height == rejected


def test_a_replacement_that_drops_the_drug_releases_its_units() -> None:
    edited = edit_rows([DOSE, DOSE | REPLACES | VISIT], [AUTHORIZATION], as_of=AS_OF)
    assert edited.line("C1")["disposition"] == "superseded"


def published(out: Path, run_id: str, claims: list[Row]) -> pl.DataFrame:
    """The lines of a night that is published."""
    settings = RunSettings(
        claims=(write_csv(out / f"{run_id}.csv", claims, list(CLAIMS.columns)),),
        authorizations=write_csv(out / "a.csv", [AUTHORIZATION], list(AUTHORIZATIONS.columns)),
        out=out,
        as_of=AS_OF,
        run_id=run_id,
        reference_data=REFERENCE,
    )
    return pl.read_parquet(runs.run(settings).folder / "lines.parquet")


@pytest.mark.parametrize(
    ("units", "original"),
    [("90", "superseded"), ("0", "pay")],
    ids=["a good replacement counts", "a rejected one leaves nothing to later nights"],
)
def test_a_replacement_whose_dose_is_rejected_a_night_before(
    tmp_path: Path, units: str, original: str
) -> None:
    replacement = DOSE | REPLACES | {"service_unit_quantity": units}
    published(tmp_path, "first", [replacement, DOSE | REPLACES | VISIT])
    assert published(tmp_path, "second", [DOSE])["disposition"].to_list() == [original]
