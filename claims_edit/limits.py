"""The sequential part: how many units each line is allowed under windows and authorizations.

Denied and cut units never count, so a line's room depends on what the lines before it were allowed,
tonight and in history. The loop itself is `kernel`'s; here are the frames it is fed from and read into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from claims_edit import kernel
from claims_edit.contracts import UNITS
from claims_edit.edits.catalogue import LIMITS
from claims_edit.frames import beside, lists
from claims_edit.kernel import NONE
from claims_edit.ledger import VersionLimits, WindowLimit
from claims_edit.normalise import from_millionths, millionths

AUTHORIZATION_UNITS = "authorization-units-exceeded"
# Fewer lines take less time in plain Python than machine code takes to load.
COMPILED_FROM = 50_000
_SAFE = 1 << 61
_DATES = 1 << 23  # more than there are, so that a member and a date make one number
_FIRST_DATE = 1 << 20


@dataclass(frozen=True)
class LimitResults:
    """`allowed`: `line`, `allowed_units`, `authorization_draws`; `exceeded`: per edit, its lines."""

    allowed: pl.DataFrame
    exceeded: dict[str, pl.DataFrame]

    def joined(self, lines: pl.DataFrame) -> pl.DataFrame:
        """`lines` with the columns that the limit edits read, named after the edit."""
        for edit_id, rows in self.exceeded.items():
            names = {c: f"{edit_id}:{c}" for c in rows.columns if c != "line"}
            lines = beside(lines, rows.rename(names)).with_columns(
                pl.col(f"{edit_id}:exceeded").fill_null(False)
            )
        return lines


def allowed_units(
    lines: pl.DataFrame,
    covering: pl.DataFrame,
    limits: dict[str, VersionLimits],
    past: pl.DataFrame,
    *,
    compiled_from: int = COMPILED_FROM,
) -> LimitResults:
    """What each line is allowed, and by how much it is above each limit.

    `lines` are those that take part, members together and in order: `line`, `member_id`,
    `policy_version`, `claim_line_start_date`, `service_unit_quantity`. `covering` has by `line`, of these
    and of others, the approved authorizations that cover its date in matching order, each with a
    number (`authorization`, from 0) and with `approved` millionths or null for no limit. `past` is what
    stands of history (`past.ALLOWED`). From so many lines on the loop is compiled, where its sums are
    sure to fit 64 bits.
    """
    read = lines.lazy().select(
        "line",
        "policy_version",
        "member_id",
        member=pl.col("member_id").rle_id().cast(pl.Int64),
        day=pl.col("claim_line_start_date").cast(pl.Int32).cast(pl.Int64),
        billed=millionths(pl.col("service_unit_quantity")),
    )
    lines = read.with_columns(slot=_slot()).collect()
    first_of_member = pl.col("member") != pl.col("member").shift(1, fill_value=-1)
    members = lines.select("member_id", "member").filter(first_of_member)
    past = past.join(members, on="member_id")
    slots = _slots(lines, past)
    left = _left(covering, past)
    loop = None
    if lines.height >= compiled_from and _is_safe(lines, slots, covering, left):
        loop = kernel.compiled()
    fed = _Fed(compiled=loop is not None)
    drawn, found = fed.full(covering.height, 0), fed.found(lines.height, limits)
    (loop or kernel.allow)(
        fed.lines(lines, list(limits)),
        fed.slots(slots),
        kernel.Covering(
            fed.of(covering["line"]), fed.of(covering["authorization"]), fed.of(left), drawn
        ),
        fed.limits(list(limits.values())),
        found,
    )
    draws = covering.select("line", "authorization_number", units=pl.Series(drawn, dtype=pl.Int128))
    judged = _judged(lines, found)
    exceeded = {edit_id: _exceeded(judged, limits, edit_id) for edit_id in LIMITS}
    exceeded[AUTHORIZATION_UNITS] = _exceeded_units(judged, covering)
    return LimitResults(_allowed(lines, found, draws), exceeded)


def _slot() -> pl.Expr:
    return (pl.col("member") * _DATES + pl.col("day") + _FIRST_DATE).alias("slot")


def _slots(lines: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """`slot`, `member`, `day`: the days of each member on which units are or may be allowed; and the
    `units` that history allowed."""
    allowed = (
        past.filter(pl.col("allowed_units") > 0)
        .with_columns(day=pl.col("claim_line_start_date").cast(pl.Int32).cast(pl.Int64))
        .group_by(_slot())
        .agg(units=millionths(pl.col("allowed_units")).sum())
    )
    slots = pl.concat([lines["slot"], allowed["slot"]]).unique().sort().to_frame()
    return slots.join(allowed, on="slot", how="left", maintain_order="left").select(
        "slot",
        member=pl.col("slot") // _DATES,
        day=pl.col("slot") % _DATES - _FIRST_DATE,
        units=pl.col("units").fill_null(0),
    )


def _left(covering: pl.DataFrame, past: pl.DataFrame) -> pl.Series:
    """What is left of each authorization, at the place of its number: what history drew is taken off, and
    what has no limit is NONE."""
    drawn = (
        past.select("member_id", "authorization_draws")
        .explode("authorization_draws", empty_as_null=False, keep_nulls=False)
        .unnest("authorization_draws")
        .group_by("member_id", "authorization_number")
        .agg(drawn=millionths(pl.col("units")).sum())
    )
    numbers = covering["authorization"]
    left = (
        covering.filter(numbers.is_first_distinct())
        .join(drawn, on=["member_id", "authorization_number"], how="left")
        .select(
            "authorization",
            left=(pl.col("approved") - pl.col("drawn").fill_null(0)).fill_null(NONE),
        )
    )
    of_none = pl.Series([NONE], dtype=pl.Int128).new_from_index(0, _number(numbers.max()) + 1)
    return of_none.scatter(left["authorization"], left["left"])


def _is_safe(
    lines: pl.DataFrame, slots: pl.DataFrame, covering: pl.DataFrame, left: pl.Series
) -> bool:
    """Whether no sum of the loop can leave 64 bits."""
    units = _number(lines["billed"].sum()) + _number(slots["units"].sum())
    most = _number(left.filter(left != NONE).cast(pl.Int128).abs().max())
    at_once = _number(covering["line"].rle().struct.field("len").max())
    return units < _SAFE and (most + units) * at_once < _SAFE


def _number(value: Any) -> int:
    return int(value or 0)


class _Fed:
    """Frames as the loop reads them: as lists, or, `compiled`, as arrays of 64 bits."""

    def __init__(self, *, compiled: bool) -> None:
        self._compiled = compiled

    def of(self, values: pl.Series) -> Any:
        """A column of whole numbers."""
        return values.cast(pl.Int64).to_numpy().copy() if self._compiled else values.to_list()

    def full(self, many: int, value: int) -> Any:
        """So many of one number."""
        if self._compiled:
            import numpy as np

            return np.full(many, value, dtype=np.int64)
        return [value] * many

    def lines(self, lines: pl.DataFrame, versions: list[str]) -> kernel.Lines:
        """The lines, each with the place of its version."""
        places = {version: place for place, version in enumerate(versions)}
        return kernel.Lines(
            line=self.of(lines["line"]),
            slot=self.of(lines["slot"]),
            billed=self.of(lines["billed"]),
            version=self.of(lines["policy_version"].replace_strict(places, return_dtype=pl.Int64)),
        )

    def slots(self, slots: pl.DataFrame) -> kernel.Slots:
        """The slots."""
        return kernel.Slots(*(self.of(slots[c]) for c in kernel.Slots._fields))

    def limits(self, versions: list[VersionLimits]) -> kernel.Limits:
        """The windows of all versions, one version's after the other's."""
        windows = [window for version in versions for window in version.windows]
        ends = [sum(len(v.windows) for v in versions[: i + 1]) for i in range(len(versions))]
        asked = [v.authorization_action for v in versions]

        def numbers(values: Iterable[int]) -> Any:
            return self.of(pl.Series(list(values), dtype=pl.Int64))

        return kernel.Limits(
            first=numbers([0, *ends[:-1]]),
            end=numbers(ends),
            authorization_action=numbers(NONE if a is None else _action(a) for a in asked),
            most=numbers(w.max_millionths for w in windows),
            days=numbers(w.window_days for w in windows),
            action=numbers(_action(w.action) for w in windows),
        )

    def found(self, many: int, limits: dict[str, VersionLimits]) -> kernel.Allowed:
        """Room for what is found of so many lines."""
        windows = max((len(v.windows) for v in limits.values()), default=0)
        return kernel.Allowed(
            units=self.full(many, 0),
            authorized=self.full(many, NONE),
            above=self.full(many, 0),
            used=self.full(many * windows, 0),
            start=self.full(many * windows, 0),
        )


def _action(action: str) -> int:
    return kernel.ACTIONS.get(action, kernel.OTHER)


# ---- results as frames ----------------------------------------------------------------------


def _allowed(lines: pl.DataFrame, found: kernel.Allowed, draws: pl.DataFrame) -> pl.DataFrame:
    """By line, the units allowed and what of them is drawn from each authorization."""
    drawn = draws.filter(pl.col("units") > 0).select(
        "line",
        draw=pl.struct("authorization_number", units=_in_units()),
    )
    units = pl.Series("units", found.units, dtype=pl.Int128)
    return (
        lines.select("line", units)
        .select("line", allowed_units=_in_units())
        .with_columns(
            lists(lines["line"], drawn["line"], drawn["draw"]).alias("authorization_draws")
        )
    )


def _in_units() -> pl.Expr:
    return from_millionths(pl.col("units")).cast(UNITS)


def _judged(lines: pl.DataFrame, found: kernel.Allowed) -> pl.DataFrame:
    """The lines above any limit, with what was used before them in each window, its start, and what was
    authorized."""
    many = lines.height
    windows = len(found.used) // many if many else 0
    above = (pl.Series(found.above, dtype=pl.Int64) == 1).arg_true()

    def of_these(name: str, values: Any) -> pl.Series:
        return pl.Series(name, values, dtype=pl.Int64).gather(above)

    return lines[above].with_columns(
        of_these("authorized", found.authorized),
        *(
            of_these(f"{name}:{i}", values[i * many : (i + 1) * many])
            for i in range(windows)
            for name, values in (("used", found.used), ("start", found.start))
        ),
    )


_EXCEEDED: dict[str, pl.DataType] = {
    "line": pl.UInt32(),
    "max_units": pl.Decimal(38, 6),
    "window_days": pl.Int64(),
    "window_start": pl.Date(),
    "units_before": pl.Decimal(38, 6),
    "would_make": pl.Decimal(38, 6),
    "room": pl.Decimal(38, 6),
    "exceeded": pl.Boolean(),
}
_EXCEEDED_UNITS: dict[str, pl.DataType] = {
    "line": pl.UInt32(),
    "numbers": pl.String(),
    "approved_units": pl.Decimal(38, 6),
    "room": pl.Decimal(38, 6),
    "exceeded": pl.Boolean(),
}


def _exceeded(judged: pl.DataFrame, limits: dict[str, VersionLimits], edit_id: str) -> pl.DataFrame:
    """The lines above a limit, but for those that a shorter window of the same action leaves no more."""
    rows = [pl.DataFrame(schema=_EXCEEDED)]
    for version, of_version in limits.items() if judged.height else ():
        for i, window in enumerate(of_version.windows):
            if window.edit_id == edit_id:
                above = (pl.col("policy_version") == version) & (
                    pl.col("billed") > _room(window, i)
                )
                less = [_room(window, i) < room for room in _rooms_of_shorter(of_version, window)]
                rows.append(_told(judged.filter(above, *less), window, i))
    return pl.concat(rows)


def _room(window: WindowLimit, place: int) -> pl.Expr:
    return window.max_millionths - pl.col(f"used:{place}")


def _rooms_of_shorter(limits: VersionLimits, window: WindowLimit) -> Iterator[pl.Expr]:
    for place, other in enumerate(limits.windows):
        if other.window_days < window.window_days and other.action == window.action:
            yield _room(other, place)


def _told(above: pl.DataFrame, window: WindowLimit, place: int) -> pl.DataFrame:
    used, room = pl.col(f"used:{place}").cast(pl.Int128), _room(window, place)
    return above.select(
        "line",
        max_units=from_millionths(pl.lit(window.max_millionths, pl.Int128)),
        window_days=pl.lit(window.window_days, pl.Int64),
        window_start=pl.col(f"start:{place}").cast(pl.Int32).cast(pl.Date),
        units_before=from_millionths(used),
        would_make=from_millionths(used + pl.col("billed")),
        room=from_millionths(pl.max_horizontal(room, 0).cast(pl.Int128)),
        exceeded=pl.lit(True),
    ).cast(_EXCEEDED)  # type: ignore[arg-type]


def _exceeded_units(judged: pl.DataFrame, covering: pl.DataFrame) -> pl.DataFrame:
    """The lines above what their authorizations have left, with their numbers and what they approve."""
    authorized = pl.col("authorized")
    above = judged.filter(authorized != NONE, pl.col("billed") > authorized)
    approved = (
        covering.join(above, on="line", how="semi", maintain_order="left")
        .group_by("line", maintain_order=True)
        .agg(
            numbers=pl.col("authorization_number").str.join(", "), approved=pl.col("approved").sum()
        )
    )
    return (
        above.select("line", room=pl.max_horizontal(authorized, 0).cast(pl.Int128))
        .join(approved, on="line", how="left", maintain_order="left")
        .select(
            "line",
            "numbers",
            approved_units=from_millionths(pl.col("approved")),
            room=from_millionths(pl.col("room")),
            exceeded=pl.lit(True),
        )
        .cast(_EXCEEDED_UNITS)  # type: ignore[arg-type]
    )
