"""Which diagnoses the line stands on, and whether the policy covers them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

import polars as pl

from claims_edit.contracts import DIAGNOSIS_COLUMNS, POINTER_COLUMNS
from claims_edit.edits.edit import Context, Edit, agreeing, listed, sentence
from claims_edit.frames import matched
from claims_edit.reference import in_force

_DATED = ("policy_version", "claim_line_start_date", "code")
_DAY = ["policy_version", "claim_line_start_date"]

# What a code is under a policy version on a date, one bit each.
_COVERED, _UNLISTED_BIT, _INVALID_BIT, _ACTIVE, _NOT_HISTORY, _FEMALE, _MALE = (
    1 << i for i in range(7)
)
_BITS = {
    _COVERED: pl.col("covered"),
    _UNLISTED_BIT: pl.col("family") & pl.col("valid") & ~pl.col("covered"),
    _INVALID_BIT: pl.col("family") & ~pl.col("valid"),
    _ACTIVE: pl.col("active_disease"),
    _NOT_HISTORY: pl.col("covered") & ~pl.col("history"),
    _FEMALE: pl.col("covered") & (pl.col("sex") == "female").fill_null(False),
    _MALE: pl.col("covered") & (pl.col("sex") == "male").fill_null(False),
}
_IS = "diagnosis_is_"
# No code has it within.
_SEPARATOR = "\x1f"


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what is known of the diagnoses of each line.

    `diagnosis_codes` and `considered_diagnosis_codes`; of each diagnosis in use what it is
    (`diagnosis_is_1` …, bits), of all of them and of the considered ones together (`row_is`,
    `considered_is`); and the `empty_pointers`.
    """
    used = _in_use(lines)
    lines = lines.hstack(_bits(lines, used, context))
    bits = {position: pl.col(f"{_IS}{position}") for position in used}
    nothing = pl.lit(0, pl.UInt8)
    considered = (
        pl.when(_considers(lines, position)).then(bit).otherwise(nothing)
        for position, bit in bits.items()
    )
    codes = {position: pl.col(DIAGNOSIS_COLUMNS[position - 1]) for position in used}
    return lines.with_columns(
        _empty_pointers(lines).alias("empty_pointers"),
        row_is=reduce(or_, bits.values()),
        considered_is=reduce(or_, considered),
        diagnosis_codes=_listed(codes.values()),
        considered_diagnosis_codes=_listed(
            pl.when(_considers(lines, position)).then(code) for position, code in codes.items()
        ).list.unique(maintain_order=True),
    )


def _in_use(lines: pl.DataFrame) -> list[int]:
    """The positions at which any line has a diagnosis, and the first."""
    return [
        position
        for position, column in enumerate(DIAGNOSIS_COLUMNS, 1)
        if position == 1 or lines[column].null_count() < lines.height
    ]


def positions(lines: pl.DataFrame) -> pl.Expr:
    """The positions that hold a diagnosis, a bit each, the first the lowest."""
    held = (
        pl.col(DIAGNOSIS_COLUMNS[i - 1]).is_not_null().cast(pl.Int64) * (1 << (i - 1))
        for i in _in_use(lines)
    )
    return pl.sum_horizontal(held)


def _listed(codes: Iterable[pl.Expr]) -> pl.Expr:
    """Those of the codes that are not null, as a list, in order."""
    joined = pl.concat_str(list(codes), separator=_SEPARATOR, ignore_nulls=True)
    empty = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(joined == "").then(empty).otherwise(joined.str.split(_SEPARATOR))


def _considers(lines: pl.DataFrame, position: int) -> pl.Expr:
    """Whether the line points to a diagnosis, or points to none, so that every one is considered."""
    pointers = [pl.col(p) for p in POINTER_COLUMNS if lines[p].null_count() < lines.height]
    points_to_none = pl.all_horizontal(pl.lit(True), *(p.is_null() for p in pointers))
    points_here = [(p == position).fill_null(False) for p in pointers]
    return pl.any_horizontal(pl.col("claim_type") != "professional", points_to_none, *points_here)


def _empty_pointers(lines: pl.DataFrame) -> pl.Expr:
    """The positions that a professional line points to and that hold no diagnosis."""
    professional = pl.col("claim_type") == "professional"
    used = _in_use(lines)
    empty = [pl.lit(None, pl.String)]
    for pointer in POINTER_COLUMNS:
        if lines[pointer].null_count() < lines.height:
            held = pl.any_horizontal(
                (pl.col(pointer) == position)
                & pl.col(DIAGNOSIS_COLUMNS[position - 1]).is_not_null()
                for position in used
            )
            empty.append(pl.when(professional & ~held).then(pl.col(pointer).cast(pl.String)))
    return _listed(empty)


def _bits(lines: pl.DataFrame, used: list[int], context: Context) -> pl.DataFrame:
    """What each diagnosis of each line is, looked up by its version and date and its code."""
    columns = {position: DIAGNOSIS_COLUMNS[position - 1] for position in used}
    codes = pl.concat(lines[column].unique() for column in columns.values()).unique()
    days = lines.select(_DAY).unique()
    noted = pl.concat([pl.Series([None], dtype=pl.String), _of_note(codes, context)])
    asked = days.with_columns(code=pl.lit(noted.to_list(), dtype=pl.List(pl.String))).explode(
        "code"
    )
    found = _classes(asked, context).select(*_DATED, bits=_all_bits())
    table = matched(asked, found, [*_DATED])["bits"].fill_null(0)
    day = matched(lines.select(_DAY), days.with_row_index("day"), _DAY)["day"] * len(noted)
    numbers = pl.Series(range(1, len(noted)), dtype=pl.UInt32)
    places = lines.select(
        pl.col(column).replace_strict(noted[1:], numbers, default=0, return_dtype=pl.UInt32)
        for column in columns.values()
    )
    return pl.DataFrame(
        table.gather(day + places[column]).alias(f"{_IS}{position}")
        for position, column in columns.items()
    )


def _all_bits() -> pl.Expr:
    return pl.sum_horizontal(
        condition.cast(pl.UInt8) * pl.lit(bit, pl.UInt8) for bit, condition in _BITS.items()
    ).cast(pl.UInt8)


def _of_note(codes: pl.Series, context: Context) -> pl.Series:
    """The codes that are of any meaning to the policy: covered ever, or of a prefix that it names."""
    prefixes = pl.concat(
        context.diagnosis_terms[f"{name}_prefixes"].explode()
        for name in ("family", "active_disease")
    )
    begins = [codes.str.starts_with(prefix) for prefix in prefixes.unique().drop_nulls()]
    return codes.filter(
        reduce(or_, begins, codes.is_in(context.covered_diagnoses["code"].implode()))
    )


def _details(lines: pl.DataFrame) -> pl.DataFrame:
    """Adds the lists of codes that the findings tell of."""
    bits = {int(c.removeprefix(_IS)): pl.col(c) for c in lines.columns if c.startswith(_IS)}

    def codes(bit: int, *, considered: bool = True) -> pl.Expr:
        return _listed(
            pl.when((is_ & bit) != 0, _considers(lines, position) if considered else True).then(
                DIAGNOSIS_COLUMNS[position - 1]
            )
            for position, is_ in bits.items()
        ).list.unique(maintain_order=True)

    return lines.with_columns(
        row_covered_codes=codes(_COVERED, considered=False),
        covered_diagnosis_codes=codes(_COVERED),
        unlisted_codes=codes(_UNLISTED_BIT),
        invalid_codes=codes(_INVALID_BIT),
        female_codes=codes(_FEMALE),
        male_codes=codes(_MALE),
    ).with_columns(
        sexed_codes=pl.concat_list("female_codes", "male_codes"),
        other_sex_codes=pl.when(pl.col("gender") == "male")
        .then("female_codes")
        .when(pl.col("gender") == "female")
        .then("male_codes"),
    )


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


def _is(column: str, bit: int) -> pl.Expr:
    return (pl.col(column) & bit) != 0


_HAS_DIAGNOSES, _ROW_COVERED = _some("diagnosis_codes"), _is("row_is", _COVERED)
_CONSIDERED_COVERED = _is("considered_is", _COVERED)
_UNLISTED, _INVALID = _is("considered_is", _UNLISTED_BIT), _is("considered_is", _INVALID_BIT)
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
        details=_details,
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
        details=_details,
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
        details=_details,
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
        fails=_CONSIDERED_COVERED & ~_is("considered_is", _NOT_HISTORY) & ~_is("row_is", _ACTIVE),
        details=_details,
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
        fails=pl.when(~_is("considered_is", _FEMALE | _MALE))
        .then(False)
        .when(pl.col("gender") == "male")
        .then(_is("considered_is", _FEMALE))
        .when(pl.col("gender") == "female")
        .then(_is("considered_is", _MALE)),
        details=_details,
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
