"""A Parquet file of which most rows are wanted is read in pieces, each of whole row groups."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from claims_edit import extracts
from claims_edit.errors import InputError
from claims_edit.intake import open_claims
from tests.reading.rows import claim, parquet

IDS = [f"C{i:02}" for i in range(11)]


@pytest.mark.parametrize("row_group_size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("at_least", [1, 4, 5, 11, 1000])
def test_every_row_is_read_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group_size: int, at_least: int
) -> None:
    monkeypatch.setattr(extracts, "_PIECE", at_least)
    rows = [claim(claim_id=claim_id) for claim_id in IDS]
    path = parquet(tmp_path / "claims.parquet", rows, row_group_size=row_group_size)
    extract = open_claims([path], with_members=False)
    assert pl.concat(extract.batches())["claim_id"].to_list() == IDS
    pieces = list(extract.files[0].pieces())
    ends = [first + many for first, many in pieces]
    assert [first for first, _ in pieces] == [0, *ends[:-1]]
    assert all(end % row_group_size == 0 for end in ends[:-1])
    assert all(at_least <= many < at_least + row_group_size for _, many in pieces[:-1])


def test_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    pl.DataFrame([claim()]).clear().write_parquet(path)
    assert pl.concat(open_claims([path], with_members=False).batches()).is_empty()


def test_a_file_that_is_damaged_after_it_was_opened(tmp_path: Path) -> None:
    path = parquet(tmp_path / "claims.parquet", [claim()])
    extract = open_claims([path], with_members=False)
    path.write_bytes(b"PAR1" + b"?" * 200 + b"PAR1")
    with pytest.raises(InputError, match=r"claims: .*claims\.parquet: "):
        list(extract.batches())
