"""Clinical facts as an operator gives them: which files are refused, and which rows."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from claims_edit.clinical_contracts import CLINICAL_FACTS
from tests.cli.support import (
    MARK,
    Operator,
    Said,
    Tables,
    claim,
    claims,
    csv_text,
    facts,
    keeps_members_secret,
)
from tests.support import Row, write_csv

NUMBERS = (
    "her2_ish_ratio",
    "her2_copy_number",
    "er_percent",
    "pr_percent",
    "pd_l1_cps",
    "anthracycline_months_to_progression",
    "taxane_months_to_progression",
    "ast_xuln",
    "alt_xuln",
    "bilirubin_xuln",
    "bsa_m2",
)
BOOLEANS = [
    name for name, column in CLINICAL_FACTS.columns.items() if column.dtype.type == pl.Boolean
]


def given(operator: Operator, rows: Sequence[Row]) -> list[str | Path]:
    columns = tuple(dict.fromkeys(c for row in rows for c in row)) or tuple(facts())
    return ["--clinical", operator.write("clinical.csv", csv_text(rows, columns))]


def edited(operator: Operator, *rows: Row) -> Tables:
    """A run over three claims, whose authorizations are 0, 1 and 2."""
    return operator.edited(operator.write_claims(claims(3)), options=given(operator, rows))


def unknowns(tables: Tables) -> list[list[str]]:
    unknown: list[list[str]] = tables["lines"]["unknown_edit_ids"].to_list()
    return unknown


def refused(operator: Operator, clinical: Path, *says: str | Path) -> None:
    operator.refused(
        3,
        operator.write_claims(claims(1)),
        options=["--clinical", clinical],
        says=["clinical:", clinical, *says],
    )


UNTOLD: list[str] = []
CANNOT_TELL = ["coverage-criteria"]


# ---- files ----------------------------------------------------------------------------------


def test_facts_that_are_in_order_change_nothing(operator: Operator) -> None:
    tables = edited(operator, facts(0), facts(1), facts(2))
    assert tables.dispositions() == ["pay"] * 3
    assert tables["rejected_clinical_facts"].is_empty()


def test_an_authorization_without_facts_cannot_be_told_and_facts_of_none_are_not_used(
    operator: Operator,
) -> None:
    tables = edited(operator, facts(0), facts(2), facts(77))
    assert unknowns(tables) == [UNTOLD, CANNOT_TELL, UNTOLD]


def test_an_extract_without_rows_is_one_that_tells_of_nothing(operator: Operator) -> None:
    assert unknowns(edited(operator)) == [CANNOT_TELL] * 3


@pytest.mark.parametrize("content", ["", "\n", "\n\n"])
def test_a_file_without_a_header_line_is_refused(operator: Operator, content: str) -> None:
    refused(operator, operator.write("clinical.csv", content), "empty", "header")


def test_the_authorization_number_is_required(operator: Operator) -> None:
    columns = [c for c in facts() if c != "authorization_number"]
    clinical = operator.write("clinical.csv", csv_text([facts()], columns))
    refused(operator, clinical, "required column", "authorization_number", "missing")


def test_every_other_column_may_be_missing(operator: Operator) -> None:
    numbers: list[Row] = [{"authorization_number": f"{MARK}-AUTH-{n}"} for n in range(3)]
    assert unknowns(edited(operator, *numbers)) == [CANNOT_TELL] * 3


def test_unknown_columns_and_the_order_of_columns_do_not_matter(operator: Operator) -> None:
    rows = [dict(reversed(facts(n).items())) | {"performance_status": "1"} for n in range(3)]
    assert edited(operator, *rows).dispositions() == ["pay"] * 3


def test_a_column_that_occurs_twice_is_refused(operator: Operator) -> None:
    clinical = operator.write("clinical.csv", csv_text([facts()], [*facts(), "regimen"]))
    refused(operator, clinical, "regimen", "twice")


def as_gzip(content: bytes) -> bytes:
    return gzip.compress(content)


def cut_short(content: bytes) -> bytes:
    return gzip.compress(content)[:-20]


BROKEN: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a quote within a field": ("clinical.csv", lambda c: c.replace(b"meta", b'me"ta'), "quote"),
    "a line of fewer fields": ("clinical.csv", lambda c: c + b"A-1,early\n", "fields"),
    "Latin-1": ("clinical.csv", lambda c: c.replace(b"meta", b"m\xe9ta"), "UTF-8"),
    "semicolons": ("clinical.csv", lambda c: c.replace(b",", b";"), "authorization_number"),
    "a gzip cut short": ("clinical.csv.gz", cut_short, ""),
    "no gzip": ("clinical.csv.gz", lambda c: c, ""),
    "a Parquet that is text": ("clinical.parquet", lambda c: c, "Parquet"),
    "another format": ("clinical.xlsx", lambda c: c, ".parquet, .csv, .csv.gz"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_refused_by_name(operator: Operator, fault: str) -> None:
    name, damage, says = BROKEN[fault]
    content = csv_text([facts(0), facts(1)], tuple(facts())).encode()
    refused(operator, operator.write(name, damage(content)), says)


@pytest.mark.parametrize(
    ("column", "value", "type_name"),
    [
        ("her2_ihc", pl.lit(True), "Boolean"),
        ("bsa_m2", pl.lit(True), "Boolean"),
        ("visceral_crisis", pl.lit(0.5), "Float64"),
        ("authorization_number", pl.lit(b"x"), "Binary"),
        ("regimen", pl.concat_list("regimen"), "List"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_of_a_type_that_cannot_be_read_is_named_with_it(
    operator: Operator, column: str, value: pl.Expr, type_name: str
) -> None:
    clinical = operator.folder / "clinical.parquet"
    row = pl.DataFrame([facts() | {"visceral_crisis": None}], infer_schema_length=None)
    row.with_columns(value.alias(column)).write_parquet(clinical)
    refused(operator, clinical, f"column {column} ", type_name, "write it")


def test_typed_columns_are_read_as_they_are(operator: Operator) -> None:
    frame = pl.DataFrame([facts(n) for n in range(3)])
    typed = frame.with_columns(
        pl.col("her2_ihc").cast(pl.Float64),
        pl.col("line_of_therapy").cast(pl.UInt8),
        pl.col("er_percent").cast(pl.Float32),
        pl.col("pr_percent").cast(pl.Int64),
        pl.col("bsa_m2").cast(pl.Decimal(10, 4)),
        pl.col("regimen", "disease_extent").cast(pl.Categorical),
        pl.col("her2_test_approved", "endocrine_refractory") == "true",
        pl.when(pl.col("capecitabine_failed") == "false").then(0).alias("capecitabine_failed"),
    )
    clinical = operator.folder / "clinical.parquet"
    typed.write_parquet(clinical)
    tables = operator.edited(operator.write_claims(claims(3)), options=["--clinical", clinical])
    assert tables.dispositions() == ["pay"] * 3


def test_the_extract_may_be_a_folder_of_files(operator: Operator) -> None:
    operator.write("facts/1.csv", csv_text([facts(0), facts(1)], tuple(facts())))
    operator.write("facts/2.csv.gz", as_gzip(csv_text([facts(2)], tuple(facts())).encode()))
    tables = operator.edited(
        operator.write_claims(claims(3)), options=["--clinical", operator.folder / "facts"]
    )
    assert tables.dispositions() == ["pay"] * 3


# ---- rows -----------------------------------------------------------------------------------

BAD_VALUES: list[tuple[str, str, str]] = [
    ("authorization_number", "", "not_null"),
    ("authorization_number", "  ", "not_null"),
    ("disease_extent", "stage IV", "known_value"),
    ("regimen", "with_lapatinib", "known_value"),
    ("anthracycline_setting", "palliative", "known_value"),
    ("taxane_setting", "neoadjuvant", "known_value"),
    ("disease_response", "unclear", "known_value"),
    ("her2_ihc", "4", "at_most_3"),
    ("her2_ihc", "-1", "at_least_0"),
    ("her2_ihc", "1.5", "readable"),
    ("her2_ihc", "2+", "readable"),
    ("line_of_therapy", "0", "at_least_1"),
    ("line_of_therapy", "second", "readable"),
    ("er_percent", "100.01", "at_most_100"),
    ("er_percent", "-0.01", "not_below_0"),
    ("pr_percent", "101", "at_most_100"),
    ("bsa_m2", "0", "above_0"),
    ("bsa_m2", "0.000", "above_0"),
    ("bsa_m2", "-1.7", "above_0"),
    *((name, "-0.1", "not_below_0") for name in NUMBERS if name != "bsa_m2"),
    *((name, "1e1", "readable") for name in NUMBERS),
    *((name, text, "readable") for name in ("bsa_m2", "ast_xuln") for text in (
        "1,7", "1.", ".5", "1.7 m2", "inf", "nan", "9" * 16, "1_0"
    )),
    *((name, "maybe", "readable") for name in BOOLEANS),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "check"), BAD_VALUES)
def test_a_bad_value_rejects_the_row_and_names_the_check(
    operator: Operator, column: str, text: str, check: str
) -> None:
    row = facts(1) | {column: f'"{text}"'}
    tables = edited(operator, facts(0), row, facts(2))
    assert unknowns(tables) == [UNTOLD, CANNOT_TELL, UNTOLD]
    rejected = tables["rejected_clinical_facts"]
    assert rejected["failed_checks"].to_list() == [[f"{column}:{check}"]]
    assert rejected[column].to_list() == [text]


GOOD_VALUES: list[tuple[str, str]] = [
    ("disease_extent", " Metastatic "),
    ("regimen", "SINGLE_AGENT"),
    ("her2_ihc", "0"),
    ("her2_ihc", "1.0"),
    ("line_of_therapy", "03"),
    ("line_of_therapy", "12"),
    ("er_percent", "100"),
    ("er_percent", "1.000"),
    ("pr_percent", "0"),
    ("pr_percent", "0.0001"),
    ("bsa_m2", "+2.0"),
    ("bsa_m2", " 2.05 "),
    ("bsa_m2", "9" * 15),
    ("bsa_m2", "1.9123456789012345678901234567890"),
    ("endocrine_refractory", "YES"),
    ("endocrine_refractory", "1"),
    ("capecitabine_failed", "no"),
    ("pd_l1_cps", "0"),
    ("ast_xuln", "0.0"),
]


@pytest.mark.parametrize(("column", "text"), GOOD_VALUES)
def test_a_good_value_is_read(operator: Operator, column: str, text: str) -> None:
    tables = edited(operator, facts(0), facts(1) | {column: text}, facts(2))
    assert tables.dispositions() == ["pay"] * 3
    assert tables["rejected_clinical_facts"].is_empty()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_rejects_the_row(operator: Operator, value: float) -> None:
    frame = pl.DataFrame([facts(0)]).with_columns(bsa_m2=pl.lit(value))
    clinical = operator.folder / "clinical.parquet"
    frame.write_parquet(clinical)
    tables = operator.edited(operator.write_claims(claims(1)), options=["--clinical", clinical])
    assert unknowns(tables) == [CANNOT_TELL]
    checks = tables["rejected_clinical_facts"]["failed_checks"].to_list()
    assert checks == [["bsa_m2:readable"]]


def test_a_row_names_every_check_that_it_fails(operator: Operator) -> None:
    bad = facts(1, her2_ihc="4", er_percent="101", regimen="x", bsa_m2="0")
    rejected = edited(operator, bad)["rejected_clinical_facts"]
    assert rejected["failed_checks"].to_list() == [
        ["bsa_m2:above_0", "er_percent:at_most_100", "her2_ihc:at_most_3", "regimen:known_value"]
    ]


def test_numbers_that_occur_twice(operator: Operator) -> None:
    small: Row = {"authorization_number": f" {MARK}-auth-0 ", "her2_ihc": "1.0", "bsa_m2": "2"}
    rows = [facts(0), facts(0) | small, facts(1), facts(1, bsa_m2="1.9"), facts(2)]
    tables = edited(operator, *rows)
    assert unknowns(tables) == [UNTOLD, CANNOT_TELL, UNTOLD]
    rejected = tables["rejected_clinical_facts"]
    assert sorted(rejected["failed_checks"].to_list()) == [
        ["conflicting_key"],
        ["conflicting_key"],
        ["duplicate_row"],
    ]


def test_facts_that_cannot_be_read_never_stop_a_run(operator: Operator) -> None:
    tables = edited(operator, *(facts(n, regimen="unheard of") for n in range(30)))
    assert tables["rejected_clinical_facts"].height == 30
    assert unknowns(tables) == [CANNOT_TELL] * 3


# ---- validate -------------------------------------------------------------------------------


def validated(operator: Operator, *rows: Row) -> Said:
    extract = operator.write_claims(claims(3))
    said = operator.command("validate", "--claims", extract, *given(operator, rows))
    keeps_members_secret(said)
    assert MARK not in said.out
    return said


def test_validate_counts_the_facts(operator: Operator) -> None:
    said = validated(operator, facts(0), facts(1))
    assert (said.exit_code, said.out.splitlines()) == (
        0,
        ["claims: 3 rows, 0 bad", "clinical: 2 rows, 0 bad"],
    )


def test_validate_names_the_checks_of_bad_facts(operator: Operator) -> None:
    rows = [facts(0), facts(0), facts(1, her2_ihc="4"), facts(2, her2_ihc="9", bsa_m2="0")]
    said = validated(operator, *rows)
    assert said.exit_code == 3
    assert said.out.splitlines() == [
        "claims: 3 rows, 0 bad",
        "clinical: 4 rows, 3 bad",
        "          2  her2_ihc:at_most_3",
        "          1  bsa_m2:above_0",
        "          1  duplicate_row",
    ]


def test_validate_refuses_a_file_that_is_not_there(operator: Operator) -> None:
    missing = operator.folder / "missing.csv"
    extract = operator.write_claims(claims(1))
    said = operator.command("validate", "--claims", extract, "--clinical", missing)
    assert said.exit_code == 3
    assert str(missing) in said.messages[0]
    assert "--clinical" in said.messages[0]
    assert said.out == ""


def test_validate_looks_at_facts_of_authorizations_that_nobody_has(operator: Operator) -> None:
    write_csv(operator.authorizations, [], ["authorization_number"])
    assert validated(operator, facts(99, bsa_m2="0")).exit_code == 3


# ---- what an operator sees ------------------------------------------------------------------


def test_the_summary_tells_of_the_facts(operator: Operator) -> None:
    rows = [facts(0), facts(1, her2_ihc="4"), facts(2)]
    said = operator.run(operator.write_claims(claims(3)), options=given(operator, rows))
    assert "Clinical facts read 3: rejected 1" in said.out.splitlines()
    without = operator.run(operator.folder / "claims.csv", options=["--run-id", "without"])
    assert "Clinical facts" not in without.out


def test_without_the_option_nothing_is_asked_of_the_facts(operator: Operator) -> None:
    tables = operator.edited(operator.write_claims([claim(0)]))
    assert tables.dispositions() == ["pay"]
    assert unknowns(tables) == [UNTOLD]
