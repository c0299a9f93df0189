"""Policy folders to policy versions. A policy is data: its rules are read here, never written."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from claims_edit.contracts import ACTIONS, LINES_OF_BUSINESS
from claims_edit.edits.catalogue import CLINICAL, EDITS, LIMITS
from claims_edit.errors import UsageError
from claims_edit.reference import ReferenceTable, in_force_on, read_table
from claims_edit.reference_contracts import COVERED_DIAGNOSES
from claims_edit.schemas import empty

_STATUSES = ("active", "draft")
_WORDS = {str: "a text", int: "a whole number", date: "a date", list: "a list", dict: "a table"}


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


@dataclass(frozen=True)
class ProgramTerms:
    """A government program whose own terms govern a line of business in a state."""

    line_of_business: str
    state: str
    program: str


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
    edits: dict[str, EditRule]
    digest: str


@dataclass(frozen=True)
class Policy:
    """A payer's policy for one drug: its document and versions."""

    id: str
    title: str
    hcpcs_code: str
    document_number: str
    folder: Path
    versions: tuple[PolicyVersion, ...]
    covered_diagnoses: pl.DataFrame
    tables: tuple[ReferenceTable, ...]

    @property
    def active_versions(self) -> tuple[PolicyVersion, ...]:
        """The versions that may govern a run."""
        return tuple(v for v in self.versions if v.status == "active")


def policy_ids(reference_folder: Path) -> list[str]:
    """The ids of the policies of a reference data folder."""
    folder = reference_folder / "policies"
    return sorted(p.parent.name for p in folder.glob("*/policy.toml"))


def load_policy(reference_folder: Path, policy_id: str) -> Policy:
    """Read one policy. Raises UsageError when it does not exist or its data is not in order."""
    known = policy_ids(reference_folder)
    if policy_id not in known:
        available = ", ".join(known) or "none"
        raise UsageError(
            f"--policy: there is no policy {policy_id!r} in {reference_folder}; there is: {available}."
        )
    folder = reference_folder / "policies" / policy_id
    path = folder / "policy.toml"
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"policy: {path}: cannot be read as TOML: {error}.") from error
    tables = [ReferenceTable(path, pl.DataFrame(), len(content), _digest(content))]
    covered = empty(COVERED_DIAGNOSES)
    listed = folder / "covered_diagnoses.csv"
    if listed.exists():
        tables.append(read_table(listed, COVERED_DIAGNOSES, ["version", "code"]))
        covered = tables[-1].rows
    top = _Table(path, "the file", document)
    top.only("id", "title", "payer", "hcpcs_code", "document", "versions")
    policy = Policy(
        id=top.text("id"),
        title=top.text("title"),
        hcpcs_code=top.text("hcpcs_code").strip().upper(),
        document_number=top.table("document").text("number"),
        folder=folder,
        versions=tuple(_version(policy_id, t, covered) for t in top.tables("versions")),
        covered_diagnoses=covered,
        tables=tuple(tables),
    )
    names = [v.version for v in policy.versions]
    unknown = sorted(set(covered["version"]) - set(names))
    top.require(not unknown, f"covered_diagnoses.csv names versions that there are not: {unknown}")
    top.require(bool(policy.versions), "versions must be written")
    top.require(bool(policy.hcpcs_code), "hcpcs_code must be written")
    top.require(policy.id == policy_id, f"id is {policy.id!r}, and the folder is {policy_id!r}")
    _require_one_version_a_day(top, policy)
    return policy


def require_governing(policy: Policy) -> None:
    """A run needs a version that may govern. Raises UsageError for a policy of drafts only."""
    if not policy.active_versions:
        raise UsageError(
            f"--policy: {policy.id} has draft versions only; a draft never governs a run."
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _version(policy_id: str, table: _Table, covered: pl.DataFrame) -> PolicyVersion:
    table.only(
        *("version", "status", "start_date", "end_date", "minimum_age", "authorization_months"),
        *("diagnoses", "limits", "program_terms", "edits"),
    )
    name = table.text("version")
    diagnoses = table.table("diagnoses", optional=True)
    diagnoses.only("family_prefixes", "history_codes", "active_disease_prefixes")
    rules = table.table("edits")
    edits = {edit_id: _edit_rule(rules, edit_id) for edit_id in rules.values}
    limits = tuple(_limit(t) for t in table.tables("limits"))
    own_covered = covered.filter(pl.col("version") == name)
    content = repr(sorted(table.values.items(), key=lambda kv: kv[0])) + own_covered.write_csv()
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
        edits=edits,
        digest=_digest(content.encode()),
    )
    start, end = version.start_date, version.end_date
    table.require(start is None or end is None or start <= end, "end_date is before start_date")
    _require_what_edits_need(table, version, own_covered)
    return version


def _edit_rule(rules: _Table, edit_id: str) -> EditRule:
    if edit_id not in EDITS and edit_id not in CLINICAL:
        rules.refuse(f"there is no edit {edit_id!r}")
    rule = rules.table(edit_id)
    rule.only("fail", "unknown", "section")
    allowed = tuple(a for a in ACTIONS if a != "cutback")
    if edit_id in EDITS and EDITS[edit_id].kind == "limit":
        allowed = ACTIONS
    if edit_id in EDITS and EDITS[edit_id].asked_of in (("medicare",), ("no-policy",)):
        allowed = ("flag",)
    return EditRule(
        rule.choice("fail", allowed), rule.choice("unknown", allowed), rule.text("section")
    )


def _limit(table: _Table) -> Limit:
    table.only("edit", "max_units", "window_days", "section")
    edit_id = table.choice("edit", tuple(LIMITS))
    max_units, window = table.integer("max_units"), table.integer("window_days")
    if max_units is None or window is None or max_units < 0 or window < 1:
        table.refuse("max_units (0 or more) and window_days (1 or more) must be written")
    return Limit(edit_id, max_units, window)


def _program_terms(table: _Table) -> ProgramTerms:
    table.only("line_of_business", "state", "program", "section")
    state = table.text("state").strip().upper()
    table.require(len(state) == 2, f"state is {state!r}; it must be two letters")
    return ProgramTerms(
        table.choice("line_of_business", LINES_OF_BUSINESS),
        state,
        table.text("program"),
    )


def _require_what_edits_need(table: _Table, version: PolicyVersion, covered: pl.DataFrame) -> None:
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
    limited = [limit.edit_id for limit in version.limits]
    for edit_id in LIMITS:
        table.require(
            limited.count(edit_id) == (1 if edit_id in asked else 0),
            f"{edit_id} must be listed once under limits when it is asked, and not otherwise",
        )


def _require_one_version_a_day(top: _Table, policy: Policy) -> None:
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


@dataclass(frozen=True)
class _Table:
    """A TOML table that says where it stands when a value is missing or wrong."""

    path: Path
    place: str
    values: dict[str, Any]

    def refuse(self, problem: str) -> NoReturn:
        raise UsageError(f"policy: {self.path}: {self.place}: {problem}; mend the policy.")

    def require(self, condition: bool, problem: str) -> None:
        if not condition:
            self.refuse(problem)

    def _get(self, key: str, kind: type, *, optional: bool = False) -> Any:
        value = self.values.get(key)
        if value is None and optional:
            return None
        if type(value) is not kind:
            self.refuse(f"{key} must be written, as {_WORDS[kind]}")
        return value

    def only(self, *known: str) -> None:
        """Refuse a key that nothing reads: it may be a misspelt one that matters."""
        for key in self.values:
            self.require(
                key in known, f"there is no key {key!r} here; there is: {', '.join(known)}"
            )

    def text(self, key: str) -> str:
        value: str = self._get(key, str)
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            self.refuse(f"{key} is {value!r}; it must be one of {', '.join(allowed)}")
        return value

    def integer(self, key: str) -> int | None:
        value: int | None = self._get(key, int, optional=True)
        self.require(value is None or value >= 0, f"{key} must not be below 0")
        return value

    def date(self, key: str) -> date | None:
        value: date | None = self._get(key, date, optional=True)
        return value

    def codes(self, key: str) -> tuple[str, ...]:
        value = self._get(key, list, optional=True) or []
        self.require(all(isinstance(v, str) for v in value), f"{key} must be a list of texts")
        bare = [str(v).strip().upper().replace(".", "") for v in value]
        return tuple(f"{v[:3]}.{v[3:]}" if len(v) > 3 else v for v in bare)

    def table(self, key: str, *, optional: bool = False) -> _Table:
        value = self._get(key, dict, optional=optional) or {}
        return _Table(self.path, f"{self.place}, {key}", value)

    def tables(self, key: str) -> list[_Table]:
        value = self._get(key, list, optional=True) or []
        self.require(all(isinstance(v, dict) for v in value), f"{key} must be tables, [[{key}]]")
        return [_Table(self.path, f"{self.place}, {key} {i}", v) for i, v in enumerate(value, 1)]
