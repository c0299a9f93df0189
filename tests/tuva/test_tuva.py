"""A public synthetic extract, as it is and with lines of the drug in it: every row accounted for."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from claims_edit.edits.catalogue import LIMITS
from tests.oracle import edit_night
from tests.properties.comparison import compare
from tests.support import IXABEPILONE, REFERENCE, Edited, Row, edit_files, edit_rows
from tests.tuva.overlay import (
    AS_OF,
    ROWS,
    Extract,
    as_it_is,
    columns_of,
    csv_text,
    key_of,
    overlaid,
)

# Facility claims whose header spans several days, and those that replace by bill type (137, 857)
# and name no original: all that the extract has.
SPANNING = {
    *("920994", "1210318", "1133126", "274373", "890567"),
    *("779857", "1644256", "363765", "397285", "1649292"),
}
REPLACING = {"1656636", "213794", "1325774", "761833", "1261065"}
DIAGNOSES = [f"diagnosis_code_{i}" for i in range(1, 26)]

# The states of Medicare lines, by the name that the eligibility file has, and their jurisdictions.
JURISDICTIONS = {
    "California": "E (1)",
    "Hawaii": "E (1)",
    "Nevada": "E (1)",
    "Idaho": "F (2 & 3)",
    "Montana": "F (2 & 3)",
    "Washington": "F (2 & 3)",
    "Wyoming": "F (2 & 3)",
    "Iowa": "5",
    "Kansas": "5",
    "Missouri": "5",
    "Minnesota": "6",
    "Colorado": "H (4 & 7)",
    "Louisiana": "H (4 & 7)",
    "Mississippi": "H (4 & 7)",
    "New Mexico": "H (4 & 7)",
    "Oklahoma": "H (4 & 7)",
    "Texas": "H (4 & 7)",
    "Alabama": "J (10)",
    "Maine": "K (13 & 14)",
    "Massachusetts": "K (13 & 14)",
    "Vermont": "K (13 & 14)",
    "Maryland": "L (12)",
    "New Jersey": "L (12)",
    "Pennsylvania": "L (12)",
    "North Carolina": "M (11)",
    "South Carolina": "M (11)",
    "West Virginia": "M (11)",
    "Puerto Rico": "N (9)",
    "Virgin Islands": "N (9)",
    "Kentucky": "15",
    "Ohio": "15",
    "Ohio (eff. 10/2005)": "15",
}


@cache
def extract() -> Extract:
    return overlaid()


@cache
def edited() -> Edited:
    given = extract()
    return edit_rows(given.claims, given.authorizations, given.members, given.clinical, as_of=AS_OF)


def lines() -> Iterator[dict[str, Any]]:
    return edited().lines.iter_rows(named=True)


def raw_line(line: dict[str, Any]) -> Row:
    return _raw_lines()[line["claim_id"], str(line["claim_line_number"])]


@cache
def _raw_lines() -> dict[tuple[str, str], Row]:
    return {key_of(row): row for row in extract().claims}


def is_asked(line: dict[str, Any]) -> bool:
    """Whether a line is the policy's to judge: governed, of the drug's code, and not taken out."""
    taken_out = line["disposition"] in ("void", "superseded")
    voids = line["claim_frequency_code"] == "8"
    return line["governed"] and line["hcpcs_code"] == "J9207" and not (taken_out or voids)


# ---- every row ------------------------------------------------------------------------------


def test_nothing_of_the_extract_as_it_is_is_in_scope() -> None:
    plain = as_it_is()
    run = edit_rows(plain.claims, [], plain.members, as_of=date(2018, 12, 31))
    assert (run.rows, run.in_scope_rows) == (ROWS, 0)
    assert run.lines.is_empty()
    assert run.findings.is_empty()
    assert run.rejected_lines.is_empty()


def test_every_row_is_out_of_scope_or_rejected_or_edited() -> None:
    run = edited()
    edited_keys = {(line["claim_id"], str(line["claim_line_number"])) for line in lines()}
    rejected_keys = {(r["claim_id"], r["claim_line_number"]) for r in run.rejected_lines.to_dicts()}
    assert not edited_keys & rejected_keys
    assert edited_keys | rejected_keys == extract().turned
    out_of_scope = run.rows - run.in_scope_rows
    assert (run.rows, out_of_scope) == (ROWS, ROWS - len(extract().turned))
    assert (run.in_scope_rows, run.lines.height, run.rejected_lines.height) == (503, 423, 80)


def test_rows_are_rejected_for_blank_and_zero_units_and_for_nothing_else() -> None:
    reasons = {None: "service_unit_quantity:not_null", "0": "service_unit_quantity:above_0"}
    expected = {
        key: [reasons[_raw_lines()[key]["service_unit_quantity"]]]
        for key in extract().turned
        if _raw_lines()[key]["service_unit_quantity"] in reasons
    }
    found = {
        (row["claim_id"], row["claim_line_number"]): row["failed_checks"]
        for row in edited().rejected_lines.iter_rows(named=True)
    }
    assert found == expected
    assert Counter(check for checks in found.values() for check in checks) == {
        "service_unit_quantity:not_null": 60,
        "service_unit_quantity:above_0": 20,
    }


def test_every_charge_is_allowed_or_denied() -> None:
    billed = [Decimal(raw_line(line)["charge_amount"] or 0) for line in lines()]
    assert edited().lines["charge_amount"].to_list() == billed
    for line in lines():
        allowed = line["charge_amount"] - line["denied_charge_amount"]
        exact = line["charge_amount"] * line["allowed_units"] / line["billed_units"]
        assert abs(allowed - exact) <= Decimal("0.005"), line["claim_id"]
        assert line["billed_units"] == line["allowed_units"] + line["denied_units"]


def test_the_overlay_reaches_every_disposition() -> None:
    assert set(edited().lines["disposition"]) == {
        *("pay", "flag", "partial", "deny", "void", "superseded")
    }


# ---- the extract's traps --------------------------------------------------------------------


def test_the_day_of_a_dose_is_unclear_where_the_header_spans_days() -> None:
    def spans(line: dict[str, Any]) -> bool:
        return line["claim_id"] in SPANNING and is_asked(line)

    unclear = [line for line in lines() if "service-date-unclear" in line["edit_ids"]]
    assert unclear == [line for line in lines() if spans(line)]
    assert len({line["claim_id"] for line in unclear}) >= 5
    for line in unclear:
        assert line["claim_line_start_date"].isoformat() == raw_line(line)["claim_start_date"]
        assert line["claim_line_end_date"].isoformat() == raw_line(line)["claim_end_date"]
        assert "service-date-span" in line["edit_ids"]
        assert not {"duplicate-line", *LIMITS} & set(line["edit_ids"])
        assert not line["takes_part_in_limits"]


def test_a_line_spans_days_only_where_its_header_does() -> None:
    spanning = {line["claim_id"] for line in lines() if "service-date-span" in line["edit_ids"]}
    assert spanning <= SPANNING


def test_a_facility_line_of_one_day_takes_the_date_of_its_header() -> None:
    dated = [
        (line["claim_line_start_date"].isoformat(), raw_line(line)["claim_start_date"])
        for line in lines()
        if line["claim_type"] == "institutional"
    ]
    assert len(dated) > 100
    assert all(read == header for read, header in dated)


def test_the_original_of_a_replacement_by_bill_type_is_unknown() -> None:
    replacing = [line for line in lines() if line["claim_id"] in REPLACING]
    assert {line["claim_frequency_code"] for line in replacing} == {"7"}
    asked = [line for line in replacing if line["governed"]]
    assert len(asked) > 20
    assert all("original-claim-unknown" in line["edit_ids"] for line in asked)
    bill_types = {line["bill_type_code"] for line in replacing}
    assert bill_types == {"137", "857"}


def test_gaps_between_diagnoses_are_passed_over() -> None:
    gaps = 0
    for line in lines():
        given = [(raw_line(line)[column] or "").upper().replace(".", "") for column in DIAGNOSES]
        codes = [code for code in given if code]
        gaps += given[: len(codes)] != codes
        assert [code.replace(".", "") for code in line["diagnosis_codes"]] == codes
        asked_missing = "diagnosis-missing" in line["edit_ids"]
        assert asked_missing == (is_asked(line) and not codes)
    assert gaps > 50


def test_the_same_service_on_another_claim_is_a_duplicate() -> None:
    duplicates = edited().findings.filter(pl.col("edit_id") == "duplicate-line")
    assert not duplicates.is_empty()
    same = ("member_id", "claim_line_start_date", "billed_units", "ndc_11", "rendering_npi")
    for finding in duplicates.iter_rows(named=True):
        evidence = json.loads(finding["evidence"])
        line = edited().line(finding["claim_id"], finding["claim_line_number"])
        other = edited().line(
            evidence["duplicate_of_claim_id"], evidence["duplicate_of_line_number"]
        )
        assert [line[c] for c in same] == [other[c] for c in same]
        assert line["claim_id"] != other["claim_id"]
        assert line["disposition"] == "deny"


def test_no_day_and_no_21_days_of_a_member_allow_more_than_90_units() -> None:
    counted = edited().lines.filter("takes_part_in_limits").sort("claim_line_start_date")
    for _, of_member in counted.group_by("member_id"):
        for days in ("1d", "21d"):
            sums = of_member.rolling("claim_line_start_date", period=days).agg(
                pl.col("allowed_units").sum()
            )
            assert (sums["allowed_units"] <= 90).all()


# ---- the members ----------------------------------------------------------------------------


def enrolled(patient: str, day: str) -> Row:
    """The row of enrollment that covers the day, the latest start first; else the latest."""
    rows = [row for row in extract().members if row["patient_id"] == patient]
    rows.sort(
        key=lambda row: (row["enrollment_start_date"] or "", row["enrollment_end_date"] or "")
    )
    covering = [
        row
        for row in rows
        if (row["enrollment_start_date"] or "") <= day <= (row["enrollment_end_date"] or "")
    ]
    return (covering or rows)[-1]


def test_the_line_of_business_is_that_of_the_enrollment_on_the_service_date() -> None:
    for line in lines():
        member = enrolled(line["member_id"], line["claim_line_start_date"].isoformat())
        assert line["line_of_business"] == (member["payer_type"] or "").strip().lower()
        assert line["birth_date"].isoformat() == member["birth_date"]
        assert line["gender"] == member["gender"]


def test_a_patient_may_turn_to_medicare_in_the_middle() -> None:
    of_patient = edited().lines.filter(pl.col("member_id") == "10408")
    medicare = pl.col("line_of_business") == "medicare"
    before = of_patient.filter(~medicare)["claim_line_start_date"].to_list()
    after = of_patient.filter(medicare)["claim_line_start_date"].to_list()
    assert max(before) < min(after)


def test_state_names_become_the_jurisdictions_of_medicare_lines() -> None:
    findings = edited().findings.filter(pl.col("edit_id") == "medicare-not-governed")
    states = set()
    for finding in findings.iter_rows(named=True):
        line = edited().line(finding["claim_id"], finding["claim_line_number"])
        member = enrolled(str(line["member_id"]), str(line["claim_line_start_date"]))
        jurisdiction = JURISDICTIONS[member["state"] or ""]
        assert json.loads(finding["evidence"])["mac_jurisdiction"] == jurisdiction
        assert jurisdiction in finding["message"]
        assert line["edit_ids"] == ["medicare-not-governed"]
        states.add(member["state"])
    assert len(states) >= 5


def test_medicare_lines_are_flagged_and_nothing_else() -> None:
    medicare = [line for line in lines() if line["line_of_business"] == "medicare"]
    standing = [
        line
        for line in medicare
        if line["disposition"] not in ("void", "superseded") and line["claim_frequency_code"] != "8"
    ]
    assert len(standing) > 20
    assert {line["disposition"] for line in standing} == {"flag"}


def test_lines_before_the_policy_are_flagged() -> None:
    first_day = date(2025, 9, 4)
    early = [line for line in lines() if line["claim_line_start_date"] < first_day]
    found = {line["primary_edit_id"] for line in early if line["line_of_business"] != "medicare"}
    assert "no-policy-in-force" in found
    assert {line["policy_version"] for line in early} == {None}
    assert {line["disposition"] for line in early} <= {"flag", "void", "superseded"}


# ---- clinical facts and the partner drug ----------------------------------------------------


def test_every_verdict_of_the_clinical_edits_is_reached() -> None:
    found = set(edited().findings.select("edit_id", "verdict").iter_rows())
    clinical = {"coverage-criteria", "dose-exceeds-body-surface", "combination-partner-missing"}
    assert {(edit, verdict) for edit, verdict in found if edit in clinical} == {
        ("coverage-criteria", "fail"),
        ("coverage-criteria", "unknown"),
        ("dose-exceeds-body-surface", "fail"),
        ("combination-partner-missing", "fail"),
    }
    asked = [line for line in lines() if line["matched_authorization_number"] and is_asked(line)]
    for edit in clinical:
        assert any(edit not in (*line["edit_ids"], *line["unknown_edit_ids"]) for line in asked)


def test_clinical_edits_are_asked_only_where_an_authorization_matches() -> None:
    for line in lines():
        if line["matched_authorization_number"] is None or not is_asked(line):
            found = {*line["edit_ids"], *line["unknown_edit_ids"]}
            assert not {"coverage-criteria", "dose-exceeds-body-surface"} & found
            assert "combination-partner-missing" not in found


def test_the_lines_of_the_partner_drug_are_kept_and_out_of_scope() -> None:
    kept = edited().partner_lines
    assert kept.height > 30
    assert set(kept["claim_id"]) == {claim_id for claim_id, _ in extract().partners}
    edited_keys = {(line["claim_id"], str(line["claim_line_number"])) for line in lines()}
    assert not edited_keys & extract().partners


def test_facts_are_rejected_for_bad_values_and_for_being_there_twice() -> None:
    rejected = edited().rejected_clinical_facts
    checks = {check for row in rejected["failed_checks"] for check in row}
    assert {"her2_ihc:at_most_3", "duplicate_row"} <= checks
    assert checks <= {
        *("her2_ihc:at_most_3", "line_of_therapy:at_least_1", "unacceptable_toxicity:readable"),
        "duplicate_row",
    }


# ---- the same rows in other files -----------------------------------------------------------


def _csv(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> Path:
    path.write_text(csv_text(rows, columns), encoding="utf-8", newline="")
    return path


def _gzipped(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> Path:
    path.write_bytes(gzip.compress(csv_text(rows, columns).encode(), mtime=0))
    return path


def _parquet(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> Path:
    frame = pl.DataFrame(
        [[row.get(c) for c in columns] for row in rows],
        schema=dict.fromkeys(columns, pl.String),
        orient="row",
    )
    frame.write_parquet(path, row_group_size=500)
    return path


WRITERS: dict[str, Callable[[Path, Sequence[Row], Sequence[str]], Path]] = {
    ".csv": _csv,
    ".csv.gz": _gzipped,
    ".parquet": _parquet,
}


def edited_from(folder: Path, claims: Sequence[Path], random: Random) -> Edited:
    """The overlaid extract from other files of claims, the rows of its other inputs shuffled."""
    given = extract()
    others = []
    for name in ("authorizations", "members", "clinical"):
        rows = list(getattr(given, name))
        random.shuffle(rows)
        others.append(_csv(folder / f"{name}.csv", rows, columns_of(rows)))
    return edit_files(claims, *others, as_of=AS_OF)


def assert_same(run: Edited) -> None:
    first = edited()
    assert (run.rows, run.in_scope_rows) == (first.rows, first.in_scope_rows)
    assert_frame_equal(run.lines, first.lines)
    assert_frame_equal(run.findings, first.findings)
    assert_frame_equal(run.rejected_lines, first.rejected_lines)
    assert_frame_equal(run.rejected_authorizations, first.rejected_authorizations)
    assert_frame_equal(run.rejected_clinical_facts, first.rejected_clinical_facts)
    assert_frame_equal(run.partner_lines, first.partner_lines)


@pytest.mark.parametrize("suffix", WRITERS)
def test_rows_in_any_order_and_format_give_the_same(suffix: str, tmp_path: Path) -> None:
    random = Random(suffix)
    rows = list(extract().claims)
    random.shuffle(rows)
    path = WRITERS[suffix](tmp_path / f"claims{suffix}", rows, columns_of(rows))
    assert_same(edited_from(tmp_path, [path], random))


@pytest.mark.parametrize("files", [2, 5, 23])
def test_many_files_of_any_columns_and_format_give_the_same(files: int, tmp_path: Path) -> None:
    random = Random(files)
    parts: list[list[Row]] = [[] for _ in range(files)]
    for row in extract().claims:
        random.choice(parts).append(row)
    claims = tmp_path / "claims"
    claims.mkdir()
    for i, part in enumerate(parts):
        columns = [c for c in columns_of(part) if _is_needed(c, part)]
        random.shuffle(columns)
        suffix = list(WRITERS)[i % len(WRITERS)]
        WRITERS[suffix](claims / f"part-{i:02}{suffix}", part, columns)
    assert_same(edited_from(tmp_path, [claims], random))


def _is_needed(column: str, rows: Sequence[Row]) -> bool:
    """A column without values may be left out of a file, and one that nobody reads as well."""
    return any(row.get(column) for row in rows) and not column.startswith("procedure_")


def test_typed_columns_give_the_same(tmp_path: Path) -> None:
    rows = extract().claims
    path = _parquet(tmp_path / "claims.parquet", rows, columns_of(rows))
    typed = pl.read_parquet(path).with_columns(
        pl.col("claim_line_number").cast(pl.Int32),
        pl.col("patient_id").cast(pl.Int64),
        pl.col("service_unit_quantity").cast(pl.Float64),
        pl.col("charge_amount").cast(pl.Decimal(12, 2)),
        pl.col("ndc_quantity").cast(pl.Decimal(18, 6)),
        pl.col("^claim_.*_date$").str.to_date(),
        pl.col("received_date").str.to_date().cast(pl.Datetime("us")),
        pl.col("hcpcs_code", "diagnosis_code_1").cast(pl.Categorical),
    )
    typed.write_parquet(path)
    run = edited_from(tmp_path, [path], Random(0))
    assert_frame_equal(run.lines, edited().lines)
    assert_frame_equal(run.findings, edited().findings)
    checks = ("claim_id", "claim_line_number", "failed_checks")
    assert_frame_equal(
        run.rejected_lines.select(checks).sort(checks[:2]),
        edited().rejected_lines.select(checks).sort(checks[:2]),
    )


# ---- the oracle -----------------------------------------------------------------------------


def test_the_oracle_decides_the_same() -> None:
    given = extract()
    night = edit_night(
        given.claims,
        given.authorizations,
        given.members,
        clinical=given.clinical,
        reference_dir=REFERENCE,
        policy_id=IXABEPILONE,
        as_of=AS_OF,
    )
    compare(edited(), night)
