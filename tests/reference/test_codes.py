"""Codes: what was looked up, date by date."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from tests.reference.data import (
    EDIT_ROWS,
    REFERENCE_DATA,
    adjustment_codes,
    by_code,
    codes,
    covered,
    in_force,
    of_kind,
    period,
    policy,
    used_adjustment_codes,
    version,
)

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


# Every code of a partner drug with its first and last day, as verified.
PARTNERS = {
    "capecitabine": {
        "J8520": ("2000-01-01", "2024-09-30"),
        "J8521": ("2000-01-01", "2024-09-30"),
        "J8522": ("2024-10-01", ""),
    },
    "trastuzumab": {
        "J9355": ("2000-01-01", ""),
        "J9356": ("2019-07-01", ""),
        "Q5112": ("2019-07-01", ""),
        "Q5113": ("2019-07-01", ""),
        "Q5114": ("2019-07-01", ""),
        "Q5116": ("2019-10-01", ""),
        "Q5117": ("2019-10-01", ""),
        "Q5146": ("2025-01-01", ""),
    },
}


def test_partner_drugs_are_those_that_were_verified() -> None:
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in codes("partner_drugs"):
        found[row["drug"]][row["hcpcs_code"]] = (row["start_date"], row["end_date"])
    assert found == PARTNERS


def test_partner_drugs_agree_with_the_table_of_codes() -> None:
    described = by_code("hcpcs")
    for row in codes("partner_drugs"):
        code = described[row["hcpcs_code"]]
        same = ("start_date", "end_date", "source")
        assert [row[name] for name in same] == [code[name] for name in same]
        assert row["drug"] in code["description"].lower()
    partners = {row["hcpcs_code"] for row in codes("partner_drugs")}
    assert set(described) - partners == {policy()["hcpcs_code"]}


def test_the_rituximab_among_the_trastuzumabs_stands_in_no_table() -> None:
    """But for a case, which shows that it does not count."""
    tables = [*REFERENCE_DATA.rglob("*.csv"), *REFERENCE_DATA.rglob("*.toml")]
    assert len(tables) > 30
    naming = [path for path in tables if "Q5115" in path.read_text(encoding="utf-8")]
    assert [path for path in naming if path.parent.name != "cases"] == []
    assert [path.stem for path in naming] == ["initial-trastuzumab"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("1999-12-31", set()),
        ("2000-01-01", {"J9355"}),
        ("2019-06-30", {"J9355"}),
        ("2019-07-01", {"J9355", "J9356", "Q5112", "Q5113", "Q5114"}),
        ("2019-09-30", {"J9355", "J9356", "Q5112", "Q5113", "Q5114"}),
        ("2019-10-01", set(PARTNERS["trastuzumab"]) - {"Q5146"}),
        ("2024-12-31", set(PARTNERS["trastuzumab"]) - {"Q5146"}),
        ("2025-01-01", set(PARTNERS["trastuzumab"])),
    ],
)
def test_codes_of_trastuzumab_by_date(day: str, expected: set[str]) -> None:
    rows = [row for row in codes("partner_drugs") if row["drug"] == "trastuzumab"]
    on = date.fromisoformat(day)
    assert {row["hcpcs_code"] for row in rows if period(row)[0] <= on <= period(row)[1]} == expected


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
