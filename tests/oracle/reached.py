"""What a night has reached of what can happen between nights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from .history import EarlierRun, KeptLine, PastLine, Ruling, history_of, standing
from .lifecycle import (
    VersionRow,
    fates,
    linked_with,
    named_by,
    row_of_line,
    rows_that_count,
    version_that_counts,
)
from .limits import Earlier, Service, is_duplicate, service_of
from .oracle import Night
from .reference import Reference

RELEASES = {"released:void", "released:replaced", "released:sent again", "released:out of scope"}
BETWEEN_NIGHTS = RELEASES | {
    "void before its original",
    "replaced before its original",
    "void out of scope before its original",
    "superseded by an earlier night",
    "sent again after its replacement",
    "circle over nights",
    "original known from before",
    "its own original",
    "names itself out of scope",
    "another member",
    "repeats an earlier night",
    "cut because of a later date",
    "cut because of an earlier night",
    "draws what is left, and of a renewal",
    "nothing is left to draw",
    "several reconsidered",
    "reconsidered in part",
    "reconsidered less in turn",
    "reconsidered of several nights",
    "void sent again as another version",
    "number that another member drew from",
}
ELSEWHERE = {
    "elsewhere:repeated but for what is not known",
    "elsewhere:repeated but for a null",
    "elsewhere:repeated",
    "elsewhere:cut by it",
    "elsewhere:drawn",
    "elsewhere:released",
    "elsewhere:original known",
}


# A line that repeats one of an earlier night, which counts, or no longer counts, since it was decided on.
REPEATED = {"ruled: repeats what was overridden", "ruled: repeats what was upheld"}

RARE = REPEATED | {
    "several reconsidered",
    "reconsidered in part",
    "reconsidered less in turn",
    "reconsidered of several nights",
    "void before its original",
    "void out of scope before its original",
    "circle over nights",
    "names itself out of scope",
    "another member",
    "draws what is left, and of a renewal",
    "elsewhere:repeated",
    "elsewhere:cut by it",
    "elsewhere:drawn",
    "elsewhere:repeated but for what is not known",
    "elsewhere:repeated but for a null",
    "void sent again as another version",
    "number that another member drew from",
}


@dataclass(frozen=True)
class Seen:
    """A night beside what it saw."""

    night: Night
    past: list[PastLine]  # also what does not stand
    before: list[PastLine]
    now: list[PastLine]
    rows: list[VersionRow]
    place: int

    @property
    def tonight(self) -> list[KeptLine]:
        return self.night.kept.lines

    def written(self, kept: KeptLine) -> dict[str, Any]:
        return next(
            row
            for row in self.night.lines
            if (row["claim_id"], row["claim_line_number"]) == kept.line.key
        )


def reached_between_nights(
    night: Night,
    history: Sequence[EarlierRun],
    elsewhere: Sequence[dict[str, Any]],
    reference: Reference,
    rulings: Sequence[Ruling] = (),
) -> set[str]:
    past, place = history_of(history, elsewhere, reference, rulings), len(history) + 1
    others = [replace(row, place=place) for row in night.kept.other_versions]
    tonight = [row_of_line(one.line, place) for one in night.kept.lines]
    before = rows_that_count(past.line_rows, past.other_versions)
    rows = rows_that_count(past.line_rows + tonight, past.other_versions + others)
    seen = Seen(
        night, past.lines, standing(past.lines, before), standing(past.lines, rows), rows, place
    )
    reached = released(seen) | reconsidered(seen)
    for one in seen.tonight:
        reached |= of_version(one, seen) | of_units(one, seen) | of_elsewhere(one, seen)
        reached |= of_rulings(one, seen)
    return reached


def released(seen: Seen) -> set[str]:
    reached = set()
    for one in seen.before:
        if one.allowed == 0 or one in seen.now:
            continue
        versions = linked_with(one.version, seen.rows)
        arrived = [row for row in seen.rows if row.place == seen.place and row.version in versions]
        lines = {(kept.line.member_id, kept.line.claim_id) for kept in seen.tonight}
        if one.run_id is None:
            reached.add("elsewhere:released")
        if one.version in lines:
            reached.add("released:sent again")
        elif not any(row.version in lines for row in arrived):
            reached.add("released:out of scope")
            if any(row.original == row.version == one.version for row in arrived):
                reached.add("names itself out of scope")
        else:
            word = "void" if fates(seen.rows)[one.version] == "void" else "replaced"
            reached.add(f"released:{word}")
    return reached


def reconsidered(seen: Seen) -> set[str]:
    rows, reached = seen.night.reconsider, set()
    for row in rows:
        alone, in_turn = row["would_be_allowed_units"], row["would_be_allowed_in_turn_units"]
        if alone < row["billed_units"]:
            reached.add("reconsidered in part")
        if in_turn < alone:
            reached.add("reconsidered less in turn")
    if len(rows) > 1:
        reached.add("several reconsidered")
    if len({row["cut_by_run_id"] for row in rows}) > 1:
        reached.add("reconsidered of several nights")
    return reached


def of_version(kept: KeptLine, seen: Seen) -> set[str]:
    """What earlier nights mean for the version of a line of tonight."""
    line, reached = kept.line, set()
    version = line.member_id, line.claim_id
    fate = fates(seen.rows)[version]
    claim = linked_with(version, seen.rows)
    present = {row.version for row in seen.rows if row.version in claim}
    named = {name for one in present for name in named_by(one, seen.rows)}
    namers = [row for row in seen.rows if row.names == version and row.place < seen.place]
    came_before = any(one.version == version for one in seen.past)
    if not present - named:
        reached.add("circle over nights")
    if namers and not came_before and fate != "counts":
        reached.add(
            "void before its original" if fate == "void" else "replaced before its original"
        )
        lines = {one.version for one in seen.past}
        if fate == "void" and any(row.version not in lines for row in namers):
            reached.add("void out of scope before its original")
    if namers and came_before and fate == "superseded":
        reached.add("sent again after its replacement")
    last = version_that_counts(claim, seen.rows)
    if fate == "superseded" and all(
        row.place < seen.place for row in seen.rows if row.version == last
    ):
        reached.add("superseded by an earlier night")
    if any(one.claim_id == line.claim_id and one.version != version for one in seen.past):
        reached.add("another member")
    arrivals = [row for row in seen.rows if row.version == version]
    if fate == "counts" and any(row.frequency == "8" for row in arrivals):
        reached.add("void sent again as another version")
    return reached | of_original(kept, seen)


def of_original(kept: KeptLine, seen: Seen) -> set[str]:
    line = kept.line
    original = line.member_id, line.original_claim_id
    if line.frequency == "1" or original not in {one.version for one in seen.past}:
        return set()
    reached = {"original known from before"}
    if line.original_claim_id == line.claim_id:
        reached.add("its own original")
    if all(one.run_id is None for one in seen.past if one.version == original):
        reached.add("elsewhere:original known")
    return reached


def of_units(kept: KeptLine, seen: Seen) -> set[str]:
    """What earlier nights leave to a line of tonight."""
    line, row, reached = kept.line, seen.written(kept), set()
    if "duplicate-line" in row["edit_ids"] and is_duplicate(line, earlier(seen.now)):
        reached.add("repeats an earlier night")
    near = [one for one in beside(kept, seen) if one.run_id is not None]
    if near and "units-per-period" in row["edit_ids"]:
        reached.add("cut because of an earlier night")
        if all(one.day > line.start for one in near):
            reached.add("cut because of a later date")
    drawn = {number for one in seen.now for number, _ in one.draws if one.run_id is not None}
    if len(kept.draws) > 1 and kept.draws[0][0] in drawn:
        reached.add("draws what is left, and of a renewal")
    others = [one for one in seen.now if one.member_id != line.member_id]
    if {number for number, _ in kept.draws} & {number for one in others for number, _ in one.draws}:
        reached.add("number that another member drew from")
    if row["matched_authorization_number"] in drawn and kept.took_part and not kept.draws:
        reached.add("nothing is left to draw")
    return reached


def of_rulings(kept: KeptLine, seen: Seen) -> set[str]:
    line, row, reached = kept.line, seen.written(kept), set()
    repeats = "duplicate-line" in row["edit_ids"]
    for one in seen.now:
        if one.kept is None or not is_duplicate(line, [Earlier(one.claim_id, one.service)]):
            continue
        if repeats and one.took_part and one.allowed > 0 and one.kept.allowed == 0:
            reached.add("ruled: repeats what was overridden")
        if kept.took_part and not repeats and one.allowed == 0 and one.kept.allowed > 0:
            reached.add("ruled: repeats what was upheld")
    return reached


def of_elsewhere(kept: KeptLine, seen: Seen) -> set[str]:
    line, row, reached = kept.line, seen.written(kept), set()
    there = [one for one in seen.now if one.run_id is None]
    if "duplicate-line" in row["edit_ids"] and is_duplicate(line, earlier(there)):
        reached.add("elsewhere:repeated")
    for other in earlier(there) if kept.took_part or reached else []:
        reached |= compared(service_of(line), other.service)
    if "units-per-period" in row["edit_ids"] and any(
        one.run_id is None for one in beside(kept, seen)
    ):
        reached.add("elsewhere:cut by it")
    if {number for number, _ in kept.draws} & {number for one in there for number, _ in one.draws}:
        reached.add("elsewhere:drawn")
    return reached


def compared(service: Service, other: Service) -> set[str]:
    """Whether it turns on a column that is not known, or that is empty."""
    different = [column for column in other if other[column] != service[column]]
    if not different and len(other) < len(service):
        return {"elsewhere:repeated but for what is not known"}
    if different and all(other[column] is None for column in different):
        return {"elsewhere:repeated but for a null"}
    return set()


def earlier(past: list[PastLine]) -> list[Earlier]:
    return [
        Earlier(one.claim_id, one.service)
        for one in past
        if one.took_part and one.allowed > Decimal(0)
    ]


def beside(kept: KeptLine, seen: Seen) -> list[PastLine]:
    """Units allowed in a week or three about the line."""
    line = kept.line
    return [
        one
        for one in seen.now
        if one.took_part
        and one.allowed > 0
        and (one.member_id, one.hcpcs_code) == (line.member_id, line.hcpcs_code)
        and abs(one.day - line.start) < timedelta(days=21)
    ]
