"""One member's account of allowed units: what a line has room for, and what it draws.

Units are whole millionths throughout: sums are exact. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Authorization = tuple[str, int | None]  # its number, and its approved units (null: no limit)
Draw = tuple[str, int]


@dataclass(frozen=True)
class WindowLimit:
    """At most `max_millionths` in any `window_days` consecutive dates, and what exceeding it does."""

    edit_id: str
    max_millionths: int
    window_days: int
    action: str


@dataclass(frozen=True)
class VersionLimits:
    """The limits that one policy version asks; `authorization_action` is null where it asks none."""

    windows: tuple[WindowLimit, ...]
    authorization_action: str | None


@dataclass(frozen=True)
class Room:
    """What a limit leaves: `used` units in the fullest window that holds the date, from `start`."""

    limit: WindowLimit
    used: int
    start: int

    @property
    def left(self) -> int:
        """Units left; below 0 where more was allowed than the limit has."""
        return self.limit.max_millionths - self.used


@dataclass(frozen=True)
class Decision:
    """What a line is allowed, the windows it exceeds, and the units left under its authorizations
    where they are asked."""

    allowed: int
    exceeded: tuple[Room, ...]
    authorized: int | None


@dataclass
class Ledger:
    """Units allowed to one member so far, by day, and drawn from each authorization."""

    units: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    drawn: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    days: list[int] = field(default_factory=list)

    def allow(self, day: int, units: int) -> None:
        """Allow units on a day, or, below 0, take them back."""
        if day not in self.units:
            insort(self.days, day)
        self.units[day] += units

    def draw(self, units: int, authorizations: Sequence[Authorization]) -> list[Draw]:
        """Draw allowed units from the authorizations in matching order, as far as they have them."""
        draws = []
        for number, approved in authorizations:
            part = units if approved is None else min(units, max(approved - self.drawn[number], 0))
            if part:
                self.drawn[number] += part
                units -= part
                draws.append((number, part))
        return draws

    def decide(
        self, day: int, billed: int, authorizations: Sequence[Authorization], limits: VersionLimits
    ) -> Decision:
        """What a line of `billed` units on `day` is allowed; the ledger stays as it is."""
        rooms = [self._room(limit, day) for limit in limits.windows]
        bounds = [(room.limit.action, room.left) for room in rooms]
        authorized = self._authorized(authorizations) if limits.authorization_action else None
        if authorized is not None:
            bounds.append((limits.authorization_action or "", authorized))
        return Decision(_smallest(billed, bounds), tuple(_raised(rooms, billed)), authorized)

    def _room(self, limit: WindowLimit, day: int) -> Room:
        """The fullest window of consecutive dates that holds `day`; of equals the latest to start.

        A window can be moved on to the next date with units, or to `day`, and lose nothing.
        """
        width = limit.window_days
        near = self.days[
            bisect_left(self.days, day - width + 1) : bisect_right(self.days, day + width - 1)
        ]
        fullest = Room(limit, 0, day)
        last, inside = 0, 0
        starts = [d for d in near if d < day] + [day]
        for start in starts:
            while last < len(near) and near[last] < start + width:
                inside += self.units[near[last]]
                last += 1
            if inside >= fullest.used:
                fullest = Room(limit, inside, start)
            inside -= self.units.get(start, 0)
        return fullest

    def _authorized(self, authorizations: Sequence[Authorization]) -> int | None:
        """Units left under the authorizations together; null where one has no limit or none is."""
        left = 0
        for number, approved in authorizations:
            if approved is None:
                return None
            left += approved - self.drawn[number]
        return left if authorizations else None


def _smallest(billed: int, bounds: list[tuple[str, int]]) -> int:
    allowed = billed
    for action, room in bounds:
        if billed > room and action == "deny":
            return 0
        if action == "cutback":
            allowed = min(allowed, max(room, 0))
    return allowed


def _raised(rooms: list[Room], billed: int) -> Iterator[Room]:
    """The limits that are exceeded, without a longer one that leaves no less than a shorter one."""
    for room in rooms:
        shorter = (
            other.left
            for other in rooms
            if other.limit.window_days < room.limit.window_days
            and other.limit.action == room.limit.action
        )
        if billed > room.left and all(room.left < other for other in shorter):
            yield room
