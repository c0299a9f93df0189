"""With masking no page, address or file of the pages names a member or a claim, nor a birth date."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from claims_edit.masking import Masking
from claims_edit.review.database import Seen
from claims_edit.review.words import Decision
from tests.review.support import Browser, Office, a_line, an_office

KEY = b"0" * 64
ID = re.compile(r"\b[CMA]-\d{4}[A-Z]?\b(?!-)")


@pytest.fixture
def masked(out: Path) -> object:
    with an_office(out, Masking(KEY)) as office:
        yield office


def names_nobody(text: str) -> None:
    assert ID.findall(text) == []
    assert "1970-05-14" not in text


def test_no_page_names_anybody(masked: Office) -> None:
    ann = masked.browser()
    lines = masked.desk.look().queue.keys
    assert all(map(ID.search, lines["claim_id"]))
    names_nobody(ann.text("/?size=500&state=any"))
    for ref in lines["ref"].gather_every(9):
        names_nobody(ann.text(f"/line/{ref}"))
    ref, claim, member = lines.select("ref", "claim_id", "member_id").row(0)
    answer = ann.decide(f"{ref}.0", note=f"{member} called about claim {claim}")
    names_nobody(answer.headers["Location"])
    for page in (answer.headers["Location"], f"/line/{ref}", "/log", "/rates"):
        names_nobody(ann.text(page))
    conflict = ann.decide(f"{ref}.0")
    assert conflict.status_code == 409
    names_nobody(conflict.text)


def test_a_note_may_name_any_line_of_the_queue(masked: Office) -> None:
    ann = masked.browser()
    keys = masked.desk.look().queue.keys
    (ref, *_), (_, claim, member) = keys.select("ref", "claim_id", "member_id").rows()[::40][:2]
    numbers = keys["matched_authorization_number"].drop_nulls()
    note = f"As {claim} of {member}, not {numbers[0]}; see claim 77123456 too"
    ann.decide(f"{ref}.0", note=note)
    for page in (f"/line/{ref}", "/log"):
        text = ann.text(page)
        names_nobody(text)
        assert f"As {Masking(KEY).claim(claim)} of {Masking(KEY).member(member)}, not" in text


def test_a_note_on_a_line_that_has_gone_names_nobody(masked: Office) -> None:
    gone = a_line(run_id="gone", claim_id="GONE-000001", member_id="LOST-000001")
    note = "GONE-000001 of LOST-000001"
    masked.database.decide([Seen(gone, 0)], Decision("uphold", None, note), "Ann")
    text = masked.browser().text("/log")
    assert "GONE" not in text and "LOST" not in text


def test_what_is_kept_and_exported_has_the_ids_themselves(masked: Office) -> None:
    ann = masked.browser()
    key = masked.desk.look().queue.keys.row(0, named=True)
    ann.decide(f"{key['ref']}.0")
    exported = masked.decisions.select("claim_id", "member_id").row(0)
    assert exported == (key["claim_id"], key["member_id"])


def test_a_line_is_found_by_its_pseudonym_and_not_by_its_id(masked: Office) -> None:
    ann = masked.browser()
    pseudonym = Masking(KEY).claim("C-0093")
    assert ann.claims(f"/?text={pseudonym}") == [pseudonym]
    assert ann.claims("/?text=C-0093") == []


def test_both_show_the_same_lines(masked: Office, out: Path, tmp_path: Path) -> None:
    shown = masked.desk.look()
    assert shown.lines.height == shown.queue.keys.height
    assert "birth_date" not in shown.lines.columns
    claims = shown.queue.keys["claim_id"].map_elements(Masking(KEY).claim, return_dtype=pl.String)
    assert claims.equals(shown.lines["claim_id"])


def test_the_story_is_masked_too(masked: Office) -> None:
    ann: Browser = masked.browser()
    (ref,) = masked.desk.look().queue.keys.filter(pl.col("claim_id") == "C-0093")["ref"]
    text = ann.text(f"/line/{ref}")
    assert '<article class="story">' in text
    assert Masking(KEY).authorization("A-0093") in text
