"""Claims that replace and void each other, over all nights: which version counts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from .quarantine import Line
from .reading import ClaimRow

Version = tuple[str, str]  # member, claim


@dataclass(frozen=True)
class VersionRow:
    """What one row says of the version of a claim that it belongs to."""

    version: Version
    frequency: str
    original: Version | None
    received: date | None
    place: int = 0  # of the run in which it stands; a later run has a greater one

    @property
    def names(self) -> Version | None:
        """The version this row replaces or voids; its own id means an earlier run."""
        if self.frequency == "1" or self.original == self.version:
            return None
        return self.original


def row_of_line(line: Line, place: int) -> VersionRow:
    return version_row(
        line.member_id,
        line.claim_id,
        line.frequency,
        line.original_claim_id,
        line.received_date,
        place,
    )


def other_versions(out_of_scope: list[ClaimRow], place: int) -> list[VersionRow]:
    """The out-of-scope rows that replace or void a claim, whatever claim that is."""
    rows = []
    for claim in out_of_scope:
        member, claim_id = claim.values["member_id"], claim.values["claim_id"]
        if member is None or claim_id is None:
            continue
        row = version_row(
            member,
            claim_id,
            claim.values["claim_frequency_code"],
            claim.values["original_claim_id"],
            claim.values["received_date"],
            place,
        )
        if row.frequency != "1" and row.original is not None:
            rows.append(row)
    return rows


def version_row(
    member: str, claim: str, frequency: str, original: str | None, received: Any, place: int
) -> VersionRow:
    return VersionRow(
        version=(member, claim),
        frequency=frequency,
        original=None if original is None else (member, original),
        received=received if isinstance(received, date) else None,
        place=place,
    )


def rows_that_count(lines: list[VersionRow], others: list[VersionRow]) -> list[VersionRow]:
    """All lines, and of the other rows those that replace or void a claim of these lines."""
    in_scope = {row.version for row in lines}
    return lines + [row for row in others if row.original in in_scope]


def named_by(version: Version, rows: list[VersionRow]) -> set[Version]:
    return {row.names for row in rows if row.version == version and row.names is not None}


def versions_in_a_circle(rows: list[VersionRow]) -> set[Version]:
    """The versions that come back to themselves from one named version to the next."""
    circle = set()
    for version in {row.version for row in rows}:
        reached: set[Version] = set()
        waiting = named_by(version, rows)
        while waiting:
            reached |= waiting
            waiting = {name for one in waiting for name in named_by(one, rows)} - reached
        if version in reached:
            circle.add(version)
    return circle


def fates(rows: list[VersionRow]) -> dict[Version, str]:
    """Of every version: it `counts`, is `superseded`, or is `void` with its whole claim."""
    fate = {}
    for version in {row.version for row in rows}:
        claim = linked_with(version, rows)
        last = version_that_counts(claim, rows)
        if is_void(last, rows):
            fate[version] = "void"
        else:
            fate[version] = "counts" if version == last else "superseded"
    return fate


def linked_with(version: Version, rows: list[VersionRow]) -> set[Version]:
    """All versions of one claim, also over an original that has not been seen."""
    linked = {version}
    grown = True
    while grown:
        grown = False
        for row in rows:
            if row.names is not None and (row.version in linked) != (row.names in linked):
                linked |= {row.version, row.names}
                grown = True
    return linked


def version_that_counts(claim: set[Version], rows: list[VersionRow]) -> Version:
    """One that no other names, ever; all name each other only in a circle over nights."""
    present = {row.version for row in rows if row.version in claim}
    named = {name for version in present for name in named_by(version, rows)}
    return max(present - named or present, key=lambda version: arrival(version, rows))


def last_place(version: Version, rows: list[VersionRow]) -> int:
    """The last run in which the version was sent."""
    return max(row.place for row in rows if row.version == version)


def rows_of_arrival(version: Version, rows: list[VersionRow]) -> list[VersionRow]:
    place = last_place(version, rows)
    return [row for row in rows if row.version == version and row.place == place]


def arrival(version: Version, rows: list[VersionRow]) -> tuple[int, bool, date, str]:
    """The run, then the latest received date of its rows there, nulls first, then claim id."""
    received = [row.received for row in rows_of_arrival(version, rows) if row.received]
    place = last_place(version, rows)
    return place, bool(received), max(received, default=date.min), version[1]


def is_void(version: Version, rows: list[VersionRow]) -> bool:
    return any(row.frequency == "8" for row in rows_of_arrival(version, rows))
