"""Which lines stand in the queue, and what is asked of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.errors import InputError
from claims_edit.masking import NO_MASKING
from claims_edit.review import queue
from claims_edit.review.query import SORTS, Query
from claims_edit.review.words import Decision
from tests.cli.support import authorization, claim
from tests.review.support import TODAY, Office, an_office
from tests.runs.support import published
from tests.support import Row, write_csv


def night(out: Path, day: int, *rows: Row) -> Path:
    """A night of some claims of members who all have an authorization."""
    folder = out.parent / "extracts"
    folder.mkdir(exist_ok=True)
    claims = write_csv(folder / f"{day}.csv", rows)
    approved = write_csv(folder / "auths.csv", [authorization(number) for number in range(20)])
    as_of = date(2026, 2, day)
    return published(
        out,
        claims,
        authorizations=approved,
        members=None,
        clinical=None,
        as_of=as_of,
        run_id=as_of.isoformat(),
        replace=True,
    )


def bad(number: int, **changes: str | None) -> Row:
    """A line that is denied: its diagnosis is not covered."""
    return claim(number, **({"diagnosis_code_1": "C34.90"} | changes))


def current(out: Path) -> dict[tuple[str, str], bool]:
    lines = queue.load(out, NO_MASKING).shown
    return {(r["claim_id"], r["run_id"]): r["current"] for r in lines.rows(named=True)}


def matching(office: Office, **asked: str) -> pl.DataFrame:
    return Query.of({"state": "any"} | asked).matching(office.desk.look().lines, TODAY)


def test_the_queue_has_the_flagged_lines_of_all_runs(out: Path, tmp_path: Path) -> None:
    flagged = pl.read_parquet(out / "run_id=2026-02-28/flagged_lines.parquet")
    lines = queue.load(out, NO_MASKING).shown
    assert lines.select(flagged.columns).equals(flagged)
    night(tmp_path / "two", 1, bad(1), claim(2))
    night(tmp_path / "two", 2, bad(3))
    assert sorted(current(tmp_path / "two")) == [
        ("ZQ-CLAIM-1", "2026-02-01"),
        ("ZQ-CLAIM-3", "2026-02-02"),
    ]


def test_what_a_page_calls_a_line_has_no_id_in_it_and_is_its_own(out: Path) -> None:
    lines = queue.load(out, NO_MASKING).shown
    assert lines["ref"].n_unique() == lines.height
    assert lines["ref"].str.contains(r"^1-\d+-[0-9a-f]{10}$").all()
    assert lines["ref"].equals(queue.load(out, NO_MASKING).shown["ref"])


OTHER: Row = {"claim_frequency_code": "7", "original_claim_id": "ZQ-CLAIM-1"}
OWN = OTHER | {"member_id": "ZQ-MEMBER-1"}
OUT_OF_SCOPE: Row = {"hcpcs_code": "J9999", "ndc_code": None, "claim_frequency_code": "8"}


@pytest.mark.parametrize(
    ("later", "stands"),
    [
        (bad(1), False),
        (bad(9, **OTHER), True),
        (bad(9, **OWN | {"claim_frequency_code": "1"}), True),
        (bad(9, **OWN), False),
        (bad(9, **OWN | {"claim_frequency_code": "8"}), False),
        (bad(9, **OWN | OUT_OF_SCOPE), False),
        (bad(2), True),
    ],
    ids=[
        "sent again",
        "of another member",
        "an original",
        "replaced",
        "voided",
        "voided out of scope",
        "another",
    ],
)
def test_a_line_whose_claim_comes_again_in_a_later_run_is_not_current(
    tmp_path: Path, later: Row, stands: bool
) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1))
    night(out, 2, later)
    assert current(out)[("ZQ-CLAIM-1", "2026-02-01")] is stands


MINE: Row = {"member_id": "ZQ-MEMBER-1"}
REPLACEMENT = MINE | {"claim_frequency_code": "7", "original_claim_id": "ZQ-CLAIM-50"}
VOID = REPLACEMENT | {"claim_frequency_code": "8"}
ABSENT: Row = {"original_claim_id": "ZQ-CLAIM-49"}


@pytest.mark.parametrize("first", [bad(50, **MINE), bad(60)], ids=["known", "never arrived"])
@pytest.mark.parametrize(
    "later",
    [
        bad(52, **VOID),
        bad(52, **VOID | OUT_OF_SCOPE),
        bad(52, **REPLACEMENT),
        bad(52, **REPLACEMENT | {"original_claim_id": "ZQ-CLAIM-51"}),
    ],
    ids=["voided", "voided out of scope", "replaced", "replaced itself"],
)
def test_a_replacement_is_not_current_when_another_version_of_its_claim_comes(
    tmp_path: Path, first: Row, later: Row
) -> None:
    out = tmp_path / "out"
    night(out, 1, first)
    night(out, 2, bad(51, **REPLACEMENT))
    assert current(out)[("ZQ-CLAIM-51", "2026-02-02")]
    night(out, 3, later)
    # A row out of scope counts where it names a claim that was ever in scope.
    void_of_none = first["claim_id"] == "ZQ-CLAIM-60" and later["hcpcs_code"] == "J9999"
    assert current(out)[("ZQ-CLAIM-51", "2026-02-02")] is void_of_none


def test_a_claim_that_is_named_as_an_original_links_no_others(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(51, **MINE, **ABSENT))
    night(out, 2, bad(52, **MINE, **ABSENT))
    assert list(current(out).values()) == [True, True]


def test_what_is_not_current_is_hidden_unless_it_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1))
    night(out, 2, bad(1))
    with an_office(out) as office:
        assert matching(office)["run_id"].to_list() == ["2026-02-02"]
        assert matching(office, past="1").height == 2


def test_age_is_counted_from_receipt_or_else_from_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 20, bad(1, received_date="2026-02-10"), bad(2))
    with an_office(out) as office:
        ages = {r["claim_id"]: (TODAY - r["since"]).days for r in matching(office).rows(named=True)}
        assert ages == {"ZQ-CLAIM-1": 23, "ZQ-CLAIM-2": 13}
        assert matching(office, older="14")["claim_id"].to_list() == ["ZQ-CLAIM-1"]
        assert matching(office, older="13", younger="13")["claim_id"].to_list() == ["ZQ-CLAIM-2"]
        assert matching(office, sort="-age")["claim_id"][0] == "ZQ-CLAIM-1"
        assert matching(office, sort="age")["claim_id"][0] == "ZQ-CLAIM-2"


# ---- filters ---------------------------------------------------------------------------------


def rows_where(lines: pl.DataFrame, asked: Mapping[str, str]) -> set[str]:
    """The oracle: what a filter asks for, line by line."""

    def fits(row: dict[str, Any]) -> bool:
        stake: Decimal = row["charge_at_stake"]
        edits = [*row["edit_ids"], *row["unknown_edit_ids"]]
        ids = f"{row['claim_id']} {row['member_id']}".lower()
        answers: dict[str, Callable[[str], bool]] = {
            "edit": lambda v: v in edits,
            "disposition": lambda v: v == row["disposition"],
            "min": lambda v: stake >= Decimal(v.replace(",", "")),
            "max": lambda v: stake <= Decimal(v.replace(",", "")),
            "provider": lambda v: v in (row["rendering_npi"], row["billing_npi"]),
            "text": lambda v: v.lower() in ids,
            "run": lambda v: v == row["run_id"],
        }
        return all(answers[name](value) for name, value in asked.items())

    return {row["ref"] for row in lines.rows(named=True) if fits(row)}


@pytest.mark.parametrize(
    "asked",
    [
        {"edit": "diagnosis-invalid"},
        {"edit": "coverage-criteria"},
        {"disposition": "partial"},
        {"min": "9,000"},
        {"max": "8999.99"},
        {"min": "1000", "max": "5250"},
        {"provider": "1000000002"},
        {"text": "c-009"},
        {"text": "M-0065"},
        {"run": "2026-02-28", "disposition": "flag", "edit": "ndc-units-conflict"},
        {"edit": "no-such-edit"},
    ],
    ids=str,
)
def test_a_filter_finds_what_it_asks_for_and_nothing_else(
    office: Office, asked: dict[str, str]
) -> None:
    lines = office.desk.look().lines
    expected = rows_where(lines, asked)
    assert set(matching(office, **asked)["ref"]) == expected
    assert len(expected) < lines.height
    assert expected or asked["edit"] == "no-such-edit"


@pytest.mark.parametrize("sort", SORTS)
def test_a_sort_orders_all_lines_and_nothing_is_left_to_chance(office: Office, sort: str) -> None:
    for name, descending in ((sort, sort == "age"), (f"-{sort}", sort != "age")):
        found = matching(office, sort=name)[SORTS[sort]]
        values = [v for v in found if v is not None]
        assert values == sorted(values, reverse=descending)
        assert found.null_count() == found.tail(found.null_count()).null_count()  # nulls are last
        assert len(found) == office.desk.look().lines.height


def test_lines_are_found_by_where_they_stand(office: Office) -> None:
    marks = [office.mark(f"C-00{n}") for n in (10, 11, 12, 13)]
    office.desk.decide(marks[:2], Decision("uphold"), "Ann")
    office.desk.decide(marks[2:3], Decision("documents"), "Ben")
    office.desk.assign([office.mark("C-0011"), office.mark("C-0013")], "Cleo", "Ann")

    def found(**asked: str) -> list[str]:
        return matching(office, sort="claim", **asked)["claim_id"].to_list()

    assert found(state="uphold") == ["C-0010", "C-0011"]
    assert found(state="documents") == ["C-0012"]
    assert found(state="override") == []
    assert found(state="decided") == ["C-0010", "C-0011", "C-0012"]
    assert "C-0010" not in found(state="undecided")
    assert len(found(state="undecided")) == office.desk.look().lines.height - 3
    assert found(state="any", assignee="Cleo") == ["C-0011", "C-0013"]
    assert "C-0013" not in found(state="any", assignee="nobody")
    assert found(state="undecided", assignee="Cleo") == ["C-0013"]


@pytest.mark.parametrize(
    "given",
    [
        {"min": "much"}, {"older": "NaN"}, {"younger": "1e999999"}, {"max": "Infinity"},
        {"older": "99999999999999"}, {"page": "-3"}, {"page": "x"}, {"size": "7"}, {"sort": "; drop"},
        {"state": "?"}, {"unknown": "1"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_asked(office: Office, given: dict[str, str]) -> None:
    assert matching(office, **({"state": "any"} | given)).height > 0


def test_a_link_says_what_differs_and_reads_back() -> None:
    query = Query.of({"text": "a&b c", "sort": "age", "page": "3", "size": "250", "past": "1"})
    assert query.link() == "text=a%26b+c&past=1&sort=age&size=250&page=3"
    assert Query().link() == ""
    assert query.link(page=1, past="") == "text=a%26b+c&sort=age&size=250"


# ---- runs that come and go -------------------------------------------------------------------


def test_runs_that_are_published_meanwhile_appear(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1))
    with an_office(out) as office:
        assert office.desk.look() is office.desk.look()
        night(out, 2, bad(2))
        assert set(office.desk.look().lines["claim_id"]) == {"ZQ-CLAIM-1", "ZQ-CLAIM-2"}
        shutil.rmtree(out / "run_id=2026-02-02")
        assert set(office.desk.look().lines["claim_id"]) == {"ZQ-CLAIM-1"}


def test_a_decision_on_a_line_that_reads_otherwise_now_does_not_stand(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1), bad(2))
    with an_office(out) as office:
        marks = [office.mark("ZQ-CLAIM-1"), office.mark("ZQ-CLAIM-2")]
        office.desk.decide(marks, Decision("uphold"), "Ann")
        night(out, 1, bad(1, service_unit_quantity="45", ndc_quantity="1"), bad(2))
        assert matching(office, state="changed")["claim_id"].to_list() == ["ZQ-CLAIM-1"]
        assert matching(office, state="uphold")["claim_id"].to_list() == ["ZQ-CLAIM-2"]
        row = office.row("ZQ-CLAIM-1")
        assert (row["version"], row["decision"], row["changed"]) == (1, None, True)
        rates = office.browser().text("/rates")
        assert re.findall(r'<td class="number">([^<]*)</td>', rates) == ["1", "1", "0", "0", "0 %"]
        assert "1 decision left out: " in rates
        office.desk.decide([office.mark("ZQ-CLAIM-1")], Decision("documents"), "Ben")
        assert matching(office, state="changed").height == 0
        assert "left out" not in office.browser().text("/rates")


def test_rates_leave_out_the_decisions_of_a_run_that_is_gone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1))
    night(out, 2, bad(2))
    with an_office(out) as office:
        office.desk.decide([office.mark("ZQ-CLAIM-2")], Decision("uphold"), "Ann")
        shutil.rmtree(out / "run_id=2026-02-02")
        rates = office.browser().text("/rates")
        assert "1 decision left out: " in rates
        assert "No decision stands." in rates
        assert "Nothing was decided yet." not in rates


def test_runs_that_cannot_be_read_any_more_leave_the_queue_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    night(out, 1, bad(1))
    second = night(out, 2, bad(2))
    with an_office(out) as office:
        manifest = (second / "manifest.json").read_bytes()
        (second / "manifest.json").write_bytes(manifest.replace(b"2026-02-02", b"2026-02-03"))
        sight = office.desk.look()
        assert sight.lines.height == 2
        assert sight.warning is not None and "cannot be read" in sight.warning
        office.desk.decide([office.mark("ZQ-CLAIM-1")], Decision("uphold"), "Ann")
        assert office.desk.look().warning == sight.warning
        (second / "manifest.json").write_bytes(manifest)
        assert office.desk.look().warning is None


def test_a_table_that_is_damaged_is_an_input_error(tmp_path: Path) -> None:
    folder = night(tmp_path / "out", 1, bad(1))
    (folder / "flagged_lines.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match="claims-edit verify"):
        queue.load(tmp_path / "out", NO_MASKING)


def test_a_run_of_an_older_version_is_read_with_nulls_for_what_it_lacks(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = night(out, 1, bad(1)) / "flagged_lines.parquet"
    pl.read_parquet(file).drop("ndc_11", "billing_npi").write_parquet(file)
    lines = queue.load(out, NO_MASKING).shown
    assert lines["claim_id"].to_list() == ["ZQ-CLAIM-1"]
    assert lines["ndc_11"].to_list() == [None]
