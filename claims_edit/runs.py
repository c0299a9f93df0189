"""One run: an extract in, a run folder published whole, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import publish
from claims_edit.drift import drift_of, in_words
from claims_edit.engines.engine import Computation, computing_by
from claims_edit.errors import FaultError, InputError
from claims_edit.history import History, open_history
from claims_edit.inputs import require_few_rejects
from claims_edit.kept_reference import ARCHIVE, keep
from claims_edit.log import LOGGER
from claims_edit.manifest import (
    NAME,
    RowCounts,
    account_of,
    digest_of,
    manifest,
    output_entries,
    reference_tables,
    sealed,
)
from claims_edit.policies import Policy, load_governing
from claims_edit.quarantine import in_order_as_they_came
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.report.flagged import HIGHEST_CHARGE_FIRST
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.schemas import empty
from claims_edit.settings import RunSettings
from claims_edit.steps import Announce, Stopwatch
from claims_edit.tables import OrderedTable, Table, TableWriter

# Tables that are written at once.
_AT_ONCE = 2
# Where lines are set aside that are too many to be held.
_ASIDE = "aside"
STEPS = (
    "reference data",
    "inputs",
    "claims",
    "authorizations",
    "clinical facts",
    "history",
    "edits",
    "reports",
    "writing",
    "publishing",
)


@dataclass(frozen=True)
class Published:
    """A run that was published, and the later runs that were computed on what it replaced."""

    folder: Path
    manifest: dict[str, Any]
    stale: list[str]


def run(settings: RunSettings, announce: Announce = lambda _: None) -> Published:
    """Edit one extract and publish it.

    Raises a UserError of `errors` for whatever a user can mend; then nothing is published.
    """
    watch = Stopwatch(announce)
    with watch.step("reference data"):
        reference = load_reference(settings.reference_data)
        policy = load_governing(settings.reference_data, settings.policy)
    with publish.holding(settings.out, f"run {settings.run_id}"), ExitStack() as stack:
        publish.require_free(settings.out, settings.run_id, replace=settings.replace)
        with watch.step("inputs"):
            history = open_history(
                settings.history,
                settings.out,
                policy.hcpcs_code,
                settings.run_id,
                settings.decisions,
            )
            computing = computing_by(settings.engine)
            computation = stack.enter_context(
                computing(settings, policy, reference, history, watch)
            )
        return _run(settings, policy, reference, computation, history, watch)


def _run(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    computation: Computation,
    history: History,
    watch: Stopwatch,
) -> Published:
    with publish.writable(settings.out), publish.staged(settings.out, settings.run_id) as staging:
        aside = staging / _ASIDE
        aside.mkdir()
        in_scope_rows, files = _write(staging, aside, computation, settings, watch)
        shutil.rmtree(aside)
        with watch.step("writing"):
            keep(reference_tables(reference, policy), staging)
            content = _manifest(staging, settings, policy, reference, files, in_scope_rows, history)
        _mind_the_drift(content, settings)
        folder = _publish(staging, settings, content, watch)
    stale = history.computed_on(content)
    if stale:
        LOGGER.warning("computed on the run that was replaced: %s", ", ".join(stale))
    return Published(folder, content, stale)


def _mind_the_drift(content: dict[str, Any], settings: RunSettings) -> None:
    """Warn of shares out of their band; raises InputError where the run may not be published so."""
    warnings = [in_words(warning) for warning in content["drift"]["warnings"]]
    if warnings and settings.strict_drift:
        raise InputError(
            f"claims: --strict-drift: {'; '.join(warnings)}. Nothing was published. Look at the "
            "extract; to publish it all the same, run without --strict-drift."
        )
    for warning in warnings:
        LOGGER.warning("drift: %s", warning)


def _publish(
    staging: Path, settings: RunSettings, content: dict[str, Any], watch: Stopwatch
) -> Path:
    with watch.step("publishing"):
        content["timings"] = dict(watch.seconds)
        (staging / NAME).write_bytes(sealed(content))
        return publish.publish(staging, settings.out, settings.run_id)


def _write(
    staging: Path, aside: Path, computation: Computation, settings: RunSettings, watch: Stopwatch
) -> tuple[int, list[dict[str, Any]]]:
    """Write the tables of all parts, each while the next one is edited; the rows in scope, and what the
    manifest says of the inputs."""
    in_scope_rows, rejected = 0, [empty(RUN_TABLES["rejected_lines"])]
    with ExitStack() as stack:
        tables: dict[str, Table] = {
            n: stack.enter_context(TableWriter(staging, n, s)) for n, s in RUN_TABLES.items()
        }
        tables["flagged_lines"] = OrderedTable(
            tables["flagged_lines"], HIGHEST_CHARGE_FIRST, aside / "flagged"
        )
        pool = stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
        waiting: list[Future[None]] = []
        for part in computation.parts(aside / "lines"):
            in_scope_rows += part.in_scope_rows
            rejected.append(part.tables.pop("rejected_lines"))
            _wait(waiting)
            waiting = [pool.submit(tables[name].add, rows) for name, rows in part.tables.items()]
        all_rejected = in_order_as_they_came(pl.concat(rejected))
        require_few_rejects(all_rejected, in_scope_rows, settings.max_reject_rate)
        files = computation.files()
        with watch.step("writing"):
            _wait(waiting)
            tables["rejected_lines"].add(all_rejected)
            _wait([pool.submit(table.close) for table in tables.values()])
    return in_scope_rows, files


def _wait(tasks: Iterable[Future[None]]) -> None:
    for task in tasks:
        task.result()


def _manifest(
    staging: Path,
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    files: list[dict[str, Any]],
    in_scope_rows: int,
    history: History,
) -> dict[str, Any]:
    """The manifest, its counts and balance re-read from the files as written."""
    tables = {name: pl.scan_parquet(staging / f"{name}.parquet", glob=False) for name in RUN_TABLES}
    heights = {name: int(table.select(pl.len()).collect().item()) for name, table in tables.items()}
    rows = RowCounts(
        read=sum(f["rows"] for f in files if f["extract"] == "claims"),
        in_scope=in_scope_rows,
        rejected=heights["rejected_lines"],
        authorizations_read=sum(f["rows"] for f in files if f["extract"] == "authorizations"),
        authorizations_rejected=heights["rejected_authorizations"],
        clinical_facts_read=sum(f["rows"] for f in files if f["extract"] == "clinical"),
        clinical_facts_rejected=heights["rejected_clinical_facts"],
    )
    account = account_of(rows, tables["lines"], tables["findings"])
    if not (account["balance"]["rows_close"] and account["balance"]["charges_close"]):
        raise FaultError(
            "a fault of the program: the balance of rows or charges does not close; nothing was "
            "published. Please report it with this message."
        )
    outputs = output_entries(staging, heights)
    content = manifest(
        settings,
        policy,
        reference,
        files,
        outputs,
        account,
        history.recorded(),
    )
    content["reference_archive"] = {"file": ARCHIVE, **digest_of(staging / ARCHIVE, whole=True)}
    content["decisions"] = history.decisions.recorded(heights["decided_lines"])
    content["drift"] = drift_of(content, [run.manifest for run in history.runs])
    return content
