"""The whole story: scope, lifecycle, edits, limits, disposition. Pure; no two members meet in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from claims_edit import contracts, kernel, lifecycle, policy_frames, scope
from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import DRAWS, PARTNER_LINES
from claims_edit.disposition import denied_lines, disposed, in_order
from claims_edit.edits import (
    authorization,
    claim,
    criteria,
    diagnosis,
    dose,
    duplicate,
    governance,
    member,
    ndc,
    partner,
    wastage,
)
from claims_edit.edits.catalogue import EDITS
from claims_edit.edits.edit import Context, Edit, Kind
from claims_edit.findings import ask
from claims_edit.frames import beside, matched
from claims_edit.limits import COMPILED_FROM, allowed_units
from claims_edit.past import ALLOWED, Past, no_past
from claims_edit.policies import Policy
from claims_edit.reconsider import cut_lines, reconsidered
from claims_edit.reference import ReferenceData
from claims_edit.schemas import empty

Step = Callable[[str], AbstractContextManager[None]]
_LAST = 1 << 40  # behind every date


@dataclass(frozen=True)
class Requests:
    """Authorizations, and the clinical facts behind them where any were given."""

    authorizations: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    clinical_facts: pl.DataFrame | None = None


@dataclass(frozen=True)
class Night:
    """One extract, read and checked, and what earlier nights left: what `evaluate` decides upon.

    `lines` has the columns of the claims schema, `service_date_unclear` and `ndc_11`; `other_versions`
    the rows out of scope that replace or void a claim; `rejected_authorizations` the `member_id` and
    `hcpcs_code` that a rejected authorization can be read as; `partner_lines` those under the codes of
    partner drugs; `clinical_facts` is null where no such extract was given.
    """

    lines: pl.DataFrame
    other_versions: pl.DataFrame
    authorizations: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    partner_lines: pl.DataFrame = field(default_factory=lambda: empty(PARTNER_LINES))
    clinical_facts: pl.DataFrame | None = None
    past: Past = field(default_factory=no_past)


@dataclass(frozen=True)
class Judged:
    """A night when all its edits were asked: the lines with every fact that the edits read and what they
    are allowed, the findings by `line`, and what these stand on.

    `covering` has by `line` the approved authorizations that cover it, in matching order; `arrived` every
    row that says something of a version of a claim, `fates` what became of the claims; `standing` what of
    history stands.
    """

    lines: pl.DataFrame
    findings: pl.DataFrame
    covering: pl.DataFrame
    arrived: pl.DataFrame
    fates: pl.DataFrame
    standing: Past
    context: Context


@dataclass(frozen=True)
class Outcome:
    """The tables `lines`, `findings` and `reconsider` of the contracts, member by member, and the lines
    of each in their order."""

    lines: pl.DataFrame
    findings: pl.DataFrame
    reconsider: pl.DataFrame


def _untimed(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def evaluate(
    night: Night,
    policy: Policy,
    reference: ReferenceData,
    as_of: date,
    step: Step = _untimed,
) -> Outcome:
    """Edit every line of a night under the active versions of one policy.

    What is done for each of its steps is done within `step`.
    """
    judged = judge(night, policy, reference, as_of, step)
    with step("outcome"):
        edited = edited_lines(judged)
    with step("reconsider"):
        reconsider = _reconsider(night.past, judged, edited, policy)
    return Outcome(edited, _findings(judged.lines, judged.findings), reconsider)


def make_ready(lines: int) -> None:
    """Load what a night of so many lines would wait for."""
    if lines >= COMPILED_FROM:
        kernel.load()


def judge(
    night: Night,
    policy: Policy,
    reference: ReferenceData,
    as_of: date,
    step: Step = _untimed,
) -> Judged:
    """Ask every line of a night all its edits, and allow it what the limits leave it."""
    rules = policy_frames.rules(policy)
    clinical = night.clinical_facts is not None

    with step("lifecycle"):
        lines = scope.governed(in_their_order(night.lines), policy)
        arrived = lifecycle.arrivals(lines, night.other_versions, night.past)
        fates = lifecycle.fates(arrived)
        standing = lifecycle.standing(night.past, fates)
        lines = lifecycle.resolved(lines.with_row_index("line"), arrived, fates)
        lines = lines.with_columns(scope.asked_as().alias("asked_as"))
    partner_lines = _partner_lines(night, arrived)
    context = context_of(night, partner_lines, policy, reference, as_of)

    lines, covering = _with_facts(lines, context, step, clinical=clinical)
    with step("asking"):
        findings = ask(lines, _of_kind("governance", "line", clinical=clinical), rules)
    if clinical:
        with step("dose"):
            lines = dose.facts(lines, context, denied_lines(findings))
            findings = pl.concat([findings, ask(lines, _of_kind("dose", clinical=True), rules)])
    with step("duplicate"):
        candidates = _candidates(lines, findings)
        lines = duplicate.facts(lines, candidates, standing.lines, standing.elsewhere)
        findings = pl.concat([findings, ask(lines, _of_kind("duplicate"), rules)])
    with step("limits"):
        results = allowed_units(
            _limited(lines, candidates, denied_lines(findings)),
            covering,
            policy_frames.limits(policy),
            standing.allowed(policy.hcpcs_code),
        )
    with step("outcome"):
        lines = _with_allowed(results.joined(lines), results.allowed, denied_lines(findings))
        findings = in_order(pl.concat([findings, ask(lines, _of_kind("limit"), rules)]))
    return Judged(lines, findings, covering, arrived, fates, standing, context)


def _partner_lines(night: Night, arrived: pl.DataFrame) -> pl.DataFrame:
    """The partner lines that stand; none where there are no clinical facts to ask of them."""
    if night.clinical_facts is None:
        return empty(PARTNER_LINES)
    return lifecycle.standing_partner_lines(arrived, night.partner_lines, night.past)


def in_their_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines by member, and those of each in the contract's order.

    Texts are compared once, and columns without a value are not moved.
    """
    held = [c for c in lines.columns if lines[c].null_count() < lines.height]
    places = lines.select(
        _place_of(lines["member_id"]),
        pl.col("claim_line_start_date").to_physical().cast(pl.Int64),
        pl.col("received_date").to_physical().cast(pl.Int64).fill_null(_LAST),
        _place_of(lines["claim_id"]),
        "claim_line_number",
    )
    place = places.select(pl.arg_sort_by(places.columns)).to_series()
    rank = pl.zeros(len(place), dtype=pl.UInt32, eager=True).scatter(
        place, pl.int_range(len(place), dtype=pl.UInt32, eager=True)
    )
    moved = lines.select(held).with_columns(_rank=rank).sort("_rank").drop("_rank")
    return moved.with_columns(
        pl.lit(None, t).alias(c) for c, t in lines.schema.items() if c not in held
    ).select(lines.columns)


def _place_of(texts: pl.Series) -> pl.Series:
    """The place of each text among all of them, from 0."""
    distinct = texts.unique().sort().to_frame().with_row_index("place")
    found = texts.to_frame().join(distinct, on=texts.name, how="left", maintain_order="left")
    return found["place"].alias(texts.name)


def edits_asked(*, clinical: bool) -> list[Edit]:
    """All edits that a run asks, in order; those that read clinical facts where it was given any."""
    return _of_kind("governance", "line", "dose", "duplicate", "limit", clinical=clinical)


def _of_kind(*kinds: Kind, clinical: bool = False) -> list[Edit]:
    """The edits of a kind, in order; those that read clinical facts only where there are any."""
    edits = [edit for edit in EDITS.values() if edit.kind in kinds]
    return [edit for edit in edits if clinical or not edit.reads_clinical_facts]


_FAMILIES = {
    "governance": governance.facts,
    "claim": claim.facts,
    "member": member.facts,
    "diagnosis": diagnosis.facts,
    "ndc": ndc.facts,
    "wastage": wastage.facts,
}
_CLINICAL_FAMILIES = {"criteria": criteria.facts, "partner": partner.facts}


def _with_facts(
    lines: pl.DataFrame, context: Context, step: Step, *, clinical: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines with all that the edits read, and the authorizations that cover them."""
    lines = matched(lines, context.version_terms, ["policy_version"])
    for name, facts in _FAMILIES.items():
        with step(name):
            lines = facts(lines, context)
    with step("authorization"):
        covering = authorization.covering(lines, context)
        lines = authorization.facts(lines, covering, context)
    for name, facts in _CLINICAL_FAMILIES.items() if clinical else ():
        with step(name):
            lines = facts(lines, context)
    return lines, covering


def _candidates(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The lines that take part in duplicates, and, unless `denied`, in limits."""
    denied = denied_lines(findings)
    taking_part = pl.col("asked_as") == "drug", ~pl.col("service_date_unclear")
    candidates = lines.lazy().filter(*taking_part)
    return candidates.select("line", denied=pl.col("line").is_in(denied.implode())).collect()


def _limited(lines: pl.DataFrame, candidates: pl.DataFrame, denied: pl.Series) -> pl.DataFrame:
    """The candidates that nothing denies, with what the limits read of them."""
    columns = ("line", "member_id", "policy_version", "claim_line_start_date")
    limited = candidates.filter(~pl.col("line").is_in(denied.implode()))["line"]
    return lines.select(*columns, "service_unit_quantity")[limited]


def _with_allowed(lines: pl.DataFrame, allowed: pl.DataFrame, denied: pl.Series) -> pl.DataFrame:
    """Adds `allowed_units`: as limited; all that is billed of a line that has no limit."""
    nothing = (
        pl.col("taken_out").is_not_null()
        | (pl.col("asked_as") == "void").fill_null(False)
        | pl.col("line").is_in(denied.implode())
    )
    zero = pl.lit(0, dtype=contracts.UNITS)
    return beside(lines, allowed).with_columns(
        takes_part_in_limits=pl.col("allowed_units").is_not_null(),
        allowed_units=pl.when(nothing)
        .then(zero)
        .otherwise(pl.coalesce("allowed_units", "service_unit_quantity")),
        authorization_draws=pl.col("authorization_draws").fill_null(pl.lit([], dtype=DRAWS)),
    )


def _allowed(edited: pl.DataFrame) -> pl.DataFrame:
    """What the limits count of the lines of tonight, as `Past.allowed` has it of history."""
    return edited.lazy().filter("takes_part_in_limits").select(ALLOWED).collect()


def _of_members(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    return rows.join(lines, on="member_id", how="semi")


def _reconsider(past: Past, judged: Judged, edited: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Lines of earlier runs under the version and the authorizations that they have tonight."""
    touched = lifecycle.touched(judged.arrived)
    earlier = lifecycle.before_tonight(judged.arrived, touched)
    before = lifecycle.standing(past.of(touched), lifecycle.fates(earlier))
    now = judged.standing.of(touched)
    lines = scope.governed(cut_lines(before, now), policy).drop_nulls("policy_version")
    cut = lines.with_columns(asked_as=pl.lit("drug"))
    allowed_now = pl.concat([now.allowed(policy.hcpcs_code), _allowed(edited)])
    allowed_before = before.allowed(policy.hcpcs_code)
    return reconsidered(
        cut,
        authorization.covering(cut, judged.context),
        _of_members(allowed_before, cut),
        _of_members(allowed_now, cut),
        policy_frames.limits(policy),
    )


def edited_lines(judged: Judged) -> pl.DataFrame:
    """The table `lines` of the contracts: each line with its one outcome."""
    lines = disposed(judged.lines, judged.findings)
    return lines.with_columns(
        governed=pl.col("policy_version").is_not_null()
        & (pl.col("line_of_business") != "medicare"),
        billed_units=pl.col("service_unit_quantity"),
        diagnosis_positions=diagnosis.positions(lines),
    ).select(list(contracts.LINES.columns))


def _findings(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    of_line = lines.select("line", *contracts.LINE_KEY, "policy_id", "policy_version")
    found = findings.join(of_line, on="line", how="left", maintain_order="left")
    return found.select(list(contracts.FINDINGS.columns))


def context_of(
    night: Night | Requests,
    partner_lines: pl.DataFrame,
    policy: Policy,
    reference: ReferenceData,
    as_of: date,
) -> Context:
    """What the facts of the edits are drawn from, `partner_lines` being those that stand."""
    facts = empty(CLINICAL_FACTS) if night.clinical_facts is None else night.clinical_facts
    return Context(
        as_of=as_of,
        hcpcs=reference["hcpcs"],
        icd10cm=reference["icd10cm"],
        ndc_products=reference["ndc_products"],
        mac_jurisdictions=reference["mac_jurisdictions"],
        covered_diagnoses=policy.covered_diagnoses.rename({"version": "policy_version"}),
        version_terms=policy_frames.version_terms(policy),
        diagnosis_terms=policy_frames.diagnosis_terms(policy),
        program_terms=policy_frames.program_terms(policy),
        partner_terms=policy_frames.partner_terms(policy),
        authorizations=night.authorizations,
        rejected_authorizations=night.rejected_authorizations,
        clinical_facts=facts,
        criteria=policy_frames.criteria(policy),
        criteria_terms=policy.terms,
        partner_drugs=reference["partner_drugs"],
        partner_lines=partner_lines,
    )
