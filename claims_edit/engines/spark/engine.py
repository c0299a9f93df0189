"""One run on Spark: scan, find what meets between members, sort into parts, edit, and hand over.

The driver opens inputs and reads what is small beside the claims; workers read claims and members,
and of earlier runs the rows of their own members. What they return comes part by part, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from claims_edit import intake
from claims_edit.engines.spark import work
from claims_edit.engines.spark.files import Located
from claims_edit.engines.spark.frames import SCHEMA, unpacked
from claims_edit.engines.spark.inputs import Inputs, opened
from claims_edit.engines.spark.plan import PART_ROWS, parts_of
from claims_edit.engines.spark.scan import may_be_in_scope, scanned
from claims_edit.engines.spark.session import session
from claims_edit.evaluate import Requests
from claims_edit.history import History
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.scope import Scope
from claims_edit.settings import RunSettings
from claims_edit.steps import Stopwatch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Part:
    """The tables of a part of the members, and how many of its rows are in scope."""

    tables: dict[str, pl.DataFrame]
    in_scope_rows: int


@dataclass(frozen=True)
class Computing:
    """A run under way: its inputs opened, and what the driver reads of them read.

    `counted` has, once all parts came, the rows of every CSV file by its address.
    """

    spark: SparkSession
    inputs: Inputs
    driven: dict[str, pl.DataFrame]
    rejected: dict[str, pl.DataFrame]
    job: work.Job
    watch: Stopwatch
    counted: dict[str, int] = field(default_factory=dict)

    def parts(self, most_rows: int = PART_ROWS) -> Iterator[Part]:
        """Every part that has rows, in the order of its members; that of the split claims last."""
        with ExitStack() as kept:
            with self.watch.step("claims"):
                found = self._kept(self._found(), kept)
                self._mind(found)
            keys = found.mapInArrow(work.keys(self.job.claims, self.job.scope), work.KEYS_SCHEMA)
            cores = self.spark.sparkContext.defaultParallelism
            parts = parts_of(self._kept(keys, kept), cores, most_rows)
            job = replace(self.job, parts=parts)
            of_workers = found.mapInArrow(
                work.sorting(job.claims, job.members, parts, job.scope), SCHEMA
            )
            sorted_rows = of_workers.unionAll(self._of_the_driver(parts))
            sent = self.spark.sparkContext.broadcast(job)
            kept.callback(sent.destroy)
            edited = (
                sorted_rows.filter("part >= 0")
                .repartitionById(parts.last + 1, "part")
                .mapInArrow(work.editing(lambda: sent.value), SCHEMA)
            )
            yield from self._handed_over(self._kept(edited, kept))

    def _found(self) -> DataFrame:
        """The rows of claims and members that are of use, as frames."""
        found = scanned(
            self.spark,
            self.inputs.claims,
            may_be_in_scope(self.job.scope),
            work.finding(self.job.scope),
            SCHEMA,
        )
        if self.inputs.members is None:
            return found
        members = scanned(self.spark, self.inputs.members, None, work.taking_members, SCHEMA)
        return found.unionAll(members)

    def _kept(self, rows: DataFrame, kept: ExitStack) -> DataFrame:
        """The rows, computed once: on the workers' disks, and anew where a worker is lost."""
        from pyspark import StorageLevel

        rows = rows.persist(StorageLevel.DISK_ONLY)
        kept.callback(rows.unpersist)
        rows.count()
        return rows

    def _mind(self, rows: DataFrame) -> None:
        """Raise what a worker refused; add up the rows of text that they counted."""
        kinds = [work.COUNTED, work.REFUSED]
        for row in rows.filter(rows["kind"].isin(kinds)).collect():
            frame = unpacked(bytes(row["frame"]))
            if row["kind"] == work.REFUSED:
                raise work.raised(frame)
            for file, count in frame.select("file", "rows").iter_rows():
                self.counted[file] = self.counted.get(file, 0) + count

    def _of_the_driver(self, parts: work.Parts) -> DataFrame:
        owners = self.driven[work.AUTHORIZATIONS].select("authorization_number", "member_id")
        rows: list[Any] = []
        for kind, frame in self.driven.items():
            if kind == work.FACTS:
                owned = frame.join(owners, on="authorization_number")
                numbered = parts.numbered(owned, pl.col("member_id")).drop("member_id")
            else:
                numbered = parts.numbered(frame, pl.col("member_id"))
            rows += parts.packed(kind, numbered)
        slices = max(min(len(rows), parts.last + 1), 1)
        return self.spark.createDataFrame(self.spark.sparkContext.parallelize(rows, slices), SCHEMA)

    def _handed_over(self, edited: DataFrame) -> Iterator[Part]:
        """The parts as they come, one partition at a time."""
        current = -1
        tables: dict[str, list[pl.DataFrame]] = {}
        for row in edited.toLocalIterator(prefetchPartitions=True):
            frame = unpacked(bytes(row["frame"]))
            if row["kind"] == work.REFUSED:
                raise work.raised(frame)
            if row["part"] != current and tables:
                yield _part(tables)
                tables = {}
            current = row["part"]
            tables.setdefault(row["kind"], []).append(frame)
        if tables:
            yield _part(tables)


def _part(pieces: dict[str, list[pl.DataFrame]]) -> Part:
    tables = {kind: pl.concat(frames) for kind, frames in pieces.items()}
    return Part(tables, int(tables.pop(work.COUNTED)["in_scope_rows"].sum()))


def _shape(located: Located) -> work.Shape:
    extract = located.extract
    present = {c: t for c, t in extract.columns.items() if extract.has(c)}
    return work.Shape(extract.name, extract.columns, present)


@contextmanager
def computing(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    scope: Scope,
    history: History,
    watch: Stopwatch,
) -> Iterator[Computing]:
    """Start Spark, open the inputs of a run, and read what is read by the driver."""
    with ExitStack() as stack:
        spark = stack.enter_context(session(settings.spark_master, settings.spark_settings))
        inputs = stack.enter_context(opened(spark, settings, history))
        with watch.step("authorizations"):
            authorizations = inputs.read_authorizations()
        with watch.step("clinical facts"):
            facts = inputs.read_clinical_facts() or intake.no_clinical_facts()
        given = None if inputs.clinical is None else facts.rows
        requests = Requests(authorizations.rows, authorizations.rejected_as, given)
        rejected = {
            "rejected_authorizations": authorizations.rejected,
            "rejected_clinical_facts": facts.rejected,
        }
        driven = _driven_by(requests, history, scope)
        job = work.Job(
            policy,
            reference,
            scope,
            settings.as_of,
            _shape(inputs.claims),
            None if inputs.members is None else _shape(inputs.members),
            given is not None,
            replace(history, elsewhere=None),
            work.Parts(()),
            {kind: frame.clear() for kind, frame in driven.items()},
        )
        yield Computing(spark, inputs, driven, rejected, job, watch)


def _driven_by(requests: Requests, history: History, scope: Scope) -> dict[str, pl.DataFrame]:
    """What the driver read, to be sorted by member like the rest."""
    frames = {
        work.AUTHORIZATIONS: requests.authorizations,
        work.REJECTED_AS: requests.rejected_authorizations,
        work.ELSEWHERE: history.lines_elsewhere(scope),
    }
    if requests.clinical_facts is not None:
        frames[work.FACTS] = requests.clinical_facts
    return frames
