"""A comparison: one extract edited under two policies or versions, and what differs published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import publish
from claims_edit.changes import both_sides, by_disposition, by_edit, changes
from claims_edit.errors import FaultError, UsageError
from claims_edit.evaluate import evaluate
from claims_edit.history import History, open_history
from claims_edit.inputs import Read, open_inputs, read_night
from claims_edit.manifest import (
    NAME,
    PROGRAM,
    digest_of,
    output_entries,
    policy_entry,
    reference_entries,
    sealed,
)
from claims_edit.policies import Policy, load_named, load_policy
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.report.comparison import page
from claims_edit.report_contracts import COMPARISON_TABLES
from claims_edit.scope import scope_of
from claims_edit.settings import CompareSettings
from claims_edit.steps import Announce, Stopwatch

STEPS = (
    "reference data",
    "inputs",
    "claims",
    "authorizations",
    "clinical facts",
    "history",
    "baseline",
    "candidate",
    "changes",
    "writing",
    "publishing",
)


@dataclass(frozen=True)
class Compared:
    """A comparison that was published, with its tables."""

    folder: Path
    manifest: dict[str, Any]
    tables: dict[str, pl.DataFrame]


def compare(settings: CompareSettings, announce: Announce = lambda _: None) -> Compared:
    """Edit one extract under both policies, on one reading of it, and publish what differs.

    Nothing that it writes is a run: it has a folder and a manifest of its own kind. Raises a UserError
    of `errors` for whatever a user can mend; then nothing is published.
    """
    watch = Stopwatch(announce)
    out, name = settings.out, settings.run_id
    with watch.step("reference data"):
        reference = load_reference(settings.reference_data)
        baseline, candidate = _policies(settings)
    with publish.holding(out, f"comparison {name}"):
        publish.require_free(out, name, replace=settings.replace, kind=publish.COMPARISON)
        with watch.step("inputs"):
            # No run has this name, so that all runs of the folder are earlier ones.
            own = f"{publish.COMPARISON}={name}"
            history = open_history(
                settings.history, out, baseline.hcpcs_code, own, settings.decisions
            )
            inputs = open_inputs(settings, history)
        scope = scope_of(reference, baseline, candidate)
        read = read_night(inputs, reference, scope, settings.max_reject_rate, watch)
        tables = _tables(read, baseline, candidate, reference, settings, watch)
        files = inputs.files()
        with publish.writable(out), publish.staged(out, name, publish.COMPARISON) as staging:
            with watch.step("writing"):
                publish.write_tables(staging, tables, COMPARISON_TABLES)
                content = _manifest(staging, settings, reference, files, tables, read, history)
                written = staging / publish.PAGE
                written.write_text(page(content, tables), encoding="utf-8")
                content["page"] = {"file": publish.PAGE, **digest_of(written, whole=True)}
            with watch.step("publishing"):
                content["timings"] = dict(watch.seconds)
                (staging / NAME).write_bytes(sealed(content))
                folder = publish.publish(staging, out, name, publish.COMPARISON)
    return Compared(folder, content, tables)


def _policies(settings: CompareSettings) -> tuple[Policy, Policy]:
    """Both policies, each as it would govern. Raises UsageError where they are not of one drug."""
    baseline = load_named(settings.reference_data, settings.baseline, "--baseline")
    candidate = load_named(settings.reference_data, settings.candidate, "--candidate")
    if baseline.hcpcs_code != candidate.hcpcs_code:
        raise UsageError(
            f"--candidate: {settings.candidate} is about {candidate.hcpcs_code}, and "
            f"{settings.baseline} about {baseline.hcpcs_code}; compare policies of one drug."
        )
    return baseline, candidate


def _tables(
    read: Read,
    baseline: Policy,
    candidate: Policy,
    reference: ReferenceData,
    settings: CompareSettings,
    watch: Stopwatch,
) -> dict[str, pl.DataFrame]:
    with watch.step("baseline"):
        one = evaluate(read.night, baseline, reference, settings.as_of)
    with watch.step("candidate"):
        other = evaluate(read.night, candidate, reference, settings.as_of)
    with watch.step("changes"):
        lines = both_sides(one, other)
        if not one.lines.height == other.lines.height == lines.height:
            raise FaultError(
                "a fault of the program: the two sides are not of the same lines; nothing was "
                "published. Please report it with this message."
            )
        return {
            "changes": changes(lines),
            "by_disposition": by_disposition(lines),
            "by_edit": by_edit(lines),
            **read.rejected,
        }


def _manifest(
    staging: Path,
    settings: CompareSettings,
    reference: ReferenceData,
    files: list[dict[str, Any]],
    tables: dict[str, pl.DataFrame],
    read: Read,
    history: History,
) -> dict[str, Any]:
    """What the comparison says of itself; it has no entry by which it could be read as a run."""
    named = (settings.baseline, settings.candidate)
    policies = [load_policy(settings.reference_data, n.partition("@")[0]) for n in named]
    rows = sum(f["rows"] for f in files if f["extract"] == "claims")
    return {
        "comparison_id": settings.run_id,
        "as_of": settings.as_of.isoformat(),
        "program": PROGRAM,
        "baseline": {"named": named[0], "policy": policy_entry(policies[0])},
        "candidate": {"named": named[1], "policy": policy_entry(policies[1])},
        "inputs": files,
        "reference_data": reference_entries(reference, *policies),
        "history_taken": history.recorded(),
        "decisions": history.decisions.recorded(read.night.past.decided_lines.height),
        "outputs": output_entries(staging, {name: table.height for name, table in tables.items()}),
        "rows": {
            "read": rows,
            "out_of_scope": rows - read.in_scope_rows,
            "rejected": tables["rejected_lines"].height,
            "edited": read.night.lines.height,
            "changed": tables["changes"].height,
        },
    }
