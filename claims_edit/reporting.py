"""`report`: the page of a published run, and the workbook beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from claims_edit.errors import UsageError
from claims_edit.masking import NoMasking, masking
from claims_edit.publish import REPORT
from claims_edit.report.page import page, told_by_stories
from claims_edit.report.reading import Reading, read
from claims_edit.settings import ReportSettings


@dataclass(frozen=True)
class Reported:
    """What was written, and whether it is masked."""

    page: Path
    workbook: Path | None
    masked: bool
    lines: int
    flagged: int


def report(settings: ReportSettings) -> Reported:
    """Write the report of a run, each file whole or not at all.

    Raises UsageError where the folder is no run or the report cannot be written, InputError where the
    run is not what was written.
    """
    place = _place(settings)
    reading = read(settings.run_dir)
    out = reading.run.folder.parent
    leaves = place.parent.resolve() != reading.run.folder

    def masked(*, leaves: bool, unmasked: bool) -> NoMasking:
        return masking(
            out,
            leaves=leaves,
            mask=settings.mask,
            unmasked=unmasked,
            key_file=settings.mask_key,
        )

    shown = masked(leaves=leaves, unmasked=settings.unmasked)
    tell = told_by_stories(reading, shown)
    members = masked(leaves=True, unmasked=False)
    written = page(
        reading, shown, members, tell, lines=settings.lines, workbook=settings.workbook
    ).encode()
    workbook = place.with_suffix(".xlsx") if settings.workbook else None
    _write(place, reading, lambda path: path.write_bytes(written))
    if workbook is not None:
        from claims_edit.report.workbook import write_workbook

        _write(workbook, reading, lambda path: write_workbook(path, reading, shown, members))
    flagged = reading.tables["flagged_lines"].height
    return Reported(place, workbook, shown.active, min(settings.lines, flagged), flagged)


def _place(settings: ReportSettings) -> Path:
    """Where the page is written. Raises UsageError where it cannot be."""
    place = settings.to or settings.run_dir / REPORT
    if place.is_dir():
        place = place / REPORT
    if place.suffix.lower() != ".html":
        raise UsageError(f"--to: {place}: name a folder, or a file that ends in .html.")
    if settings.to is not None and not place.parent.is_dir():
        raise UsageError(f"--to: {place}: there is no folder {place.parent}; make it first.")
    return place


def _write(place: Path, reading: Reading, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there, for the owner and the group alone."""
    staged = place.with_name(f".{place.name}.{os.getpid()}")
    with _writable(place):
        try:
            write(staged)
            staged.chmod(staged.stat().st_mode & 0o7770)
            reading.require_unchanged()
            staged.replace(place)
        finally:
            with suppress(OSError):
                staged.unlink()


@contextmanager
def _writable(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"--to: {place} cannot be written ({error.strerror}). Make room, or name a place that can."
        ) from error
