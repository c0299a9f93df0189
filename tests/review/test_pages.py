"""What analysts do on the pages, as a browser without script does it: by links and forms."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from claims_edit.errors import InputError, UsageError
from claims_edit.log import LOGGER
from claims_edit.review import desk
from claims_edit.review.database import Seen
from claims_edit.review.words import REASONS
from tests.review.support import TODAY, Browser, Office, a_line

LOCATION = re.compile(r"done=(\d+)")
IN_UTC = re.compile(r'<time datetime="(\S{10})T(\S{5}):\S*Z">\1 \2 UTC</time>')


def batch_of(location: str) -> str:
    found = LOCATION.search(location)
    assert found is not None, location
    return found.group(1)


def stand(office: Office, claim: str) -> tuple[str | None, str | None]:
    row = office.row(claim)
    return row["decision"], row["decided_by"]


# ---- the queue -------------------------------------------------------------------------------


def test_the_queue_shows_what_is_undecided_highest_stake_first(
    office: Office, ann: Browser
) -> None:
    text = ann.text("/")
    assert "<b>64 lines</b>, 524,527.78 at stake" in text
    assert 'aria-sort="descending"' in text
    lines = office.desk.look().lines.sort(
        "charge_at_stake", "claim_id", "claim_line_number", descending=[True, False, False]
    )
    assert ann.claims("/?size=500") == lines["claim_id"].to_list()
    assert lines.height == 64


def test_a_page_of_the_queue_has_so_many_lines_and_leads_on(ann: Browser) -> None:
    first, second = ann.claims("/?size=50"), ann.claims("/?size=50&page=2")
    assert (len(first), len(second)) == (50, 14)
    assert not set(first) & set(second)
    assert ann.claims("/?size=50&page=99") == second
    assert 'rel="next" href="?size=50&amp;page=2"' in ann.text("/?size=50")


def test_what_cannot_be_read_is_said(ann: Browser) -> None:
    text = ann.text("/?min=much&max=5000")
    assert "Not a number, and left out: much." in text
    assert "<b>64 lines</b>" not in text


def test_what_is_asked_for_stands_in_the_form_and_is_never_markup(ann: Browser) -> None:
    text = ann.text("/?text=%22%3E%3Cscript%3E&edit=%22%3E%3Cscript%3E&min=%22%3E%3Cscript%3E")
    assert "<script>" not in text
    assert 'value="&#34;&gt;&lt;script&gt;"' in text
    assert "No line is like that." in text


def test_the_age_is_told_in_days(office: Office, ann: Browser) -> None:
    since = office.row("C-0019")["since"]
    assert f'<td class="number">{(TODAY - since).days}</td>' in ann.text("/?text=C-0019")


# ---- deciding --------------------------------------------------------------------------------


def test_one_line_is_decided_and_the_page_goes_on_to_the_next(office: Office, ann: Browser) -> None:
    first, following = ann.claims()[:2]
    text = ann.text(f"/line/{office.ref(first)}")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
    assert form["line"] == office.mark(first)
    answer = ann.decide(form["line"], next=form["next"], q=form["q"])
    assert answer.headers["Location"].startswith(f"/line/{office.ref(following)}?done=")
    assert f"Upheld claim {first} / 1." in ann.text(answer.headers["Location"])
    assert stand(office, first) == ("uphold", "Ann")
    assert first not in ann.claims()


def test_several_are_decided_in_one_go_and_undone_in_one_go(office: Office, ann: Browser) -> None:
    claims = ann.claims()[:3]
    answer = ann.decide(*map(office.mark, claims), decision="documents", q="state=any")
    assert answer.headers["Location"].startswith("/?state=any&done=")
    text = ann.text(answer.headers["Location"])
    assert "Asked for documents for 3 lines." in text
    assert [stand(office, c) for c in claims] == [("documents", "Ann")] * 3
    undone = ann.post("/undo", batch=batch_of(answer.headers["Location"]))
    assert "Undid what was done last to 3 lines." in ann.text(undone.headers["Location"])
    assert [stand(office, c) for c in claims] == [(None, None)] * 3


def test_an_override_has_a_reason_and_the_reason_other_a_note(office: Office, ann: Browser) -> None:
    mark = office.mark("C-0010")
    for form, said in (
        ({}, "An override needs a reason."),
        ({"reason_code": "other"}, "needs a note that says which."),
        ({"reason_code": "other", "note": "   "}, "needs a note that says which."),
        ({"reason_code": "because"}, "Choose one of the reasons there are."),
        ({"reason_code": "appeal-upheld", "note": "x" * 2001}, "longer than 2,000 characters."),
    ):
        answer = ann.decide(mark, decision="override", **form)
        assert answer.status_code == 400
        assert said in answer.text
        assert f'value="{mark}" checked' in answer.text, "the line is still selected"
    assert office.database.last_event() == 0
    note = "as told\r\non the phone"
    assert ann.decide(mark, decision="override", reason_code="other", note=note).status_code == 303
    row = office.row("C-0010")
    assert (row["decision"], row["reason_code"], row["note"]) == (
        "override",
        "other",
        "as told\non the phone",
    )


def test_of_a_void_the_page_promises_nothing(office: Office, ann: Browser) -> None:
    lines = office.desk.look().lines
    promise = "units count as allowed from the next run on."
    (void,) = lines.filter(pl.col("claim_frequency_code") == "8")["ref"]
    assert "Nothing is allowed, whatever is decided" in ann.text(f"/line/{void}")
    assert promise not in ann.text(f"/line/{void}")
    replacement = lines.filter(
        pl.col("claim_frequency_code") == "7", primary_edit_id="original-claim-unknown"
    )["ref"][0]
    assert promise in ann.text(f"/line/{replacement}")
    assert "whatever is decided" not in ann.text(f"/line/{replacement}")
    assert "of a claim with frequency 8, none." in ann.text("/help")


def test_what_was_filled_in_stands_in_the_form_that_is_shown_again(
    ann: Browser, office: Office
) -> None:
    answer = ann.decide(office.mark("C-0010"), decision="override", note='see "A"')
    assert 'value="see &#34;A&#34;"' in answer.text


@pytest.mark.parametrize("decision", ["", "pay", "OVERRIDE"])
def test_there_are_three_decisions(office: Office, ann: Browser, decision: str) -> None:
    assert ann.decide(office.mark("C-0010"), decision=decision).status_code == 400
    assert office.database.last_event() == 0


def test_nothing_selected_is_said(ann: Browser) -> None:
    answer = ann.decide()
    assert answer.status_code == 400
    assert "Select one or more lines first." in answer.text


def test_lines_are_assigned_and_taken_back(office: Office, ann: Browser) -> None:
    ann.post("/assign", line=[office.mark("C-0010"), office.mark("C-0011")], assignee="  Ben   B. ")
    assert ann.claims("/?assignee=Ben+B.&sort=claim") == ["C-0010", "C-0011"]
    assert "<option>Ben B.</option>" in ann.text("/")
    ann.post("/assign", line=office.mark("C-0010"), assignee="")
    assert ann.claims("/?assignee=Ben+B.") == ["C-0011"]


# ---- two people ------------------------------------------------------------------------------


def test_who_decides_is_the_user_or_the_name_of_the_browser(office: Office) -> None:
    ann, ben = office.browser("Ann"), office.browser("Ann").named(" Bén;  <b> ")
    ann.decide(office.mark("C-0010"))
    ben.decide(office.mark("C-0011"))
    assert stand(office, "C-0010")[1] == "Ann"
    assert stand(office, "C-0011")[1] == "Bén; <b>"
    assert "You are <b>Bén; &lt;b&gt;</b>" in ben.text("/")
    ben.named("")
    assert "You are <b>Ann</b>" in ben.text("/")


def test_of_two_who_decide_one_line_the_second_is_told_of_the_first(office: Office) -> None:
    ann, ben = office.browser(), office.browser().named("Ben")
    contested, free = office.mark("C-0010"), office.mark("C-0011")
    ann.decide(contested, decision="override", reason_code="appeal-upheld")
    answer = ben.decide(contested, free, note="mine")
    assert answer.status_code == 409
    assert "1 line changed since you loaded the page. Nothing of yours was kept." in answer.text
    assert re.search(r"overridden; Ann decided at \d{4}-", answer.text)
    assert 'value="mine"' in answer.text
    assert stand(office, "C-0011") == (None, None)
    selected = re.findall(r'name="line" value="([^"]+)" checked', answer.text)
    assert selected == [free]
    ben.decide(*selected)
    assert stand(office, "C-0011") == ("uphold", "Ben")
    again = next(iter(re.findall(r'name="line" value="([^"]+)" aria', answer.text)))
    ben.decide(again)
    assert stand(office, "C-0010") == ("uphold", "Ben")


def test_undoing_what_somebody_has_decided_again_is_a_conflict(office: Office) -> None:
    ann, ben = office.browser(), office.browser().named("Ben")
    done = batch_of(ann.decide(office.mark("C-0010"), office.mark("C-0011")).headers["Location"])
    ben.decide(office.mark("C-0011"), decision="documents")
    answer = ann.post("/undo", batch=done)
    assert answer.status_code == 409
    assert "documents asked for; Ben decided at" in answer.text
    assert stand(office, "C-0010") == ("uphold", "Ann")


def test_z_undoes_what_i_did_last_and_not_what_others_did(office: Office) -> None:
    ann, ben = office.browser(), office.browser().named("Ben")
    ann.decide(office.mark("C-0010"))
    ann.decide(office.mark("C-0011"))
    ben.decide(office.mark("C-0012"))
    ann.post("/undo", batch="mine")
    assert [stand(office, f"C-001{n}")[0] for n in range(3)] == ["uphold", None, "uphold"]
    ann.post("/undo", batch="mine")
    assert stand(office, "C-0010") == (None, None)
    answer = ann.post("/undo", batch="mine")
    assert answer.status_code == 400
    assert "There is nothing of yours to undo." in answer.text


def test_z_goes_on_where_a_line_of_many_was_undone_on_its_own(office: Office, ann: Browser) -> None:
    ann.decide(office.mark("C-0012"))
    ann.post("/assign", line=[office.mark("C-0010"), office.mark("C-0011")], assignee="Ben")
    ann.post("/undo", line=office.mark("C-0010"))
    answer = ann.post("/undo", batch="mine")
    assert "Undid what was done last to claim C-0011 / 1." in ann.text(answer.headers["Location"])
    assert office.row("C-0011")["assignee"] is None
    assert ann.post("/undo", batch="mine").status_code == 303
    assert stand(office, "C-0012") == (None, None)
    assert ann.post("/undo", batch="mine").status_code == 400


def test_what_was_undone_already_is_not_undone_again(office: Office, ann: Browser) -> None:
    done = batch_of(ann.decide(office.mark("C-0010"), office.mark("C-0011")).headers["Location"])
    assert ann.post("/undo", batch=done).status_code == 303
    answer = ann.post("/undo", batch=done)
    assert answer.status_code == 400
    assert "There is nothing to undo." in answer.text
    assert ann.post("/undo", batch="9" * 5000).status_code == 400
    assert ann.post("/undo", batch=str(1 << 70)).status_code == 400


@pytest.mark.parametrize(("name", "said"), [("Ben", "by Ben"), ("Ann", "by you")])
def test_z_goes_past_what_was_changed_again_and_says_by_whom(
    office: Office, name: str, said: str
) -> None:
    ann, other = office.browser(), office.browser().named(name)
    ann.decide(office.mark("C-0012"))
    ann.decide(office.mark("C-0010"), office.mark("C-0011"))
    again = other.decide(office.mark("C-0011"), office.mark("C-0013"), decision="documents")
    office.browser().named("Cleo").decide(office.mark("C-0013"))
    stuck = batch_of(again.headers["Location"]) if name == "Ann" else None
    pressed: dict[str, str] = {"batch": "mine"} | ({"before": stuck} if stuck else {})
    answer = ann.post("/undo", **pressed)
    assert answer.status_code == 409
    assert "<h1>Changed again since</h1>" in answer.text
    assert f"1 line was changed again since, {said}." in answer.text
    assert "faster" not in answer.text
    assert stand(office, "C-0010") == ("uphold", "Ann")
    (before,) = re.findall(r'name="before" value="(\d+)"', answer.text)
    assert ann.post("/undo", batch="mine", before=before).status_code == 303
    assert stand(office, "C-0012") == (None, None)
    answer = ann.post("/undo", **pressed)
    assert answer.status_code == 409
    assert 'name="before"' not in answer.text, "nothing is left before it"


def test_who_was_faster_than_oneself_is_not_somebody(office: Office, ann: Browser) -> None:
    mark = office.mark("C-0010")
    ann.decide(mark)
    answer = ann.decide(mark, decision="documents")
    assert answer.status_code == 409
    assert "<h1>Changed meanwhile</h1>" in answer.text
    assert "<h1>Somebody was faster</h1>" in office.browser().named("Ben").decide(mark).text


def test_the_last_change_of_a_line_is_undone_from_its_page(office: Office, ann: Browser) -> None:
    ann.decide(office.mark("C-0010"))
    ann.post("/undo", line=office.mark("C-0010"))
    assert stand(office, "C-0010") == (None, None)
    answer = ann.post("/undo", line=office.mark("C-0010"))
    assert "There is nothing to undo." in answer.text


# ---- a line ----------------------------------------------------------------------------------


def test_a_line_tells_its_story_and_who_did_what(office: Office, ann: Browser) -> None:
    ann.decide(office.mark("C-0093"), decision="override", reason_code="appeal-upheld", note="A\nB")
    ann.post("/assign", line=office.mark("C-0093"), assignee="Ben")
    ann.post("/undo", line=office.mark("C-0093"))
    text = ann.text(f"/line/{office.ref('C-0093')}")
    assert len(re.findall(IN_UTC, text)) == 3
    assert len(re.findall(IN_UTC, ann.text("/log"))) == 3
    assert '<article class="story">' in text
    assert "C50.A is no valid diagnosis code on 2026-01-12" in text
    done = re.findall(r"</td><td>Ann</td><td>([^<]*)</td><td class=\"typed\">([^<]*)</td>", text)
    assert done == [
        ("undone: assigned to Ben", ""),
        ("assigned to Ben", ""),
        ("overridden (appeal-upheld)", "A\nB"),
    ]
    assert ann.text("/story.css").startswith(".story")


def test_a_story_that_cannot_be_told_leaves_the_reasons(office: Office, ann: Browser) -> None:
    def tell(*_: object) -> None:
        raise InputError("it was written by an older version.")

    office.desk.tell = tell
    text = ann.text(f"/line/{office.ref('C-0093')}")
    assert "The whole story cannot be told: it was written by an older version." in text
    assert text.count('<span class="badge deny">deny</span> ') == 2
    assert "Authorization A-0093 ended on 2025-12-14" in text


def test_lines_lead_to_each_other_in_the_order_of_the_queue(office: Office, ann: Browser) -> None:
    claims = ann.claims("/?sort=claim")
    text = ann.text(f"/line/{office.ref(claims[1])}?q=sort%3Dclaim")
    assert f'rel="prev" href="/line/{office.ref(claims[0])}?q=sort%3Dclaim"' in text
    assert f'rel="next" href="/line/{office.ref(claims[2])}?q=sort%3Dclaim"' in text
    assert "2 of 64" in text
    assert "not among the" in ann.text(f"/line/{office.ref(claims[1])}?q=disposition%3Dpay")


@pytest.mark.parametrize("ref", ["1-9999-0000000000", "x", "1-0-0000000000"])
def test_a_line_that_is_not_there_is_said_to_be_gone(ann: Browser, ref: str) -> None:
    answer = ann.get(f"/line/{ref}")
    assert answer.status_code == 410
    assert "Nothing was kept." in answer.text
    assert ann.decide(f"{ref}.0").status_code == 410


def test_nobody_is_led_to_another_place(office: Office, ann: Browser) -> None:
    for form in (
        {"next": "//evil.example"},
        {"q": "//evil.example"},
        {"q": "text=https://evil.example"},
    ):
        answer = ann.post("/name", name="Ann", **form)
        assert re.match(r"/(\?[^/]*)?$", answer.headers["Location"].replace("%2F", "")), (
            answer.headers
        )


# ---- rates, log, help ------------------------------------------------------------------------


def test_override_rates_are_of_the_decisions_that_stand(office: Office, ann: Browser) -> None:
    assert "Nothing was decided yet." in ann.text("/rates")
    same = ann.claims("/?edit=original-claim-unknown&sort=claim")[:4]
    reason = {"decision": "override", "reason_code": "data-error-payer"}
    ann.decide(office.mark(same[0]), **reason)
    ann.decide(office.mark(same[1]), **reason)
    ann.decide(office.mark(same[2]))
    ann.decide(office.mark(same[3]), decision="documents")
    ann.post("/undo", line=office.mark(same[1]))
    text = re.sub(r"\s+", " ", ann.text("/rates"))
    cells = re.findall(r'<td class="number">([^<]*)</td>', text)
    assert cells == ["3", "1", "1", "1", "50 %"]
    assert "<td>data-error-payer 1</td>" in text


def test_the_log_tells_everything_and_leads_to_the_lines(office: Office, ann: Browser) -> None:
    ann.decide(office.mark("C-0010"))
    office.database.assign([Seen(a_line(7, run_id="gone"), 0)], "Ben", "Cleo")
    text = ann.text("/log")
    assert f'<a href="/line/{office.ref("C-0010")}">C-0010 / 1</a>' in text
    assert "<td>C-7 / 1</td><td>gone</td>" in text
    assert text.index("Cleo") < text.index(">upheld<")


def test_help_has_the_keys_the_decisions_and_every_reason(ann: Browser) -> None:
    text = ann.text("/help")
    assert all(f"<code>{code}</code>" in text for code in REASONS)
    guide = (Path(__file__).parents[2] / "docs/review.md").read_text(encoding="utf-8")
    for code, words in REASONS.items():
        assert f"| `{code}` | {words} |" in guide


# ---- faults ----------------------------------------------------------------------------------


def test_a_decision_that_could_not_be_exported_is_kept_and_said(
    office: Office, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UsageError("decisions.parquet: cannot be written. What was decided is kept.")

    monkeypatch.setattr(desk, "export", full)
    answer = ann.decide(office.mark("C-0010"))
    assert answer.status_code == 503
    assert "What was decided is kept." in answer.text
    assert stand(office, "C-0010") == ("uphold", "Ann")


def test_a_fault_of_the_program_is_said_without_a_word_of_the_data(
    office: Office, ann: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*_: object) -> None:
        raise RuntimeError("claim C-0010")

    office.desk.tell = wrong
    monkeypatch.setattr(LOGGER, "propagate", True)
    answer = ann.get(f"/line/{office.ref('C-0010')}")
    assert answer.status_code == 500
    assert "RuntimeError at test_pages.py:" in answer.text
    assert "C-0010" not in answer.text
    assert "C-0010" not in caplog.text and "RuntimeError" in caplog.text
