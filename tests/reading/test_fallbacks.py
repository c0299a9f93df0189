"""What stands in for a value that the claims lack: Tuva's other columns, and the members extract."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from claims_edit.errors import InputError
from tests.reading.rows import claim, members_of, read_file, read_row, read_rows
from tests.support import Row, write_csv

SERVICE = date(2026, 1, 10)


@pytest.mark.parametrize(
    ("member", "person", "patient", "read"),
    [
        ("M1", "P1", "Q1", "M1"),
        ("", "P1", "Q1", "P1"),
        (" ", " P1 ", "Q1", "P1"),
        ("", "", "Q1", "Q1"),
        (None, None, "Q1", "Q1"),
        ("", "", "", None),
        ("m1", "P1", "", "m1"),
    ],
)
def test_the_member(
    member: str | None, person: str | None, patient: str | None, read: str | None
) -> None:
    row = read_row(claim(member_id=member, person_id=person, patient_id=patient))
    assert row["member_id"] == read
    assert row["failed"] == ([] if read else ["member_id:not_null"])


@pytest.mark.parametrize(
    ("own", "header", "read", "unclear"),
    [
        # A line's own date, and its own end or none.
        (("2026-01-10", ""), ("2026-01-01", "2026-01-31"), (10, 10), False),
        (("2026-01-10", "2026-01-12"), ("2026-01-01", "2026-01-31"), (10, 12), False),
        (("20260110", ""), ("", ""), (10, 10), False),
        # None of its own: both dates are the header's, whatever end the line has.
        (("", ""), ("2026-01-10", "2026-01-10"), (10, 10), False),
        ((" ", ""), ("20260110", ""), (10, 10), False),
        (("", ""), ("2026-01-10", "2026-01-12"), (10, 12), True),
        (("", ""), ("20260110", "2026-01-11"), (10, 11), True),
        (("", "2026-01-31"), ("2026-01-10", ""), (10, 10), False),
        (("", "2026-01-31"), ("2026-01-10", "2026-01-10"), (10, 10), False),
    ],
)
def test_the_service_date(
    own: tuple[str, str], header: tuple[str, str], read: tuple[int, int], unclear: bool
) -> None:
    row = read_row(
        claim(
            claim_line_start_date=own[0],
            claim_line_end_date=own[1],
            claim_start_date=header[0],
            claim_end_date=header[1],
        )
    )
    days = (row["claim_line_start_date"].day, row["claim_line_end_date"].day)
    assert (days, row["service_date_unclear"], row["failed"]) == (read, unclear, [])


@pytest.mark.parametrize(
    ("own", "header", "failed"),
    [
        (("", ""), ("", ""), ["claim_line_start_date:not_null"]),
        (("", "2026-01-10"), ("", "2026-01-10"), ["claim_line_start_date:not_null"]),
        # A date that cannot be read is not the same as none: the header does not stand in for it.
        (("Monday", ""), ("2026-01-10", ""), ["claim_line_start_date:readable"]),
        (("2026-01-10", "later"), ("", ""), ["claim_line_end_date:readable"]),
        (("", ""), ("Monday", "2026-01-10"), ["claim_line_start_date:readable"]),
        (("", ""), ("2026-01-10", "later"), ["claim_line_end_date:readable"]),
        (("", ""), ("2026-01-10", "2026-01-09"), ["claim_line_end_date:not_before_start"]),
        (("2026-01-10", "2026-01-09"), ("", ""), ["claim_line_end_date:not_before_start"]),
    ],
)
def test_service_dates_that_are_none(
    own: tuple[str, str], header: tuple[str, str], failed: list[str]
) -> None:
    row = claim(
        claim_line_start_date=own[0],
        claim_line_end_date=own[1],
        claim_start_date=header[0],
        claim_end_date=header[1],
    )
    assert read_row(row)["failed"] == failed


@pytest.mark.parametrize(
    ("claim_type", "code", "bill_type", "read"),
    [
        ("institutional", "", "0137", "7"),
        ("institutional", "", "138", "8"),
        ("Institutional", " ", " 0137 ", "7"),
        ("institutional", "", "0131", "1"),
        ("institutional", "", "", "1"),
        ("institutional", "", "013G", "1"),
        ("institutional", "1", "0137", "1"),
        ("institutional", "8", "0137", "8"),
        ("institutional", "x", "0137", "1"),
        ("professional", "", "0137", "1"),
        ("", "", "0137", "1"),
        ("professional", "7", "", "7"),
        ("professional", " 8 ", "", "8"),
        ("professional", "07", "", "1"),
        ("professional", "6", "", "1"),
    ],
)
def test_the_frequency(claim_type: str, code: str, bill_type: str, read: str) -> None:
    row = claim(claim_type=claim_type, claim_frequency_code=code, bill_type_code=bill_type)
    assert read_row(row)["claim_frequency_code"] == read


def test_no_claim_type_is_professional() -> None:
    assert read_row(claim(claim_type=""))["claim_type"] == "professional"


# ---- members --------------------------------------------------------------------------------

LACKING = {"birth_date": "", "gender": "", "member_state": "", "line_of_business": ""}


def enrolled(state: str, start: str = "", end: str = "", **cells: str | None) -> Row:
    row: Row = {
        "member_id": "M1",
        "birth_date": "1980-01-01",
        "gender": "male",
        "state": state,
        "payer_type": "medicaid",
        "enrollment_start_date": start,
        "enrollment_end_date": end,
    }
    return row | cells


def state_of(folder: Path, *rows: Row) -> Any:
    """The state that a line without one gets, whatever the order of the members' rows."""
    orders = list(permutations(rows))[:6]
    states = {
        read_row(claim(**LACKING), members_of(folder, order))["member_state"] for order in orders
    }
    (state,) = states
    return state


@pytest.mark.parametrize("id_column", ["member_id", "person_id", "patient_id"])
def test_the_members_fill_what_the_claims_lack(tmp_path: Path, id_column: str) -> None:
    row = enrolled("GA")
    row[id_column] = row.pop("member_id")
    read = read_row(claim(**LACKING), members_of(tmp_path, [row]))
    assert (read["birth_date"], read["gender"]) == (date(1980, 1, 1), "male")
    assert (read["member_state"], read["line_of_business"], read["failed"]) == (
        "GA",
        "medicaid",
        [],
    )


def test_the_claim_has_the_first_word(tmp_path: Path) -> None:
    members = members_of(tmp_path, [enrolled("GA")])
    read = read_row(claim(), members)
    assert (read["birth_date"], read["gender"]) == (date(1970, 5, 5), "female")
    assert (read["member_state"], read["line_of_business"]) == ("TN", "commercial")
    assert read_row(claim(gender=""), members)["gender"] == "male"


def test_a_value_that_cannot_be_read_is_not_filled(tmp_path: Path) -> None:
    read = read_row(claim(gender="w"), members_of(tmp_path, [enrolled("GA")]))
    assert (read["gender"], read["failed"]) == ("w", ["gender:known_value"])


def test_another_member_fills_nothing(tmp_path: Path) -> None:
    members = members_of(tmp_path, [enrolled("GA", member_id="m1")])
    read = read_row(claim(**LACKING), members)
    assert (read["gender"], read["failed"]) == (None, ["line_of_business:not_null"])


def test_bad_values_of_a_member_reject_the_line_that_needs_them(tmp_path: Path) -> None:
    members = members_of(
        tmp_path, [enrolled("GA", birth_date="long ago", gender="w", payer_type="dual")]
    )
    failed = ["birth_date:readable", "gender:known_value", "line_of_business:known_value"]
    assert read_row(claim(**LACKING), members)["failed"] == failed
    assert read_row(claim(), members)["failed"] == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("GA", "GA"),
        ("ga", "GA"),
        (" Ga ", "GA"),
        ("Georgia", "GA"),
        ("georgia", "GA"),
        ("NORTH CAROLINA", "NC"),
        ("Puerto Rico", "PR"),
        ("ZZ", "ZZ"),
        ("Georgien", None),
        ("G", None),
        ("GA-1", None),
        ("13", None),
        ("", None),
    ],
)
def test_states_by_letters_or_by_name(tmp_path: Path, written: str, read: str | None) -> None:
    row = read_row(claim(**LACKING), members_of(tmp_path, [enrolled(written)]))
    assert (row["member_state"], row["failed"]) == (read, [])


def test_a_claim_itself_names_no_state_by_name() -> None:
    assert read_row(claim(member_state="Georgia"))["failed"] == ["member_state:two_letters"]


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        # The row that covers the service date, its first and last day included.
        ([enrolled("GA", "2025-01-01", "2025-12-31"), enrolled("AL", "2026-01-01", "2026-12-31")], "AL"),
        ([enrolled("GA", "2026-01-10", "2026-01-10"), enrolled("AL", "2026-01-11", "2026-12-31")], "GA"),
        ([enrolled("GA", "2026-01-01", "2026-01-09"), enrolled("AL", "2025-01-01", "2026-01-10")], "AL"),
        ([enrolled("GA", "2026-02-01", ""), enrolled("AL", "", "2026-01-10")], "AL"),
        ([enrolled("GA", "2026-02-01", ""), enrolled("AL", "", "")], "AL"),
        # Of several, the latest to start; no start is the earliest.
        ([enrolled("GA", "2025-01-01", ""), enrolled("AL", "2025-06-01", "")], "AL"),
        ([enrolled("GA", "", ""), enrolled("AL", "1990-01-01", "")], "AL"),
        # Then the latest to end; no end is the latest.
        ([enrolled("GA", "2026-01-01", "2026-06-30"), enrolled("AL", "2026-01-01", "2026-12-31")], "AL"),
        ([enrolled("GA", "2026-01-01", ""), enrolled("AL", "2026-01-01", "2026-12-31")], "GA"),
        # Then the smallest values: birth date, gender, state, payer type.
        ([enrolled("GA"), enrolled("AL")], "AL"),
        ([enrolled("AL", birth_date="1990-01-01"), enrolled("GA", birth_date="1980-01-01")], "GA"),
        ([enrolled("AL", gender="male"), enrolled("GA", gender="female")], "GA"),
        # Without a row that covers it, the latest to start, though it be later than the service.
        ([enrolled("GA", "2025-01-01", "2025-06-30"), enrolled("AL", "2025-07-01", "2025-12-31")], "AL"),
        ([enrolled("GA", "2025-01-01", "2025-12-31"), enrolled("AL", "2026-02-01", "")], "AL"),
        # A date of enrollment that cannot be read is none.
        ([enrolled("GA", "2025-01-01", "2025-12-31"), enrolled("AL", "then", "now")], "AL"),
        # The same row twice is one.
        ([enrolled("GA"), enrolled("GA")], "GA"),
    ],
)  # fmt: skip
def test_which_row_of_a_member(tmp_path: Path, rows: list[Row], state: str) -> None:
    assert state_of(tmp_path, *rows) == state


def test_several_rows_of_a_member_multiply_no_line(tmp_path: Path) -> None:
    members = members_of(tmp_path, [enrolled("GA"), enrolled("AL"), enrolled("TN", "2026-01-01")])
    rows = [claim(claim_line_number=str(n), **LACKING) for n in range(1, 5)]
    read = read_rows(rows, members).rows
    assert read["claim_line_number"].to_list() == [1, 2, 3, 4]


def test_the_member_is_chosen_by_the_date_of_the_header(tmp_path: Path) -> None:
    rows = [enrolled("GA", "2025-01-01", "2025-12-31"), enrolled("AL", "2026-01-01", "")]
    line = claim(
        **LACKING, claim_line_start_date="", claim_start_date="2025-12-31", claim_end_date=""
    )
    assert read_row(line, members_of(tmp_path, rows))["member_state"] == "GA"


# ---- which columns must be there ------------------------------------------------------------


def test_the_line_of_business_may_come_from_the_members_alone(tmp_path: Path) -> None:
    row = claim()
    del row["line_of_business"]
    path = write_csv(tmp_path / "claims.csv", [row])
    members = members_of(tmp_path, [enrolled("GA")])
    assert read_file(path, members).lines["line_of_business"].to_list() == ["medicaid"]
    with pytest.raises(InputError, match=r"claims\.csv: .*column line_of_business is missing"):
        read_file(path)


@pytest.mark.parametrize("stand_in", ["person_id", "patient_id"])
def test_an_older_column_stands_for_the_member(tmp_path: Path, stand_in: str) -> None:
    row = claim()
    row[stand_in] = row.pop("member_id")
    path = write_csv(tmp_path / "claims.csv", [row])
    assert read_file(path).lines["member_id"].to_list() == ["M1"]


def test_the_header_date_stands_for_the_line_date(tmp_path: Path) -> None:
    row = claim()
    row["claim_start_date"] = row.pop("claim_line_start_date")
    path = write_csv(tmp_path / "claims.csv", [row])
    assert read_file(path).lines["claim_line_start_date"].to_list() == [SERVICE]


@pytest.mark.parametrize(
    "column",
    ["claim_id", "claim_line_number", "member_id", "claim_line_start_date",
     "service_unit_quantity", "charge_amount"],
)  # fmt: skip
def test_a_required_column_that_nothing_stands_for(tmp_path: Path, column: str) -> None:
    row = claim()
    del row[column]
    path = write_csv(tmp_path / "claims.csv", [row])
    with pytest.raises(InputError, match=rf"claims\.csv: the required column {column}\b.*missing"):
        read_file(path)
