"""Policy folders to policy versions. A policy is data: its rules are read here, never written."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import polars as pl

from claims_edit.clinical_contracts import WORDS
from claims_edit.contracts import ACTIONS, LINES_OF_BUSINESS
from claims_edit.criteria import REQUESTS, Node
from claims_edit.edits.catalogue import EDITS, LIMITS
from claims_edit.errors import UsageError
from claims_edit.policy_tables import PolicyTables, read_policy_tables
from claims_edit.reference import ReferenceTable, in_force_on
from claims_edit.toml_tables import Table

_STATUSES = ("active", "draft")
REGIMENS = WORDS["regimen"]


@dataclass(frozen=True)
class EditRule:
    """What a policy version does with an edit's fail and unknown, and where its document says so."""

    fail: str
    unknown: str
    section: str


@dataclass(frozen=True)
class Limit:
    """At most `max_units` to a member in any `window_days` consecutive dates."""

    edit_id: str
    max_units: int
    window_days: int
    section: str | None = None


@dataclass(frozen=True)
class ProgramTerms:
    """A government program whose own terms govern a line of business in a state."""

    line_of_business: str
    state: str
    program: str
    section: str | None = None


@dataclass(frozen=True)
class Dose:
    """What a dose comes to: units per square metre of body surface, of which at most so much counts."""

    units_per_m2: Decimal
    max_bsa_m2: Decimal
    section: str | None = None


@dataclass(frozen=True)
class Partner:
    """A drug that a regimen adds. Where it is observable, a line of it stands on a medical claim
    within `window_days` either side; `reason` says why it is observable, or not."""

    regimen: str
    drug: str
    observable: bool
    window_days: int
    reason: str
    section: str | None = None


@dataclass(frozen=True)
class PolicyVersion:
    """One version of a policy with everything that it asks; dates inclusive, absent ones open."""

    policy_id: str
    version: str
    status: str
    start_date: date | None
    end_date: date | None
    minimum_age: int | None
    authorization_months: int | None
    family_prefixes: tuple[str, ...]
    history_codes: tuple[str, ...]
    active_disease_prefixes: tuple[str, ...]
    limits: tuple[Limit, ...]
    program_terms: tuple[ProgramTerms, ...]
    dose: Dose | None
    partners: tuple[Partner, ...]
    criteria: dict[str, Node]
    edits: dict[str, EditRule]
    digest: str

    @property
    def observable_partners(self) -> tuple[Partner, ...]:
        """The partner drugs that should show on medical claims."""
        return tuple(p for p in self.partners if p.observable)


@dataclass(frozen=True)
class Policy:
    """A payer's policy for one drug: its document and versions."""

    id: str
    title: str
    payer: str
    hcpcs_code: str
    document_number: str
    folder: Path
    versions: tuple[PolicyVersion, ...]
    covered_diagnoses: pl.DataFrame
    criteria: pl.DataFrame
    sentences: pl.DataFrame
    terms: dict[str, Node]
    tables: tuple[ReferenceTable, ...]

    @property
    def active_versions(self) -> tuple[PolicyVersion, ...]:
        """The versions that may govern a run."""
        return tuple(v for v in self.versions if v.status == "active")

    def version(self, name: str) -> PolicyVersion:
        """The version of that name. Raises UsageError where there is none."""
        for version in self.versions:
            if version.version == name:
                return version
        names = ", ".join(v.version for v in self.versions)
        raise UsageError(f"policy {self.id} has no version {name!r}; there is: {names}.")


def policy_ids(reference_folder: Path) -> list[str]:
    """The ids of the policies of a reference data folder."""
    folder = reference_folder / "policies"
    return sorted(p.parent.name for p in folder.glob("*/policy.toml"))


def load_policy(reference_folder: Path, policy_id: str, option: str = "--policy") -> Policy:
    """Read one policy, that `option` names. Raises UsageError when it does not exist or its data is
    not in order."""
    known = policy_ids(reference_folder)
    if policy_id not in known:
        available = ", ".join(known) or "none"
        raise UsageError(
            f"{option}: there is no policy {policy_id!r} in {reference_folder}; there is: {available}."
        )
    folder = reference_folder / "policies" / policy_id
    path = folder / "policy.toml"
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"policy: {path}: cannot be read as TOML: {error}.") from error
    top = Table(path, "the file", document)
    top.only("id", "title", "payer", "hcpcs_code", "document", "versions")
    tables = read_policy_tables(reference_folder, folder)
    written = ReferenceTable(path, pl.DataFrame(), len(content), _digest(content))
    policy = Policy(
        id=top.text("id"),
        title=top.text("title"),
        payer=top.text("payer"),
        hcpcs_code=top.text("hcpcs_code").strip().upper(),
        document_number=top.table("document").text("number"),
        folder=folder,
        versions=tuple(_version(policy_id, t, tables) for t in top.tables("versions")),
        covered_diagnoses=tables["covered_diagnoses"],
        criteria=tables["criteria"],
        sentences=tables["sentences"],
        terms=tables.terms,
        tables=(written, *tables.read),
    )
    names = [v.version for v in policy.versions]
    for name in ("covered_diagnoses", "criteria", "sentences"):
        unknown = sorted(set(tables[name]["version"]) - set(names))
        top.require(not unknown, f"{name}.csv names versions that there are not: {unknown}")
    top.require(bool(policy.versions), "versions must be written")
    top.require(bool(policy.hcpcs_code), "hcpcs_code must be written")
    top.require(policy.id == policy_id, f"id is {policy.id!r}, and the folder is {policy_id!r}")
    _require_one_version_a_day(top, policy)
    return policy


def load_named(reference_folder: Path, name: str, option: str) -> Policy:
    """A policy as `POLICY` or `POLICY@VERSION` names it: of the latter, that version governs alone.

    Raises UsageError where there is none of that name, or none of its versions may govern.
    """
    policy_id, _, version = name.partition("@")
    policy = load_policy(reference_folder, policy_id, option)
    policy = as_governing(policy, version) if version else policy
    if not policy.active_versions:
        raise UsageError(
            f"{option}: {name} has draft versions only; name one of them, as {policy_id}@"
            f"{policy.versions[0].version}."
        )
    return policy


def as_governing(policy: Policy, version: str) -> Policy:
    """The policy as if one of its versions, be it a draft, were in force on every date, and no other."""
    governing = replace(policy.version(version), status="active", start_date=None, end_date=None)
    return replace(policy, versions=(governing,))


def load_governing(reference_folder: Path, name: str) -> Policy:
    """The policy of a run. Raises UsageError where a version is named, or none may govern."""
    policy_id, _, version = name.partition("@")
    policy = load_policy(reference_folder, policy_id)
    if version:
        status = policy.version(version).status
        is_draft = f"version {version} is a draft, and a draft never governs a run"
        by_date = (
            f"the active version in force on the service date governs, so name {policy_id} alone"
        )
        raise UsageError(
            f"--policy: {name}: {is_draft if status == 'draft' else by_date}. To see what a version "
            "would change, use claims-edit compare."
        )
    require_governing(policy)
    return policy


def require_governing(policy: Policy) -> None:
    """A run needs a version that may govern. Raises UsageError for a policy of drafts only."""
    if not policy.active_versions:
        raise UsageError(
            f"--policy: {policy.id} has draft versions only; a draft never governs a run."
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _version(policy_id: str, table: Table, tables: PolicyTables) -> PolicyVersion:
    table.only(
        *("version", "status", "start_date", "end_date", "minimum_age", "authorization_months"),
        *("diagnoses", "limits", "program_terms", "dose", "partners", "edits"),
    )
    name = table.text("version")
    diagnoses = table.table("diagnoses", optional=True)
    diagnoses.only("family_prefixes", "history_codes", "active_disease_prefixes")
    rules = table.table("edits")
    edits = {edit_id: _edit_rule(rules, edit_id) for edit_id in rules.values}
    limits = tuple(_limit(t) for t in table.tables("limits"))
    own_covered = tables["covered_diagnoses"].filter(pl.col("version") == name)
    content = repr(sorted(table.values.items(), key=lambda kv: kv[0])) + own_covered.write_csv()
    criteria = tables.criteria_of(name)
    if criteria:
        content += repr((criteria, tables.terms))
    version = PolicyVersion(
        policy_id=policy_id,
        version=name,
        status=table.choice("status", _STATUSES),
        start_date=table.date("start_date"),
        end_date=table.date("end_date"),
        minimum_age=table.integer("minimum_age"),
        authorization_months=table.integer("authorization_months"),
        family_prefixes=diagnoses.codes("family_prefixes"),
        history_codes=diagnoses.codes("history_codes"),
        active_disease_prefixes=diagnoses.codes("active_disease_prefixes"),
        limits=limits,
        program_terms=tuple(_program_terms(t) for t in table.tables("program_terms")),
        dose=_dose(table.table("dose")) if "dose" in table.values else None,
        partners=tuple(_partner(t) for t in table.tables("partners")),
        criteria=criteria,
        edits=edits,
        digest=_digest(content.encode()),
    )
    start, end = version.start_date, version.end_date
    table.require(start is None or end is None or start <= end, "end_date is before start_date")
    _require_what_edits_need(table, version, own_covered)
    return version


def _edit_rule(rules: Table, edit_id: str) -> EditRule:
    if edit_id not in EDITS:
        rules.refuse(f"there is no edit {edit_id!r}")
    rule = rules.table(edit_id)
    rule.only("fail", "unknown", "section")
    allowed = tuple(a for a in ACTIONS if a != "cutback")
    if EDITS[edit_id].kind == "limit":
        allowed = ACTIONS
    if EDITS[edit_id].asked_of in (("medicare",), ("no-policy",)):
        allowed = ("flag",)
    return EditRule(
        rule.choice("fail", allowed), rule.choice("unknown", allowed), rule.text("section")
    )


def _limit(table: Table) -> Limit:
    table.only("edit", "max_units", "window_days", "section")
    edit_id = table.choice("edit", tuple(LIMITS))
    max_units, window = table.integer("max_units"), table.integer("window_days")
    if max_units is None or window is None or max_units < 0 or window < 1:
        table.refuse("max_units (0 or more) and window_days (1 or more) must be written")
    return Limit(edit_id, max_units, window, table.optional_text("section"))


def _program_terms(table: Table) -> ProgramTerms:
    table.only("line_of_business", "state", "program", "section")
    state = table.text("state").strip().upper()
    table.require(len(state) == 2, f"state is {state!r}; it must be two letters")
    return ProgramTerms(
        table.choice("line_of_business", LINES_OF_BUSINESS),
        state,
        table.text("program"),
        table.optional_text("section"),
    )


def _dose(table: Table) -> Dose:
    table.only("units_per_m2", "max_bsa_m2", "section")
    return Dose(
        table.decimal("units_per_m2"), table.decimal("max_bsa_m2"), table.optional_text("section")
    )


def _partner(table: Table) -> Partner:
    table.only("regimen", "drug", "observable", "window_days", "reason", "section")
    observable, window = table.boolean("observable"), table.integer("window_days")
    table.require(
        window is not None or not observable, "window_days must be written, as a whole number"
    )
    return Partner(
        table.choice("regimen", REGIMENS),
        table.text("drug"),
        observable,
        window or 0,
        table.text("reason"),
        table.optional_text("section"),
    )


def _require_what_edits_need(table: Table, version: PolicyVersion, covered: pl.DataFrame) -> None:
    asked = version.edits
    table.require(
        "member-under-age" not in asked or version.minimum_age is not None,
        "member-under-age needs minimum_age",
    )
    table.require(
        "authorization-span-exceeds-policy" not in asked
        or version.authorization_months is not None,
        "authorization-span-exceeds-policy needs authorization_months",
    )
    table.require(
        "diagnosis-not-covered" not in asked or not covered.is_empty(),
        f"diagnosis-not-covered needs rows of version {version.version} in covered_diagnoses.csv",
    )
    table.require(
        "coverage-criteria" not in asked or set(version.criteria) == set(REQUESTS),
        f"coverage-criteria needs rows of version {version.version}, initial and renewal, in "
        "criteria.csv",
    )
    table.require(
        "dose-exceeds-body-surface" not in asked or version.dose is not None,
        "dose-exceeds-body-surface needs dose",
    )
    table.require(
        "combination-partner-missing" not in asked or bool(version.observable_partners),
        "combination-partner-missing needs partners that are observable",
    )
    places = [(t.line_of_business, t.state) for t in version.program_terms]
    table.require(
        len(set(places)) == len(places), "program_terms: a line of business has two in one state"
    )
    regimens = [partner.regimen for partner in version.observable_partners]
    for regimen in regimens:
        table.require(
            regimens.count(regimen) == 1,
            f"partners: {regimen} has two that are observable; keep one",
        )
    limited = [limit.edit_id for limit in version.limits]
    for edit_id in LIMITS:
        table.require(
            limited.count(edit_id) == (1 if edit_id in asked else 0),
            f"{edit_id} must be listed once under limits when it is asked, and not otherwise",
        )


def _require_one_version_a_day(top: Table, policy: Policy) -> None:
    names = [v.version for v in policy.versions]
    top.require(len(names) == len(set(names)), "two versions have the same name")
    for one, other in combinations(policy.active_versions, 2):
        starts = (d for d in (one.start_date, other.start_date, date.min) if d is not None)
        latest_start = max(starts)
        both = in_force_on(latest_start, one.start_date, one.end_date) and in_force_on(
            latest_start, other.start_date, other.end_date
        )
        top.require(
            not both,
            f"versions {one.version} and {other.version} are both in force on {latest_start}",
        )
