"""The tables of a published run: as their schemas say, and as each other say."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.contracts import LINES_KEPT
from claims_edit.edits.catalogue import EDITS
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.schemas import polars_type, validated
from tests.runs.support import rows, table

SHOWN = ("flag", "partial", "deny")
SEVERITY = ("deny", "cutback", "flag")
Key = tuple[str, int]


def key_of(row: dict[str, Any]) -> Key:
    return row["claim_id"], row["claim_line_number"]


@pytest.mark.parametrize("name", RUN_TABLES)
def test_a_table_is_as_its_schema_says(run: Path, name: str) -> None:
    schema, found = RUN_TABLES[name], table(run, name)
    # A first night has nothing to reopen, and was given no history file and no decisions.
    assert found.is_empty() == (name in ("reconsider", "allowed_elsewhere", "decided_lines"))
    assert dict(found.schema) == {c: polars_type(column) for c, column in schema.columns.items()}
    assert found.columns == list(schema.columns)
    assert validated(schema, found).equals(found)


def test_lines_are_one_row_a_line(run: Path) -> None:
    keys = [key_of(line) for line in rows(run, "lines")]
    assert len(set(keys)) == len(keys)


def test_flagged_lines_are_exactly_those_that_need_somebody(run: Path) -> None:
    wanted = {key_of(line) for line in rows(run, "lines") if line["disposition"] in SHOWN}
    shown = [key_of(line) for line in rows(run, "flagged_lines")]
    assert len(shown) == len(wanted)
    assert set(shown) == wanted


def test_flagged_lines_begin_with_the_highest_charge(run: Path) -> None:
    lines = rows(run, "flagged_lines")
    assert lines == sorted(lines, key=lambda line: (-line["charge_amount"], *key_of(line)))


def test_flagged_lines_have_every_column_of_lines_with_its_value(run: Path) -> None:
    lines, flagged = table(run, "lines"), table(run, "flagged_lines")
    key = ["claim_id", "claim_line_number"]
    shown = lines.filter(pl.col("disposition").is_in(SHOWN)).sort(key)
    columns = [c for c in lines.columns if c not in LINES_KEPT]
    assert flagged.select(columns).sort(key).equals(shown.select(columns))


def test_flagged_lines_tell_every_reason_the_primary_one_first_by_severity(run: Path) -> None:
    findings: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for finding in rows(run, "findings"):
        findings[key_of(finding)].append(finding)
    for line in rows(run, "flagged_lines"):
        found = findings[key_of(line)]
        primary = min(found, key=lambda f: SEVERITY.index(f["action"]))
        assert line["primary_edit_id"] == primary["edit_id"]
        assert line["primary_action"] == primary["action"]
        assert line["policy_section"] == primary["policy_section"]
        assert primary["message"][1:] in line["primary_reason"]
        assert line["reason_count"] == len(found) == len(line["all_reasons"].splitlines())
        assert [f for f in found if f["message"][1:] not in line["all_reasons"]] == []
        codes = [c for c in (primary["group_code"], primary["carc"], primary["rarc"]) if c]
        assert all(code in (line["adjustment_codes"] or "") for code in codes)


def test_reasons_are_sentences(run: Path) -> None:
    for line in rows(run, "flagged_lines"):
        assert line["primary_reason"].endswith(".")
        assert not line["primary_reason"].endswith("..")
        assert not line["primary_reason"][0].islower()


def test_the_charge_at_stake(run: Path) -> None:
    for line in rows(run, "flagged_lines"):
        flagged = line["disposition"] == "flag"
        at_stake = line["charge_amount"] if flagged else line["denied_charge_amount"]
        assert line["charge_at_stake"] == at_stake


def test_findings_are_those_that_the_lines_name_in_the_order_of_the_edits(run: Path) -> None:
    order = list(EDITS)
    named: dict[Key, list[tuple[str, str]]] = defaultdict(list)
    for finding in rows(run, "findings"):
        named[key_of(finding)].append((finding["edit_id"], finding["verdict"]))
    for line in rows(run, "lines"):
        found = named.pop(key_of(line), [])
        assert line["edit_ids"] == [edit for edit, verdict in found if verdict == "fail"]
        assert line["unknown_edit_ids"] == [edit for edit, verdict in found if verdict != "fail"]
        assert [edit for edit, _ in found] == sorted((edit for edit, _ in found), key=order.index)
        assert (line["primary_edit_id"] is None) == (not found)
    assert named == {}


def test_evidence_is_json(run: Path) -> None:
    for finding in rows(run, "findings"):
        assert isinstance(json.loads(finding["evidence"]), dict)


def test_units_of_every_line_add_up(run: Path) -> None:
    for line in rows(run, "lines"):
        assert line["billed_units"] == line["allowed_units"] + line["denied_units"]
        drawn = sum(draw["units"] for draw in line["authorization_draws"])
        assert drawn <= line["allowed_units"]


def test_rejected_rows_are_kept_whole_as_text_with_every_check(run: Path) -> None:
    for name in ("rejected_lines", "rejected_authorizations", "rejected_clinical_facts"):
        found = table(run, name)
        assert set(found.drop("failed_checks").dtypes) == {pl.String()}
        assert found["failed_checks"].list.len().min() == 1
        assert found["reasons"].null_count() == 0
    bad_date = table(run, "rejected_lines").filter(claim_id="C-0101")
    assert bad_date["claim_line_start_date"].to_list() == ["2026-13-01"]
    bad_test = table(run, "rejected_clinical_facts").filter(authorization_number="A-0124")
    assert bad_test["her2_ihc"].to_list() == ["4"]


def test_partner_lines_are_distinct_and_in_order(run: Path) -> None:
    found = table(run, "partner_lines")
    assert found.equals(found.unique().sort(found.columns, nulls_last=True))
    edited = set(table(run, "lines").select("claim_id", "claim_line_number").rows())
    assert {("C-0127", 1)} <= edited
    assert not {("C-0128", 1)} & edited
