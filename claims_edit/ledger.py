"""One member's account of allowed units, for lines that are looked at again one by one.

Units are whole millionths throughout: sums are exact. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from claims_edit.kernel import ACTIONS, OTHER, bounded, fullest

Authorization = tuple[str, int | None]  # its number, and its approved units (null: no limit)


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


@dataclass
class Ledger:
    """Units allowed to one member so far, by day, and drawn from each authorization."""

    days: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    drawn: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def _slot(self, day: int) -> int:
        slot = bisect_left(self.days, day)
        if slot == len(self.days) or self.days[slot] != day:
            self.days.insert(slot, day)
            self.units.insert(slot, 0)
        return slot

    def allow(self, day: int, units: int) -> None:
        """Allow units on a day, or, below 0, take them back."""
        self.units[self._slot(day)] += units

    def draw(self, units: int, authorizations: Sequence[Authorization]) -> None:
        """Draw allowed units from the authorizations in matching order, as far as they have them."""
        for number, approved in authorizations:
            part = units if approved is None else min(units, max(approved - self.drawn[number], 0))
            self.drawn[number] += part
            units -= part

    def would_allow(
        self, day: int, billed: int, authorizations: Sequence[Authorization], limits: VersionLimits
    ) -> int:
        """What a line of `billed` units on `day` would be allowed; the ledger stays as it is."""
        slot = self._slot(day)
        bounds = []
        for limit in limits.windows:
            used, _ = fullest(self.days, self.units, 0, len(self.days), slot, limit.window_days)
            bounds.append((limit.max_millionths - used, limit.action))
        left = self._authorized(authorizations)
        if limits.authorization_action and left is not None:
            bounds.append((left, limits.authorization_action))
        allowed = billed
        for room, action in bounds:
            allowed = bounded(allowed, billed, room, ACTIONS.get(action, OTHER))
        return allowed

    def _authorized(self, authorizations: Sequence[Authorization]) -> int | None:
        """Units left under the authorizations together; null where one has no limit or none is."""
        left = 0
        for number, approved in authorizations:
            if approved is None:
                return None
            left += approved - self.drawn[number]
        return left if authorizations else None
