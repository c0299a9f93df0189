"""Raw extracts of a night, dense in lines that touch each other and in dates that matter.

Most lines are good and would pay; then one thing at a time is changed, and limits, versions and
repeated lines do the rest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from .drugs import IXABEPILONE, Drug, Package
from .extract import RawExtract, coverage_of
from .reading import RawRow

__all__ = ["IXABEPILONE", "Drug", "Package", "RawExtract", "coverage_of", "nights"]

T = TypeVar("T")
Row = dict[str, str]

BAD_CLAIM_CELLS = {
    "claim_id": ("",),
    "claim_line_number": ("", "0", "1.5", "one"),
    "claim_type": ("dental",),
    "member_id": ("",),
    "birth_date": ("1970/05/05", "2999-01-01"),
    "gender": ("f",),
    "line_of_business": ("other", ""),
    "member_state": ("Tenn.",),
    "claim_line_start_date": ("2026-02-30", ""),
    "claim_line_end_date": ("2001-01-01", "20261301"),
    "received_date": ("yesterday",),
    "service_unit_quantity": ("", "0", "-1", "1e2", "1,000", "1000000000000", "90.1234567"),
    "charge_amount": ("", "-0.01", "10.001", "$10"),
    "ndc_quantity": ("-1", "two"),
    "diagnosis_pointer_1": ("0", "A"),
    "diagnosis_pointer_2": ("26",),
}
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
NPIS = ("1111111111", "2222222222", "3333333333")


class Dice:
    """Draws from a night's example; what stands first is what a failure shrinks to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one_of(self, options: Iterable[T]) -> T:
        return self._draw(st.sampled_from(list(options)))

    def weighted(self, options: dict[T, int]) -> T:
        """The first option stands at both ends, since the ends are drawn too often."""
        (usual, weight), *others = options.items()
        middle = [option for option, times in others for _ in range(times)]
        return self.one_of([usual] * (weight - weight // 2) + middle + [usual] * (weight // 2))

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def rarely(self, percent: int) -> bool:
        return 30 <= self.number(0, 99) < 30 + percent  # the ends of a range are drawn too often


@dataclass(frozen=True)
class Person:
    member_id: str
    birth_date: str
    gender: str
    state: str
    line_of_business: str
    told_by: str  # claims, members or both


@dataclass
class Claim:
    claim_id: str
    person: Person
    claim_type: str
    day: date
    frequency: str = ""
    original: str = ""
    received: str = ""
    lines: list[Row] = field(default_factory=list)


@st.composite
def nights(draw: st.DrawFn, drug: Drug = IXABEPILONE, max_claims: int = 6) -> RawExtract:
    dice = Dice(draw)
    anchor = dice.one_of(drug.anchors)
    people = [person(dice, drug, anchor, f"M{n}") for n in range(1, dice.number(2, 4) + 1)]
    authorizations = [
        row
        for number, one in enumerate(people)
        for row in authorizations_of(dice, drug, anchor, one, f"A{number}")
    ]
    spoil_authorizations(dice, authorizations)
    numbers = [row["authorization_number"] for row in authorizations] or [""]
    claims = [
        claim(dice, drug, anchor, people, f"C{n}") for n in range(1, dice.number(1, max_claims) + 1)
    ]
    for one in claims:
        one.lines = lines_of(dice, drug, one, numbers)
    link_versions(dice, claims)
    send_again(dice, drug, claims)
    rows = [row for one in claims for row in rows_of(dice, one)]
    rows += out_of_scope_rows(dice, drug, claims)
    spoil_rows(dice, rows)
    return RawExtract(
        claims=shuffled(dice, [raw(with_noise(dice, row)) for row in rows]),
        authorizations=[raw(with_noise(dice, row)) for row in authorizations],
        members=members_of(dice, anchor, people),
        as_of=anchor + timedelta(days=dice.weighted({200: 20, 20: 1, 0: 1})),
    )


def raw(row: Row) -> RawRow:
    return dict(row)


def shuffled(dice: Dice, rows: list[RawRow]) -> list[RawRow]:
    return rows[::-1] if dice.rarely(50) else rows


# People


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
    return [raw(row) for row in rows]


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
    rows = []
    if not dice.rarely(8):
        rows.append(
            authorization(
                one.member_id,
                drug.hcpcs,
                f"{prefix}1",
                dice.weighted({"approved": 14, "pending": 1, "denied": 1, "cancelled": 1}),
                anchor - timedelta(days=dice.one_of((0, 30, 1))),
                anchor + timedelta(days=dice.weighted({100: 8, 45: 3, 21: 1, 20: 1, 0: 1})),
                dice.weighted({"": 3, "1000": 2, "180": 2, "120": 1, "90": 1}),
            )
        )
    for number in range(2, 2 + dice.weighted({0: 5, 1: 3, 2: 1})):
        start = anchor + timedelta(days=dice.one_of((-40, -1, 0, 1, 20, 21, 60)))
        rows.append(
            authorization(
                one.member_id,
                dice.weighted({drug.hcpcs: 8, "J9355": 1}),
                f"{prefix}{number}",
                dice.weighted({"approved": 6, "pending": 2, "denied": 2, "cancelled": 1}),
                start,
                dice.one_of((start + timedelta(days=30), start, start + timedelta(days=7), None)),
                dice.one_of(("60", "", "45", "0", "12.5")),
            )
        )
    for row in rows:
        if dice.rarely(10):
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
) -> Row:
    return {
        "authorization_number": number,
        "member_id": member,
        "hcpcs_code": hcpcs,
        "status": status,
        "effective_date": effective.isoformat(),
        "expiration_date": expiration.isoformat() if expiration else "",
        "approved_units": units,
        "request_type": "initial",
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
    if rows and dice.rarely(8):
        rows.append(dice.one_of(rows) | {"authorization_number": "B1", "status": "?"})


# Claims


def claim(dice: Dice, drug: Drug, anchor: date, people: list[Person], claim_id: str) -> Claim:
    window = drug.window_days
    offset = dice.weighted(
        {
            0: 8,
            1: 2,
            7: 1,
            window - 1: 3,
            window: 3,
            window + 1: 2,
            2 * window: 1,
            -1: 1,
            -window: 1,
        }
    )
    day = anchor + timedelta(days=offset)
    received = dice.weighted({5: 8, 30: 4, None: 3, 0: 3, 60: 3, -1: 1})
    return Claim(
        claim_id=claim_id,
        person=dice.one_of([people[0], *people, people[0]]),
        claim_type=dice.weighted({"professional": 3, "": 3, "institutional": 2}),
        day=day,
        received="" if received is None else (day + timedelta(days=received)).isoformat(),
    )


def link_versions(dice: Dice, claims: list[Claim]) -> None:
    """Some claims replace or void others: earlier, later, strangers', unknown or none."""
    for position, one in enumerate(claims):
        if not dice.rarely(30):
            continue
        one.frequency = dice.weighted({"7": 3, "8": 2})
        kind = dice.weighted({"other": 16, "self": 1, "unknown": 2, "none": 1, "stranger": 1})
        others = [other for other in claims if other is not one] or [one]
        if kind == "other":
            original = dice.one_of(claims[:position] or others)
            one.person, one.original = original.person, original.claim_id
        elif kind == "stranger":
            one.original = dice.one_of(others).claim_id
        else:
            one.original = {"self": one.claim_id, "unknown": "C99", "none": ""}[kind]
    if len(claims) > 1 and dice.rarely(6):
        circle = claims[: dice.number(2, min(3, len(claims)))]
        for one, named in zip(circle, [*circle[1:], circle[0]], strict=True):
            one.person, one.frequency, one.original = circle[0].person, "7", named.claim_id
    if len(claims) > 1 and dice.rarely(6):
        one, other = claims[0], claims[-1]
        one.claim_id = other.claim_id


def send_again(dice: Dice, drug: Drug, claims: list[Claim]) -> None:
    """Sends a claim's lines under another claim id, the same or not quite."""
    if not dice.rarely(30):
        return
    source = dice.one_of(claims)
    lines = [dict(line) for line in source.lines]
    change = dice.weighted({"none": 6, "charge": 2, "order": 1, "npi": 1, "units": 1, "ndc": 2})
    for line in lines:
        if change == "charge":
            line["charge_amount"] = "1.01"
        elif change == "order":
            line["hcpcs_modifier_3"] = line.pop("hcpcs_modifier_1", "")
        elif change == "npi":
            line["rendering_npi"] = dice.one_of(NPIS)
        elif change == "units":
            line["service_unit_quantity"] = dice.one_of(drug.units)
        elif change == "ndc" and line.get("ndc_code"):
            line["ndc_code"] = another_notation(dice, drug, line["ndc_code"])
    claims.append(
        Claim(
            claim_id=dice.one_of(("C0", "C90")),
            person=source.person,
            claim_type=source.claim_type,
            day=source.day,
            received=dice.one_of((source.received, "")),
            lines=lines,
        )
    )


def another_notation(dice: Dice, drug: Drug, ndc: str) -> str:
    for package in drug.packages:
        if ndc in package.notations:
            return dice.one_of(package.notations)
    return ndc


def rows_of(dice: Dice, one: Claim) -> list[Row]:
    """The claim's lines with what the header of the claim and the person give them."""
    header = {
        "claim_id": one.claim_id,
        "claim_type": one.claim_type,
        "member_id": one.person.member_id,
        "claim_frequency_code": one.frequency,
        "original_claim_id": one.original,
        "received_date": one.received,
        "line_of_business": "",
    }
    if one.claim_type == "institutional" and one.frequency and dice.rarely(50):
        header |= {"claim_frequency_code": "", "bill_type_code": f"13{one.frequency}"}
    if dice.rarely(15):
        header |= {"member_id": "", dice.one_of(("person_id", "patient_id")): one.person.member_id}
    if one.person.told_by != "members":
        header |= {
            "birth_date": one.person.birth_date,
            "gender": one.person.gender,
            "member_state": one.person.state,
            "line_of_business": one.person.line_of_business,
        }
    return [header | line for line in one.lines]


def out_of_scope_rows(dice: Dice, drug: Drug, claims: list[Claim]) -> list[Row]:
    """Rows without the drug; some replace or void a claim that has it."""
    rows = []
    for number in range(dice.weighted({0: 5, 1: 3, 2: 1})):
        one = dice.one_of(claims)
        plain = Claim(f"Z{number}", one.person, one.claim_type, one.day, received=one.received)
        kind = dice.weighted({"plain": 2, "version": 3, "circle": 1, "line": 2})
        if kind in ("version", "circle"):
            plain.frequency, plain.original = dice.one_of("78"), one.claim_id
            plain.received = dice.one_of((one.received, "", "2026-12-31", "soon"))
        if kind == "line":
            plain.claim_id, plain.frequency, plain.original = (
                one.claim_id,
                one.frequency,
                one.original,
            )
        plain.lines = [
            {
                "claim_line_number": "9",
                "hcpcs_code": "96413",
                "claim_line_start_date": dice.one_of((one.day.isoformat(), "")),
                "service_unit_quantity": dice.one_of(("1", "")),
                "charge_amount": "100",
            }
        ]
        rows += rows_of(dice, plain)
        if kind == "circle" and one.claim_id not in ("C0", "C90"):
            rows += circle_partner(drug, one, plain)
    return rows


def circle_partner(drug: Drug, one: Claim, other: Claim) -> list[Row]:
    """A claim of the drug that replaces an out-of-scope claim that replaces it."""
    partner = Claim(f"{other.claim_id}P", one.person, "", one.day, "7", other.claim_id)
    named_back = Claim(other.claim_id, one.person, "", one.day, "7", partner.claim_id)
    line = {
        "claim_line_number": "1",
        "claim_line_start_date": one.day.isoformat(),
        "service_unit_quantity": "15",
        "charge_amount": "10",
        "line_of_business": "commercial",
    }
    person_id = {"member_id": one.person.member_id}
    rows = []
    for claim_of_circle, hcpcs in ((partner, drug.hcpcs), (named_back, "96413")):
        rows.append(
            {
                "claim_id": claim_of_circle.claim_id,
                "claim_frequency_code": "7",
                "original_claim_id": claim_of_circle.original,
                "hcpcs_code": hcpcs,
            }
            | person_id
            | line
        )
    return rows


# Lines


def lines_of(dice: Dice, drug: Drug, one: Claim, numbers: list[str]) -> list[Row]:
    count = dice.weighted({1: 6, 2: 3, 3: 1})
    lines = [good_line(dice, drug, one, number) for number in range(1, count + 1)]
    mark_wastage(dice, lines)
    for line in lines:
        if dice.rarely(12):
            line["authorization_number"] = dice.one_of([*numbers, "A99"])
        if dice.rarely(45):
            dice.one_of(TWISTS)(dice, drug, one, line)
    return lines


def good_line(dice: Dice, drug: Drug, one: Claim, number: int) -> Row:
    units = dice.one_of(drug.units)
    package = package_for(dice, drug, units)
    codes = drug.covered_male if one.person.gender == "male" else drug.covered_female
    return {
        "claim_line_number": str(number),
        "claim_line_start_date": one.day.isoformat(),
        "hcpcs_code": drug.hcpcs,
        "service_unit_quantity": units,
        "charge_amount": dice.one_of(("9000.00", "100", "0", "33.33", "0.01")),
        "ndc_code": dice.one_of(package.notations),
        "ndc_quantity": quotient(units, package),
        "ndc_unit": "UN",
        "diagnosis_code_1": dice.one_of(codes + drug.covered_other),
        "rendering_npi": NPIS[0],
        "billing_npi": NPIS[1],
    }


def package_for(dice: Dice, drug: Drug, units: str) -> Package:
    whole = [package for package in drug.packages if Decimal(units) % package.units == 0]
    return dice.one_of(whole or drug.packages)


def quotient(units: str, package: Package) -> str:
    return f"{(Decimal(units) / package.units).quantize(Decimal('0.000001')).normalize():f}"


def mark_wastage(dice: Dice, lines: list[Row]) -> None:
    plan = dice.weighted({"none": 9, "JZ": 3, "JW last": 3, "JW all": 1, "both": 1})
    first, last = lines[0], lines[-1]
    if plan == "JZ":
        for line in lines:
            line["hcpcs_modifier_1"] = "JZ"
    elif plan == "JW all":
        for line in lines:
            line["hcpcs_modifier_2"] = "JW"
    elif plan == "both":
        first["hcpcs_modifier_1"] = "JZ"
        last["hcpcs_modifier_2"] = "JW"
    elif plan == "JW last" and len(lines) > 1:
        last["hcpcs_modifier_1"] = "JW"
        if dice.rarely(60):
            last |= {"ndc_quantity": "", "ndc_unit": "", "ndc_code": first["ndc_code"]}
            last["service_unit_quantity"] = "15"
            first |= {"service_unit_quantity": "75", "ndc_quantity": "2"}


Twist = Callable[[Dice, Drug, Claim, Row], None]


def twist_units(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    line["service_unit_quantity"] = dice.one_of(drug.odd_units)
    if dice.rarely(50):
        line["ndc_quantity"] = quotient(line["service_unit_quantity"], drug.packages[0])
        line["ndc_code"] = drug.packages[0].notations[0]


def twist_diagnosis(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    """A diagnosis that the policy does not cover as it stands, alone or beside another."""
    kind = dice.one_of(("unlisted", "invalid", "not_covered", "history", "male", "female", "none"))
    codes = {
        "unlisted": drug.unlisted,
        "invalid": drug.invalid,
        "not_covered": drug.not_covered,
        "history": drug.history,
        "male": drug.covered_male,
        "female": drug.covered_female,
        "none": ("",),
    }[kind]
    line["diagnosis_code_1"] = dice.one_of(codes or ("",))
    if dice.rarely(40):
        others = (*drug.active_disease, *drug.unlisted, *drug.invalid, *drug.covered_female)
        line[f"diagnosis_code_{dice.one_of((2, 3, 12, 13, 25))}"] = dice.one_of(others)


def twist_pointers(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    codes = (*drug.covered_female, *drug.not_covered, *drug.unlisted, *drug.invalid, *drug.history)
    line["diagnosis_code_2"] = dice.one_of((*codes, ""))
    line["diagnosis_pointer_1"] = dice.one_of(("2", "1", "3"))
    if dice.rarely(30):
        line["diagnosis_pointer_3"] = dice.one_of(("1", "2", "25"))


def twist_ndc(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    line["ndc_code"] = dice.one_of(dice.one_of((drug.mismatched_ndcs, drug.invalid_ndcs, ("",))))


def twist_ndc_units(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    column, value = dice.one_of(
        (
            ("ndc_unit", "ML"),
            ("ndc_unit", ""),
            ("ndc_quantity", ""),
            ("ndc_quantity", "1"),
            ("ndc_quantity", "0"),
            ("ndc_unit", "vials"),
        )
    )
    line[column] = value


def twist_days(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    """A line of several days, or one that leaves its days to the header of the claim."""
    day, later = one.day.isoformat(), (one.day + timedelta(days=2)).isoformat()
    kind = dice.one_of(("own end", "same end", "header day", "header span", "header start"))
    if kind == "own end":
        line["claim_line_end_date"] = later
    elif kind == "same end":
        line["claim_line_end_date"] = day
    else:
        header = {"header day": day, "header span": later, "header start": ""}[kind]
        line |= {
            "claim_line_start_date": "",
            "claim_start_date": day,
            "claim_end_date": header,
        }


def twist_other_day(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    day = one.day + timedelta(days=dice.one_of((1, drug.window_days, -1, 400, -400)))
    line["claim_line_start_date"] = day.isoformat()


def twist_other_code(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    line["hcpcs_code"] = dice.one_of(drug.other_hcpcs)


def twist_providers(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    line["rendering_npi"] = dice.one_of(("", *NPIS))
    line["billing_npi"] = dice.one_of(("", *NPIS))


def twist_modifiers(dice: Dice, drug: Drug, one: Claim, line: Row) -> None:
    line["hcpcs_modifier_4"] = dice.one_of(("59", "JZ", "JW", "RT"))


TWISTS: tuple[Twist, ...] = (
    twist_units,
    twist_diagnosis,
    twist_diagnosis,
    twist_diagnosis,
    twist_pointers,
    twist_pointers,
    twist_ndc,
    twist_ndc,
    twist_ndc_units,
    twist_ndc_units,
    twist_days,
    twist_days,
    twist_other_day,
    twist_other_code,
    twist_providers,
    twist_providers,
    twist_modifiers,
)


# Rows as they come


def spoil_rows(dice: Dice, rows: list[Row]) -> None:
    for row in rows:
        if dice.rarely(5):
            column = dice.one_of(BAD_CLAIM_CELLS)
            if column.startswith("diagnosis_pointer"):
                row["claim_type"] = "professional"
            row[column] = dice.one_of(BAD_CLAIM_CELLS[column])
    if dice.rarely(6):
        rows.append(dict(dice.one_of(rows)))
    if dice.rarely(5):
        column = dice.one_of(("charge_amount", "original_claim_id", "claim_frequency_code"))
        rows.append(dice.one_of(rows) | {column: "7"})
    if dice.rarely(4):
        row = dice.one_of(rows)
        column, value = dice.one_of((("original_claim_id", "C55"), ("claim_frequency_code", "8")))
        row[column] = value


def with_noise(dice: Dice, row: Row) -> Row:
    """The same row, written by somebody else."""
    kind = dice.weighted({"none": 8, "case": 1, "blanks": 1, "dates": 1, "numbers": 1, "dots": 1})
    if kind == "none":
        return row
    return {column: rewritten(kind, column, value) for column, value in row.items()}


def rewritten(kind: str, column: str, value: str) -> str:
    if kind == "blanks":
        return f"  {value} "
    if kind == "case" and not column.endswith(("_id", "_npi")):
        return value.lower() if value != value.lower() else value.upper()
    if kind == "dates" and column.endswith("_date"):
        return value.replace("-", "")
    if kind == "numbers" and (
        column.endswith(("_line_number", "_quantity", "_units")) or "pointer" in column
    ):
        return f"{value}.0" if value.isdigit() else value
    if kind == "dots" and column.startswith("diagnosis_code"):
        return value.replace(".", "")
    return value
