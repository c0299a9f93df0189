"""Every table has its header, is whole, dated and in order."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import groupby, pairwise
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import pytest

from tests.reference.data import (
    CODES,
    OTHER_POLICY,
    POLICIES,
    POLICY,
    REFERENCE_DATA,
    TERMS,
    Row,
    period,
    read,
)

# table -> (header, the columns that name what a row is about)
TABLES: dict[Path, tuple[str, tuple[str, ...]]] = {
    CODES / "icd10cm.csv": ("code,description,sex,start_date,end_date,source", ("code",)),
    CODES / "hcpcs.csv": ("code,description,start_date,end_date,source", ("code",)),
    CODES / "ndc_products.csv": (
        "product,hcpcs_code,description,units_per_package,start_date,end_date,source",
        ("product",),
    ),
    CODES / "adjustment_codes.csv": (
        "type,code,description,start_date,end_date,source",
        ("type", "code"),
    ),
    CODES / "mac_jurisdictions.csv": (
        "jurisdiction,state,contractor,note,start_date,end_date,source",
        ("state",),
    ),
    CODES / "partner_drugs.csv": (
        "drug,hcpcs_code,start_date,end_date,source",
        ("drug", "hcpcs_code"),
    ),
    CODES / "states.csv": ("code,name,source", ("name",)),
    POLICY / "covered_diagnoses.csv": (
        "version,code,description,start_date,end_date,section,source",
        ("version", "code"),
    ),
}
OPTIONAL_COLUMNS = {"start_date", "end_date", "sex", "note"}

OUTLINE = "place,rule,reads,comparator,value,title,if_not_met"
# The same of the tables that keep the order of a document.
OF_DOCUMENTS: dict[Path, tuple[str, tuple[str, ...]]] = {
    TERMS: (f"term,{OUTLINE},section,source", ("term", "place")),
    **{
        path: content
        for folder in (POLICY, OTHER_POLICY)
        for path, content in (
            (
                folder / "criteria.csv",
                (f"version,request_type,{OUTLINE},sentence", ("version", "request_type", "place")),
            ),
            (
                folder / "sentences.csv",
                (
                    "version,sentence,section,text,decided_by,undecided_because",
                    ("version", "sentence"),
                ),
            ),
        )
    },
}
MAY_BE_EMPTY = {"reads", "comparator", "value", "if_not_met", "decided_by", "undecided_because"}
CASES = sorted(POLICIES.glob("*/cases/*.csv"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


tables = pytest.mark.parametrize("path", TABLES, ids=name_of)
of_documents = pytest.mark.parametrize("path", OF_DOCUMENTS, ids=name_of)
all_tables = pytest.mark.parametrize("path", [*TABLES, *OF_DOCUMENTS], ids=name_of)


def test_no_table_is_left_out_of_these_tests() -> None:
    assert set(REFERENCE_DATA.rglob("*.csv")) == {*TABLES, *OF_DOCUMENTS, *CASES}
    assert {path.parent.name for path in REFERENCE_DATA.rglob("*.csv")} == {
        *("codes", "criteria", "cases"),
        *(POLICY.name, OTHER_POLICY.name),
    }


def test_there_is_nothing_else_in_the_folder_of_codes() -> None:
    assert set(CODES.iterdir()) == {path for path in TABLES if path.parent == CODES}


@all_tables
def test_the_header(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == (TABLES | OF_DOCUMENTS)[path][0]


@pytest.mark.parametrize("path", [*TABLES, *OF_DOCUMENTS, *CASES], ids=name_of)
def test_form(path: Path) -> None:
    raw = path.read_bytes()
    lines = raw.decode("utf-8").splitlines()
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert not raw.endswith(b"\n\n")
    assert [line for line in lines if line != line.rstrip()] == []
    assert b"\xef\xbb\xbf" not in raw


@all_tables
def test_rows_are_whole(path: Path) -> None:
    rows = read(path)
    assert rows
    header = (TABLES | OF_DOCUMENTS)[path][0].split(",")
    assert [row for row in rows if list(row) != header or None in row.values()] == []
    values = [list(row.values()) for row in rows]
    assert [value for row in values for value in row if value != value.strip()] == []


@tables
def test_rows_are_sorted(path: Path) -> None:
    values = [list(row.values()) for row in read(path)]
    assert values == sorted(values)


@of_documents
def test_rows_of_one_document_stand_together_and_each_once(path: Path) -> None:
    key = OF_DOCUMENTS[path][1]
    rows = [tuple(row[name] for name in key) for row in read(path)]
    assert len(rows) == len(set(rows))
    wholes = [row[:-1] for row in rows]
    assert [whole for whole, _ in groupby(wholes)] == list(dict.fromkeys(wholes))


@of_documents
def test_rows_of_documents_have_their_required_values(path: Path) -> None:
    header = OF_DOCUMENTS[path][0].split(",")
    required = [name for name in header if name not in MAY_BE_EMPTY]
    assert [row for row in read(path) if not all(row[name] for name in required)] == []


@pytest.mark.parametrize(
    "path", [path for path in OF_DOCUMENTS if path.stem != "sentences"], ids=name_of
)
def test_outlines_are_numbered_in_order(path: Path) -> None:
    """1, 2, 3 are required together, a, b, c or A, B, C are alternatives: none is left out."""
    key = OF_DOCUMENTS[path][1][:-1]
    rules = {(*(row[k] for k in key), row["place"]): row["rule"] for row in read(path)}
    under: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in rules:
        parent, _, own = row[-1].rpartition(".")
        under[(*row[:-1], parent)].append(own)
    for row, owns in under.items():
        if rules.get(row) == "any":
            assert owns in (list(ascii_lowercase[: len(owns)]), list(ascii_uppercase[: len(owns)]))
        else:
            assert owns == [str(n) for n in range(1, len(owns) + 1)], row


@tables
def test_every_row_has_a_source_and_its_required_values(path: Path) -> None:
    required = [name for name in TABLES[path][0].split(",") if name not in OPTIONAL_COLUMNS]
    assert "source" in required
    assert [row for row in read(path) if not all(row[name] for name in required)] == []


@tables
def test_dated_rows_do_not_repeat_or_overlap(path: Path) -> None:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in read(path):
        groups[tuple(row[name].lower() for name in TABLES[path][1])].append(row)
    if path.stem == "states":
        assert [key for key, rows in groups.items() if len(rows) > 1] == []
        return
    for key, rows in groups.items():
        periods = sorted(period(row) for row in rows)
        assert all(start <= end for start, end in periods), key
        assert all(a[1] < b[0] for a, b in pairwise(periods)), key


@tables
def test_dates_are_iso(path: Path) -> None:
    columns = [name for name in TABLES[path][0].split(",") if name.endswith("_date")]
    dates = [row[name] for row in read(path) for name in columns if row[name]]
    assert [text for text in dates if not re.fullmatch(r"\d{4}-\d\d-\d\d", text)] == []
