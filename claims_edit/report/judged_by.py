"""What a line was judged by: rows of the reference data, authorizations, and the clinical criteria."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import in_words
from claims_edit.criteria import Node, Terms, facts_read, met, tests_of
from claims_edit.edits.edit import Context
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData, in_force_on
from claims_edit.report.story import Authorization, Criterion, Reference

Row = Mapping[str, Any]


class Codes:
    """The reference data by its codes."""

    def __init__(self, reference: ReferenceData, policy: Policy) -> None:
        self._tables = {
            "covered_diagnoses": _by(policy.covered_diagnoses, "code"),
            "icd10cm": _by(reference["icd10cm"], "code"),
            "hcpcs": _by(reference["hcpcs"], "code"),
            "ndc_products": _by(_products(reference["ndc_products"]), "product"),
            "mac_jurisdictions": _by(reference["mac_jurisdictions"], "state"),
        }
        self._adjustments = {
            kind: _by(rows, "code")
            for (kind,), rows in reference["adjustment_codes"]
            .partition_by("type", as_dict=True)
            .items()
        }

    def covered(self, line: Row) -> set[str]:
        """The diagnoses of a line that its policy version covers on its date."""
        rows = self._rows("covered_diagnoses", line, line["diagnosis_codes"])
        return {row["code"] for row in rows if row["version"] == line["policy_version"]}

    def references(self, line: Row) -> tuple[Reference, ...]:
        """The rows in force on a line's date of all that it bills."""
        product = (line["ndc_11"] or "")[:9]
        asked = {
            "hcpcs": [line["hcpcs_code"]],
            "ndc_products": [product],
            "covered_diagnoses": line["diagnosis_codes"],
            "icd10cm": line["diagnosis_codes"],
            "mac_jurisdictions": [line["member_state"]]
            if line["line_of_business"] == "medicare"
            else [],
        }
        return tuple(
            _reference(table, row)
            for table, codes in asked.items()
            for row in self._rows(table, line, codes)
            if row.get("version") in (None, line["policy_version"])
        )

    def adjustments(self, line: Row, findings: list[Row]) -> tuple[Reference, ...]:
        """The adjustment codes of a line's findings in their official words."""
        found = {
            (kind, code): row
            for finding in findings
            for kind in ("carc", "rarc")
            if (code := finding[kind]) is not None
            for row in self._adjustments.get(kind, {}).get(code, ())
            if _in_force(row, line)
        }
        return tuple(_reference(kind, row) for (kind, _), row in found.items())

    def _rows(self, table: str, line: Row, codes: list[str | None]) -> Iterator[Row]:
        for code in dict.fromkeys(codes):
            for row in self._tables[table].get(code or "", ()):
                if _in_force(row, line):
                    yield row


def _products(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("product").str.replace_all("-", ""))


def _by(rows: pl.DataFrame, column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row[column], []).append(row)
    return found


def _in_force(row: Row, line: Row) -> bool:
    return in_force_on(line["claim_line_start_date"], row["start_date"], row["end_date"])


def _reference(table: str, row: Row) -> Reference:
    key = row.get("code") or row.get("product") or row.get("state") or ""
    title = row.get("description") or f"jurisdiction {row['jurisdiction']}, {row['contractor']}"
    return Reference(
        table, str(key), str(title), row["start_date"], row["end_date"], row.get("source")
    )


# ---- authorizations -------------------------------------------------------------------------


def authorizations_by_member(context: Context) -> dict[str, list[Row]]:
    """The authorizations of the drug, by member, the earliest first."""
    rows = context.authorizations.sort("effective_date", "authorization_number")
    return _by(rows, "member_id")


def authorizations_of(
    line: Row, rows: list[Row], covering: set[str], drawn: Mapping[str, Decimal]
) -> tuple[Authorization, ...]:
    """The member's authorizations as the line found them; `covering` are the approved that cover it."""
    return tuple(
        Authorization(
            authorization_number=row["authorization_number"],
            status=row["status"],
            effective_date=row["effective_date"],
            expiration_date=row["expiration_date"],
            approved_units=row["approved_units"],
            drawn_before=drawn.get(row["authorization_number"], Decimal(0)),
            covers=row["authorization_number"] in covering
            or in_force_on(
                line["claim_line_start_date"], row["effective_date"], row["expiration_date"]
            ),
            matched=row["authorization_number"] == line["matched_authorization_number"],
            servicing_npi=row["servicing_npi"],
            request_type=row["request_type"],
        )
        for row in rows
        if row["hcpcs_code"] == line["drug_hcpcs_code"]
    )


# ---- criteria -------------------------------------------------------------------------------


def criteria_by_authorization(
    lines: pl.DataFrame, context: Context
) -> dict[tuple[str, str], Criterion]:
    """By policy version and authorization number, the criteria as the facts meet them."""
    asked = (
        lines.filter(pl.col("facts_given").fill_null(False))
        .select(
            "policy_version",
            "criteria_request_type",
            authorization_number="matched_authorization_number",
        )
        .unique()
    )
    found: dict[tuple[str, str], Criterion] = {}
    for (version, request), tree in context.criteria.items():
        wanted = asked.filter(
            pl.col("policy_version") == version, pl.col("criteria_request_type") == request
        )
        facts = context.clinical_facts.join(wanted, on="authorization_number", how="semi")
        terms = context.criteria_terms
        verdicts = facts.select(
            met(node, terms).alias(path) for path, node in _walked(tree, terms, "0")
        )
        for row, verdict in zip(
            facts.iter_rows(named=True), verdicts.iter_rows(named=True), strict=True
        ):
            found[version, row["authorization_number"]] = _criterion(tree, terms, "0", row, verdict)
    return found


def _walked(node: Node, terms: Terms, path: str) -> Iterator[tuple[str, Node]]:
    """A row and all under it, the rows of its term too, each by a path of its own."""
    yield path, node
    for i, child in enumerate(_below(node, terms)):
        yield from _walked(child, terms, f"{path}.{i}")


def _below(node: Node, terms: Terms) -> tuple[Node, ...]:
    """The rows under a row; under a term, the tests that it is established by."""
    return node.children or tuple(terms[name] for name in tests_of(node))


def _criterion(node: Node, terms: Terms, path: str, facts: Row, verdict: Row) -> Criterion:
    read = facts_read(node, terms) if node.rule in ("fact", "term") else []
    return Criterion(
        title=node.title,
        rule=node.rule,
        met=verdict[path],
        facts=tuple((in_words(name), _written(facts[name])) for name in read),
        sentence=node.sentence,
        children=tuple(
            _criterion(child, terms, f"{path}.{i}", facts, verdict)
            for i, child in enumerate(_below(node, terms))
        ),
    )


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
