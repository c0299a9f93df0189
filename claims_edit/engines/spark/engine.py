"""One run on Spark: scan, find what meets between members, sort into parts, edit, and hand over.

The driver opens inputs and reads what is small beside the claims; workers read claims and members,
and of earlier runs the rows of their own members. What they return comes part by part, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from claims_edit import intake
from claims_edit.engines.spark import work
from claims_edit.engines.spark.failures import in_words
from claims_edit.engines.spark.files import Located
from claims_edit.engines.spark.frames import SCHEMA, Row, unpacked
from claims_edit.engines.spark.inputs import Inputs, opened
from claims_edit.engines.spark.plan import parts_of
from claims_edit.engines.spark.scan import may_be_in_scope, scanned
from claims_edit.engines.spark.session import session
from claims_edit.history import History, Memory
from claims_edit.inputs import Requested
from claims_edit.parts import Part
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.schemas import empty
from claims_edit.scope import scope_of
from claims_edit.settings import RunSettings
from claims_edit.steps import Stopwatch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@contextmanager
def computing(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    history: History,
    watch: Stopwatch,
) -> Iterator[OnSpark]:
    """Start Spark, and open the inputs of a run."""
    with ExitStack() as stack:
        spark = stack.enter_context(session(settings.spark_master, settings.spark_settings))
        with in_words():
            inputs = stack.enter_context(opened(spark, settings, history))
        yield OnSpark(settings, policy, reference, spark, inputs, watch)


@dataclass(frozen=True)
class OnSpark:
    """A run on Spark. `counted` has, once all parts came, the lines of every CSV file by its address."""

    settings: RunSettings
    policy: Policy
    reference: ReferenceData
    spark: SparkSession
    inputs: Inputs
    watch: Stopwatch
    counted: dict[str, int] = field(default_factory=dict)

    def parts(self, _: Path) -> Iterator[Part]:
        """Edit a night: every part that has rows, in the order of its members; the split claims last."""
        with in_words(), ExitStack() as kept:
            requests = self.inputs.read_requests(self.watch)
            yield Part(
                requests.rejected | {"rejected_lines": empty(RUN_TABLES["rejected_lines"])}, 0
            )
            with self.watch.step("history"):
                memory = self.inputs.memory(scope_of(self.reference, self.policy))
            driven = _driven_by(requests, memory)
            job = self._job(memory, driven)
            with self.watch.step("claims"):
                found = self._kept(self._found(job), kept)
                self._mind(found)
            with self.watch.step("edits"):
                keys = self._kept(found.mapInArrow(work.keys(job.claims), work.KEYS_SCHEMA), kept)
                cores = self.spark.sparkContext.defaultParallelism
                parts = parts_of(keys, cores, self.settings.part_lines)
                of_workers = found.mapInArrow(work.sorting(job.claims, job.members, parts), SCHEMA)
                sent = self.spark.sparkContext.broadcast(job)
                kept.callback(sent.destroy)
                edited = (
                    of_workers.unionAll(self._of_the_driver(driven, parts))
                    .repartitionById(parts.last + 1, "part")
                    .mapInArrow(work.editing(lambda: sent.value), SCHEMA)
                )
                edited = self._kept(edited, kept)
            yield from _handed_over(edited)

    def files(self) -> list[dict[str, Any]]:
        """What the manifest says of every file."""
        with in_words():
            return self.inputs.entries(self.counted)

    def _job(self, memory: Memory, driven: dict[str, pl.DataFrame]) -> work.Job:
        claims = _shape(self.inputs.claims)
        members = None if self.inputs.members is None else _shape(self.inputs.members)
        scope = scope_of(self.reference, self.policy)
        nothing = intake.together(intake.find(claims.of(claims.no_rows()), scope))
        frames = {
            work.CLAIMS: nothing.raw,
            work.VERSIONS: nothing.other_versions,
            work.PARTNERS: nothing.partner_lines,
            **{kind: frame.clear() for kind, frame in driven.items()},
        }
        if members is not None:
            frames[work.MEMBERS] = members.no_rows()
        return work.Job(
            self.policy,
            self.reference,
            scope,
            self.settings.as_of,
            claims,
            members,
            replace(
                memory,
                elsewhere=memory.elsewhere.clear(),
                decisions=memory.decisions.clear(),
            ),
            frames,
        )

    def _found(self, job: work.Job) -> DataFrame:
        """The rows of claims and members that are of use, as frames."""
        wanted, finding = may_be_in_scope(job.scope), work.finding(job.claims, job.scope)
        found = scanned(self.spark, self.inputs.claims, wanted, finding, SCHEMA)
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
        """Raise what a worker refused; add up the lines of text that they counted."""
        kinds = [work.COUNTED, work.REFUSED]
        for row in rows.filter(rows["kind"].isin(kinds)).collect():
            frame = unpacked(bytes(row["frame"]))
            if row["kind"] == work.REFUSED:
                raise work.raised(frame)
            for file, count in frame.select("file", "rows").iter_rows():
                self.counted[file] = self.counted.get(file, 0) + count

    def _of_the_driver(self, driven: dict[str, pl.DataFrame], parts: work.Parts) -> DataFrame:
        """What the driver read, by the part that it is of."""
        authorizations = driven[work.AUTHORIZATIONS]
        owners = authorizations.select("authorization_number", owner="member_id")
        rows: list[Row] = []
        for kind, frame in driven.items():
            if kind == work.FACTS:
                owned = frame.join(owners, on="authorization_number")
                rows += parts.packed(kind, owned.drop("owner"), owned["owner"])
            else:
                rows += parts.packed(kind, frame, frame["member_id"])
        slices = max(min(len(rows), parts.last + 1), 1)
        return self.spark.createDataFrame(self.spark.sparkContext.parallelize(rows, slices), SCHEMA)


def _driven_by(requests: Requested, memory: Memory) -> dict[str, pl.DataFrame]:
    """What the driver read, to be sorted by member like the rest."""
    frames = {
        work.AUTHORIZATIONS: requests.authorizations,
        work.REJECTED_AS: requests.rejected_authorizations,
        work.ELSEWHERE: memory.elsewhere,
        work.DECISIONS: memory.decisions,
    }
    if requests.clinical_facts is not None:
        frames[work.FACTS] = requests.clinical_facts
    return frames


def _handed_over(edited: DataFrame) -> Iterator[Part]:
    """The parts as they come, one partition at a time."""
    current = -1
    pieces: dict[str, list[pl.DataFrame]] = {}
    for row in edited.toLocalIterator(prefetchPartitions=True):
        frame = unpacked(bytes(row["frame"]))
        if row["kind"] == work.REFUSED:
            raise work.raised(frame)
        if row["part"] != current and pieces:
            yield _part(pieces)
            pieces = {}
        current = row["part"]
        pieces.setdefault(row["kind"], []).append(frame)
    if pieces:
        yield _part(pieces)


def _part(pieces: dict[str, list[pl.DataFrame]]) -> Part:
    tables = {kind: pl.concat(frames) for kind, frames in pieces.items()}
    tables.setdefault("rejected_lines", empty(RUN_TABLES["rejected_lines"]))
    return Part(tables, int(tables.pop(work.COUNTED)["in_scope_rows"].sum()))


def _shape(located: Located) -> work.Shape:
    extract = located.extract
    present = {c: t for c, t in extract.columns.items() if extract.has(c)}
    return work.Shape(extract.name, extract.columns, present)
