"""What an edit is: one question, asked of a line in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from claims_edit.criteria import Node
from claims_edit.normalise import number

Kind = Literal["governance", "line", "dose", "duplicate", "limit"]
# What a line is asked as: a claim that voids another, a line that no version governs, the drug's NDC
# under another HCPCS code, or a governed line of the drug. Lines taken out are asked nothing.
AskedAs = Literal["void", "medicare", "no-policy", "other-code", "drug"]


@dataclass(frozen=True)
class Edit:
    """One question asked of a line.

    `fails` is an expression over the lines and the facts of its family: true fails, false passes,
    null cannot tell. `message` says a fail in a sentence with the line's own values, and
    `unknown_message` why it cannot be told; `details` adds to the lines that do not pass what only these
    two and the evidence read. `asked_of` says of which lines it
    is asked; `evidence` the columns that were judged; `reads_clinical_facts` that it is not asked
    where no clinical extract was given.
    """

    id: str
    title: str
    fails: pl.Expr
    message: pl.Expr
    evidence: tuple[str, ...]
    details: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    unknown_message: pl.Expr | None = None
    group_code: str | None = None
    carc: str | None = None
    rarc: str | None = None
    kind: Kind = "line"
    asked_of: tuple[AskedAs, ...] = ("drug",)
    reads_clinical_facts: bool = False


@dataclass(frozen=True)
class Context:
    """What the facts of the edits are drawn from, beside the lines themselves."""

    as_of: date
    hcpcs: pl.DataFrame
    icd10cm: pl.DataFrame
    ndc_products: pl.DataFrame
    mac_jurisdictions: pl.DataFrame
    covered_diagnoses: pl.DataFrame
    version_terms: pl.DataFrame
    diagnosis_terms: pl.DataFrame
    program_terms: pl.DataFrame
    partner_terms: pl.DataFrame
    authorizations: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    clinical_facts: pl.DataFrame
    criteria: Mapping[tuple[str, str], Node]
    criteria_terms: Mapping[str, Node]
    partner_drugs: pl.DataFrame
    partner_lines: pl.DataFrame


def known(condition: pl.Expr) -> pl.Expr:
    """A condition that a missing value does not meet: null is false."""
    return condition.fill_null(False)


def sentence(template: str, *columns: str | pl.Expr) -> pl.Expr:
    """`template` with its `{}` filled; a missing value reads as "none"."""
    values = [pl.col(c) if isinstance(c, str) else c for c in columns]
    return pl.format(template, *(v.cast(pl.String).fill_null("none") for v in values))


def units(column: str) -> pl.Expr:
    """A column of units as people write numbers."""
    return number(pl.col(column))


def listed(column: str) -> pl.Expr:
    """A list of texts as people write it: `A`, `A and B`, `A, B and C`."""
    texts = pl.col(column)
    several = pl.format(
        "{} and {}", texts.list.slice(0, texts.list.len() - 1).list.join(", "), texts.list.last()
    )
    return pl.when(texts.list.len() > 1).then(several).otherwise(texts.list.join(""))


def agreeing(column: str, one: str, several: str) -> pl.Expr:
    """`one` or `several`, as a list of texts has it."""
    return pl.when(pl.col(column).list.len() > 1).then(pl.lit(several)).otherwise(pl.lit(one))
