"""The queue: the flagged lines of all published runs of an output folder, as one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from claims_edit.contracts import FLAGGED_LINES
from claims_edit.errors import InputError
from claims_edit.history import PublishedRun, runs_in
from claims_edit.lifecycle import grouped
from claims_edit.manifest import NAME
from claims_edit.masking import NoMasking
from claims_edit.naming import Ids
from claims_edit.publish import run_folders
from claims_edit.schemas import polars_type

KEY = ["run_id", "claim_id", "claim_line_number"]
_CLAIM = ["hcpcs", "member_id", "claim_id"]
_VERSION = ["member_id", "claim_id", "claim_frequency_code", "original_claim_id"]
_REF_LENGTH = 10
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Queue:
    """The flagged lines of runs. `keys` and `shown` have the same rows in the same order.

    `keys` is what a decision is kept by: the ids as they are. `shown` has the columns of
    `flagged_lines` as they may be shown, and beside them
    `ref` (what a page calls the line; it holds no id), `run_id`, `run` (its place in the order of the
    runs), `since` (the day it was received, or that of its run), `provider`, `current` (no later run has
    its claim again, or another version of it), `all_edit_ids`, and `found_by` (the text searched).
    `ids` are those that texts may name and that are not shown; none where all are.
    """

    keys: pl.DataFrame
    shown: pl.DataFrame
    folders: dict[str, Path]
    ids: Ids


def signature(out: Path) -> Signature:
    """What changes when a run is published, replaced or taken away."""
    stamps = []
    for folder in run_folders(out):
        status = (folder / NAME).stat()
        stamps.append((folder.name, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def load(out: Path, masking: NoMasking) -> Queue:
    """The queue of an output folder.

    Raises InputError where a run cannot be read.
    """
    runs = runs_in(out)
    try:
        lines = _flagged(runs).join(_last_seen(runs), on=_CLAIM, how="left", maintain_order="left")
    except _UNREADABLE as error:
        raise InputError(
            f"OUT: {out}: flagged lines of its runs cannot be read ({type(error).__name__}); see what "
            f"`claims-edit verify {out}` says."
        ) from error
    lines = lines.with_columns(
        current=pl.col("run") >= pl.col("last_run").fill_null(0),
        since=pl.coalesce("received_date", "as_of"),
        provider=pl.coalesce("rendering_npi", "billing_npi"),
        all_edit_ids=pl.col("edit_ids").list.concat("unknown_edit_ids"),
    ).drop("last_run", "hcpcs", "as_of")
    keys = lines.select("ref", "run_id", *FLAGGED_LINES.columns)
    ids = _named(runs) | Ids.of(keys) if masking.active else Ids()
    shown = masking.frame(lines, ids) if masking.active else lines
    found_by = pl.concat_str(
        pl.col("claim_id", "member_id").fill_null("").str.to_lowercase(), separator="\n"
    )
    folders = {run.run_id: run.folder for run in runs}
    return Queue(keys, shown.with_columns(found_by=found_by), folders, ids)


def _flagged(runs: Sequence[PublishedRun]) -> pl.DataFrame:
    """The flagged lines of runs, the columns that older versions did not write null."""
    types = {name: polars_type(column) for name, column in FLAGGED_LINES.columns.items()}
    none = pl.DataFrame(schema=types).with_columns(
        run_id=pl.lit(None, pl.String),
        run=pl.lit(None, pl.Int64),
        hcpcs=pl.lit(None, pl.String),
        as_of=pl.lit(None, pl.Date),
        ref=pl.lit(None, pl.String),
    )
    frames = [_flagged_of(run, types) for run in runs if run.rows("flagged_lines")]
    return pl.concat([none, *frames], how="diagonal")


def _flagged_of(run: PublishedRun, types: dict[str, pl.DataType]) -> pl.DataFrame:
    scanned = pl.scan_parquet(run.folder / "flagged_lines.parquet", glob=False)
    there = scanned.collect_schema().names()
    rows = scanned.select(pl.col(name).cast(types[name]) for name in types if name in there)
    written = next(o for o in run.manifest["outputs"] if o["table"] == "flagged_lines")
    digest = written["digest"][:_REF_LENGTH]
    return (
        rows.with_row_index("row")
        .with_columns(
            run_id=pl.lit(run.run_id),
            run=pl.lit(run.place, pl.Int64),
            hcpcs=pl.lit(run.hcpcs_code),
            as_of=pl.lit(date.fromisoformat(run.manifest["as_of"])),
            ref=pl.format("{}-{}-{}", pl.lit(run.place), "row", pl.lit(digest)),
        )
        .drop("row")
        .collect()
    )


def _named(runs: Sequence[PublishedRun]) -> Ids:
    """The ids that the sentences of findings may name beside those of the lines themselves."""
    files = [run.folder / "findings.parquet" for run in runs if run.rows("findings")]
    return Ids.of(
        *(pl.scan_parquet(file, glob=False).select("evidence").collect() for file in files)
    )


def _last_seen(runs: Sequence[PublishedRun]) -> pl.DataFrame:
    """Of each claim the last run (`last_run`) that has it, or another version of it."""
    none = pl.DataFrame(schema=dict.fromkeys(_CLAIM, pl.String) | {"last_run": pl.Int64})
    codes = sorted({run.hcpcs_code for run in runs if run.rows("lines")})
    return pl.concat([none, *(_last_of_drug(code, runs) for code in codes)])


def _last_of_drug(hcpcs_code: str, runs: Sequence[PublishedRun]) -> pl.DataFrame:
    """The same of the claims of one drug."""
    frames = [
        pl.scan_parquet(run.folder / f"{table}.parquet", glob=False)
        .select(*_VERSION, run=pl.lit(run.place, pl.Int64), in_scope=pl.lit(table == "lines"))
        .unique()
        for run in runs
        for table in ("lines", "other_versions")
        if run.hcpcs_code == hcpcs_code and run.rows(table)
    ]
    last = pl.col("run").max().over("member_id", "group")
    return (
        grouped(pl.concat(frames).collect())
        .select(pl.lit(hcpcs_code).alias("hcpcs"), "member_id", "claim_id", last_run=last)
        .unique()
    )
