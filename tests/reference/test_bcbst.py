"""Policy bcbst-ixabepilone as data: the text before a redline, and the text after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.reference.data import CLAIMS_RULE, EDIT_ROWS, OTHER_POLICY, Row, policy, read

VERSIONS = ["current", "2026-draft"]
# What the document says nothing of: ages, diagnoses, products, doses, units, and partners' claims.
NOT_LISTED = {
    "ndc-billed-under-other-code",
    "member-under-age",
    *(f"diagnosis-{what}" for what in ("missing", "pointer-invalid", "not-pointed", "unlisted")),
    *(f"diagnosis-{what}" for what in ("invalid", "not-covered", "history-only", "sex-conflict")),
    *(f"ndc-{what}" for what in ("missing", "invalid", "mismatch", "units-conflict")),
    *("wastage-contradiction", "wastage-modifier-missing"),
    *("dose-exceeds-body-surface", "combination-partner-missing"),
    *("units-per-dose", "units-per-period"),
}
SECTIONS = {
    "IMPORTANT REMINDER",
    "COVERAGE CRITERIA",
    "COVERAGE CRITERIA; CONTINUATION OF THERAPY",
    CLAIMS_RULE,
}


def version(name: str) -> dict[str, Any]:
    (found,) = (v for v in policy(OTHER_POLICY)["versions"] if v["version"] == name)
    assert isinstance(found, dict)
    return found


def criteria(name: str) -> dict[tuple[str, str], Row]:
    """The criteria of a version, but for its name and the sentences."""
    rows = [row for row in read(OTHER_POLICY / "criteria.csv") if row["version"] == name]
    kept = ("rule", "reads", "comparator", "value", "title", "if_not_met")
    return {(row["request_type"], row["place"]): {k: row[k] for k in kept} for row in rows}


def sentences(name: str) -> dict[str, Row]:
    rows = read(OTHER_POLICY / "sentences.csv")
    return {row["sentence"]: row for row in rows if row["version"] == name}


def test_the_document() -> None:
    written = policy(OTHER_POLICY)
    assert written["id"] == OTHER_POLICY.name == "bcbst-ixabepilone"
    assert written["payer"] == "BlueCross BlueShield of Tennessee"
    assert written["hcpcs_code"] == "J9207"
    assert written["document"]["number"] == "ID_CHS_2026"
    # It states no date of its own.
    assert [key for key in written["document"] if key.endswith("date")] == []


def test_the_versions() -> None:
    found = {v["version"]: v["status"] for v in policy(OTHER_POLICY)["versions"]}
    assert found == {"current": "active", "2026-draft": "draft"}


@pytest.mark.parametrize("name", VERSIONS)
def test_what_a_version_says_beside_its_edits(name: str) -> None:
    said = {k: v for k, v in version(name).items() if k not in ("version", "status", "edits")}
    assert said == {
        "authorization_months": 12,
        "program_terms": [
            {
                "line_of_business": "medicaid",
                "state": "TN",
                "program": "TennCare",
                "section": "IMPORTANT REMINDER",
            }
        ],
    }


@pytest.mark.parametrize("name", VERSIONS)
def test_edits_and_actions(name: str) -> None:
    expected = {row[0]: (row[1], row[2]) for row in EDIT_ROWS if row[0] not in NOT_LISTED}
    expected["program-terms-govern"] = ("flag", "flag")
    found = {edit: (x["fail"], x["unknown"]) for edit, x in version(name)["edits"].items()}
    assert found == expected
    assert "authorization-units-exceeded" in found
    assert {x["section"] for x in version(name)["edits"].values()} == SECTIONS


def test_both_versions_ask_the_same_edits() -> None:
    assert version("current")["edits"] == version("2026-draft")["edits"]


# What the redline changes ----------------------------------------------------------------------


def changed_places() -> Iterator[tuple[tuple[str, str], str, str, str]]:
    current, draft = criteria("current"), criteria("2026-draft")
    for place in [*current, *(p for p in draft if p not in current)]:
        one, other = current.get(place, {}), draft.get(place, {})
        for column in [*one] or [*other]:
            if one.get(column, "") != other.get(column, ""):
                yield place, column, one.get(column, ""), other.get(column, "")


def test_the_criteria_that_the_redline_changes() -> None:
    """Fourth line and beyond is added, resectable disease goes, resistant stands for failed."""
    extent, line = ("initial", "1.B.3.a"), ("initial", "1.B.4")
    both = ("initial", "1.C.3.a")
    anthracycline, taxane = ("initial", "1.C.3.a.1"), ("initial", "1.C.3.a.2")
    read_there = {(p, c): (one, other) for p, c, one, other in changed_places()}
    assert {p for p, _ in read_there} == {extent, line, both, anthracycline, taxane}
    assert read_there[extent, "value"] == (
        "recurrent_unresectable; recurrent_resectable; metastatic",
        "recurrent_unresectable; metastatic",
    )
    assert [c for p, c in read_there if p == extent] == ["value", "title", "if_not_met"]
    assert {c: read_there[line, c] for p, c in read_there if p == line} == {
        "rule": ("", "fact"),
        "reads": ("", "line_of_therapy"),
        "comparator": ("", "at least"),
        "value": ("", "4"),
        "title": ("", "fourth line or later"),
        "if_not_met": ("", "the therapy is before the fourth line"),
    }
    assert [(c, *read_there[p, c]) for p, c in read_there if p == both] == [
        ("title", "failed both", "resistant to both")
    ]
    for place, drug in ((anthracycline, "anthracycline"), (taxane, "taxane")):
        assert read_there[place, "rule"] == ("fact", "term")
        assert read_there[place, "reads"] == (f"{drug}_failed", f"{drug}-resistant")
        assert read_there[place, "value"] == ("true", "")


def test_the_sentences_that_the_redline_changes() -> None:
    current, draft = sentences("current"), sentences("2026-draft")
    assert set(draft) - set(current) == {"draft-do-not-implement", "redline-proposal"}
    assert set(current) - set(draft) == set()
    assert {name for name in current if current[name]["text"] != draft[name]["text"]} == {
        "single-agent-indication",
        "her2-positive-trastuzumab",
        "anthracycline-and-taxane",
    }
    assert current["single-agent-indication"]["text"].endswith(
        "after failure of an anthracycline, a taxane, and capecitabine"
    )
    assert draft["single-agent-indication"]["text"].endswith(
        "whose tumors are resistant or refractory to anthracyclines, taxanes, and capecitabine"
    )


@pytest.mark.parametrize("name", VERSIONS)
def test_the_single_agent_indication_is_undecided(name: str) -> None:
    row = sentences(name)["single-agent-indication"]
    assert row["decided_by"] == ""
    assert "no coverage criterion" in row["undecided_because"]
    assert sentences(name)["tennessee-mandate"]["decided_by"] == ""


def test_what_is_struck_out_stands_in_one_version_and_what_is_added_in_the_other() -> None:
    current, draft = ({n: r["text"] for n, r in sentences(v).items()} for v in VERSIONS)
    trastuzumab, both = "her2-positive-trastuzumab", "anthracycline-and-taxane"
    assert "-positive recurrent or metastatic disease" in current[trastuzumab]
    assert "-positive recurrent unresectable or metastatic disease" in draft[trastuzumab]
    assert "as fourth line therapy and beyond" not in current[trastuzumab]
    assert "in combination with trastuzumab as fourth line therapy and beyond" in draft[trastuzumab]
    assert current[both].startswith("Member has failed an anthracycline and a taxane, or")
    assert draft[both].startswith("The cancer is resistant to treatment with an anthracycline and")
