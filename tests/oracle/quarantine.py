"""Which rows are not edited, and the names of every check that they failed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from .reading import DIAGNOSES, MODIFIERS, POINTERS, AuthorizationRow, ClaimRow

Rejection = tuple[str | None, str | None, frozenset[str]]
LineKey = tuple[str, int]


class Row(Protocol):
    """A row that was read; of its values some may not have been readable."""

    @property
    def values(self) -> dict[str, Any]: ...


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, eq=False)
class Line:
    """An in-scope line that is good to be edited."""

    raw: dict[str, str | None]
    claim_id: str
    claim_line_number: int
    claim_type: str
    member_id: str
    birth_date: date | None
    gender: str | None
    line_of_business: str
    member_state: str | None
    start: date
    end: date
    unclear: bool
    received_date: date | None
    hcpcs_code: str | None
    modifiers: tuple[str | None, ...]
    units: Decimal
    charge: Decimal
    ndc_code: str | None
    ndc: str | None
    ndc_quantity: Decimal | None
    ndc_unit: str | None
    diagnoses: tuple[str | None, ...]
    pointers: tuple[int | None, ...]
    authorization_number: str | None
    rendering_npi: str | None
    billing_npi: str | None
    frequency: str
    original_claim_id: str | None

    @property
    def key(self) -> LineKey:
        return self.claim_id, self.claim_line_number


@dataclass(frozen=True, eq=False)
class Authorization:
    number: str
    member_id: str
    hcpcs_code: str
    status: str
    effective: date
    expiration: date | None
    approved_units: Decimal | None
    request_type: str
    servicing_npi: str | None

    def covers(self, day: date) -> bool:
        return self.effective <= day and (self.expiration is None or day <= self.expiration)


def sort_out_claims(rows: list[ClaimRow]) -> tuple[list[Line], list[tuple[ClaimRow, set[str]]]]:
    """The good lines of the in-scope rows; the other rows with the checks they failed."""
    failed = [set(row.failed) for row in rows]
    mark_repeated_keys(rows, failed, claim_key)
    mark_conflicting_claims(rows, failed)
    good = [to_line(row) for row, names in zip(rows, failed, strict=True) if not names]
    bad = [(row, names) for row, names in zip(rows, failed, strict=True) if names]
    return good, bad


def sort_out_authorizations(
    rows: list[AuthorizationRow],
) -> tuple[list[Authorization], list[tuple[AuthorizationRow, set[str]]]]:
    failed = [set(row.failed) for row in rows]
    mark_repeated_keys(rows, failed, lambda row: row.values["authorization_number"])
    good = [to_authorization(row) for row, names in zip(rows, failed, strict=True) if not names]
    bad = [(row, names) for row, names in zip(rows, failed, strict=True) if names]
    return good, bad


def claim_key(row: ClaimRow) -> LineKey | None:
    claim, number = row.values["claim_id"], row.values["claim_line_number"]
    if claim is None or not isinstance(number, int) or number < 1:
        return None
    return claim, number


def mark_repeated_keys(
    rows: list[AnyRow], failed: list[set[str]], key_of: Callable[[AnyRow], Any]
) -> None:
    """Of equal rows with one key all but one are repeated; rows that differ all conflict."""
    groups: dict[Any, list[int]] = {}
    for position, row in enumerate(rows):
        if key_of(row) is not None:
            groups.setdefault(key_of(row), []).append(position)
    for positions in groups.values():
        first = all_values(rows[positions[0]])
        if all(all_values(rows[position]) == first for position in positions):
            for position in positions[1:]:
                failed[position].add("duplicate_row")
        else:
            for position in positions:
                failed[position].add("conflicting_key")


def all_values(row: Row) -> tuple[dict[str, Any], bool]:
    """What the row was read as, and whether the day of the dose is known."""
    return row.values, getattr(row, "unclear", False)


def mark_conflicting_claims(rows: list[ClaimRow], failed: list[set[str]]) -> None:
    for row, names in zip(rows, failed, strict=True):
        for other in rows:
            same_claim = row.values["claim_id"] == other.values["claim_id"]
            if row.values["claim_id"] is not None and same_claim and disagree(row, other):
                names.add("conflicting_claim")


def disagree(row: ClaimRow, other: ClaimRow) -> bool:
    columns = ("member_id", "claim_frequency_code", "original_claim_id")
    return any(row.values[column] != other.values[column] for column in columns)


def to_line(row: ClaimRow) -> Line:
    values = row.values
    return Line(
        raw=row.raw,
        claim_id=values["claim_id"],
        claim_line_number=values["claim_line_number"],
        claim_type=values["claim_type"],
        member_id=values["member_id"],
        birth_date=values["birth_date"],
        gender=values["gender"],
        line_of_business=values["line_of_business"],
        member_state=values["member_state"],
        start=values["claim_line_start_date"],
        end=values["claim_line_end_date"],
        unclear=row.unclear,
        received_date=values["received_date"],
        hcpcs_code=values["hcpcs_code"],
        modifiers=tuple(values[column] for column in MODIFIERS),
        units=values["service_unit_quantity"],
        charge=values["charge_amount"],
        ndc_code=values["ndc_code"],
        ndc=row.ndc,
        ndc_quantity=values["ndc_quantity"],
        ndc_unit=values["ndc_unit"],
        diagnoses=tuple(values[column] for column in DIAGNOSES),
        pointers=tuple(values[column] for column in POINTERS),
        authorization_number=values["authorization_number"],
        rendering_npi=values["rendering_npi"],
        billing_npi=values["billing_npi"],
        frequency=values["claim_frequency_code"],
        original_claim_id=values["original_claim_id"],
    )


def to_authorization(row: AuthorizationRow) -> Authorization:
    values = row.values
    return Authorization(
        number=values["authorization_number"],
        member_id=values["member_id"],
        hcpcs_code=values["hcpcs_code"],
        status=values["status"],
        effective=values["effective_date"],
        expiration=values["expiration_date"],
        approved_units=values["approved_units"],
        request_type=values["request_type"] or "initial",
        servicing_npi=values["servicing_npi"],
    )
