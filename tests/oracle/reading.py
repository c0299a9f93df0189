"""From the text of a row to its values, with the names of the columns that cannot be read."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .reference import Reference

RawRow = dict[str, str | None]

MODIFIERS = [f"hcpcs_modifier_{n}" for n in range(1, 5)]
DIAGNOSES = [f"diagnosis_code_{n}" for n in range(1, 26)]
POINTERS = [f"diagnosis_pointer_{n}" for n in range(1, 5)]
LINES_OF_BUSINESS = {"commercial", "marketplace", "medicaid", "medicare"}
GENDERS = {"female", "male", "unknown"}
CLAIM_TYPES = {"professional", "institutional"}
STATUSES = {"approved", "denied", "pending", "cancelled"}
REQUEST_TYPES = {"initial", "renewal"}
NOT_NULL_IN_CLAIMS = (
    "claim_id",
    "claim_line_number",
    "member_id",
    "line_of_business",
    "claim_line_start_date",
    "service_unit_quantity",
    "charge_amount",
)
NOT_NULL_IN_AUTHORIZATIONS = (
    "authorization_number",
    "member_id",
    "hcpcs_code",
    "status",
    "effective_date",
)


@dataclass(frozen=True)
class Unread:
    """A text that cannot be read as what its column holds."""

    text: str


@dataclass(frozen=True, eq=False)
class ClaimRow:
    raw: RawRow
    values: dict[str, Any]
    failed: frozenset[str]
    ndc: str | None
    in_scope: bool
    unclear: bool


@dataclass(frozen=True, eq=False)
class AuthorizationRow:
    raw: RawRow
    values: dict[str, Any]
    failed: frozenset[str]


# Single values


def text_of(row: RawRow, column: str) -> str | None:
    value = row.get(column)
    return None if value is None else (value.strip() or None)


def upper_of(row: RawRow, column: str) -> str | None:
    text = text_of(row, column)
    return None if text is None else text.upper()


def read_date(text: str | None) -> date | Unread | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})", text)
    if match is None:
        return Unread(text)
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return Unread(text)


def read_decimal(text: str | None, before: int, after: int) -> Decimal | Unread | None:
    """A plain decimal with at most so many digits before and after its point."""
    if text is None:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        return Unread(text)
    whole, _, fraction = text.lstrip("+-").partition(".")
    if len(whole.lstrip("0")) > before or len(fraction.rstrip("0")) > after:
        return Unread(text)
    return Decimal(text)


def read_integer(text: str | None) -> int | Unread | None:
    number = read_decimal(text, before=18, after=0)
    return int(number) if isinstance(number, Decimal) else number


def read_word(text: str | None, words: set[str]) -> str | Unread | None:
    if text is None:
        return None
    return text.lower() if text.lower() in words else Unread(text.lower())


def read_state(text: str | None) -> str | Unread | None:
    if text is None:
        return None
    return text.upper() if re.fullmatch(r"[A-Za-z]{2}", text) else Unread(text.upper())


def read_diagnosis(row: RawRow, column: str) -> str | None:
    code = upper_of(row, column)
    return None if code is None else code.replace(".", "") or None


def ndc_digits(text: str | None, reference: Reference) -> str | None:
    """The 11 digits of an NDC in any notation, or nothing when it is not an NDC."""
    if text is None:
        return None
    text = text.removeprefix("N4")
    if re.fullmatch(r"[0-9]{11}", text):
        return text
    hyphenated = re.fullmatch(r"([0-9]+)-([0-9]+)-([0-9]+)", text)
    if hyphenated is not None:
        parts = hyphenated.groups()
        lengths = tuple(len(part) for part in parts)
        if lengths in {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)}:
            return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
        return None
    if re.fullmatch(r"[0-9]{10}", text):
        readings = ["0" + text, text[:5] + "0" + text[5:], text[:9] + "0" + text[9:]]
        known = [reading for reading in readings if reference.is_any_product(reading)]
        return known[0] if len(known) == 1 else None
    return None


# Members


def first_text(row: RawRow, *columns: str) -> str | None:
    for column in columns:
        text = text_of(row, column)
        if text is not None:
            return text
    return None


def any_member_id(row: RawRow) -> str | None:
    return first_text(row, "member_id", "person_id", "patient_id")


def member_row(members: list[RawRow], member_id: str | None, day: date | None) -> RawRow:
    """The row of a member that speaks for the day; an empty row when there is none."""
    rows = [row for row in members if member_id is not None and any_member_id(row) == member_id]
    covering = [row for row in rows if day is not None and enrollment_covers(row, day)]
    candidates = covering or rows
    candidates.sort(key=values_as_text)
    candidates.sort(key=latest_enrollment_first)
    return candidates[0] if candidates else {}


def enrollment(row: RawRow) -> tuple[date | None, date | None]:
    start = read_date(text_of(row, "enrollment_start_date"))
    end = read_date(text_of(row, "enrollment_end_date"))
    return (start if isinstance(start, date) else None), (end if isinstance(end, date) else None)


def enrollment_covers(row: RawRow, day: date) -> bool:
    start, end = enrollment(row)
    return (start is None or start <= day) and (end is None or day <= end)


def latest_enrollment_first(row: RawRow) -> tuple[int, int]:
    start, end = enrollment(row)
    return -(start or date.min).toordinal(), -(end or date.max).toordinal()


def values_as_text(row: RawRow) -> list[tuple[bool, str]]:
    """What is known comes before what is not."""
    texts = [text_of(row, name) for name in ("birth_date", "gender", "state", "payer_type")]
    return [(text is None, text or "") for text in texts]


def state_of_member(row: RawRow, reference: Reference) -> str | None:
    text = text_of(row, "state")
    if text is None:
        return None
    two_letters = read_state(text)
    return two_letters if isinstance(two_letters, str) else reference.states.get(text.upper())


# Rows


def read_claim(raw: RawRow, members: list[RawRow], reference: Reference) -> ClaimRow:
    values: dict[str, Any] = {
        "claim_id": text_of(raw, "claim_id"),
        "claim_line_number": read_integer(text_of(raw, "claim_line_number")),
        "claim_type": read_word(text_of(raw, "claim_type"), CLAIM_TYPES) or "professional",
        "member_id": any_member_id(raw),
        "received_date": read_date(text_of(raw, "received_date")),
        "hcpcs_code": upper_of(raw, "hcpcs_code"),
        "service_unit_quantity": read_decimal(text_of(raw, "service_unit_quantity"), 12, 6),
        "charge_amount": read_decimal(text_of(raw, "charge_amount"), 16, 2),
        "ndc_code": upper_of(raw, "ndc_code"),
        "ndc_quantity": read_decimal(text_of(raw, "ndc_quantity"), 12, 6),
        "ndc_unit": upper_of(raw, "ndc_unit"),
        "authorization_number": upper_of(raw, "authorization_number"),
        "original_claim_id": text_of(raw, "original_claim_id"),
    }
    for column in ("rendering_npi", "billing_npi", "place_of_service_code", "bill_type_code"):
        values[column] = text_of(raw, column)
    for column in MODIFIERS:
        values[column] = upper_of(raw, column)
    for column in DIAGNOSES:
        values[column] = read_diagnosis(raw, column)
    for column in POINTERS:
        values[column] = read_integer(text_of(raw, column))
    values["claim_frequency_code"] = frequency(raw, values["claim_type"])
    unclear = read_service_dates(raw, values)
    read_person(raw, values, members, reference)
    ndc = ndc_digits(values["ndc_code"], reference)
    return ClaimRow(
        raw=raw,
        values=values,
        failed=failed_claim_checks(values),
        ndc=ndc,
        in_scope=values["hcpcs_code"] == reference.hcpcs_code
        or (ndc is not None and reference.is_product_of_drug(ndc)),
        unclear=unclear,
    )


def frequency(raw: RawRow, claim_type: str | Unread) -> str:
    code = text_of(raw, "claim_frequency_code")
    if code is None and claim_type == "institutional":
        code = (text_of(raw, "bill_type_code") or "1")[-1]
    return code if code in {"7", "8"} else "1"


def read_service_dates(raw: RawRow, values: dict[str, Any]) -> bool:
    """Reads both dates of the line; tells whether the day of the dose is not known."""
    own_start = text_of(raw, "claim_line_start_date")
    if own_start is not None:
        start, end = read_date(own_start), read_date(text_of(raw, "claim_line_end_date"))
    else:
        start = read_date(text_of(raw, "claim_start_date"))
        end = read_date(text_of(raw, "claim_end_date"))
    if end is None and isinstance(start, date):
        end = start
    values["claim_line_start_date"] = start
    values["claim_line_end_date"] = end
    both = isinstance(start, date) and isinstance(end, date)
    return own_start is None and both and start != end


def read_person(
    raw: RawRow, values: dict[str, Any], members: list[RawRow], reference: Reference
) -> None:
    """Reads what the members extract completes where the claim is silent."""
    day = values["claim_line_start_date"]
    person = member_row(members, values["member_id"], day if isinstance(day, date) else None)
    values["birth_date"] = read_date(text_of(raw, "birth_date") or text_of(person, "birth_date"))
    values["gender"] = read_word(text_of(raw, "gender") or text_of(person, "gender"), GENDERS)
    values["line_of_business"] = read_word(
        text_of(raw, "line_of_business") or text_of(person, "payer_type"), LINES_OF_BUSINESS
    )
    own_state = text_of(raw, "member_state")
    if own_state is not None:
        values["member_state"] = read_state(own_state)
    else:
        values["member_state"] = state_of_member(person, reference)


def failed_claim_checks(values: dict[str, Any]) -> frozenset[str]:
    failed = {column for column, value in values.items() if isinstance(value, Unread)}
    failed |= {column for column in NOT_NULL_IN_CLAIMS if values[column] is None}
    number = values["claim_line_number"]
    if isinstance(number, int) and number < 1:
        failed.add("claim_line_number")
    units = values["service_unit_quantity"]
    if isinstance(units, Decimal) and units <= 0:
        failed.add("service_unit_quantity")
    for column in ("charge_amount", "ndc_quantity"):
        if isinstance(values[column], Decimal) and values[column] < 0:
            failed.add(column)
    for column in POINTERS:
        if isinstance(values[column], int) and not 1 <= values[column] <= 25:
            failed.add(column)
    start, end = values["claim_line_start_date"], values["claim_line_end_date"]
    birth = values["birth_date"]
    if isinstance(start, date) and isinstance(end, date) and end < start:
        failed.add("claim_line_end_date")
    if isinstance(start, date) and isinstance(birth, date) and birth > start:
        failed.add("birth_date")
    return frozenset(failed)


def read_authorization(raw: RawRow) -> AuthorizationRow:
    values: dict[str, Any] = {
        "authorization_number": upper_of(raw, "authorization_number"),
        "member_id": text_of(raw, "member_id"),
        "hcpcs_code": upper_of(raw, "hcpcs_code"),
        "status": read_word(text_of(raw, "status"), STATUSES),
        "effective_date": read_date(text_of(raw, "effective_date")),
        "expiration_date": read_date(text_of(raw, "expiration_date")),
        "approved_units": read_decimal(text_of(raw, "approved_units"), 12, 6),
        "request_type": read_word(text_of(raw, "request_type"), REQUEST_TYPES),
        "servicing_npi": text_of(raw, "servicing_npi"),
    }
    failed = {column for column, value in values.items() if isinstance(value, Unread)}
    failed |= {column for column in NOT_NULL_IN_AUTHORIZATIONS if values[column] is None}
    effective, expiration = values["effective_date"], values["expiration_date"]
    if isinstance(effective, date) and isinstance(expiration, date) and expiration < effective:
        failed.add("expiration_date")
    return AuthorizationRow(raw, values, frozenset(failed))
