"""Lines that are edited a part of the members at a time: what reaches over them, and nights of parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import parts
from claims_edit.errors import InputError
from tests.oracle.drugs import IXABEPILONE
from tests.oracle.telling import RUN_IDS, told_story
from tests.runs.support import (
    digests,
    manifest_of,
    published,
    run_folders,
    sample_as_text,
    table,
    write,
)
from tests.support import REFERENCE

EVERY_MEMBER, FEW = 1, 12


def changed(rows: pl.DataFrame, claim: str, **values: str | None) -> pl.DataFrame:
    """The rows of one claim of the sample, with other values."""
    of_claim = rows.filter(claim_id=claim)
    assert of_claim.height
    return of_claim.with_columns(pl.lit(v, pl.String).alias(c) for c, v in values.items())


@pytest.fixture
def split() -> pl.DataFrame:
    """The sample with a claim whose two rows name two members, far apart in their order, and rows out of
    scope that replace that claim and another one."""
    sample = sample_as_text()
    first = changed(sample, "C-0001", claim_id="SPLIT", member_id="A-first")
    last = changed(sample, "C-0001", claim_id="SPLIT", member_id="Z-last", claim_line_number="2")
    other: dict[str, str | None] = {
        "hcpcs_code": "J0000",
        "ndc_code": None,
        "claim_frequency_code": "7",
    }
    replacing = [
        changed(
            sample, "C-0001", claim_id="SPLIT", member_id="Z-last", original_claim_id="X", **other
        ),
        changed(sample, "C-0001", claim_id="OTHER", original_claim_id="C-0001", **other),
    ]
    return pl.concat([last, sample, first, *replacing])


@pytest.mark.parametrize("part_lines", [EVERY_MEMBER, 10, 60])
def test_a_claim_of_two_members_is_rejected_whole_wherever_they_are(
    split: pl.DataFrame, tmp_path: Path, part_lines: int
) -> None:
    extract = write(split, tmp_path / "claims.csv")
    whole = published(tmp_path / "whole", extract, max_reject_rate=1)
    in_parts = published(tmp_path / "parts", extract, max_reject_rate=1, part_lines=part_lines)
    assert digests(in_parts) == digests(whole)
    rejected = table(in_parts, "rejected_lines").filter(claim_id="SPLIT")
    assert rejected["failed_checks"].to_list() == [["conflicting_claim"], ["conflicting_claim"]]
    versions = table(in_parts, "other_versions")["claim_id"].to_list()
    assert "OTHER" in versions
    assert "SPLIT" not in versions


def test_the_reject_rate_is_that_of_all_parts_together(tmp_path: Path) -> None:
    (row,) = sample_as_text().filter(claim_id="C-0001").to_dicts()
    rows = [
        row
        | {"claim_id": f"R-{n}", "member_id": f"R-{n}"}
        | ({"charge_amount": "-1"} if n < 11 else {})
        for n in range(100)
    ]
    extract = write(
        pl.DataFrame(rows, schema=dict.fromkeys(row, pl.String)), tmp_path / "claims.csv"
    )
    published(tmp_path / "out", extract, max_reject_rate=0.11, part_lines=30)
    with pytest.raises(InputError, match="11 of 100 in-scope rows"):
        published(tmp_path / "out", extract, max_reject_rate=0.1, part_lines=30, run_id="again")
    assert run_folders(tmp_path / "out") == ["run_id=tonight"]


def test_what_was_set_aside_is_gone(tmp_path: Path) -> None:
    folder = published(tmp_path, part_lines=10)
    assert run_folders(tmp_path) == ["run_id=tonight"]
    assert {file.suffix for file in folder.iterdir()} == {".parquet", ".json", ".zip"}


@pytest.mark.parametrize("seed", [3, 11])
def test_nights_in_parts_are_nights_as_they_are(tmp_path: Path, seed: int) -> None:
    """Each night is computed on those before it, which were edited in parts, or whole."""
    story = told_story(seed, IXABEPILONE, REFERENCE)
    for run_id, night in zip(RUN_IDS, story.nights, strict=False):
        folder = tmp_path / "inputs" / run_id
        folder.mkdir(parents=True)
        given: dict[str, Any] = {"members": None, "clinical": None, **night.extract.write(folder)}
        claims = given.pop("claims")
        runs = [
            published(
                tmp_path / name,
                claims,
                **given,
                run_id=run_id,
                as_of=night.extract.as_of,
                max_reject_rate=1,
                part_lines=part_lines,
            )
            for name, part_lines in (("whole", 1_000_000), ("parts", FEW))
        ]
        assert digests(runs[0]) == digests(runs[1])
        assert manifest_of(runs[0])["balance"] == manifest_of(runs[1])["balance"]


# ---- ranges ---------------------------------------------------------------------------------


def test_ranges_hold_no_more_rows_than_they_may_but_for_one_member() -> None:
    members = pl.DataFrame({"member_id": ["d", "a", "c", "b", "e"], "rows": [1, 2, 9, 2, 1]})
    ranges = parts.ranges_of(members, 4)
    assert ranges.ends.to_list() == ["b", "c"]
    asked = pl.Series(["a", "b", "bb", "c", "d", "zz", None, ""])
    assert ranges.of(asked).to_list() == [0, 0, 1, 1, 2, 2, 0, 0]
    rows = pl.DataFrame({"member_id": ["e", "a", "d", "c"]})
    assert [r["member_id"].to_list() for r in ranges.split(rows)] == [["a"], ["c"], ["e", "d"]]


def test_without_members_there_is_one_range() -> None:
    nobody = pl.DataFrame(schema={"member_id": pl.String, "rows": pl.UInt32})
    assert parts.ranges_of(nobody, 4).many == 1
