"""The sequential part: duplicates of earlier lines, and units allowed under limits."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .authorizations import approved_covering, matched
from .edits import Facts
from .quarantine import Line
from .reference import Limit

Draw = tuple[str, Decimal]


@dataclass(frozen=True)
class Used:
    """Units allowed to a member on a day, under one HCPCS."""

    member_id: str
    hcpcs_code: str | None
    day: date
    units: Decimal


@dataclass(frozen=True)
class Allowance:
    exceeded: list[str]
    allowed: Decimal
    draws: list[Draw]


def order_of(line: Line) -> tuple[date, bool, date, str, int]:
    """Service date, received date (null last), claim id, line number."""
    return (
        line.start,
        line.received_date is None,
        line.received_date or date.max,
        line.claim_id,
        line.claim_line_number,
    )


# Duplicates


def same_service(line: Line, other: Line) -> bool:
    return service(line) == service(other)


def service(line: Line) -> tuple[object, ...]:
    return (
        line.member_id,
        line.start,
        line.hcpcs_code,
        frozenset(modifier for modifier in line.modifiers if modifier is not None),
        line.ndc or line.ndc_code,
        line.units,
        line.rendering_npi,
    )


def is_duplicate(line: Line, earlier: list[Line]) -> bool:
    """Whether a line repeats another claim's; the earlier ones are not denied by a line edit."""
    return any(same_service(line, other) and line.claim_id != other.claim_id for other in earlier)


# Limits


def room_under(limit: Limit, line: Line, used: list[Used]) -> Decimal:
    """What every window of consecutive dates that contains the service date leaves."""
    length = timedelta(days=limit.window_days - 1)
    fullest = Decimal(0)
    for back in range(limit.window_days):
        first = line.start - timedelta(days=back)
        last = first + length
        fullest = max(fullest, units_between(first, last, line, used))
    return limit.max_units - fullest


def units_between(first: date, last: date, line: Line, used: list[Used]) -> Decimal:
    return sum(
        (
            one.units
            for one in used
            if one.member_id == line.member_id
            and one.hcpcs_code == line.hcpcs_code
            and first <= one.day <= last
        ),
        Decimal(0),
    )


def remaining(number: str, approved: Decimal, draws: list[Draw]) -> Decimal:
    return approved - sum((units for drawn, units in draws if drawn == number), Decimal(0))


def room_under_authorizations(line: Line, facts: Facts, draws: list[Draw]) -> Decimal | None:
    """The units that the covering authorizations have left; None when they have no end."""
    room = Decimal(0)
    for one in approved_covering(line, facts):
        if one.approved_units is None:
            return None
        room += remaining(one.number, one.approved_units, draws)
    return room


def rooms_of(line: Line, facts: Facts, used: list[Used], draws: list[Draw]) -> dict[str, Decimal]:
    """The room under every limit that is asked of the line."""
    rooms = {
        limit.edit: room_under(limit, line, used)
        for limit in facts.version.limits
        if is_asked(limit.edit, facts)
    }
    if matched(line, facts) is not None and is_asked("authorization-units-exceeded", facts):
        room = room_under_authorizations(line, facts, draws)
        if room is not None:
            rooms["authorization-units-exceeded"] = room
    return rooms


def is_asked(edit: str, facts: Facts) -> bool:
    return edit in facts.version.edits and facts.version.edits[edit].fail != "off"


def same_action(facts: Facts, one: str, other: str) -> bool:
    """A finding that flags cannot stand for one that cuts."""
    return facts.version.edits[one].fail == facts.version.edits[other].fail


def allow(line: Line, facts: Facts, used: list[Used], draws: list[Draw]) -> Allowance:
    rooms = rooms_of(line, facts, used, draws)
    exceeded = [edit for edit, room in rooms.items() if line.units > room]
    dose, period = rooms.get("units-per-dose"), rooms.get("units-per-period")
    if (
        "units-per-period" in exceeded
        and dose is not None
        and period is not None
        and period >= dose
        and same_action(facts, "units-per-dose", "units-per-period")
    ):
        exceeded.remove("units-per-period")
    allowed = line.units
    for edit, room in rooms.items():
        if facts.version.edits[edit].fail == "cutback":
            allowed = max(Decimal(0), min(allowed, room))
    if any(facts.version.edits[edit].fail == "deny" for edit in exceeded):
        allowed = Decimal(0)
    return Allowance(exceeded, allowed, draw(allowed, line, facts, draws))


def draw(allowed: Decimal, line: Line, facts: Facts, draws: list[Draw]) -> list[Draw]:
    """Takes the allowed units from the covering authorizations, in matching order."""
    taken = []
    for one in approved_covering(line, facts):
        units = allowed
        if one.approved_units is not None:
            units = min(allowed, remaining(one.number, one.approved_units, draws))
        if units > 0:
            taken.append((one.number, units))
            allowed -= units
    return taken
