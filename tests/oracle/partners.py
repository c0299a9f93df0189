"""Lines of the drugs that a regimen adds: which are kept, and which of all nights stand."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from .lifecycle import VersionRow, fates, last_place, rows_that_count, version_row
from .reading import ClaimRow


@dataclass(frozen=True)
class PartnerLine:
    member_id: str
    claim_id: str
    day: date
    hcpcs_code: str
    frequency: str
    original_claim_id: str | None
    received_date: date | None
    place: int  # of the night in which it came

    @property
    def row(self) -> VersionRow:
        return version_row(
            self.member_id,
            self.claim_id,
            self.frequency,
            self.original_claim_id,
            self.received_date,
            self.place,
        )

    def written(self) -> dict[str, Any]:
        return {
            "member_id": self.member_id,
            "claim_id": self.claim_id,
            "claim_line_start_date": self.day,
            "hcpcs_code": self.hcpcs_code,
            "claim_frequency_code": self.frequency,
            "original_claim_id": self.original_claim_id,
            "received_date": self.received_date,
        }


def partner_lines_of(rows: list[ClaimRow], codes: set[str], place: int) -> list[PartnerLine]:
    """Of all rows of an extract, each once, if member, claim and day can be read."""
    lines: list[PartnerLine] = []
    for row in rows:
        values = row.values
        member, claim, day = (
            values["member_id"],
            values["claim_id"],
            values["claim_line_start_date"],
        )
        if values["hcpcs_code"] not in codes or member is None or claim is None:
            continue
        if not isinstance(day, date):
            continue
        received = values["received_date"]
        line = PartnerLine(
            member_id=member,
            claim_id=claim,
            day=day,
            hcpcs_code=values["hcpcs_code"],
            frequency=values["claim_frequency_code"],
            original_claim_id=values["original_claim_id"],
            received_date=received if isinstance(received, date) else None,
            place=place,
        )
        if line not in lines:
            lines.append(line)
    return lines


def versions_beside_partners(
    partner_lines: list[PartnerLine], lines: list[VersionRow], others: list[VersionRow]
) -> list[VersionRow]:
    """Lines of the drug and of its partners alike, so that each may replace or void the other."""
    return rows_that_count([one.row for one in partner_lines] + lines, others)


def standing_partner_lines(
    partner_lines: list[PartnerLine], rows: list[VersionRow]
) -> list[PartnerLine]:
    """Those of versions that count, as these were sent last."""
    fate = fates(rows)
    return [
        one
        for one in partner_lines
        if fate[one.row.version] == "counts" and one.place == last_place(one.row.version, rows)
    ]
