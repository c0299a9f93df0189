"""The program, publishing night after night, and the naive oracle say the same of every night.

The program knows of earlier nights only what it published, and the oracle only what it kept.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.oracle.dice import Dice
from tests.oracle.drugs import BCBST_IXABEPILONE, IXABEPILONE, Drug
from tests.oracle.elsewhere import lines_elsewhere
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.reached import BETWEEN_NIGHTS, ELSEWHERE
from tests.oracle.reached_clinical import PARTNERS_BETWEEN_NIGHTS
from tests.oracle.rulings import RULINGS
from tests.oracle.so_far import story_of
from tests.oracle.story import throws
from tests.oracle.telling import most_telling_night, told_story
from tests.properties.publishing import Publisher
from tests.support import REFERENCE

EVERYTHING = BETWEEN_NIGHTS | ELSEWHERE | PARTNERS_BETWEEN_NIGHTS | RULINGS
STORIES = 100  # that are looked through for what chance left out

reached: set[str] = set()


class NightAfterNight(RuleBasedStateMachine):
    drug: Drug
    reference: Path

    @initialize(begin=throws(), one=throws(), lines_elsewhere_too=st.booleans())
    def first_night(self, begin: bytes, one: bytes, lines_elsewhere_too: bool) -> None:
        dice = Dice(begin)
        self.story = story_of(dice, self.drug)
        self.elsewhere = lines_elsewhere(dice, self.story) if lines_elsewhere_too else []
        self.publisher = Publisher(self.reference, self.elsewhere)
        self.publish(one, 0, elsewhere=self.elsewhere)

    @rule(one=throws())
    def another_night(self, one: bytes) -> None:
        self.publish(one, len(self.publisher.runs), elsewhere=self.elsewhere)

    @precondition(lambda self: self.elsewhere)
    @rule(one=throws())
    def night_that_is_not_told_of_elsewhere(self, one: bytes) -> None:
        self.publish(one, len(self.publisher.runs), elsewhere=[])

    @precondition(lambda self: self.drug is IXABEPILONE)
    @rule(one=throws())
    def night_under_another_policy(self, one: bytes) -> None:
        """Whose partners are not looked for, and which knows no limits."""
        place = len(self.publisher.runs)
        self.publish(one, place, elsewhere=self.elsewhere, drug=BCBST_IXABEPILONE)
        reached.add("under another policy")

    @precondition(lambda self: len(self.publisher.runs) > 1)
    @rule(one=throws(), place=st.integers(0, 9))
    def night_replaced(self, one: bytes, place: int) -> None:
        self.publish(one, place % len(self.publisher.runs), elsewhere=self.elsewhere)
        reached.add("replaced")

    def publish(
        self, one: bytes, place: int, elsewhere: list[dict[str, Any]], drug: Drug | None = None
    ) -> None:
        drug = drug or self.drug
        story, before = replace(self.story, drug=drug), self.publisher.runs[:place]
        told = most_telling_night(one, story, self.reference, before, elsewhere)
        note(f"night {place}: {told.extract}")
        self.publisher.publish(told, place, drug, elsewhere=bool(elsewhere))
        self.story = replace(told.story, drug=self.drug)
        reached.update(told.reached)

    def teardown(self) -> None:
        self.publisher.close()


def look(drug_: Drug, reference_: Path, examples: int) -> None:
    class OfADrug(NightAfterNight):
        drug = drug_
        reference = reference_

    run_state_machine_as_test(
        OfADrug,
        settings=settings(
            max_examples=examples,
            stateful_step_count=5,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def look_for(wanted: set[str], drug: Drug, reference: Path) -> None:
    """Publish the stories that reach some of it; the oracle tells them far sooner."""
    for number in range(STORIES):
        story = told_story(number, drug, reference) if wanted - reached else None
        if story is None or not story.reached & wanted - reached:
            continue
        with closing(Publisher(reference, story.elsewhere)) as publisher:
            for place, told in enumerate(story.nights):
                publisher.publish(told, place, drug, elsewhere=bool(story.elsewhere))
        reached.update(story.reached)


def test_program_and_oracle_agree_night_after_night(tmp_path: Path) -> None:
    """A real policy, and a made-up drug whose limits deny, flag and cut back."""
    reached.clear()
    look(IXABEPILONE, REFERENCE, 12)
    look(MADE_UP, write_made_up(tmp_path, REFERENCE), 7)
    look_for(EVERYTHING, IXABEPILONE, REFERENCE)
    assert (EVERYTHING | {"replaced", "under another policy"}) - reached == set()
