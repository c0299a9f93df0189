"""The people of a night, what the members extract says of them, and their authorizations."""

from datetime import date, timedelta

from .dice import NPIS, Dice, Person, Row
from .drugs import Drug
from .noise import with_noise
from .reading import RawRow

BAD_AUTHORIZATION_CELLS = {
    "authorization_number": ("",),
    "member_id": ("",),
    "hcpcs_code": ("",),
    "status": ("open", ""),
    "effective_date": ("2025-13-01", ""),
    "expiration_date": ("2001-01-01", "never"),
    "approved_units": ("1e3", "many"),
    "request_type": ("other",),
}


def person(dice: Dice, drug: Drug, anchor: date, member_id: str) -> Person:
    return Person(
        member_id=member_id,
        birth_date=birth_date(dice, drug, anchor),
        gender=dice.weighted({"female": 12, "male": 2, "unknown": 1, "": 1}),
        state=dice.weighted({drug.program_state: 4, "GA": 2, "CA": 1, "": 1}),
        line_of_business=dice.weighted(
            {"commercial": 8, "marketplace": 3, "medicaid": 4, "medicare": 1}
        ),
        told_by=dice.weighted({"claims": 5, "both": 2, "members": 2}),
    )


def birth_date(dice: Dice, drug: Drug, anchor: date) -> str:
    """Grown up; not told; or about to complete the policy's years, on 29 February too."""
    kind = dice.weighted({"adult": 14, "unknown": 1, "near": 2, "leap": 1})
    if kind == "adult":
        return "1970-05-05"
    if kind == "unknown":
        return ""
    year = anchor.year - drug.minimum_age
    if kind == "leap":
        return date(year - year % 4, 2, 29).isoformat()
    day = anchor + timedelta(days=dice.one_of((0, 1, -1, 20, 21)))
    return date(day.year - drug.minimum_age, day.month, min(day.day, 28)).isoformat()


def members_of(dice: Dice, anchor: date, people: list[Person]) -> list[RawRow] | None:
    told = [one for one in people if one.told_by != "claims"]
    if not told and dice.rarely(50):
        return None
    id_column = dice.weighted({"member_id": 3, "person_id": 1, "patient_id": 1})
    rows = []
    for one in told:
        row = {
            id_column: one.member_id,
            "birth_date": one.birth_date,
            "gender": one.gender,
            "state": one.state,
            "payer_type": one.line_of_business,
            "enrollment_start_date": "2025-01-01",
            "enrollment_end_date": dice.weighted({"": 2, "2029-12-31": 1}),
        }
        if dice.rarely(15):
            row["state"] = dice.one_of(("Tennessee", "tennessee", "Nowhere", "tn"))
        if dice.rarely(4):
            column = dice.one_of(("birth_date", "gender", "payer_type", "enrollment_start_date"))
            row[column] = "?"
        rows.append(with_noise(dice, row))
        if dice.rarely(35):
            rows.append(with_noise(dice, row | other_enrollment(dice, anchor)))
    return [dict(row) for row in rows]


def other_enrollment(dice: Dice, anchor: date) -> Row:
    """A second row of a member, which may or may not be the one to read."""
    start = dice.one_of(("", "2024-01-01", anchor.isoformat(), "2025-01-01"))
    end = dice.one_of((anchor.isoformat(), "2025-06-30", "2030-12-31"))
    other = {"birth_date": "1969-01-01", "gender": "male", "state": "AL", "payer_type": "medicare"}
    column = dice.one_of(other)
    return {
        "enrollment_start_date": start if start < end else "",
        "enrollment_end_date": end,
        column: other[column],
    }


# Authorizations


def authorizations_of(dice: Dice, drug: Drug, anchor: date, one: Person, prefix: str) -> list[Row]:
    rows, most = [], drug.max_units
    if not dice.rarely(12):
        rows.append(
            authorization(
                one.member_id,
                drug.hcpcs,
                f"{prefix}1",
                dice.weighted({"approved": 14, "pending": 1, "denied": 1, "cancelled": 1}),
                anchor - timedelta(days=dice.weighted({0: 6, 30: 3, 1: 3, -10: 1})),
                anchor + timedelta(days=dice.weighted({100: 8, 45: 3, 21: 1, 20: 1, 0: 1})),
                dice.weighted(
                    {"": 3, "1000": 2, str(2 * most): 2, str(most * 4 // 3): 1, str(most): 1}
                ),
                request_type=dice.weighted({"initial": 3, "renewal": 2, "": 1}),
            )
        )
    for number in range(2, 2 + dice.weighted({0: 4, 1: 4, 2: 2})):
        start = anchor + timedelta(days=dice.one_of((-40, -1, 0, 1, 20, 21, 60)))
        rows.append(
            authorization(
                one.member_id,
                dice.weighted({drug.hcpcs: 8, "J9355": 1}),
                f"{prefix}{number}",
                dice.weighted({"approved": 6, "pending": 2, "denied": 2, "cancelled": 1}),
                start,
                dice.one_of((start + timedelta(days=30), start, start + timedelta(days=7), None)),
                dice.one_of((str(most * 2 // 3), "", str(most // 2), "0", f"{most // 7}.5")),
                request_type=dice.one_of(("renewal", "initial", "")),
            )
        )
    for row in rows:
        if dice.rarely(25):
            row["servicing_npi"] = dice.one_of(NPIS)
        if dice.rarely(8):
            row["expiration_date"] = span_end(dice, drug, row["effective_date"])
    return rows


def authorization(
    member: str,
    hcpcs: str,
    number: str,
    status: str,
    effective: date,
    expiration: date | None,
    units: str,
    *,
    request_type: str = "initial",
) -> Row:
    return {
        "authorization_number": number,
        "member_id": member,
        "hcpcs_code": hcpcs,
        "status": status,
        "effective_date": effective.isoformat(),
        "expiration_date": expiration.isoformat() if expiration else "",
        "approved_units": units,
        "request_type": request_type,
        "servicing_npi": "",
    }


def span_end(dice: Dice, drug: Drug, effective: str) -> str:
    """About as long as the policy allows; the exact day only where every month has it."""
    start = date.fromisoformat(effective)
    months = start.month - 1 + drug.authorization_months
    end = date(start.year + months // 12, months % 12 + 1, min(start.day, 28))
    return (end + timedelta(days=dice.one_of((0, 1, 3, 400)))).isoformat()


def spoil_authorizations(dice: Dice, rows: list[Row]) -> None:
    for row in list(rows):
        if dice.rarely(5):
            column = dice.one_of(BAD_AUTHORIZATION_CELLS)
            row[column] = dice.one_of(BAD_AUTHORIZATION_CELLS[column])
    if rows and dice.rarely(8):
        rows.append(dict(dice.one_of(rows)))
    if rows and dice.rarely(6):
        rows.append(dice.one_of(rows) | {"approved_units": "77"})
    if rows and dice.rarely(15):
        rows.append(dice.one_of(rows) | {"authorization_number": "B1", "status": "?"})
