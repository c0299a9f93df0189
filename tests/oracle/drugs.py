"""Drugs to make nights of: a real one under two policies, and what a made-up one must name."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Package:
    """A product of the drug: its units per package, and notations of NDCs of it."""

    units: Decimal
    notations: tuple[str, ...]


@dataclass(frozen=True)
class Drug:
    """What a night of claims for a drug is made of."""

    policy_id: str
    hcpcs: str
    policy_start: date
    anchors: tuple[date, ...]  # days around which something begins or ends
    covered_female: tuple[str, ...]
    covered_male: tuple[str, ...]
    covered_other: tuple[str, ...]  # covered codes that name no sex
    history: tuple[str, ...]
    active_disease: tuple[str, ...]  # not covered, but beside a history code they count
    unlisted: tuple[str, ...]  # valid codes of the family that the list lacks
    invalid: tuple[str, ...]  # of the family, and not valid
    not_covered: tuple[str, ...]
    packages: tuple[Package, ...]
    mismatched_ndcs: tuple[str, ...]
    invalid_ndcs: tuple[str, ...]
    units: tuple[str, ...]  # doses in whole packages, at most the most units
    odd_units: tuple[str, ...]
    max_units: int
    window_days: int
    authorization_months: int
    minimum_age: int
    versions: tuple[str, ...]  # of the policy, that may be asked
    body_surfaces: tuple[str, ...]  # about those where another vial is needed
    partner_codes: tuple[str, ...]  # in force and not, of partners that are looked for and not
    partner_windows: tuple[int, ...]
    regimens: tuple[str, ...]  # those of which a partner may be looked for
    governing_alone: str | None = None  # a version that is named, on every date
    other_hcpcs: tuple[str, ...] = ("96413", "J9355", "")
    program_state: str = "TN"

    @property
    def governing(self) -> set[tuple[str, str]]:
        return {(self.policy_id, version) for version in self.versions}


IXABEPILONE = Drug(
    policy_id="prime-ic-0072",
    hcpcs="J9207",
    policy_start=date(2025, 9, 4),
    anchors=(date(2026, 1, 10), date(2025, 9, 4), date(2025, 10, 1), date(2026, 2, 28)),
    covered_female=("C50.911", "C50.011", "C50.412"),
    covered_male=("C50.921", "C50.022"),
    covered_other=(),
    history=("Z85.3",),
    active_disease=("C77.3", "C78.7", "C79.51"),
    unlisted=("C50.A1", "C50.A0"),
    invalid=("C50.01", "C50", "C50.999"),
    not_covered=("C34.90", "C77.3", "Z51.11"),
    packages=(
        Package(
            Decimal(15),
            ("70020-1910-1", "70020-1910-01", "70020191001", "N470020191001", "7002019101"),
        ),
        Package(Decimal(45), ("70020-1911-1", "70020191101", "N470020-1911-01", "7002019111")),
    ),
    mismatched_ndcs=("50242-040-62", "0015-1910-12", "50242004062"),
    invalid_ndcs=("5024204062", "70020-191-1", "7002019100123", "IXEMPRA", "N4"),
    units=("45", "90", "60", "15", "30", "75", "90", "60", "45"),
    odd_units=("135", "90.5", "999999999999", "50", "90.000001", "105", "60.5", "180"),
    max_units=90,
    window_days=21,
    authorization_months=6,
    minimum_age=18,
    versions=("2025-09-04",),
    body_surfaces=("1.875", "1.5", "1.500001", "2.2", "2.5", "1.1249999", "0.375", "0.0000004"),
    partner_codes=("J9355", "Q5112", "J9355", "Q5146", "J9356", "Q5117", "Q5115", "J8522"),
    partner_windows=(21,),
    regimens=("with_trastuzumab",),
)
BCBST_IXABEPILONE = replace(
    IXABEPILONE,
    policy_id="bcbst-ixabepilone",
    authorization_months=12,
    versions=("current",),
)
BCBST_DRAFT = replace(BCBST_IXABEPILONE, versions=("2026-draft",), governing_alone="2026-draft")
