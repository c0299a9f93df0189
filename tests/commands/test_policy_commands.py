"""`policy list`, `show`, `check` and `diff`: what a policy's author reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from claims_edit.edits.catalogue import EDITS
from tests.cli.support import Operator, claims, in_a_process, one_message
from tests.commands.support import BCBST, CURRENT, DRAFT, PRIME, printed
from tests.policies.folder import POLICY
from tests.policies.sound import made_wrong, sound
from tests.reference.data import EDIT_ROWS, edits, read
from tests.reference.data import POLICY as PRIME_FOLDER
from tests.runs.nights import with_another_policy
from tests.support import REFERENCE


def unwrapped(text: str) -> str:
    """The text with every line that was wrapped in one piece again."""
    return " ".join(text.split())


# ---- list -----------------------------------------------------------------------------------


def test_list(operator: Operator) -> None:
    rows = [line.split("  ") for line in printed(operator.command("policy", "list")).splitlines()]
    found = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert found[0] == ["policy", "title", "version", "status", "from", "to"]
    assert set("".join(found[1])) == {"-"}
    assert found[2:] == [
        [BCBST, "Ixabepilone (Ixempra®)", "current", "active"],
        [BCBST, "Ixabepilone (Ixempra®)", "2026-draft", "draft"],
        [PRIME, "Ixempra (ixabepilone) (Intravenous)", "2025-09-04", "active", "2025-09-04"],
    ]


def test_list_of_another_folder(operator: Operator, tmp_path: Path) -> None:
    folder = sound(tmp_path / "reference")
    said = operator.command("policy", "list", "--reference-data", folder)
    assert printed(said).splitlines()[2:] == [
        "some-drug  Some drug  first    active  2025-01-01  2025-06-30",
        "some-drug  Some drug  second   active  2025-07-01",
    ]


def test_list_where_there_is_none(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = operator.command("policy", "list", "--reference-data", tmp_path / "empty")
    assert len(printed(said).splitlines()) == 2


# ---- show -----------------------------------------------------------------------------------


def test_show_begins_with_the_document_and_the_version(operator: Operator) -> None:
    lines = printed(operator.command("policy", "show", PRIME)).splitlines()
    assert lines[:4] == [
        f"{PRIME}: Ixempra (ixabepilone) (Intravenous)",
        "Prime, document IC-0072, drug J9207",
        "",
        "Version 2025-09-04 (active), in force from 2025-09-04 to further notice",
    ]


def test_show_has_terms_limits_dose_and_partners_with_their_sections(operator: Operator) -> None:
    text = printed(operator.command("policy", "show", PRIME))
    for line in (
        "  minimum age: 18",
        "  months of an authorization: 6",
        "  family of diagnoses: C50",
        "  history codes: Z85.3",
        "  dose: 40 units per m², of at most 2.2 m² (V. Dosage/Administration)",
        "  units-per-dose: 90 units in 1 day (II. Dosing Limits)",
        "  units-per-period: 90 units in 21 days (II. Dosing Limits)",
        "covered diagnoses (55)",
    ):
        assert line in text.splitlines()
    assert "  trastuzumab, with regimen with_trastuzumab: looked for within 21 days: given" in text
    assert "  capecitabine, with regimen with_capecitabine: not looked for: tablets" in text
    assert max(len(line) for line in text.splitlines()) <= 110


@pytest.mark.parametrize("edit_id", list(edits()))
def test_show_has_every_edit_with_its_actions_codes_and_section(
    operator: Operator, edit_id: str
) -> None:
    text = unwrapped(printed(operator.command("policy", "show", PRIME)))
    (row,) = (row for row in EDIT_ROWS if row[0] == edit_id)
    codes = f", {' '.join(row[3:])}" if row[3:] else ""
    rule = edits()[edit_id]
    assert (
        f"{edit_id}: {EDITS[edit_id].title}; fail {rule['fail']}, unknown {rule['unknown']}{codes} "
        f"({rule['section']})"
    ) in text


def test_show_has_the_criteria_as_an_outline(operator: Operator) -> None:
    lines = printed(operator.command("policy", "show", PRIME)).splitlines()
    begin = lines.index("criteria of initial approval")
    end = lines.index("", begin)
    places = [m[1] for line in lines[begin:end] if (m := re.match(r" +([1-9][\w.]*) ", line))]
    rows = [r for r in read(PRIME_FOLDER / "criteria.csv") if r["request_type"] == "initial"]
    assert places == [row["place"] for row in rows]
    for line in (
        "  1 no severe hypersensitivity to Cremophor EL: cremophor_hypersensitivity is false",
        "  2 liver within limits if with capecitabine: any of",
        "    2.b liver within limits: term liver-within-limits",
        "        3.A.2.a HER2 negative, single agent: all of",
        "                3.A.2.a.3.a.3.c third line or later: line_of_therapy at least 3",
    ):
        assert line in lines


def test_show_names_every_sentence_that_data_cannot_decide(operator: Operator) -> None:
    text = printed(operator.command("policy", "show", PRIME))
    own = unwrapped(text[text.index("sentences that data cannot decide") :])
    rows = [r for r in read(PRIME_FOLDER / "sentences.csv") if r["undecided_because"]]
    assert len(rows) > 15
    for row in rows:
        said = f"{row['section']}: {row['text']} ({row['undecided_because']})"
        # A word with a hyphen may be wrapped behind it.
        assert said.replace(" ", "") in own.replace(" ", "")


def test_show_one_version_or_all(operator: Operator) -> None:
    def versions(name: str) -> list[str]:
        lines = printed(operator.command("policy", "show", name)).splitlines()
        return [line for line in lines if line.startswith("Version ")]

    current = "Version current (active), in force from ever to further notice"
    draft = "Version 2026-draft (draft), in force from ever to further notice"
    assert versions(BCBST) == [current, draft]
    assert versions(CURRENT) == [current]
    assert versions(DRAFT) == [draft]


def test_show_leaves_out_what_a_policy_does_not_have(operator: Operator) -> None:
    lines = printed(operator.command("policy", "show", CURRENT)).splitlines()
    for part in ("limits", "partner drugs"):
        assert part not in lines
    assert not any(line.startswith("covered diagnoses") for line in lines)
    assert "  TennCare, medicaid in TN: IMPORTANT REMINDER" in lines


def test_show_has_each_of_several_states_of_a_program(operator: Operator, tmp_path: Path) -> None:
    another = '\n[[versions.program_terms]]\nline_of_business = "medicaid"\nstate = "GA"\n'
    old = 'program = "TennCare"\n'
    folder = made_wrong(tmp_path / "r", POLICY, old, f"{old}{another}{old}")
    said = operator.command("policy", "show", "some-drug@second", "--reference-data", folder)
    text = printed(said)
    assert "medicaid in TN" in text
    assert "medicaid in GA" in text


def test_show_has_each_of_several_regimens_with_one_partner(
    operator: Operator, tmp_path: Path
) -> None:
    folder = made_wrong(tmp_path / "r", POLICY, 'drug = "tablets"', 'drug = "helper"')
    said = operator.command("policy", "show", "some-drug@first", "--reference-data", folder)
    text = unwrapped(printed(said))
    assert "helper, with regimen with_trastuzumab: looked for within 14 days" in text
    assert "helper, with regimen with_capecitabine: not looked for" in text


# ---- check ----------------------------------------------------------------------------------


def test_check_all_or_one(operator: Operator) -> None:
    everything = printed(operator.command("policy", "check")).splitlines()
    heads = [line for line in everything if not line.startswith(" ")]
    assert [head.partition(":")[0] for head in heads] == [BCBST, PRIME]
    assert all(re.fullmatch(r"\S+: \d+ cases, 0 problems", head) for head in heads)
    assert "  version 2025-09-04 does not ask: program-terms-govern" in everything
    one = printed(operator.command("policy", "check", PRIME)).splitlines()
    assert [line for line in one if not line.startswith(" ")] == [heads[1]]


def test_check_says_every_problem_and_ends_with_2(operator: Operator, tmp_path: Path) -> None:
    folder = made_wrong(tmp_path / "r", POLICY, "end_date = 2025-06-30", "end_date = 2025-06-01")
    said = operator.command("policy", "check", "--reference-data", folder, "--as-of", "2026-01-01")
    assert said.out.splitlines()[:2] == [
        "some-drug: 10 cases, 1 problem",
        "  no version is in force between 2025-06-01 (first) and 2025-07-01 (second)",
    ]
    one_message(said, 2, ["policy check: 1 problem", "mend"])


def test_check_as_of_a_day(operator: Operator, tmp_path: Path) -> None:
    """A code that has ended by the day of the check, which is today unless it is said."""
    name = "codes/adjustment_codes.csv"
    folder = made_wrong(tmp_path / "r", name, "carc,6,Not this age,,", "carc,6,Not,,2026-01-05")
    for day, exit_code in (("2026-01-05", 0), ("2026-01-06", 2)):
        said = operator.command("policy", "check", "--reference-data", folder, "--as-of", day)
        assert said.exit_code == exit_code
    assert operator.command("policy", "check", "--reference-data", folder).exit_code == 2


# ---- what is wrong usage --------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "check", "diff"])
def test_a_policy_that_does_not_exist(operator: Operator, command: str) -> None:
    names = ["nothing", PRIME] if command == "diff" else ["nothing"]
    said = operator.command("policy", command, *names)
    assert said.out == ""
    one_message(
        said, 2, ["there is no policy 'nothing'", REFERENCE, f"there is: {BCBST}, {PRIME}."]
    )


@pytest.mark.parametrize("command", ["show", "diff"])
def test_a_version_that_does_not_exist(operator: Operator, command: str) -> None:
    names = [f"{BCBST}@2027", PRIME] if command == "diff" else [f"{BCBST}@2027"]
    said = operator.command("policy", command, *names)
    says = [f"policy {BCBST} has no version '2027'", "there is: current, 2026-draft."]
    one_message(said, 2, says)


@pytest.mark.parametrize("arguments", [["diff", PRIME], ["show"], ["show", PRIME, BCBST], ["sho"]])
def test_arguments_too_few_or_too_many(operator: Operator, arguments: list[str]) -> None:
    one_message(operator.command("policy", *arguments), 2, ["Try 'claims-edit policy"])


@pytest.mark.parametrize("command", ["list", "show", "check", "diff"])
def test_reference_data_that_is_not_there(operator: Operator, command: str) -> None:
    names = {"list": [], "show": [PRIME], "check": [], "diff": [PRIME, BCBST]}[command]
    nowhere = operator.folder / "nowhere"
    said = operator.command("policy", command, *names, "--reference-data", nowhere)
    one_message(said, 2, ["--reference-data", nowhere])


@pytest.mark.parametrize("command", ["list", "show", "check"])
def test_a_policy_with_a_mistake(operator: Operator, tmp_path: Path, command: str) -> None:
    folder = made_wrong(tmp_path / "r", POLICY, "minimum_age = 18", 'minimum_age = "18"')
    names = ["some-drug"] if command != "list" else []
    said = operator.command("policy", command, *names, "--reference-data", folder)
    one_message(said, 2, [folder / POLICY, "minimum_age must be written, as a whole number"])


# ---- a draft never governs ------------------------------------------------------------------


def test_a_draft_asked_for_a_run_is_refused(operator: Operator) -> None:
    extract = operator.write_claims(claims(1))
    operator.refused(
        2,
        extract,
        options=["--policy", DRAFT],
        says=["--policy", DRAFT, "a draft never governs a run", "claims-edit compare"],
    )
    assert not operator.out.exists()


def test_a_version_asked_for_a_run_is_refused_even_if_it_is_active(operator: Operator) -> None:
    says = ["--policy", CURRENT, f"name {BCBST} alone", "claims-edit compare"]
    operator.refused(2, operator.write_claims(claims(1)), options=["--policy", CURRENT], says=says)


def test_a_draft_asked_for_determinations_is_refused(operator: Operator) -> None:
    said = operator.command("authorizations", *operator.rest_of_run(), "--policy", DRAFT)
    one_message(said, 2, ["--policy", DRAFT, "a draft never governs"])
    assert not operator.out.exists()


@pytest.mark.parametrize("command", ["run", "authorizations"])
def test_a_policy_of_drafts_alone(operator: Operator, tmp_path: Path, command: str) -> None:
    folder = with_another_policy(tmp_path / "reference", "to-come")
    path = folder / "policies" / "to-come" / "policy.toml"
    text = path.read_text(encoding="utf-8").replace('status = "active"', 'status = "draft"')
    path.write_text(text, encoding="utf-8")
    extract = operator.write_claims(claims(1))
    night: list[str | Path] = ["--claims", extract] if command == "run" else []
    options: list[str | Path] = ["--policy", "to-come", "--reference-data", folder]
    said = operator.command(command, *night, *operator.rest_of_run(), *options)
    one_message(said, 2, ["--policy: to-come has draft versions only", "never governs a run"])


# ---- wherever it is printed -----------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize("arguments", [["list"], ["show", PRIME], ["diff", CURRENT, DRAFT]])
def test_a_screen_of_other_letters(operator: Operator, arguments: list[str], encoding: str) -> None:
    """The documents' own signs, such as ® and ≥, are no reason to fail."""
    environment = {"PYTHONIOENCODING": encoding}
    said = in_a_process(
        *("policy", *arguments),
        cwd=operator.folder,
        environment=environment,
        stdout=subprocess.DEVNULL,
    )
    assert (said.exit_code, said.err) == (0, "")
