"""Why a claim, or a line of it, is not among the lines that a run edited."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from claims_edit.naming import Ids
from claims_edit.retelling import Retelling


def absent(retelling: Retelling, claim_id: str, line: int | None) -> list[str]:
    """What the run, and the runs it took as history, know of a claim or a line that it did not edit, in
    sentences; none where they know nothing of it."""
    return [
        *rejected_rows(retelling, claim_id, line),
        *_other_lines(retelling, claim_id, line),
        *_out_of_scope(retelling, claim_id),
        *_earlier(retelling, claim_id, line),
    ]


def ids_told(retelling: Retelling) -> Ids:
    """The ids that these sentences may name."""
    columns = ("claim_id", "original_claim_id", "member_id")
    names = ("lines", "other_versions", "rejected_lines")
    return Ids.of(*(retelling.scan(name).select(columns).unique().collect() for name in names))


def nothing_known(retelling: Retelling) -> str:
    """What is to be said of a claim of which nothing is known."""
    rows = retelling.manifest["rows"]
    code = retelling.policy.hcpcs_code
    return (
        f"no row of the claim was in scope. The run read {rows['read']:,} rows, of which "
        f"{rows['out_of_scope']:,} were neither under {code} nor with an NDC of its products; "
        "a run keeps nothing of those. So the claim is one of them, or it is not in the extract."
    )


def rejected_rows(retelling: Retelling, claim_id: str, line: int | None = None) -> list[str]:
    """Why rows of a claim were rejected: those of a line, or that may be of it; or all."""
    rows = retelling.rows("rejected_lines", pl.col("claim_id").str.strip_chars() == claim_id)
    told = []
    for raw, reasons in rows.select("claim_line_number", "reasons").iter_rows():
        number = (raw or "").strip()
        if line is None or number == str(line) or not number.isdecimal():
            which = (
                f"Line {number}" if number.isdecimal() else "A row without a readable line number"
            )
            told.append(f"{which} was rejected: {'; '.join(reasons.splitlines())}.")
    return told


def _other_lines(retelling: Retelling, claim_id: str, line: int | None) -> Iterator[str]:
    if line is None or rejected_rows(retelling, claim_id, line):
        return
    numbers = retelling.rows("lines", pl.col("claim_id") == claim_id)["claim_line_number"].sort()
    if numbers.is_empty() and (rejected := len(rejected_rows(retelling, claim_id))):
        rows = "1 row" if rejected == 1 else f"{rejected} rows"
        yield f"Of this claim the run rejected {rows}, and edited none."
    if len(numbers):
        listed = ", ".join(map(str, numbers))
        yield (
            f"Of this claim the run edited line {listed}. The line is not of the drug, or is not in the "
            "extract."
        )


def _out_of_scope(retelling: Retelling, claim_id: str) -> Iterator[str]:
    of_claim = pl.col("claim_id") == claim_id
    for frequency, original in (
        retelling.rows("other_versions", of_claim)
        .select("claim_frequency_code", "original_claim_id")
        .unique()
        .iter_rows()
    ):
        does = "voids" if frequency == "8" else "replaces"
        yield f"It is out of scope, since no row of it is of the drug; it {does} claim {original}."
    for code, day in (
        retelling.rows("partner_lines", of_claim)
        .select("hcpcs_code", "claim_line_start_date")
        .unique()
        .sort("claim_line_start_date", "hcpcs_code")
        .iter_rows()
    ):
        yield f"It is out of scope: it bills {code} on {day}, which is kept as a partner drug's."
    replacing = retelling.rows("lines", pl.col("original_claim_id") == claim_id)
    for claim in replacing["claim_id"].unique().sort():
        yield f"Claim {claim} of this run names it as its original."


def _earlier(retelling: Retelling, claim_id: str, line: int | None) -> Iterator[str]:
    for run in retelling.history:
        lines = retelling.scan("lines", run)
        wanted = pl.col("claim_id") == claim_id
        if line is not None:
            wanted = wanted & (pl.col("claim_line_number") == line)
        found = lines.filter(wanted).select("claim_line_number", "disposition").collect()
        for number, disposition in found.sort("claim_line_number").iter_rows():
            yield f"Run {run.run_id} edited line {number}: {disposition}. To see it, explain that run."
