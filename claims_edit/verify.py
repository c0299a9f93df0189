"""`verify`: published runs against their own manifests, and the chain of their histories."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.errors import InputError, UsageError
from claims_edit.history import PublishedRun, read_run
from claims_edit.kept_reference import ARCHIVE
from claims_edit.manifest import NAME, RowCounts, account_of, digest_of, is_sealed, to_json
from claims_edit.pandera_alone import errors, pa
from claims_edit.publish import (
    COMPARISON,
    DETERMINATIONS,
    is_published,
    run_folders,
    run_like_folders,
)
from claims_edit.report.flagged import SHOWN
from claims_edit.run_contracts import RUN_TABLES, YOUNGER_COLUMNS, YOUNGER_TABLES
from claims_edit.schemas import empty, validated

_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_KEY = ["claim_id", "claim_line_number"]


def verify(folder: Path) -> dict[str, list[str]]:
    """What differs, by run folder, in one run folder or all of an output folder; empty where nothing.

    Raises UsageError where there is no such folder, InputError where it holds no run.
    """
    if not folder.is_dir():
        raise UsageError(f"RUN_DIR: {folder}: there is no such folder.")
    if folder.name.startswith((f"{DETERMINATIONS}=", f"{COMPARISON}=")):
        raise UsageError(f"RUN_DIR: {folder}: is no run; name the folder of a run, or of all runs.")
    if is_published(folder):
        folders, out = [folder.resolve()], folder.resolve().parent
    else:
        folders, out = run_like_folders(folder), folder
    if not folders:
        raise InputError(f"RUN_DIR: {folder}: holds no published run.")
    runs = _readable(run_folders(out))
    return {f.name: _differences_of(f, runs) for f in folders}


def _differences_of(folder: Path, runs: Sequence[PublishedRun]) -> list[str]:
    try:
        return list(_differences(folder, runs))
    except OSError as error:
        return [f"{error.filename}: cannot be read ({error.strerror})"]


def _readable(folders: Sequence[Path]) -> list[PublishedRun]:
    """The runs whose manifests can be read, in their order."""
    runs = []
    for folder in folders:
        with suppress(InputError, OSError):
            runs.append(read_run(folder))
    return sorted(runs, key=lambda run: run.place)


def _differences(folder: Path, runs: Sequence[PublishedRun]) -> Iterator[str]:
    if not is_published(folder):
        yield f"there is no {NAME}: it is no run, and what it allowed would not bind"
        return
    if not is_sealed((folder / NAME).read_bytes()):
        yield f"{NAME}: is not what was written"
        return
    try:
        run = read_run(folder)
    except InputError as error:
        yield str(error)
        return
    damaged = list(_damaged_files(run))
    yield from damaged or _of_tables(run)
    yield from _of_history(run, runs)


# ---- files and tables -----------------------------------------------------------------------


def _damaged_files(run: PublishedRun) -> Iterator[str]:
    """Files that are not, to the byte, those that were published."""
    written = {output["table"]: output for output in run.manifest["outputs"]}
    for name in RUN_TABLES:
        path = run.folder / f"{name}.parquet"
        if name not in written and name in YOUNGER_TABLES:
            continue
        if name not in written:
            yield f"{NAME}: does not name {path.name}"
        elif not path.is_file():
            yield f"{path.name}: is missing"
        elif digest_of(path, whole=True)["digest"] != written[name]["digest"]:
            yield f"{path.name}: is not what was written"
    yield from _damaged_reference(run)


def _damaged_reference(run: PublishedRun) -> Iterator[str]:
    """The kept reference data, where it is not what the run was computed with."""
    if "reference_archive" not in run.manifest:
        return
    path = run.folder / ARCHIVE
    if not path.is_file():
        yield f"{ARCHIVE}: is missing"
    elif digest_of(path, whole=True)["digest"] != run.manifest["reference_archive"]["digest"]:
        yield f"{ARCHIVE}: is not what was written"


def _of_tables(run: PublishedRun) -> Iterator[str]:
    """Tables that break their schema, or do not say what the manifest says of them."""
    tables = {}
    written = {output["table"] for output in run.manifest["outputs"]}
    for name, schema in RUN_TABLES.items():
        if name not in written:
            tables[name] = empty(schema)
            continue
        try:
            table = pl.read_parquet(run.folder / f"{name}.parquet", glob=False)
        except _UNREADABLE:
            yield f"{name}.parquet: cannot be read"
            continue
        table = _with_younger(name, table, schema)
        if table.columns != list(schema.columns):
            yield f"{name}.parquet: breaks its schema"
            continue
        try:
            tables[name] = validated(schema, table)
        except (errors.SchemaError, errors.SchemaErrors):
            yield f"{name}.parquet: breaks its schema"
    if len(tables) < len(RUN_TABLES):
        return
    for output in run.manifest["outputs"]:
        rows = tables[output["table"]].height
        if rows != output["rows"]:
            yield f"{output['table']}.parquet: has {rows} rows, the manifest says {output['rows']}"
    yield from _of_account(run.manifest, tables)
    yield from _between_tables(tables)
    yield from _of_decisions(run, tables["decided_lines"])


def _with_younger(name: str, table: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """A table of one of the first runs with the columns that it does not have, all null."""
    younger = YOUNGER_COLUMNS.get(name, ())
    if not younger or not set(table.columns).isdisjoint(younger):
        return table
    return table.hstack(empty(schema).select(younger).clear(table.height))


def _of_account(manifest: dict[str, Any], tables: dict[str, pl.DataFrame]) -> Iterator[str]:
    """Counts, charges and balance, counted again."""
    read = {
        extract: sum(f["rows"] for f in manifest["inputs"] if f["extract"] == extract)
        for extract in ("claims", "authorizations", "clinical")
    }
    rows = RowCounts(
        read=read["claims"],
        in_scope=read["claims"] - manifest["rows"]["out_of_scope"],
        rejected=tables["rejected_lines"].height,
        authorizations_read=read["authorizations"],
        authorizations_rejected=tables["rejected_authorizations"].height,
        clinical_facts_read=read["clinical"],
        clinical_facts_rejected=tables["rejected_clinical_facts"].height,
    )
    account = json.loads(
        to_json(account_of(rows, tables["lines"].lazy(), tables["findings"].lazy()))
    )
    for entry, counted in account.items():
        younger = entry == "clinical_facts" and entry not in manifest
        if not younger and manifest[entry] != counted:
            yield f"{NAME}: {entry} are not those of the tables"
    balance = account["balance"]
    if not (balance["rows_close"] and balance["charges_close"]):
        yield "the balance of rows or charges does not close"


def _between_tables(tables: dict[str, pl.DataFrame]) -> Iterator[str]:
    """Tables that do not agree with the lines."""
    lines = tables["lines"]
    if lines.select(_KEY).is_duplicated().any():
        yield "lines.parquet: holds a line twice"
    with_findings = lines.filter(pl.col("primary_edit_id").is_not_null()).select(_KEY)
    flagged = lines.filter(pl.col("disposition").is_in(SHOWN)).select(_KEY)
    for name, expected in (("findings", with_findings), ("flagged_lines", flagged)):
        if set(tables[name].select(_KEY).rows()) != set(expected.rows()):
            yield f"{name}.parquet: is not of the lines of lines.parquet"


def _of_decisions(run: PublishedRun, decided: pl.DataFrame) -> Iterator[str]:
    """Decisions that are not on lines of the run's history, or not as many as the manifest says."""
    if decided.select("run_id", *_KEY).is_duplicated().any():
        yield "decided_lines.parquet: holds a line twice"
    if not set(decided["run_id"]) <= run.taken.keys():
        yield "decided_lines.parquet: is not of the runs that it was computed on"
    said = run.manifest.get("decisions")
    if said is None:  # as the first runs
        return
    read = sum(f["rows"] for f in run.manifest["inputs"] if f["extract"] == "decisions")
    binding = read - said["of_other_runs"] - said["left_out"]
    if said["read"] != read or said["applied"] != decided.height or said["applied"] > binding:
        yield f"{NAME}: decisions are not those of the tables"


# ---- the chain of histories -----------------------------------------------------------------


def _of_history(run: PublishedRun, runs: Sequence[PublishedRun]) -> Iterator[str]:
    """Whether the runs that it was computed on are those that stand."""
    yield from (
        f"has the same place in the order as run {other.run_id}"
        for other in runs
        if other.place == run.place and other.run_id != run.run_id
    )
    elsewhere = run.history_folder
    if elsewhere is None:
        standing = [r for r in runs if r.place < run.place and r.hcpcs_code == run.hcpcs_code]
    elif elsewhere.is_dir():
        standing = _readable(run_folders(elsewhere))
    else:
        yield f"its history cannot be checked: there is no folder {elsewhere}"
        return
    digests = {r.run_id: r.digest for r in standing}
    for run_id, digest in run.taken.items():
        if run_id not in digests:
            yield f"was computed on run {run_id}, which is not there or damaged"
        elif digests[run_id] != digest:
            yield f"stale: was computed on run {run_id} as it was before it was replaced"
    if elsewhere is None:
        for run_id in sorted(digests.keys() - run.taken.keys()):
            yield f"was not computed on run {run_id}, which stands before it"
