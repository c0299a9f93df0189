"""What earlier nights left, what was allowed elsewhere, and which of it stands tonight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from .lifecycle import Version, VersionRow, fates, last_place, row_of_line
from .limits import Draw, Service, Used, service_of
from .partners import PartnerLine
from .quarantine import Line
from .reading import MODIFIERS, RawRow, ndc_digits, text_of, upper_of
from .reference import Reference

ELSEWHERE = 0  # lines allowed elsewhere arrived before the first run


@dataclass(frozen=True, eq=False)
class KeptLine:
    """A line of a night and what became of it."""

    line: Line
    allowed: Decimal
    denied_charge: Decimal
    draws: list[Draw]
    took_part: bool  # in the limits
    disposition: str
    governed_drug_line: bool
    matched_number: str | None


@dataclass(frozen=True)
class Kept:
    """What a night leaves to later ones."""

    lines: list[KeptLine]
    other_versions: list[VersionRow]  # out-of-scope rows that replace or void
    partner_lines: list[PartnerLine]  # in scope or not


@dataclass(frozen=True)
class EarlierRun:
    run_id: str
    kept: Kept


@dataclass(frozen=True)
class Ruling:
    """What a person decided of a line of a run, and the line as that person saw it."""

    run_id: str
    claim_id: str
    claim_line_number: int
    member_id: str
    decision: str  # uphold, override or documents
    disposition: str
    billed: Decimal
    allowed: Decimal

    @property
    def key(self) -> tuple[str, str, int]:
        return self.run_id, self.claim_id, self.claim_line_number


def ruling_on(kept: KeptLine, run_id: str, decision: str) -> Ruling:
    line = kept.line
    return Ruling(
        run_id,
        line.claim_id,
        line.claim_line_number,
        line.member_id,
        decision,
        kept.disposition,
        line.units,
        kept.allowed,
    )


@dataclass(frozen=True, eq=False)
class PastLine:
    """What tonight sees of a line of an earlier run, or of a line allowed elsewhere."""

    row: VersionRow
    claim_line_number: int
    day: date
    hcpcs_code: str | None
    service: Service
    allowed: Decimal
    draws: list[Draw]
    took_part: bool
    run_id: str | None  # None elsewhere
    kept: KeptLine | None  # None elsewhere
    ruling: Ruling | None = None

    @property
    def upheld(self) -> bool:
        return self.ruling is not None and self.ruling.decision == "uphold"

    @property
    def version(self) -> Version:
        return self.row.version

    @property
    def member_id(self) -> str:
        return self.row.version[0]

    @property
    def claim_id(self) -> str:
        return self.row.version[1]

    @property
    def used(self) -> Used:
        return Used(self.member_id, self.hcpcs_code, self.day, self.allowed, tuple(self.draws))


@dataclass(frozen=True)
class History:
    lines: list[PastLine]
    other_versions: list[VersionRow]
    partner_lines: list[PartnerLine]

    @property
    def line_rows(self) -> list[VersionRow]:
        return [one.row for one in self.lines]

    @property
    def known_claims(self) -> set[Version]:
        """Whatever became of their lines."""
        return {one.version for one in self.lines}


def history_of(
    runs: Sequence[EarlierRun],
    elsewhere: Sequence[dict[str, Any]],
    reference: Reference,
    rulings: Sequence[Ruling] = (),
) -> History:
    lines = [line_elsewhere(row, reference) for row in elsewhere]
    other_versions, partner_lines = [], []
    for place, run in enumerate(runs, start=ELSEWHERE + 1):
        lines += [ruled(kept, run.run_id, place, rulings) for kept in run.kept.lines]
        other_versions += [replace(row, place=place) for row in run.kept.other_versions]
        partner_lines += [replace(one, place=place) for one in run.kept.partner_lines]
    return History(lines, other_versions, partner_lines)


def line_of_run(kept: KeptLine, run_id: str, place: int) -> PastLine:
    return PastLine(
        row=row_of_line(kept.line, place),
        claim_line_number=kept.line.claim_line_number,
        day=kept.line.start,
        hcpcs_code=kept.line.hcpcs_code,
        service=service_of(kept.line),
        allowed=kept.allowed,
        draws=kept.draws,
        took_part=kept.took_part,
        run_id=run_id,
        kept=kept,
    )


def ruled(kept: KeptLine, run_id: str, place: int, rulings: Sequence[Ruling]) -> PastLine:
    """The line as it counts: a ruling on it binds while all that was seen of it is still so."""
    past = line_of_run(kept, run_id, place)
    for ruling in rulings:
        if ruling != ruling_on(kept, run_id, ruling.decision):
            continue
        past = replace(past, ruling=ruling)
        if ruling.decision == "override" and kept.line.frequency != "8":
            return overridden(past, kept)
        if ruling.decision == "uphold" and kept.disposition == "flag":
            return replace(past, allowed=Decimal(0), draws=[])
    return past


def overridden(past: PastLine, kept: KeptLine) -> PastLine:
    """Allowed whole; what is added is drawn from the authorization that it was judged by."""
    added = kept.line.units - kept.allowed
    limited = kept.took_part or (kept.governed_drug_line and not kept.line.unclear)
    draws = list(kept.draws)
    if added > 0 and limited and kept.matched_number is not None:
        draws.append((kept.matched_number, added))
    return replace(past, allowed=kept.line.units, draws=draws, took_part=limited)


def line_elsewhere(row: dict[str, Any], reference: Reference) -> PastLine:
    """Columns that are not there are not known; an empty value is."""
    texts: RawRow = {column: row[column] for column in row if isinstance(row[column], str)}
    version = (str(text_of(texts, "member_id")), str(text_of(texts, "claim_id")))
    service: Service = {
        "member": version[0],
        "day": row["claim_line_start_date"],
        "hcpcs": upper_of(texts, "hcpcs_code"),
    }
    if any(column in row for column in MODIFIERS):
        codes = {upper_of(texts, column) for column in MODIFIERS}
        service["modifiers"] = frozenset(code for code in codes if code is not None)
    if "ndc_code" in row:
        text = upper_of(texts, "ndc_code")
        service["ndc"] = ndc_digits(text, reference) or text
    if "billed_units" in row:
        service["units"] = row["billed_units"]
    if "rendering_npi" in row:
        service["rendering"] = text_of(texts, "rendering_npi")
    return PastLine(
        row=VersionRow(version, "1", original=None, received=None, place=ELSEWHERE),
        claim_line_number=row["claim_line_number"],
        day=row["claim_line_start_date"],
        hcpcs_code=upper_of(texts, "hcpcs_code"),
        service=service,
        allowed=row["allowed_units"],
        draws=row.get("authorization_draws") or [],
        took_part=True,
        run_id=None,
        kept=None,
    )


def standing(lines: list[PastLine], rows: list[VersionRow]) -> list[PastLine]:
    """The lines of versions that count, as these were sent last; the others count for nothing."""
    fate = fates(rows)
    return [
        one
        for one in lines
        if fate[one.version] == "counts" and one.row.place == last_place(one.version, rows)
    ]
