"""The band that a night's shares of lines are looked at in: what leaves it, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from claims_edit.drift import FEWEST_RUNS, LAST_RUNS, drift_of, in_words

Counts = dict[str, int]


def a_night(
    edited: int, *, policy: str = "the-policy", edits: Counts | None = None, **dispositions: int
) -> dict[str, Any]:
    """What the manifest of a night says that drift is about."""
    return {
        "policy": {"id": policy},
        "rows": {"edited": edited},
        "dispositions": {name: {"lines": lines} for name, lines in dispositions.items()},
        "edits": {name: {"lines": lines} for name, lines in (edits or {}).items()},
    }


def nights(count: int, edited: int = 1000, **counts: Any) -> list[dict[str, Any]]:
    return [a_night(edited, **counts) for _ in range(count)]


def out_of_band(
    tonight: dict[str, Any], earlier: Sequence[dict[str, Any]]
) -> list[tuple[str, str]]:
    return [(w["kind"], w["name"]) for w in drift_of(tonight, earlier)["warnings"]]


# ---- the band -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usual", "edited", "lowest", "highest"),
    [
        # Four deviations of chance on either side: of 100 in 1,000 lines one is 9.5 lines.
        (100, 1000, 66, 141),
        (500, 1000, 437, 563),
        (10, 1000, 2, 26),
        # Where it is one line in ten, a night of 100 lines may have up to 24.
        (100, 100, 2, 24),
    ],
)
def test_both_sides_of_the_band(usual: int, edited: int, lowest: int, highest: int) -> None:
    earlier = nights(LAST_RUNS, deny=usual)
    quiet = [n for n in range(edited + 1) if not out_of_band(a_night(edited, deny=n), earlier)]
    assert quiet == list(range(lowest, highest + 1))


def test_a_warning_tells_the_share_and_the_band() -> None:
    earlier = nights(LAST_RUNS, deny=100)
    told = drift_of(a_night(1000, deny=300), earlier)
    assert told["runs"] == LAST_RUNS
    (warning,) = told["warnings"]
    assert (warning["kind"], warning["name"]) == ("disposition", "deny")
    assert (warning["share"], warning["median"]) == ("0.300000", "0.100000")
    assert 0.065 < float(warning["low"]) <= 0.066
    assert 0.141 <= float(warning["high"]) < 0.142
    assert in_words(warning) == (
        f"disposition deny: 30.00% of lines, outside {float(warning['low']):.2%} to "
        f"{float(warning['high']):.2%} (median of the last runs 10.00%)"
    )


def test_runs_that_scatter_widen_the_band() -> None:
    """Half of the runs at 5 %, half at 15 %: 20 % is nothing new; 70 % is."""
    earlier = [a_night(1000, deny=share) for share in (50, 150)] * 10
    assert out_of_band(a_night(1000, deny=200), nights(20, deny=100)) == [("disposition", "deny")]
    assert out_of_band(a_night(1000, deny=200), earlier) == []
    assert out_of_band(a_night(1000, deny=700), earlier) == [("disposition", "deny")]


def test_a_few_bad_nights_do_not_move_the_band() -> None:
    usual = nights(LAST_RUNS - 5, deny=100)
    earlier = usual[:10] + nights(5, deny=900) + usual[10:]
    assert out_of_band(a_night(1000, deny=200), earlier) == [("disposition", "deny")]
    assert out_of_band(a_night(1000, deny=110), earlier) == []


def test_a_small_night_may_differ_more_than_a_large_one() -> None:
    earlier = nights(LAST_RUNS, deny=100)
    assert out_of_band(a_night(10, deny=3), earlier) == []
    assert out_of_band(a_night(10_000, deny=3000), earlier) == [("disposition", "deny")]


def test_chance_alone_is_no_alarm() -> None:
    """Thousands of nights with the same shares: an alarm in a thousand of them, or fewer."""
    random = Random(20260228)

    def by_chance() -> dict[str, Any]:
        lines = random.choices(["pay", "flag", "deny"], [85, 10, 5], k=200)
        counts: dict[str, Any] = {name: lines.count(name) for name in set(lines)}
        return a_night(200, **counts)

    earlier = [by_chance() for _ in range(LAST_RUNS)]
    alarms = sum(len(out_of_band(by_chance(), earlier)) for _ in range(4000))
    assert alarms <= 4


# ---- what is looked at ----------------------------------------------------------------------


def test_dispositions_and_edits_each_on_their_own() -> None:
    edits: dict[str, Any] = {"ndc-missing": 10, "units-per-period": 50}
    earlier = nights(LAST_RUNS, pay=900, deny=100, edits=edits)
    shifted = a_night(1000, pay=880, deny=120, edits={"ndc-missing": 60, "units-per-period": 55})
    assert out_of_band(shifted, earlier) == [("edit", "ndc-missing")]
    swapped = a_night(1000, pay=100, deny=900, edits=edits)
    assert out_of_band(swapped, earlier) == [("disposition", "deny"), ("disposition", "pay")]


@pytest.mark.parametrize(("lines", "alarms"), [(0, False), (1, False), (3, False), (50, True)])
def test_an_edit_never_seen_before(lines: int, alarms: bool) -> None:
    tonight = a_night(1000, edits={"ndc-invalid": lines} if lines else {})
    found = out_of_band(tonight, nights(LAST_RUNS, edits={}))
    assert found == ([("edit", "ndc-invalid")] if alarms else [])


@pytest.mark.parametrize(("usual", "alarms"), [(3, False), (100, True)])
def test_an_edit_that_is_not_seen_any_more(usual: int, alarms: bool) -> None:
    earlier = nights(LAST_RUNS, edits={"ndc-missing": usual})
    found = out_of_band(a_night(1000, edits={}), earlier)
    assert found == ([("edit", "ndc-missing")] if alarms else [])


# ---- which runs are looked at ---------------------------------------------------------------

USUAL: dict[str, Any] = {"pay": 1000}
ODD: dict[str, Any] = {"deny": 1000}


def test_with_too_few_runs_there_is_no_band() -> None:
    assert drift_of(a_night(1000, **ODD), nights(FEWEST_RUNS - 1, **USUAL)) == {
        "runs": FEWEST_RUNS - 1,
        "warnings": [],
    }
    assert out_of_band(a_night(1000, **ODD), nights(FEWEST_RUNS, **USUAL)) != []


@pytest.mark.parametrize(
    "passed_over",
    [a_night(1000, policy="another", **USUAL), a_night(0)],
    ids=["of another policy", "without a line"],
)
def test_runs_that_are_passed_over(passed_over: dict[str, Any]) -> None:
    few = nights(FEWEST_RUNS - 1, **USUAL)
    told = drift_of(a_night(1000, **ODD), [passed_over, *few, passed_over])
    assert told == {"runs": FEWEST_RUNS - 1, "warnings": []}
    enough = [*few, *[passed_over] * LAST_RUNS, few[0]]
    assert drift_of(a_night(1000, **ODD), enough)["runs"] == FEWEST_RUNS
    assert out_of_band(a_night(1000, **ODD), enough) != []


def test_only_the_last_runs_count() -> None:
    earlier = [*nights(100, **ODD), *nights(LAST_RUNS, **USUAL)]
    assert drift_of(a_night(1000, **USUAL), earlier) == {"runs": LAST_RUNS, "warnings": []}
    assert out_of_band(a_night(1000, **ODD), earlier) != []
    assert out_of_band(a_night(1000, **ODD), [*earlier, *nights(LAST_RUNS, **ODD)]) == []


def test_a_night_without_lines_is_no_drift() -> None:
    earlier = nights(LAST_RUNS, **USUAL)
    assert drift_of(a_night(0), earlier) == {"runs": LAST_RUNS, "warnings": []}


def test_the_first_run_has_nothing_to_look_at() -> None:
    assert drift_of(a_night(1000, **ODD), []) == {"runs": 0, "warnings": []}
