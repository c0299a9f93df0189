"""Which diagnoses the line stands on, and whether the policy covers them."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import DIAGNOSIS_COLUMNS, POINTER_COLUMNS
from claims_edit.edits.edit import Context, Edit, agreeing, listed, sentence
from claims_edit.reference import in_force

_DATED = ("policy_version", "claim_line_start_date", "code")


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what is known of the diagnoses of each line, one column a question."""
    diagnoses = _diagnoses(lines)
    judged = _considered(lines, diagnoses).join(_classes(diagnoses, context), on=_DATED, how="left")
    considered = pl.col("considered")
    covered = considered & pl.col("covered")

    summary = (
        judged.sort("line", "position")
        .group_by("line")
        .agg(
            diagnosis_codes=pl.col("code"),
            considered_diagnosis_codes=_codes(considered),
            covered_diagnosis_codes=_codes(covered),
            row_covered_codes=_codes(pl.col("covered")),
            unlisted_codes=_codes(
                considered & pl.col("family") & pl.col("valid") & ~pl.col("covered")
            ),
            invalid_codes=_codes(considered & pl.col("family") & ~pl.col("valid")),
            covered_not_history=_any(covered & ~pl.col("history")),
            active_disease=_any(pl.col("active_disease")),
            female_codes=_codes(covered & (pl.col("sex") == "female")),
            male_codes=_codes(covered & (pl.col("sex") == "male")),
        )
    )
    flags = [c for c, t in summary.schema.items() if t == pl.Boolean]
    lists = [c for c, t in summary.schema.items() if t == pl.List(pl.String)]
    return (
        lines.join(summary, on="line", how="left", maintain_order="left")
        .with_columns(
            pl.col(flags).fill_null(False),
            pl.col(lists).fill_null(pl.lit([], dtype=pl.List(pl.String))),
            _empty_pointers().alias("empty_pointers"),
        )
        .with_columns(
            sexed_codes=pl.concat_list("female_codes", "male_codes"),
            other_sex_codes=pl.when(pl.col("gender") == "male")
            .then("female_codes")
            .when(pl.col("gender") == "female")
            .then("male_codes"),
        )
    )


def _codes(condition: pl.Expr) -> pl.Expr:
    return pl.col("code").filter(condition.fill_null(False)).unique(maintain_order=True)


def _any(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(False).any()


def _diagnoses(lines: pl.DataFrame) -> pl.DataFrame:
    """The diagnoses of every line, one row each: line, position, code, and what dates them."""
    keys = ("line", "policy_version", "claim_line_start_date")
    used = [c for c in DIAGNOSIS_COLUMNS if lines[c].null_count() < lines.height]
    columns = [
        lines.select(*keys, position=pl.lit(DIAGNOSIS_COLUMNS.index(c) + 1), code=c).drop_nulls(
            "code"
        )
        for c in used or DIAGNOSIS_COLUMNS[:1]
    ]
    return pl.concat(columns)


def _considered(lines: pl.DataFrame, diagnoses: pl.DataFrame) -> pl.DataFrame:
    """Adds `considered`: pointed to, or, where a line points to none, every one."""
    pointers = pl.concat_list(POINTER_COLUMNS).list.drop_nulls()
    points = (pl.col("claim_type") == "professional") & (pointers.list.len() > 0)
    pointed = lines.select("line", pointers=pl.when(points).then(pointers))
    return diagnoses.join(pointed, on="line", how="left").with_columns(
        considered=pl.col("pointers").list.contains(pl.col("position")).fill_null(True)
    )


def _empty_pointers() -> pl.Expr:
    """The positions that a professional line points to and that hold no diagnosis."""
    code_at = pl.concat_list(DIAGNOSIS_COLUMNS)
    empty = [
        pl.when(
            (pl.col("claim_type") == "professional")
            & pl.col(p).is_not_null()
            & code_at.list.get(pl.col(p) - 1, null_on_oob=True).is_null()
        ).then(pl.col(p))
        for p in POINTER_COLUMNS
    ]
    return pl.concat_list(empty).list.drop_nulls().cast(pl.List(pl.String))


def _classes(diagnoses: pl.DataFrame, context: Context) -> pl.DataFrame:
    """What each distinct code is on each date under each policy version."""
    distinct = diagnoses.select(_DATED).unique()
    on_date = in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date"))
    covered = (
        distinct.join(context.covered_diagnoses, on=["policy_version", "code"])
        .filter(on_date)
        .select(*_DATED, covered=pl.lit(True))
        .unique()
    )
    valid = (
        distinct.join(context.icd10cm, on="code")
        .filter(on_date)
        .select(*_DATED, "sex", valid=pl.lit(True))
        .unique(_DATED, keep="any")
    )
    begins = (("family", "family_prefixes"), ("active_disease", "active_disease_prefixes"))
    return (
        distinct.join(context.diagnosis_terms, on="policy_version", how="left")
        .join(covered, on=_DATED, how="left")
        .join(valid, on=_DATED, how="left")
        .select(
            *_DATED,
            "sex",
            pl.col("covered", "valid").fill_null(False),
            *(_begins_with_one_of(prefixes).alias(name) for name, prefixes in begins),
            history=pl.col("history_codes").list.contains(pl.col("code")).fill_null(False),
        )
    )


def _begins_with_one_of(prefixes: str) -> pl.Expr:
    pattern = (
        "^(?:" + pl.col(prefixes).list.join("|").str.replace_all(".", r"\.", literal=True) + ")"
    )
    some = pl.col(prefixes).list.len() > 0
    return pl.when(some).then(pl.col("code").str.contains(pattern)).fill_null(False)


def _some(codes: str) -> pl.Expr:
    return pl.col(codes).list.len() > 0


_HAS_DIAGNOSES, _ROW_COVERED = _some("diagnosis_codes"), _some("row_covered_codes")
_CONSIDERED_COVERED = _some("covered_diagnosis_codes")
_UNLISTED, _INVALID = _some("unlisted_codes"), _some("invalid_codes")
_EVIDENCE = ("claim_line_start_date", "diagnosis_codes", "considered_diagnosis_codes")

EDITS = (
    Edit(
        id="diagnosis-missing",
        title="The line has a diagnosis",
        fails=~_HAS_DIAGNOSES,
        message=pl.lit("the claim line has no diagnosis"),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="16",
        rarc="M76",
    ),
    Edit(
        id="diagnosis-pointer-invalid",
        title="The diagnosis pointers name diagnoses of the claim",
        fails=pl.col("empty_pointers").list.len() > 0,
        message=sentence(
            "the line points to diagnosis {}, and the claim has none in that place",
            listed("empty_pointers"),
        ),
        evidence=("empty_pointers", "diagnosis_codes"),
        group_code="CO",
        carc="16",
        rarc="M76",
    ),
    Edit(
        id="diagnosis-not-pointed",
        title="A covered diagnosis of the claim is one that the line points to",
        fails=~_CONSIDERED_COVERED & _ROW_COVERED,
        message=sentence(
            "the line points to {}; {} {} covered, and the line does not point to {}",
            pl.when(_some("considered_diagnosis_codes"))
            .then(pl.format("{}, not covered", listed("considered_diagnosis_codes")))
            .otherwise(pl.lit("no diagnosis")),
            listed("row_covered_codes"),
            agreeing("row_covered_codes", "is", "are"),
            agreeing("row_covered_codes", "it", "them"),
        ),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="11",
    ),
    Edit(
        id="diagnosis-unlisted",
        title="A valid diagnosis of the family is on the policy's list",
        fails=~_ROW_COVERED & _UNLISTED,
        message=sentence(
            "{} {} valid on {}, and the policy's list lacks {}; no other diagnosis is covered",
            listed("unlisted_codes"),
            agreeing("unlisted_codes", "is", "are"),
            "claim_line_start_date",
            agreeing("unlisted_codes", "it", "them"),
        ),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="167",
        rarc="N569",
    ),
    Edit(
        id="diagnosis-invalid",
        title="The diagnosis code is valid on the service date",
        fails=~_ROW_COVERED & ~_UNLISTED & _INVALID,
        message=sentence(
            "{} {} on {}",
            listed("invalid_codes"),
            agreeing("invalid_codes", "is no valid diagnosis code", "are no valid diagnosis codes"),
            "claim_line_start_date",
        ),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="146",
    ),
    Edit(
        id="diagnosis-not-covered",
        title="The policy covers a diagnosis of the line",
        fails=_HAS_DIAGNOSES & ~_ROW_COVERED & ~_UNLISTED & ~_INVALID,
        message=sentence(
            "{} {} covered by the policy",
            listed("diagnosis_codes"),
            agreeing("diagnosis_codes", "is not", "are not"),
        ),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="167",
        rarc="N569",
    ),
    Edit(
        id="diagnosis-history-only",
        title="The claim shows active disease, not a history of it alone",
        fails=_CONSIDERED_COVERED & ~pl.col("covered_not_history") & ~pl.col("active_disease"),
        message=sentence(
            "the only covered diagnosis is a history of the disease ({}), and no diagnosis shows "
            "active disease",
            listed("covered_diagnosis_codes"),
        ),
        evidence=_EVIDENCE,
        group_code="CO",
        carc="11",
    ),
    Edit(
        id="diagnosis-sex-conflict",
        title="The covered diagnosis is not one of the other sex",
        fails=pl.when(~_some("sexed_codes")).then(False).otherwise(_some("other_sex_codes")),
        message=sentence(
            "the member is {}, and the diagnosis {} {} the other sex",
            "gender",
            listed("other_sex_codes"),
            agreeing("other_sex_codes", "names", "name"),
        ),
        unknown_message=sentence(
            "the member's gender is not known; the diagnosis {} {} a sex",
            listed("sexed_codes"),
            agreeing("sexed_codes", "names", "name"),
        ),
        evidence=("gender", "female_codes", "male_codes"),
        group_code="CO",
        carc="16",
        rarc="M76",
    ),
)
