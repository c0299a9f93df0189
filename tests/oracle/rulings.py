"""What people decide between nights of the lines they were shown, and what that reaches."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from .dice import Dice
from .history import EarlierRun, Ruling, ruling_on
from .oracle import Night
from .reached import REPEATED

SHOWN = ("flag", "partial", "deny")
RULED = {f"{made} of {what}" for made in ("uphold", "override", "documents") for what in SHOWN}
# What they change of a night.
TURNED = {
    "ruled: more is allowed",
    "ruled: less is allowed",
    "ruled: drawn otherwise",
    "ruled: reconsidered no more",
}
RULINGS = RULED | TURNED | REPEATED | {"ruled: left out", "ruled: of another run"}
_ANOTHER_RUN = "never published"


def next_rulings(
    dice: Dice, standing: Sequence[Ruling], runs: Sequence[EarlierRun]
) -> list[Ruling]:
    """Some are undone, some are made; some are of lines that are no longer as they were seen."""
    rulings = {one.key: one for one in standing if not dice.rarely(15)}
    for run in runs:
        for kept in run.kept.lines:
            if kept.disposition not in SHOWN or not dice.rarely(45):
                continue
            made = dice.weighted({"override": 3, "uphold": 3, "documents": 1})
            ruling = ruling_on(kept, run.run_id, made)
            if dice.rarely(12):
                ruling = seen_otherwise(dice, ruling)
            rulings[ruling.key] = ruling
    return list(rulings.values())


def seen_otherwise(dice: Dice, ruling: Ruling) -> Ruling:
    return dice.one_of(
        (
            replace(ruling, run_id=_ANOTHER_RUN),
            replace(ruling, run_id=_ANOTHER_RUN),
            replace(ruling, member_id="M9"),
            replace(ruling, claim_line_number=ruling.claim_line_number + 7),
            replace(ruling, disposition={"flag": "deny"}.get(ruling.disposition, "flag")),
            replace(ruling, billed=ruling.billed + 1),
            replace(ruling, allowed=Decimal(0) if ruling.allowed else ruling.billed),
        )
    )


def reached_by_rulings(night: Night, rulings: Sequence[Ruling], runs: set[str]) -> set[str]:
    ruled = [one.ruling for one in night.ruled if one.ruling is not None]
    reached = {f"{one.decision} of {one.disposition}" for one in ruled}
    if night.rulings_left_out:
        reached.add("ruled: left out")
    if any(one.run_id not in runs for one in rulings):
        reached.add("ruled: of another run")
    return reached


def turned_by_rulings(night: Night, without: Night) -> set[str]:
    """What is otherwise than it were if nobody had decided anything."""
    reached = set()
    for row, other in zip(night.lines, without.lines, strict=True):
        if row["allowed_units"] > other["allowed_units"]:
            reached.add("ruled: more is allowed")
        elif row["allowed_units"] < other["allowed_units"]:
            reached.add("ruled: less is allowed")
        elif row["authorization_draws"] != other["authorization_draws"]:
            reached.add("ruled: drawn otherwise")
    keys = {(row["cut_by_run_id"], row["claim_id"]) for row in night.reconsider}
    if any((row["cut_by_run_id"], row["claim_id"]) not in keys for row in without.reconsider):
        reached.add("ruled: reconsidered no more")
    return reached
