"""Claims of the drugs that a regimen adds, about the edges of the window around a line of the drug."""

from datetime import timedelta

from .dice import Claim, Dice, Person, Row
from .drugs import Drug


def partner_claims(
    dice: Dice, drug: Drug, claims: list[Claim], people: list[Person], *, combined: bool
) -> list[Claim]:
    """Some claims of partners; some replace or void each other, or a claim of the drug."""
    partners: list[Claim] = []
    most = dice.number(1, 4) if combined else dice.number(0, 1)
    for number in range(1, 1 + most):
        one = partner_claim(dice, drug, dice.one_of([claims[0], *claims]), people, f"P{number}")
        if partners and dice.rarely(50):
            name_another(dice, one, dice.one_of(partners))
            if dice.rarely(30):
                one.lines = [line | {"hcpcs_code": "96413"} for line in one.lines]
        elif dice.rarely(15):
            name_another(dice, one, dice.one_of(claims))
        partners.append(one)
    if partners and dice.rarely(10):
        version = dice.one_of(claims)
        version.frequency, version.original = dice.one_of("78"), partners[0].claim_id
        version.person = partners[0].person
    return partners


def partner_claim(
    dice: Dice, drug: Drug, beside: Claim, people: list[Person], claim_id: str
) -> Claim:
    window = dice.one_of(drug.partner_windows)
    days = dice.weighted(
        {
            0: 3,
            window: 4,
            -window: 3,
            window + 1: 3,
            -window - 1: 3,
            window - 1: 1,
            1 - window: 1,
            3 * window: 1,
        }
    )
    one = Claim(
        claim_id=claim_id,
        person=dice.weighted({beside.person: 8, dice.one_of(people): 1}),
        claim_type=dice.weighted({"professional": 2, "institutional": 1, "": 1}),
        day=beside.day + timedelta(days=days),
        received=dice.one_of((beside.received, "", "2026-12-31")),
    )
    one.lines = [partner_line(dice, drug, one)]
    if dice.rarely(15):
        one.lines.append(partner_line(dice, drug, one) | {"claim_line_number": "2"})
    if dice.rarely(8):
        one.lines.append(dict(one.lines[0]))
    return one


def partner_line(dice: Dice, drug: Drug, one: Claim) -> Row:
    """What the lines of the drug must have, these may lack."""
    line: Row = {
        "claim_line_number": dice.weighted({"1": 8, "": 1, "one": 1}),
        "hcpcs_code": dice.one_of(drug.partner_codes),
        "claim_line_start_date": one.day.isoformat(),
        "service_unit_quantity": dice.weighted({"44": 8, "0": 1, "": 1}),
        "charge_amount": dice.weighted({"4000": 8, "-1": 1}),
    }
    kind = dice.weighted({"plain": 14, "header": 2, "bad day": 1, "bad receipt": 1, "no claim": 1})
    if kind == "header":
        line |= {"claim_line_start_date": "", "claim_start_date": one.day.isoformat()}
        if dice.rarely(50):
            line["claim_end_date"] = (one.day + timedelta(days=9)).isoformat()
    elif kind == "bad day":
        line["claim_line_start_date"] = dice.one_of(("2026-02-30", "soon", ""))
    elif kind == "bad receipt":
        line["received_date"] = "yesterday"
    elif kind == "no claim":
        line[dice.one_of(("claim_id", "member_id"))] = ""
    return line


def name_another(dice: Dice, one: Claim, original: Claim) -> None:
    one.frequency, one.original = dice.one_of("78"), original.claim_id
    if not dice.rarely(10):
        one.person = original.person
