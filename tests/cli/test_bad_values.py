"""Values that are not what they should be: rejected rows, or columns that stop the run."""

from __future__ import annotations

import time
from datetime import time as time_of_day
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.cli.support import (
    MARK,
    Operator,
    authorization,
    claim,
    claims,
    csv_text,
    typed_claims,
)
from tests.support import Row, write_csv

DATE, UNITS, CHARGE = "claim_line_start_date", "service_unit_quantity", "charge_amount"
SECONDS = 20.0  # what 10,000 lines of one day may take on a busy machine


# ---- dates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Jan 12", "01/12/2026", "2026-1-12", "2026-02-30", "2026-01-12T00:00"]
)
def test_a_handful_of_dates_that_cannot_be_read_are_rejected_rows(
    operator: Operator, text: str
) -> None:
    rows = [*claims(5), *(claim(n, claim_line_start_date=text) for n in range(5, 10))]
    tables = operator.edited(operator.write_claims(rows))
    assert tables.dispositions() == ["pay"] * 5
    assert tables.failed_checks() == [[f"{DATE}:readable"]] * 5
    assert set(tables["rejected_lines"][DATE]) == {text}


def test_a_whole_extract_of_such_dates_stops_the_run(operator: Operator) -> None:
    extract = operator.write_claims(claims(20, claim_line_start_date="Jan 12"))
    operator.refused(
        3,
        extract,
        says=[
            "claims:",
            "20 of 20",
            f"{DATE}:readable (20)",
            "--max-reject-rate",
            "rejected_lines.parquet",
        ],
    )


@pytest.mark.parametrize(
    ("day", "disposition", "edits"),
    [
        ("1900-01-01", "flag", ["no-policy-in-force"]),
        ("0001-01-01", "flag", ["no-policy-in-force"]),
        ("2999-12-31", "deny", ["service-date-future", "authorization-expired"]),
        ("9999-12-31", "deny", ["service-date-future", "authorization-expired"]),
    ],
)
def test_days_far_away_are_days(
    operator: Operator, day: str, disposition: str, edits: list[str]
) -> None:
    rows = [claim(0, claim_line_start_date=day, birth_date="0001-01-01")]
    lines = operator.edited(operator.write_claims(rows))["lines"]
    assert lines["disposition"].to_list() == [disposition]
    assert lines["edit_ids"].to_list() == [edits]


def test_a_day_before_the_member_was_born_is_a_rejected_row(operator: Operator) -> None:
    tables = operator.edited(operator.write_claims([claim(claim_line_start_date="1900-01-01")]))
    assert tables.failed_checks() == [["birth_date:not_after_service"]]


# ---- units ----------------------------------------------------------------------------------

HUGE = "999999999999.999999"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("-90", "above_0"),
        ("-0.5", "above_0"),
        ("0", "above_0"),
        ("0.000", "above_0"),
        ("1000000000000", "readable"),
        ("9" * 60, "readable"),
        ("0.0000001", "readable"),
        ("1e3", "readable"),
        ("ninety", "readable"),
        ("NaN", "readable"),
        ("inf", "readable"),
        ("", "not_null"),
    ],
)
def test_units_as_text_that_reject_the_row(operator: Operator, text: str, check: str) -> None:
    tables = operator.edited(operator.write_claims([claim(service_unit_quantity=text)]))
    assert tables.failed_checks() == [[f"{UNITS}:{check}"]]
    assert tables["rejected_lines"][UNITS].to_list() == [text or None]


@pytest.mark.parametrize(
    ("text", "disposition", "allowed"),
    [
        ("90", "pay", "90"),
        ("90.0000000", "pay", "90"),
        ("+90", "pay", "90"),
        ("52.5", "deny", "0"),
        (HUGE, "deny", "0"),
        ("999999999999", "partial", "90"),
    ],
)
def test_units_as_text_that_are_edited(
    operator: Operator, text: str, disposition: str, allowed: str
) -> None:
    row = claim(service_unit_quantity=text, charge_amount="9999999999999999.99")
    lines = operator.edited(operator.write_claims([row]))["lines"]
    assert lines["billed_units"].to_list() == [Decimal(text)]
    assert lines["disposition"].to_list() == [disposition]
    assert lines["allowed_units"].to_list() == [Decimal(allowed)]


@pytest.mark.parametrize(
    ("units", "check"),
    [
        (pl.lit(-90.0), "above_0"),
        (pl.lit(0.0), "above_0"),
        (pl.lit(float("nan")), "readable"),
        (pl.lit(float("inf")), "readable"),
        (pl.lit(1e300), "readable"),
        (pl.lit(-5), "above_0"),
        (pl.lit(0), "above_0"),
        (pl.lit(2**63 - 1), "readable"),
        (pl.lit(2**64 - 1, dtype=pl.UInt64), "readable"),
        (pl.lit(Decimal("-1.5")), "above_0"),
        (pl.lit(Decimal(0), dtype=pl.Decimal(18, 6)), "above_0"),
        (pl.lit(Decimal(10) ** 27, dtype=pl.Decimal(38, 10)), "readable"),
        (pl.lit(None, dtype=pl.Float64), "not_null"),
        (pl.lit(None), "not_null"),
    ],
    ids=str,
)
def test_typed_units_that_reject_the_row(operator: Operator, units: pl.Expr, check: str) -> None:
    extract = typed_claims(operator.folder / "claims.parquet", units.alias(UNITS))
    assert operator.edited(extract).failed_checks() == [[f"{UNITS}:{check}"]] * 3


@pytest.mark.parametrize(
    ("units", "value"),
    [
        (pl.lit(90.0), "90"),
        (pl.lit(90.0, dtype=pl.Float32), "90"),
        (pl.lit(52.5), "52.5"),
        (pl.lit(0.1 + 0.2), "0.3"),
        (pl.lit(1e11), "100000000000"),
        (pl.lit(90), "90"),
        (pl.lit(90, dtype=pl.UInt8), "90"),
        (pl.lit(10**12 - 1), "999999999999"),
        (pl.lit(Decimal("90.00")), "90"),
        (pl.lit(Decimal(90), dtype=pl.Decimal(38, 10)), "90"),
        (pl.lit(Decimal(HUGE)), HUGE),
    ],
    ids=str,
)
def test_typed_units_that_are_edited(operator: Operator, units: pl.Expr, value: str) -> None:
    extract = typed_claims(operator.folder / "claims.parquet", units.alias(UNITS))
    assert operator.edited(extract)["lines"]["billed_units"].to_list() == [Decimal(value)] * 3


def test_enormous_units_and_charges_add_up(operator: Operator) -> None:
    huge = {"service_unit_quantity": HUGE, "charge_amount": "9999999999999999.99"}
    rows = [claim(n, **huge, line_of_business="medicare") for n in range(200)]
    said = operator.run(operator.write_claims(rows))
    assert (said.exit_code, said.messages) == (0, [])
    assert "1,999,999,999,999,999,998.00" in said.out


# ---- codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ndc", ["7002O-1911-01", "ABCDEFGHIJK", "70020-1911", "N4"])
def test_an_ndc_that_is_none_is_denied_and_no_more(operator: Operator, ndc: str) -> None:
    lines = operator.edited(operator.write_claims([claim(ndc_code=ndc)]))["lines"]
    assert lines["edit_ids"].to_list() == [["ndc-invalid"]]
    assert lines["ndc_code"].to_list() == [ndc]


# ---- columns of a type that cannot be read ---------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "type_name"),
    [
        (DATE, pl.lit(True), "Boolean"),
        (DATE, pl.lit(46034.5), "Float64"),
        ("birth_date", pl.lit(True), "Boolean"),
        ("claim_line_number", pl.lit(True), "Boolean"),
        (UNITS, pl.lit(True), "Boolean"),
        (CHARGE, pl.lit(timedelta(1)), "Duration"),
        ("claim_id", pl.lit(b"x"), "Binary"),
        ("claim_id", pl.lit(time_of_day(1)), "Time"),
        ("gender", pl.concat_list("gender"), "List"),
        ("member_id", pl.struct("claim_id"), "Struct"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_of_a_type_that_cannot_be_read_is_named_with_it(
    operator: Operator, column: str, value: pl.Expr, type_name: str
) -> None:
    extract = typed_claims(operator.folder / "claims.parquet", value.alias(column))
    operator.refused(
        3, extract, says=["claims:", extract, f"column {column} ", type_name, "write it"]
    )


def test_the_file_of_such_a_column_is_named_among_others(operator: Operator) -> None:
    typed_claims(operator.folder / "night/1.parquet")
    bad = typed_claims(operator.folder / "night/2.parquet", pl.lit(True).alias(DATE))
    operator.refused(3, operator.folder / "night", says=[bad, DATE, "Boolean"])


def test_such_a_column_of_the_authorizations(operator: Operator) -> None:
    extract = operator.write_claims(claims(1))
    bad = operator.folder / "authorizations.parquet"
    pl.DataFrame([authorization()]).with_columns(effective_date=True).write_parquet(bad)
    operator.refused(
        3,
        extract,
        options=["--authorizations", bad],
        says=["authorizations:", bad, "effective_date", "Boolean"],
    )


# ---- columns as other tools write them -------------------------------------------------------

TEXT = dict.fromkeys(claim(), pl.String)
AS_OTHERS_WRITE_THEM = {
    "numbers as floats": (
        pl.col("rendering_npi", CHARGE, UNITS, "ndc_quantity", "diagnosis_pointer_1").cast(
            pl.Float64
        ),
        pl.col("claim_line_number").cast(pl.Float64),
    ),
    "numbers as integers": (
        pl.col("rendering_npi", UNITS, "ndc_quantity", "claim_line_number").cast(pl.Int64),
        pl.lit(70020191101).alias("ndc_code"),
    ),
    "timestamps": (
        pl.col(DATE).str.to_datetime("%Y-%m-%d", time_unit="ns"),
        pl.col("birth_date").str.to_datetime("%Y-%m-%d", time_unit="ms"),
    ),
    "timestamps in a zone": (
        pl.col(DATE).str.to_datetime("%Y-%m-%d").dt.replace_time_zone("America/New_York"),
    ),
    "dates": (pl.col(DATE, "birth_date").str.to_date(),),
    "dates as integers": (pl.lit(20260112).alias(DATE), pl.lit(19700514).alias("birth_date")),
    "categories": (pl.all().cast(pl.Categorical),),
    "an enumeration": (pl.col("gender").cast(pl.Enum(["male", "female"])),),
    "a column of nothing": (pl.lit(None).alias("rendering_npi"),),
    "decimals": (
        pl.col(UNITS, "ndc_quantity").cast(pl.Decimal(38, 10)),
        pl.col(CHARGE).cast(pl.Decimal(20, 4)),
    ),
}


@pytest.mark.parametrize("form", AS_OTHERS_WRITE_THEM)
def test_columns_are_read_as_other_tools_write_them(operator: Operator, form: str) -> None:
    extract = typed_claims(operator.folder / "claims.parquet", *AS_OTHERS_WRITE_THEM[form])
    lines = operator.edited(extract)["lines"]
    assert lines["disposition"].to_list() == ["pay"] * 3
    assert set(lines["rendering_npi"]) <= {"1000000001", None}
    assert set(lines["charge_amount"]) == {Decimal("9000.00")}


def test_files_that_type_a_column_differently_are_one_extract(operator: Operator) -> None:
    forms = list(AS_OTHERS_WRITE_THEM.values())
    for number, columns in enumerate(forms):
        typed_claims(operator.folder / f"night/{number}.parquet", *columns, rows=[claim(number)])
    lines = operator.edited(operator.folder / "night")["lines"]
    assert lines["disposition"].to_list() == ["pay"] * len(forms)


def test_an_extract_written_by_pandas(operator: Operator) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(claims(3))
    for column in (UNITS, CHARGE, "ndc_quantity", "rendering_npi", "diagnosis_pointer_1"):
        frame[column] = frame[column].astype("float64")
    frame.loc[1, ["rendering_npi", "diagnosis_pointer_1"]] = float("nan")
    for column in (DATE, "birth_date"):
        frame[column] = pandas.to_datetime(frame[column])
    frame.loc[1, "birth_date"] = pandas.NaT
    for column in ("gender", "line_of_business", "member_state"):
        frame[column] = frame[column].astype("category")
    frame["claim_line_number"] = frame["claim_line_number"].astype("Int64")
    extract = operator.folder / "claims.parquet"
    frame.to_parquet(extract)
    lines = operator.edited(extract)["lines"]
    assert lines["disposition"].to_list() == ["pay", "flag", "pay"]
    assert lines["unknown_edit_ids"].to_list() == [[], ["member-under-age"], []]
    assert lines["rendering_npi"].to_list() == ["1000000001", None, "1000000001"]


# ---- many lines, many rows of one thing ------------------------------------------------------


@pytest.fixture
def day(operator: Operator) -> Path:
    """10,000 lines of one member on one day: 45 units each, no two alike."""
    rows = [
        claim(0, claim_id=f"{MARK}-CLAIM-{n:05}", rendering_npi=f"{n:010}", **half)
        for n in range(10_000)
        for half in [{"service_unit_quantity": "45", "ndc_quantity": "1"}]
    ]
    return operator.write("claims.csv", csv_text(rows))


def test_ten_thousand_lines_of_one_member_on_one_day(operator: Operator, day: Path) -> None:
    begun = time.perf_counter()
    lines = operator.edited(day)["lines"]
    assert time.perf_counter() - begun < SECONDS
    assert lines["disposition"].to_list() == ["pay"] * 2 + ["deny"] * 9_998
    assert lines["allowed_units"].sum() == 90
    assert set(lines["primary_edit_id"][2:]) == {"units-per-dose"}


def test_ten_thousand_copies_of_one_line(operator: Operator) -> None:
    rows = [claim(0, claim_id=f"{MARK}-CLAIM-{n:05}") for n in range(10_000)]
    begun = time.perf_counter()
    lines = operator.edited(operator.write_claims(rows))["lines"]
    assert time.perf_counter() - begun < SECONDS
    assert lines["disposition"].to_list() == ["pay"] + ["deny"] * 9_999
    assert set(lines["primary_edit_id"][1:]) == {"duplicate-line"}


def test_authorization_numbers_that_occur_twice(operator: Operator) -> None:
    write_csv(
        operator.authorizations,
        [
            authorization(0),
            authorization(0),
            authorization(1),
            authorization(1, expiration_date="2026-03-30"),
            authorization(2),
        ],
    )
    tables = operator.edited(operator.write_claims(claims(3)))
    assert tables.dispositions() == ["pay", "flag", "pay"]
    assert tables["lines"]["unknown_edit_ids"].to_list() == [[], ["authorization-absent"], []]
    rejected = tables["rejected_authorizations"]
    assert sorted(rejected.select("authorization_number", "failed_checks").iter_rows()) == [
        (f"{MARK}-AUTH-0", ["duplicate_row"]),
        (f"{MARK}-AUTH-1", ["conflicting_key"]),
        (f"{MARK}-AUTH-1", ["conflicting_key"]),
    ]


def test_authorizations_that_cannot_be_read_never_stop_a_run(operator: Operator) -> None:
    write_csv(operator.authorizations, [authorization(n, status="perhaps") for n in range(30)])
    tables = operator.edited(operator.write_claims(claims(3)))
    assert tables["rejected_authorizations"].height == 30
    assert tables.dispositions() == ["flag"] * 3


def test_members_values_that_cannot_be_read(operator: Operator) -> None:
    """They reject the line that needs them, and no other."""
    needy: Row = {
        "birth_date": None,
        "gender": None,
        "line_of_business": None,
        "member_state": None,
    }
    good: Row = {
        "birth_date": "1970-01-01",
        "gender": "F",
        "state": "Ohio",
        "payer_type": "commercial",
    }
    people = [
        good | {"gender": "female"},
        good | {"gender": "female", "birth_date": "soon"},
        good,
        good | {"gender": "female", "payer_type": "lottery"},
        good | {"gender": "female", "state": "Atlantis", "enrollment_start_date": "once"},
    ]
    members = operator.folder / "members.csv"
    write_csv(members, [p | {"member_id": f"{MARK}-MEMBER-{n}"} for n, p in enumerate(people)])
    rows = [claim(n, **needy) for n in range(5)] + [claim(1, claim_id=f"{MARK}-OWN-VALUES")]
    tables = operator.edited(operator.write_claims(rows), options=["--members", members])
    assert tables["lines"].select("claim_id", "member_state").sort("claim_id").rows() == [
        (f"{MARK}-CLAIM-0", "OH"),
        (f"{MARK}-CLAIM-4", None),
        (f"{MARK}-OWN-VALUES", "OH"),
    ]
    assert sorted(tables.failed_checks()) == [
        ["birth_date:readable"],
        ["gender:known_value"],
        ["line_of_business:known_value"],
    ]
