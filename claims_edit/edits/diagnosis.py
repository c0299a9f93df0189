"""Which diagnoses the line stands on, and whether the policy covers them."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import DIAGNOSIS_COLUMNS, POINTER_COLUMNS
from claims_edit.edits.edit import Context, Edit, agreeing, listed, sentence
from claims_edit.reference import in_force

_DATED = ("policy_version", "claim_line_start_date", "code")


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what is known of the diagnoses of each line: lists of codes, and two flags."""
    diagnoses = _diagnoses(lines)
    judged = diagnoses.join(_classes(diagnoses, context), on=_DATED, how="left", nulls_equal=True)
    considered, covered = pl.col("considered"), pl.col("covered")
    of_family = considered & pl.col("family")
    considered_covered = considered & covered
    lists = {
        "considered_diagnosis_codes": considered,
        "row_covered_codes": covered,
        "covered_diagnosis_codes": considered_covered,
        "unlisted_codes": of_family & pl.col("valid") & ~covered,
        "invalid_codes": of_family & ~pl.col("valid"),
        "female_codes": considered_covered & (pl.col("sex") == "female"),
        "male_codes": considered_covered & (pl.col("sex") == "male"),
    }
    flags = {
        "covered_not_history": considered_covered & ~pl.col("history"),
        "active_disease": pl.col("active_disease"),
    }
    for name, condition in lists.items():
        lines = _with_codes(lines, name, judged.filter(condition))
    for name, condition in flags.items():
        some = judged.filter(condition)["line"].unique()
        lines = lines.with_columns(pl.col("line").is_in(some.implode()).alias(name))
    return lines.with_columns(
        _empty_pointers().alias("empty_pointers"),
        diagnosis_codes=pl.concat_list(DIAGNOSIS_COLUMNS).list.drop_nulls(),
    ).with_columns(
        sexed_codes=pl.concat_list("female_codes", "male_codes"),
        other_sex_codes=pl.when(pl.col("gender") == "male")
        .then("female_codes")
        .when(pl.col("gender") == "female")
        .then("male_codes"),
    )


def _with_codes(lines: pl.DataFrame, name: str, codes: pl.DataFrame) -> pl.DataFrame:
    """Adds to each line its codes, in order, each once; an empty list where there is none."""
    of_line = (
        codes.sort("line", "position")
        .group_by("line", maintain_order=True)
        .agg(pl.col("code").alias(name))
        .with_columns(pl.col(name).list.unique(maintain_order=True))
    )
    return lines.join(of_line, on="line", how="left", maintain_order="left").with_columns(
        pl.col(name).fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )


def _diagnoses(lines: pl.DataFrame) -> pl.DataFrame:
    """The diagnoses of every line, one row each, with what dates them.

    `considered` is one that the line points to, or, where it points to none, every one.
    """
    pointers = [pl.col(p) for p in POINTER_COLUMNS]
    points_to_none = (pl.col("claim_type") != "professional") | pl.all_horizontal(
        p.is_null() for p in pointers
    )
    used = [c for c in DIAGNOSIS_COLUMNS if lines[c].null_count() < lines.height]
    return pl.concat(
        lines.filter(pl.col(column).is_not_null()).select(
            "line",
            "policy_version",
            "claim_line_start_date",
            position=pl.lit(position),
            code=column,
            considered=points_to_none
            | pl.any_horizontal((p == position).fill_null(False) for p in pointers),
        )
        for position, column in enumerate(DIAGNOSIS_COLUMNS, 1)
        if column in used or position == 1
    )


def _empty_pointers() -> pl.Expr:
    """The positions that a professional line points to and that hold no diagnosis."""
    professional = pl.col("claim_type") == "professional"
    empty = []
    for pointer in map(pl.col, POINTER_COLUMNS):
        held = pl.any_horizontal(
            (pointer == position) & pl.col(column).is_not_null()
            for position, column in enumerate(DIAGNOSIS_COLUMNS, 1)
        )
        empty.append(pl.when(professional & ~held).then(pointer))
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
    return (
        distinct.join(_kinds(distinct, context), on=["policy_version", "code"], how="left")
        .join(covered, on=_DATED, how="left")
        .join(valid, on=_DATED, how="left", nulls_equal=True)
        .with_columns(
            pl.col("covered", "valid", "family", "active_disease", "history").fill_null(False)
        )
    )


def _kinds(codes: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Whether each code is of the policy's family, shows active disease, or is a history code."""
    key = ["policy_version", "code"]
    kinds = codes.select(key).unique().join(context.diagnosis_terms, on="policy_version")
    for name in ("family", "active_disease"):
        prefix = f"{name}_prefixes"
        begins = pl.col("code").str.starts_with(pl.col(prefix))
        begun = kinds.explode(prefix).filter(begins).select(*key, pl.lit(True).alias(name)).unique()
        kinds = kinds.join(begun, on=key, how="left")
    return kinds.select(
        *key,
        "family",
        "active_disease",
        history=pl.col("history_codes").list.contains(pl.col("code")),
    )


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
