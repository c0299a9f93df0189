"""The lines of the drug as a pandas user reads them: whole columns, each distinct text looked at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.rivals.command import REFERENCE

DIAGNOSES = [f"diagnosis_code_{i}" for i in range(1, 26)]
POINTERS = [f"diagnosis_pointer_{i}" for i in range(1, 5)]
MODIFIERS = [f"hcpcs_modifier_{i}" for i in range(1, 5)]
UNUSED = {"member_state", "place_of_service_code", "charge_amount"}
FAR = np.iinfo(np.int32).max  # a day that never comes
_HYPHENATED = {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)}


@dataclass(frozen=True)
class Reference:
    """The reference data, each table with its dates as days."""

    products: pd.DataFrame
    procedures: pd.DataFrame
    valid: pd.DataFrame
    covered: pd.DataFrame


def read_reference() -> Reference:
    """Read the shipped tables."""

    def table(path: str, key: str) -> pd.DataFrame:
        rows = pd.read_csv(REFERENCE / path, dtype=str)
        rows[key] = rows[key].str.replace(r"[.-]", "", regex=True)
        for column, missing in (("start_date", -FAR), ("end_date", FAR)):
            days = pd.to_datetime(rows[column]).to_numpy().astype("datetime64[D]").astype("int64")
            rows[column] = np.where(rows[column].isna(), missing, days)
        if rows[key].duplicated().any():
            raise SystemExit(f"{path}: this rival reads one row a code")
        return rows.set_index(key)

    return Reference(
        table("codes/ndc_products.csv", "product"),
        table("codes/hcpcs.csv", "code"),
        table("codes/icd10cm.csv", "code"),
        table("policies/prime-ic-0072/covered_diagnoses.csv", "code"),
    )


def looked_at_once(texts: pd.Series, function: Callable[[str], Any]) -> NDArray[Any]:
    """What `function` makes of each text; None of none."""
    codes, distinct = pd.factorize(texts)
    values = np.empty(len(distinct) + 1, dtype=object)
    values[:-1] = [function(text) for text in distinct]
    values[-1] = None
    looked_at: NDArray[Any] = values[codes]
    return looked_at


def code(text: str) -> str | None:
    """Trimmed and upper-cased; None where nothing is left."""
    return text.strip().upper() or None


def icd10(text: str) -> str | None:
    return text.strip().upper().replace(".", "") or None


def ndc_11(text: str, products: set[str]) -> str | None:
    """The eleven digits of an NDC in any notation."""
    bare = text.removeprefix("N4")
    parts = bare.split("-")
    if len(parts) == 3 and tuple(map(len, parts)) in _HYPHENATED and "".join(parts).isdigit():
        return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    if re.fullmatch("[0-9]{11}", bare):
        return bare
    if re.fullmatch("[0-9]{10}", bare):
        ways = ("0" + bare, bare[:5] + "0" + bare[5:], bare[:9] + "0" + bare[9:])
        known = [way for way in ways if way[:9] in products]
        return known[0] if len(known) == 1 else None
    return None


def numbers(column: pd.Series, missing: int, times: int = 1) -> NDArray[np.int64]:
    """Days of dates, whole numbers, or decimals times so many."""
    array = pa.array(column)
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    values = array.cast(pa.float64()).fill_null(missing / times).to_numpy(zero_copy_only=False)
    whole: NDArray[np.int64] = np.rint(values * times).astype(np.int64)
    return whole


def numbered(*columns: pd.Series) -> list[NDArray[np.int64]]:
    """The texts of several columns as numbers, the same for the same text; -1 for none."""
    together = pd.concat([c.str.strip() for c in columns], ignore_index=True)
    codes, _ = pd.factorize(together)
    return np.split(codes.astype(np.int64), np.cumsum([len(c) for c in columns])[:-1])


def read_claims(path: Path) -> pd.DataFrame:
    """All columns that the edits need, backed by arrow."""
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    return frame.drop(columns=[c for c in frame.columns if c in UNUSED])


def lines_of(raw: pd.DataFrame, reference: Reference) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The lines of the drug, normalised, and the same rows raw."""
    products = set(reference.products.index)
    ndc_text = looked_at_once(raw["ndc_code"], code)
    ndc = looked_at_once(pd.Series(ndc_text), lambda t: ndc_11(t, products))
    hcpcs = looked_at_once(raw["hcpcs_code"], code)
    of_drug = looked_at_once(pd.Series(ndc), lambda t: t[:9] in products)
    in_scope = (hcpcs == "J9207") | (of_drug == True)  # noqa: E712
    own = raw["claim_line_start_date"].notna().to_numpy(dtype=bool)
    header = [numbers(raw[c], FAR) for c in ("claim_start_date", "claim_end_date")]
    start, end = (
        np.where(own, numbers(raw[c], FAR), of_claim)
        for c, of_claim in zip(
            ("claim_line_start_date", "claim_line_end_date"), header, strict=True
        )
    )
    frame = pd.DataFrame(
        {
            "claim_id": raw["claim_id"],
            "claim_line_number": numbers(raw["claim_line_number"], 0),
            "day": start,
            "last_day": np.where(end == FAR, start, end),
            "unclear": ~own & (header[1] > header[0]),
            "received": numbers(raw["received_date"], FAR),
            "birth": numbers(raw["birth_date"], FAR),
            "professional": looked_at_once(raw["claim_type"], str.lower) != "institutional",
            "gender": looked_at_once(raw["gender"], str.lower),
            "medicare": looked_at_once(raw["line_of_business"], str.lower) == "medicare",
            "frequency": _frequency(raw),
            "drug_code": hcpcs == "J9207",
            "units": numbers(raw["service_unit_quantity"], 0, 1000),
            "ndc_text": ndc_text,
            "ndc": ndc,
            "packages": numbers(raw["ndc_quantity"], -1000, 1000),
            "ndc_unit": looked_at_once(raw["ndc_unit"], code),
            "modifiers": _modifiers(raw),
        }
    )
    raw = raw[in_scope].reset_index(drop=True)
    return frame[in_scope].reset_index(drop=True), raw


def _frequency(raw: pd.DataFrame) -> NDArray[Any]:
    billed = looked_at_once(raw["claim_frequency_code"], code)
    institutional = looked_at_once(raw["claim_type"], str.lower) == "institutional"
    by_type = looked_at_once(raw["bill_type_code"], lambda t: t.strip()[-1:])
    read = np.where(pd.isna(billed) & institutional, by_type, billed)
    return np.where((read == "7") | (read == "8"), read, "1")


def _modifiers(raw: pd.DataFrame) -> NDArray[Any]:
    """The modifiers of each line as a sorted tuple."""
    written = [looked_at_once(raw[c], code) for c in MODIFIERS if c in raw and raw[c].notna().any()]
    if not written:
        return np.full(len(raw), "", dtype=object)
    joined = pd.Series(written[0]).fillna("")
    for other in written[1:]:
        joined = joined + " " + pd.Series(other).fillna("")
    return looked_at_once(joined, lambda text: " ".join(sorted(set(text.split()))))
