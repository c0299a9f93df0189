"""Tables written piece by piece: their bytes hang on their rows alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from claims_edit import tables
from claims_edit.contracts import FINDINGS
from claims_edit.errors import FaultError
from claims_edit.schemas import empty
from claims_edit.tables import Order, OrderedTable, TableWriter, merged

ORDER = Order({"charge": True, "claim": False, "line": False})


def findings(many: int) -> pl.DataFrame:
    """Rows of the table of findings, with messages of every length."""
    values = {
        "claim_id": [f"C-{n // 3}" for n in range(many)],
        "claim_line_number": [n % 3 + 1 for n in range(many)],
        "edit_id": ["ndc-missing"] * many,
        "verdict": ["fail"] * many,
        "action": ["deny"] * many,
        "message": ["x" * (n % 211) + str(n) for n in range(many)],
        "policy_id": ["p"] * many,
        "evidence": ["{}"] * many,
    }
    return pl.concat([empty(FINDINGS), pl.DataFrame(values)], how="diagonal")


def written(folder: Path, pieces: list[pl.DataFrame]) -> bytes:
    folder.mkdir()
    with TableWriter(folder, "findings", FINDINGS) as writer:
        for piece in pieces:
            writer.add(piece)
    return (folder / "findings.parquet").read_bytes()


def test_the_pieces_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 1000)
    rows = findings(3500)
    whole = written(tmp_path / "whole", [rows])
    for name, many in (("ones", 1750), ("some", 300), ("groups", 1000), ("more", 1001)):
        pieces = [rows.slice(first, many) for first in range(0, rows.height, many)]
        assert written(tmp_path / name, [pieces[0].clear(), *pieces]) == whole
    read = pl.read_parquet(tmp_path / "whole" / "findings.parquet")
    assert_frame_equal(read, rows)
    groups = pl.scan_parquet(tmp_path / "whole" / "findings.parquet").select(pl.len())
    assert groups.collect().item() == rows.height


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    written(tmp_path / "none", [])
    assert_frame_equal(pl.read_parquet(tmp_path / "none" / "findings.parquet"), empty(FINDINGS))


def test_a_row_that_breaks_the_schema_is_a_fault(tmp_path: Path) -> None:
    bad = findings(5).with_columns(verdict=pl.lit("perhaps"))
    with pytest.raises(FaultError, match="table findings breaks its own schema"):
        written(tmp_path / "bad", [findings(5), bad])


def charged(many: int, seed: int) -> pl.DataFrame:
    dice = Random(seed)
    return pl.DataFrame(
        {
            "charge": [dice.randrange(6) for _ in range(many)],
            "claim": [f"C-{dice.randrange(40)}" for _ in range(many)],
            "line": list(range(many)),
        }
    )


@pytest.mark.parametrize(("many", "files"), [(0, 1), (1, 3), (100, 1), (500, 7), (500, 40)])
def test_sorted_files_are_merged_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int, files: int
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 50)
    rows = charged(many, files)
    paths = [tmp_path / f"{n}.arrow" for n in range(files)]
    for n, path in enumerate(paths):
        ORDER.sort(rows.gather_every(files, n) if many > n else rows.clear()).write_ipc(path)
    found = list(merged(paths, ORDER))
    assert_frame_equal(pl.concat([rows.clear(), *found]), ORDER.sort(rows))
    assert max((piece.height for piece in found), default=0) <= 50 + files


# Of 2,000 rows in pieces of 130 some are held at the end; of 1,820 none, since the last was set aside.
@pytest.mark.parametrize("many", [1820, 2000])
def test_an_ordered_table_is_the_same_whether_it_was_held_or_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    order = Order({"claim_line_number": True, "claim_id": False})
    rows = findings(many).sample(fraction=1, shuffle=True, seed=1)
    found = {}
    for name, row_group in (("held", 100_000), ("aside", 100)):
        monkeypatch.setattr(tables, "ROW_GROUP", row_group)
        folder = tmp_path / name
        folder.mkdir()
        writer = TableWriter(folder, "findings", FINDINGS)
        table = OrderedTable(writer, order, folder / "aside")
        for first in range(0, rows.height, 130):
            table.add(rows.slice(first, 130))
        table.close()
        assert (folder / "aside").exists() == (name == "aside")
        found[name] = pl.read_parquet(folder / "findings.parquet")
    assert_frame_equal(found["held"], found["aside"])
    assert_frame_equal(found["held"], order.sort(rows))
