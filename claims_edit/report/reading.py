"""A published run as its report reads it, and what stands beside it: earlier runs, and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.contracts import LINE_KEY
from claims_edit.decided import SEEN, seen_so
from claims_edit.decision_contracts import DECISIONS, DECISIONS_FILE
from claims_edit.drift import LAST_RUNS
from claims_edit.errors import InputError, UsageError
from claims_edit.history import PublishedRun, read_run
from claims_edit.naming import KINDS, Ids
from claims_edit.publish import COMPARISON, DETERMINATIONS, is_published, run_folders
from claims_edit.run_contracts import RUN_TABLES, YOUNGER_TABLES
from claims_edit.schemas import empty, polars_type

REJECTED = ("rejected_lines", "rejected_authorizations", "rejected_clinical_facts")
_TABLES = ("flagged_lines", "findings", "reconsider", *REJECTED)
# Of all lines, what is counted or what sentences name.
_OF_LINES = ("disposition", "rendering_npi", "billing_npi", *KINDS)
_OF_DECISIONS = ("run_id", "primary_edit_id", "decision", "reason_code", "decided_by", "decided_at")
_READ_OF_DECISIONS = tuple(dict.fromkeys((*_OF_DECISIONS, *SEEN)))
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True)
class Reading:
    """One run: its manifest and tables, and the ids that their sentences may name; the manifests of the
    last runs of its folder and drug, in their order and with its own at the end, how many of them could
    not be read; and the decisions beside the runs, where there are any, without `decisions_left_out`:
    those whose line is no longer what was decided on."""

    run: PublishedRun
    tables: Mapping[str, pl.DataFrame]
    ids: Ids
    last_runs: list[dict[str, Any]] = field(default_factory=list)
    unreadable_runs: int = 0
    decisions: pl.DataFrame | None = None
    decisions_left_out: int = 0

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run says of itself."""
        return self.run.manifest

    def require_unchanged(self) -> None:
        """Raises InputError where the run was replaced since it was read."""
        if self.run.is_as_read:
            return
        raise InputError(
            f"RUN_DIR: {self.run.folder}: was replaced while it was read; nothing was written. Report "
            "it again."
        )


def read(folder: Path) -> Reading:
    """Read a published run.

    Raises UsageError where the folder is no run, InputError where the run is not what was written.
    """
    run = _run(folder)
    tables = {name: _table(run, name) for name in _TABLES}
    tables["lines"] = _table(run, "lines", list(_OF_LINES))
    runs, unreadable = _runs(run.folder.parent)
    ids = Ids.of(*tables.values())
    decisions, left_out = _decisions(run.folder.parent, runs)
    return Reading(run, tables, ids, _last_runs(run, runs), unreadable, decisions, left_out)


def _run(folder: Path) -> PublishedRun:
    if not folder.is_dir():
        raise UsageError(f"RUN_DIR: {folder}: there is no such folder.")
    if folder.name.startswith((f"{DETERMINATIONS}=", f"{COMPARISON}=")):
        raise UsageError(f"RUN_DIR: {folder}: is no run; name the folder of a run.")
    if not is_published(folder):
        runs = [run.name for run in run_folders(folder)][-1:]
        hint = f", such as {folder / runs[0]}" if runs else ""
        raise UsageError(f"RUN_DIR: {folder}: is no published run; name the folder of one{hint}.")
    try:
        return read_run(folder.resolve())
    except InputError as error:
        raise _of_the_run(error) from error


def _of_the_run(error: InputError) -> InputError:
    """The same of the run that was named, and not of one that is history."""
    return InputError(str(error).replace("history: ", "RUN_DIR: ", 1))


def _table(run: PublishedRun, name: str, columns: list[str] | None = None) -> pl.DataFrame:
    if name in YOUNGER_TABLES and not run.rows(name):
        return empty(RUN_TABLES[name])
    path = run.folder / f"{name}.parquet"
    try:
        run.require_as_written(path)
        return pl.read_parquet(path, glob=False, columns=columns)
    except InputError as error:
        raise _of_the_run(error) from error
    except _UNREADABLE as error:
        raise InputError(
            f"RUN_DIR: {path}: cannot be read ({type(error).__name__}); restore the run."
        ) from error


def _runs(out: Path) -> tuple[list[PublishedRun], int]:
    """The runs of a folder, and how many could not be read."""
    runs, unreadable = [], 0
    for folder in run_folders(out):
        try:
            runs.append(read_run(folder))
        except (InputError, OSError):
            unreadable += 1
    return runs, unreadable


def _last_runs(run: PublishedRun, runs: Sequence[PublishedRun]) -> list[dict[str, Any]]:
    """The manifests of the last runs up to this one."""
    up_to = [r for r in runs if r.place <= run.place and r.hcpcs_code == run.hcpcs_code]
    in_order = sorted(up_to, key=lambda r: r.place)[-LAST_RUNS:]
    return [r.manifest for r in in_order]


def _decisions(out: Path, runs: Sequence[PublishedRun]) -> tuple[pl.DataFrame | None, int]:
    """The decisions beside the runs whose line is still what was decided on, as far as the report counts
    them; and how many others there are."""
    path = out / DECISIONS_FILE
    if not path.exists():
        return None, 0
    try:
        given = pl.read_parquet(path, glob=False, columns=list(_READ_OF_DECISIONS))
        every = given.cast({name: polars_type(DECISIONS.columns[name]) for name in given.columns})
    except _UNREADABLE as error:
        raise InputError(
            f"RUN_DIR: {path}: the decisions cannot be read ({type(error).__name__}); export them "
            "again."
        ) from error
    names = set(every["run_id"])
    lines = [_decided_on(run, every) for run in runs if run.run_id in names]
    still = seen_so(every, pl.concat([every.select(SEEN).clear(), *lines]))
    return still.select(_OF_DECISIONS), every.height - still.height


def _decided_on(run: PublishedRun, decisions: pl.DataFrame) -> pl.DataFrame:
    """Lines of a run that were decided on; none where it cannot be read."""
    path = run.folder / "lines.parquet"
    try:
        lines = pl.read_parquet(path, glob=False, columns=list(SEEN[1:]))
    except _UNREADABLE:
        return decisions.select(SEEN).clear()
    of_run = lines.select(pl.lit(run.run_id).alias("run_id"), *SEEN[1:])
    return of_run.join(decisions, on=("run_id", *LINE_KEY), how="semi")
