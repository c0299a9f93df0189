"""A line's story: what was billed, what governs it, each edit asked, and what would make it payable.

The parts are plain values: amounts, units and dates as they are, until `plain` makes texts of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One edit: its verdict (`pass`, `fail`, `unknown` or `not asked`), and what is said of it."""

    edit_id: str
    title: str
    verdict: str
    action: str | None
    message: str | None
    codes: str | None
    policy_section: str | None
    remedy: str | None


@dataclass(frozen=True)
class Reference:
    """A row of the reference data that the line was judged by."""

    table: str
    key: str
    title: str
    start_date: date | None
    end_date: date | None
    source: str | None


@dataclass(frozen=True)
class Authorization:
    """An authorization of the member, and what was drawn from it before the line."""

    authorization_number: str
    status: str
    effective_date: date
    expiration_date: date | None
    approved_units: Decimal | None
    drawn_before: Decimal
    covers: bool
    matched: bool
    servicing_npi: str | None
    request_type: str | None


@dataclass(frozen=True)
class Entry:
    """Units of the member in a window: `when` says whether they were allowed before this line was
    judged, are this line's, or came after it. `run_id` is null of what was allowed elsewhere;
    `decided` says what a person decided of it, as this line's run read that."""

    date: date
    claim_id: str
    claim_line_number: int
    billed_units: Decimal | None
    allowed_units: Decimal
    run_id: str | None
    when: str
    decided: str | None = None


@dataclass(frozen=True)
class Window:
    """The fullest window of a limit that holds the service date, as the line was judged."""

    edit_id: str
    max_units: Decimal
    window_days: int
    start_date: date
    end_date: date
    units_before: Decimal
    room: Decimal
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Criterion:
    """A row of the criteria with what was found (`met`: true, false, or null: not documented), the facts
    that it reads, and the rows under it."""

    title: str
    rule: str
    met: bool | None
    facts: tuple[tuple[str, str | None], ...]
    sentence: str | None
    children: tuple[Criterion, ...]


@dataclass(frozen=True)
class Version:
    """A claim that is a version of the same claim, where it arrived last, and what became of it."""

    claim_id: str
    run_id: str | None
    claim_frequency_code: str | None
    original_claim_id: str | None
    fate: str


@dataclass(frozen=True)
class Story:
    """All that there is to tell of a line. `run`, `line`, `outcome` and `governed_by` are values by name;
    `payable` and `notes` are sentences."""

    run: dict[str, Any]
    line: dict[str, Any]
    outcome: dict[str, Any]
    governed_by: dict[str, Any]
    edits: tuple[Asked, ...]
    references: tuple[Reference, ...]
    authorizations: tuple[Authorization, ...]
    windows: tuple[Window, ...]
    criteria: Criterion | None
    nearest: str | None
    payable: tuple[str, ...]
    versions: tuple[Version, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The story as values of JSON: dates and amounts as texts."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def plain(value: Any) -> Any:
    """A value as JSON has it; units and amounts as people write them, as text."""
    if isinstance(value, Decimal):
        return written(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def written(value: Decimal) -> str:
    """A number as people write it: units without zeros behind the point, amounts with their cents."""
    text = format(value, "f")
    whole, point, part = text.partition(".")
    part = part if len(part) == 2 else part.rstrip("0")
    return whole + (point + part if part else "")
