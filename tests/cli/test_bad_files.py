"""Files that are not what they should be: each is refused by name, or read as what it is."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest

from claims_edit.run_contracts import RUN_TABLES
from claims_edit.schemas import polars_type
from tests.cli.support import (
    AS_OF,
    CLAIM,
    MARK,
    Operator,
    authorization,
    claim,
    claims,
    csv_text,
    typed_claims,
)
from tests.support import REFERENCE, write_csv

GOOD = csv_text(claims(20))
REQUIRED = (
    "claim_id",
    "claim_line_number",
    "member_id",
    "line_of_business",
    "claim_line_start_date",
    "service_unit_quantity",
    "charge_amount",
)


def with_line(number: int, change: Callable[[str], str]) -> str:
    lines = GOOD.splitlines(keepends=True)
    lines[number] = change(lines[number])
    return "".join(lines)


# ---- empty ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["claims.csv", "claims.csv.gz", "claims.parquet"])
def test_an_extract_without_rows_publishes_an_empty_run(operator: Operator, name: str) -> None:
    header = csv_text([]).encode()
    if name.endswith(".parquet"):
        extract = operator.folder / name
        pl.DataFrame(schema=dict.fromkeys(CLAIM, pl.String)).write_parquet(extract)
    else:
        extract = operator.write(name, gzip.compress(header) if name.endswith(".gz") else header)
    tables = operator.edited(extract)
    assert sorted(path.name for path in tables.folder.iterdir()) == sorted(
        ["manifest.json", "reference_data.zip", *(f"{table}.parquet" for table in RUN_TABLES)]
    )
    for table, schema in RUN_TABLES.items():
        expected = {column: polars_type(c) for column, c in schema.columns.items()}
        assert tables[table].is_empty()
        assert dict(tables[table].schema) == expected


def test_an_extract_without_rows_in_scope_publishes_an_empty_run(operator: Operator) -> None:
    rows = claims(3, hcpcs_code="J0000", ndc_code=None)
    tables = operator.edited(operator.write_claims(rows))
    assert tables["lines"].is_empty()


def test_authorizations_and_members_without_rows_are_read_as_none(operator: Operator) -> None:
    write_csv(operator.authorizations, [], list(authorization()))
    members = operator.write("members.csv", "person_id\n")
    tables = operator.edited(operator.write_claims(claims(1)), options=["--members", members])
    assert tables["lines"]["edit_ids"].to_list() == [["authorization-absent"]]


@pytest.mark.parametrize("content", ["", "\n", "\n\n\n"])
def test_a_file_without_a_header_line_is_refused(operator: Operator, content: str) -> None:
    extract = operator.write("claims.csv", content)
    operator.refused(3, extract, says=["claims:", extract, "empty", "header"])


# ---- columns --------------------------------------------------------------------------------


@pytest.mark.parametrize("column", REQUIRED)
def test_a_required_column_that_is_missing_is_named(operator: Operator, column: str) -> None:
    extract = operator.write("claims.csv", csv_text(claims(2), [c for c in CLAIM if c != column]))
    operator.refused(3, extract, says=["claims:", extract, "required column", column, "missing"])


def test_what_may_stand_in_for_a_missing_column_is_named_too(operator: Operator) -> None:
    extract = operator.write("claims.csv", csv_text(claims(2), ["claim_id", "claim_line_number"]))
    operator.refused(3, extract, says=["member_id (or person_id or patient_id)"])


@pytest.mark.parametrize("column", ["member_id", "status", "effective_date", "hcpcs_code"])
def test_a_required_column_of_the_authorizations(operator: Operator, column: str) -> None:
    row = {name: value for name, value in authorization().items() if name != column}
    write_csv(operator.authorizations, [row])
    extract = operator.write_claims(claims(2))
    operator.refused(3, extract, says=["authorizations:", operator.authorizations, column])


def test_a_members_extract_needs_a_member(operator: Operator) -> None:
    members = operator.write("members.csv", "birth_date\n1970-01-01\n")
    extract = operator.write_claims(claims(2))
    operator.refused(
        3, extract, options=["--members", members], says=["members:", members, "person_id"]
    )


def test_the_members_may_supply_the_line_of_business(operator: Operator) -> None:
    columns = [c for c in CLAIM if c != "line_of_business"]
    extract = operator.write("claims.csv", csv_text(claims(1), columns))
    members = operator.write("members.csv", f"person_id,payer_type\n{MARK}-MEMBER-0,Commercial\n")
    tables = operator.edited(extract, options=["--members", members])
    assert tables["lines"]["line_of_business"].to_list() == ["commercial"]


def test_unknown_columns_and_their_order_do_not_matter(operator: Operator) -> None:
    extract = operator.write("claims.csv", csv_text(claims(2), [*reversed(CLAIM), "data_source"]))
    assert operator.edited(extract).dispositions() == ["pay", "pay"]


def test_a_column_that_occurs_twice_is_refused(operator: Operator) -> None:
    extract = operator.write("claims.csv", csv_text(claims(2), [*CLAIM, "charge_amount"]))
    operator.refused(3, extract, says=[extract, "charge_amount", "twice"])


def test_a_folder_half_of_whose_files_lack_an_optional_column_is_read(operator: Operator) -> None:
    typed_claims(operator.folder / "night/1.parquet", rows=[claim(1)])
    typed_claims(operator.folder / "night/2.parquet", rows=[claim(2)])
    fewer = [c for c in CLAIM if c not in ("gender", "rendering_npi")]
    operator.write("night/3.csv", csv_text([claim(3)], fewer))
    operator.write("night/4.csv", csv_text([claim(4)], fewer[::-1]))
    lines = operator.edited(operator.folder / "night")["lines"]
    assert lines["disposition"].to_list() == ["pay"] * 4
    assert lines["gender"].to_list() == ["female", "female", None, None]


def test_a_folder_one_of_whose_files_lacks_a_required_column_is_refused_by_that_file(
    operator: Operator,
) -> None:
    operator.write_claims([claim(1)], "night/1.csv")
    bad = operator.write(
        "night/2.csv", csv_text([claim(2)], [c for c in CLAIM if c != "charge_amount"])
    )
    operator.refused(3, operator.folder / "night", says=[bad, "charge_amount"])


# ---- CSV ------------------------------------------------------------------------------------

READ_AS_IT_IS: dict[str, bytes] = {
    "with a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "with a byte order mark before a quote": b'\xef\xbb\xbf"claim_id"' + GOOD.encode()[8:],
    "with Windows line ends": GOOD.replace("\n", "\r\n").encode(),
    "without a last line end": GOOD.rstrip("\n").encode(),
    "with every field quoted": GOOD.replace(",", '","').replace("\n", '"\n"').encode()[:-1],
    "with spaces around the names": GOOD.replace(",", " , ").encode(),
}
READ_AS_IT_IS["with every field quoted"] = b'"' + READ_AS_IT_IS["with every field quoted"]


@pytest.mark.parametrize("form", READ_AS_IT_IS)
def test_a_csv_is_read(operator: Operator, form: str) -> None:
    extract = operator.write("claims.csv", READ_AS_IT_IS[form])
    assert operator.edited(extract).dispositions() == ["pay"] * 20


def test_a_line_end_or_a_comma_within_quotes_is_text(operator: Operator) -> None:
    state = "rendering_npi"
    rows = [claim(1, **{state: '"1,\n2"'}), claim(2, **{state: '"3 ""x"" 4"'})]
    lines = operator.edited(operator.write_claims(rows))["lines"]
    assert lines["rendering_npi"].to_list() == ["1,\n2", '3 "x" 4']


BROKEN_CSV: dict[str, tuple[str | bytes, str]] = {
    "quote opened in the first line": (
        with_line(1, lambda line: line.replace("female", '"female')),
        "quote",
    ),
    "quote opened in the last line": (
        with_line(20, lambda line: line.replace("female", '"female')),
        "quote",
    ),
    "quote within a field": (
        with_line(10, lambda line: line.replace("female", 'fem"ale')),
        "quote",
    ),
    "quote at the end of a line": (with_line(10, lambda line: line.rstrip() + '"\n'), "quote"),
    "text after a quote": (with_line(10, lambda line: line.replace("female", '"f"emale')), "quote"),
    "a line of fewer fields": (
        with_line(10, lambda line: ",".join(line.split(",")[:9]) + "\n"),
        "a line has 9 fields",
    ),
    "cut short within the last line": (GOOD[: GOOD.rindex("female")], "cut short"),
    "CR alone at the ends of lines": (GOOD.replace("\n", "\r"), "CR alone"),
    "a line of more fields": (with_line(10, lambda line: line.rstrip() + ",x\n"), "more fields"),
    "Latin-1": (GOOD.replace("OH", "\xd6H").encode("latin-1"), "convert the file to UTF-8"),
    "Latin-1 in a row out of scope": (
        (GOOD + csv_text([claim(30, hcpcs_code="\xd6", ndc_code=None)]).partition("\n")[2]).encode(
            "latin-1"
        ),
        "convert the file to UTF-8",
    ),
    "UTF-16": (GOOD.encode("utf-16"), "claim_id"),
    "semicolons": (GOOD.replace(",", ";"), "claim_id"),
    "Parquet under another name": (b"PAR1" + bytes(100) + b"PAR1", ""),
}


@pytest.mark.parametrize("fault", BROKEN_CSV)
def test_a_broken_csv_is_refused_by_name(operator: Operator, fault: str) -> None:
    content, says = BROKEN_CSV[fault]
    extract = operator.write("claims.csv", content)
    operator.refused(3, extract, says=["claims:", extract, says])


def test_a_file_named_twice_is_read_once(operator: Operator) -> None:
    extract = operator.write_claims(claims(20))
    tables = operator.edited(extract, extract.parent / ".." / extract.parent.name / extract.name)
    assert tables.dispositions() == ["pay"] * 20


def test_a_float_is_the_same_number_beside_a_file_of_text(operator: Operator) -> None:
    noisy = pl.lit(pl.Series([0.1 + 0.2, 4500.1 + 4500.2 + 0.4, 90.0]))
    typed_claims(operator.folder / "night" / "typed.parquet", noisy.alias("charge_amount"))
    operator.write_claims([claim(9)], "night/text.csv")
    lines = operator.edited(operator.folder / "night")["lines"]
    assert sorted(map(str, lines["charge_amount"]))[:3] == ["0.30", "90.00", "9000.00"]
    assert "9000.70" in set(map(str, lines["charge_amount"]))


def test_validate_finds_what_a_run_rejects_between_rows(operator: Operator) -> None:
    rows = [claim(1), claim(1) | {"claim_line_number": "01", "charge_amount": "1.00"}]
    said = operator.command("validate", "--claims", operator.write_claims(rows))
    assert said.exit_code == 3
    assert "2  conflicting_key" in said.out


def test_a_broken_file_is_named_among_others(operator: Operator) -> None:
    operator.write_claims([claim(1)], "night/1.csv")
    bad = operator.write("night/2.csv", BROKEN_CSV["quote within a field"][0])
    operator.write_claims([claim(3)], "night/3.csv")
    operator.refused(3, operator.folder / "night", says=[bad, "quote"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("claims.csv.gz", gzip.compress(GOOD.encode())[:-20]),
        ("claims.csv.gz", gzip.compress(GOOD.encode())[:12]),
        ("claims.csv.gz", GOOD.encode()),
        ("claims.csv.gz", b""),
        ("claims.csv", gzip.compress(GOOD.encode())[:-20]),
    ],
    ids=["cut short", "cut very short", "no gzip", "0 bytes", "cut short, named .csv"],
)
def test_a_gzip_that_is_not_whole_is_refused(operator: Operator, name: str, content: bytes) -> None:
    extract = operator.write(name, content)
    operator.refused(3, extract, says=["claims:", extract])


def test_a_gzip_of_several_parts_is_read_whole(operator: Operator) -> None:
    text = GOOD.encode()
    extract = operator.write("claims.csv.gz", gzip.compress(text[:900]) + gzip.compress(text[900:]))
    assert operator.edited(extract)["lines"].height == 20


# ---- Parquet --------------------------------------------------------------------------------


def cut(parquet: bytes, to: float) -> bytes:
    return parquet[: int(len(parquet) * to)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: cut(file, 0.99),
        lambda file: cut(file, 0.5),
        lambda file: cut(file, 0.01),
        lambda file: b"",
        lambda file: GOOD.encode(),
        lambda file: file[100:],
    ],
    ids=["end cut off", "half", "start only", "0 bytes", "CSV", "start cut off"],
)
def test_a_parquet_that_is_not_whole_is_refused(
    operator: Operator, damage: Callable[[bytes], bytes]
) -> None:
    whole = typed_claims(operator.folder / "whole.parquet").read_bytes()
    extract = operator.write("claims.parquet", damage(whole))
    operator.refused(3, extract, says=["claims:", extract, "Parquet", "again"])


def test_a_parquet_whose_pages_are_damaged_is_refused(operator: Operator) -> None:
    """Its footer tells of rows that its pages do not hold."""
    extract = typed_claims(operator.folder / "claims.parquet", rows=claims(50))
    content = bytearray(extract.read_bytes())
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[4:footer] = bytes(footer - 4)
    extract.write_bytes(content)
    operator.refused(3, extract, says=["claims:", extract, "Parquet", "again"])


def test_a_panic_of_the_parquet_reader_is_a_file_that_cannot_be_read(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some damage makes the reader panic, and its panic is no Exception."""
    extract = typed_claims(operator.folder / "claims.parquet")

    def panic(*_: Any, **__: Any) -> NoReturn:
        raise pl.exceptions.PanicException(f"capacity overflow at {MARK}-CLAIM-0")

    monkeypatch.setattr(pl.LazyFrame, "collect", panic)
    operator.refused(3, extract, says=["claims:"])


# ---- paths ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["missing.csv", "night/*.parquet", "no/folder/"])
def test_a_path_without_files_is_refused(operator: Operator, path: str) -> None:
    given = operator.folder / path
    operator.refused(3, given, says=["claims:", given, "check --claims"])


def test_a_folder_without_files_is_refused(operator: Operator) -> None:
    folder = operator.write("night/readme.txt", "nothing here").parent
    operator.refused(3, folder, says=["claims:", folder, ".parquet", "check --claims"])


def test_a_file_of_another_format_is_refused(operator: Operator) -> None:
    extract = operator.write("claims.xlsx", "PK")
    operator.refused(3, extract, says=["claims:", extract, ".parquet, .csv, .csv.gz"])


@pytest.mark.parametrize("option", ["authorizations", "members", "clinical"])
def test_another_extract_that_is_missing_is_refused(operator: Operator, option: str) -> None:
    missing = operator.folder / "missing.csv"
    extract = operator.write_claims(claims(1))
    operator.refused(
        3, extract, options=[f"--{option}", missing], says=[f"{option}:", missing, f"--{option}"]
    )


def test_an_existing_file_is_never_a_pattern(operator: Operator) -> None:
    operator.write_claims([claim(1)], "night[1].csv")
    operator.write_claims([claim(2)], "night1.csv")
    lines = operator.edited(operator.folder / "night[1].csv")["lines"]
    assert lines["claim_id"].to_list() == [f"{MARK}-CLAIM-1"]


# ---- output ---------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["claims.csv/reports", "claims.csv", "/proc/reports"])
def test_an_output_folder_that_cannot_be_made_is_wrong_usage(operator: Operator, out: str) -> None:
    extract = operator.write_claims(claims(1))
    out_option = ["--out", str(operator.folder / out)]
    operator.refused(2, extract, options=out_option, says=["--out", out, "cannot be written"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_that_may_not_be_written_is_wrong_usage(operator: Operator) -> None:
    extract = operator.write_claims(claims(1))
    operator.out.mkdir(mode=0o555)
    operator.refused(2, extract, says=["--out", operator.out, "cannot be written"])


def test_an_output_folder_is_made_with_its_parents(operator: Operator) -> None:
    out = operator.folder / "a" / "b"
    extract = operator.write_claims(claims(1))
    assert operator.run(extract, options=["--out", out]).exit_code == 0
    assert (out / f"run_id={AS_OF}" / "manifest.json").is_file()


# ---- reference data -------------------------------------------------------------------------


@pytest.fixture
def reference(operator: Operator) -> Path:
    folder = operator.folder / "reference"
    shutil.copytree(REFERENCE, folder)
    return folder


def refused_reference(operator: Operator, folder: Path, says: list[str | Path]) -> None:
    extract = operator.write_claims(claims(1))
    operator.refused(2, extract, options=["--reference-data", folder], says=says)


def test_reference_data_that_is_not_there(operator: Operator) -> None:
    missing = operator.folder / "missing"
    refused_reference(operator, missing, ["--reference-data", missing])


def test_a_folder_that_is_no_reference_data(operator: Operator) -> None:
    refused_reference(operator, operator.folder, ["--reference-data", operator.folder / "codes"])


def test_a_code_table_that_is_missing(operator: Operator, reference: Path) -> None:
    table = reference / "codes" / "hcpcs.csv"
    table.unlink()
    refused_reference(operator, reference, [table, "--reference-data"])


def test_a_code_table_without_a_column(operator: Operator, reference: Path) -> None:
    table = reference / "codes" / "hcpcs.csv"
    table.write_text(table.read_text().replace("end_date", "until"))
    refused_reference(operator, reference, [table, "column end_date"])


def test_a_code_table_with_a_value_that_cannot_be_read(operator: Operator, reference: Path) -> None:
    table = reference / "codes" / "ndc_products.csv"
    header, first, *rest = table.read_text().splitlines()
    table.write_text("\n".join([header, first, rest[0].replace("70020-", "7OO20-"), *rest[1:], ""]))
    refused_reference(operator, reference, [table, "line 3", "product"])


BROKEN_POLICIES: dict[str, tuple[Callable[[str], str], list[str]]] = {
    "not TOML": (lambda text: text + "\n[", ["TOML"]),
    "an action that is not written": (
        lambda text: text.replace('unknown = "', 'maybe = "'),
        ["unknown"],
    ),
    "an action that does not exist": (
        lambda text: text.replace('"deny"', '"refuse"'),
        ["refuse", "deny"],
    ),
    "an edit that does not exist": (
        lambda text: text.replace("[versions.edits]", "[versions.edits]\nno-such-edit = {}"),
        ["no-such-edit"],
    ),
    "another id": (
        lambda text: text.replace('id = "prime-ic-0072"', 'id = "another"'),
        ["another"],
    ),
    "no status": (lambda text: text.replace("status = ", "state = "), ["status"]),
    "a date that is text": (
        lambda text: text.replace("start_date = 2025-09-04", 'start_date = "2025-09-04"'),
        ["start_date"],
    ),
}


@pytest.mark.parametrize("fault", BROKEN_POLICIES)
def test_a_broken_policy_is_told_by_file_and_place(
    operator: Operator, reference: Path, fault: str
) -> None:
    change, says = BROKEN_POLICIES[fault]
    file = reference / "policies" / "prime-ic-0072" / "policy.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(change(before), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != before
    refused_reference(operator, reference, [file, *says])


def test_a_policy_of_drafts_governs_no_run(operator: Operator, reference: Path) -> None:
    file = reference / "policies" / "prime-ic-0072" / "policy.toml"
    text = file.read_text(encoding="utf-8").replace('"active"', '"draft"', 1)
    file.write_text(text, encoding="utf-8")
    refused_reference(operator, reference, ["--policy", "prime-ic-0072", "draft"])


def test_a_fault_of_the_reference_data_is_found_before_the_extract_is_read(
    operator: Operator, reference: Path
) -> None:
    (reference / "codes" / "states.csv").unlink()
    missing = operator.folder / "missing.csv"
    said = operator.run(missing, options=["--reference-data", reference])
    assert said.exit_code == 2
    assert "claims:" not in said.err
