"""`--decisions`: what people decided of lines of earlier runs, and what a run says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.decision_contracts import DECIDED_LINES, DECISIONS
from claims_edit.schemas import polars_type, validated
from claims_edit.verify import verify
from tests.cli.support import (
    MARK,
    Argument,
    Operator,
    Said,
    claim,
    keeps_members_secret,
    one_message,
)
from tests.support import REFERENCE

DENIED: dict[str, Any] = {
    "run_id": "first",
    "claim_id": f"{MARK}-CLAIM-1",
    "claim_line_number": 1,
    "member_id": f"{MARK}-MEMBER-0",
    "decision": "override",
    "reason_code": "records-show-it",
    "note": "Called the practice.",
    "decided_by": "an analyst",
    "decided_at": datetime(2026, 2, 28, 9, 30, 0, 250000, tzinfo=UTC),
    "disposition": "deny",
    "billed_units": Decimal(90),
    "allowed_units": Decimal(0),
    "edit_ids": ["units-per-period"],
    "primary_edit_id": "units-per-period",
}
SCHEMA = {name: polars_type(column) for name, column in DECISIONS.columns.items()}


def decision(**changes: Any) -> dict[str, Any]:
    return DENIED | changes


def written(path: Path, *rows: dict[str, Any]) -> Path:
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(path)
    return path


@pytest.fixture
def nights(operator: Operator) -> Operator:
    """A first night, on which the second dose is denied, and the extract of another dose."""
    doses = [
        claim(0, claim_line_start_date="2026-01-12"),
        claim(1, member_id=f"{MARK}-MEMBER-0", claim_line_start_date="2026-01-24"),
    ]
    first = operator.write_claims(doses, "first.csv")
    assert operator.run(first, options=["--run-id", "first"]).exit_code == 0
    operator.write_claims(
        [claim(2, member_id=f"{MARK}-MEMBER-0", claim_line_start_date="2026-02-03")], "second.csv"
    )
    return operator


def second(nights: Operator, *options: Argument) -> Said:
    return nights.run(nights.folder / "second.csv", options=["--run-id", "second", *options])


def manifest_of(nights: Operator, run_id: str = "second") -> dict[str, Any]:
    path = nights.out / f"run_id={run_id}" / "manifest.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def allowed(nights: Operator, run_id: str = "second") -> int:
    (units,) = pl.read_parquet(nights.out / f"run_id={run_id}" / "lines.parquet")["allowed_units"]
    return int(units)


def counts(nights: Operator) -> tuple[int, int, int, int]:
    said = manifest_of(nights)["decisions"]
    return said["read"], said["of_other_runs"], said["left_out"], said["applied"]


# ---- where it comes from --------------------------------------------------------------------


def test_without_decisions_nothing_is_decided(nights: Operator) -> None:
    said = second(nights)
    assert (said.exit_code, allowed(nights), counts(nights)) == (0, 90, (0, 0, 0, 0))
    assert "Decisions" not in said.out


def test_the_file_beside_the_runs_is_read(nights: Operator) -> None:
    path = written(nights.out / "decisions.parquet", decision())
    said = second(nights)
    assert (said.exit_code, said.messages, allowed(nights)) == (0, [], 0)
    keeps_members_secret(said)
    assert "Decisions read 1: of this run's members 1, of runs" in said.out
    assert counts(nights) == (1, 0, 0, 1)
    (entry,) = [f for f in manifest_of(nights)["inputs"] if f["extract"] == "decisions"]
    assert (entry["path"], entry["rows"]) == (str(path), 1)
    assert (entry["bytes"], entry["digest_of"]) == (path.stat().st_size, "file")


@pytest.mark.parametrize("how", ["option", "environment", "file"])
def test_the_file_that_is_named_goes_before_it(
    nights: Operator, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(nights.out / "decisions.parquet", decision(decision="documents"))
    named = written(nights.folder / "others.parquet", decision())
    options: list[Argument] = []
    if how == "option":
        options = ["--decisions", named]
    elif how == "environment":
        monkeypatch.setenv("CLAIMS_EDIT_DECISIONS", str(named))
    else:
        options = ["--config", nights.write("run.toml", 'decisions = "others.parquet"\n')]
    assert second(nights, *options).exit_code == 0
    assert allowed(nights) == 0


def test_with_the_runs_of_another_folder_the_file_beside_those_is_read(nights: Operator) -> None:
    written(nights.out / "decisions.parquet", decision())
    trial = nights.folder / "trial"
    said = second(nights, "--history", nights.out, "--out", trial)
    assert said.exit_code == 0
    (units,) = pl.read_parquet(trial / "run_id=second" / "lines.parquet")["allowed_units"]
    assert units == 0


def test_compare_takes_decisions_too(nights: Operator) -> None:
    written(nights.out / "decisions.parquet", decision())
    policy, out = "prime-ic-0072", nights.folder / "drafts"
    where: list[Argument] = ["--authorizations", nights.authorizations, "--out", out]
    where += ["--history", nights.out]
    sides = ["--baseline", policy, "--candidate", policy, "--as-of", "2026-02-28"]
    claims: list[Argument] = ["--claims", nights.folder / "second.csv"]
    said = nights.command("compare", *sides, *claims, *where, "--reference-data", REFERENCE)
    assert said.exit_code == 0
    path = out / "comparison_id=2026-02-28" / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["decisions"] == {"read": 1, "of_other_runs": 0, "left_out": 0, "applied": 1}
    assert [f["extract"] for f in content["inputs"]][-1] == "decisions"
    by_disposition = pl.read_parquet(path.with_name("by_disposition.parquet"))
    assert by_disposition["baseline_disposition"].to_list() == ["deny"]


def test_a_run_that_is_given_none_after_one_that_was_is_warned_of(nights: Operator) -> None:
    path = written(nights.out / "decisions.parquet", decision())
    assert second(nights).exit_code == 0
    path.unlink()
    said = nights.run(nights.folder / "second.csv", options=["--run-id", "third"])
    assert "run second was given decisions, and this run is not" in said.err


# ---- what is applied ------------------------------------------------------------------------


def test_the_run_keeps_what_it_applied(nights: Operator) -> None:
    written(
        nights.out / "decisions.parquet", decision(), decision(run_id="another", note="Elsewhere.")
    )
    assert second(nights).exit_code == 0
    assert counts(nights) == (2, 1, 0, 1)
    table = pl.read_parquet(nights.out / "run_id=second" / "decided_lines.parquet")
    assert validated(DECIDED_LINES, table).to_dicts() == [
        decision(
            counted_units=Decimal(90),
            takes_part_in_limits=True,
            authorization_draws=[{"authorization_number": f"{MARK}-AUTH-0", "units": Decimal(90)}],
        )
    ]
    assert verify(nights.out) == {"run_id=first": [], "run_id=second": []}


def test_decisions_on_other_members_are_read_and_not_applied(nights: Operator) -> None:
    other = nights.write_claims([claim(5)], "second.csv")
    written(nights.out / "decisions.parquet", decision())
    assert nights.run(other, options=["--run-id", "second"]).exit_code == 0
    assert counts(nights) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "seen",
    [
        {"disposition": "partial"},
        {"billed_units": Decimal(91)},
        {"allowed_units": Decimal(1)},
        {"member_id": f"{MARK}-MEMBER-1"},
        {"claim_line_number": 2},
    ],
    ids=lambda seen: next(iter(seen)),
)
def test_a_decision_on_what_is_no_longer_so_is_left_out(
    nights: Operator, seen: dict[str, Any]
) -> None:
    written(nights.out / "decisions.parquet", decision(**seen))
    said = second(nights)
    assert (said.exit_code, allowed(nights), counts(nights)) == (0, 90, (1, 0, 1, 0))
    assert "warning: decisions: 1 of 1 are left out" in said.err
    keeps_members_secret(said)


def test_a_decision_on_a_run_that_was_replaced_is_left_out(nights: Operator) -> None:
    """The dose before the one that was denied is not in the extract any more."""
    written(nights.out / "decisions.parquet", decision())
    alone = [claim(1, member_id=f"{MARK}-MEMBER-0", claim_line_start_date="2026-01-24")]
    again = nights.write_claims(alone, "first.csv")
    assert nights.run(again, options=["--run-id", "first", "--replace"]).exit_code == 0
    said = second(nights)
    assert counts(nights) == (1, 0, 1, 0)
    assert "decisions: 1 of 1 are left out" in said.err


def test_a_run_that_is_replaced_knows_nothing_of_decisions_on_itself_and_later_runs(
    nights: Operator,
) -> None:
    written(nights.out / "decisions.parquet", decision())
    again = nights.folder / "first.csv"
    assert nights.run(again, options=["--run-id", "first", "--replace"]).exit_code == 0
    assert manifest_of(nights, "first")["decisions"]["of_other_runs"] == 1
    assert second(nights).exit_code == 0
    assert allowed(nights) == 0


# ---- what cannot be read --------------------------------------------------------------------


def test_a_file_that_is_not_there(nights: Operator) -> None:
    said = second(nights, "--decisions", nights.folder / "nowhere.parquet")
    one_message(said, 2, ["--decisions: ", "nowhere.parquet: there is no such file"])
    assert nights.published == ["run_id=first"]


def test_a_folder_is_no_file(nights: Operator) -> None:
    one_message(second(nights, "--decisions", nights.out), 2, ["--decisions: ", "is no file"])


def test_no_parquet_file(nights: Operator) -> None:
    path = nights.write("decided.csv", "run_id\nfirst\n")
    one_message(second(nights, "--decisions", path), 3, [f"decisions: {path}: not a format"])


BAD_ROWS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "unknown decision": ([decision(decision="pay")], "decision:known_value (1)"),
    "unknown disposition": ([decision(disposition="void")], "disposition:known_value (1)"),
    "override without a reason": (
        [decision(reason_code=None)],
        "decision:override_has_reason_code (1)",
    ),
    "nobody decided": ([decision(decided_by=" ")], "decided_by:not_null (1)"),
    "no moment": ([decision(decided_at=None)], "decided_at:not_null (1)"),
    "more allowed than billed": (
        [decision(allowed_units=Decimal(91))],
        "allowed_units:not_above_billed (1)",
    ),
    "two of one line": ([decision(), decision(decision="uphold")], "repeated_key (2)"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_row_that_cannot_be_read_stops_the_run(nights: Operator, case: str) -> None:
    rows, check = BAD_ROWS[case]
    path = written(nights.out / "decisions.parquet", *rows)
    says = [f"decisions: {path}: {len(rows)} of {len(rows)} rows cannot be read", check]
    one_message(second(nights), 3, [*says, "what was decided cannot be set aside"])
    assert nights.published == ["run_id=first"]


BAD_FILES: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "a column is missing": (
        lambda t: t.drop("decided_by"),
        "the required column decided_by is missing",
    ),
    "a moment without a time zone": (
        lambda t: t.with_columns(pl.col("decided_at").dt.replace_time_zone(None)),
        "the column decided_at is of type Datetime",
    ),
    "edits as text": (
        lambda t: t.with_columns(edit_ids=pl.lit("units-per-period")),
        "the column edit_ids is of type String",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_of_another_shape_stops_the_run(nights: Operator, case: str) -> None:
    change, says = BAD_FILES[case]
    path = nights.out / "decisions.parquet"
    change(pl.DataFrame([decision()], schema=SCHEMA)).write_parquet(path)
    one_message(second(nights), 3, [f"decisions: {path}: ", says])


def test_a_file_cut_short_stops_the_run(nights: Operator) -> None:
    path = written(nights.out / "decisions.parquet", decision())
    path.write_bytes(path.read_bytes()[:-40])
    one_message(second(nights), 3, [f"decisions: {path}: "])


def test_values_of_other_types_and_columns_that_may_lack(nights: Operator) -> None:
    rows = pl.DataFrame([decision(decision=" OVERRIDE ")], schema=SCHEMA)
    rows.drop("note", "primary_edit_id").with_columns(
        pl.col("decided_at").dt.cast_time_unit("us").dt.convert_time_zone("America/New_York"),
        pl.col("billed_units").cast(pl.Int64),
        pl.col("claim_line_number").cast(pl.Int32),
        extra=pl.lit("not asked"),
    ).write_parquet(nights.out / "decisions.parquet")
    assert second(nights).exit_code == 0
    (row,) = pl.read_parquet(nights.out / "run_id=second" / "decided_lines.parquet").to_dicts()
    assert (row["decision"], row["decided_at"]) == ("override", DENIED["decided_at"])


def test_an_empty_file_of_decisions(nights: Operator) -> None:
    written(nights.out / "decisions.parquet")
    assert second(nights).exit_code == 0
    assert counts(nights) == (0, 0, 0, 0)
