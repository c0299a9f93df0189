"""Determinations published: an authorizations extract in, a folder published whole, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import intake, publish
from claims_edit.contracts import CLAIMS, FILLED_FROM_MEMBERS
from claims_edit.determinations import OF_MEMBERS, determinations
from claims_edit.errors import FaultError
from claims_edit.evaluate import Requests
from claims_edit.extracts import Extract
from claims_edit.manifest import (
    NAME,
    PROGRAM,
    input_files,
    output_entries,
    policy_entry,
    reference_entries,
    sealed,
)
from claims_edit.members import Members, open_members, with_members
from claims_edit.normalise import read_as
from claims_edit.policies import Policy, load_governing
from claims_edit.reference import ReferenceData, load_reference
from claims_edit.report_contracts import DETERMINATION_TABLES
from claims_edit.settings import DeterminationSettings
from claims_edit.steps import Announce, Stopwatch

STEPS = (
    "reference data",
    "inputs",
    "authorizations",
    "clinical facts",
    "members",
    "determinations",
    "writing",
    "publishing",
)


@dataclass(frozen=True)
class Determined:
    """Determinations that were published."""

    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True)
class _Inputs:
    authorizations: Extract
    clinical: Extract | None
    members: Extract | None

    def files(self) -> list[dict[str, Any]]:
        given = [e for e in (self.authorizations, self.clinical, self.members) if e is not None]
        for extract in given:
            extract.require_unchanged()
        files = [entry for extract in given for entry in input_files(extract)]
        for extract in given:
            extract.require_unchanged()
        return files


def determine(settings: DeterminationSettings, announce: Announce = lambda _: None) -> Determined:
    """Judge every authorization of the policy's drug and publish what was found.

    Raises a UserError of `errors` for whatever a user can mend; then nothing is published.
    """
    watch = Stopwatch(announce)
    out, name = settings.out, settings.run_id
    with watch.step("reference data"):
        reference = load_reference(settings.reference_data)
        policy = load_governing(settings.reference_data, settings.policy)
    with publish.holding(out, f"determinations {name}"):
        publish.require_free(out, name, replace=settings.replace, kind=publish.DETERMINATIONS)
        with watch.step("inputs"):
            inputs = _open(settings)
        tables, good = _tables(settings, inputs, policy, reference, watch)
        files = inputs.files()
        with publish.writable(out), publish.staged(out, name, publish.DETERMINATIONS) as staging:
            with watch.step("writing"):
                publish.write_tables(staging, tables, DETERMINATION_TABLES)
                content = {
                    "determinations_id": name,
                    "as_of": settings.as_of.isoformat(),
                    "program": PROGRAM,
                    "policy": policy_entry(policy),
                    "inputs": files,
                    "reference_data": reference_entries(reference, policy),
                    "outputs": output_entries(
                        staging, {name: table.height for name, table in tables.items()}
                    ),
                    **_account(staging, files, good, policy.hcpcs_code),
                }
            with watch.step("publishing"):
                content["timings"] = dict(watch.seconds)
                (staging / NAME).write_bytes(sealed(content))
                folder = publish.publish(staging, out, name, publish.DETERMINATIONS)
    return Determined(folder, content)


def _tables(
    settings: DeterminationSettings,
    inputs: _Inputs,
    policy: Policy,
    reference: ReferenceData,
    watch: Stopwatch,
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables that are written, and the authorizations that were not rejected."""
    with watch.step("authorizations"):
        read = intake.read_authorizations(inputs.authorizations)
    with watch.step("clinical facts"):
        facts = intake.no_clinical_facts()
        if inputs.clinical is not None:
            facts = intake.read_clinical_facts(inputs.clinical)
    with watch.step("members"):
        members = _members(inputs.members, read.rows, reference)
    with watch.step("determinations"):
        given = None if inputs.clinical is None else facts.rows
        requests = Requests(read.rows, read.rejected_as, given)
        determined = determinations(requests, members, policy, reference, settings.as_of)
    tables = {
        "determinations": determined,
        "rejected_authorizations": read.rejected,
        "rejected_clinical_facts": facts.rejected,
    }
    return tables, read.rows


def _open(settings: DeterminationSettings) -> _Inputs:
    clinical, members = settings.clinical, settings.members
    return _Inputs(
        intake.open_authorizations(settings.authorizations),
        None if clinical is None else intake.open_clinical_facts(clinical),
        None if members is None else open_members(members),
    )


def _members(
    extract: Extract | None, authorizations: pl.DataFrame, reference: ReferenceData
) -> pl.DataFrame | None:
    """By authorization number, the members' values on the effective date; one that cannot be read is
    not known."""
    if extract is None:
        return None
    chosen = authorizations.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "authorization_number",
        "member_id",
        pl.col("effective_date").cast(pl.String).alias("claim_line_start_date"),
        *(pl.lit(None, pl.String).alias(c) for c in FILLED_FROM_MEMBERS),
    )
    filled = with_members(chosen, Members(extract, reference["states"]))
    return filled.select(
        "authorization_number",
        *(read_as(c, filled.schema[c], CLAIMS.columns[c]).alias(c) for c in OF_MEMBERS),
    )


def _account(
    staging: Path, files: list[dict[str, Any]], good: pl.DataFrame, hcpcs_code: str
) -> dict[str, Any]:
    """Counts re-read from the files as written. Raises FaultError where the balance does not close."""
    tables = {
        name: pl.read_parquet(staging / f"{name}.parquet", glob=False)
        for name in DETERMINATION_TABLES
    }

    def rows(extract: str) -> int:
        return sum(f["rows"] for f in files if f["extract"] == extract)

    counts = tables["determinations"]["determination"].value_counts(sort=True)
    account = {
        "authorizations": {
            "read": rows("authorizations"),
            "out_of_scope": good.filter(pl.col("hcpcs_code") != hcpcs_code).height,
            "rejected": tables["rejected_authorizations"].height,
            "determined": tables["determinations"].height,
        },
        "clinical_facts": {
            "read": rows("clinical"),
            "rejected": tables["rejected_clinical_facts"].height,
        },
        "determinations": dict(sorted(counts.iter_rows())),
    }
    of = account["authorizations"]
    if of["read"] != of["out_of_scope"] + of["rejected"] + of["determined"]:
        raise FaultError(
            "a fault of the program: the balance of authorizations does not close; nothing was "
            "published. Please report it with this message."
        )
    return account
