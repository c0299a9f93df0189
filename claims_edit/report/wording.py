"""An outcome in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims_edit.report.story import written

Row = Mapping[str, Any]


def in_sentence(message: str) -> str:
    """A message as a sentence of its own."""
    return f"{message[:1].upper()}{message[1:]}."


def why(line: Row, findings: list[Row]) -> str:
    """Why a line came out as it did; `findings` are those that the policy acts on."""
    disposition = line["disposition"]
    if disposition in ("superseded", "void"):
        return _taken_out(line)
    billed, allowed = written(line["service_unit_quantity"]), written(line["allowed_units"])
    if not findings:
        return f"All {billed} units are allowed: no edit that was asked found anything."
    primary = next(f for f in findings if f["edit_id"] == line["primary_edit_id"])
    reason = in_sentence(primary["message"])
    if disposition == "deny":
        return f"No unit is allowed. {reason}"
    if disposition == "partial":
        return f"{allowed} of {billed} units are allowed. {reason}"
    if line["allowed_units"] == 0:
        return f"There is nothing to pay, and somebody should look. {reason}"
    return f"All {billed} units are allowed, and somebody should look. {reason}"


def _taken_out(line: Row) -> str:
    if line["claim_frequency_code"] == "8":
        return "The claim voids another; its lines bill nothing, and allow nothing."
    if line["disposition"] == "void":
        return "The claim is void: another claim voids it. Its lines are asked no edit and allow nothing."
    return (
        "The claim was replaced by another version. Its lines are asked no edit, and allow nothing: what "
        "counts is the other version."
    )
