"""Pseudonyms: one key, one id, one name; nothing of the id is left, and nothing else is changed."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from claims_edit.edits.catalogue import EDITS
from claims_edit.errors import UsageError
from claims_edit.masking import KEY_FILE, NO_MASKING, Masking, masking
from claims_edit.naming import AUTHORIZATION, CLAIM, MEMBER, Ids
from claims_edit.report.reading import read
from tests.report.support import (
    KEY,
    Naming,
    contents,
    distinctive,
    long_numbers,
    renamed,
    short_numbers,
    with_blanks,
)
from tests.runs.nights import written_nights

MASKED = Masking(KEY)
_PSEUDONYM = re.compile(r"[MCA](?:-[0-9A-HJKMNP-TV-Z]{4}){3}")


# ---- names ----------------------------------------------------------------------------------


def test_one_id_has_one_pseudonym_under_one_key() -> None:
    assert Masking(KEY).member("M-1") == MASKED.member("M-1")
    assert MASKED.member("M-1") != MASKED.member("M-2")
    assert Masking(b"other").member("M-1") != MASKED.member("M-1")


def test_pseudonyms_say_what_they_are_of() -> None:
    names = [MASKED.member("1"), MASKED.claim("1"), MASKED.authorization("1")]
    assert [name[0] for name in names] == ["M", "C", "A"]
    assert all(_PSEUDONYM.fullmatch(name) for name in names)
    assert len({name[1:] for name in names}) == 3


def test_an_id_is_named_as_it_is_compared() -> None:
    assert MASKED.member(" M-1 ") == MASKED.member("M-1")
    assert MASKED.authorization("a-1") == MASKED.authorization("A-1")
    assert MASKED.claim("c-1") != MASKED.claim("C-1")


def test_a_hundred_thousand_ids_have_as_many_pseudonyms() -> None:
    assert len({MASKED.claim(str(n)) for n in range(100_000)}) == 100_000


def test_no_masking_leaves_all_as_it_is() -> None:
    frame = pl.DataFrame({"member_id": ["M-1"], "birth_date": ["1970-05-14"]})
    assert NO_MASKING.frame(frame) is frame
    assert NO_MASKING.text("claim C-1") == "claim C-1"
    assert [NO_MASKING.member("1"), NO_MASKING.claim("2"), NO_MASKING.authorization("3")] == [
        *("1", "2", "3")
    ]


# ---- sentences ------------------------------------------------------------------------------


def _said(text: str, **ids: list[str]) -> str:
    kinds = {"members": MEMBER, "claims": CLAIM, "authorizations": AUTHORIZATION}
    return MASKED.text(text, Ids({kinds[k]: frozenset(v) for k, v in ids.items()}))


@pytest.mark.parametrize(
    "text",
    [
        "90 units on 2026-01-19 would make 180 in the 21 days from 2026-01-05; the limit is 90",
        "its claim runs from 2026-01-05 to 2026-01-07",
        "the member has no authorization of J9207 for 2026-01-12",
        "the line points to diagnosis 3, and the claim has none in that place",
        "the lines of the claim disagree on member, frequency or original claim",
    ],
)
def test_a_sentence_without_ids_stays(text: str) -> None:
    numbers = [str(n) for n in range(200)]
    assert _said(text, members=numbers, claims=numbers, authorizations=numbers) == text


def test_a_short_number_is_an_id_behind_the_word_that_says_so() -> None:
    said = _said("claim 90 on 2026-01-12 makes 90 units, and 90 are billed", claims=["90"])
    assert said == f"claim {MASKED.claim('90')} on 2026-01-12 makes 90 units, and 90 are billed"


def test_one_number_is_a_claim_here_and_an_authorization_there() -> None:
    said = _said("Claim 7 was drawn from authorization 7.", claims=["7"], authorizations=["7"])
    claim, number = MASKED.claim("7"), MASKED.authorization("7")
    assert said == f"Claim {claim} was drawn from authorization {number}."


def test_several_ids_behind_one_word() -> None:
    said = _said("tonight claims 1, 2 and 3 released units, and 90 fit", claims=["1", "2", "3"])
    assert not re.search(r"\b[123]\b(?!-)", _PSEUDONYM.sub("", said))
    assert said.endswith(" released units, and 90 fit")


def test_a_claim_of_another_night_is_named_though_no_table_has_it() -> None:
    assert _said("repeat claim 10000-B line 2") == f"repeat claim {MASKED.claim('10000-B')} line 2"


def test_a_long_id_is_named_wherever_it_stands() -> None:
    said = _said("(see QX-4711-AB: twice)", members=["QX-4711-AB"])
    assert said == f"(see {MASKED.member('QX-4711-AB')}: twice)"


def test_ids_of_several_words() -> None:
    said = _said("repeat claim A 1, B line 2", claims=["A 1", "A 1, B"])
    assert said == f"repeat claim {MASKED.claim('A 1, B')} line 2"


@pytest.mark.parametrize(
    "born", ["born 1970-05-14", "birth date: 1970-05-14", "born on 1970-05-14"]
)
def test_a_sentence_tells_no_birth_date(born: str) -> None:
    assert "1970" not in MASKED.text(f"the member, {born}, was 17 on 2026-01-12")
    assert "was 17 on 2026-01-12" in MASKED.text(f"the member, {born}, was 17 on 2026-01-12")


# ---- tables ---------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[distinctive, long_numbers, short_numbers, with_blanks])
def other_ids(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Naming, Path, list[str]]:
    """A run of the sample, which reaches nearly every edit, under other ids."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    return request.param, *renamed(folder, request.param)


def test_the_sentences_of_every_edit_say_the_same_under_pseudonyms(
    other_ids: tuple[Naming, Path, list[str]],
) -> None:
    """Names put back in place of the pseudonyms give what the run has said, but for birth dates."""
    _, run, _ = other_ids
    reading = read(run)
    findings = reading.tables["findings"]
    assert findings["edit_id"].n_unique() > len(EDITS) - 4
    back = {
        name(raw): raw
        for kind, name in (
            (MEMBER, MASKED.member),
            (CLAIM, MASKED.claim),
            (AUTHORIZATION, MASKED.authorization),
        )
        for raw in reading.ids.of_kind[kind]
    }
    masked = MASKED.frame(findings, reading.ids)
    told = set()
    for before, after in zip(findings["message"], masked["message"], strict=True):
        told.update(_PSEUDONYM.findall(after))
        restored = _PSEUDONYM.sub(lambda match: back[match[0]], after)
        assert restored == re.sub(r"born \d{4}-\d\d-\d\d", "born (withheld)", before)
        bare = _PSEUDONYM.sub("", after)
        assert not re.search(r"(claim|authorization|under) [\dACX]+\b[^ ]*\d", bare, re.IGNORECASE)
    assert told


def test_a_sentence_with_two_authorizations_has_two_pseudonyms(
    other_ids: tuple[Naming, Path, list[str]],
) -> None:
    naming, run, _ = other_ids
    reading = read(run)
    findings = reading.tables["findings"]
    masked = MASKED.frame(findings, reading.ids).filter(
        pl.col("edit_id") == "authorization-units-exceeded"
    )
    counts = sorted(len(_PSEUDONYM.findall(text)) for text in masked["message"])
    assert counts == [1, 2]
    if naming is not with_blanks:  # of these a list cannot be told from one, unless both are known
        assert sorted(text.count("A-") for text in masked["evidence"]) == [1, 2]


def test_nothing_of_an_id_or_a_birth_date_is_left_in_masked_files(
    other_ids: tuple[Naming, Path, list[str]], tmp_path: Path
) -> None:
    naming, run, born = other_ids
    if naming is short_numbers:
        pytest.skip("short numbers stand everywhere; what is said of them is tested above")
    arguments = ["report", str(run), "--to", str(tmp_path), "--workbook", "--lines", "5000"]
    assert outcome(arguments) == 0
    text = contents(tmp_path / "report.html", tmp_path / "report.xlsx")
    reading = read(run)
    ids = {raw for raws in reading.ids.of_kind.values() for raw in raws}
    assert len(ids) > 150
    assert [raw for raw in ids if raw in text] == []
    assert len(born) > 50
    assert [day for day in born if day in text] == []
    assert "birth_date" not in text.replace("birth_date:", "")


def test_no_id_of_earlier_nights_is_left_either(tmp_path: Path) -> None:
    nights = written_nights(tmp_path)
    for night in ("first", "second", "third"):
        run = nights.publish(tmp_path / "runs", night)
    there = tmp_path / "there"
    there.mkdir()
    for night in ("second", "third"):
        run = tmp_path / "runs" / f"run_id={night}"
        assert outcome(["report", str(run), "--to", str(there), "--workbook"]) == 0
        assert "ZQ-" not in contents(there / "report.html", there / "report.xlsx")


def test_rejected_rows_show_what_reads_as_it_should_alone() -> None:
    rejected = pl.DataFrame(
        {
            "failed_checks": [["hcpcs_code:not_null"], ["conflicting_key"]],
            "reasons": ["hcpcs_code is missing", "another row"],
            "claim_id": ["1970-05-14", "C-1"],
            "member_id": [None, " M-1"],
            "birth_date": ["M-1", "19700514"],
            "claim_line_start_date": ["MEMBER 7", "1970-05-14"],
            "hcpcs_code": ["M-1", "J9207"],
            "charge_amount": ["123456789", "9000.00"],
            "rendering_npi": ["M-1", "1000000001"],
        }
    )
    shown = MASKED.frame(rejected)
    assert "birth_date" not in shown.columns
    assert shown["claim_line_start_date"].to_list() == [None, None]
    assert shown["hcpcs_code"].to_list() == [None, "J9207"]
    assert shown["charge_amount"].to_list() == [None, "9000.00"]
    assert shown["member_id"].to_list() == [None, MASKED.member("M-1")]
    assert "M-1" not in re.sub(_PSEUDONYM, "", shown.write_json())


def test_draws_and_lists_are_masked_and_stay_in_order() -> None:
    draw = pl.Struct({"authorization_number": pl.String, "units": pl.Decimal(18, 6)})
    frame = pl.DataFrame(
        {
            "authorization_draws": pl.Series(
                [[("B", 2), ("A", 1)], [], None], dtype=pl.List(draw), strict=False
            ),
            "released_claim_ids": [["2", "1"], [], None],
        }
    )
    shown = MASKED.frame(frame)
    numbers = [MASKED.authorization(n) for n in "BA"]
    assert shown.schema == frame.schema
    assert [d["authorization_number"] for d in shown["authorization_draws"][0]] == numbers
    assert shown["released_claim_ids"].to_list() == [
        [MASKED.claim("2"), MASKED.claim("1")],
        [],
        None,
    ]


# ---- keys -----------------------------------------------------------------------------------


def _of(out: Path, **options: object) -> object:
    given: dict[str, object] = {"leaves": True, "mask": False, "unmasked": False, "key_file": None}
    return masking(out, **(given | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("leaves", "mask", "unmasked", "active"),
    [
        (True, False, False, True),
        (True, False, True, False),
        (True, True, False, True),
        (False, False, False, False),
        (False, True, False, True),
        (False, False, True, False),
    ],
)
def test_what_leaves_the_run_folder_is_masked(
    tmp_path: Path, leaves: bool, mask: bool, unmasked: bool, active: bool
) -> None:
    shown = _of(tmp_path, leaves=leaves, mask=mask, unmasked=unmasked)
    assert isinstance(shown, Masking) == active
    assert (tmp_path / KEY_FILE).exists() == active


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = _of(tmp_path), _of(tmp_path)
    assert isinstance(first, Masking)
    assert isinstance(again, Masking)
    assert first.member("M-1") == again.member("M-1")
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", (tmp_path / KEY_FILE).read_text())
    assert os.listdir(tmp_path) == [KEY_FILE]  # noqa: PTH208


def test_another_folder_has_another_key(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    one, other = (_of(folder) for folder in folders)
    assert isinstance(one, Masking)
    assert isinstance(other, Masking)
    assert one.member("M-1") != other.member("M-1")


def test_a_key_that_is_named(tmp_path: Path) -> None:
    key = tmp_path / "own.key"
    key.write_text("AB" * 32 + "\n")
    shown = _of(tmp_path, key_file=key)
    assert isinstance(shown, Masking)
    assert shown.member("M-1") == Masking(b"ab" * 32).member("M-1")
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("text", ["", "short", "ab" * 31, "xy" * 32, "ab" * 32 + " ab"])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    key = tmp_path / "own.key"
    key.write_text(text)
    with pytest.raises(UsageError, match=r"--mask-key: .*own\.key: is no key"):
        _of(tmp_path, key_file=key)


def test_a_key_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--mask-key: .*cannot be read"):
        _of(tmp_path, key_file=tmp_path / "none.key")


def test_both_options_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--mask, --unmasked: give one"):
        _of(tmp_path, mask=True, unmasked=True)
