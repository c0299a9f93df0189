"""A published run, opened to be explained: its night as it was decided, from its own folder alone.

Beside it, only the runs that it names as history are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import contracts
from claims_edit.contracts import CLAIMS, DIAGNOSIS_COLUMNS
from claims_edit.errors import InputError, UsageError
from claims_edit.evaluate import Judged, Night, judge
from claims_edit.history import Memory, PublishedRun, read_run
from claims_edit.intake import read_as_rejected
from claims_edit.kept_reference import unpacked
from claims_edit.normalise import with_ndc_11
from claims_edit.past import ELSEWHERE, RUN, no_elsewhere
from claims_edit.policies import Policy, load_policy
from claims_edit.publish import is_published, run_folder
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.run_contracts import KEPT_TABLES
from claims_edit.scope import scope_of


@dataclass(frozen=True)
class Retelling:
    """A run with the policy and the reference data that it was computed with, and its history.

    `changed` are the runs of its history that are gone, or are no longer what they were.
    """

    run: PublishedRun
    policy: Policy
    reference: ReferenceData
    history: tuple[PublishedRun, ...]
    changed: tuple[str, ...]

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run says of itself."""
        return self.run.manifest

    @property
    def as_of(self) -> date:
        """The day of the run."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def clinical(self) -> bool:
        """Whether the run was given clinical facts."""
        return any(file["extract"] == "clinical" for file in self.manifest["inputs"])

    def scan(self, table: str, run: PublishedRun | None = None) -> pl.LazyFrame:
        """One of the tables of the run, or of another one."""
        return pl.scan_parquet((run or self.run).folder / f"{table}.parquet", glob=False)

    def rows(self, table: str, *conditions: pl.Expr) -> pl.DataFrame:
        """The rows of a table that meet all conditions. Raises InputError where it cannot be read."""
        try:
            return self.scan(table).filter(*conditions).collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise InputError(
                f"RUN_DIR: {self.run.folder}: {table}.parquet cannot be read; look at it with "
                "claims-edit verify."
            ) from error

    def require_unchanged(self) -> None:
        """Raises InputError where the run was replaced since it was opened."""
        if self.run.is_as_read:
            return
        raise InputError(
            f"RUN_DIR: {self.run.folder}: was replaced while it was read; explain it again."
        )

    def judged(self, members: pl.Series) -> Judged:
        """The night of some members, judged again."""
        return judge(self._night(members), self.policy, self.reference, self.as_of)

    def _night(self, members: pl.Series) -> Night:
        def of_members(table: str) -> pl.DataFrame:
            return self.rows(table, pl.col("member_id").is_in(members.implode()))

        authorizations = of_members("authorizations")
        numbers = authorizations["authorization_number"]
        facts = None
        if self.clinical:
            facts = self.rows(
                "clinical_facts", pl.col("authorization_number").is_in(numbers.implode())
            )
        memory = Memory(
            self.history,
            self._elsewhere(of_members("allowed_elsewhere")),
            of_members("decided_lines"),
        )
        return Night(
            lines=_as_read(of_members("lines")),
            other_versions=of_members("other_versions"),
            authorizations=authorizations,
            rejected_authorizations=read_as_rejected(self.rows("rejected_authorizations")),
            partner_lines=of_members("partner_lines"),
            clinical_facts=facts,
            past=memory.of(members),
        )

    def _elsewhere(self, kept: pl.DataFrame) -> pl.DataFrame:
        """Lines allowed elsewhere as the run read them: without the columns that the file lacked."""
        columns = self.manifest["history"]["elsewhere_columns"]
        if columns is None:
            return no_elsewhere()
        draws = no_elsewhere().schema["authorization_draws"]
        rows = kept.select(columns).with_columns(run=pl.lit(ELSEWHERE, RUN))
        if "authorization_draws" not in columns:
            rows = rows.with_columns(authorization_draws=pl.lit(None, draws))
        if "ndc_code" in columns:
            products = scope_of(self.reference, self.policy).all_products
            rows = with_ndc_11(rows, pl.col("ndc_code"), list(products))
        return rows


def retelling_of(folder: Path) -> Retelling:
    """Open a published run.

    Raises UsageError where the folder is no run, InputError where it cannot be read, or was written
    before runs kept what they were decided by.
    """
    if not folder.is_dir() or not is_published(folder):
        raise UsageError(
            f"RUN_DIR: {folder}: is no published run; name a folder such as runs/run_id=2026-02-28."
        )
    run = read_run(folder.resolve())
    written = {output["table"] for output in run.manifest["outputs"]}
    if not written.issuperset(KEPT_TABLES):
        raise InputError(
            f"RUN_DIR: {folder}: was published by a version that did not keep what a run is explained "
            "by; run its night again under its run id, with --replace."
        )
    with unpacked(run.folder, run.manifest["reference_archive"]["digest"]) as kept:
        reference = load_reference(kept)
        policy = load_policy(kept, run.manifest["policy"]["id"])
    history, changed = _history_of(run)
    return Retelling(run, policy, reference, history, changed)


def _history_of(run: PublishedRun) -> tuple[tuple[PublishedRun, ...], tuple[str, ...]]:
    """The runs that it took as history, and those of them that are not what they were."""
    base = run.history_folder or run.folder.parent
    found, changed = [], []
    for name, digest in run.taken.items():
        folder = run_folder(base, name)
        earlier = _readable(folder)
        if earlier is not None:
            found.append(earlier)
        if earlier is None or earlier.digest != digest:
            changed.append(name)
    return tuple(found), tuple(changed)


def _readable(folder: Path) -> PublishedRun | None:
    """A published run, or none where it is gone or damaged."""
    try:
        return read_run(folder) if is_published(folder) else None
    except InputError:
        return None


def _as_read(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of the table `lines` as they were read: with the columns of the claims, `ndc_11` and
    `service_date_unclear`."""
    positions = pl.col("diagnosis_positions")

    def diagnosis(position: int) -> pl.Expr:
        bit = 1 << (position - 1)
        before = (positions & (bit - 1)).bitwise_count_ones()
        held = pl.col("diagnosis_codes").list.get(before, null_on_oob=True)
        return pl.when((positions & bit) != 0).then(held)

    return lines.with_columns(
        *(diagnosis(i).alias(c) for i, c in enumerate(DIAGNOSIS_COLUMNS, 1)),
        service_unit_quantity=pl.col("billed_units").cast(contracts.UNITS),
    ).select(*CLAIMS.columns, "ndc_11", "service_date_unclear")
