"""The extracts that are measured are what they are said to be."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.dense import Dense
from benchmarks.generate import make
from benchmarks.sparse import HCPCS_NOTATIONS, NDC_NOTATIONS, Sparse
from claims_edit.contracts import CLAIMS
from claims_edit.edits.catalogue import EDITS

from .conftest import Editing

CLINICAL = {edit.id for edit in EDITS.values() if edit.reads_clinical_facts}
# The code is in force for longer than the policy, and the policy names no program.
CANNOT_FAIL = {"procedure-not-effective", "program-terms-govern"}
OFF = {"wastage-modifier-missing"}


@pytest.mark.parametrize("source", [Sparse(50_000), Dense(5_000), Dense(5_000, "heavy-member")])
def test_an_extract_is_the_same_however_many_rows_are_made_at_a_time(
    source: Sparse | Dense,
) -> None:
    whole = pl.concat(source.chunks(1 << 20))
    assert_frame_equal(pl.concat(source.chunks(1_111)), whole)
    assert whole.height == source.lines
    assert [c for c in whole.columns if c in CLAIMS.columns] == list(CLAIMS.columns)


def test_another_seed_makes_another_extract() -> None:
    one, other = (next(Dense(1_000, seed=seed).chunks(1_000)) for seed in (1, 2))
    assert not one.equals(other)


def test_every_line_of_the_drug_is_found_by_every_notation(edited: Editing) -> None:
    night = edited("sparse", 400_000)
    facts = night.made.known["facts"]
    assert len(facts) == len(HCPCS_NOTATIONS) + len(NDC_NOTATIONS)
    assert min(facts.values()) > 0
    lines = pl.read_parquet(night.run / "lines.parquet")
    rejected = pl.read_parquet(night.run / "rejected_lines.parquet")
    assert lines.height + rejected.height == sum(facts.values())
    by_ndc = sum(count for name, count in facts.items() if name.startswith("NDC alone"))
    assert lines.filter(pl.col("hcpcs_code").ne_missing("J9207")).height == by_ndc


def test_the_gzipped_extract_holds_the_same_lines(edited: Editing) -> None:
    night = edited("gzip", 20_000)
    lines = pl.read_parquet(night.run / "lines.parquet")
    assert night.made.claims.name == "claims.csv.gz"
    assert lines.height == sum(night.made.known["facts"].values()) > 0


def test_every_edit_fails_on_some_lines_and_most_lines_pay(edited: Editing) -> None:
    night = edited("dense", 20_000)
    findings = pl.read_parquet(night.run / "findings.parquet")
    wanted = EDITS.keys() - CLINICAL - CANNOT_FAIL - OFF
    assert set(findings.filter(pl.col("verdict") == "fail")["edit_id"]) == wanted
    lines = pl.read_parquet(night.run / "lines.parquet")
    found = findings.select("claim_id", "claim_line_number").unique().height / lines.height
    assert 0.05 < found < 0.08
    assert set(lines["disposition"]) == {"pay", "flag", "partial", "deny", "void", "superseded"}
    rejected = pl.read_parquet(night.run / "rejected_lines.parquet")
    assert 0 < rejected.height < 0.005 * lines.height
    assert not pl.read_parquet(night.run / "rejected_authorizations.parquet").is_empty()


def test_one_member_has_many_lines_and_they_take_part_in_the_limits(edited: Editing) -> None:
    lines = pl.read_parquet(edited("dense", 5_000, "heavy-member").run / "lines.parquet")
    heavy = lines.filter(pl.col("member_id") == "M000000000")
    assert heavy.height == 2_500
    assert heavy["takes_part_in_limits"].sum() > 0.9 * heavy.height


def test_every_member_is_over_the_limit(edited: Editing) -> None:
    lines = pl.read_parquet(edited("dense", 5_000, "all-over").run / "lines.parquet")
    over = lines.filter(pl.col("edit_ids").list.contains("units-per-period"))
    assert over["member_id"].n_unique() > 0.95 * lines["member_id"].n_unique()


def test_an_extract_that_stands_is_taken_as_it_is(tmp_path: Path) -> None:
    first = make("dense", 1_000, into=tmp_path)
    part = first.claims / "part-000.parquet"
    written = part.stat().st_mtime_ns
    assert make("dense", 1_000, into=tmp_path).known == first.known
    assert part.stat().st_mtime_ns == written
    make("dense", 1_000, into=tmp_path, seed=2)
    assert part.stat().st_mtime_ns > written
