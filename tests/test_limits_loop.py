"""The loop of the limits allows the same, be it Python or machine code."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from claims_edit import kernel
from claims_edit.contracts import DRAWS, UNITS
from claims_edit.evaluate import make_ready
from claims_edit.ledger import VersionLimits, WindowLimit
from claims_edit.limits import COMPILED_FROM, LimitResults, allowed_units

MILLION = 1_000_000
NEVER = 1 << 40
DAY = date(2026, 1, 1)
BOTH = VersionLimits(
    (
        WindowLimit("units-per-dose", 90 * MILLION, 1, "cutback"),
        WindowLimit("units-per-period", 90 * MILLION, 21, "cutback"),
    ),
    "cutback",
)
OTHER_ACTIONS = VersionLimits(
    (
        WindowLimit("units-per-dose", 60 * MILLION, 2, "flag"),
        WindowLimit("units-per-period", 100 * MILLION, 30, "deny"),
    ),
    "deny",
)
NO_AUTHORIZATIONS = VersionLimits(BOTH.windows[:1], None)
VERSIONS = {"both": BOTH, "others": OTHER_ACTIONS, "none": NO_AUTHORIZATIONS}

Night = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def night(seed: int, members: int, most: str = "90") -> Night:
    """Lines, what covers them, and history, of a few members who bill too much."""
    dice = Random(seed)
    lines: list[tuple[Any, ...]] = []
    covering: list[tuple[Any, ...]] = []
    past: list[tuple[Any, ...]] = []
    for m in range(members):
        member = f"M-{m:03}"
        numbers = [
            (f"A-{m}-{n}", dice.choice([None, 0, 45, 200, 500])) for n in range(dice.randrange(4))
        ]
        days = sorted(dice.randrange(70) for _ in range(dice.randrange(1, 12)))
        for day in days:
            line = len(lines)
            units = Decimal(dice.choice(["15", "45", "89.5", most]))
            lines.append((line, member, dice.choice(list(VERSIONS)), DAY + timedelta(day), units))
            for number, approved in numbers[: dice.randrange(len(numbers) + 1)]:
                millionths = None if approved is None else approved * MILLION
                place = 4 * m + int(number[-1])
                covering.append((line, member, place, number, millionths))
        for _ in range(dice.randrange(3)):
            units = Decimal(dice.choice(["0", "15", "45", "90"]))
            draws = [{"authorization_number": n, "units": units} for n, _ in numbers[:1] if units]
            past.append((member, DAY + timedelta(dice.randrange(-10, 90)), units, draws))
    return (
        pl.DataFrame(
            lines,
            schema={
                "line": pl.UInt32,
                "member_id": pl.String,
                "policy_version": pl.String,
                "claim_line_start_date": pl.Date,
                "service_unit_quantity": UNITS,
            },
            orient="row",
        ),
        pl.DataFrame(
            covering,
            schema={
                "line": pl.UInt32,
                "member_id": pl.String,
                "authorization": pl.UInt32,
                "authorization_number": pl.String,
                "approved": pl.Int128,
            },
            orient="row",
        ),
        pl.DataFrame(
            past,
            schema={
                "member_id": pl.String,
                "claim_line_start_date": pl.Date,
                "allowed_units": UNITS,
                "authorization_draws": DRAWS,
            },
            orient="row",
        ),
    )


def results(of: Night, compiled_from: int) -> LimitResults:
    lines, covering, past = of
    return allowed_units(lines, covering, VERSIONS, past, compiled_from=compiled_from)


def assert_same(one: LimitResults, other: LimitResults) -> None:
    assert_frame_equal(one.allowed, other.allowed)
    assert one.exceeded.keys() == other.exceeded.keys()
    for edit_id, rows in one.exceeded.items():
        assert_frame_equal(rows, other.exceeded[edit_id])


@pytest.mark.parametrize("seed", range(6))
def test_machine_code_allows_what_python_allows(seed: int) -> None:
    of = night(seed, 60)
    assert kernel.compiled() is not None
    plain = results(of, NEVER)
    assert_same(results(of, 0), plain)
    allowed = plain.allowed["allowed_units"]
    assert 0 < allowed.filter(allowed > 0).len() < allowed.len()
    assert all(rows.height for rows in plain.exceeded.values())


def test_what_is_loaded_beforehand_is_what_is_used() -> None:
    loop = kernel.compiled()
    assert loop is not None
    make_ready(COMPILED_FROM - 1)
    make_ready(COMPILED_FROM)
    loaded = list(loop.signatures)  # type: ignore[attr-defined]
    results(night(1, 60), 0)
    assert loaded == list(loop.signatures)  # type: ignore[attr-defined]
    assert len(loaded) == 1


def test_units_that_leave_64_bits_are_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("was asked for")

    monkeypatch.setattr(kernel, "compiled", never)
    huge = night(1, 60, most="999999999999.999999")
    assert_same(results(huge, 0), results(huge, NEVER))


def test_where_nothing_can_be_compiled_python_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    of = night(2, 30)
    expected = results(of, NEVER)
    monkeypatch.setattr(kernel, "compiled", lambda: None)
    assert_same(results(of, 0), expected)


def test_a_night_without_lines() -> None:
    lines, covering, past = night(3, 10)
    nothing = results((lines.clear(), covering.clear(), past), 0)
    assert nothing.allowed.is_empty()
    assert all(rows.is_empty() for rows in nothing.exceeded.values())


def test_the_fullest_window_looks_both_ways() -> None:
    days, units = [0, 5, 20, 21, 30], [10, 20, 30, 40, 50]
    asked = {width: kernel.fullest(days, units, 0, 5, 2, width) for width in (1, 2, 21, 22, 31)}
    assert asked == {1: (30, 20), 2: (70, 20), 21: (120, 20), 22: (120, 20), 31: (150, 0)}
