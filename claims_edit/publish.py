"""Run folders: locked, staged with the manifest last, and moved into place whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from claims_edit.errors import (
    AlreadyPublishedError,
    InputError,
    OutputBusyError,
    UsageError,
)
from claims_edit.kept_reference import ARCHIVE
from claims_edit.manifest import NAME
from claims_edit.pandera_alone import pa
from claims_edit.report_contracts import COMPARISON_TABLES, DETERMINATION_TABLES
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.tables import TableWriter

_LOCK, _STAGING, _REPLACED = ".lock", ".staging-", ".replaced-"
# What a folder of the output folder is, by the name before its id. Runs alone are history.
RUN, DETERMINATIONS, COMPARISON = "run_id", "determinations_id", "comparison_id"
PAGE = "comparison.html"
# What is written into a published run later on, for people; it is no part of the run.
REPORT, WORKBOOK = "report.html", "report.xlsx"
_LATER = (REPORT, WORKBOOK)


def _files(tables: Iterable[str]) -> frozenset[str]:
    return frozenset({NAME, *(f"{table}.parquet" for table in tables)})


_FILES = {
    RUN: _files(RUN_TABLES) | {ARCHIVE},
    DETERMINATIONS: _files(DETERMINATION_TABLES),
    COMPARISON: _files(COMPARISON_TABLES) | {PAGE},
}


def run_folder(out: Path, run_id: str, kind: str = RUN) -> Path:
    """Where a run, or what else is published under an id, stands once it is published."""
    return out / f"{kind}={run_id}"


def _aside(run_id: str, kind: str) -> str:
    """What it is called while it is staged or replaced: a run by its id, others by their folder."""
    return run_id if kind == RUN else f"{kind}={run_id}"


def _named(out: Path, aside: str) -> Path:
    """The folder of what is called so."""
    return out / aside if "=" in aside else run_folder(out, aside)


def is_published(folder: Path) -> bool:
    """A run exists when its manifest does."""
    return (folder / NAME).is_file()


def run_folders(out: Path) -> list[Path]:
    """The folders of the published runs of an output folder, by name."""
    return sorted(folder for folder in out.glob(f"{RUN}=*") if is_published(folder))


def run_like_folders(out: Path) -> list[Path]:
    """The folders that stand where a run would, published or not, by name."""
    return sorted(folder for folder in out.glob(f"{RUN}=*") if folder.is_dir())


@contextmanager
def holding(out: Path, holder: str) -> Iterator[None]:
    """Hold the output folder for `holder`, made if need be; the lock of a dead process is no lock.

    Raises UsageError where the folder cannot be written, OutputBusyError where a run holds it.
    """
    with writable(out):
        if not out.exists():
            out.mkdir(parents=True)
            _close_to_others(out)
        lock = (out / _LOCK).open("ab+", buffering=0)
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            other = lock.read().decode().strip() or "another run, that has just begun"
            raise OutputBusyError(
                f"--out: {out} is held by {other}; wait for it to end, or choose another folder."
            ) from error
        with writable(out):
            _close_to_others(out / _LOCK)
            lock.truncate(0)
            now = datetime.now(UTC)
            written = (
                f"{holder}, process {os.getpid()} on {socket.gethostname()}, "
                f"since {now:%Y-%m-%dT%H:%M:%SZ}\n"
            )
            lock.write(written.encode())
            _clean(out)
        try:
            yield
        finally:
            with suppress(OSError):
                lock.truncate(0)


@contextmanager
def writable(out: Path) -> Iterator[None]:
    """Work on the output folder; raises UsageError where it cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"--out: {out} cannot be written ({error.strerror}); nothing was published. "
            "Make room, or choose a folder that can."
        ) from error


def _clean(out: Path) -> None:
    """Remove what a run that did not finish left; bring back what it was about to replace."""
    for old in out.glob(f"{_REPLACED}*"):
        folder = _named(out, old.name.removeprefix(_REPLACED))
        if is_published(folder) or not is_published(old):
            _remove(old)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            old.rename(folder)
    for leftover in out.glob(f"{_STAGING}*"):
        shutil.rmtree(leftover)


def _remove(folder: Path) -> None:
    """Remove a run folder, its manifest first: what is left of it half-way is no run."""
    (folder / NAME).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _close_to_others(path: Path) -> None:
    """Leave a file or folder to its owner and group."""
    path.chmod(path.stat().st_mode & 0o7770)


def require_no_damage(out: Path, *, but: str | None = None) -> None:
    """Raises InputError where a run has lost its manifest, or is just being replaced.

    A run is moved into place whole, so a folder without manifest is not what a dead run left: it is a
    run that was damaged, or restored in part, and what it allowed would be paid again.
    """
    for folder in run_like_folders(out):
        own = but is not None and folder == run_folder(out, but)
        if not own and _is_damaged(folder):
            raise InputError(
                f"history: {folder}: has lost its {NAME}; restore the run, or run its night "
                "again under its run id."
            )
    for old in out.glob(f"{_REPLACED}*"):
        aside = old.name.removeprefix(_REPLACED)
        if "=" not in aside and not is_published(_named(out, aside)):
            raise InputError(
                f"history: {out}: {old.name} was being replaced; run again when that run has ended, or "
                "a run over that folder has cleaned up."
            )


def _is_damaged(folder: Path, kind: str = RUN) -> bool:
    """Whether a folder holds what is published of its kind, and nothing else, but no manifest."""
    held = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    later = {name for name in held if name.removeprefix(".").startswith(_LATER)}
    held -= later if kind == RUN else set()
    return bool(held) and held <= _FILES[kind] and NAME not in held


def require_free(out: Path, run_id: str, *, replace: bool, kind: str = RUN) -> None:
    """Raises AlreadyPublishedError where the run id is taken and may not be replaced."""
    if is_published(run_folder(out, run_id, kind)) and not replace:
        raise AlreadyPublishedError(
            f"--run-id: {run_id} is already published in {out}; give --replace to publish it anew, "
            "or another --run-id."
        )


@contextmanager
def staged(out: Path, run_id: str, kind: str = RUN) -> Iterator[Path]:
    """A folder to write a run in; it is gone afterwards, whatever happens."""
    folder = out / f"{_STAGING}{_aside(run_id, kind)}"
    with writable(out):
        folder.mkdir()
        _close_to_others(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_tables(
    staging: Path, tables: Mapping[str, pl.DataFrame], schemas: Mapping[str, pa.DataFrameSchema]
) -> None:
    """Write every table that its schema accepts; one that it does not is a fault of the program."""
    for name, table in tables.items():
        with TableWriter(staging, name, schemas[name]) as writer:
            writer.add(table)


def publish(staging: Path, out: Path, run_id: str, kind: str = RUN) -> Path:
    """Move a staged run into place, whole. Its id is free, or is replaced.

    Where that fails, the folder is as it was, and what it replaces stands where it stood.
    """
    folder = run_folder(out, run_id, kind)
    old = out / f"{_REPLACED}{_aside(run_id, kind)}"
    for file in staging.iterdir():
        _close_to_others(file)
        _sync(file)
    _sync(staging)
    try:
        if is_published(folder) or _is_damaged(folder, kind):
            folder.rename(old)
        staging.rename(folder)
        _sync(out)
    except BaseException:
        if old.exists():
            shutil.rmtree(folder, ignore_errors=True)
            old.rename(folder)
        elif folder.exists() and not staging.exists():
            folder.rename(staging)
        raise
    with suppress(OSError):
        if old.exists():
            _remove(old)
    return folder


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
