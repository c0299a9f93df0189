"""One run: an extract in, a run folder published whole, or nothing."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandera.errors
import polars as pl

from claims_edit import intake, publish
from claims_edit.contracts import RUN_TABLES
from claims_edit.drift import drift_of, in_words
from claims_edit.errors import FaultError, InputError
from claims_edit.evaluate import Night, Outcome, evaluate
from claims_edit.extracts import Extract
from claims_edit.history import History, open_history
from claims_edit.log import LOGGER
from claims_edit.manifest import (
    NAME,
    RowCounts,
    account_of,
    digest_of,
    input_files,
    manifest,
    sealed,
)
from claims_edit.policies import Policy, load_policy, require_governing
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.report.flagged import flagged_lines
from claims_edit.schemas import validated
from claims_edit.scope import scope_of
from claims_edit.settings import RunSettings

_NEVER_STOPS_BELOW = 10

STEPS = (
    "reference data",
    "inputs",
    "claims",
    "authorizations",
    "history",
    "edits",
    "reports",
    "writing",
    "publishing",
)
Announce = Callable[[str], None]


@dataclass
class Stopwatch:
    """Names each step as it begins, and keeps how long it took."""

    announce: Announce
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.announce(name)
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
        LOGGER.info("%s done", name, extra={"step": name, "seconds": self.seconds[name]})


@dataclass(frozen=True)
class Inputs:
    """The extracts of a run and its history, opened and not yet read."""

    claims: Extract
    authorizations: Extract
    members: Extract | None
    history: History

    @property
    def all(self) -> tuple[Extract, ...]:
        extracts = (self.claims, self.authorizations, self.members, self.history.elsewhere)
        return tuple(e for e in extracts if e is not None)

    def require_unchanged(self) -> None:
        """Raises InputError where a file is no longer what it was when it was opened."""
        self.history.require_unchanged()
        for extract in self.all:
            extract.require_unchanged()


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
        policy = load_policy(settings.reference_data, settings.policy)
        require_governing(policy)
    with publish.holding(settings.out, settings.run_id):
        publish.require_free(settings.out, settings.run_id, replace=settings.replace)
        with watch.step("inputs"):
            inputs = _open(settings, policy)
        return _run(settings, policy, reference, inputs, watch)


def _open(settings: RunSettings, policy: Policy) -> Inputs:
    members = None if settings.members is None else intake.open_members(settings.members)
    return Inputs(
        intake.open_claims(settings.claims, with_members=members is not None),
        intake.open_authorizations(settings.authorizations),
        members,
        open_history(settings.history, settings.out, policy.hcpcs_code, settings.run_id),
    )


def _run(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    inputs: Inputs,
    watch: Stopwatch,
) -> Published:
    scope = scope_of(policy, reference)
    with watch.step("claims"):
        members = None
        if inputs.members is not None:
            members = intake.Members(inputs.members, reference["states"])
        claims = intake.read_claims(inputs.claims, members, scope)
        _require_few_rejects(claims, settings.max_reject_rate)
    with watch.step("authorizations"):
        authorizations = intake.read_authorizations(inputs.authorizations)
    with watch.step("history"):
        past = inputs.history.read(claims.member_ids, scope)
    with watch.step("edits"):
        night = Night(
            claims.lines,
            claims.other_versions,
            authorizations.rows,
            authorizations.rejected_as,
            past,
        )
        outcome = evaluate(night, policy, reference, settings.as_of)
    with watch.step("reports"):
        tables = _tables(outcome, claims, authorizations)
        inputs.require_unchanged()
        files = [entry for extract in inputs.all for entry in input_files(extract)]
        inputs.require_unchanged()
    with publish.writable(settings.out), publish.staged(settings.out, settings.run_id) as staging:
        with watch.step("writing"):
            _write(staging, tables)
            content = _manifest(staging, settings, policy, reference, files, claims, inputs.history)
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


def _require_few_rejects(claims: intake.Claims, limit: float) -> None:
    rejects, rows = claims.rejected.height, claims.in_scope_rows
    if rejects < _NEVER_STOPS_BELOW or rejects <= Decimal(str(limit)) * rows:
        return
    counts = (
        claims.rejected["failed_checks"]
        .explode()
        .value_counts(sort=True)
        .sort(["count", "failed_checks"], descending=[True, False])
    )
    worst = ", ".join(f"{check} ({count})" for check, count in counts.head(5).iter_rows())
    raise InputError(
        f"claims: {rejects} of {rows} in-scope rows were rejected, above --max-reject-rate {limit:g}; "
        f"nothing was published. Failed checks: {worst}. Mend the extract; to see the rows, run with "
        "--max-reject-rate 1 into another --out and open rejected_lines.parquet."
    )


def _tables(
    outcome: Outcome, claims: intake.Claims, authorizations: intake.Authorizations
) -> dict[str, pl.DataFrame]:
    return {
        "lines": outcome.lines,
        "findings": outcome.findings,
        "flagged_lines": flagged_lines(outcome.lines, outcome.findings),
        "reconsider": outcome.reconsider,
        "other_versions": claims.other_versions,
        "rejected_lines": claims.rejected,
        "rejected_authorizations": authorizations.rejected,
    }


def _write(staging: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Write every table that its schema accepts; one that it does not is a fault of the program."""
    for name, table in tables.items():
        try:
            sound = validated(RUN_TABLES[name], table)
        except (pandera.errors.SchemaError, pandera.errors.SchemaErrors) as error:
            raise FaultError(
                f"a fault of the program: the table {name} breaks its own schema; nothing was "
                "published. Please report it with this message."
            ) from error
        _write_table(sound, staging / f"{name}.parquet")


def _write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table by way of memory: what polars says of a full disk is not always an OSError."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd")
    path.write_bytes(buffer.getbuffer())


def _manifest(
    staging: Path,
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    files: list[dict[str, Any]],
    claims: intake.Claims,
    history: History,
) -> dict[str, Any]:
    """The manifest, its counts and balance re-read from the files as written."""
    tables = {name: pl.read_parquet(staging / f"{name}.parquet", glob=False) for name in RUN_TABLES}
    rows = RowCounts(
        read=sum(f["rows"] for f in files if f["extract"] == "claims"),
        in_scope=claims.in_scope_rows,
        rejected=tables["rejected_lines"].height,
        authorizations_read=sum(f["rows"] for f in files if f["extract"] == "authorizations"),
        authorizations_rejected=tables["rejected_authorizations"].height,
    )
    account = account_of(rows, tables["lines"], tables["findings"])
    if not (account["balance"]["rows_close"] and account["balance"]["charges_close"]):
        raise FaultError(
            "a fault of the program: the balance of rows or charges does not close; nothing was "
            "published. Please report it with this message."
        )
    outputs = [
        {"table": name, "rows": table.height, **digest_of(staging / f"{name}.parquet", whole=True)}
        for name, table in tables.items()
    ]
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
