"""No two members meet in `evaluate`: the members' parts, put together, are the whole."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from claims_edit import intake
from claims_edit.contracts import LINE_KEY, PAST_COLUMNS
from claims_edit.edits.catalogue import ORDER
from claims_edit.evaluate import Night, Outcome, evaluate
from claims_edit.members import Members, open_members
from claims_edit.past import Past, no_elsewhere, no_other_versions, no_past
from claims_edit.scope import scope_of
from tests.support import PROJECT, policy, reference_data
from tests.test_sample_claims import SAMPLE, configured
from tests.tuva.overlay import AS_OF, columns_of, csv_text, overlaid

EXTRACTS = ("sample", "tuva", "tuva over two nights")
T = TypeVar("T", Night, Past)


def read(claims: Sequence[Path], authorizations: Path, members: Path, clinical: Path) -> Night:
    """The night of an extract of files."""
    reference = reference_data()
    enrolled = Members(open_members(members), reference["states"])
    extract = intake.open_claims(claims, with_members=True)
    rows = intake.read_claims(extract, enrolled, scope_of(reference, policy()))
    authorized = intake.read_authorizations(intake.open_authorizations(authorizations))
    facts = intake.read_clinical_facts(intake.open_clinical_facts(clinical))
    return Night(
        rows.lines,
        rows.other_versions,
        authorized.rows,
        authorized.rejected_as,
        rows.partner_lines,
        facts.rows,
    )


@cache
def night_of(extract: str) -> tuple[Night, date]:
    """The night of an extract, and its as-of date."""
    if extract == "sample":
        options = configured()
        claims = [SAMPLE / path for path in options["claims"]]
        others = ("authorizations", "members", "clinical")
        night = read(claims, *(SAMPLE / options[name] for name in others))
        return night, date.fromisoformat(options["as_of"])
    if extract == "tuva over two nights":
        return second_night(), AS_OF
    given = overlaid()
    tables = {
        "claims": given.claims,
        "authorizations": given.authorizations,
        "members": given.members,
        "clinical": given.clinical,
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.csv" for name in tables}
        for name, rows in tables.items():
            paths[name].write_text(csv_text(rows, columns_of(rows)), encoding="utf-8", newline="")
        return read([paths.pop("claims")], *paths.values()), AS_OF


def second_night() -> Night:
    """The later half of the claims, of which some void claims of the earlier half: its history."""
    night, as_of = night_of("tuva")
    claims = night.lines["claim_id"].unique().sort()
    earlier = pl.col("claim_id").is_in(claims[::2].implode())
    before = evaluated(replace(night, lines=night.lines.filter(earlier)), as_of).lines
    partners = night.partner_lines["claim_id"].unique().sort()
    partner_earlier = pl.col("claim_id").is_in(partners[::2].implode())
    partners_before = night.partner_lines.filter(partner_earlier)
    past = Past(
        before.select(PAST_COLUMNS).with_columns(
            run=pl.lit(1, pl.Int64), run_id=pl.lit("first"), settled=False
        ),
        no_other_versions(),
        no_elsewhere(),
        partners_before.with_columns(run=pl.lit(1, pl.Int64)),
    )
    allowed = before.filter(pl.col("allowed_units") > 0).sort("claim_id")[::3]
    voids = allowed.unique("member_id").select("member_id", voided="claim_id")
    lines = night.lines.filter(~earlier).join(voids, on="member_id", how="left")
    voiding = pl.col("voided").is_not_null() & (pl.int_range(pl.len()).over("member_id") == 0)
    lines = lines.with_columns(
        claim_frequency_code=pl.when(voiding).then(pl.lit("8")).otherwise("claim_frequency_code"),
        original_claim_id=pl.when(voiding).then("voided").otherwise("original_claim_id"),
    )
    return replace(
        night,
        lines=lines.drop("voided"),
        partner_lines=night.partner_lines.filter(~partner_earlier),
        past=past,
    )


def test_the_second_night_has_history_that_matters() -> None:
    night, as_of = night_of("tuva over two nights")
    alone = replace(night, past=no_past())
    assert not evaluated(night, as_of).lines.equals(evaluated(alone, as_of).lines)


@pytest.mark.parametrize("extract", EXTRACTS)
def test_every_night_has_facts_and_partner_lines_that_matter(extract: str) -> None:
    night, as_of = night_of(extract)
    whole = evaluated(night, as_of).findings
    without_facts = evaluated(replace(night, clinical_facts=None), as_of).findings
    assert not whole.equals(without_facts)
    alone = replace(night, partner_lines=night.partner_lines.clear())
    alone = replace(alone, past=replace(night.past, partner_lines=night.past.partner_lines.clear()))
    assert not whole.equals(evaluated(alone, as_of).findings)


def evaluated(night: Night, as_of: date) -> Outcome:
    return evaluate(night, policy(), reference_data(), as_of)


def rows_of(member: str, table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("member_id") == member)


def each_table(night: T, change: Callable[[pl.DataFrame], pl.DataFrame]) -> T:
    """The same night, or the same past, with every table changed."""
    tables: dict[str, Any] = {field.name: getattr(night, field.name) for field in fields(night)}
    facts = tables.pop("clinical_facts", None)
    changed: dict[str, Any] = {
        name: change(table) if isinstance(table, pl.DataFrame) else each_table(table, change)
        for name, table in tables.items()
    }
    if facts is not None:
        owners = tables["authorizations"].select("authorization_number", "member_id")
        of_members = facts.join(owners, on="authorization_number", how="left")
        changed["clinical_facts"] = change(of_members).drop("member_id")
    return replace(night, **changed)


def part_of(night: Night, part: int, parts: int) -> Night:
    """What a night holds of the members of one part."""
    return each_table(night, lambda table: table.filter(_is_in(part, parts)))


def _is_in(part: int, parts: int) -> pl.Expr:
    def number(member: str) -> int:
        return int(hashlib.sha256(member.encode()).hexdigest(), 16) % parts

    return pl.col("member_id").map_elements(number, return_dtype=pl.Int64) == part


def together(*outcomes: Outcome) -> Outcome:
    """The lines by their keys, the findings by theirs and the order of the edits."""
    order = pl.col("edit_id").replace_strict(ORDER, return_dtype=pl.UInt16)
    return Outcome(
        pl.concat(outcome.lines for outcome in outcomes).sort(*LINE_KEY),
        pl.concat(outcome.findings for outcome in outcomes).sort(*LINE_KEY, order),
        pl.concat(outcome.reconsider for outcome in outcomes).sort(*LINE_KEY),
    )


def digests() -> list[str]:
    """One digest of all lines and one of all findings, extract by extract."""
    outcomes = [evaluated(*night_of(extract)) for extract in EXTRACTS]
    return [
        hashlib.sha256(table.write_ndjson().encode()).hexdigest()
        for outcome in outcomes
        for table in (outcome.lines, outcome.findings)
    ]


@pytest.mark.parametrize("parts", [2, 3, 7])
@pytest.mark.parametrize("extract", EXTRACTS)
def test_the_parts_of_the_members_make_the_whole(extract: str, parts: int) -> None:
    night, as_of = night_of(extract)
    outcomes = [evaluated(part_of(night, part, parts), as_of) for part in range(parts)]
    assert all(not outcome.lines.is_empty() for outcome in outcomes)
    whole, joined = together(evaluated(night, as_of)), together(*outcomes)
    assert_frame_equal(joined.lines, whole.lines)
    assert_frame_equal(joined.findings, whole.findings)
    assert_frame_equal(joined.reconsider, whole.reconsider)


@pytest.mark.parametrize("extract", EXTRACTS)
def test_members_stand_in_order_and_their_lines_in_theirs(extract: str) -> None:
    night, as_of = night_of(extract)
    lines = evaluated(night, as_of).lines
    order = ("member_id", "claim_line_start_date", "received_date", *LINE_KEY)
    assert_frame_equal(lines, lines.sort(order, nulls_last=True))


@pytest.mark.parametrize("extract", EXTRACTS)
def test_each_member_alone_is_edited_as_among_all(extract: str) -> None:
    night, as_of = night_of(extract)
    whole = evaluated(night, as_of)
    busiest = night.lines["member_id"].value_counts().sort("count", "member_id")["member_id"][-5:]
    for member in busiest:
        of_member = pl.col("member_id") == member
        alone = evaluated(each_table(night, partial(rows_of, member)), as_of)
        keys = alone.lines.select(LINE_KEY)
        assert_frame_equal(alone.lines, whole.lines.filter(of_member))
        assert_frame_equal(
            alone.findings,
            whole.findings.join(keys, on=LINE_KEY, how="semi", maintain_order="left"),
        )


@pytest.mark.parametrize("extract", EXTRACTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_rows_does_not_matter(extract: str, seed: int) -> None:
    night, as_of = night_of(extract)
    shuffled = each_table(night, lambda t: t.sample(fraction=1, shuffle=True, seed=seed))
    whole, other = evaluated(night, as_of), evaluated(shuffled, as_of)
    assert_frame_equal(other.lines, whole.lines)
    assert_frame_equal(other.findings, whole.findings)
    assert_frame_equal(other.reconsider, whole.reconsider)


@pytest.mark.parametrize(
    "settings",
    [
        {"POLARS_MAX_THREADS": "1"},
        {"POLARS_MAX_THREADS": "3", "POLARS_ENGINE_AFFINITY": "streaming"},
        {"POLARS_ENGINE_AFFINITY": "in-memory"},
    ],
    ids=["one thread", "streaming", "in memory"],
)
def test_threads_and_engine_do_not_matter(settings: dict[str, str]) -> None:
    code = "from tests.test_evaluate_parts import digests; print(*digests())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout.split() == digests()
