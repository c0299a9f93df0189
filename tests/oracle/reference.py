"""The reference data, read plainly. Everything dated is asked by a date, bounds inclusive."""

import csv
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Dated:
    """A row with the dates between which it holds; a missing bound never ends."""

    start: date | None
    end: date | None

    def holds_on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True)
class DiagnosisCode(Dated):
    code: str
    sex: str | None


@dataclass(frozen=True)
class ProcedureCode(Dated):
    code: str


@dataclass(frozen=True)
class Product(Dated):
    product: str
    hcpcs_code: str
    units_per_package: Decimal


@dataclass(frozen=True)
class CoveredCode(Dated):
    version: str
    code: str


@dataclass(frozen=True)
class EditTerms:
    fail: str
    unknown: str
    section: str | None


@dataclass(frozen=True)
class Limit:
    edit: str
    max_units: Decimal
    window_days: int


@dataclass(frozen=True)
class Dose:
    units_per_m2: Decimal
    max_bsa_m2: Decimal


@dataclass(frozen=True)
class Partner:
    """A drug that a regimen adds, and how far from it a line of the partner may stand."""

    regimen: str
    drug: str
    observable: bool
    window_days: int


@dataclass(frozen=True)
class PartnerCode(Dated):
    drug: str
    code: str


@dataclass(frozen=True)
class Version(Dated):
    version: str
    status: str
    minimum_age: int | None
    authorization_months: int | None
    family_prefixes: tuple[str, ...]
    history_codes: tuple[str, ...]
    active_disease_prefixes: tuple[str, ...]
    limits: tuple[Limit, ...]
    program_terms: tuple[tuple[str, str], ...]
    dose: Dose | None
    partners: tuple[Partner, ...]
    edits: dict[str, EditTerms]


@dataclass(frozen=True)
class Reference:
    policy_id: str
    hcpcs_code: str
    versions: tuple[Version, ...]
    covered: tuple[CoveredCode, ...]
    diagnoses: tuple[DiagnosisCode, ...]
    procedures: tuple[ProcedureCode, ...]
    products: tuple[Product, ...]
    partner_codes: tuple[PartnerCode, ...]
    states: dict[str, str]

    def version_in_force(self, day: date) -> Version | None:
        for version in self.versions:
            if version.status == "active" and version.holds_on(day):
                return version
        return None

    def partner_codes_to_keep(self) -> set[str]:
        """All codes, of any date, of partners that may be looked for on medical claims."""
        active = [version for version in self.versions if version.status == "active"]
        drugs = {one.drug for version in active for one in version.partners if one.observable}
        return {row.code for row in self.partner_codes if row.drug in drugs}

    def is_code_of_partner(self, code: str, drug: str, day: date) -> bool:
        return any(
            row.code == code and row.drug == drug and row.holds_on(day)
            for row in self.partner_codes
        )

    def is_covered(self, code: str, version: Version, day: date) -> bool:
        return any(
            row.code == code and row.version == version.version and row.holds_on(day)
            for row in self.covered
        )

    def is_valid_diagnosis(self, code: str, day: date) -> bool:
        return any(row.code == code and row.holds_on(day) for row in self.diagnoses)

    def sexes_named(self, code: str, day: date) -> set[str]:
        rows = [row for row in self.diagnoses if row.code == code and row.holds_on(day)]
        return {row.sex for row in rows if row.sex is not None}

    def is_procedure_in_force(self, code: str, day: date) -> bool:
        return any(row.code == code and row.holds_on(day) for row in self.procedures)

    def is_any_product(self, ndc: str) -> bool:
        return any(row.product == ndc[:9] for row in self.products)

    def is_product_of_drug(self, ndc: str) -> bool:
        return any(
            row.product == ndc[:9] and row.hcpcs_code == self.hcpcs_code for row in self.products
        )

    def product_on(self, ndc: str, day: date) -> Product | None:
        """The product of the drug that this NDC is on the day."""
        for row in self.drug_products_on(day):
            if row.product == ndc[:9]:
                return row
        return None

    def drug_products_on(self, day: date) -> list[Product]:
        return [
            row for row in self.products if row.hcpcs_code == self.hcpcs_code and row.holds_on(day)
        ]


@cache
def read_reference(directory: Path, policy_id: str, governing: str | None = None) -> Reference:
    """One version may be named to govern alone, on every date, also if it is a draft."""
    codes = directory / "codes"
    policy = directory / "policies" / policy_id
    document = tomllib.loads((policy / "policy.toml").read_text(encoding="utf-8"))
    return Reference(
        policy_id=policy_id,
        hcpcs_code=document["hcpcs_code"],
        versions=governing_alone(
            tuple(read_version(row) for row in document["versions"]), governing
        ),
        covered=tuple(
            CoveredCode(*bounds(row), row["version"], undotted(row["code"]))
            for row in table(policy / "covered_diagnoses.csv")
        ),
        diagnoses=tuple(
            DiagnosisCode(*bounds(row), undotted(row["code"]), row["sex"] or None)
            for row in table(codes / "icd10cm.csv")
        ),
        procedures=tuple(
            ProcedureCode(*bounds(row), row["code"]) for row in table(codes / "hcpcs.csv")
        ),
        products=tuple(
            Product(
                *bounds(row),
                row["product"].replace("-", ""),
                row["hcpcs_code"],
                Decimal(row["units_per_package"]),
            )
            for row in table(codes / "ndc_products.csv")
        ),
        partner_codes=tuple(
            PartnerCode(*bounds(row), row["drug"], row["hcpcs_code"])
            for row in table(codes / "partner_drugs.csv")
        ),
        states={row["name"].upper(): row["code"] for row in table(codes / "states.csv")},
    )


def governing_alone(versions: tuple[Version, ...], name: str | None) -> tuple[Version, ...]:
    if name is None:
        return versions
    (chosen,) = [version for version in versions if version.version == name]
    return (replace(chosen, status="active", start=None, end=None),)


def read_version(row: dict[str, Any]) -> Version:
    diagnoses = row.get("diagnoses", {})
    return Version(
        start=row.get("start_date"),
        end=row.get("end_date"),
        version=row["version"],
        status=row["status"],
        minimum_age=row.get("minimum_age"),
        authorization_months=row.get("authorization_months"),
        family_prefixes=prefixes(diagnoses, "family_prefixes"),
        history_codes=prefixes(diagnoses, "history_codes"),
        active_disease_prefixes=prefixes(diagnoses, "active_disease_prefixes"),
        limits=tuple(
            Limit(limit["edit"], Decimal(str(limit["max_units"])), limit["window_days"])
            for limit in row.get("limits", [])
        ),
        program_terms=tuple(
            (term["line_of_business"], term["state"]) for term in row.get("program_terms", [])
        ),
        dose=read_dose(row["dose"]) if "dose" in row else None,
        partners=tuple(read_partner(partner) for partner in row.get("partners", [])),
        edits={
            edit: EditTerms(terms["fail"], terms["unknown"], terms.get("section"))
            for edit, terms in row["edits"].items()
        },
    )


def read_dose(row: dict[str, Any]) -> Dose:
    return Dose(Decimal(str(row["units_per_m2"])), Decimal(str(row["max_bsa_m2"])))


def read_partner(row: dict[str, Any]) -> Partner:
    return Partner(row["regimen"], row["drug"], row["observable"], row.get("window_days", 0))


def prefixes(diagnoses: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(undotted(code) for code in diagnoses.get(name, []))


def table(path: Path) -> list[dict[str, str]]:
    """A policy may have no such table."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bounds(row: dict[str, str]) -> tuple[date | None, date | None]:
    return iso_date(row["start_date"]), iso_date(row["end_date"])


def iso_date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def undotted(code: str) -> str:
    return code.replace(".", "")
