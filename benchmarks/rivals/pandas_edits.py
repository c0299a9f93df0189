"""The line edits, duplicates and limits in pandas and numpy, into one table.

Written as a good pandas user does: whole columns, texts as numbers before they are joined or grouped by,
and the limits for the next line of every member at once.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.rivals import pandas_facts as facts
from benchmarks.rivals.command import AS_OF, Inputs, parsed
from benchmarks.rivals.edit_ids import DENIES, ORDER
from benchmarks.rivals.pandas_facts import Flags
from benchmarks.rivals.pandas_limits import Limited, limited
from benchmarks.rivals.pandas_lines import (
    FAR,
    MODIFIERS,
    code,
    lines_of,
    looked_at_once,
    ndc_11,
    numbered,
    numbers,
    read_claims,
    read_reference,
)

EPOCH = date(1970, 1, 1)
FIRST_DAY = (date(2025, 9, 4) - EPOCH).days
SERVICE = ["member", "day", "modifiers", "compared", "units", "rendering"]


def read_granted(inputs: Inputs) -> pd.DataFrame:
    """The authorizations, typed."""
    raw = pd.read_parquet(inputs.authorizations, dtype_backend="pyarrow")
    frame = pd.DataFrame(
        {
            "number_text": looked_at_once(raw["authorization_number"], code),
            "status": looked_at_once(raw["status"], str.lower),
            "first_day": numbers(raw["effective_date"], FAR),
            "last_day": numbers(raw["expiration_date"], FAR),
            "approved_units": numbers(raw["approved_units"], -1000, 1000),
        }
    )
    frame["readable"] = (frame["first_day"] != FAR) & (frame["last_day"] >= frame["first_day"])
    of_drug = looked_at_once(raw["hcpcs_code"], code) == "J9207"
    frame["member_id"], frame["servicing_npi"] = raw["member_id"], raw["servicing_npi"]
    return frame[of_drug].reset_index(drop=True)


def read_past(inputs: Inputs, products: set[str]) -> pd.DataFrame:
    """The lines that were allowed elsewhere."""
    raw = pd.read_parquet(inputs.history, dtype_backend="pyarrow")
    written = [pd.Series(looked_at_once(raw[c], code)).fillna("") for c in MODIFIERS]
    joined = written[0] + " " + written[1] + " " + written[2] + " " + written[3]
    text = pd.Series(looked_at_once(raw["ndc_code"], code))
    ndc = pd.Series(looked_at_once(text, lambda t: ndc_11(t, products)))
    return pd.DataFrame(
        {
            "claim_id": raw["claim_id"],
            "member_id": raw["member_id"],
            "day": numbers(raw["claim_line_start_date"], FAR),
            "modifiers": looked_at_once(joined, lambda t: " ".join(sorted(set(t.split())))),
            "compared": ndc.fillna(text),
            "units": numbers(raw["billed_units"], 0, 1000),
            "allowed": numbers(raw["allowed_units"], 0, 1000),
            "rendering_npi": raw["rendering_npi"],
        }
    )


def run(inputs: Inputs) -> None:
    """Edit, limit, and write the one table."""
    reference = read_reference()
    products = set(reference.products.index)
    lines, raw = lines_of(read_claims(inputs.claims), reference)
    granted, past = read_granted(inputs), read_past(inputs, products)
    _number(lines, raw, granted, past)
    lines["line"] = np.arange(len(lines))
    fate, named = facts.fates(lines)
    asked, known = _asked(lines, past, fate)

    drug = lines[asked == "drug"].copy()
    drug["jw"], drug["jz"] = (
        drug["modifiers"].isin({m for m in drug["modifiers"].unique() if code in m.split()})
        for code in ("JW", "JZ")
    )
    drug["product"], drug["package_units"] = facts.products(drug, reference)
    covering, others = facts.matched(drug, granted)
    match = covering.drop_duplicates("line").set_index("line").reindex(drug["line"])
    fails, unknown = _line_edits(drug, raw.iloc[drug["line"]], reference)
    told = _authorization_edits(drug, match, others.reindex(drug["line"]), granted)
    fails |= {"original-claim-unknown": ~known[drug["line"]]} | told[0]
    unknown |= told[1]
    denied = np.logical_or.reduce([fails[edit] for edit in DENIES])
    fails["duplicate-line"] = duplicates(drug, denied, past, named)
    denied |= fails["duplicate-line"]
    taking_part = drug[~denied & ~drug["unclear"].to_numpy(dtype=bool)]
    limits = limited(taking_part, covering, past[~_keys(past).isin(named)])
    for edit, lines_over in limits.exceeded.items():
        fails[edit] = np.isin(drug["line"].to_numpy(), lines_over)
    _write(inputs, lines, asked, fate, known, _Told(drug, fails, unknown, match, limits))


def _keys(rows: pd.DataFrame, claim: str = "claim") -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([rows["member"], rows[claim]])


def _number(
    lines: pd.DataFrame, raw: pd.DataFrame, granted: pd.DataFrame, past: pd.DataFrame
) -> None:
    """Texts that are joined by as numbers."""
    lines["member"], granted["member"], past["member"] = numbered(
        raw["member_id"], granted["member_id"], past["member_id"]
    )
    lines["claim"], lines["original"], past["claim"] = numbered(
        lines["claim_id"], raw["original_claim_id"], past["claim_id"]
    )
    lines["billed"], granted["number"] = numbered(
        pd.Series(looked_at_once(raw["authorization_number"], code), dtype="string[pyarrow]"),
        pd.Series(granted["number_text"], dtype="string[pyarrow]"),
    )
    lines["rendering"], lines["billing"], granted["servicing"], past["rendering"] = numbered(
        raw["rendering_npi"], raw["billing_npi"], granted["servicing_npi"], past["rendering_npi"]
    )
    compared = pd.Series(lines["ndc"]).fillna(lines["ndc_text"])
    lines["compared"], past["compared"] = numbered(
        compared.astype("string[pyarrow]"), past["compared"].astype("string[pyarrow]")
    )


def _asked(
    lines: pd.DataFrame, past: pd.DataFrame, fate: NDArray[Any]
) -> tuple[NDArray[Any], Flags]:
    """What each line is asked as, and whether the claim that it names is known."""
    voids = (lines["frequency"] == "8").to_numpy(dtype=bool)
    early = (lines["day"] < FIRST_DAY).to_numpy()
    asked = np.select(
        [voids, fate != None, lines["medicare"], early, ~lines["drug_code"]],  # noqa: E711
        ["void", "taken out", "medicare", "no policy", "other code"],
        "drug",
    )
    naming = lines[lines["frequency"] != "1"]
    known = np.ones(len(lines), dtype=bool)
    wanted = _keys(naming, "original")
    other = (naming["original"] != naming["claim"]).to_numpy()
    known[naming.index] = wanted.isin(_keys(past)) | (other & wanted.isin(_keys(lines)))
    return asked, known


def _line_edits(
    drug: pd.DataFrame, raw: pd.DataFrame, reference: Any
) -> tuple[dict[str, Flags], dict[str, Flags]]:
    """The edits on the claim, the member, the diagnoses and the product: fails, and unknowns."""
    day = drug["day"].to_numpy()
    found = facts.diagnoses(drug, raw, reference)
    row, covered = found["row_covered"], found["covered"]
    young, no_birth = facts.under_age(drug)
    in_force = reference.procedures.loc["J9207"]
    other_unit, no_quantity, differs = facts.of_product(drug)
    has_ndc, is_ndc = drug["ndc_text"].notna().to_numpy(), drug["ndc"].notna().to_numpy()
    gender = drug["gender"].to_numpy()
    as_of = (date.fromisoformat(AS_OF) - EPOCH).days
    family = ~row & found["unlisted"]
    fails = {
        "procedure-not-effective": (day < in_force["start_date"]) | (day > in_force["end_date"]),
        "service-date-future": (day > drug["received"].to_numpy()) | (day > as_of),
        "service-date-span": (drug["last_day"] > drug["day"]).to_numpy(),
        "service-date-unclear": drug["unclear"].to_numpy(dtype=bool),
        "units-not-whole": (drug["units"] % 1000 != 0).to_numpy(),
        "member-under-age": young,
        "diagnosis-missing": ~found["any"],
        "diagnosis-pointer-invalid": found["points_to_nothing"],
        "diagnosis-not-pointed": ~covered & row,
        "diagnosis-unlisted": family,
        "diagnosis-invalid": ~row & ~found["unlisted"] & found["invalid"],
        "diagnosis-not-covered": found["any"] & ~row & ~found["unlisted"] & ~found["invalid"],
        "diagnosis-history-only": covered & ~found["disease"] & ~found["active"],
        "diagnosis-sex-conflict": ((gender == "male") & found["female"])
        | ((gender == "female") & found["male"]),
        "ndc-missing": ~has_ndc,
        "ndc-invalid": has_ndc & ~is_ndc,
        "ndc-mismatch": is_ndc & (drug["product"] < 0).to_numpy(),
        "ndc-units-conflict": other_unit | (~no_quantity & differs),
        "wastage-contradiction": facts.wastage(drug),
    }
    return fails, {
        "member-under-age": no_birth,
        "ndc-units-conflict": ~other_unit & no_quantity,
    }


def _authorization_edits(
    drug: pd.DataFrame, match: pd.DataFrame, others: pd.DataFrame, granted: pd.DataFrame
) -> tuple[dict[str, Flags], dict[str, Flags]]:
    """The edits on the authorization: fails, and unknowns."""
    none = match["number"].isna().to_numpy()
    pending, denied, expired, not_started = (
        others[c].fillna(False).to_numpy(dtype=bool)
        for c in ("pending", "denied", "expired", "not_started")
    )
    undecided = none & ~pending & ~denied
    dates = {
        "authorization-expired": undecided & expired,
        "authorization-not-started": undecided & ~expired & not_started,
        "authorization-absent": undecided & ~expired & ~not_started,
    }
    unreadable = drug["member"].isin(granted.loc[~granted["readable"], "member"]).to_numpy()
    billed, number = drug["billed"].to_numpy(), match["number"].to_numpy()
    npi = match["servicing"].to_numpy()
    rendering, billing = drug["rendering"].to_numpy(), drug["billing"].to_numpy()
    first = match["first_day"].fillna(0).to_numpy().astype(np.int64)
    last = match["last_day"].fillna(0).to_numpy()
    fails = {
        "authorization-pending": none & pending,
        "authorization-denied": none & ~pending & denied,
        "authorization-number-mismatch": ~none & (billed >= 0) & (billed != number),
        "authorization-provider-mismatch": ~none
        & (npi >= 0)
        & ((rendering >= 0) | (billing >= 0))
        & (rendering != npi)
        & (billing != npi),
        "authorization-span-exceeds-policy": ~none & (last > facts.latest_end(first)),
    } | {edit: flags & ~unreadable for edit, flags in dates.items()}
    return fails, {edit: flags & unreadable for edit, flags in dates.items()}


def duplicates(
    drug: pd.DataFrame, denied: Flags, past: pd.DataFrame, named: pd.MultiIndex
) -> Flags:
    """Lines that repeat an earlier one of another claim."""
    rows = drug[["line", "claim", "claim_id", "claim_line_number", "received", *SERVICE]]
    rows = rows.assign(denied=denied)[~drug["unclear"].to_numpy(dtype=bool)]
    claims = rows.groupby(SERVICE, sort=False)["claim"]
    alike = rows[claims.transform("min") != claims.transform("max")]
    alike = alike.sort_values(["received", "claim_id", "claim_line_number"])
    repeated: list[int] = []
    for _, group in alike.groupby(SERVICE, sort=False):
        sound: set[int] = set()
        for line, claim, is_denied in group[["line", "claim", "denied"]].itertuples(index=False):
            if sound - {claim}:
                repeated.append(line)
            if not is_denied:
                sound.add(claim)
    standing = past[(past["allowed"] > 0) & ~_keys(past).isin(named)]
    again = rows.merge(standing[SERVICE].drop_duplicates(), on=SERVICE)["line"]
    flags: Flags = np.isin(drug["line"].to_numpy(), [*repeated, *again])
    return flags


class _Told:
    """What was found of the drug's lines, as the lists of each line."""

    def __init__(
        self,
        drug: pd.DataFrame,
        fails: dict[str, Flags],
        unknown: dict[str, Flags],
        match: pd.DataFrame,
        limits: Limited,
    ) -> None:
        self.drug, self.limits = drug, limits
        self.number = match["number_text"].to_numpy()
        self.fails, self.unknown = fails, unknown


def _write(
    inputs: Inputs,
    lines: pd.DataFrame,
    asked: NDArray[Any],
    fate: NDArray[Any],
    known: Flags,
    told: _Told,
) -> None:
    order = list(ORDER)
    fails = np.zeros((len(lines), len(order)), dtype=bool)
    unknown = np.zeros((len(lines), len(order)), dtype=bool)
    for place, edit in enumerate(order):
        if edit in told.fails:
            fails[told.drug["line"], place] = told.fails[edit]
        if edit in told.unknown:
            unknown[told.drug["line"], place] = told.unknown[edit]
    voids, other = asked == "void", asked == "other code"
    fails[:, order.index("medicare-not-governed")] = asked == "medicare"
    fails[:, order.index("no-policy-in-force")] = asked == "no policy"
    fails[:, order.index("ndc-billed-under-other-code")] = other
    fails[(voids | other) & ~known, order.index("original-claim-unknown")] = True
    number = np.full(len(lines), None, dtype=object)
    number[told.drug["line"]] = np.where(pd.isna(told.number), None, told.number)
    denies = np.logical_or.reduce(fails[:, np.isin(order, [*DENIES, "duplicate-line"])], axis=1)
    allowed = np.where(voids | (asked == "taken out") | denies, 0, lines["units"])
    allowed[told.limits.lines] = told.limits.allowed
    table = pa.table(
        {
            "claim_id": pa.array(lines["claim_id"]),
            "claim_line_number": lines["claim_line_number"].to_numpy(),
            "disposition": pa.array(
                _dispositions(lines, fate, asked, denies, allowed, fails | unknown)
            ),
            "allowed_units": allowed / 1000,
            "edit_ids": _lists(fails, order),
            "unknown_edit_ids": _lists(unknown, order),
            "matched_authorization_number": pa.array(number, pa.string()),
        }
    )
    pq.write_table(table, inputs.out, compression="zstd")


def _dispositions(
    lines: pd.DataFrame,
    fate: NDArray[Any],
    asked: NDArray[Any],
    denies: Flags,
    allowed: NDArray[np.int64],
    found: Flags,
) -> NDArray[Any]:
    any_found, units = np.logical_or.reduce(found, axis=1), lines["units"].to_numpy()
    return np.select(
        [
            (asked == "void") & ~any_found,
            asked == "taken out",
            denies | ((asked == "drug") & (allowed == 0)),
            (asked == "drug") & (allowed < units),
            any_found,
        ],
        ["void", fate, "deny", "partial", "flag"],
        "pay",
    )


def _lists(flags: Flags, order: list[str]) -> pa.Array:
    """The edits of each line as a list, in order."""
    offsets = np.concatenate([[0], np.cumsum(flags.sum(axis=1))]).astype(np.int32)
    edits = pa.DictionaryArray.from_arrays(np.nonzero(flags)[1].astype(np.int32), order)
    return pa.ListArray.from_arrays(offsets, edits.dictionary_decode())


if __name__ == "__main__":
    run(parsed("pandas_edits"))
