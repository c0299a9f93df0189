"""`policy diff`: two versions side by side, exactly where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Operator, one_message
from tests.commands.support import BCBST, CURRENT, DRAFT, PRIME, printed
from tests.policies.folder import COVERED
from tests.policies.sound import sound

Sides = tuple[str, str]


def diff(operator: Operator, one: str, other: str, *options: str | Path) -> str:
    return printed(operator.command("policy", "diff", one, other, *options))


def parsed(text: str) -> dict[str, dict[str, Sides]]:
    """By part and name, both sides; of a text below the names of the versions."""
    found: dict[str, dict[str, Sides]] = {}
    part = name = ""
    for line in text.splitlines()[1:]:
        if not line or line.startswith("changed in words alone"):
            continue
        if not line.startswith(" "):
            part = line
            found[part] = {}
        elif not line.startswith("    "):
            name = line.strip()
            found[part][name] = ("", "")
        else:
            left, _, right = line.partition(" | ")
            left = left.removesuffix(" |")
            one, other = found[part][name]
            found[part][name] = (f"{one} {left.strip()}".strip(), f"{other} {right}".strip())
    return found


INITIAL = "criteria of initial approval"


def test_diff_shows_exactly_what_the_redline_changes(operator: Operator) -> None:
    found = parsed(diff(operator, CURRENT, DRAFT))
    assert found["version"] == {"status": ("active", "draft")}
    assert found[INITIAL] == {
        # "recurrent or metastatic" becomes "recurrent unresectable or metastatic".
        "1.B.3.a": (
            "recurrent or metastatic: disease_extent is recurrent_unresectable; "
            "recurrent_resectable; metastatic "
            "if not met: the disease is neither recurrent nor metastatic",
            "recurrent unresectable or metastatic: disease_extent is recurrent_unresectable; "
            "metastatic if not met: the disease is neither recurrent unresectable nor metastatic",
        ),
        # "as fourth line therapy and beyond" is added.
        "1.B.4": (
            "(not there)",
            "fourth line or later: line_of_therapy at least 4 "
            "if not met: the therapy is before the fourth line",
        ),
        # "failed" becomes "resistant".
        "1.C.3.a": ("failed both: all of", "resistant to both: all of"),
        "1.C.3.a.1": (
            "failed an anthracycline: anthracycline_failed is true "
            "if not met: an anthracycline has not failed",
            "resistant to an anthracycline: term anthracycline- resistant "
            "if not met: the disease is not resistant to an anthracycline",
        ),
        "1.C.3.a.2": (
            "failed a taxane: taxane_failed is true if not met: a taxane has not failed",
            "resistant to a taxane: term taxane-resistant "
            "if not met: the disease is not resistant to a taxane",
        ),
    }
    assert list(found[INITIAL]) == sorted(found[INITIAL])  # the order of the document
    assert set(found["sentences"]) == {
        "single-agent-indication",
        "her2-positive-trastuzumab",
        "anthracycline-and-taxane",
        # Its words are the same; the criterion that decides it is new.
        "capecitabine-indication",
        # What the draft says of itself.
        "draft-do-not-implement",
        "redline-proposal",
    }
    assert set(found) == {"version", INITIAL, "sentences"}


def test_diff_names_what_no_data_decides(operator: Operator) -> None:
    text = diff(operator, CURRENT, DRAFT)
    one, other = parsed(text)["sentences"]["single-agent-indication"]
    assert "after failure of an anthracycline, a taxane, and capecitabine [undecided: " in one
    assert "resistant or refractory to anthracyclines, taxanes, and capecitabine [undecid" in other
    assert text.splitlines()[-1] == (
        "changed in words alone, since no data decides it: draft-do-not-implement, "
        "redline-proposal, single-agent-indication"
    )


def test_diff_the_other_way_round(operator: Operator) -> None:
    there, back = (parsed(diff(operator, *pair)) for pair in ((CURRENT, DRAFT), (DRAFT, CURRENT)))
    swapped = {
        part: {name: (other, one) for name, (one, other) in things.items()}
        for part, things in there.items()
    }
    assert back == swapped


@pytest.mark.parametrize("name", [CURRENT, DRAFT, PRIME, f"{PRIME}@2025-09-04"])
def test_diff_of_a_version_with_itself(operator: Operator, name: str) -> None:
    assert diff(operator, name, name) == f"{name} and {name} do not differ\n"


def test_the_active_version_is_meant_where_none_is_named(operator: Operator) -> None:
    assert parsed(diff(operator, BCBST, DRAFT)) == parsed(diff(operator, CURRENT, DRAFT))
    assert diff(operator, BCBST, CURRENT) == f"{BCBST} and {CURRENT} do not differ\n"


def test_diff_of_two_payers(operator: Operator) -> None:
    found = parsed(diff(operator, PRIME, CURRENT))
    assert found["terms"]["months of an authorization"] == ("6", "12")
    assert found["limits"]["units-per-period"][1] == "(not there)"
    assert found["edits"]["program-terms-govern"][0] == "(not there)"
    assert len(found["covered diagnoses"]) == 55


def test_diff_has_every_part(operator: Operator, tmp_path: Path) -> None:
    folder = sound(tmp_path / "reference")
    options = ("--reference-data", folder)
    found = parsed(diff(operator, "some-drug@first", "some-drug@second", *options))
    assert {part: list(things) for part, things in found.items() if part != "edits"} == {
        "version": ["in force from", "in force to"],
        "terms": ["minimum age", "months of an authorization", "family of diagnoses", "dose"],
        "limits": ["units-per-dose"],
        "programs whose own terms govern": ["TennCare, medicaid in TN"],
        "partner drugs": [
            "helper, with regimen with_trastuzumab",
            "tablets, with regimen with_capecitabine",
        ],
        INITIAL: ["1", "1.A", "1.A.1", "1.A.2", "1.B"],
        "criteria of renewal": ["1"],
        "covered diagnoses": ["B01.2"],
        "sentences": ["age", "either", "small", "again", "kind"],
    }
    assert found["terms"]["minimum age"] == ("18", "12")
    assert found["edits"]["member-under-age"] == (
        "The member has reached the policy's age; fail deny, unknown flag, CO-6 N129 (Age)",
        "The member has reached the policy's age; fail flag, unknown off, CO-6 N129 (Age, second)",
    )


def test_diff_sees_each_of_several_dates_of_a_code(operator: Operator, tmp_path: Path) -> None:
    """The code is listed twice in both versions; the first time to other days."""
    folder = sound(tmp_path / "reference")
    path = folder / COVERED
    text = path.read_text(encoding="utf-8").replace("second,B01.2,Second,,,List,made up\n", "")
    for version, day in (("first", "2025-02-01"), ("second", "2025-08-01")):
        row = f"{version},A01.1,First,"
        text = text.replace(f"{row},", f"{row},{day},List,made up\n{row}2025-10-01,")
    path.write_text(text, encoding="utf-8")
    options = ("--reference-data", folder)
    found = parsed(diff(operator, "some-drug@first", "some-drug@second", *options))
    assert "2025-02-01" in " ".join(left for left, _ in found["covered diagnoses"].values())


def test_a_policy_with_several_active_versions_of_which_none_is_named(
    operator: Operator, tmp_path: Path
) -> None:
    folder = sound(tmp_path / "reference")
    names = ("some-drug", "some-drug@second")
    said = operator.command("policy", "diff", *names, "--reference-data", folder)
    says = ["some-drug: which version?", "There is: some-drug@first, some-drug@second."]
    one_message(said, 2, says)
