"""The sequential part: duplicates of earlier lines, and units allowed under limits."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .authorizations import approved_covering, matched
from .edits import Facts
from .quarantine import Authorization, Line
from .reference import Limit

Draw = tuple[str, Decimal]  # authorization number, units
Service = dict[
    str, object
]  # what duplicates are judged by; a column that is not known is not there
ZERO = Decimal(0)


@dataclass(frozen=True)
class Used:
    """Units allowed to a member on a day, under one HCPCS, and where they were drawn from."""

    member_id: str
    hcpcs_code: str | None
    day: date
    units: Decimal
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True)
class Earlier:
    """A line that a later one may repeat."""

    claim_id: str
    service: Service


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


def service_of(line: Line) -> Service:
    return {
        "member": line.member_id,
        "day": line.start,
        "hcpcs": line.hcpcs_code,
        "modifiers": frozenset(modifier for modifier in line.modifiers if modifier is not None),
        "ndc": line.ndc or line.ndc_code,
        "units": line.units,
        "rendering": line.rendering_npi,
    }


def same_service(service: Service, earlier: Service) -> bool:
    return all(service[column] == value for column, value in earlier.items())


def is_duplicate(line: Line, earlier: list[Earlier]) -> bool:
    """Whether a line repeats another claim's; the earlier ones are not denied by a line edit."""
    return any(
        other.claim_id != line.claim_id and same_service(service_of(line), other.service)
        for other in earlier
    )


# Limits


def room_under(limit: Limit, line: Line, used: list[Used]) -> Decimal:
    """What every window of consecutive dates that contains the service date leaves."""
    length = timedelta(days=limit.window_days - 1)
    fullest = ZERO
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
        ZERO,
    )


def remaining(one: Authorization, approved_units: Decimal, used: list[Used]) -> Decimal:
    """What its member has not drawn yet, ever; below 0 when fewer units are approved by now."""
    draws = [draw for other in used if other.member_id == one.member_id for draw in other.draws]
    return approved_units - sum((units for number, units in draws if number == one.number), ZERO)


def room_under_authorizations(line: Line, facts: Facts, used: list[Used]) -> Decimal | None:
    """The units that the covering authorizations have left; None when they have no end."""
    room = ZERO
    for one in approved_covering(line, facts):
        if one.approved_units is None:
            return None
        room += remaining(one, one.approved_units, used)
    return room


def rooms_of(line: Line, facts: Facts, used: list[Used]) -> dict[str, Decimal]:
    """The room under every limit that is asked of the line."""
    rooms = {
        limit.edit: room_under(limit, line, used)
        for limit in facts.version.limits
        if is_asked(limit.edit, facts)
    }
    if matched(line, facts) is not None and is_asked("authorization-units-exceeded", facts):
        room = room_under_authorizations(line, facts, used)
        if room is not None:
            rooms["authorization-units-exceeded"] = room
    return rooms


def is_asked(edit: str, facts: Facts) -> bool:
    return edit in facts.version.edits and facts.version.edits[edit].fail != "off"


def same_action(facts: Facts, one: str, other: str) -> bool:
    """A finding that flags cannot stand for one that cuts."""
    return facts.version.edits[one].fail == facts.version.edits[other].fail


def allow(line: Line, facts: Facts, used: list[Used]) -> Allowance:
    rooms = rooms_of(line, facts, used)
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
            allowed = max(ZERO, min(allowed, room))
    if any(facts.version.edits[edit].fail == "deny" for edit in exceeded):
        allowed = ZERO
    return Allowance(exceeded, allowed, draw(allowed, line, facts, used))


def draw(allowed: Decimal, line: Line, facts: Facts, used: list[Used]) -> list[Draw]:
    """Takes the allowed units from the covering authorizations, in matching order."""
    taken = []
    for one in approved_covering(line, facts):
        units = allowed
        if one.approved_units is not None:
            units = min(allowed, remaining(one, one.approved_units, used))
        if units > 0:
            taken.append((one.number, units))
            allowed -= units
    return taken
