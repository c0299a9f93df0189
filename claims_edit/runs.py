"""One run: an extract in, a run folder published whole, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import publish
from claims_edit.contracts import RUN_TABLES
from claims_edit.drift import drift_of, in_words
from claims_edit.errors import FaultError, InputError
from claims_edit.evaluate import Outcome, evaluate
from claims_edit.history import History, open_history
from claims_edit.inputs import Inputs, Read, open_inputs, read_night
from claims_edit.log import LOGGER
from claims_edit.manifest import (
    NAME,
    RowCounts,
    account_of,
    manifest,
    output_entries,
    sealed,
)
from claims_edit.policies import Policy, load_governing
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.report.flagged import flagged_lines
from claims_edit.scope import scope_of
from claims_edit.settings import RunSettings
from claims_edit.steps import Announce, Stopwatch

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
    with publish.holding(settings.out, f"run {settings.run_id}"):
        publish.require_free(settings.out, settings.run_id, replace=settings.replace)
        with watch.step("inputs"):
            history = open_history(
                settings.history, settings.out, policy.hcpcs_code, settings.run_id
            )
            if settings.engine == "spark":
                return _run_on_spark(settings, policy, reference, history, watch)
            inputs = open_inputs(settings, history)
        return _run(settings, policy, reference, inputs, watch)


def _run_on_spark(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    history: History,
    watch: Stopwatch,
) -> Published:
    from claims_edit.contracts import LINE_KEY
    from claims_edit.edits.catalogue import ORDER
    from claims_edit.engines.spark.engine import computing
    from claims_edit.schemas import empty

    with computing(settings, policy, reference, scope_of(reference, policy), history, watch) as c:
        parts = list(
            c.parts(int(settings.spark_settings.get("spark.claims-edit.part-rows", 200000)))
        )
        tables = {
            n: pl.concat([empty(s), *(p.tables[n] for p in parts if n in p.tables)])
            for n, s in RUN_TABLES.items()
        }
        tables |= c.rejected
        order = pl.col("edit_id").replace_strict(ORDER, return_dtype=pl.UInt16)
        tables["lines"] = tables["lines"].sort(*LINE_KEY)
        tables["reconsider"] = tables["reconsider"].sort(*LINE_KEY)
        tables["findings"] = tables["findings"].sort(*LINE_KEY, order)
        tables["flagged_lines"] = flagged_lines(tables["lines"], tables["findings"])
        for n in ("other_versions", "partner_lines"):
            tables[n] = tables[n].sort(tables[n].columns, nulls_last=(n == "partner_lines"))
        r = tables["rejected_lines"]
        tables["rejected_lines"] = r.sort(*r.columns[2:], "failed_checks", nulls_last=True)
        files = c.inputs.entries(c.counted)
    from types import SimpleNamespace

    read = SimpleNamespace(in_scope_rows=sum(p.in_scope_rows for p in parts))
    from claims_edit.inputs import _require_few_rejects

    _require_few_rejects(
        SimpleNamespace(rejected=tables["rejected_lines"], in_scope_rows=read.in_scope_rows),
        settings.max_reject_rate,
    )
    inputs = SimpleNamespace(history=history)
    with publish.writable(settings.out), publish.staged(settings.out, settings.run_id) as staging:
        _write(staging, tables)
        content = _manifest(staging, settings, policy, reference, files, read, inputs.history)
        _mind_the_drift(content, settings)
        folder = _publish(staging, settings, content, watch)
    stale = inputs.history.computed_on(content)
    return Published(folder, content, stale)


def _run(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    inputs: Inputs,
    watch: Stopwatch,
) -> Published:
    scope = scope_of(reference, policy)
    read = read_night(inputs, reference, scope, settings.max_reject_rate, watch)
    with watch.step("edits"):
        outcome = evaluate(read.night, policy, reference, settings.as_of)
    with watch.step("reports"):
        tables = _tables(outcome, read)
        files = inputs.files()
    with publish.writable(settings.out), publish.staged(settings.out, settings.run_id) as staging:
        with watch.step("writing"):
            _write(staging, tables)
            content = _manifest(staging, settings, policy, reference, files, read, inputs.history)
        _mind_the_drift(content, settings)
        folder = _publish(staging, settings, content, watch)
    stale = inputs.history.computed_on(content)
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


def _tables(outcome: Outcome, read: Read) -> dict[str, pl.DataFrame]:
    return {
        "lines": outcome.lines,
        "findings": outcome.findings,
        "flagged_lines": flagged_lines(outcome.lines, outcome.findings),
        "reconsider": outcome.reconsider,
        "other_versions": read.night.other_versions,
        "partner_lines": read.night.partner_lines,
        **read.rejected,
    }


def _write(staging: Path, tables: dict[str, pl.DataFrame]) -> None:
    publish.write_tables(staging, tables, RUN_TABLES)


def _manifest(
    staging: Path,
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    files: list[dict[str, Any]],
    read: Read,
    history: History,
) -> dict[str, Any]:
    """The manifest, its counts and balance re-read from the files as written."""
    tables = {name: pl.read_parquet(staging / f"{name}.parquet", glob=False) for name in RUN_TABLES}
    rows = RowCounts(
        read=sum(f["rows"] for f in files if f["extract"] == "claims"),
        in_scope=read.in_scope_rows,
        rejected=tables["rejected_lines"].height,
        authorizations_read=sum(f["rows"] for f in files if f["extract"] == "authorizations"),
        authorizations_rejected=tables["rejected_authorizations"].height,
        clinical_facts_read=sum(f["rows"] for f in files if f["extract"] == "clinical"),
        clinical_facts_rejected=tables["rejected_clinical_facts"].height,
    )
    account = account_of(rows, tables["lines"], tables["findings"])
    if not (account["balance"]["rows_close"] and account["balance"]["charges_close"]):
        raise FaultError(
            "a fault of the program: the balance of rows or charges does not close; nothing was "
            "published. Please report it with this message."
        )
    outputs = output_entries(staging, tables)
    content = manifest(
        settings,
        policy,
        reference,
        files,
        outputs,
        account,
        history.recorded(),
    )
    content["drift"] = drift_of(content, [run.manifest for run in history.runs])
    return content
