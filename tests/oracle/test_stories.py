"""What night after night reaches, and that no night depends on the order of rows."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from .dice import Dice
from .elsewhere import lines_elsewhere
from .examples import REFERENCE_DATA
from .extract import RawExtract
from .history import EarlierRun
from .made_up import MADE_UP, write_made_up
from .nights import IXABEPILONE, Drug
from .reached import BETWEEN_NIGHTS, ELSEWHERE
from .reached_clinical import PARTNERS_BETWEEN_NIGHTS
from .so_far import story_of
from .story import THROWS
from .telling import Told, edited, most_telling_night

Look = Callable[[Told, list[EarlierRun], list[dict[str, Any]]], None]


def tell(drug: Drug, reference_dir: Path, examples: int, look: Look) -> None:
    """Looks at every night of some stories, half of them after lines allowed elsewhere."""
    for number in range(examples):
        rng = Random(number)
        dice = Dice(rng.randbytes(THROWS))
        story, runs = story_of(dice, drug), list[EarlierRun]()
        elsewhere = lines_elsewhere(dice, story) if number % 2 else []
        for night in range(rng.randint(2, 5)):
            thrown = rng.randbytes(THROWS)
            told = most_telling_night(thrown, story, reference_dir, runs, elsewhere)
            look(told, runs, elsewhere)
            story = told.story
            runs = [*runs, EarlierRun(f"night-{night}", told.night.kept)]


def reached_by_stories(drug: Drug, reference_dir: Path, examples: int) -> set[str]:
    reached: set[str] = set()
    tell(drug, reference_dir, examples, lambda told, *_: reached.update(told.reached))
    return reached


def test_stories_reach_everything_between_nights() -> None:
    reached = reached_by_stories(IXABEPILONE, REFERENCE_DATA, 36)
    assert (BETWEEN_NIGHTS | ELSEWHERE | PARTNERS_BETWEEN_NIGHTS) - reached == set()


def test_stories_of_a_made_up_drug_reach_it_too(tmp_path: Path) -> None:
    reached = reached_by_stories(MADE_UP, write_made_up(tmp_path, REFERENCE_DATA), 36)
    assert (BETWEEN_NIGHTS | ELSEWHERE) - reached == set()


def test_the_order_of_rows_changes_no_night() -> None:
    def look(told: Told, runs: list[EarlierRun], elsewhere: list[dict[str, Any]]) -> None:
        turned = RawExtract(
            told.extract.claims[::-1],
            told.extract.authorizations[::-1],
            told.extract.members,
            told.extract.as_of,
            told.extract.clinical and told.extract.clinical[::-1],
        )
        night = edited(turned, told.story, REFERENCE_DATA, runs, elsewhere[::-1])
        assert in_key_order(night.lines) == in_key_order(told.night.lines)
        assert night.reconsider == told.night.reconsider

    tell(IXABEPILONE, REFERENCE_DATA, 10, look)


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["claim_id"], row["claim_line_number"]))
