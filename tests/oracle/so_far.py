"""What is known of a story before its next night: its people, authorizations and claims."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from .clinical_rows import facts_of
from .dice import Claim, Dice, Person, Row
from .drugs import Drug
from .history import Ruling
from .people import authorization, person


@dataclass
class Story:
    """What is known before the next night."""

    drug: Drug
    anchor: date
    people: list[Person]
    authorizations: list[Row]
    clinical: list[Row]
    sent: list[Claim] = field(default_factory=list)  # in earlier nights, and elsewhere
    tonight: list[Claim] = field(default_factory=list)
    elsewhere: list[Claim] = field(default_factory=list)
    awaited: list[Claim] = field(default_factory=list)  # named already, and not sent yet
    partners: list[Claim] = field(default_factory=list)  # of drugs that a regimen adds
    awaited_partners: list[Claim] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)  # that stand before the next night
    ids: int = 0
    partner_ids: int = 0

    def new_id(self) -> str:
        self.ids += 1
        return f"C{self.ids}"

    def new_partner_id(self) -> str:
        self.partner_ids += 1
        return f"P{self.partner_ids}"


def story_of(dice: Dice, drug: Drug) -> Story:
    anchor = dice.one_of([drug.anchors[0], drug.anchors[0], *drug.anchors])
    people = [calm_person(dice, drug, anchor, member_id) for member_id in ("M1", "M2")]
    rows = [row for one in people for row in two_authorizations(dice, drug, anchor, one.member_id)]
    return Story(drug, anchor, people, rows, [facts_about(dice, drug, row) for row in rows])


def facts_about(dice: Dice, drug: Drug, row: Row) -> Row:
    """Mostly of a regimen whose partner is looked for."""
    facts = facts_of(dice, drug, row)
    return facts if dice.rarely(15) else facts | {"regimen": dice.one_of(drug.regimens)}


def calm_person(dice: Dice, drug: Drug, anchor: date, member_id: str) -> Person:
    """One whose claims are governed and mostly paid."""
    if dice.rarely(15):
        return person(dice, drug, anchor, member_id)
    return Person(member_id, "1970-05-05", "female", "GA", "commercial", told_by="claims")


def two_authorizations(dice: Dice, drug: Drug, anchor: date, member_id: str) -> list[Row]:
    """One for all days or nearly, and a renewal that begins before it ends."""
    most, number = drug.max_units, member_id.replace("M", "A")
    first = authorization(
        member_id,
        drug.hcpcs,
        f"{number}1",
        "approved",
        anchor - timedelta(days=60),
        anchor + timedelta(days=dice.one_of((100, 45, 30))),
        dice.weighted({str(most * 4 // 3): 4, str(2 * most): 1, "1000": 1, "": 1}),
    )
    second = authorization(
        member_id,
        drug.hcpcs,
        f"{number}2",
        "approved",
        anchor + timedelta(days=dice.one_of((0, -30, 20))),
        dice.one_of((None, anchor + timedelta(days=120))),
        dice.one_of((str(most * 2 // 3), "", str(most // 2), str(3 * most))),
    )
    return [first, second] if dice.rarely(75) else [first]


def change_authorizations(dice: Dice, story: Story) -> None:
    """Another number of units, another status, an earlier end: what happens between nights."""
    for row in story.authorizations:
        if not dice.rarely(20):
            continue
        most = story.drug.max_units
        column, value = dice.one_of(
            (
                ("approved_units", str(most)),
                ("approved_units", str(3 * most)),
                ("status", "pending"),
                ("status", "approved"),
                ("expiration_date", (story.anchor + timedelta(days=25)).isoformat()),
                ("member_id", dice.one_of(story.people).member_id),
            )
        )
        row[column] = value


def change_clinical(dice: Dice, story: Story) -> None:
    """Other facts, or none any more, about an authorization."""
    for place, row in enumerate(story.authorizations):
        if dice.rarely(20):
            story.clinical[place] = facts_about(dice, story.drug, row)
