"""What night after night reaches, and that no night depends on the order of rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .dice import Dice
from .elsewhere import lines_elsewhere
from .examples import REFERENCE_DATA
from .extract import RawExtract
from .history import EarlierRun
from .made_up import MADE_UP, write_made_up
from .nights import IXABEPILONE, Drug
from .reached import BETWEEN_NIGHTS, ELSEWHERE
from .story import story_of, throws
from .telling import Told, edited, most_telling_night

Look = Callable[[Told, list[EarlierRun], list[dict[str, Any]]], None]


def tell(drug: Drug, reference_dir: Path, examples: int, look: Look) -> None:
    """Looks at every night of some stories, half of them after lines allowed elsewhere."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(begin=throws(), nights=st.lists(throws(), min_size=2, max_size=5), far=st.booleans())
    def tell_one(begin: bytes, nights: list[bytes], far: bool) -> None:
        dice = Dice(begin)
        story, runs = story_of(dice, drug), list[EarlierRun]()
        elsewhere = lines_elsewhere(dice, story) if far else []
        for number, thrown in enumerate(nights):
            told = most_telling_night(thrown, story, reference_dir, runs, elsewhere)
            look(told, runs, elsewhere)
            story = told.story
            runs = [*runs, EarlierRun(f"night-{number}", told.night.kept)]

    tell_one()


def reached_by_stories(drug: Drug, reference_dir: Path, examples: int) -> set[str]:
    reached: set[str] = set()
    tell(drug, reference_dir, examples, lambda told, *_: reached.update(told.reached))
    return reached


def test_stories_reach_everything_between_nights() -> None:
    reached = reached_by_stories(IXABEPILONE, REFERENCE_DATA, 40)
    assert (BETWEEN_NIGHTS | ELSEWHERE) - reached == set()


def test_stories_of_a_made_up_drug_reach_it_too(tmp_path: Path) -> None:
    reached = reached_by_stories(MADE_UP, write_made_up(tmp_path, REFERENCE_DATA), 40)
    assert (BETWEEN_NIGHTS | ELSEWHERE) - reached == set()


def test_the_order_of_rows_changes_no_night() -> None:
    def look(told: Told, runs: list[EarlierRun], elsewhere: list[dict[str, Any]]) -> None:
        turned = RawExtract(
            told.extract.claims[::-1],
            told.extract.authorizations[::-1],
            told.extract.members,
            told.extract.as_of,
        )
        night = edited(turned, told.story, REFERENCE_DATA, runs, elsewhere[::-1])
        assert in_key_order(night.lines) == in_key_order(told.night.lines)
        assert night.reconsider == told.night.reconsider

    tell(IXABEPILONE, REFERENCE_DATA, 10, look)


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["claim_id"], row["claim_line_number"]))
