"""A line that pays, and what an edited night says in short."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import EarlierRun, Night, edit_night
from .reading import RawRow

REFERENCE_DATA = Path(__file__).resolve().parents[2] / "reference_data"
START = date(2026, 1, 10)


def claim(**cells: Any) -> RawRow:
    """A line that pays under the authorization below."""
    row: RawRow = {
        "claim_id": "C1",
        "claim_line_number": "1",
        "claim_type": "professional",
        "member_id": "M1",
        "birth_date": "1970-05-05",
        "gender": "female",
        "line_of_business": "commercial",
        "member_state": "GA",
        "claim_line_start_date": START.isoformat(),
        "received_date": "2026-06-01",
        "hcpcs_code": "J9207",
        "service_unit_quantity": "90",
        "charge_amount": "900.00",
        "ndc_code": "70020-1911-01",
        "ndc_quantity": "2",
        "ndc_unit": "UN",
        "diagnosis_code_1": "C50.911",
        "rendering_npi": "1111111111",
    }
    return row | {column: str(value) for column, value in cells.items()}


def authorization(**cells: Any) -> RawRow:
    row: RawRow = {
        "authorization_number": "A1",
        "member_id": "M1",
        "hcpcs_code": "J9207",
        "status": "approved",
        "effective_date": "2026-01-01",
        "expiration_date": "2026-07-01",
        "approved_units": "",
    }
    return row | {column: str(value) for column, value in cells.items()}


def documented(**cells: Any) -> RawRow:
    """Facts that meet the criteria of IC-0072: HER2 positive, with trastuzumab, fourth line."""
    row: RawRow = {
        "authorization_number": "A1",
        "cremophor_hypersensitivity": "false",
        "disease_extent": "metastatic",
        "her2_ihc": "3",
        "her2_test_approved": "true",
        "regimen": "with_trastuzumab",
        "line_of_therapy": "4",
        "bsa_m2": "2.2",
    }
    return row | {column: str(value) for column, value in cells.items()}


def partner(offset: int = 0, **cells: Any) -> RawRow:
    """A line of trastuzumab, without what a line of the drug must have."""
    row: RawRow = {
        "claim_id": "P1",
        "member_id": "M1",
        "claim_line_start_date": day(offset),
        "hcpcs_code": "J9355",
    }
    return row | {column: str(value) for column, value in cells.items()}


AUTHORIZED = [authorization()]


def edit(
    claims: list[RawRow],
    authorizations: list[RawRow] = AUTHORIZED,
    members: list[RawRow] | None = None,
    as_of: date = date(2026, 12, 31),
    clinical: list[RawRow] | None = None,
    policy_id: str = "prime-ic-0072",
    version: str | None = None,
) -> Night:
    return edit_night(
        claims,
        authorizations,
        members,
        reference_dir=REFERENCE_DATA,
        policy_id=policy_id,
        version=version,
        as_of=as_of,
        clinical=clinical,
    )


class Nights:
    """Nights that are edited one after another, each of them seeing those before it."""

    def __init__(self, elsewhere: list[dict[str, Any]] | None = None) -> None:
        self.elsewhere = elsewhere or []
        self.runs: list[EarlierRun] = []

    def edit(
        self,
        *claims: RawRow,
        authorizations: list[RawRow] = AUTHORIZED,
        clinical: list[RawRow] | None = None,
    ) -> Night:
        night = edit_night(
            list(claims),
            authorizations,
            None,
            reference_dir=REFERENCE_DATA,
            policy_id="prime-ic-0072",
            as_of=date(2026, 12, 31),
            clinical=clinical,
            history=self.runs,
            elsewhere=self.elsewhere,
        )
        self.runs = [*self.runs, EarlierRun(f"night-{len(self.runs) + 1}", night.kept)]
        return night


def billed(claim_id: str, offset: int, units: int = 90, **cells: Any) -> RawRow:
    """A claim of some days after the first, in the smallest packages."""
    return claim(
        claim_id=claim_id,
        claim_line_start_date=day(offset),
        service_unit_quantity=units,
        ndc_code="70020-1910-01",
        ndc_quantity=units // 15,
        **cells,
    )


def replacing(original: str) -> RawRow:
    return {"claim_frequency_code": "7", "original_claim_id": original}


def voiding(original: str) -> RawRow:
    return {"claim_frequency_code": "8", "original_claim_id": original}


WITHOUT_THE_DRUG: RawRow = {"hcpcs_code": "96413", "ndc_code": ""}


def day(offset: int) -> str:
    return (START + timedelta(days=offset)).isoformat()


def outcome(night: Night) -> dict[str, tuple[str, Decimal]]:
    return {row["claim_id"]: (row["disposition"], row["allowed_units"]) for row in night.lines}


def dispositions(night: Night) -> dict[str, str]:
    return {row["claim_id"]: row["disposition"] for row in night.lines}


def verdicts(night: Night) -> set[str]:
    return {f"{row['edit_id']}:{row['verdict']}" for row in night.findings}


def rejections(night: Night) -> list[tuple[str | None, list[str]]]:
    return [(claim_id, sorted(names)) for claim_id, _, names in night.rejected_lines]
