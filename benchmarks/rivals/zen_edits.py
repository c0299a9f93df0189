"""The line edits as a decision table of GoRules' zen-engine, asked line by line.

What a rules engine does not find out on one line is handed to it: the line's groups, its authorization,
what its diagnoses are, whether it is a duplicate. DuckDB prepares these facts, and neither that nor
making the contexts is counted. Prints, as JSON, the seconds that the engine took for all lines: one by
one with `evaluate`, and all at once with `evaluate_batch`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import zen

from benchmarks.rivals.command import AS_OF, Inputs, parsed
from benchmarks.rivals.duckdb_edits import edited

if TYPE_CHECKING:
    from zen import EvaluateBatchRequest

EPOCH = "DATE '1970-01-01'"
# Days are numbers; age is in completed years.
CONTEXTS = f"""
SELECT a.claim_id, a.claim_line_number, a.asked_as, a.original_known,
       a.day - {EPOCH} AS day, a.last_day - {EPOCH} AS last_day, a.received_date - {EPOCH} AS received,
       DATE '{AS_OF}' - {EPOCH} AS as_of, a.units::DOUBLE AS units, a.unclear, a.gender,
       date_sub('year', a.birth_date, a.day) AS age,
       a.ndc_text, a.ndc_11, a.product, a.authorization_number, a.rendering_npi, a.billing_npi,
       f.diagnosed, f.pointer_invalid, f.row_covered, f.covered, f.unlisted, f.invalid,
       f.covered_disease, f.active, f.female, f.male, f.other_unit, f.no_quantity, f.differs,
       f.some_wasted, f.all_wasted, f.none_wasted, f.whole_vials, f.standing, f.unreadable, f.effective,
       f.matched.number AS matched, f.matched.servicing_npi AS servicing_npi,
       f.matched.last_day - {EPOCH} AS authorized_until,
       (f.matched.first_day + INTERVAL 6 MONTH)::DATE - {EPOCH} AS latest_end,
       d.line IS NOT NULL AS duplicate
FROM asked a
LEFT JOIN facts f USING (line)
LEFT JOIN duplicates d USING (line)
"""

DRUG = "asked_as == 'drug' and "
# The edits in their order, each with what fails it and what makes it unknown.
RULES: tuple[tuple[str, str, str], ...] = (
    ("medicare-not-governed", "asked_as == 'medicare'", ""),
    ("no-policy-in-force", "asked_as == 'no policy'", ""),
    (
        "original-claim-unknown",
        "asked_as in ['void', 'other code', 'drug'] and not original_known",
        "",
    ),
    ("ndc-billed-under-other-code", "asked_as == 'other code'", ""),
    ("procedure-not-effective", DRUG + "not effective", ""),
    (
        "service-date-future",
        DRUG + "((received != null and day > received) or day > as_of)",
        "",
    ),
    ("service-date-span", DRUG + "last_day > day", ""),
    ("service-date-unclear", DRUG + "unclear", ""),
    ("units-not-whole", DRUG + "units % 1 != 0", ""),
    ("duplicate-line", DRUG + "duplicate", ""),
    ("member-under-age", DRUG + "age != null and age < 18", DRUG + "age == null"),
    ("diagnosis-missing", DRUG + "not diagnosed", ""),
    ("diagnosis-pointer-invalid", DRUG + "pointer_invalid", ""),
    ("diagnosis-not-pointed", DRUG + "not covered and row_covered", ""),
    ("diagnosis-unlisted", DRUG + "not row_covered and unlisted", ""),
    ("diagnosis-invalid", DRUG + "not row_covered and not unlisted and invalid", ""),
    (
        "diagnosis-not-covered",
        DRUG + "diagnosed and not row_covered and not unlisted and not invalid",
        "",
    ),
    ("diagnosis-history-only", DRUG + "covered and not covered_disease and not active", ""),
    (
        "diagnosis-sex-conflict",
        DRUG + "((gender == 'male' and female) or (gender == 'female' and male))",
        "",
    ),
    ("ndc-missing", DRUG + "ndc_text == null", ""),
    ("ndc-invalid", DRUG + "ndc_text != null and ndc_11 == null", ""),
    ("ndc-mismatch", DRUG + "ndc_11 != null and product == null", ""),
    (
        "ndc-units-conflict",
        DRUG + "product != null and (other_unit or (not no_quantity and differs))",
        DRUG + "product != null and not other_unit and no_quantity",
    ),
    (
        "wastage-contradiction",
        DRUG + "((some_wasted and none_wasted) or (none_wasted and not whole_vials) or all_wasted)",
        "",
    ),
    *(
        (
            f"authorization-{standing.replace(' ', '-')}",
            DRUG + f"standing == '{standing}' and not unreadable",
            DRUG + f"standing == '{standing}' and unreadable",
        )
        if standing not in ("pending", "denied")
        else (f"authorization-{standing}", DRUG + f"standing == '{standing}'", "")
        for standing in ("absent", "pending", "denied", "expired", "not started")
    ),
    (
        "authorization-number-mismatch",
        DRUG
        + "matched != null and authorization_number != null and authorization_number != matched",
        "",
    ),
    (
        "authorization-provider-mismatch",
        DRUG + "servicing_npi != null and (rendering_npi != null or billing_npi != null) "
        "and rendering_npi != servicing_npi and billing_npi != servicing_npi",
        "",
    ),
    (
        "authorization-span-exceeds-policy",
        DRUG + "matched != null and (authorized_until == null or authorized_until > latest_end)",
        "",
    ),
)


def _rules() -> Iterator[dict[str, str]]:
    for edit, fails, unknown in RULES:
        for verdict, condition in (("fail", fails), ("unknown", unknown)):
            if condition:
                yield {
                    "_id": f"{edit}:{verdict}",
                    "asked": condition,
                    "edit": f"'{edit}'",
                    "verdict": f"'{verdict}'",
                }


def model() -> dict[str, Any]:
    """The decision graph: one table that collects every rule that applies."""
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "asked", "name": "asked"}],
        "outputs": [{"id": name, "field": name, "name": name} for name in ("edit", "verdict")],
        "rules": list(_rules()),
    }
    nodes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("line", "inputNode", {}),
        ("edits", "decisionTableNode", table),
        ("findings", "outputNode", {}),
    )
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {
                "id": name,
                "name": name,
                "type": kind,
                "position": {"x": 0, "y": 0},
                "content": content,
            }
            for name, kind, content in nodes
        ],
        "edges": [
            {"id": f"{a}-{b}", "sourceId": a, "targetId": b, "type": "edge"}
            for a, b in (("line", "edits"), ("edits", "findings"))
        ],
    }


def run(inputs: Inputs) -> dict[str, float]:
    """Ask every line both ways; write what was found."""
    with duckdb.connect() as connection:
        edited(connection, inputs)
        contexts = connection.sql(CONTEXTS).to_arrow_table().to_pylist()
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"edits": model()}}})
    decision = engine.get_decision("edits")
    begun = time.perf_counter()
    one_by_one = [decision.evaluate(context)["result"] for context in contexts]
    alone = time.perf_counter() - begun
    requests: list[EvaluateBatchRequest] = [
        {"key": "edits", "context": context} for context in contexts
    ]
    begun = time.perf_counter()
    answers = engine.evaluate_batch(requests)
    together = time.perf_counter() - begun
    found: list[Any] = [answer["data"]["result"] for answer in answers]
    if found != one_by_one:
        raise SystemExit("zen-engine: evaluate and evaluate_batch do not agree")
    _write(inputs, contexts, found)
    return {"lines": len(contexts), "evaluate": alone, "evaluate_batch": together}


def _write(inputs: Inputs, contexts: list[dict[str, Any]], found: list[Any]) -> None:
    def listed(verdict: str) -> list[list[str]]:
        return [[f["edit"] for f in findings if f["verdict"] == verdict] for findings in found]

    of_text = pa.list_(pa.string())
    table = pa.table(
        {
            "claim_id": [context["claim_id"] for context in contexts],
            "claim_line_number": [context["claim_line_number"] for context in contexts],
            "edit_ids": pa.array(listed("fail"), of_text),
            "unknown_edit_ids": pa.array(listed("unknown"), of_text),
        }
    )
    pq.write_table(table, inputs.out, compression="zstd")


if __name__ == "__main__":
    print(json.dumps(run(parsed("zen_edits"))))
