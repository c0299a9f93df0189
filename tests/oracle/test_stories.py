"""What night after night reaches, and that no night depends on the order of rows."""

from pathlib import Path
from typing import Any

from .examples import REFERENCE_DATA
from .extract import RawExtract
from .history import EarlierRun
from .made_up import MADE_UP, write_made_up
from .nights import IXABEPILONE, Drug
from .reached import BETWEEN_NIGHTS, ELSEWHERE
from .reached_clinical import PARTNERS_BETWEEN_NIGHTS
from .rulings import RULED, RULINGS
from .telling import RUN_IDS, edited, told_story


def reached_by_stories(drug: Drug, reference_dir: Path, examples: int) -> set[str]:
    stories = (told_story(number, drug, reference_dir) for number in range(examples))
    return {name for story in stories for name in story.reached}


def test_stories_reach_everything_between_nights() -> None:
    reached = reached_by_stories(IXABEPILONE, REFERENCE_DATA, 48)
    assert (BETWEEN_NIGHTS | ELSEWHERE | PARTNERS_BETWEEN_NIGHTS | RULINGS) - reached == set()


def test_stories_of_a_made_up_drug_reach_it_too(tmp_path: Path) -> None:
    reached = reached_by_stories(MADE_UP, write_made_up(tmp_path, REFERENCE_DATA), 48)
    assert (BETWEEN_NIGHTS | ELSEWHERE | RULED) - reached == set()


def test_the_order_of_rows_changes_no_night() -> None:
    for number in range(10):
        story, runs = told_story(number, IXABEPILONE, REFERENCE_DATA), list[EarlierRun]()
        for told in story.nights:
            extract = told.extract
            turned = RawExtract(
                extract.claims[::-1],
                extract.authorizations[::-1],
                extract.members,
                extract.as_of,
                extract.clinical and extract.clinical[::-1],
            )
            again = edited(turned, told.story, REFERENCE_DATA, runs, story.elsewhere[::-1])
            assert in_key_order(again.lines) == in_key_order(told.night.lines)
            assert again.reconsider == told.night.reconsider
            runs.append(EarlierRun(RUN_IDS[len(runs)], again.kept))


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["claim_id"], row["claim_line_number"]))
