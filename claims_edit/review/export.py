"""`decisions.parquet` of an output folder: the decisions that stand, for the next run to read."""

from __future__ import annotations

import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from claims_edit.errors import UsageError
from claims_edit.review.contract import DECISIONS
from claims_edit.review.database import Database, Row
from claims_edit.schemas import polars_type
from claims_edit.tables import TableWriter

NAME = "decisions.parquet"
_ASIDE = ".decisions"  # the table while it is written; whoever holds the database writes it alone


def export(out: Path, database: Database) -> int:
    """Write the decisions that stand, whole or not at all; how many they are.

    The database is held meanwhile, so that of two who export the later has what the earlier has.
    Raises UsageError where it cannot be written.
    """
    with database.writing():
        rows = standing(database)
        try:
            with TableWriter(out, _ASIDE, DECISIONS) as writer:
                writer.add(rows)
            _put(out / f"{_ASIDE}.parquet", out / NAME)
        except OSError as error:
            raise UsageError(
                f"review: {out / NAME}: cannot be written ({error.strerror}). What was decided is kept; "
                "make room, and write it with: claims-edit review OUT --export"
            ) from error
    return rows.height


def standing(database: Database) -> pl.DataFrame:
    """The decisions that stand, one row a line of a run."""
    rows = [_row(state) for state in database.states() if state["standing"] is not None]
    types = {name: polars_type(column) for name, column in DECISIONS.columns.items()}
    return pl.DataFrame(rows, schema=types, orient="row").sort(
        "run_id", "claim_id", "claim_line_number"
    )


def _row(state: Row) -> Row:
    """A row of the table, from where a line stands."""
    return {
        "run_id": state["run_id"],
        "claim_id": state["claim_id"],
        "claim_line_number": state["claim_line_number"],
        "member_id": state["member_id"],
        "decision": state["standing"],
        "reason_code": state["standing_reason_code"],
        "note": state["standing_note"],
        "decided_by": state["decided_by"],
        "decided_at": datetime.fromisoformat(state["decided_at"]),
        "disposition": state["decided_disposition"],
        "billed_units": Decimal(state["decided_billed_units"]),
        "allowed_units": Decimal(state["decided_allowed_units"]),
        "edit_ids": json.loads(state["decided_edit_ids"]),
        "primary_edit_id": state["decided_primary_edit_id"],
    }


def _put(written: Path, place: Path) -> None:
    """Move a file to its place, when all of it is on the disk."""
    written.chmod(0o660)
    for path, move in ((written, True), (place.parent, False)):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if move:
            written.replace(place)
