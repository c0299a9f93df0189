"""`compare`: what a draft would change, line by line, on one reading of a small night."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from html.parser import HTMLParser

import polars as pl
import pytest

from claims_edit.extracts import Extract
from tests.cli.support import MARK, Operator, authorization, claim, keeps_members_secret
from tests.commands.night import CLAIMS, Comparison, Night, written_night
from tests.commands.support import BCBST, CURRENT, DRAFT, PRIME
from tests.support import write_csv

EDITED = 13


@pytest.fixture
def night(operator: Operator) -> Night:
    return written_night(operator)


@pytest.fixture
def compared(night: Night) -> Comparison:
    return night.compared()


# ---- the draft against the text in force ----------------------------------------------------


def test_the_lines_that_change_and_no_others(compared: Comparison) -> None:
    found = {
        number: (row["baseline_disposition"], row["candidate_disposition"], row["changed"])
        for number, row in compared.changes().items()
    }
    both = ["disposition", "reasons"]
    assert found == {
        1: ("pay", "flag", both),  # third line
        2: ("pay", "flag", both),  # recurrent, resectable
        3: ("pay", "flag", both),  # a taxane that failed without resistance
        4: ("flag", "pay", both),  # resistant to both, and neither failed
        5: ("pay", "flag", both),  # the line of therapy is not documented
        7: ("flag", "flag", ["reasons"]),  # for one reason, and for two
        12: ("pay", "flag", both),  # both failed without resistance
    }


@pytest.mark.parametrize(
    ("number", "baseline", "candidate"),
    [
        (1, None, "fails because the therapy is before the fourth line (line_of_therapy 3)"),
        (
            2,
            None,
            "fails because the disease is neither recurrent unresectable nor metastatic "
            "(disease_extent recurrent_resectable)",
        ),
        (3, None, "fails because the disease is not resistant to a taxane ("),
        (4, "fails because ", None),
        (5, None, "cannot tell whether "),
        (5, None, ": line of therapy is not documented"),
        (
            7,
            "fails because the disease is neither recurrent nor metastatic (disease_extent early); "
            "the disease responded to preoperative systemic therapy",
            "(no_response_to_preoperative_therapy false); the therapy is before the fourth line "
            "(line_of_therapy 1)",
        ),
    ],
)
def test_the_reasons_stand_on_both_sides(
    compared: Comparison, number: int, baseline: str | None, candidate: str | None
) -> None:
    row = compared.changes()[number]
    for side, said in (("baseline", baseline), ("candidate", candidate)):
        reasons = row[f"{side}_reasons"]
        assert (reasons is None) == (said is None)
        if said is not None:
            verdict = "unknown" if "cannot tell" in str(reasons) else "fail"
            assert str(reasons).startswith(
                f"coverage-criteria ({verdict}, flag): authorization"
            ) or (verdict == "unknown")
            assert said in str(reasons)


def test_what_is_not_resistant_is_said_of_the_regimen_that_is_asked_for(
    compared: Comparison,
) -> None:
    """Nobody asked for it as a single agent."""
    reasons = str(compared.changes()[12]["candidate_reasons"])
    assert "nearest is with capecitabine" in reasons
    assert "resistant to a" in reasons
    assert "single agent" not in reasons


def test_a_change_has_both_sides_whole(compared: Comparison) -> None:
    row = compared.changes()[1]
    assert {k: v for k, v in row.items() if not k.endswith("reasons")} == {
        "claim_id": f"{MARK}-CLAIM-1",
        "claim_line_number": 1,
        "member_id": f"{MARK}-MEMBER-1",
        "claim_line_start_date": row["claim_line_start_date"],
        "hcpcs_code": "J9207",
        "line_of_business": "commercial",
        "billed_units": Decimal(90),
        "charge_amount": Decimal(9000),
        "changed": ["disposition", "reasons"],
        "baseline_policy_version": "current",
        "baseline_disposition": "pay",
        "baseline_allowed_units": Decimal(90),
        "baseline_denied_charge_amount": Decimal(0),
        "baseline_edit_ids": [],
        "baseline_unknown_edit_ids": [],
        "candidate_policy_version": "2026-draft",
        "candidate_disposition": "flag",
        "candidate_allowed_units": Decimal(90),
        "candidate_denied_charge_amount": Decimal(0),
        "candidate_edit_ids": ["coverage-criteria"],
        "candidate_unknown_edit_ids": [],
    }


def test_the_highest_charge_stands_first(operator: Operator) -> None:
    dear = [claim(3, charge_amount="9000.01") if row == claim(3) else row for row in CLAIMS]
    changes = written_night(operator, dear).compared().table("changes")
    assert changes["claim_id"].to_list()[0] == f"{MARK}-CLAIM-3"
    assert changes["charge_amount"].is_sorted(descending=True)


# ---- the summaries --------------------------------------------------------------------------


def test_dispositions_add_up_to_all_lines(compared: Comparison) -> None:
    table = compared.table("by_disposition")
    counted = {row[:2]: row[2:4] for row in table.iter_rows()}
    assert counted == {
        ("deny", "deny"): (1, 1),
        ("flag", "flag"): (4, 4),
        ("flag", "pay"): (1, 1),
        ("pay", "flag"): (5, 5),
        ("pay", "pay"): (2, 2),
    }
    assert table["lines"].sum() == EDITED
    assert table["billed_units"].sum() == 12 * 90 + 120
    assert table["charge_amount"].sum() == 12 * 9000 + 12000
    for side in ("baseline", "candidate"):
        assert table[f"{side}_allowed_units"].sum() == 11 * 90 + 120
        assert table[f"{side}_denied_charge_amount"].sum() == 9000


def test_edits_are_counted_where_they_were_found(compared: Comparison) -> None:
    counted = {row[:3]: row[3:5] for row in compared.table("by_edit").iter_rows()}
    assert counted == {
        ("medicare-not-governed", "fail", "both"): (1, 1),
        ("program-terms-govern", "fail", "both"): (1, 1),
        ("authorization-absent", "fail", "both"): (1, 1),
        ("coverage-criteria", "fail", "baseline"): (1, 1),  # 4
        ("coverage-criteria", "fail", "both"): (1, 1),  # 7
        ("coverage-criteria", "fail", "candidate"): (4, 4),  # 1, 2, 3, 12
        ("coverage-criteria", "unknown", "both"): (1, 1),  # 11
        ("coverage-criteria", "unknown", "candidate"): (1, 1),  # 5
    }


def test_members_are_counted_once(operator: Operator) -> None:
    again = claim(1, claim_id=f"{MARK}-CLAIM-1B", claim_line_start_date="2026-02-02")
    table = written_night(operator, [*CLAIMS, again]).compared().table("by_disposition")
    (row,) = table.filter(
        pl.col("baseline_disposition") == "pay", pl.col("candidate_disposition") == "flag"
    ).iter_rows(named=True)
    assert (row["lines"], row["members"]) == (6, 5)


def test_the_manifest_accounts_for_every_row(compared: Comparison) -> None:
    manifest = compared.manifest
    assert manifest["rows"] == {
        "read": 15,
        "out_of_scope": 1,
        "rejected": 1,
        "edited": EDITED,
        "changed": 7,
    }
    assert manifest["baseline"]["named"] == CURRENT
    assert manifest["candidate"]["named"] == DRAFT
    assert {file["extract"]: file["rows"] for file in manifest["inputs"]} == {
        "claims": 15,
        "authorizations": 12,
        "clinical": 12,
    }
    assert {output["table"]: output["rows"] for output in manifest["outputs"]} == {
        "changes": 7,
        "by_disposition": 5,
        "by_edit": 8,
        "rejected_lines": 1,
        "rejected_authorizations": 0,
        "rejected_clinical_facts": 0,
    }
    # Nothing that a run is known by.
    assert {"run_id", "history", "policy", "dispositions", "balance"} & set(manifest) == set()


def test_what_is_printed_sums_up_and_names_nobody(compared: Comparison) -> None:
    lines = compared.said.out.splitlines()
    assert lines[:3] == [
        f"Comparison 2026-02-28: {CURRENT} (baseline) against {DRAFT} (candidate)",
        "Rows read 15: out of scope 1, rejected 1, edited 13, of which 7 differ",
        "History: no run",
    ]
    assert any(line.split()[:4] == ["pay", "flag", "5", "5"] for line in lines)
    assert lines[-1] == f"Reports: {compared.folder}/  (open comparison.html first)"
    keeps_members_secret(compared.said)
    assert MARK not in compared.said.out


# ---- other pairs ----------------------------------------------------------------------------


def test_one_payer_against_the_other(night: Night) -> None:
    compared = night.compared(baseline=PRIME, candidate=BCBST)
    many_units = compared.changes()[10]
    assert (many_units["baseline_policy_version"], many_units["candidate_policy_version"]) == (
        "2025-09-04",
        "current",
    )
    assert "allowed_units" in list(many_units["changed"])  # type: ignore[call-overload]
    assert (many_units["baseline_disposition"], many_units["candidate_disposition"]) == (
        "partial",
        "pay",
    )
    assert (many_units["baseline_allowed_units"], many_units["candidate_allowed_units"]) == (
        90,
        120,
    )
    assert many_units["baseline_denied_charge_amount"] == 3000
    # A Medicare line, and one without an authorization, are the same to both.
    assert {6, 8} & set(compared.changes()) == set()
    assert compared.table("by_disposition")["lines"].sum() == EDITED


@pytest.mark.parametrize("name", [CURRENT, DRAFT, BCBST, PRIME])
def test_a_policy_against_itself_changes_nothing(night: Night, name: str) -> None:
    compared = night.compared(baseline=name, candidate=name)
    assert compared.changes() == {}
    table = compared.table("by_disposition")
    assert table["baseline_disposition"].to_list() == table["candidate_disposition"].to_list()
    assert set(compared.table("by_edit")["found_under"]) == {"both"}


def test_a_version_that_is_named_judges_every_line_whatever_its_dates(operator: Operator) -> None:
    """The service is before the policy begins."""
    early = claim(10, claim_line_start_date="2025-08-04")
    night = written_night(operator, [early])
    write_csv(operator.authorizations, [authorization(10, effective_date="2025-08-01")])
    row = night.compared(baseline=PRIME, candidate=f"{PRIME}@2025-09-04").changes()[10]
    assert (row["baseline_policy_version"], row["candidate_policy_version"]) == (None, "2025-09-04")
    assert row["baseline_edit_ids"] == ["no-policy-in-force"]
    assert "no-policy-in-force" not in list(row["candidate_edit_ids"])  # type: ignore[call-overload]


def test_without_clinical_facts_the_two_versions_are_the_same(night: Night) -> None:
    write_csv(night.clinical, [], ["authorization_number"])
    unknown = night.compared()
    assert unknown.changes() == {}
    arguments = night.compare_arguments("--run-id", "without")
    at = arguments.index("--clinical")
    said = night.operator.command(*arguments[:at], *arguments[at + 2 :])
    assert said.exit_code == 0
    without = Comparison(night.out / "comparison_id=without", said)
    assert without.changes() == {}
    assert set(unknown.table("by_edit")["edit_id"]) - set(without.table("by_edit")["edit_id"]) == {
        "coverage-criteria"
    }


# ---- the page -------------------------------------------------------------------------------


class Page(HTMLParser):
    """A page that is well formed: what it is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_the_page_is_whole_and_stands_alone(compared: Comparison) -> None:
    assert compared.html.startswith("<!DOCTYPE html>\n<html lang=")
    page = Page(compared.html)
    assert page.tags["table"] == page.tags["caption"] == 2
    assert page.tags["tr"] == 2 + 5 + 8  # the headers, and the rows of both summaries
    assert {"script", "link", "img", "iframe", "a", "base", "object"} & set(page.tags) == set()
    assert page.attributes <= {"lang", "charset", "name", "content", "class", "scope"}
    for word in ("src", "href", "http", "url(", "@import", "javascript"):
        assert word not in compared.html.lower()


def test_the_page_says_what_the_tables_say(compared: Comparison) -> None:
    page = Page(compared.html)
    assert f"{CURRENT} against {DRAFT}" in page.text
    assert "13 lines edited, 7 differ" in page.text
    assert "no run was published" in page.text
    at = page.cells.index("candidate denied charge amount") + 1
    rows = [page.cells[at + 10 * n : at + 10 * n + 4] for n in range(5)]
    assert rows == [
        ["deny", "deny", "1", "1"],
        ["flag", "flag", "4", "4"],
        ["flag", "pay", "1", "1"],
        ["pay", "flag", "5", "5"],
        ["pay", "pay", "2", "2"],
    ]
    assert "45,000.00" in page.cells  # the charge of five lines


def test_the_page_names_no_member_and_no_claim(compared: Comparison) -> None:
    assert MARK not in compared.html
    assert MARK in str(compared.table("changes").to_dicts())


# ---- one reading ----------------------------------------------------------------------------


def collected(monkeypatch: pytest.MonkeyPatch, *commands: list[str], by: Operator) -> Counter[str]:
    """How often each extract is read, and counted, by a command."""
    found: Counter[str] = Counter()
    for name in ("collect", "row_counts", "batches"):
        real = getattr(Extract, name)

        def counted(
            self: Extract, *args: object, _real: object = real, _of: str = name, **options: object
        ) -> object:
            found[f"{self.name}: {_of}"] += 1
            assert callable(_real)
            return _real(self, *args, **options)

        monkeypatch.setattr(Extract, name, counted)
    for command in commands:
        assert by.command(*command).exit_code == 0
    monkeypatch.undo()
    return found


def test_the_extract_is_read_as_often_as_by_a_run(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = [str(a) for a in ["run", *night.inputs()]]
    of_run = collected(monkeypatch, run, by=night.operator)
    of_compare = collected(monkeypatch, night.compare_arguments(), by=night.operator)
    assert of_compare == of_run
    assert of_run["claims: batches"] == 1
    assert of_run["claims: collect"] == 1  # the first rows, for how many of them are wanted
