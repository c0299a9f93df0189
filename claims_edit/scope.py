"""Which rows are in scope, and what governs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from claims_edit.normalise import as_text, shortest_labeler, with_ndc_11
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData, in_force


@dataclass(frozen=True)
class Scope:
    """The drug of a policy: its HCPCS code and its products (nine digits), and all known products.

    `partner_codes` are the HCPCS codes of partner drugs that should show on medical claims: their lines
    are read with those in scope, and kept.
    """

    hcpcs_code: str
    products: tuple[str, ...]
    all_products: tuple[str, ...]
    partner_codes: tuple[str, ...] = ()

    def of_raw(self, columns: dict[str, pl.DataType]) -> pl.Expr:
        """Whether a row as it comes may be in scope, or is a partner line: cheap enough for a scan, true
        for more than these, and never false for one.

        It looks for the codes within the text as it comes, which takes in any white space, case and
        notation: trimming a column of the whole scan would cost more than all the rest. A search for all
        codes at once takes half the time of a pattern, and to find one text less than to contain it.
        """
        codes = [c for code in (self.hcpcs_code, *self.partner_codes) for c in _spellings(code)]
        hcpcs = _raw_text("hcpcs_code", columns)
        by_code = hcpcs.str.contains_any(codes, ascii_case_insensitive=True).fill_null(False)
        return by_code | self._may_be_product(columns)

    def _may_be_product(self, columns: Mapping[str, pl.DataType]) -> pl.Expr:
        """Whether the NDC of a row as it comes has the labeler of a product of the drug somewhere."""
        labelers = sorted({shortest_labeler(product) for product in self.products})
        ndc = _raw_text("ndc_code", columns)
        if len(labelers) == 1:
            return ndc.str.find(labelers[0], literal=True).is_not_null()
        return ndc.str.contains_any(labelers).fill_null(False) if labelers else pl.lit(False)

    def partners(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The raw rows under a code of a partner drug."""
        if not self.partner_codes:
            return rows.clear()
        code = as_text("hcpcs_code", rows.schema["hcpcs_code"]).str.to_uppercase()
        return rows.filter(code.is_in(self.partner_codes))

    def holds(self, rows: pl.DataFrame) -> pl.Series:
        """Whether each raw row is in scope: has the drug's HCPCS, or an NDC that is a product of it."""
        code = as_text("hcpcs_code", rows.schema["hcpcs_code"]).str.to_uppercase()
        held = rows.select((code == self.hcpcs_code).fill_null(False)).to_series()
        looked_at = ~held & rows.select(self._may_be_product(rows.schema)).to_series()
        if looked_at.any():
            ndc = as_text("ndc_code", rows.schema["ndc_code"])
            others = rows.select("ndc_code").filter(looked_at)
            products = with_ndc_11(others, ndc, list(self.all_products))
            by_ndc = products["ndc_11"].str.slice(0, 9).is_in(self.products).fill_null(False)
            held = held.scatter(looked_at.arg_true(), by_ndc)
        return held


def _spellings(code: str) -> set[str]:
    """A code, and what beside its small letters is it in capitals: the long s, for one."""
    others = str.maketrans({"S": "\u017f", "I": "\u0131"})
    return {code, code.translate(others)}


def _raw_text(column: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    text = columns[column] == pl.String
    return pl.col(column) if text else as_text(column, columns[column])


def scope_of(reference: ReferenceData, *policies: Policy) -> Scope:
    """The scope of the one drug that the policies are about."""
    (hcpcs_code,) = {policy.hcpcs_code for policy in policies}
    drugs = {
        partner.drug
        for policy in policies
        for version in policy.active_versions
        for partner in version.observable_partners
    }
    partners = reference["partner_drugs"].filter(pl.col("drug").is_in(sorted(drugs)))
    return Scope(
        hcpcs_code=hcpcs_code,
        products=tuple(reference.products(hcpcs_code)),
        all_products=tuple(reference.products()),
        partner_codes=tuple(partners["hcpcs_code"].unique().sort()),
    )


def governed(lines: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Adds `policy_id`, `policy_version` (active and in force on the service date, else null)."""
    service = pl.col("claim_line_start_date")
    versions = [
        pl.when(in_force(service, _date(v.start_date), _date(v.end_date))).then(pl.lit(v.version))
        for v in policy.active_versions
    ]
    return lines.with_columns(
        policy_id=pl.lit(policy.id),
        drug_hcpcs_code=pl.lit(policy.hcpcs_code),
        policy_version=pl.coalesce(*versions) if versions else pl.lit(None, dtype=pl.String),
    )


def _date(value: object) -> pl.Expr:
    return pl.lit(value, dtype=pl.Date)


def asked_as() -> pl.Expr:
    """What a governed frame's line is asked as; null for one that is taken out."""
    drug = (pl.col("hcpcs_code") == pl.col("drug_hcpcs_code")).fill_null(False)
    return (
        pl.when(pl.col("claim_frequency_code") == "8")
        .then(pl.lit("void"))
        .when(pl.col("taken_out").is_not_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("line_of_business") == "medicare")
        .then(pl.lit("medicare"))
        .when(pl.col("policy_version").is_null())
        .then(pl.lit("no-policy"))
        .when(~drug)
        .then(pl.lit("other-code"))
        .otherwise(pl.lit("drug"))
    )
