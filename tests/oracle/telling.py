"""Of the nights that may come next, the one that has most to do with those before it."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from .dice import Dice
from .drugs import Drug
from .elsewhere import lines_elsewhere
from .extract import RawExtract
from .history import EarlierRun, history_of
from .oracle import Night, edit_night
from .reached import RARE, reached_between_nights
from .reached_clinical import PARTNERS_BETWEEN_NIGHTS, RARE_PARTNERS, reached_clinically
from .reference import read_reference
from .rulings import next_rulings, reached_by_rulings, turned_by_rulings
from .so_far import Story, story_of
from .story import THROWS, possible_nights

RUN_IDS = ("m", "c", "x", "a", "z", "k", "b", "y")  # the order of nights is not that of their ids


@dataclass(frozen=True)
class Told:
    extract: RawExtract
    story: Story  # as it is after this night
    night: Night
    reached: set[str]

    @property
    def how_much(self) -> int:
        """What is rare weighs most of all."""
        rare = len(self.reached & (RARE | PARTNERS_BETWEEN_NIGHTS))
        rarest = len(self.reached & RARE_PARTNERS)
        return len(self.reached) + 3 * rare + 3 * rarest + 6 * len(self.night.reconsider)


@dataclass(frozen=True)
class ToldStory:
    elsewhere: list[dict[str, Any]]  # lines that were allowed elsewhere
    nights: list[Told]

    @property
    def reached(self) -> set[str]:
        return {name for one in self.nights for name in one.reached}


def told_story(number: int, drug: Drug, reference_dir: Path) -> ToldStory:
    """The story of a number, of two to five nights; every other after lines allowed elsewhere."""
    rng = Random(number)
    dice = Dice(rng.randbytes(THROWS))
    story, runs, nights = story_of(dice, drug), list[EarlierRun](), list[Told]()
    elsewhere = lines_elsewhere(dice, story) if number % 2 else []
    for place in range(rng.randint(2, 5)):
        thrown = rng.randbytes(THROWS)
        told = most_telling_night(thrown, story, reference_dir, runs, elsewhere)
        story = told.story
        nights.append(told)
        runs = [*runs, EarlierRun(RUN_IDS[place], told.night.kept)]
    return ToldStory(elsewhere, nights)


def most_telling_night(
    thrown: bytes,
    story: Story,
    reference_dir: Path,
    runs: list[EarlierRun],
    elsewhere: list[dict[str, Any]],
) -> Told:
    """Asking the oracle takes far less time than publishing a night that touches no other."""
    told = []
    for choice, (extract, after) in enumerate(possible_nights(thrown, story)):
        dice = Dice(thrown[choice:] + thrown[:choice])
        after.rulings = next_rulings(dice, story.rulings, runs)
        night = edited(extract, after, reference_dir, runs, elsewhere)
        reached = touched(night, after, reference_dir, runs, elsewhere)
        told.append(Told(extract, after, night, reached))
    most = max(told, key=lambda one: one.how_much)
    undecided = replace(most.story, rulings=[])
    without = edited(most.extract, undecided, reference_dir, runs, elsewhere)
    return replace(most, reached=most.reached | turned_by_rulings(most.night, without))


def edited(
    extract: RawExtract,
    story: Story,
    reference_dir: Path,
    runs: list[EarlierRun],
    elsewhere: list[dict[str, Any]],
) -> Night:
    return edit_night(
        extract.claims,
        extract.authorizations,
        extract.members,
        reference_dir=reference_dir,
        policy_id=story.drug.policy_id,
        as_of=extract.as_of,
        clinical=extract.clinical,
        history=runs,
        elsewhere=elsewhere,
        rulings=story.rulings,
    )


def touched(
    night: Night,
    story: Story,
    reference_dir: Path,
    runs: list[EarlierRun],
    elsewhere: list[dict[str, Any]],
) -> set[str]:
    reference = read_reference(reference_dir, story.drug.policy_id)
    partners = history_of(runs, elsewhere, reference).partner_lines
    clinical = reached_clinically(night, reference, partners)
    reached = reached_between_nights(night, runs, elsewhere, reference, story.rulings)
    reached |= reached_by_rulings(night, story.rulings, {run.run_id for run in runs})
    return reached | {one for one in clinical if one in PARTNERS_BETWEEN_NIGHTS}
