"""`policy check` finds criteria that contradict each other, and sentences that nothing decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.folder import CRITERIA, SENTENCES, TERMS
from tests.policies.sound import EXAMPLES, made_wrong, of_policy, sound
from tests.support import REFERENCE

# ---- criteria -------------------------------------------------------------------------------


SPREAD, TIRED, SOMETHING = "1.A.1 (spread)", "1.A.2 (tired)", "1.A.3 (something)"


@pytest.mark.parametrize(
    ("beside", "contradict"),
    [
        ("disease_extent,is,early", [SPREAD, SOMETHING]),
        ("disease_extent,is,early; inflammatory", [SPREAD, SOMETHING]),
        ("disease_extent,is not,metastatic", [SPREAD, SOMETHING]),
        ("disease_extent,is not,early", []),
        ("disease_extent,is,metastatic; early", []),
        # The term beside it wants another regimen.
        ("regimen,is,other", [TIRED, SOMETHING]),
        ("regimen,is,with_capecitabine; other", [TIRED, SOMETHING]),
        ("regimen,is,single_agent; other", []),
    ],
)
def test_words_that_contradict_each_other(
    tmp_path: Path, beside: str, contradict: list[str]
) -> None:
    """Beside the row that wants metastatic disease."""
    row = f"first,initial,1.A.3,fact,{beside},something,it is not,either\n"
    folder = made_wrong(tmp_path, CRITERIA, "first,initial,1.B", f"{row}first,initial,1.B")
    said = "is never met together with what is required above it"
    expected = [f"version first: criteria.csv: initial {place} {said}" for place in contradict]
    assert of_policy(folder) == expected


@pytest.mark.parametrize(
    ("one", "other", "possible"),
    [
        ("her2-negative", "her2-positive", False),
        ("her2-negative", "hormone-receptor-positive", True),
        ("triple-negative", "her2-positive", False),
        ("triple-negative", "her2-negative", True),
    ],
)
def test_terms_that_contradict_each_other(
    tmp_path: Path, one: str, other: str, possible: bool
) -> None:
    """Of the terms that are shipped: the two that tests establish are contraries."""
    folder = sound(tmp_path)
    (folder / TERMS).write_bytes((folder / TERMS).read_bytes() + shipped_terms())
    rows = [
        f"first,renewal,{n},term,{name},,,{name},no,again\n" for n, name in ((2, one), (3, other))
    ]
    with (folder / CRITERIA).open("a", encoding="utf-8") as file:
        file.writelines(rows)
    said = "is never met together with what is required above it"
    expected = [
        f"version first: criteria.csv: renewal {place} {said}"
        for place in (f"2 ({one})", f"3 ({other})")
    ]
    assert of_policy(folder) == ([] if possible else expected)


def shipped_terms() -> bytes:
    return b"".join((REFERENCE / TERMS).read_bytes().splitlines(keepends=True)[1:])


def test_rows_of_a_term_that_contradict_each_other(tmp_path: Path) -> None:
    """They are looked at where a criterion reads the term, which is never met for them."""
    row = "tired,3,fact,regimen,is,other,other,of no other kind,Words,made up\n"
    folder = sound(tmp_path)
    with (folder / TERMS).open("a", encoding="utf-8") as file:
        file.write(row)
    said = "is never met together with what is required above it"
    assert of_policy(folder) == [
        f"version first: {row} {said}"
        for row in (
            f"criteria.csv: initial {TIRED}",
            "terms.csv: tired 2 (of a kind)",
            "terms.csv: tired 3 (other)",
        )
    ]


@pytest.mark.parametrize(
    ("above", "below", "possible"),
    [
        ("at least,1.5", "below,1.5", False),
        ("at least,1.5", "at most,1.5", True),
        ("above,1.5", "below,1.5", False),
        ("above,1.5", "below,1.6", True),
        ("above,1.5", "at most,1.5", False),
        ("above,2.5", "at most,1.5", False),
        ("is,1.5", "is,2", False),
        ("is,1.5", "is not,1.5", False),
        ("is,1.5", "above,1.4", True),
        ("is not,1.5", "at least,1.5", True),
    ],
)
def test_numbers_that_contradict_each_other(
    tmp_path: Path, above: str, below: str, possible: bool
) -> None:
    """The one required at the top, the other in an alternative under it."""
    old = "first,initial,1.B,fact,bsa_m2,below,1.5,"
    folder = made_wrong(tmp_path, CRITERIA, old, f"first,initial,1.B,fact,bsa_m2,{below},")
    text = (folder / CRITERIA).read_text(encoding="utf-8")
    row = f"first,initial,2,fact,bsa_m2,{above},enough,not enough,either\n"
    text = text.replace("first,renewal", f"{row}first,renewal")
    (folder / CRITERIA).write_text(text, encoding="utf-8")
    said = "initial 1.B (small) is never met together with what is required above it"
    assert of_policy(folder) == ([] if possible else [f"version first: criteria.csv: {said}"])


@pytest.mark.parametrize(
    ("fact", "possible"),
    [
        # Whole numbers, and their bounds.
        ("her2_ihc,at least,3", True),
        ("her2_ihc,above,3", False),
        ("her2_ihc,below,0", False),
        ("her2_ihc,is,1.5", False),
        ("her2_ihc,is not,1.5", True),
        ("line_of_therapy,at most,1", True),
        ("line_of_therapy,below,1", False),
        ("line_of_therapy,at least,100", True),
        # Percentages.
        ("er_percent,at most,0", True),
        ("er_percent,below,0", False),
        ("er_percent,below,0.5", True),
        ("er_percent,above,99.5", True),
        ("er_percent,at least,100", True),
        ("er_percent,above,100", False),
        # Numbers that begin at 0, with it or without it.
        ("bilirubin_xuln,below,0.5", True),
        ("bilirubin_xuln,at most,0", True),
        ("bilirubin_xuln,below,0", False),
        ("bsa_m2,below,0.5", True),
        ("bsa_m2,at most,0", False),
        ("bsa_m2,above,0", True),
    ],
)
def test_a_row_that_no_value_of_its_fact_meets(tmp_path: Path, fact: str, possible: bool) -> None:
    row = f"first,renewal,2,fact,{fact},so,not so,again\n"
    folder = sound(tmp_path)
    with (folder / CRITERIA).open("a", encoding="utf-8") as file:
        file.write(row)
    said = "version first: criteria.csv: renewal 2 (so) is never met"
    told = [problem[: len(said)] for problem in of_policy(folder)]
    assert told == ([] if possible else [said])


@pytest.mark.parametrize(
    ("one", "other", "possible"),
    [
        ("line_of_therapy,above,1", "line_of_therapy,below,2", False),
        ("line_of_therapy,above,1", "line_of_therapy,below,3", True),
        ("er_percent,above,1", "er_percent,below,2", True),
        ("er_percent,above,99.9", "er_percent,is not,100", True),
    ],
)
def test_between_two_numbers(tmp_path: Path, one: str, other: str, possible: bool) -> None:
    folder = sound(tmp_path)
    with (folder / CRITERIA).open("a", encoding="utf-8") as file:
        file.write(f"first,renewal,2,fact,{one},one,not one,again\n")
        file.write(f"first,renewal,3,fact,{other},other,not other,again\n")
    assert len(of_policy(folder)) == (0 if possible else 2)


@pytest.mark.parametrize(("value", "possible"), [("true", True), ("false", False)])
def test_yes_and_no_contradict_each_other(tmp_path: Path, value: str, possible: bool) -> None:
    rows = (
        "first,renewal,2,fact,unacceptable_toxicity,is,true,toxicity,none,again\n"
        f"first,renewal,3,fact,unacceptable_toxicity,is,{value},or not,none,again\n"
    )
    folder = sound(tmp_path)
    with (folder / CRITERIA).open("a", encoding="utf-8") as file:
        file.write(rows)
    said = [f"renewal {place} is never met" for place in ("2 (toxicity)", "3 (or not)")]
    told = [t.partition("criteria.csv: ")[2].partition(" together")[0] for t in of_policy(folder)]
    assert told == ([] if possible else said)


# ---- sentences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            SENTENCES,
            "first,kind",
            "first,more,Criteria,More.,coverage-criteria,\nfirst,kind",
            "version first: sentences.csv: more has no case",
        ),
        # A case of the same sentence in another version is none.
        (
            SENTENCES,
            "second,age",
            "second,small,Age,Small.,member-under-age,\nsecond,age",
            "version second: sentences.csv: small has no case",
        ),
        (
            SENTENCES,
            "Or small.,1.B",
            "Or small.,1.C",
            "version first: sentences.csv: small is decided by 1.C, which is not asked",
        ),
        (
            SENTENCES,
            "From twelve.,member-under-age",
            "From twelve.,member-under-age units-per-dose",
            "version second: sentences.csv: age is decided by units-per-dose, which is not asked",
        ),
        (
            CRITERIA,
            "the patient is not small,small",
            "the patient is not small,tiny",
            "version first: criteria.csv: there is no sentence 'tiny'",
        ),
        # Of another version.
        (
            CRITERIA,
            "the patient is not small,small",
            "the patient is not small,age",
            "version first: criteria.csv: there is no sentence 'age'",
        ),
        (
            EXAMPLES,
            "untold,first,either",
            "untold,first,neither",
            "version first: cases: there is no sentence 'neither'",
        ),
        (
            EXAMPLES,
            "untold,first,either",
            "untold,first,",
            "version first: cases: there is no sentence ''",
        ),
    ],
)
def test_sentences(tmp_path: Path, name: str, old: str, new: str, expected: str) -> None:
    assert of_policy(made_wrong(tmp_path, name, old, new)) == [expected]
