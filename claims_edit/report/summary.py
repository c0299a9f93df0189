"""The table that a run prints at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claims_edit.contracts import DISPOSITIONS
from claims_edit.drift import in_words
from claims_edit.report.text import table


def summary(manifest: dict[str, Any], stale: Sequence[str] = ()) -> str:
    """Lines and charges by disposition, lines by edit, and what became of every row.

    `stale` are the later runs that were computed on the run that this one replaced.
    """
    rows, authorizations = manifest["rows"], manifest["authorizations"]
    parts = [
        f"Run {manifest['run_id']}, policy {manifest['policy']['id']}",
        f"Rows read {rows['read']:,}: out of scope {rows['out_of_scope']:,}, "
        f"rejected {rows['rejected']:,}, edited {rows['edited']:,}\n"
        f"Authorizations read {authorizations['read']:,}: rejected {authorizations['rejected']:,}"
        f"{_facts(manifest)}{_decisions(manifest)}",
        _dispositions(manifest["dispositions"]),
    ]
    if manifest["edits"]:
        parts.append(_edits(manifest["edits"]))
    outputs = {output["table"]: output["rows"] for output in manifest["outputs"]}
    if outputs["reconsider"]:
        parts.append(
            f"Lines of earlier runs that would be allowed more today: {outputs['reconsider']:,}  "
            "(see reconsider.parquet)"
        )
    if manifest["drift"]["warnings"]:
        parts.append("\n".join(f"Drift: {in_words(w)}" for w in manifest["drift"]["warnings"]))
    if stale:
        parts.append(
            f"Stale, computed on the run that was replaced: {', '.join(stale)}  (run them again, in "
            "this order, with --replace)"
        )
    return "\n\n".join(parts)


def determined(manifest: dict[str, Any]) -> str:
    """How many authorizations were read, and how many are met, not met or undocumented."""
    rows = manifest["authorizations"]
    counts = [(name, f"{count:,}") for name, count in manifest["determinations"].items()]
    return "\n\n".join(
        [
            f"Determinations {manifest['determinations_id']}, policy {manifest['policy']['id']}",
            f"Authorizations read {rows['read']:,}: of other drugs {rows['out_of_scope']:,}, rejected "
            f"{rows['rejected']:,}, determined {rows['determined']:,}{_facts(manifest)}",
            table(("determination", "authorizations"), counts),
        ]
    )


def _facts(manifest: dict[str, Any]) -> str:
    """What became of the clinical facts, where any were given."""
    if not any(file["extract"] == "clinical" for file in manifest["inputs"]):
        return ""
    facts = manifest["clinical_facts"]
    return f"\nClinical facts read {facts['read']:,}: rejected {facts['rejected']:,}"


def _decisions(manifest: dict[str, Any]) -> str:
    """What became of the decisions on lines of earlier runs, where any were given."""
    decisions = manifest["decisions"]
    if not decisions["read"]:
        return ""
    return (
        f"\nDecisions read {decisions['read']:,}: of this run's members {decisions['applied']:,}, of "
        f"runs that are no history of it {decisions['of_other_runs']:,}, left out "
        f"{decisions['left_out']:,}"
    )


def _dispositions(by_disposition: dict[str, Any]) -> str:
    header = ("disposition", "lines", "charge", "denied charge")
    body = [
        (name, f"{d['lines']:,}", f"{d['charge_amount']:,.2f}", f"{d['denied_charge_amount']:,.2f}")
        for name in DISPOSITIONS
        if (d := by_disposition.get(name))
    ]
    return table(header, body)


def _edits(by_edit: dict[str, Any]) -> str:
    header = ("edit", "lines", "of which unknown", "charge")
    ranked = sorted(by_edit.items(), key=lambda item: (-item[1]["lines"], item[0]))
    body = [
        (name, f"{e['lines']:,}", f"{e['unknowns']:,}", f"{e['charge_amount']:,.2f}")
        for name, e in ranked
    ]
    return table(header, body)
