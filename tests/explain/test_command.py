"""`explain` as an analyst meets it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from claims_edit.decision_contracts import DECISIONS_FILE
from tests.cli.support import Operator, authorization, claim, csv_text, facts
from tests.cli.test_decisions import decision, written
from tests.support import Row

LATER = "2026-01-22"
RUN = "run_id=2026-02-28"


def publish(operator: Operator, rows: list[Row], *options: str | Path) -> None:
    """A run over these rows; the members 0 to 2 have an authorization."""
    authorized = [authorization(number) for number in range(3)]
    operator.write("authorizations.csv", csv_text(authorized, tuple(authorized[0])))
    said = operator.run(operator.write_claims(rows), options=options)
    assert said.exit_code == 0, said.err


@pytest.fixture
def run_dir(operator: Operator) -> Path:
    """A run over two doses of one member, the second cut; a claim replaced out of scope, and a rejected
    line."""
    rows = [
        claim(0),
        claim(
            0, claim_id="ZQ-CLAIM-9", claim_line_start_date=LATER, service_unit_quantity="45",
            ndc_quantity="1",
        ),
        claim(1, claim_id="ZQ-CLAIM-1", charge_amount="-1"),
        claim(2, claim_id="ZQ-CLAIM-2"),
    ]  # fmt: skip
    publish(operator, rows)
    return operator.out / RUN


def explained(operator: Operator, *arguments: str | Path) -> str:
    said = operator.command("explain", *arguments)
    assert said.exit_code == 0, said.err
    return said.out


def test_a_cut_line_is_told_with_what_bound_it(operator: Operator, run_dir: Path) -> None:
    text = explained(operator, run_dir, "ZQ-CLAIM-9", "1")
    assert text.startswith("Claim ZQ-CLAIM-9 line 1: deny, 0 of 45 units allowed")
    assert "fail  units-per-period: cutback [CO-151, N640]" in text
    assert (
        "units-per-period: 21 days, 2026-01-12 to 2026-02-01: 90 of 90 units were allowed before it, "
        "room for 0" in text
    )
    assert "2026-01-12  90 of 90 allowed, claim ZQ-CLAIM-0 line 1, run 2026-02-28" in text
    assert "2026-01-22  0 of 45 allowed, claim ZQ-CLAIM-9 line 1, run 2026-02-28, this line" in text
    assert "The first later day with room for all 45 units is 2026-02-02" in text
    assert "ZQ-AUTH-0  approved  2025-10-01  2026-03-31  no limit  90            matched" in text


def test_a_paid_line_is_told_and_what_was_judged_after_it(
    operator: Operator, run_dir: Path
) -> None:
    text = explained(operator, run_dir, "ZQ-CLAIM-0")
    assert "All 90 units are allowed: no edit that was asked found anything." in text
    assert "pass  original-claim-unknown, procedure-not-effective," in text
    assert (
        "coverage-criteria, dose-exceeds-body-surface, combination-partner-missing: the run was"
        in text
    )
    assert (
        "2026-01-22  0 of 45 allowed, claim ZQ-CLAIM-9 line 1, run 2026-02-28, judged after it"
        in text
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ZQ-CLAIM-1"], "Line 1 was rejected: charge_amount must not be below 0."),
        (["ZQ-CLAIM-0", "2"], "Of this claim the run edited line 1."),
    ],
)
def test_what_the_run_did_not_edit_is_told_why(
    operator: Operator, run_dir: Path, arguments: list[str], said: str
) -> None:
    text = explained(operator, run_dir, *arguments)
    assert text.startswith(f"Run 2026-02-28 did not edit claim {arguments[0]}")
    assert said in text


def test_a_claim_that_nothing_is_known_of_is_an_error(operator: Operator, run_dir: Path) -> None:
    said = operator.command("explain", run_dir, "ZQ-OTHER")
    assert (said.exit_code, said.out) == (3, "")
    (message,) = said.messages
    assert "The run read 4 rows, of which 0 were neither under J9207" in message
    assert "ZQ-" not in message


def test_a_folder_that_is_no_run_is_wrong_usage(operator: Operator, run_dir: Path) -> None:
    for folder in (run_dir.parent, run_dir / "nothing"):
        said = operator.command("explain", folder, "ZQ-CLAIM-0")
        assert said.exit_code == 2
        assert said.messages[0].startswith(f"claims-edit: RUN_DIR: {folder}: is no published run;")


def test_json_is_masked_unless_it_is_told_otherwise(operator: Operator, run_dir: Path) -> None:
    text = explained(operator, run_dir, "ZQ-CLAIM-9", "--format", "json")
    assert "ZQ-" not in text
    assert "1970-05-14" not in text
    (story,) = json.loads(text)
    assert story["outcome"]["disposition"] == "deny"
    entries = [e for window in story["windows"] for e in window["entries"]]
    assert {e["claim_id"][:2] for e in entries} == {"C-"}
    pseudonym = story["line"]["claim_id"]
    again = explained(operator, run_dir, pseudonym, "--format", "json")
    assert json.loads(again) == [story]
    assert explained(operator, run_dir, pseudonym) == explained(operator, run_dir, "ZQ-CLAIM-9")

    open_text = explained(operator, run_dir, "ZQ-CLAIM-9", "--format", "json", "--unmasked")
    (unmasked,) = json.loads(open_text)
    assert unmasked["line"]["member_id"] == "ZQ-MEMBER-0"
    assert unmasked["line"]["birth_date"] == "1970-05-14"


def test_text_is_masked_where_it_is_asked_for(operator: Operator, run_dir: Path) -> None:
    text = explained(operator, run_dir, "ZQ-CLAIM-9", "--mask")
    assert "ZQ-" not in text
    assert "born" not in text
    rejected = explained(operator, run_dir, "ZQ-CLAIM-1", "--mask")
    assert "ZQ-" not in rejected
    both = operator.command("explain", run_dir, "ZQ-CLAIM-9", "--mask", "--unmasked")
    assert both.exit_code == 2


def test_a_page_of_a_claim_holds_no_markup_of_the_data(operator: Operator) -> None:
    hostile = "ZQ-<script>alert(1)</script>"
    publish(operator, [claim(0, claim_id=hostile)])
    run_dir = operator.out / RUN
    page = explained(operator, run_dir, hostile, "--format", "html", "--unmasked")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src" in page


def test_criteria_are_a_tree_of_true_false_and_missing_leaves(operator: Operator) -> None:
    row = facts(0, her2_ihc="3", line_of_therapy=None)
    given = operator.write("facts.csv", csv_text([row], tuple(row)))
    publish(operator, [claim(0)], "--clinical", given)
    text = explained(operator, operator.out / RUN, "ZQ-CLAIM-0")
    assert "[ ] IHC" not in text  # how a term is established is for the page
    assert "[ ] HER2 negative: HER2 immunohistochemistry (0 to 3): 3" in text
    assert (
        "[x] no severe hypersensitivity to Cremophor EL: hypersensitivity to Cremophor EL: no"
        in text
    )
    assert "[?] third line or later: line of therapy: not documented" in text
    assert "coverage-criteria: Document facts that meet the criteria." in text


def test_a_run_of_which_history_has_changed_says_so(operator: Operator, run_dir: Path) -> None:
    later = claim(0, claim_id="ZQ-CLAIM-5", claim_line_start_date="2026-02-20")
    publish(operator, [later], "--run-id", "later")
    second = operator.out / "run_id=later"
    text = explained(operator, second, "ZQ-CLAIM-5")
    assert "has been replaced since" not in text
    missing = explained(operator, second, "ZQ-CLAIM-9")
    assert "Run 2026-02-28 edited line 1: deny. To see it, explain that run." in missing
    publish(operator, [claim(0, service_unit_quantity="45", ndc_quantity="1")], "--replace")
    text = " ".join(explained(operator, second, "ZQ-CLAIM-5").split())
    assert (
        "Run 2026-02-28, which this run was computed on, is gone or has been replaced since" in text
    )


def test_units_that_a_person_allowed_say_who_did(operator: Operator, run_dir: Path) -> None:
    decided = decision(
        run_id="2026-02-28",
        claim_id="ZQ-CLAIM-9",
        member_id="ZQ-MEMBER-0",
        billed_units=Decimal(45),
        reason_code="clinical-exception",
        decided_by="anna",
    )
    written(operator.out / DECISIONS_FILE, decided)
    later = claim(0, claim_id="ZQ-CLAIM-5", claim_line_start_date="2026-02-04")
    publish(operator, [later], "--run-id", "later")
    text = " ".join(explained(operator, operator.out / "run_id=later", "ZQ-CLAIM-5").split())
    assert (
        "2026-01-22 45 of 45 allowed, claim ZQ-CLAIM-9 line 1, run 2026-02-28, overridden by anna, "
        "clinical-exception" in text
    )
    assert "45 of 90 units were allowed before it, room for 45" in text


def test_a_line_that_would_come_out_otherwise_now_is_told_as_published(operator: Operator) -> None:
    """Its original is gone since the night before was run again; what was published binds."""
    flagged = {"ndc_quantity": "3"}
    publish(operator, [claim(0)], "--run-id", "first")
    publish(operator, [claim(0, claim_id="ZQ-CLAIM-5", **flagged)], "--run-id", "second")
    publish(operator, [claim(1)], "--run-id", "first", "--replace")
    folder = operator.out / "run_id=second"
    text = " ".join(explained(operator, folder, "ZQ-CLAIM-5").split())
    assert "Claim ZQ-CLAIM-5 line 1: deny, 0 of 90 units allowed" in text
    assert "No unit is allowed. 90 units of J9207 on 2026-01-12 repeat claim ZQ-CLAIM-0" in text
    assert "fail duplicate-line: deny [OA-18]" in text
    assert "Judged again, this line comes out otherwise" in text
    assert "Units of the member" not in text
    said = operator.command("report", folder)
    assert said.exit_code == 0, said.err


def test_rejected_lines_of_a_claim_are_told_with_its_others(operator: Operator) -> None:
    rows = [claim(0), claim(0, claim_line_number="2", charge_amount="-1")]
    publish(operator, rows, "--max-reject-rate", "1")
    text = explained(operator, operator.out / RUN, "ZQ-CLAIM-0")
    assert text.startswith("Claim ZQ-CLAIM-0 line 1: pay")
    assert "Run 2026-02-28 did not edit other rows of claim ZQ-CLAIM-0." in text
    assert "Line 2 was rejected: charge_amount must not be below 0." in text
    page = explained(operator, operator.out / RUN, "ZQ-CLAIM-0", "--format", "html")
    assert "Line 2 was rejected" in page


def test_a_line_beside_a_rejected_one_is_not_said_to_be_out_of_scope(
    operator: Operator, run_dir: Path
) -> None:
    text = explained(operator, run_dir, "ZQ-CLAIM-1", "2")
    assert "Of this claim the run rejected 1 row, and edited none." in text


def test_ids_of_several_words_are_masked_wherever_they_stand(operator: Operator) -> None:
    name = "SMITH JANE"
    replacing: Row = {"claim_frequency_code": "7", "original_claim_id": name}
    rows = [
        claim(0, claim_id=name),
        claim(0, claim_id="ZQ-CLAIM-5", claim_line_start_date="2026-01-12"),
        claim(0, claim_id="DOE JOHN", hcpcs_code="J0000", ndc_code=None) | replacing,
    ]
    columns = (*claim(), "claim_frequency_code", "original_claim_id")
    authorized = authorization(0)
    operator.write("authorizations.csv", csv_text([authorized], tuple(authorized)))
    said = operator.run(operator.write("claims.csv", csv_text(rows, columns)))
    assert said.exit_code == 0, said.err
    for form in ("text", "json", "html"):
        for claim_id in (name, "ZQ-CLAIM-5", "DOE JOHN"):
            text = explained(operator, operator.out / RUN, claim_id, "--format", form, "--mask")
            assert not {"SMITH", "JANE", "DOE", "JOHN", "ZQ"} & set(text.replace("-", " ").split())


def test_a_damaged_archive_is_not_judged_by(operator: Operator, run_dir: Path) -> None:
    archive = run_dir / "reference_data.zip"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    said = operator.command("explain", run_dir, "ZQ-CLAIM-0")
    assert said.exit_code == 3
    assert "reference_data.zip: is not what was written" in said.messages[0]
