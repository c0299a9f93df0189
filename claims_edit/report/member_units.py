"""What was allowed to a member of the drug, in the order in which it was allowed, and its room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import polars as pl

from claims_edit.kernel import fullest
from claims_edit.ledger import WindowLimit
from claims_edit.past import Past
from claims_edit.report.story import Entry, Window

_MILLION = 1_000_000
# Before all lines of the night.
_EARLIER = -1
_Draws = tuple[tuple[str, Decimal], ...]
# What was decided of a line, by its run, claim and number.
Decided = Mapping[tuple[str | None, str, int], str]


@dataclass(frozen=True)
class _Allowed:
    """A line that took part in the limits, by its place in the order of the night."""

    place: int
    day: date
    claim_id: str
    claim_line_number: int
    billed: Decimal | None
    allowed: Decimal
    draws: _Draws
    run_id: str | None
    decided: str | None


@dataclass(frozen=True)
class MemberUnits:
    """The lines of one member that took part in the limits, of history and of the night, in order."""

    rows: tuple[_Allowed, ...]

    def window(self, line: int, day: date, limit: WindowLimit) -> Window:
        """The fullest window that holds a line's day, as the line was judged, and all that is in it."""
        before, start = _fullest(self._before(line), self._days(), day, limit.window_days)
        end = start + timedelta(days=limit.window_days - 1)
        most = Decimal(limit.max_millionths) / _MILLION
        return Window(
            edit_id=limit.edit_id,
            max_units=most,
            window_days=limit.window_days,
            start_date=start,
            end_date=end,
            units_before=before,
            room=max(most - before, Decimal(0)),
            entries=tuple(self._entries(line, start, end)),
        )

    def drawn_before(self, line: int) -> dict[str, Decimal]:
        """Units drawn from each authorization before a line was judged."""
        drawn: dict[str, Decimal] = defaultdict(Decimal)
        for row in self._before(line):
            for number, units in row.draws:
                drawn[number] += units
        return drawn

    def first_day_with_room(
        self, line: int, day: date, units: Decimal, limits: Iterable[WindowLimit]
    ) -> date | None:
        """The first later day on which so many units would be within all limits, beside all else that is
        allowed by now; null where there is none."""
        others = [row for row in self.rows if row.place != line]
        limits = tuple(limits)
        if any(units * _MILLION > limit.max_millionths for limit in limits):
            return None
        widest = max((limit.window_days for limit in limits), default=1)
        last = max([row.day for row in others] + [day]) + timedelta(days=widest)
        while day < last:
            day += timedelta(days=1)
            fits = (
                (_fullest(others, (day,), day, limit.window_days)[0] + units) * _MILLION
                <= limit.max_millionths
                for limit in limits
            )
            if all(fits):
                return day
        return None

    def _before(self, line: int) -> list[_Allowed]:
        return [row for row in self.rows if row.place < line]

    def _days(self) -> tuple[date, ...]:
        """The days on which units are or may be allowed."""
        return tuple(row.day for row in self.rows if row.place != _EARLIER or row.allowed)

    def _entries(self, line: int, start: date, end: date) -> Iterator[Entry]:
        for row in sorted(self.rows, key=lambda row: (row.day, row.place)):
            if start <= row.day <= end:
                when = "this" if row.place == line else "before" if row.place < line else "after"
                yield Entry(
                    row.day,
                    row.claim_id,
                    row.claim_line_number,
                    row.billed,
                    row.allowed,
                    row.run_id,
                    when,
                    row.decided,
                )


def _fullest(
    rows: Iterable[_Allowed], days: Iterable[date], day: date, width: int
) -> tuple[Decimal, date]:
    """Units in the fullest window of so many dates that holds a day, and its first day."""
    units: dict[int, int] = defaultdict(int)
    for row in rows:
        units[row.day.toordinal()] += int(row.allowed * _MILLION)
    slots = sorted({*units, *(each.toordinal() for each in chain(days, (day,)))})
    used, start = fullest(
        slots, [units[s] for s in slots], 0, len(slots), slots.index(day.toordinal()), width
    )
    return Decimal(used) / _MILLION, date.fromordinal(start)


def units_by_member(
    standing: Past, lines: pl.DataFrame, hcpcs_code: str, run_id: str, decided: Decided
) -> dict[str, MemberUnits]:
    """What took part in the limits, by member: what stands of history, and the lines of run `run_id`."""
    of_drug = (pl.col("hcpcs_code") == hcpcs_code).fill_null(False)
    names = (
        *("place", "claim_line_start_date", "claim_id", "claim_line_number"),
        *("billed_units", "allowed_units", "authorization_draws", "run_id"),
    )
    earlier = pl.lit(_EARLIER, pl.Int64)
    nowhere = pl.lit(None, pl.String)
    elsewhere = standing.elsewhere
    billed = pl.col("billed_units") if "billed_units" in elsewhere.columns else pl.lit(None)
    frames = (
        elsewhere.filter(of_drug).with_columns(place=earlier, run_id=nowhere, billed_units=billed),
        standing.lines.filter(of_drug, "takes_part_in_limits").with_columns(place=earlier),
        lines.filter("takes_part_in_limits").with_columns(
            place=pl.col("line").cast(pl.Int64),
            billed_units="service_unit_quantity",
            run_id=pl.lit(run_id),
        ),
    )
    found: dict[str, list[_Allowed]] = defaultdict(list)
    for frame in frames:
        for member, place, day, claim, number, of_line, allowed, draws, run in frame.select(
            "member_id", *names
        ).iter_rows():
            drawn = tuple((d["authorization_number"], d["units"]) for d in draws or ())
            said = decided.get((run, claim, number))
            row = _Allowed(place, day, claim, number, of_line, allowed, drawn, run, said)
            found[member].append(row)
    return {member: MemberUnits(tuple(rows)) for member, rows in found.items()}
