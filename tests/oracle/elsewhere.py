"""Lines that were allowed elsewhere, as another program might have written them."""

from decimal import Decimal
from typing import Any

from .dice import Claim, Dice, Row
from .so_far import Story
from .story import new_claim

ALWAYS = (
    "claim_id",
    "claim_line_number",
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "allowed_units",
)
AT_TIMES = ("billed_units", "ndc_code", "rendering_npi", "authorization_draws")


def lines_elsewhere(dice: Dice, story: Story) -> list[dict[str, Any]]:
    """Adds claims to the story that were edited elsewhere; returns their lines."""
    claims = [new_claim(dice, story) for _ in range(dice.number(1, 3))]
    left_out = {column for column in AT_TIMES if dice.rarely(35)}
    if dice.rarely(35):
        left_out |= {"hcpcs_modifier_1", "hcpcs_modifier_2"}
    story.elsewhere = claims
    story.sent += claims
    return [
        {column: value for column, value in row.items() if column not in left_out}
        for one in claims
        for row in rows_of_claim(dice, story, one)
    ]


def rows_of_claim(dice: Dice, story: Story, one: Claim) -> list[dict[str, Any]]:
    return [row_of(dice, story, one, line, n) for n, line in enumerate(one.lines, start=1)]


def row_of(dice: Dice, story: Story, one: Claim, line: Row, number: int) -> dict[str, Any]:
    billed = Decimal(line["service_unit_quantity"])
    allowed = dice.weighted({billed: 5, (billed / 2).quantize(Decimal(1)): 2, Decimal(0): 1})
    drawn_from = dice.one_of(row["authorization_number"] for row in story.authorizations)
    drawn = [(drawn_from, allowed)] if allowed else []
    return {
        "claim_id": one.claim_id,
        "claim_line_number": number,
        "member_id": one.person.member_id,
        "claim_line_start_date": one.day,
        "hcpcs_code": line["hcpcs_code"] or "96413",
        "allowed_units": allowed,
        "billed_units": dice.weighted({billed: 2, None: 1}),
        "hcpcs_modifier_1": line.get("hcpcs_modifier_1"),
        "hcpcs_modifier_2": line.get("hcpcs_modifier_2"),
        "ndc_code": dice.weighted({line["ndc_code"] or None: 4, None: 1}),
        "rendering_npi": dice.weighted({line["rendering_npi"] or None: 4, None: 1}),
        "authorization_draws": None if dice.rarely(20) else drawn,
    }
