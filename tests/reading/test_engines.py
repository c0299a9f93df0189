"""The streaming engine of polars and the one in memory read and decide the same."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.support import PROJECT, Edited, edit_files

SAMPLE = PROJECT / "sample_claims"


def sample(engine: Literal["in-memory", "streaming"]) -> Edited:
    options = tomllib.loads((SAMPLE / "run.toml").read_text(encoding="utf-8"))
    with pl.Config(engine_affinity=engine):
        return edit_files(
            [SAMPLE / path for path in options["claims"]],
            SAMPLE / options["authorizations"],
            SAMPLE / options["members"],
            SAMPLE / options["clinical"],
            as_of=date.fromisoformat(options["as_of"]),
        )


@pytest.fixture(scope="module")
def both() -> tuple[Edited, Edited]:
    return sample("in-memory"), sample("streaming")


@pytest.mark.parametrize(
    "table",
    [
        "lines",
        "findings",
        "partner_lines",
        "rejected_lines",
        "rejected_authorizations",
        "rejected_clinical_facts",
    ],
)
def test_the_tables_are_equal_row_by_row(both: tuple[Edited, Edited], table: str) -> None:
    in_memory, streaming = (getattr(edited, table) for edited in both)
    assert in_memory.height > 0
    assert_frame_equal(in_memory, streaming, check_row_order=True, check_exact=True)


def test_the_counts_are_equal(both: tuple[Edited, Edited]) -> None:
    in_memory, streaming = both
    assert (in_memory.rows, in_memory.in_scope_rows) == (streaming.rows, streaming.in_scope_rows)
