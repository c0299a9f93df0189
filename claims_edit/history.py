"""The published runs of a folder in their order, and what history a run reads of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.contracts import LINES, OTHER_VERSIONS, PARTNER_LINES, PAST_COLUMNS
from claims_edit.decided import LINE_COLUMNS, binding, decided
from claims_edit.decision_contracts import DECIDED_LINES
from claims_edit.decisions import Decisions, given_decisions, taken
from claims_edit.elsewhere import columns_of, open_elsewhere, read_elsewhere
from claims_edit.errors import InputError, UsageError
from claims_edit.extracts import Extract
from claims_edit.log import LOGGER
from claims_edit.manifest import NAME, digest_of, is_sealed
from claims_edit.normalise import with_ndc_11
from claims_edit.past import (
    RUN,
    Past,
    no_elsewhere,
    no_lines,
    no_other_versions,
    no_partner_lines,
)
from claims_edit.publish import is_published, require_no_damage, run_folder, run_folders
from claims_edit.run_contracts import YOUNGER_COLUMNS, YOUNGER_TABLES
from claims_edit.schemas import empty, polars_type
from claims_edit.scope import Scope

# The tables of a run that later runs read.
_READ = ("lines", "other_versions", "partner_lines")
# Every manifest has a digest of every run before it: short ones keep three years of them small.
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class PublishedRun:
    """A run as its manifest has it.

    `place` is its number in the order of first publication: 1, 2, 3 …; `digest` is one of all that
    later runs read of it; `taken` the runs that it took as history, the digest of each by its id, and
    `history_folder` where they were, null for its own output folder.
    """

    folder: Path
    manifest: dict[str, Any]
    stamp: tuple[int, int, int]
    run_id: str
    place: int
    hcpcs_code: str
    digest: str
    taken: dict[str, str]
    history_folder: Path | None

    def rows(self, table: str) -> int:
        """How many rows one of its tables has; none where it was published before there was one."""
        if table in YOUNGER_TABLES and table not in _digests(self.manifest):
            return 0
        return int(self._output(table)["rows"])

    def was_given(self, extract: str) -> bool:
        """Whether one of its inputs was of this name."""
        return any(f["extract"] == extract for f in self.manifest["inputs"])

    @property
    def is_as_read(self) -> bool:
        """Whether its manifest is still the one that was read."""
        try:
            return _stamp(self.folder / NAME) == self.stamp
        except OSError:
            return False

    def require_as_written(self, file: Path) -> None:
        """Raises InputError where a table is not, to the byte, what was published."""
        try:
            if digest_of(file, whole=True)["digest"] == self._output(file.stem)["digest"]:
                return
        except OSError as error:
            raise InputError(f"history: {file}: cannot be read ({error.strerror}).") from error
        raise InputError(
            f"history: {file}: is not what was written; restore the run, or run its night "
            "again under its run id, with --replace."
        )

    def _output(self, table: str) -> dict[str, Any]:
        (output,) = (o for o in self.manifest["outputs"] if o["table"] == table)
        return dict(output)


def _digests(manifest: dict[str, Any]) -> dict[str, str]:
    return {output["table"]: output["digest"] for output in manifest["outputs"]}


def digest_as_history(manifest: dict[str, Any]) -> str:
    """One digest of all that later runs read of a run."""
    digests = _digests(manifest)
    text = " ".join(digests[t] for t in _READ if t in digests or t not in YOUNGER_TABLES)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def runs_in(out: Path, *, replacing: str | None = None) -> list[PublishedRun]:
    """The published runs of an output folder in their order; none where there is no such folder.

    Of the run that is to be replaced the manifest may be damaged; it is left out then.
    Raises InputError for a run that is damaged or not readable, and for one that stands there twice.
    """
    try:
        folders = [f for f in run_folders(out) if not _is_damaged(f, replacing)]
        require_no_damage(out, but=replacing)
    except OSError as error:
        raise InputError(
            f"history: {error.filename}: cannot be read ({error.strerror})."
        ) from error
    runs = sorted((read_run(folder) for folder in folders), key=lambda run: run.place)
    for run, following in pairwise(runs):
        if run.place == following.place:
            raise InputError(
                f"history: {run.folder} and {following.folder} have the same place in the order of "
                "the runs; take away the one that does not belong there."
            )
    return runs


def _is_damaged(folder: Path, replacing: str | None) -> bool:
    """Whether it is the run to be replaced, and cannot be read."""
    if replacing is None or folder != run_folder(folder.parent, replacing):
        return False
    try:
        read_run(folder)
    except InputError:
        return True
    return False


def _place_of(run_id: str, standing: Sequence[PublishedRun]) -> int:
    """The place of a run: its own, that of a lost run of its id as later runs know it, or the last."""
    places = {run.run_id: run.place for run in standing}
    if run_id in places:
        return places[run_id]
    for run in standing:
        order = list(run.taken)
        if run.history_folder is None and run_id in order:
            before = order[: order.index(run_id)]
            place = max((places[name] for name in before if name in places), default=0) + 1
            while place in places.values():
                place += 1
            return place
    return max(places.values(), default=0) + 1


def _require_no_hole(earlier: Sequence[PublishedRun]) -> None:
    """Raises InputError where a run that earlier runs were computed on is gone."""
    there = {run.run_id for run in earlier}
    for run in earlier:
        lost = [name for name in run.taken if name not in there]
        if run.history_folder is None and lost:
            raise InputError(
                f"history: run {lost[0]}, which run {run.run_id} was computed on, is not in "
                f"{run.folder.parent}: what it allowed would not bind. Bring its folder back; or, if it "
                "is not to count, run the runs after it again in their order, with --replace."
            )


def read_run(folder: Path) -> PublishedRun:
    """A published run. Raises InputError where its manifest cannot be read, or is of another run."""
    path = folder / NAME
    try:
        stamp = _stamp(path)
        text = path.read_bytes()
        if not is_sealed(text):
            raise InputError(
                f"history: {path}: is not what was written; restore the run, or run its night "
                "again under its run id, with --replace."
            )
        manifest = json.loads(text)
        history = manifest["history"]
        run = PublishedRun(
            folder,
            manifest,
            stamp,
            run_id=str(manifest["run_id"]),
            place=int(history["place"]),
            hcpcs_code=str(manifest["policy"]["hcpcs_code"]),
            digest=digest_as_history(manifest),
            taken=dict(history["runs"]),
            history_folder=None if history["folder"] is None else Path(history["folder"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"history: {path}: not a manifest that this version can read; restore the run, or run "
            "its night again under its run id, with --replace."
        ) from error
    if folder.name != run_folder(folder.parent, run.run_id).name:
        raise InputError(
            f"history: {path}: is of run {run.run_id}, and would count twice; take a copy of a run "
            "out of the folder of the runs."
        )
    return run


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True)
class History:
    """What a run takes as history: earlier runs of the drug, and a file of lines allowed elsewhere.

    `place` is the run's own; `later` are the runs of the output folder after it; `folder` is where
    the earlier ones are, null for the output folder itself; `decisions` are those on their lines.
    """

    runs: tuple[PublishedRun, ...]
    place: int
    later: tuple[PublishedRun, ...] = ()
    folder: Path | None = None
    elsewhere: Extract | None = None
    decisions: Decisions = field(default_factory=Decisions)

    def recorded(self) -> dict[str, Any]:
        """What the manifest says of it: the digest of every run, by its id, in their order."""
        return {
            "place": self.place,
            "folder": None if self.folder is None else str(self.folder.resolve()),
            "runs": {run.run_id: run.digest for run in self.runs},
            "elsewhere_columns": self.elsewhere and columns_of(self.elsewhere),
        }

    def computed_on(self, replaced: dict[str, Any]) -> list[str]:
        """The later runs that took the run as history when it was other than it is now."""
        run_id, digest = replaced["run_id"], digest_as_history(replaced)
        return [
            run.run_id
            for run in self.later
            if run.history_folder is None and run.taken.get(run_id, digest) != digest
        ]

    def require_unchanged(self) -> None:
        """Raises InputError where a run is no longer what it was when its manifest was read."""
        for run in self.runs:
            if not run.is_as_read:
                raise InputError(
                    f"history: {run.folder}: changed while it was read; run again when it is whole."
                )

    def memory(self, scope: Scope) -> Memory:
        """History, ready to be read. Raises InputError where it is not what was written."""
        for name in _READ:
            for run in self.runs:
                if run.rows(name):
                    run.require_as_written(run.folder / f"{name}.parquet")
        elsewhere = no_elsewhere()
        if self.elsewhere is not None:
            elsewhere = read_elsewhere(self.elsewhere)
            if "ndc_code" in elsewhere.columns:
                elsewhere = with_ndc_11(elsewhere, pl.col("ndc_code"), list(scope.all_products))
        return Memory(self.runs, elsewhere, self.decisions.binding)


@dataclass(frozen=True)
class Memory:
    """History, looked at and found to be what was written: earlier runs, lines allowed elsewhere, and the
    decisions that bind (`decided_lines`)."""

    runs: tuple[PublishedRun, ...]
    elsewhere: pl.DataFrame
    decisions: pl.DataFrame = field(default_factory=lambda: empty(DECIDED_LINES))

    def of(self, members: pl.Series) -> Past:
        """What it has of these members."""
        lines = _rows_of(self.runs, "lines", PAST_COLUMNS, members)
        versions = _rows_of(self.runs, "other_versions", tuple(OTHER_VERSIONS.columns), members)
        partners = _rows_of(self.runs, "partner_lines", tuple(PARTNER_LINES.columns), members)
        of_members = pl.col("member_id").is_in(members.implode())
        decisions = self.decisions.filter(of_members)
        return Past(
            no_lines() if lines is None else decided(lines, decisions),
            no_other_versions() if versions is None else versions.drop("run_id"),
            self.elsewhere.filter(of_members),
            no_partner_lines() if partners is None else partners.drop("run_id"),
            decisions,
        )


def _rows_of(
    runs: Sequence[PublishedRun], name: str, columns: tuple[str, ...], members: pl.Series
) -> pl.DataFrame | None:
    """The members' rows of one table of the runs, with `run` and `run_id`."""
    files = [run.folder / f"{name}.parquet" for run in runs if run.rows(name)]
    if not files:
        return None
    places = pl.DataFrame(
        [(str(r.folder), r.place, r.run_id) for r in runs],
        schema={"folder": pl.String, "run": RUN, "run_id": pl.String},
        orient="row",
    )
    try:
        rows = _of_members(files, columns, members).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InputError(
            f"history: {name}.parquet of the earlier runs cannot be read together "
            f"({type(error).__name__}): were some written by another version of the program?"
        ) from error
    folder = pl.col("path").str.strip_suffix(f"/{name}.parquet")
    return rows.with_columns(folder=folder).join(places, on="folder").drop("folder", "path")


def _of_members(files: list[Path], columns: tuple[str, ...], members: pl.Series) -> pl.LazyFrame:
    """The rows of files; null in a column that the first runs did not write."""
    younger = not set(columns).isdisjoint(YOUNGER_COLUMNS["lines"])
    scanned = pl.scan_parquet(
        files,
        glob=False,
        hive_partitioning=False,
        include_file_paths="path",
        extra_columns="ignore",
        missing_columns="insert" if younger else "raise",
        schema={c: polars_type(LINES.columns[c]) for c in columns} if younger else None,
    )
    return scanned.select(*columns, "path").filter(pl.col("member_id").is_in(members.implode()))


def open_history(
    given: Path | None, out: Path, hcpcs_code: str, run_id: str, decisions: Path | None = None
) -> History:
    """The history of a run: the runs of `given`, or of `out` before its own place; also a file; and the
    decisions on lines of these runs, of the file `decisions` or the one beside the runs.

    Raises UsageError where `given` or `decisions` is not there, InputError where it cannot be read.
    """
    history = _open(given, out, hcpcs_code, run_id)
    on_lines = given_decisions(decisions, history.folder or out)
    if on_lines is not None:
        of_runs = on_lines.on(run.run_id for run in history.runs)
        bound = binding(of_runs, _decided_on(of_runs, history.runs), hcpcs_code)
        return replace(history, decisions=taken(on_lines, of_runs, bound))
    if history.runs and history.runs[-1].was_given("decisions"):
        LOGGER.warning(
            "run %s was given decisions, and this run is not; name their file as --decisions",
            history.runs[-1].run_id,
        )
    return history


def _decided_on(decisions: pl.DataFrame, runs: Sequence[PublishedRun]) -> pl.DataFrame:
    """The lines of the members and runs of decisions. Raises InputError where they are not as written."""
    names = set(decisions["run_id"])
    runs = [run for run in runs if run.run_id in names]
    for run in runs:
        run.require_as_written(run.folder / "lines.parquet")
    lines = _rows_of(runs, "lines", LINE_COLUMNS, decisions["member_id"].unique())
    columns = [*LINE_COLUMNS, "run_id"]
    if lines is None:
        return empty(LINES).with_columns(run_id=pl.lit(None, pl.String)).select(columns)
    return lines.select(columns)


def _open(given: Path | None, out: Path, hcpcs_code: str, run_id: str) -> History:
    """The runs and the file of a history."""
    if given is not None and not given.exists():
        raise UsageError(f"--history: {given}: there is no such folder or file.")
    if given is not None and is_published(given):
        raise UsageError(
            f"--history: {given}: is no folder of runs; name the folder that the runs are in."
        )
    standing = runs_in(out, replacing=run_id)
    place = _place_of(run_id, standing)
    later = tuple(run for run in standing if run.place > place)
    if given is not None and given.is_dir() and given.resolve() != out.resolve():
        runs = _of_drug(runs_in(given), hcpcs_code)
        if not runs:
            LOGGER.warning("--history: %s holds no run of the policy's drug", given)
        return History(runs, place, later, folder=given)
    earlier = _of_drug([run for run in standing if run.place < place], hcpcs_code)
    _require_no_hole(earlier)
    elsewhere = open_elsewhere(given) if given is not None and not given.is_dir() else None
    if elsewhere is None and earlier and earlier[-1].was_given("history"):
        LOGGER.warning(
            "run %s was given a file of lines allowed elsewhere as --history, and this run is not",
            earlier[-1].run_id,
        )
    return History(earlier, place, later, elsewhere=elsewhere)


def _of_drug(runs: Sequence[PublishedRun], hcpcs_code: str) -> tuple[PublishedRun, ...]:
    return tuple(run for run in runs if run.hcpcs_code == hcpcs_code)
