"""The file of decisions: what people decided of lines of the runs that a run takes as history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.contracts import LINE_KEY
from claims_edit.decision_contracts import DECIDED_LINES, DECISIONS, DECISIONS_FILE
from claims_edit.errors import InputError, UsageError
from claims_edit.extracts import Extract, open_extract
from claims_edit.log import LOGGER
from claims_edit.manifest import input_files
from claims_edit.schemas import empty
from claims_edit.whole import read_whole


@dataclass(frozen=True)
class Given:
    """The decisions of a file, and what the manifest says of it."""

    rows: pl.DataFrame
    files: list[dict[str, Any]]

    def on(self, runs: Iterable[str]) -> pl.DataFrame:
        """Those on lines of runs of these ids."""
        return self.rows.filter(pl.col("run_id").is_in(list(runs)))


@dataclass(frozen=True)
class Decisions:
    """Decisions as a run takes them: those that bind (`decided_lines`, of all members); how many there
    are, of these on runs that are not its history, and on lines that are no longer what they were."""

    binding: pl.DataFrame = field(default_factory=lambda: empty(DECIDED_LINES))
    files: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0
    of_other_runs: int = 0
    left_out: int = 0

    def recorded(self, applied: int) -> dict[str, int]:
        """What the manifest says of them; `applied` are those of the members of the night."""
        return {
            "read": self.read,
            "of_other_runs": self.of_other_runs,
            "left_out": self.left_out,
            "applied": applied,
        }


def given_decisions(named: Path | None, beside: Path) -> Given | None:
    """The decisions of the file that is named, else of the one that stands beside the runs; null without.

    Raises UsageError where the file that is named is not there, InputError where one cannot be read.
    """
    path = beside / DECISIONS_FILE if named is None else named
    if named is None and not path.exists():
        return None
    if not path.is_file():
        problem = "is no file" if path.exists() else "there is no such file"
        raise UsageError(f"--decisions: {path}: {problem}; name the file of the decisions.")
    if path.suffix.lower() != ".parquet":
        raise InputError(
            f"decisions: {path}: not a format that is read; give the .parquet file of the decisions."
        )
    extract = open_extract(
        "decisions", [path], DECISIONS, sources=tuple(DECISIONS.columns), fallbacks={}
    )
    return _read(extract)


def _read(extract: Extract) -> Given:
    """The rows, and the file as it was then: it may be written anew while the run goes on."""
    raw = extract.collect(lambda frame: frame)
    rows = read_whole(extract, raw, DECISIONS, ("run_id", *LINE_KEY), "decided")
    files = input_files(extract)
    extract.require_unchanged()
    return Given(rows, files)


def taken(given: Given, of_runs: pl.DataFrame, binding: pl.DataFrame) -> Decisions:
    """What of the given decisions binds a run: `of_runs` are those on its history, `binding` those that
    bind. Warns of the others."""
    left_out = of_runs.height - binding.height
    if left_out:
        LOGGER.warning(
            "decisions: %d of %d are left out, since their lines are no longer what was decided on: the "
            "runs were published anew; decide on these lines again",
            left_out,
            given.rows.height,
        )
    return Decisions(
        binding,
        given.files,
        read=given.rows.height,
        of_other_runs=given.rows.height - of_runs.height,
        left_out=left_out,
    )
