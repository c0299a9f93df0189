"""Every mistake in a table of the reference data is one message: the file, the line, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.folder import (
    COVERED,
    CRITERIA,
    PARTNERS,
    SENTENCES,
    TABLES,
    TERMS,
    refused,
    spoiled,
    written,
)

CODE_TABLES = [name for name in TABLES if name.startswith("codes/")]


@pytest.mark.parametrize("name", CODE_TABLES)
def test_a_table_that_is_not_there(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path)
    (folder / name).unlink()
    message = refused(folder)
    assert str(folder / name) in message
    assert message.endswith("cannot be read as a CSV table; check --reference-data.")


@pytest.mark.parametrize("name", [*CODE_TABLES, COVERED, CRITERIA, SENTENCES, TERMS])
def test_a_column_that_is_missing(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path)
    columns = TABLES[name].splitlines()[0].split(",")
    for column in columns:
        (folder / name).write_text(TABLES[name].replace(column, "other", 1), encoding="utf-8")
        message = f"{folder / name}: the column {column} is missing; add it."
        assert refused(folder) == f"reference data: {message}"


@pytest.mark.parametrize("name", [*CODE_TABLES, COVERED, TERMS])
def test_a_row_without_a_source(tmp_path: Path, name: str) -> None:
    folder = spoiled(tmp_path, name, "made up", "")
    place = f"{folder / name}: line 2: breaks the rule source:not_null; mend the table."
    assert refused(folder) == f"reference data: {place}"


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        (
            "codes/icd10cm.csv",
            "2025-01-01",
            "2025-13-01",
            "line 3: start_date cannot be read as Date",
        ),
        (
            "codes/icd10cm.csv",
            "2025-12-31",
            "31.12.2025",
            "line 3: end_date cannot be read as Date",
        ),
        (
            "codes/icd10cm.csv",
            "2025-12-31",
            "2024-12-31",
            "line 3: breaks the rule end_date:not_before_start",
        ),
        ("codes/icd10cm.csv", "female", "women", "line 2: breaks the rule sex:known_value"),
        ("codes/icd10cm.csv", "A01.1,", "01A.1,", "line 2: breaks the rule code:dotted"),
        ("codes/icd10cm.csv", "B01.2,", ",", "line 3: breaks the rule code:not_null"),
        ("codes/hcpcs.csv", "2020-01-01", "2020", "line 2: start_date cannot be read as Date"),
        (
            "codes/ndc_products.csv",
            "01234-0056",
            "1234-0056",
            "line 2: breaks the rule product:labeler-product",
        ),
        (
            "codes/ndc_products.csv",
            "01234-0056",
            "012340056",
            "line 2: breaks the rule product:labeler-product",
        ),
        (
            "codes/ndc_products.csv",
            "2.5",
            "many",
            "line 2: units_per_package cannot be read as Decimal",
        ),
        ("codes/ndc_products.csv", "2.5", "0", "line 2: breaks the rule units_per_package:above_0"),
        ("codes/ndc_products.csv", "2.5", "", "line 2: breaks the rule units_per_package:not_null"),
        ("codes/adjustment_codes.csv", "carc", "crac", "line 2: breaks the rule type:known_value"),
        (
            "codes/mac_jurisdictions.csv",
            "TN",
            "Tennessee",
            "line 2: breaks the rule state:two_letters",
        ),
        (PARTNERS, "helper,H0001", ",H0001", "line 2: breaks the rule drug:not_null"),
        (PARTNERS, "helper,H0002", "helper,", "line 3: breaks the rule hcpcs_code:not_null"),
        (PARTNERS, "2025-06-01", "June", "line 3: start_date cannot be read as Date"),
        (PARTNERS, "2025-05-31", "2025-05-32", "line 2: end_date cannot be read as Date"),
        (
            PARTNERS,
            "2025-06-01,",
            "2025-06-01,2025-05-01",
            "line 3: breaks the rule end_date:not_before_start",
        ),
        (
            PARTNERS,
            "helper,H0002,2025-06-01",
            "helper,H0001,2025-05-31",
            "line 3: another row of the same drug and hcpcs_code overlaps it",
        ),
        (TERMS, "tried,1,any", ",1,any", "line 2: breaks the rule term:not_null"),
        (TERMS, "tried,1,any", "tried,,any", "line 2: breaks the rule place:not_null"),
        (TERMS, "1,any", "1,either", "line 2: breaks the rule rule:known_value"),
        (TERMS, "at least", "from", "line 3: breaks the rule comparator:known_value"),
        (TERMS, "second line or later", "", "line 3: breaks the rule title:not_null"),
        (TERMS, "Words", "", "line 2: breaks the rule section:not_null"),
        (
            TERMS,
            "tried,1.b",
            "tried,1.a",
            "line 4: another row of the same term and place overlaps it",
        ),
        (
            CRITERIA,
            "first,initial,1,any",
            "first,first,1,any",
            "line 2: breaks the rule request_type:known_value",
        ),
        (CRITERIA, "first,renewal,1", "first,,1", "line 7: breaks the rule request_type:not_null"),
        (
            CRITERIA,
            "first,initial,1,any",
            ",initial,1,any",
            "line 2: breaks the rule version:not_null",
        ),
        (CRITERIA, "1.B,fact", "1.B,facts", "line 6: breaks the rule rule:known_value"),
        (
            CRITERIA,
            "is not small,small",
            "is not small,",
            "line 6: breaks the rule sentence:not_null",
        ),
        (
            CRITERIA,
            "first,initial,1.B",
            "first,initial,1.A",
            "line 6: another row of the same version and request_type and place overlaps it",
        ),
        (SENTENCES, "first,either", "first,", "line 2: breaks the rule sentence:not_null"),
        (SENTENCES, "small,Criteria", "small,", "line 3: breaks the rule section:not_null"),
        (SENTENCES, "Or small.", "", "line 3: breaks the rule text:not_null"),
        (
            SENTENCES,
            "no data says who is kind",
            "",
            "line 5: breaks the rule decided_by:either_it_or_a_reason",
        ),
        (
            SENTENCES,
            "Be kind.,",
            "Be kind.,coverage-criteria",
            "line 5: breaks the rule decided_by:either_it_or_a_reason",
        ),
        (
            SENTENCES,
            "first,small",
            "first,either",
            "line 3: another row of the same version and sentence overlaps it",
        ),
        (COVERED, "first,A01.1", ",A01.1", "line 2: breaks the rule version:not_null"),
        (COVERED, "B01.2", "B0", "line 4: breaks the rule code:dotted"),
        (COVERED, "Second,,", "Second,soon,", "line 4: start_date cannot be read as Date"),
    ],
)
def test_a_row_that_is_wrong(tmp_path: Path, name: str, old: str, new: str, place: str) -> None:
    folder = spoiled(tmp_path, name, old, new)
    message = refused(folder)
    assert message.startswith(f"reference data: {folder / name}: {place}")
    assert message.endswith("; mend the table.")


@pytest.mark.parametrize("content", [b"", b'code,"desc\n"x', b"code,name,source\n\xff,x,y\n"])
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path)
    (folder / "codes/states.csv").write_bytes(content)
    assert str(folder / "codes/states.csv") in refused(folder)


def test_terms_are_read_with_the_criteria_that_read_them(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / TERMS).unlink()
    assert refused(folder) == (
        f"reference data: {folder / TERMS}: cannot be read as a CSV table; check --reference-data."
    )


# ---- outlines -------------------------------------------------------------------------------

OUTLINES = [
    # Their form.
    (
        CRITERIA,
        "first,initial,1,any,,,,one of two,,either\n",
        "",
        "first, initial: place 1.A stands before place 1",
    ),
    (CRITERIA, "1.A.1,fact", "2.A.1,fact", "first, initial: place 2.A.1 stands before place 2.A"),
    (TERMS, "tried,1.b", "tried,1.a.1", "tried: place 1.a is a fact, with rows under it"),
    (
        CRITERIA,
        "1.B,fact",
        "1.A.2.1,fact",
        "first, initial: place 1.A.2 is a term, with rows under it",
    ),
    (
        CRITERIA,
        "first,initial,1.B,fact,bsa_m2,below,1.5,small,the patient is not small,small",
        "first,initial,1.B,any,,,,small,,small",
        "first, initial: place 1.B is to be any of the rows under it: none is",
    ),
    (
        CRITERIA,
        "first,renewal,1,fact,disease_response,is not,progression,no progression,it has progressed,",
        "first,renewal,1,all,,,,no progression,,",
        "first, renewal: place 1 is to be all of the rows under it: none is",
    ),
    *(
        (
            CRITERIA,
            "1.A,all,,,,spread and tired,,either",
            f"1.A,all,{given},either",
            "first, initial: place 1.A: is all of the rows under it, and reads nothing itself",
        )
        for given in (
            "bsa_m2,,,spread and tired,",
            ",below,,spread and tired,",
            ",,1,spread and tired,",
            ",,,spread and tired,no",
        )
    ),
    (
        CRITERIA,
        "the patient is not small",
        "",
        "first, initial: place 1.B: if_not_met must be written",
    ),
    (
        CRITERIA,
        "tired,not tired",
        "tired,",
        "first, initial: place 1.A.2: if_not_met must be written",
    ),
    # Terms.
    (CRITERIA, "term,tired", "term,weary", "first, initial: place 1.A.2: there is no term 'weary'"),
    (
        CRITERIA,
        "term,tired,,",
        "term,tired,is,true",
        "first, initial: place 1.A.2: a term is compared with nothing",
    ),
    (TERMS, "term,tried", "term,tired", "tired: place 1: there is no term 'tired'"),
    (TERMS, "tired,1,term,tried", "a,1,term,tired", "a: place 1: there is no term 'tired'"),
    *(
        (TERMS, "tired,1,term,tried", f"{name},1,term,tried", f"{name}: the program itself makes")
        for name in ("her2-negative", "her2-positive")
    ),
    # Facts.
    (
        CRITERIA,
        "fact,bsa_m2",
        "fact,bsa",
        "first, initial: place 1.B: there is no clinical fact 'bsa'",
    ),
    (
        CRITERIA,
        "fact,bsa_m2",
        "fact,authorization_number",
        "first, initial: place 1.B: there is no clinical fact 'authorization_number'",
    ),
    (TERMS, "fact,line_of_therapy", "fact,", "tried: place 1.a: there is no clinical fact None"),
    (CRITERIA, "below,1.5", ",1.5", "first, initial: place 1.B: needs comparator and value"),
    (CRITERIA, "below,1.5", "below,", "first, initial: place 1.B: needs comparator and value"),
    *(
        (
            CRITERIA,
            "bsa_m2,below,1.5",
            f"{fact},{how},{value}",
            f"place 1.B: {fact} cannot be compared",
        )
        for fact, how, value in (
            ("bsa_m2", "below", "small"),
            ("bsa_m2", "is", "true"),
            ("bsa_m2", "is", "1; 2"),
            ("bsa_m2", "below", "nan"),
            ("bsa_m2", "below", "inf"),
            ("her2_ihc", "at most", "1+"),
            ("visceral_crisis", "is", "yes"),
            ("visceral_crisis", "is", "1"),
            ("visceral_crisis", "is not", "true"),
            ("visceral_crisis", "at least", "true"),
            ("regimen", "is", "trastuzumab"),
            ("regimen", "is not", "single_agent; alone"),
            ("regimen", "at most", "other"),
            ("disease_extent", "is", "progression"),
            ("disease_extent", "is", "metastatic;"),
        )
    ),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    OUTLINES,
    ids=[f"{i}: {case[2][:40]}" for i, case in enumerate(OUTLINES)],
)
def test_an_outline_that_is_wrong(
    tmp_path: Path, name: str, old: str, new: str, problem: str
) -> None:
    folder = spoiled(tmp_path, name, old, new)
    message = refused(folder)
    assert message.startswith(f"reference data: {folder / name}: ")
    assert problem in message
    assert message.endswith(("; mend the table.", "; name the rows otherwise."))
