"""Claims of partner drugs night after night: new, replaced, void, sent again."""

from dataclasses import replace
from datetime import timedelta

from .dice import Claim, Dice
from .partner_claims import partner_claim, partner_line
from .so_far import Story


def partners_of_night(dice: Dice, story: Story) -> list[Claim]:
    """New ones, and versions of those that came before, or that come later."""
    if not [*story.sent, *story.tonight]:
        return []
    found: list[Claim] = []
    awaited, story.awaited_partners = story.awaited_partners, []
    for _ in range(dice.weighted({0: 1, 1: 3, 2: 3, 3: 2})):
        kind = dice.weighted({"new": 2, "7": 2, "8": 4, "again": 4, "before": 3, "drug": 1})
        if awaited and dice.rarely(60):
            one = at_last(dice, story, awaited.pop())
        else:
            one = partner_of_kind(dice, story, kind)
        if one.claim_id not in {other.claim_id for other in [*found, *story.tonight]}:
            found.append(one)
    story.partners += found
    story.awaited_partners += awaited
    return found


def partner_of_kind(dice: Dice, story: Story, kind: str) -> Claim:
    beside = dice.one_of([*story.sent, *story.tonight][-4:])
    one = partner_claim(dice, story.drug, beside, story.people, story.new_partner_id())
    if kind == "before":
        version = replace(one, claim_id=story.new_partner_id(), lines=[])
        version.frequency, version.original = dice.one_of("78"), one.claim_id
        story.awaited_partners.append(one)
        return moved_away(dice, story, version)
    if kind == "drug":
        one.person, one.frequency, one.original = beside.person, dice.one_of("78"), beside.claim_id
    elif kind in ("7", "8") and story.partners:
        original = dice.one_of(beside_tonight(story))
        one.person, one.frequency, one.original = original.person, kind, original.claim_id
        if dice.rarely(20):
            one.lines = [line | {"hcpcs_code": "96413"} for line in one.lines]
            return one
        return moved_away(dice, story, one) if dice.rarely(60) else one
    elif kind == "again" and story.partners:
        return sent_again(dice, story, replace(dice.one_of(beside_tonight(story))))
    return one


def at_last(dice: Dice, story: Story, one: Claim) -> Claim:
    """Beside a claim of tonight, if its member has one."""
    days = [other.day for other in story.tonight if other.person.member_id == one.person.member_id]
    if days:
        one.day = dice.one_of(days) + timedelta(days=dice.one_of((0, 1, -2)))
        one.lines = [partner_line(dice, story.drug, one)]
    return one


def beside_tonight(story: Story) -> list[Claim]:
    """Of the claims that came before, those that tonight's may be given with."""
    window = timedelta(days=max(story.drug.partner_windows))
    found = [
        one
        for one in story.partners
        for other in story.tonight
        if other.person.member_id == one.person.member_id and abs(other.day - one.day) <= window
    ]
    return found or story.partners[-3:]


def moved_away(dice: Dice, story: Story, one: Claim) -> Claim:
    """To where it is no partner of the line that it was beside."""
    one.day += timedelta(days=4 * max(story.drug.partner_windows))
    one.lines = [partner_line(dice, story.drug, one)]
    return one


def sent_again(dice: Dice, story: Story, one: Claim) -> Claim:
    """Elsewhere; with no partner's code any more, at times as its own version; or as it was."""
    kind = dice.weighted({"away": 4, "another code": 1, "its own version": 1, "as it was": 1})
    if kind == "away":
        return moved_away(dice, story, one)
    if kind != "as it was":
        one.lines = [line | {"hcpcs_code": "96413"} for line in one.lines]
    if kind == "its own version":
        one.frequency, one.original = dice.one_of("78"), one.claim_id
    return one
