"""`--history FILE`: lines that another system allowed, read beside the earlier runs of --out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.support import (
    AS_OF,
    MARK,
    Argument,
    Operator,
    authorization,
    claim,
    in_a_process,
    keeps_members_secret,
    one_message,
)
from tests.support import write_csv

DRAW = pl.Struct({"authorization_number": pl.String, "units": pl.Decimal(18, 6)})
ALLOWED: dict[str, Any] = {
    "claim_id": f"{MARK}-ELSEWHERE-0",
    "claim_line_number": 1,
    "member_id": f"{MARK}-MEMBER-0",
    "claim_line_start_date": date(2026, 1, 10),
    "hcpcs_code": "J9207",
    "allowed_units": Decimal(90),
}
SCHEMA: dict[str, Any] = {
    "claim_id": pl.String,
    "claim_line_number": pl.Int64,
    "member_id": pl.String,
    "claim_line_start_date": pl.Date,
    "hcpcs_code": pl.String,
    "allowed_units": pl.Decimal(18, 6),
}


def allowed(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A line allowed elsewhere, each number another member's: all the room there is till 30 January."""
    ids = {"claim_id": f"{MARK}-ELSEWHERE-{number}", "member_id": f"{MARK}-MEMBER-{number}"}
    return ALLOWED | ids | changes


def frame(rows: Sequence[dict[str, Any]], **types: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA | types)


@pytest.fixture
def file(operator: Operator) -> Path:
    path = operator.folder / "elsewhere.parquet"
    frame([allowed(0)]).write_parquet(path)
    return path


@pytest.fixture
def extract(operator: Operator) -> Path:
    """A dose of three members."""
    return operator.write_claims([claim(n, claim_line_start_date="2026-01-20") for n in range(3)])


def options(file: Path, run_id: str = AS_OF) -> list[Argument]:
    return ["--history", file, "--run-id", run_id]


def units(operator: Operator, run_id: str = AS_OF) -> list[int]:
    """What the doses were allowed, in the order of their members."""
    lines = pl.read_parquet(operator.out / f"run_id={run_id}" / "lines.parquet")
    return [int(u) for u in lines.sort("member_id")["allowed_units"]]


def history_of(operator: Operator, run_id: str = AS_OF) -> dict[str, Any]:
    content = json.loads((operator.out / f"run_id={run_id}" / "manifest.json").read_text())
    history: dict[str, Any] = content["history"]
    return history


# ---- what it is -----------------------------------------------------------------------------


def test_what_was_allowed_elsewhere_binds(operator: Operator, extract: Path, file: Path) -> None:
    said = operator.run(extract, options=options(file))
    assert said.exit_code == 0
    keeps_members_secret(said)
    assert units(operator) == [0, 90, 90]


def test_it_is_read_beside_the_earlier_runs(operator: Operator, extract: Path, file: Path) -> None:
    first = operator.write_claims([claim(1, claim_id=f"{MARK}-FIRST")], "first.csv")
    assert operator.run(first, options=["--run-id", "first"]).exit_code == 0
    assert operator.run(extract, options=options(file)).exit_code == 0
    assert units(operator) == [0, 0, 90]
    history = history_of(operator)
    assert (history["place"], history["folder"], list(history["runs"])) == (2, None, ["first"])


def test_it_binds_the_run_that_it_is_given_to_alone(
    operator: Operator, extract: Path, file: Path
) -> None:
    assert operator.run(extract, options=options(file, "with")).exit_code == 0
    again = operator.write_claims([claim(0, claim_line_start_date="2026-01-21")], "again.csv")
    assert operator.run(again, options=["--run-id", "without"]).exit_code == 0
    assert units(operator, "without") == [90]


def test_it_is_an_input_of_the_manifest(operator: Operator, extract: Path, file: Path) -> None:
    assert operator.run(extract, options=options(file)).exit_code == 0
    content = json.loads((operator.out / f"run_id={AS_OF}" / "manifest.json").read_text())
    (entry,) = [f for f in content["inputs"] if f["extract"] == "history"]
    assert (entry["path"], entry["rows"], entry["bytes"]) == (str(file), 1, file.stat().st_size)
    assert content["rows"]["read"] == 3


def test_columns_that_it_lacks_and_columns_of_its_own(
    operator: Operator, extract: Path, file: Path
) -> None:
    columns = pl.DataFrame([allowed(n) for n in (0, 2)], schema=SCHEMA)
    columns.with_columns(pl.lit("x").alias("paid_by"), rendering_npi=None).write_parquet(file)
    assert operator.run(extract, options=options(file)).exit_code == 0
    assert units(operator) == [0, 90, 0]


@pytest.mark.parametrize(
    "written",
    [
        pl.col("claim_line_start_date").cast(pl.String),
        pl.col("claim_line_start_date").cast(pl.Datetime),
        pl.col("allowed_units").cast(pl.Float64),
        pl.col("allowed_units").cast(pl.Int32),
        pl.col("allowed_units").cast(pl.String),
        pl.col("claim_line_number").cast(pl.String),
        pl.col("hcpcs_code").str.to_lowercase(),
        pl.col("member_id").cast(pl.Categorical),
    ],
    ids=str,
)
def test_its_values_may_be_of_other_types(
    operator: Operator, extract: Path, file: Path, written: pl.Expr
) -> None:
    frame([allowed(0)]).with_columns(written).write_parquet(file)
    assert operator.run(extract, options=options(file)).exit_code == 0
    assert units(operator) == [0, 90, 90]


def test_its_draws_are_drawn(operator: Operator, extract: Path, file: Path) -> None:
    """Of 100 units of an authorization 60 were drawn elsewhere, long ago: 40 are left."""
    rows = [authorization(n, approved_units="100") for n in range(3)]
    write_csv(operator.authorizations, rows)
    drawn = [{"authorization_number": rows[1]["authorization_number"], "units": Decimal(60)}]
    day = date(2025, 11, 1)
    row = allowed(1, claim_line_start_date=day, authorization_draws=drawn)
    frame([row], authorization_draws=pl.List(DRAW)).write_parquet(file)
    assert operator.run(extract, options=options(file)).exit_code == 0
    assert units(operator) == [90, 40, 90]


def test_an_empty_file_is_no_history(operator: Operator, extract: Path, file: Path) -> None:
    frame([]).write_parquet(file)
    assert operator.run(extract, options=options(file)).exit_code == 0
    assert units(operator) == [90, 90, 90]


# ---- where it is given ----------------------------------------------------------------------


def test_it_may_be_given_by_the_environment(
    operator: Operator, extract: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_EDIT_HISTORY", str(file))
    assert operator.run(extract).exit_code == 0
    assert units(operator) == [0, 90, 90]


def test_it_may_be_given_by_a_toml_file_whose_paths_start_from_its_folder(
    operator: Operator, extract: Path, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = operator.write("options.toml", f'history = "{file.name}"\n')
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    arguments = ["run", "--claims", extract, *operator.rest_of_run(), "--config", config]
    assert in_a_process(*arguments, cwd=elsewhere).exit_code == 0
    assert units(operator) == [0, 90, 90]


def test_the_command_line_wins(
    operator: Operator, extract: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_EDIT_HISTORY", str(operator.folder / "missing.parquet"))
    assert operator.run(extract, options=options(file)).exit_code == 0


# ---- what is wrong with it ------------------------------------------------------------------


def refused(operator: Operator, extract: Path, file: Path, says: Sequence[str | Path]) -> None:
    operator.refused(3, extract, options=options(file), says=["history: ", file, *says])


def test_a_file_that_is_not_there_is_wrong_usage(operator: Operator, extract: Path) -> None:
    missing = operator.folder / "missing.parquet"
    operator.refused(2, extract, options=options(missing), says=["--history", missing])


@pytest.mark.parametrize("column", SCHEMA)
def test_a_required_column_that_is_missing(
    operator: Operator, extract: Path, file: Path, column: str
) -> None:
    frame([allowed(0)]).drop(column).write_parquet(file)
    refused(operator, extract, file, [f"the required column {column} is missing"])


@pytest.mark.parametrize("column", SCHEMA)
def test_a_null_in_a_required_column(
    operator: Operator, extract: Path, file: Path, column: str
) -> None:
    frame([allowed(0), allowed(1, **{column: None}), allowed(2)]).write_parquet(file)
    refused(operator, extract, file, ["1 of 3 rows", f"{column}:not_null (1)"])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "negative units": ({"allowed_units": Decimal(-1)}, "allowed_units:not_below_0"),
    "none billed": ({"billed_units": Decimal(0)}, "billed_units:above_0"),
    "negative billed units": ({"billed_units": Decimal(-90)}, "billed_units:above_0"),
    "a line without a number": ({"claim_line_number": 0}, "claim_line_number:at_least_1"),
    "an empty claim id": ({"claim_id": " "}, "claim_id:not_null"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_value_that_cannot_be(operator: Operator, extract: Path, file: Path, wrong: str) -> None:
    changes, check = WRONG[wrong]
    types = {"billed_units": pl.Decimal(18, 6)} if "billed_units" in changes else {}
    frame([allowed(0), allowed(1, **changes)], **types).write_parquet(file)
    refused(operator, extract, file, ["1 of 2 rows", f"{check} (1)"])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("claim_line_start_date", "2026-02-30"),
        ("claim_line_start_date", f"{MARK}2026"),
        ("allowed_units", f"{MARK}90"),
        ("allowed_units", "90,5"),
        ("claim_line_number", "first"),
    ],
)
def test_a_text_that_cannot_be_read(
    operator: Operator, extract: Path, file: Path, column: str, text: str
) -> None:
    sound = frame([allowed(0), allowed(1)]).with_columns(pl.col(column).cast(pl.String))
    spoiled = pl.when(pl.col("member_id").str.ends_with("1")).then(pl.lit(text)).otherwise(column)
    sound.with_columns(spoiled.alias(column)).write_parquet(file)
    refused(operator, extract, file, ["1 of 2 rows", f"{column}:readable (1)"])


def test_a_line_that_is_there_twice(operator: Operator, extract: Path, file: Path) -> None:
    rows = [allowed(0), allowed(1), allowed(0, allowed_units=Decimal(10)), allowed(2)]
    frame(rows).write_parquet(file)
    refused(operator, extract, file, ["2 of 4 rows", "repeated_key (2)"])


def test_a_bad_row_of_a_member_that_has_no_claim_tonight(
    operator: Operator, extract: Path, file: Path
) -> None:
    """What is wrong with it does not wait for her next claim."""
    frame([allowed(0), allowed(29, allowed_units=Decimal(-1))]).write_parquet(file)
    refused(operator, extract, file, ["allowed_units:not_below_0 (1)"])


def draw(number: str | None = f"{MARK}-AUTH-0", units: Any = Decimal(90)) -> dict[str, Any]:
    return {"authorization_number": number, "units": units}


BAD_DRAWS: dict[str, tuple[Any, list[Any]]] = {
    "text": (pl.String, ["90"]),
    "a number": (pl.Int64, [90]),
    "numbers": (pl.List(pl.Int64), [[90]]),
    "not a list": (DRAW, [draw()]),
    "without units": (
        pl.List(pl.Struct({"authorization_number": pl.String})),
        [[{"authorization_number": f"{MARK}-AUTH-0"}]],
    ),
    "units that are not exact": (
        pl.List(pl.Struct({"authorization_number": pl.String, "units": pl.Float64})),
        [[draw(units=90.0)]],
    ),
    "a draw without a number": (pl.List(DRAW), [[draw(number=None)]]),
    "a draw without units": (pl.List(DRAW), [[draw(units=None)]]),
    "a draw that is null": (pl.List(DRAW), [[draw(), None]]),
    "a negative draw": (pl.List(DRAW), [[draw(units=Decimal(-90))]]),
}


@pytest.mark.parametrize("bad", BAD_DRAWS)
def test_a_bad_column_of_draws(operator: Operator, extract: Path, file: Path, bad: str) -> None:
    kind, values = BAD_DRAWS[bad]
    draws = pl.Series("authorization_draws", values, dtype=kind)
    frame([allowed(0)]).with_columns(draws).write_parquet(file)
    refused(operator, extract, file, ["authorization_draws"])


NOT_PARQUET: dict[str, tuple[str, bytes]] = {
    "cut short": ("elsewhere.parquet", b""),
    "text": ("elsewhere.parquet", b"claim_id,allowed_units\n"),
    "another format": ("elsewhere.xlsx", b"PK"),
}


@pytest.mark.parametrize("case", NOT_PARQUET)
def test_a_file_that_is_no_parquet(
    operator: Operator, extract: Path, file: Path, case: str
) -> None:
    name, content = NOT_PARQUET[case]
    bad = operator.write(name, content or file.read_bytes()[:-20])
    refused(operator, extract, bad, [])


def test_what_is_wrong_with_it_is_told_in_one_message_without_members_data(
    operator: Operator, extract: Path, file: Path
) -> None:
    rows = [allowed(n, allowed_units=Decimal(-1)) for n in range(20)]
    frame([*rows, allowed(0)]).write_parquet(file)
    said = operator.run(extract, options=[*options(file), "--log-format", "text"])
    one_message(said, 3, ["history: ", file, "21 of 21 rows"])
    assert MARK not in said.out + said.err.replace(str(file), "")
