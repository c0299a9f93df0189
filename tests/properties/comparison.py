"""The engine's and the naive oracle's answers, in one form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from tests.oracle import Night
from tests.oracle.nights import Drug, RawExtract
from tests.support import Edited, edit_rows

LINE_COLUMNS = (
    "claim_id",
    "claim_line_number",
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "line_of_business",
    "policy_id",
    "policy_version",
    "disposition",
    "billed_units",
    "allowed_units",
    "denied_units",
    "charge_amount",
    "denied_charge_amount",
    "primary_edit_id",
    "edit_ids",
    "unknown_edit_ids",
    "matched_authorization_number",
    "authorization_draws",
)
FINDING_COLUMNS = (
    "claim_id",
    "claim_line_number",
    "edit_id",
    "verdict",
    "action",
    "group_code",
    "carc",
    "rarc",
    "policy_id",
    "policy_version",
    "policy_section",
)
PARTNER_COLUMNS = (
    "member_id",
    "claim_id",
    "claim_line_start_date",
    "hcpcs_code",
    "claim_frequency_code",
    "original_claim_id",
    "received_date",
)


def by_engine(extract: RawExtract, drug: Drug, reference: Path) -> Edited:
    return edit_rows(
        extract.claims,
        extract.authorizations,
        extract.members,
        extract.clinical,
        as_of=extract.as_of,
        policy_id=drug.policy_id,
        reference_folder=reference,
        version=drug.governing_alone,
    )


def compare(edited: Edited, night: Night) -> None:
    """Every line, finding, rejected row and partner line alike."""
    assert _engine_lines(edited) == _keyed(night.lines, LINE_COLUMNS)
    assert _rows(edited.findings, FINDING_COLUMNS) == _sorted(night.findings, FINDING_COLUMNS)
    lines = _rejected(edited.rejected_lines, "claim_id", "claim_line_number")
    assert lines == Counter(night.rejected_lines)
    authorizations = _rejected(edited.rejected_authorizations, "authorization_number")
    assert authorizations == Counter(night.rejected_authorizations)
    assert _rejected_facts(edited.rejected_clinical_facts) == Counter(night.rejected_clinical_facts)
    assert edited.partner_lines.columns == list(PARTNER_COLUMNS)
    assert _rows(edited.partner_lines, PARTNER_COLUMNS) == _sorted(
        night.partner_lines, PARTNER_COLUMNS
    )
    assert edited.rows - edited.in_scope_rows == night.out_of_scope


def _engine_lines(edited: Edited) -> dict[Any, Any]:
    rows = edited.lines.to_dicts()
    for row in rows:
        row["authorization_draws"] = [
            (d["authorization_number"], d["units"]) for d in row["authorization_draws"]
        ]
    return _keyed(rows, LINE_COLUMNS)


def _keyed(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> dict[Any, Any]:
    keyed = {
        (row["claim_id"], row["claim_line_number"]): {c: row[c] for c in columns} for row in rows
    }
    assert len(keyed) == len(rows)
    return keyed


def _rows(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return _sorted(frame.to_dicts(), columns)


def _sorted(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[c] for c in columns) for row in rows), key=repr)


def _rejected(frame: pl.DataFrame, *key: str) -> Counter[tuple[Any, Any, frozenset[str]]]:
    """Raw key, trimmed, and the columns or the checks between rows that failed."""
    rejected = []
    for row in frame.to_dicts():
        texts = [(row[c] or "").strip() or None for c in key]
        names = frozenset(check.partition(":")[0] for check in row["failed_checks"])
        rejected.append((texts[0], texts[1] if len(texts) > 1 else None, names))
    return Counter(rejected)


def _rejected_facts(frame: pl.DataFrame) -> Counter[tuple[Any, Any, frozenset[str]]]:
    """Raw number, trimmed, and the checks by their whole names."""
    return Counter(
        ((row["authorization_number"] or "").strip() or None, None, frozenset(row["failed_checks"]))
        for row in frame.to_dicts()
    )
