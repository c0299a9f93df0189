"""The sequential limits, line after line: plain loops over whole numbers, compiled where there are many.

Every sequence may be a list, or, compiled, an array of 64 bits. Units are whole millionths, days are
counted from 1970-01-01. A *slot* is a day of one member on which units are or may be allowed; the slots
of a member stand together, in the order of their days.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

NONE = -(1 << 63)  # stands for no number, where a sequence holds whole numbers alone
CUTBACK, DENY, OTHER = 0, 1, 2
ACTIONS = {"cutback": CUTBACK, "deny": DENY}


class Lines(NamedTuple):
    """By line, members together and in order: its number, ascending, the number of its slot, what it
    bills, and the place of its policy version."""

    line: Any
    slot: Any
    billed: Any
    version: Any


class Slots(NamedTuple):
    """By slot, ascending: its number, its member, its day, and the units allowed on it so far."""

    slot: Any
    member: Any
    day: Any
    units: Any


class Covering(NamedTuple):
    """By line, ascending, and authorization that covers it, in matching order: the authorization's place
    in `left`, which has what is left of each (NONE for no limit), and what the line draws from it."""

    line: Any
    authorization: Any
    left: Any
    drawn: Any


class Limits(NamedTuple):
    """By policy version the part of the windows that is its own, and what is done where authorizations
    are exceeded (NONE where that is not asked); by window its most units, its days, and its action."""

    first: Any
    end: Any
    authorization_action: Any
    most: Any
    days: Any
    action: Any


class Allowed(NamedTuple):
    """What is found. By line: the units allowed, those left under its authorizations before it (NONE
    where that is not asked, or has no end), and whether it bills more than any limit leaves (1, else 0).
    By window and line (at `window * lines + line`): the units allowed before it in the fullest window
    that holds its day, and the first day of that."""

    units: Any
    authorized: Any
    above: Any
    used: Any
    start: Any


def fullest(days: Any, units: Any, first: int, end: int, slot: int, width: int) -> tuple[int, int]:
    """Units in the fullest window of `width` consecutive dates that holds the slot's day, and its first
    day; of equals the latest to start. `first` and `end` bound the member's slots.

    A window can be moved on to the next slot, or to the slot itself, and lose nothing.
    """
    day = days[slot]
    begin = slot
    while begin > first and days[begin - 1] > day - width:
        begin -= 1
    best, start, inside, last = 0, day, 0, begin
    for opening in range(begin, slot + 1):
        while last < end and days[last] < days[opening] + width:
            inside += units[last]
            last += 1
        if inside >= best:
            best, start = inside, days[opening]
        inside -= units[opening]
    return best, start


def end_of(numbers: Any, place: int) -> int:
    """Behind the last of the equal numbers that begin, or go on, at a place."""
    end = place + 1
    while end < len(numbers) and numbers[end] == numbers[place]:
        end += 1
    return end


def bounded(units: int, billed: int, room: int, action: int) -> int:
    """What a limit leaves of `units`, where `billed` units are billed and it has so much room."""
    if action == DENY and billed > room:
        return 0
    if action == CUTBACK:
        return min(units, max(room, 0))
    return units


def left_under(left: Any, authorizations: Any, first: int, end: int) -> int:
    """Units left under a line's authorizations together; NONE where one has no limit or none is."""
    total = 0
    for i in range(first, end):
        if left[authorizations[i]] == NONE:
            return NONE
        total += left[authorizations[i]]
    return total if first < end else NONE


def draw(units: int, covering: Covering, first: int, end: int) -> None:
    """Draw allowed units from a line's authorizations in matching order, as far as they have them."""
    for i in range(first, end):
        left = covering.left[covering.authorization[i]]
        part = units if left == NONE else min(units, max(left, 0))
        if left != NONE:
            covering.left[covering.authorization[i]] = left - part
        covering.drawn[i] = part
        units -= part


def allow(lines: Lines, slots: Slots, covering: Covering, limits: Limits, found: Allowed) -> None:
    """Allow every line what the limits leave it, and keep account of it for the lines after it."""
    many = len(lines.line)
    slot = first_slot = end_slot = first = end = 0
    for line in range(many):
        billed, version = lines.billed[line], lines.version[line]
        while slots.slot[slot] < lines.slot[line]:
            slot += 1
        if slot >= end_slot:
            first_slot = slot
            while first_slot > end_slot and slots.member[first_slot - 1] == slots.member[slot]:
                first_slot -= 1
            end_slot = end_of(slots.member, slot)
        first = end
        while first < len(covering.line) and covering.line[first] < lines.line[line]:
            first += 1
        end = first
        if first < len(covering.line) and covering.line[first] == lines.line[line]:
            end = end_of(covering.line, first)
        allowed = billed
        for window in range(limits.first[version], limits.end[version]):
            used, start = fullest(
                slots.day, slots.units, first_slot, end_slot, slot, limits.days[window]
            )
            at = (window - limits.first[version]) * many + line
            found.used[at] = used
            found.start[at] = start
            room = limits.most[window] - used
            if billed > room:
                found.above[line] = 1
            allowed = bounded(allowed, billed, room, limits.action[window])
        if limits.authorization_action[version] != NONE:
            left = left_under(covering.left, covering.authorization, first, end)
            found.authorized[line] = left
            if left != NONE:
                if billed > left:
                    found.above[line] = 1
                allowed = bounded(allowed, billed, left, limits.authorization_action[version])
        found.units[line] = allowed
        slots.units[slot] += allowed
        draw(allowed, covering, first, end)


_Numbers = TypeVar("_Numbers", Lines, Slots, Covering, Limits, Allowed)


@cache
def compiled() -> Callable[[Lines, Slots, Covering, Limits, Allowed], None] | None:
    """`allow` as machine code, for arrays of 64 bits; null where it cannot be compiled and kept."""
    try:
        from numba import njit
        from numba.extending import register_jitable

        for part in (fullest, end_of, bounded, left_under, draw):
            register_jitable(part)
        function: Callable[[Lines, Slots, Covering, Limits, Allowed], None] = njit(
            cache=True, nogil=True
        )(allow)
    except (ImportError, RuntimeError):
        return None
    return function


def load() -> None:
    """Have the machine code at hand before it is needed: it takes half a second to be read."""
    allow = compiled()
    if allow is not None:
        import numpy as np

        def nothing(kind: type[_Numbers]) -> _Numbers:
            return kind(*(np.zeros(0, dtype=np.int64) for _ in kind._fields))

        allow(nothing(Lines), nothing(Slots), nothing(Covering), nothing(Limits), nothing(Allowed))
