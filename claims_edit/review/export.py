"""`decisions.parquet` of an output folder: the decisions that stand, for the next run to read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from claims_edit.contracts import LINE_KEY, UNITS
from claims_edit.decision_contracts import DECISIONS, DECISIONS_FILE
from claims_edit.errors import InputError, UsageError
from claims_edit.pandera_alone import errors
from claims_edit.review.database import Database, Line, Row, line_of
from claims_edit.review.store import MODE, sync
from claims_edit.review.words import Decision
from claims_edit.schemas import polars_type, validated
from claims_edit.tables import TableWriter

_KEY = ["run_id", *LINE_KEY]
_TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"
_ASIDE = ".decisions"  # the table while it is written; whoever holds the database writes it alone


def export(out: Path, database: Database) -> int:
    """Write the decisions that stand, whole or not at all; how many they are.

    The database is held meanwhile, so that of two who export the later has what the earlier has.
    Raises UsageError where it cannot be written.
    """
    with database.writing(at_once=True):
        rows = standing(database)
        try:
            with TableWriter(out, _ASIDE, DECISIONS) as writer:
                writer.add(rows)
            _put(out / f"{_ASIDE}.parquet", out / DECISIONS_FILE)
        except OSError as error:
            raise UsageError(
                f"review: {out / DECISIONS_FILE}: cannot be written ({error.strerror}). What was "
                "decided is kept; make room, and write it with: claims-edit review OUT --export"
            ) from error
    return rows.height


def restore(out: Path, database: Database) -> int:
    """Take `decisions.parquet` into a database that is new: what was decided outlives its database.

    Raises InputError where it cannot be read, or has one line twice: writing it over would lose what it
    has.
    """
    path = out / DECISIONS_FILE
    if database.last_event() or not path.exists():
        return 0
    try:
        rows = validated(DECISIONS, pl.read_parquet(path))
    except (pl.exceptions.PolarsError, OSError, errors.SchemaError, errors.SchemaErrors) as error:
        raise InputError(
            f"review: {path}: cannot be read, and there is no review.sqlite that has what it has; bring "
            "back a copy of either, or move it away and begin anew."
        ) from error
    twice = rows.filter(rows.select(_KEY).is_duplicated()).select(_KEY).n_unique()
    if twice:
        raise InputError(
            f"review: {path}: has {twice:,} line{'' if twice == 1 else 's'} more than once, and a "
            "line has one decision that stands; mend the file, or move it away and begin anew."
        )
    return database.restore(_decided(row) for row in rows.iter_rows(named=True))


def _decided(row: Row) -> tuple[Line, Decision, str, datetime]:
    decision = Decision(row["decision"], row["reason_code"], row["note"])
    return line_of(row), decision, row["decided_by"], row["decided_at"]


def standing(database: Database) -> pl.DataFrame:
    """The decisions that stand, one row a line of a run."""
    names, rows = database.standing()
    kept = {name: pl.Int64 if name == "claim_line_number" else pl.String for name in names}
    types = {name: polars_type(column) for name, column in DECISIONS.columns.items()}
    return (
        pl.DataFrame(rows, schema=kept, orient="row")
        .with_columns(
            pl.col("decided_at").str.to_datetime(_TIME, time_unit="ms", time_zone="UTC"),
            pl.col("billed_units", "allowed_units").cast(UNITS),
            pl.col("edit_ids").str.json_decode(types["edit_ids"]),
        )
        .sort("run_id", "claim_id", "claim_line_number")
    )


def _put(written: Path, place: Path) -> None:
    """Move a file to its place, when all of it is on the disk."""
    written.chmod(MODE)
    sync(written)
    written.replace(place)
    sync(place.parent)
