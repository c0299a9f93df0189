"""Pins what the reference data must say, without the program that reads it."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

REFERENCE_DATA = Path(__file__).resolve().parents[2] / "reference_data"
CODES = REFERENCE_DATA / "codes"
POLICY = REFERENCE_DATA / "policies" / "prime-ic-0072"

Row = dict[str, str]

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
    CODES / "states.csv": ("code,name,source", ("name",)),
    POLICY / "covered_diagnoses.csv": (
        "version,code,description,start_date,end_date,section,source",
        ("version", "code"),
    ),
}
OPTIONAL_COLUMNS = {"start_date", "end_date", "sex", "note"}

LINE_ACTIONS = {"deny", "flag", "off"}
LIMIT_EDITS = {"units-per-dose", "units-per-period", "authorization-units-exceeded"}
CLAIMS_RULE = "not in the document: claims processing rule"
DOCUMENT_SECTIONS = {
    "I. Length of Authorization",
    "II. Dosing Limits",
    "III. Initial Approval Criteria",
    "III. Initial Approval Criteria; IV. Renewal Criteria",
    "V. Dosage/Administration",
    "VI. Billing Code/Availability Information",
    "Appendix 1 – Covered Diagnosis Codes",
    "Appendix 2 – Centers for Medicare and Medicaid Services (CMS)",
}

# In order: edit, action of a fail, action of an unknown, group and CARC, RARC.
EDITS = """
medicare-not-governed             flag    flag
no-policy-in-force                flag    flag
original-claim-unknown            flag    flag  CO-16   M47
ndc-billed-under-other-code       flag    flag  CO-16   N846
procedure-not-effective           deny    flag  CO-181
service-date-future               deny    flag  CO-110
service-date-span                 flag    flag  CO-16   M52
service-date-unclear              flag    flag  CO-16   M52
units-not-whole                   deny    flag  CO-16   M53
duplicate-line                    deny    flag  OA-18
member-under-age                  deny    flag  CO-6    N129
diagnosis-missing                 deny    flag  CO-16   M76
diagnosis-pointer-invalid         flag    flag  CO-16   M76
diagnosis-not-pointed             flag    flag  CO-11
diagnosis-unlisted                flag    flag  CO-167  N569
diagnosis-invalid                 deny    flag  CO-146
diagnosis-not-covered             deny    flag  CO-167  N569
diagnosis-history-only            flag    flag  CO-11
diagnosis-sex-conflict            flag    off   CO-16   M76
ndc-missing                       deny    flag  CO-16   M119
ndc-invalid                       deny    flag  CO-16   M119
ndc-mismatch                      deny    flag  CO-16   N846
ndc-units-conflict                flag    flag  CO-16   N815
wastage-contradiction             flag    flag  CO-4
wastage-modifier-missing          off     off   CO-16   N822
authorization-absent              deny    flag  CO-197
authorization-pending             flag    flag  CO-197
authorization-denied              deny    flag  CO-39
authorization-expired             deny    flag  CO-302
authorization-not-started         deny    flag  CO-197
authorization-number-mismatch     flag    flag  CO-16   N54
authorization-provider-mismatch   flag    off   CO-296
authorization-span-exceeds-policy flag    flag  CO-16   N54
coverage-criteria                 flag    flag  CO-272
dose-exceeds-body-surface         flag    off   CO-153
combination-partner-missing       flag    off   CO-16   N54
units-per-dose                    cutback flag  CO-151  N362
units-per-period                  cutback flag  CO-151  N640
authorization-units-exceeded      cutback flag  CO-198
"""
EDIT_ROWS = [line.split() for line in EDITS.strip().splitlines()]

JURISDICTIONS = {
    "E (1)": "CA HI NV AS GU MP",
    "F (2 & 3)": "AK WA OR ID ND SD MT WY UT AZ",
    "5": "KS NE IA MO",
    "6": "MN WI IL",
    "H (4 & 7)": "LA AR MS TX OK CO NM",
    "8": "MI IN",
    "N (9)": "FL PR VI",
    "J (10)": "TN GA AL",
    "M (11)": "NC SC WV VA",
    "L (12)": "DE MD PA NJ DC",
    "K (13 & 14)": "NY CT MA RI VT ME NH",
    "15": "KY OH",
}


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def codes(name: str) -> list[Row]:
    return read(CODES / f"{name}.csv")


def covered() -> list[Row]:
    return read(POLICY / "covered_diagnoses.csv")


def policy() -> dict[str, Any]:
    with (POLICY / "policy.toml").open("rb") as file:
        return tomllib.load(file)


def version() -> dict[str, Any]:
    versions: list[dict[str, Any]] = policy()["versions"]
    assert len(versions) == 1
    return versions[0]


def edits() -> dict[str, dict[str, str]]:
    listed: dict[str, dict[str, str]] = version()["edits"]
    return listed


def period(row: Row) -> tuple[date, date]:
    start, end = row["start_date"], row["end_date"]
    return (
        date.fromisoformat(start) if start else date.min,
        date.fromisoformat(end) if end else date.max,
    )


def in_force(rows: list[Row], on: date) -> set[str]:
    return {row["code"] for row in rows if period(row)[0] <= on <= period(row)[1]}


def by_code(name: str) -> dict[str, Row]:
    return {row["code"]: row for row in codes(name)}


def adjustment_codes(on: date) -> set[tuple[str, str]]:
    rows = codes("adjustment_codes")
    return {(kind, code) for kind in kinds(rows) for code in in_force(of_kind(rows, kind), on)}


def kinds(rows: list[Row]) -> set[str]:
    return {row["type"] for row in rows}


def of_kind(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["type"] == kind]


def used_adjustment_codes() -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    for _, _, _, *reason in EDIT_ROWS:
        if reason:
            group, carc = reason[0].split("-")
            used |= {("group", group), ("carc", carc)} | {("rarc", rarc) for rarc in reason[1:]}
    return used


tables = pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)


def test_no_table_is_left_out_of_these_tests() -> None:
    assert set(CODES.iterdir()) | set(POLICY.glob("*.csv")) == set(TABLES)


@tables
def test_form(path: Path) -> None:
    raw = path.read_bytes()
    lines = raw.decode("utf-8").splitlines()
    assert lines[0] == TABLES[path][0]
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert not raw.endswith(b"\n\n")
    assert [line for line in lines if line != line.rstrip()] == []
    assert b"\xef\xbb\xbf" not in raw


@tables
def test_rows_are_whole_and_sorted(path: Path) -> None:
    rows = read(path)
    assert rows
    header = TABLES[path][0].split(",")
    assert [row for row in rows if list(row) != header or None in row.values()] == []
    values = [list(row.values()) for row in rows]
    assert values == sorted(values)
    assert [value for row in values for value in row if value != value.strip()] == []


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


# Diagnoses


def test_covered_list_is_the_document_s() -> None:
    sites = "012345689"
    expected = {f"C50.{site}{sex}{side}" for site in sites for sex in "12" for side in "129"}
    rows = covered()
    assert len(rows) == 55
    assert len([row for row in rows if row["code"].startswith("C50.")]) == 54
    assert {row["code"] for row in rows} == expected | {"Z85.3"}
    assert {row["version"] for row in rows} == {version()["version"]}
    assert {row["section"] for row in rows} == {"Appendix 1 – Covered Diagnosis Codes"}
    assert {row["source"] for row in rows} == {"IC-0072, last review 2025-09-04"}


def test_every_covered_code_is_valid_and_named_alike() -> None:
    valid = by_code("icd10cm")
    start: date = version()["start_date"]
    assert {row["code"] for row in covered()} <= in_force(codes("icd10cm"), start)
    assert [
        r["code"] for r in covered() if r["description"] != valid[r["code"]]["description"]
    ] == []


def test_the_only_valid_family_codes_that_the_list_lacks_are_the_new_ones() -> None:
    listed = {row["code"] for row in covered()}
    new = {"C50.A0", "C50.A1", "C50.A2"}

    def unlisted(on: date) -> set[str]:
        return {code for code in in_force(codes("icd10cm"), on) if code.startswith("C50")} - listed

    assert unlisted(date(2025, 9, 30)) == set()
    assert unlisted(date(2025, 10, 1)) == new
    assert {by_code("icd10cm")[code]["start_date"] for code in new} == {"2025-10-01"}


def test_icd10_rows_are_billable_codes_of_the_expected_families() -> None:
    rows = codes("icd10cm")
    all_codes = {row["code"] for row in rows}
    assert Counter(code[:3] for code in all_codes) == {
        "C50": 57,
        "C77": 8,
        "C78": 13,
        "C79": 24,
        "Z85": 1,
    }
    headings = {a for a in all_codes for b in all_codes if a != b and b.startswith(a)}
    assert headings == set()
    assert [code for code in all_codes if not re.fullmatch(r"[A-Z]\d\d\.[0-9A-Z]{1,4}", code)] == []
    undated = {row["code"] for row in rows if not row["start_date"] and not row["end_date"]}
    assert all_codes - undated == {"C50.A0", "C50.A1", "C50.A2"}


def test_sex_is_what_the_description_names() -> None:
    rows = codes("icd10cm")
    assert Counter(row["sex"] for row in rows) == {"female": 27, "male": 27, "": 49}
    for row in rows:
        named = [sex for sex in ("female", "male") if f" {sex} breast" in row["description"]]
        assert [row["sex"]] == (named or [""]), row["code"]
    # sixth character of the C50 codes: 1 is female, 2 is male
    sixth = {row["code"][5]: row["sex"] for row in rows if re.match(r"C50\.\d\d\d", row["code"])}
    assert sixth == {"1": "female", "2": "male"}


def test_sources_say_which_years_were_checked() -> None:
    both = {row["code"] for row in codes("icd10cm") if "FY2025 and FY2026" in row["source"]}
    assert both == {row["code"] for row in covered()} - {"Z85.3"}
    others = [row for row in codes("icd10cm") if row["code"].startswith(("C77", "C78", "C79"))]
    assert {"only was checked" in row["source"] for row in others} == {True}


def test_diagnosis_settings_name_codes_of_the_tables() -> None:
    settings = version()["diagnoses"]
    listed = {row["code"] for row in covered()}
    valid = set(by_code("icd10cm"))
    assert settings["family_prefixes"] == ["C50"]
    assert settings["history_codes"] == ["Z85.3"]
    assert set(settings["history_codes"]) <= listed
    assert settings["active_disease_prefixes"] == ["C50", "C77", "C78", "C79"]
    for prefix in settings["active_disease_prefixes"]:
        assert any(code.startswith(prefix) for code in valid), prefix


# Procedures and products


def test_the_drug_s_code_is_in_force_since_2009() -> None:
    row = by_code("hcpcs")[policy()["hcpcs_code"]]
    assert (row["code"], row["start_date"], row["end_date"]) == ("J9207", "2009-01-01", "")
    assert "J9207" not in in_force(codes("hcpcs"), date(2008, 12, 31))
    assert "J9207" in in_force(codes("hcpcs"), date(2009, 1, 1))


def test_trastuzumab_codes_leave_out_the_rituximab_among_them() -> None:
    starts = {
        row["code"]: row["start_date"]
        for row in codes("hcpcs")
        if "trastuzumab" in row["description"].lower()
    }
    assert starts == {
        "J9355": "2000-01-01",
        "J9356": "2019-07-01",
        "Q5112": "2019-07-01",
        "Q5113": "2019-07-01",
        "Q5114": "2019-07-01",
        "Q5116": "2019-10-01",
        "Q5117": "2019-10-01",
        "Q5146": "2025-01-01",
    }
    assert "Q5115" not in by_code("hcpcs")


def test_capecitabine_codes_change_hands_on_2024_10_01() -> None:
    def capecitabine(on: date) -> set[str]:
        return {code for code in in_force(codes("hcpcs"), on) if code.startswith("J85")}

    assert capecitabine(date(2024, 9, 30)) == {"J8520", "J8521"}
    assert capecitabine(date(2024, 10, 1)) == {"J8522"}


def test_no_dosage_is_stated_that_nobody_verified() -> None:
    assert not re.search(r"\d", by_code("hcpcs")["J8522"]["description"])
    assert not [row for row in codes("hcpcs") if "[" in row["description"]]


def test_products_and_their_units() -> None:
    products = {
        row["product"]: (row["hcpcs_code"], int(row["units_per_package"]))
        for row in codes("ndc_products")
    }
    assert products == {"70020-1910": ("J9207", 15), "70020-1911": ("J9207", 45)}
    assert {row["hcpcs_code"] for row in codes("ndc_products")} <= set(by_code("hcpcs"))
    assert {period(row) for row in codes("ndc_products")} == {(date.min, date.max)}
    for row in codes("ndc_products"):
        assert f" {row['units_per_package']} mg " in row["description"]  # 1 unit = 1 mg


# Adjustment codes


def test_every_code_of_an_edit_is_in_force_for_the_whole_version() -> None:
    start: date = version()["start_date"]
    assert used_adjustment_codes() <= adjustment_codes(start)
    assert used_adjustment_codes() <= adjustment_codes(date.max)


def test_the_ended_code_is_found_as_ended_and_is_the_only_unused_one() -> None:
    assert ("carc", "15") in adjustment_codes(date(2018, 5, 1))
    assert ("carc", "15") not in adjustment_codes(date(2018, 5, 2))
    table = {(row["type"], row["code"]) for row in codes("adjustment_codes")}
    assert table - used_adjustment_codes() == {("carc", "15")}
    assert [r["code"] for r in codes("adjustment_codes") if r["end_date"]] == ["15"]


def test_every_edit_with_carc_16_has_a_remark_code() -> None:
    with_16 = [row for row in EDIT_ROWS if "CO-16" in row]
    assert len(with_16) == 16
    assert [row[0] for row in with_16 if len(row) != 5] == []


def test_carc_18_goes_with_group_oa_and_no_other_does() -> None:
    other_adjustments = {row[3] for row in EDIT_ROWS if len(row) > 3 and row[3].startswith("OA")}
    assert other_adjustments == {"OA-18"}
    descriptions = {r["code"]: r["description"] for r in of_kind(codes("adjustment_codes"), "carc")}
    assert "Group Code OA" in descriptions["18"]


# States and Medicare contractors


def test_every_state_and_territory_has_exactly_one_jurisdiction() -> None:
    rows = codes("mac_jurisdictions")
    assert Counter(row["state"] for row in rows) == Counter(set(state_codes()))
    assert len(rows) == 56
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["jurisdiction"]].add(row["state"])
    assert found == {name: set(states.split()) for name, states in JURISDICTIONS.items()}


def test_a_jurisdiction_has_one_contractor() -> None:
    contractors: dict[str, set[str]] = defaultdict(set)
    for row in codes("mac_jurisdictions"):
        contractors[row["jurisdiction"]].add(row["contractor"])
    assert {len(names) for names in contractors.values()} == {1}
    assert len(set.union(*contractors.values())) == 7
    assert contractors["L (12)"] == {"Novitas Solutions, Inc."}


def test_virginia_is_split_and_says_so() -> None:
    notes = {row["state"]: (row["jurisdiction"], row["note"]) for row in codes("mac_jurisdictions")}
    for state, jurisdiction in (("VA", "M (11)"), ("DC", "L (12)")):
        assert notes[state][0] == jurisdiction
        for place in ("Arlington", "Fairfax", "Alexandria"):
            assert place in notes[state][1]
    assert "L (12)" in notes["VA"][1]
    assert "CNMI" in notes["MP"][1]
    assert {state for state, (_, note) in notes.items() if note} == {"VA", "DC", "MP"}


def state_codes() -> list[str]:
    return [row["code"] for row in codes("states")]


def test_states_and_territories() -> None:
    territories = {"DC", "PR", "VI", "GU", "AS", "MP"}
    assert territories <= set(state_codes())
    assert len(set(state_codes()) - territories) == 50
    names = {row["name"]: row["code"] for row in codes("states")}
    assert names["Tennessee"] == "TN"
    assert names["Virginia"] == "VA"
    assert names["West Virginia"] == "WV"
    assert names["Virgin Islands"] == names["U.S. Virgin Islands"] == "VI"
    assert names["Northern Mariana Islands"] == "MP"
    assert [name for name in names if len(name) == 2] == []  # no name reads as a code


def test_each_state_has_one_name_that_is_not_an_alias() -> None:
    official = [row["code"] for row in codes("states") if not row["source"].startswith("Alias")]
    assert len(official) == len(set(official)) == 56


# The policy


def test_the_document() -> None:
    assert policy()["id"] == POLICY.name == "prime-ic-0072"
    assert policy()["document"]["number"] == "IC-0072"
    assert policy()["document"]["last_review_date"] == date(2025, 9, 4)
    assert policy()["document"]["origin_date"] == date(2012, 1, 1)
    assert policy()["document"]["source"]


def test_the_version() -> None:
    assert version()["version"] == "2025-09-04"
    assert version()["status"] == "active"
    assert version()["start_date"] == policy()["document"]["last_review_date"]
    assert "end_date" not in version()
    assert version()["minimum_age"] == 18
    assert version()["authorization_months"] == 6


def test_the_limits() -> None:
    limits = {limit["edit"]: limit for limit in version()["limits"]}
    assert len(version()["limits"]) == 2
    assert {edit: (x["max_units"], x["window_days"]) for edit, x in limits.items()} == {
        "units-per-dose": (90, 1),
        "units-per-period": (90, 21),
    }
    for edit, limit in limits.items():
        assert limit["section"] == edits()[edit]["section"] == "II. Dosing Limits"


def test_no_program_terms() -> None:
    assert "program_terms" not in version()
    assert "program-terms-govern" not in edits()


def test_edits_and_actions_in_order() -> None:
    found = [(edit, x["fail"], x["unknown"]) for edit, x in edits().items()]
    assert found == [(row[0], row[1], row[2]) for row in EDIT_ROWS]


@pytest.mark.parametrize("edit", [row[0] for row in EDIT_ROWS])
def test_each_edit_has_both_actions_and_a_section(edit: str) -> None:
    entry = edits()[edit]
    assert set(entry) == {"fail", "unknown", "section"}
    allowed = LINE_ACTIONS | {"cutback"} if edit in LIMIT_EDITS else LINE_ACTIONS
    assert entry["fail"] in allowed
    assert entry["unknown"] in LINE_ACTIONS
    assert entry["section"] in DOCUMENT_SECTIONS | {CLAIMS_RULE}


def test_edits_that_the_document_speaks_of_cite_it() -> None:
    sections = {edit: entry["section"] for edit, entry in edits().items()}
    assert sections["medicare-not-governed"].startswith("Appendix 2")
    assert sections["member-under-age"] == "III. Initial Approval Criteria"
    assert sections["diagnosis-not-covered"] == covered()[0]["section"]
    assert sections["ndc-mismatch"] == "VI. Billing Code/Availability Information"
    assert sections["authorization-expired"] == "I. Length of Authorization"
    assert sections["dose-exceeds-body-surface"] == "V. Dosage/Administration"
    assert sections["duplicate-line"] == CLAIMS_RULE
    assert set(sections.values()) == DOCUMENT_SECTIONS | {CLAIMS_RULE}
