"""Nights published by the program, one after another, and compared with what the oracle says."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.__main__ import outcome
from claims_edit.decision_contracts import DECISIONS, DECISIONS_FILE
from claims_edit.schemas import polars_type
from tests.oracle import EarlierRun
from tests.oracle.drugs import Drug
from tests.oracle.extract import RawExtract
from tests.oracle.history import Ruling
from tests.oracle.telling import RUN_IDS, Told
from tests.properties.comparison import compare
from tests.support import Edited

RECONSIDER_COLUMNS = (
    "claim_id",
    "claim_line_number",
    "cut_by_run_id",
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "billed_units",
    "allowed_units",
    "cut_units",
    "charge_amount",
    "denied_charge_amount",
    "would_be_allowed_units",
    "would_be_allowed_in_turn_units",
    "released_claim_ids",
    "policy_version",
)
UNITS = pl.Decimal(18, 6)
TYPES_ELSEWHERE: dict[str, pl.DataType] = {
    "claim_line_number": pl.Int64(),
    "claim_line_start_date": pl.Date(),
    "allowed_units": UNITS,
    "billed_units": UNITS,
    "authorization_draws": pl.List(pl.Struct({"authorization_number": pl.String, "units": UNITS})),
}


# Some nights are edited whole, and some in parts.
_PART_LINES = (1_000_000, 20)


class Publisher:
    """A folder of runs, and what the oracle keeps of each."""

    def __init__(self, reference: Path, elsewhere: list[dict[str, Any]]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.reference = reference
        self.runs: list[EarlierRun] = []
        if elsewhere:
            write_elsewhere(self.folder / "elsewhere.parquet", elsewhere)

    def publish(self, told: Told, place: int, drug: Drug, *, elsewhere: bool) -> None:
        """What later nights published and kept stays as it is."""
        run_id = RUN_IDS[place]
        again = place < len(self.runs)
        decisions = self.write_decisions(told.story.rulings, named=place % 2 == 1)
        self.run_program(told.extract, run_id, drug, decisions, again=again, elsewhere=elsewhere)
        published = self.folder / "runs" / f"run_id={run_id}"
        compare(read_published(published), told.night)
        rows = pl.read_parquet(published / "reconsider.parquet").select(RECONSIDER_COLUMNS)
        assert rows.to_dicts() == told.night.reconsider
        compare_decisions(published, told)
        self.runs[place : place + 1] = [EarlierRun(run_id, told.night.kept)]

    def write_decisions(self, rulings: list[Ruling], *, named: bool) -> dict[str, object]:
        """In a file that is named, or in that beside the runs; the options that name it."""
        beside = self.folder / "runs" / DECISIONS_FILE
        beside.unlink(missing_ok=True)
        if not rulings:
            return {}
        path = self.folder / "decided.parquet" if named else beside
        path.parent.mkdir(exist_ok=True)
        write_decisions(path, rulings)
        return {"decisions": path} if named else {}

    def run_program(
        self,
        extract: RawExtract,
        run_id: str,
        drug: Drug,
        decisions: dict[str, object],
        *,
        again: bool,
        elsewhere: bool,
    ) -> None:
        inputs = self.folder / "inputs"
        shutil.rmtree(inputs, ignore_errors=True)
        inputs.mkdir()
        options: dict[str, object] = {
            **extract.write(inputs),
            **decisions,
            "out": self.folder / "runs",
            "run-id": run_id,
            "as-of": extract.as_of,
            "policy": drug.policy_id,
            "reference-data": self.reference,
            "max-reject-rate": 1,
            "part-lines": _PART_LINES[len(self.runs) % len(_PART_LINES)],
        }
        if elsewhere:
            options["history"] = self.folder / "elsewhere.parquet"
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        assert outcome(["run", *arguments, *(["--replace"] if again else [])]) == 0

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def write_elsewhere(path: Path, rows: list[dict[str, Any]]) -> None:
    schema = pl.Schema({column: TYPES_ELSEWHERE.get(column, pl.String()) for column in rows[0]})
    pl.DataFrame([with_named_draws(row) for row in rows], schema).write_parquet(path)


def write_decisions(path: Path, rulings: list[Ruling]) -> None:
    """As the review writes them."""
    rows: list[dict[str, Any]] = [
        {
            "run_id": one.run_id,
            "claim_id": one.claim_id,
            "claim_line_number": one.claim_line_number,
            "member_id": one.member_id,
            "decision": one.decision,
            "reason_code": "records-show-it" if one.decision == "override" else None,
            "decided_by": "an analyst",
            "decided_at": datetime(2026, 12, 31, 9, 30, tzinfo=UTC),
            "disposition": one.disposition,
            "billed_units": one.billed,
            "allowed_units": one.allowed,
            "edit_ids": [],
        }
        for one in rulings
    ]
    schema = {name: polars_type(column) for name, column in DECISIONS.columns.items()}
    pl.DataFrame(rows, schema).write_parquet(path)


def compare_decisions(published: Path, told: Told) -> None:
    """Those that were applied, and how many were not."""
    applied = [
        (
            (row["run_id"], row["claim_id"], row["claim_line_number"], row["decision"]),
            (row["counted_units"], row["takes_part_in_limits"]),
            [(draw["authorization_number"], draw["units"]) for draw in row["authorization_draws"]],
        )
        for row in pl.read_parquet(published / "decided_lines.parquet").iter_rows(named=True)
    ]
    ruled = [
        ((*one.ruling.key, one.ruling.decision), (one.allowed, one.took_part), one.draws)
        for one in told.night.ruled
        if one.ruling is not None
    ]
    assert sorted(applied) == sorted(ruled)
    said = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["decisions"]
    assert said["read"] == len(told.story.rulings)
    assert said["left_out"] == told.night.rulings_left_out
    assert said["applied"] == len(ruled)


def with_named_draws(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("authorization_draws") is None:
        return row
    draws = [
        {"authorization_number": number, "units": units}
        for number, units in row["authorization_draws"]
    ]
    return row | {"authorization_draws": draws}


def read_published(folder: Path) -> Edited:
    def table(name: str) -> pl.DataFrame:
        return pl.read_parquet(folder / f"{name}.parquet")

    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["rows"]
    return Edited(
        table("lines"),
        table("findings"),
        table("rejected_lines"),
        table("rejected_authorizations"),
        table("rejected_clinical_facts"),
        table("partner_lines"),
        rows["read"],
        rows["read"] - rows["out_of_scope"],
    )
