"""Raw extracts of a night, dense in lines that touch each other and in dates that matter.

Most lines are good and would pay; then one thing at a time is changed, and limits, versions and
repeated lines do the rest.
"""

from datetime import date, timedelta

from hypothesis import strategies as st

from .clinical_rows import clinical_of
from .dice import NPIS, Claim, Dice, Person, Row
from .drug_lines import lines_of
from .drugs import IXABEPILONE, Drug, Package
from .extract import RawExtract, coverage_of
from .noise import with_noise
from .partner_claims import partner_claims
from .people import authorizations_of, members_of, person, spoil_authorizations
from .reading import RawRow

__all__ = ["IXABEPILONE", "Drug", "Package", "RawExtract", "coverage_of", "nights"]

THROWS = 600  # more than a night of six claims takes
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


@st.composite
def nights(draw: st.DrawFn, drug: Drug = IXABEPILONE) -> RawExtract:
    return night_of(Dice(draw(st.binary(min_size=THROWS, max_size=THROWS))), drug)


def night_of(dice: Dice, drug: Drug, max_claims: int = 6) -> RawExtract:
    anchor = dice.one_of(drug.anchors)
    people = [person(dice, drug, anchor, f"M{n}") for n in range(1, dice.number(2, 4) + 1)]
    authorizations = [
        row
        for number, one in enumerate(people)
        for row in authorizations_of(
            dice, drug, anchor, one, dice.weighted({f"A{number}": 9, f"a{number}": 1})
        )
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
    others = out_of_scope_rows(dice, drug, claims)
    combined = dice.rarely(50)
    partners = partner_claims(dice, drug, claims, people, combined=combined)
    rows = [row for one in claims for row in rows_of(dice, one)] + others
    spoil_rows(dice, rows)
    rows += [row for one in partners for row in rows_of(dice, one)]
    clinical = clinical_of(dice, drug, authorizations, combined=combined)
    return RawExtract(
        claims=shuffled(dice, [raw(with_noise(dice, row)) for row in rows]),
        authorizations=[raw(with_noise(dice, row)) for row in authorizations],
        members=members_of(dice, anchor, people),
        as_of=anchor + timedelta(days=dice.weighted({200: 20, 20: 1, 0: 1})),
        clinical=None if clinical is None else [raw(with_noise(dice, row)) for row in clinical],
    )


def raw(row: Row) -> RawRow:
    return dict(row)


def shuffled(dice: Dice, rows: list[RawRow]) -> list[RawRow]:
    return rows[::-1] if dice.rarely(50) else rows


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
        if kind == "circle":
            rows += circle_through(drug, plain)
            continue
        if kind == "version":
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
    return rows


def circle_through(drug: Drug, other: Claim) -> list[Row]:
    """A claim of the drug and one without it that replace each other."""
    ids = (f"{other.claim_id}P", other.claim_id)
    return [
        {
            "claim_id": claim_id,
            "claim_line_number": "1",
            "claim_frequency_code": "7",
            "original_claim_id": named,
            "member_id": other.person.member_id,
            "line_of_business": "commercial",
            "hcpcs_code": hcpcs,
            "claim_line_start_date": other.day.isoformat(),
            "service_unit_quantity": "15",
            "charge_amount": "10",
        }
        for claim_id, named, hcpcs in ((*ids, drug.hcpcs), (*ids[::-1], "96413"))
    ]


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
    with_drug = [row for row in rows if row["hcpcs_code"] != "96413"]
    if with_drug and dice.rarely(4):
        row = dice.one_of(with_drug)
        column, value = dice.one_of((("original_claim_id", "C55"), ("claim_frequency_code", "8")))
        row[column] = value
