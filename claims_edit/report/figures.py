"""What a night brought, in tables: counted once for the page, its charts and the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from claims_edit.contracts import DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from claims_edit.report.rates import override_rates

Kind = Literal["text", "long", "count", "money", "share"]
_SUM = pl.Decimal(38, 2)
_MOST = 10
# What is void or superseded is no denial.
TAKEN_OUT = ("void", "superseded")


@dataclass(frozen=True)
class Table:
    """A small table: its caption, its columns with what they hold, and its rows."""

    caption: str
    columns: dict[str, Kind]
    rows: list[tuple[Any, ...]]

    def values(self) -> list[dict[str, Any]]:
        """The rows as a chart takes them."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def dispositions(manifest: Mapping[str, Any]) -> Table:
    """Lines and charges by disposition."""
    counted = manifest["dispositions"]
    rows = [
        (
            name,
            counted[name]["lines"],
            Decimal(counted[name]["charge_amount"]),
            Decimal(counted[name]["denied_charge_amount"]),
        )
        for name in DISPOSITIONS
        if name in counted
    ]
    columns: dict[str, Kind] = {
        "disposition": "text",
        "lines": "count",
        "charge": "money",
        "denied charge": "money",
    }
    return Table("Lines and charges by disposition", columns, rows)


def edits(flagged: pl.DataFrame, findings: pl.DataFrame) -> Table:
    """The edits that found something on the flagged lines, the one on most lines first.

    A line counts under each edit that found something on it, with its whole charge at stake.
    """
    found = (
        flagged.select("claim_id", "claim_line_number", "primary_edit_id", "charge_at_stake")
        .join(findings, on=["claim_id", "claim_line_number"])
        .group_by("edit_id")
        .agg(
            lines=pl.len(),
            unknown=(pl.col("verdict") == "unknown").sum(),
            decided=(pl.col("primary_edit_id") == pl.col("edit_id")).sum(),
            at_stake=pl.col("charge_at_stake").cast(_SUM).sum(),
        )
        .sort("lines", "at_stake", "edit_id", descending=[True, True, False])
    )
    rows = [
        (edit, EDITS[edit].title if edit in EDITS else "", *counts)
        for edit, *counts in found.iter_rows()
    ]
    columns: dict[str, Kind] = {
        "edit": "text",
        "what it asks": "long",
        "lines": "count",
        "of which unknown": "count",
        "of which it decided": "count",
        "charge at stake": "money",
    }
    return Table("Edits on flagged lines", columns, rows)


def trend(manifests: Iterable[Mapping[str, Any]]) -> Table:
    """The last runs, one a row, in their order."""
    rows = []
    for manifest in manifests:
        counted = manifest["dispositions"]
        lines = [int(counted[d]["lines"]) if d in counted else 0 for d in DISPOSITIONS]
        edited = manifest["rows"]["edited"]
        flagged = lines[DISPOSITIONS.index("flag")]
        denied = sum(
            (Decimal(c["denied_charge_amount"]) for n, c in counted.items() if n not in TAKEN_OUT),
            Decimal(),
        )
        rejected = manifest["rows"]["rejected"]
        share = flagged / edited if edited else 0.0
        rows.append((manifest["run_id"], edited, *lines, share, denied, rejected))
    columns: dict[str, Kind] = {"run": "text", "lines": "count"}
    columns |= dict.fromkeys(DISPOSITIONS, "count")
    columns |= {"flag rate": "share", "denied charge": "money", "rejected rows": "count"}
    return Table("The last runs", columns, rows)


def providers(lines: pl.DataFrame, flagged: pl.DataFrame) -> Table:
    """The rendering providers, or else billing ones, with the most flagged lines."""
    npi = pl.coalesce("rendering_npi", "billing_npi").alias("provider")
    return _most(
        "Providers with the most flagged lines",
        "provider",
        lines.with_columns(npi),
        flagged.with_columns(npi),
    )


def members(lines: pl.DataFrame, flagged: pl.DataFrame) -> Table:
    """The members with the most flagged lines."""
    member = pl.col("member_id").alias("member")
    return _most(
        "Members with the most flagged lines",
        "member",
        lines.with_columns(member),
        flagged.with_columns(member),
    )


def _most(caption: str, who: str, lines: pl.DataFrame, flagged: pl.DataFrame) -> Table:
    among = lines.drop_nulls(who).group_by(who).agg(among=pl.len())
    counted = (
        flagged.drop_nulls(who)
        .group_by(who)
        .agg(
            lines=pl.len(),
            at_stake=pl.col("charge_at_stake").cast(_SUM).sum(),
            edit=pl.col("primary_edit_id").sort().mode(maintain_order=True).first(),
        )
        .join(among, on=who, how="left")
        .sort("lines", "at_stake", who, descending=[True, True, False])
        .head(_MOST)
        .select(
            who,
            "lines",
            "among",
            (pl.col("lines") / pl.col("among")).alias("share"),
            "at_stake",
            "edit",
        )
    )
    columns: dict[str, Kind] = {
        who: "text",
        "flagged lines": "count",
        "of lines": "count",
        "share": "share",
        "charge at stake": "money",
        "most often decided by": "text",
    }
    return Table(caption, columns, list(counted.iter_rows()))


def rejects(tables: Mapping[str, pl.DataFrame]) -> Table:
    """Rejected rows by the check that they failed, of each extract; a row counts under each check."""
    rows = []
    for name, table in tables.items():
        counted = (
            table.select(pl.col("failed_checks"))
            .explode("failed_checks", empty_as_null=False)
            .group_by("failed_checks")
            .len()
            .sort("len", "failed_checks", descending=[True, False])
        )
        extract = name.removeprefix("rejected_").replace("_", " ")
        rows += [(extract, check, count) for check, count in counted.iter_rows()]
    columns: dict[str, Kind] = {"extract": "text", "check": "text", "rows": "count"}
    return Table("Rejected rows by check", columns, rows)


def decided(decisions: pl.DataFrame, left_out: int = 0) -> Table:
    """How often the analysts overrode what an edit decided, the edit with the highest rate first.

    The caption says how many decisions were left out.
    """
    columns: dict[str, Kind] = {
        "edit": "text",
        "decisions": "count",
        "upheld": "count",
        "overridden": "count",
        "documents asked for": "count",
        "override rate": "share",
        "reasons given": "long",
    }
    beside = f"; {left_out:,} left out, since their line is no longer so" if left_out else ""
    caption = f"Decisions by the edit that decided{beside}"
    return Table(caption, columns, override_rates(decisions).rows())
