"""A window of a limit as a drawing: a step for each line that was allowed units in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

WIDTH, HEIGHT = 480, 96
_TOP, _LEFT = 10, 4


@dataclass(frozen=True)
class Bar:
    """One line's units: where it stands, how high, and what it is."""

    x: float
    y: float
    width: float
    height: float
    when: str
    title: str


@dataclass(frozen=True)
class Timeline:
    """A window drawn on WIDTH by HEIGHT: each bar stands on what was allowed up to its day, so that the
    last is as high as the whole; `limit_y` is the most."""

    window: dict[str, Any]
    bars: tuple[Bar, ...]
    limit_y: float
    day_x: float
    day_width: float
    title: str


def timeline(window: dict[str, Any]) -> Timeline:
    """The drawing of a window, as a story's values have it."""
    start = date.fromisoformat(window["start_date"])
    days = window["window_days"]
    most = Decimal(window["max_units"])
    step = (WIDTH - 2 * _LEFT) / days
    entries = window["entries"]
    total = sum((Decimal(each["allowed_units"]) for each in entries), Decimal(0))
    scale = (HEIGHT - _TOP - 1) / float(max(total, most, Decimal(1)))
    base = 0.0
    bars = []
    for entry in entries:
        place = (date.fromisoformat(entry["date"]) - start).days
        height = float(entry["allowed_units"]) * scale
        said = (
            f"{entry['date']}: {entry['allowed_units']} units, claim {entry['claim_id']} line "
            f"{entry['claim_line_number']}"
        )
        x, y = _LEFT + place * step, HEIGHT - 1 - base - height
        bars.append(
            Bar(
                round(x + 1, 2),
                round(y, 2),
                round(max(step - 2, 1), 2),
                round(height, 2),
                entry["when"],
                said,
            )
        )
        base += height
    return Timeline(
        window,
        tuple(bars),
        round(HEIGHT - 1 - float(most) * scale, 2),
        _LEFT,
        round(step, 2),
        f"{window['units_before']} of {window['max_units']} units were allowed before this line from "
        f"{window['start_date']} to {window['end_date']}; room for {window['room']}.",
    )
