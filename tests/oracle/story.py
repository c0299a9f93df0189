"""Night after night of one drug: claims that replace, void, repeat and come late to earlier ones.

Most lines are good, so that units are allowed, used up, released and cut again.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from .clinical_rows import spoil_facts
from .dice import Claim, Dice, Row
from .drug_lines import TWISTS, good_line
from .drugs import Drug
from .extract import RawExtract
from .nights import claim, raw, rows_of, shuffled, spoil_rows
from .noise import with_noise
from .partner_story import partners_of_night
from .people import members_of, spoil_authorizations
from .reading import RawRow
from .so_far import Story, change_authorizations, change_clinical

THROWS = 400  # more than a night of four claims takes
CHOICES = 25
OUTSIDE: Row = {"hcpcs_code": "96413", "ndc_code": ""}


# Claims of a night


def new_claim(dice: Dice, story: Story) -> Claim:
    one = claim(dice, story.drug, story.anchor, story.people, story.new_id())
    one.lines = calm_lines(dice, story, one)
    return one


def calm_lines(dice: Dice, story: Story, one: Claim) -> list[Row]:
    count = dice.weighted({1: 6, 2: 1})
    lines = [good_line(dice, story.drug, one, number) for number in range(1, count + 1)]
    for line in lines:
        if dice.rarely(10):
            row = dice.one_of(story.authorizations)
            line["authorization_number"] = row["authorization_number"]
        if dice.rarely(15):
            line["hcpcs_modifier_1"] = "JZ"
        if dice.rarely(10):
            dice.one_of(TWISTS)(dice, story.drug, one, line)
    return lines


def copy_of(one: Claim) -> Claim:
    return replace(one, lines=[dict(line) for line in one.lines])


def earlier(dice: Dice, story: Story) -> Claim:
    """A claim of an earlier night, mostly of the last ones; at times one of tonight."""
    if story.tonight and dice.rarely(15):
        return copy_of(dice.one_of(story.tonight))
    return copy_of(dice.one_of([*story.sent, *story.sent[-3:]]))


def in_the_way(dice: Dice, story: Story) -> Claim:
    """A claim that another of the member, sent later, may have been cut for."""
    found = [
        one
        for number, one in enumerate(story.sent)
        for other in story.sent[number + 1 :]
        if other.person.member_id == one.person.member_id
        and one.claim_id not in (other.claim_id, other.original)
        and abs(other.day - one.day) < timedelta(days=story.drug.window_days)
    ]
    return copy_of(dice.one_of(found)) if found and dice.rarely(70) else earlier(dice, story)


def late_claim(dice: Dice, story: Story) -> Claim:
    """A claim within a window of one that came before it, or just outside."""
    other, window = earlier(dice, story), story.drug.window_days
    days = dice.one_of((window - 1, window, window // 2, 1, 0))
    one = new_claim(dice, story)
    one.person = other.person
    one.day = other.day + timedelta(days=dice.one_of((-days, -days, days)))
    one.received = dice.one_of((one.received, ""))
    one.lines = calm_lines(dice, story, one)
    return one


def version_of(dice: Dice, story: Story, original: Claim, frequency: str) -> Claim:
    one = copy_of(original)
    one.claim_id, one.frequency, one.original = story.new_id(), frequency, original.claim_id
    one.received = dice.one_of((one.received, "", (one.day + timedelta(days=9)).isoformat()))
    if frequency == "7" and dice.rarely(75):
        one.lines = calm_lines(dice, story, one)
        if dice.rarely(60):
            fewer_units(story.drug, one)
    return one


def fewer_units(drug: Drug, one: Claim) -> None:
    package = min(drug.packages, key=lambda package: package.units)
    for line in one.lines:
        units = {"service_unit_quantity": f"{package.units:f}", "ndc_quantity": "1"}
        line |= {**units, "ndc_code": package.notations[0]}


def replacement(dice: Dice, story: Story) -> Claim:
    return version_of(dice, story, in_the_way(dice, story), "7")


def another_correction(dice: Dice, story: Story) -> Claim:
    """A second version, in the same night if there is one, of what is replaced or void."""
    versions = [one for one in story.tonight or story.sent if one.original]
    if not versions:
        return replacement(dice, story)
    version = dice.one_of(versions)
    one = version_of(dice, story, version, dice.one_of("778"))
    one.original = version.original
    return one


def void(dice: Dice, story: Story) -> Claim:
    return version_of(dice, story, in_the_way(dice, story), "8")


def without_the_drug(dice: Dice, story: Story) -> Claim:
    """A version that no longer bills the drug; it may name itself."""
    original = in_the_way(dice, story)
    one = version_of(dice, story, original, dice.one_of("778"))
    if dice.rarely(30):
        one.claim_id = original.claim_id
    bad = {"service_unit_quantity": "0"}
    beside = [dict(line) for line in one.lines] if dice.rarely(30) else []
    one.lines = [line | OUTSIDE | {"claim_line_number": "9"} for line in one.lines[:1]]
    one.lines += [line | bad if dice.rarely(70) else line for line in beside]
    return one


def sent_again(dice: Dice, story: Story) -> Claim:
    """The same claim, unchanged or not quite, as another kind of version or of another member."""
    one = in_the_way(dice, story)
    change = dice.weighted({"none": 2, "lines": 4, "7": 3, "8": 2, "plain": 3, "member": 2})
    if change in ("lines", "7", "member"):
        one.lines = calm_lines(dice, story, one)
    if change in ("7", "8"):
        one.frequency, one.original = change, one.claim_id
    if change == "plain":
        one.frequency, one.original = "", ""
    if change == "member":
        one.person = dice.one_of(
            other for other in story.people if other.member_id != one.person.member_id
        )
    return one


def repeated(dice: Dice, story: Story) -> Claim:
    """The same service under another claim id."""
    one = earlier(dice, story)
    if story.elsewhere and dice.rarely(70):
        one = copy_of(dice.one_of(story.elsewhere))
    if dice.rarely(20):
        for line in one.lines:
            line["hcpcs_modifier_2"] = "JZ"
    one.claim_id, one.frequency, one.original = story.new_id(), "", ""
    one.received = dice.one_of((one.received, "", one.day.isoformat()))
    if dice.rarely(10):
        other = {"medicare": "commercial"}.get(one.person.line_of_business, "medicare")
        one.person = replace(one.person, line_of_business=other)
    return one


def before_its_original(dice: Dice, story: Story) -> Claim:
    """A version, with or without the drug, of a claim that will come in a later night."""
    original = new_claim(dice, story)
    story.awaited.append(original)
    one = version_of(dice, story, original, dice.one_of("78"))
    if dice.rarely(50):
        one.lines = [line | OUTSIDE for line in one.lines]
    return one


def what_was_awaited(dice: Dice, story: Story) -> Claim:
    """The original at last; at times it names its own version, which makes a circle."""
    if not story.awaited:
        return before_its_original(dice, story)
    one = copy_of(story.awaited.pop())
    versions = [other for other in story.sent if other.original == one.claim_id]
    if versions and dice.rarely(30):
        one.frequency, one.original = "7", dice.one_of(versions).claim_id
    return one


def back_to_its_version(dice: Dice, story: Story) -> Claim:
    """A claim sent again as a replacement of the claim that replaced it: a circle over nights."""
    versions = [one for one in story.sent if one.original and one.original != one.claim_id]
    if not versions:
        return replacement(dice, story)
    version = dice.one_of(versions)
    one = copy_of(version)
    one.claim_id, one.frequency, one.original = version.original, "7", version.claim_id
    return one


def in_place_of_a_partner(dice: Dice, story: Story) -> Claim:
    """A claim of the drug that replaces or voids a claim of a drug that its regimen adds."""
    if not story.partners:
        return replacement(dice, story)
    partner = dice.one_of(story.partners[-3:])
    one = late_claim(dice, story)
    one.person, one.frequency, one.original = partner.person, dice.one_of("78"), partner.claim_id
    return one


KINDS: dict[Callable[[Dice, Story], Claim], int] = {
    late_claim: 6,
    replacement: 5,
    sent_again: 4,
    void: 3,
    repeated: 3,
    without_the_drug: 3,
    what_was_awaited: 4,
    new_claim: 2,
    another_correction: 2,
    before_its_original: 1,
    back_to_its_version: 2,
    in_place_of_a_partner: 1,
}
FIRST_KINDS: dict[Callable[[Dice, Story], Claim], int] = {new_claim: 3, before_its_original: 1}


def next_night(dice: Dice, story: Story) -> RawExtract:
    """Draws a night and adds it to the story."""
    if story.sent:
        change_authorizations(dice, story)
        change_clinical(dice, story)
    for _ in range(dice.number(1 if story.sent else 2, 4)):
        one = dice.weighted(KINDS if story.sent else FIRST_KINDS)(dice, story)
        if one.claim_id not in {other.claim_id for other in story.tonight}:
            story.tonight.append(one)
    rows = [row for one in story.tonight for row in rows_of(dice, one)]
    if dice.rarely(15):
        spoil_rows(dice, rows)
    partners = partners_of_night(dice, story)
    rows += [row for one in partners for row in rows_of(dice, one)]
    authorizations = [dict(row) for row in story.authorizations]
    if dice.rarely(8):
        spoil_authorizations(dice, authorizations)
    story.sent, story.tonight = [*story.sent, *story.tonight], []
    return RawExtract(
        claims=shuffled(dice, [raw(with_noise(dice, row)) for row in rows]),
        authorizations=[raw(row) for row in authorizations],
        members=members_of(dice, story.anchor, story.people),
        as_of=story.anchor + timedelta(days=dice.weighted({200: 20, 20: 1})),
        clinical=clinical_of_night(dice, story),
    )


def clinical_of_night(dice: Dice, story: Story) -> list[RawRow] | None:
    if dice.rarely(10):
        return None
    rows = [dict(row) for row in story.clinical]
    if dice.rarely(8):
        spoil_facts(dice, rows)
    return [raw(with_noise(dice, row)) for row in rows]


def possible_nights(thrown: bytes, story: Story) -> list[tuple[RawExtract, Story]]:
    """What may come next, as the same throws say from here or from there.

    Where is told by the claims so far as well, as many of the throws of one story are copies.
    """
    nights = []
    for choice in range(CHOICES):
        start = (choice * THROWS // CHOICES + 7 * story.ids) % THROWS
        after = deepcopy(story)
        nights.append((next_night(Dice(thrown[start:] + thrown[:start]), after), after))
    return nights


def throws() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=THROWS, max_size=THROWS)
