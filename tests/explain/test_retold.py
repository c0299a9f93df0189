"""A run is told again from its own folder just as it was published, whatever came after it."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.edits.catalogue import LIMITS
from claims_edit.evaluate import edited_lines
from claims_edit.report.stories import Stories
from claims_edit.report.story import Story, written
from claims_edit.retelling import Retelling, retelling_of
from claims_edit.run_contracts import RUN_TABLES
from tests.oracle.drugs import IXABEPILONE
from tests.oracle.telling import told_story
from tests.properties.publishing import Publisher
from tests.runs.support import published
from tests.support import REFERENCE

KEY = ["claim_id", "claim_line_number"]


def stories_of_all(retelling: Retelling) -> dict[tuple[str, int], Story]:
    keys = retelling.rows("lines").select(KEY).rows()
    stories = Stories(retelling).of(keys)
    assert len(stories) == len(keys)
    return dict(zip(keys, stories, strict=True))


def require_told_as_published(folder: Path) -> None:
    """Every line, judged again, comes out as published, and its story says what the tables say."""
    retelling = retelling_of(folder)
    lines = retelling.rows("lines")
    again = edited_lines(retelling.judged(lines["member_id"].unique()))
    assert again.equals(lines)
    findings: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for finding in retelling.rows("findings").iter_rows(named=True):
        findings.setdefault((finding["claim_id"], finding["claim_line_number"]), []).append(finding)
    for key, story in stories_of_all(retelling).items():
        require_findings_told(story, findings.get(key, []))
        assert story.notes == ()


def require_findings_told(story: Story, findings: list[dict[str, Any]]) -> None:
    told = {edit.edit_id: edit for edit in story.edits}
    acted = [
        edit
        for edit in story.edits
        if edit.verdict in ("fail", "unknown") and edit.action not in (None, "off")
    ]
    assert [edit.edit_id for edit in acted] == [finding["edit_id"] for finding in findings]
    windows = {window.edit_id: window for window in story.windows}
    for finding in findings:
        edit = told[finding["edit_id"]]
        assert (edit.verdict, edit.action) == (finding["verdict"], finding["action"])
        assert edit.message is not None
        assert edit.message[1:-1] == finding["message"][1:]
        assert edit.policy_section == finding["policy_section"]
        if finding["edit_id"] in LIMITS:
            require_window(windows[finding["edit_id"]], json.loads(finding["evidence"]))


def require_window(window: Any, evidence: dict[str, Any]) -> None:
    """The window of a story is the one that the limit went by, and its units are those it counted."""
    assert window.start_date.isoformat() == evidence["window_start"]
    assert float(window.room) == evidence["room"]
    assert float(window.units_before) == evidence["units_before"]
    before = sum(entry.allowed_units for entry in window.entries if entry.when == "before")
    assert before == window.units_before


@pytest.mark.parametrize("seed", [1, 3, 4, 6, 9, 11])
def test_nights_after_nights_are_told_as_they_were_published(seed: int) -> None:
    story = told_story(seed, IXABEPILONE, REFERENCE)
    with closing(Publisher(REFERENCE, story.elsewhere)) as publisher:
        for place, night in enumerate(story.nights):
            publisher.publish(night, place, IXABEPILONE, elsewhere=bool(story.elsewhere))
        folders = sorted((publisher.folder / "runs").glob("run_id=*"))
        assert len(folders) == len(story.nights)
        for folder in folders:
            require_told_as_published(folder)


def test_the_sample_is_told_as_it_was_published(run: Path) -> None:
    require_told_as_published(run)


def test_a_run_is_told_by_the_policy_it_was_computed_with(tmp_path: Path) -> None:
    """The policy's author has gone on since."""
    data = tmp_path / "reference_data"
    shutil.copytree(REFERENCE, data)
    policy = data / "policies" / "prime-ic-0072" / "policy.toml"
    written_then = policy.read_text(encoding="utf-8")
    policy.write_text(written_then.replace("max_units = 90", "max_units = 60"), encoding="utf-8")
    folder = published(tmp_path / "runs", reference_data=data)
    shutil.rmtree(data)
    require_told_as_published(folder)
    windows = [w for s in stories_of_all(retelling_of(folder)).values() for w in s.windows]
    assert {window.max_units for window in windows} == {60}


def test_every_edit_is_told_of_every_line_with_a_verdict(run: Path) -> None:
    verdicts = {
        (edit.edit_id, edit.verdict)
        for story in stories_of_all(retelling_of(run)).values()
        for edit in story.edits
    }
    told = {edit_id for edit_id, _ in verdicts}
    assert len(told) == 40
    not_the_drugs = {"medicare-not-governed", "no-policy-in-force", "ndc-billed-under-other-code"}
    unasked = {"program-terms-govern"}
    assert {e for e, v in verdicts if v == "pass"} == told - not_the_drugs - unasked
    assert {e for e, v in verdicts if v == "fail"} == told - unasked - {"procedure-not-effective"}
    assert {v for _, v in verdicts} == {"pass", "fail", "unknown", "not asked"}


def test_a_paid_line_says_why_it_was_not_flagged(run: Path) -> None:
    for story in stories_of_all(retelling_of(run)).values():
        if story.outcome["disposition"] == "pay":
            units = written(story.line["billed_units"])
            said = f"All {units} units are allowed: no edit that was asked found anything."
            assert story.outcome["why"] == said
            assert story.payable == ()
            assert sum(edit.verdict == "pass" for edit in story.edits) > 25


def test_what_is_kept_has_the_members_of_the_night_alone(run: Path) -> None:
    tables = {name: pl.read_parquet(run / f"{name}.parquet") for name in RUN_TABLES}
    members = {*tables["lines"]["member_id"], *tables["other_versions"]["member_id"]}
    kept = tables["authorizations"]
    assert set(kept["member_id"]) <= members
    assert set(kept["hcpcs_code"]) == {"J9207"}
    assert set(tables["clinical_facts"]["authorization_number"]) <= set(
        kept["authorization_number"]
    )
