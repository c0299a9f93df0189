"""A raw extract, its files, and what the oracle reached with it."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .oracle import Night, edit_night
from .reached_clinical import reached_clinically
from .reading import RawRow
from .reference import Reference


@dataclass(frozen=True)
class RawExtract:
    claims: list[RawRow]
    authorizations: list[RawRow]
    members: list[RawRow] | None
    as_of: date
    clinical: list[RawRow] | None = None

    def edited(self, policy_id: str, reference_dir: Path, version: str | None = None) -> Night:
        """What the oracle makes of it."""
        return edit_night(
            self.claims,
            self.authorizations,
            self.members,
            reference_dir=reference_dir,
            policy_id=policy_id,
            as_of=self.as_of,
            version=version,
            clinical=self.clinical,
        )

    def write(self, directory: Path) -> dict[str, Path]:
        """Writes the extract as CSV files and names them."""
        paths = {"claims": directory / "claims.csv"}
        write_csv(paths["claims"], self.claims, CLAIM_COLUMNS)
        paths["authorizations"] = directory / "authorizations.csv"
        write_csv(paths["authorizations"], self.authorizations, AUTHORIZATION_COLUMNS)
        if self.members is not None:
            paths["members"] = directory / "members.csv"
            write_csv(paths["members"], self.members, MEMBER_COLUMNS)
        if self.clinical is not None:
            paths["clinical"] = directory / "clinical.csv"
            write_csv(paths["clinical"], self.clinical, CLINICAL_COLUMNS)
        return paths


CLAIM_COLUMNS = (
    "claim_id",
    "claim_line_number",
    "member_id",
    "line_of_business",
    "claim_line_start_date",
    "hcpcs_code",
    "service_unit_quantity",
    "charge_amount",
)
AUTHORIZATION_COLUMNS = (
    "authorization_number",
    "member_id",
    "hcpcs_code",
    "status",
    "effective_date",
    "expiration_date",
    "approved_units",
    "request_type",
    "servicing_npi",
)
MEMBER_COLUMNS = (
    "member_id",
    "birth_date",
    "gender",
    "state",
    "payer_type",
    "enrollment_start_date",
    "enrollment_end_date",
)
CLINICAL_COLUMNS = ("authorization_number",)


def write_csv(path: Path, rows: Iterable[RawRow], first: tuple[str, ...]) -> None:
    """The first columns always stand, the others where a row has them."""
    rows = list(rows)
    columns = list(dict.fromkeys([*first, *(column for row in rows for column in row)]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def coverage_of(night: Night, reference: Reference) -> set[str]:
    """What a night has reached: verdicts, actions, dispositions, reasons of rejection, branches."""
    reached = reached_clinically(night, reference)
    reached |= {f"{row['edit_id']}:{row['verdict']}" for row in night.findings}
    reached |= {f"action:{row['action']}" for row in night.findings}
    reached |= {f"disposition:{row['disposition']}" for row in night.lines}
    reached |= {"draws:several" for row in night.lines if len(row["authorization_draws"]) > 1}
    reached |= {f"rejected:{name}" for *_, names in night.rejected_lines for name in names}
    reached |= {
        f"rejected-authorization:{name}"
        for *_, names in night.rejected_authorizations
        for name in names
    }
    reached |= {
        f"rejected-facts:{name}" for *_, names in night.rejected_clinical_facts for name in names
    }
    if night.out_of_scope:
        reached.add("out-of-scope")
    return reached
