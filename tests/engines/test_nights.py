"""Generated nights, computed on each other, come out of Spark as they come out of polars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from claims_edit.decision_contracts import DECISIONS_FILE
from tests.engines.support import on_both
from tests.oracle.drugs import IXABEPILONE, Drug
from tests.oracle.extract import RawExtract
from tests.oracle.history import Ruling
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.reading import RawRow
from tests.oracle.telling import RUN_IDS, ToldStory, told_story
from tests.properties.publishing import write_decisions, write_elsewhere
from tests.support import REFERENCE

STORIES = 16
PART_LINES = 60  # so that every night has several parts
_NAMES = ("claim_id", "member_id", "person_id", "patient_id", "original_claim_id")
_AUTHORIZATION = "authorization_number"

pytestmark = pytest.mark.xdist_group("spark")


@dataclass(frozen=True)
class Told:
    """Many stories as one: the same nights, each of claims and members of its own."""

    nights: list[RawExtract]
    rulings: list[list[Ruling]]
    elsewhere: list[dict[str, Any]]


def together(stories: Sequence[ToldStory]) -> Told:
    """Their claims, members and authorizations are named apart; nothing else changes."""
    count = max(len(story.nights) for story in stories)
    nights, rulings = [], []
    for place in range(count):
        told = [
            (n, s.nights[place].extract) for n, s in enumerate(stories) if place < len(s.nights)
        ]
        rulings.append(
            [
                _ruling_apart(n, ruling)
                for n, s in enumerate(stories)
                if place < len(s.nights)
                for ruling in s.nights[place].story.rulings
            ]
        )
        nights.append(
            RawExtract(
                [row for n, e in told for row in _apart(n, e.claims)],
                [row for n, e in told for row in _apart(n, e.authorizations)],
                [row for n, e in told for row in _apart(n, e.members or [])],
                max(extract.as_of for _, extract in told),
                [row for n, e in told for row in _apart(n, e.clinical or [])],
            )
        )
    elsewhere = [row for n, s in enumerate(stories) for row in _elsewhere_apart(n, s.elsewhere)]
    return Told(nights, rulings, elsewhere)


def _apart(number: int, rows: Sequence[RawRow]) -> list[RawRow]:
    named = (*_NAMES, _AUTHORIZATION)
    return [
        {c: _named(number, v) if v and c in named else v for c, v in row.items()} for row in rows
    ]


def _named(number: int, value: str) -> str:
    return re.sub(r"^(\s*)(?=\S)", rf"\g<1>{number}-", value)


def _ruling_apart(number: int, ruling: Ruling) -> Ruling:
    claim_id, member_id = (_named(number, name) for name in (ruling.claim_id, ruling.member_id))
    return replace(ruling, claim_id=claim_id, member_id=member_id)


def _elsewhere_apart(number: int, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    def named(column: str, value: Any) -> Any:
        if column in _NAMES and value is not None:
            return _named(number, value)
        if column == "authorization_draws" and value is not None:
            return [(_named(number, draw), units) for draw, units in value]
        return value

    return [{column: named(column, value) for column, value in row.items()} for row in rows]


def compared(drug: Drug, reference: Path, folder: Path) -> None:
    told = together([told_story(number, drug, reference) for number in range(STORIES)])
    history: dict[str, Any] = {}
    if told.elsewhere:
        write_elsewhere(folder / "elsewhere.parquet", told.elsewhere)
        history["history"] = folder / "elsewhere.parquet"
    for place, extract in enumerate(told.nights):
        inputs = folder / f"night-{place}"
        inputs.mkdir()
        paths: dict[str, Any] = dict(extract.write(inputs))
        paths["claims"] = (paths["claims"],)
        paths["decisions"] = inputs / DECISIONS_FILE
        write_decisions(paths["decisions"], told.rulings[place])
        on_both(
            folder,
            part_lines=PART_LINES,
            **paths,
            **history,
            run_id=RUN_IDS[place],
            as_of=extract.as_of,
            policy=drug.policy_id,
            reference_data=reference,
        )


def test_nights_on_each_other_are_the_same(spark: object, tmp_path: Path) -> None:
    compared(IXABEPILONE, REFERENCE, tmp_path)


def test_nights_of_a_made_up_drug_are_the_same(spark: object, tmp_path: Path) -> None:
    """Its limits deny, flag and cut back, and its partners show."""
    compared(MADE_UP, write_made_up(tmp_path, REFERENCE), tmp_path)
