"""Lines of a drug: most of them good, then one thing at a time is changed."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from .dice import NPIS, Claim, Dice, Row
from .drugs import Drug, Package


def lines_of(dice: Dice, drug: Drug, one: Claim, numbers: list[str]) -> list[Row]:
    count = dice.weighted({1: 6, 2: 3, 3: 1})
    lines = [good_line(dice, drug, one, number) for number in range(1, count + 1)]
    mark_wastage(dice, lines)
    for line in lines:
        if dice.rarely(12):
            line["authorization_number"] = dice.one_of([*numbers, numbers[0].swapcase(), "A99"])
        if dice.rarely(45):
            dice.one_of(TWISTS)(dice, drug, one, line)
    return lines


def good_line(dice: Dice, drug: Drug, one: Claim, number: int) -> Row:
    units = dice.one_of(drug.units)
    package = package_for(dice, drug, units)
    codes = drug.covered_male if one.person.gender == "male" else drug.covered_female
    return {
        "claim_line_number": dice.weighted({str(number): 19, f"{number}.0": 1}),
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
    line["rendering_npi"] = dice.weighted({"": 3, NPIS[1]: 1, NPIS[2]: 1})
    line["billing_npi"] = dice.weighted({"": 3, NPIS[0]: 1, NPIS[2]: 1})


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
