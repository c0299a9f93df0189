"""Every edit does what its table of examples says, row by row."""

from __future__ import annotations

from decimal import Decimal

import pytest

from claims_edit.edits.catalogue import EDITS
from tests.edits import generate_docs
from tests.edits.tables import (
    FOUND,
    Example,
    Outcome,
    edited,
    outcome,
    read_table,
    table_ids,
)
from tests.edits.variants import VARIANTS

ROWS = [example for edit_id in table_ids() for example in read_table(edit_id).examples]


@pytest.mark.parametrize("example", ROWS, ids=lambda e: f"{e.edit_id}:{e.line}")
def test_example(example: Example) -> None:
    found = outcome(example)
    expected = Outcome(
        disposition=example["disposition"],
        verdict=example["verdict"] if example["verdict"] in FOUND else None,
        message=found.message,
        allowed_units=(
            Decimal(example["allowed_units"]) if example["allowed_units"] else found.allowed_units
        ),
        also=tuple(sorted(example.also, key=list(EDITS).index)),
    )
    assert found == expected, example.name
    assert example["says"] in (found.message or ""), example.name


def test_every_edit_has_a_table_and_every_table_an_edit() -> None:
    assert table_ids() == sorted(EDITS)


@pytest.mark.parametrize("edit_id", EDITS)
def test_a_table_shows_every_verdict(edit_id: str) -> None:
    verdicts = {example["verdict"] for example in read_table(edit_id).examples}
    needed = {"pass", "fail"}
    if EDITS[edit_id].unknown_message is not None:
        needed.add("unknown")
    assert needed <= verdicts


@pytest.mark.parametrize("edit_id", EDITS)
def test_a_table_explains_the_edit_and_repeats_no_row(edit_id: str) -> None:
    table = read_table(edit_id)
    assert " ".join(table.text).endswith(".")
    sentences = [(e["night"], e["example"]) for e in table.examples]
    assert len(sentences) == len(set(sentences))


def test_every_variant_is_used_and_says_what_it_is() -> None:
    assert {example["policy"] for example in ROWS} == {"", *VARIANTS}
    assert all(variant.says.endswith(".") for variant in VARIANTS.values())


@pytest.mark.parametrize("clinical", [False, True])
def test_the_ordinary_line_has_no_finding(clinical: bool) -> None:
    ordinary = Example("coverage-criteria", 0, {"example": "the ordinary line"}, clinical)
    found = edited([[ordinary]], ordinary.run)
    assert found == {0: Outcome("pay", allowed_units=Decimal(90))}


def test_only_the_tables_of_edits_that_read_clinical_facts_give_any() -> None:
    with_facts = {example.edit_id for example in ROWS if example.clinical}
    assert with_facts == {edit.id for edit in EDITS.values() if edit.reads_clinical_facts}


def test_the_docs_are_written_from_the_tables() -> None:
    assert generate_docs.is_current()
