"""What the edits ask of a line, family by family, in pandas and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.rivals.pandas_lines import (
    DIAGNOSES,
    FAR,
    POINTERS,
    Reference,
    icd10,
    looked_at_once,
    numbers,
)

Flags = NDArray[np.bool_]
VIAL = 15_000  # whole vials of 15 and 45 units are the multiples of the smaller one
MONTHS = 6
_OF_DIAGNOSES = (
    "any",
    "row_covered",
    "covered",
    "unlisted",
    "invalid",
    "disease",
    "active",
    "female",
    "male",
)


def fates(lines: pd.DataFrame) -> tuple[NDArray[Any], pd.MultiIndex]:
    """What became of each line's claim, and the claims that another names."""
    naming = lines[(lines["frequency"] != "1") & (lines["original"] >= 0)]
    links = naming[naming["original"] != naming["claim"]]
    links = links[["member", "claim", "original"]].drop_duplicates()
    parent = {(m, c): (m, o) for m, c, o in links.itertuples(index=False)}
    members_of: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for version in parent.keys() | set(parent.values()):
        root = version
        while root in parent:
            root = parent[root]
        members_of.setdefault(root, []).append(version)
    linked = pd.MultiIndex.from_tuples(
        [v for versions in members_of.values() for v in versions] or [(-2, -2)]
    )
    key = pd.MultiIndex.from_frame(lines[["member", "claim"]])
    touched = lines[key.isin(linked)].groupby(["member", "claim"])
    received = touched["received"].max().replace(FAR, -FAR).to_dict()
    frequency = touched["frequency"].max().to_dict()
    named = set(parent.values())
    texts = lines.drop_duplicates("claim").set_index("claim")["claim_id"]
    fate: dict[tuple[int, int], str] = {}
    for versions in members_of.values():
        present = [v for v in versions if v in received]
        free = [v for v in present if v not in named]
        last = max(free, key=lambda v: (received[v], texts[v[1]]))
        for version in present:
            if frequency[last] == "8":
                fate[version] = "void"
            elif version != last:
                fate[version] = "superseded"
    told = pd.Series(fate, dtype=object)
    out: NDArray[Any] = np.full(len(lines), None, dtype=object)
    if len(told):
        places = told.index.get_indexer(key)
        out[places >= 0] = told.to_numpy()[places[places >= 0]]
    return out, pd.MultiIndex.from_tuples(list(named) or [(-2, -2)])


def diagnoses(lines: pd.DataFrame, raw: pd.DataFrame, reference: Reference) -> dict[str, Flags]:
    """Whether any diagnosis of a line is of each kind."""
    day, rows = lines["day"].to_numpy(), len(lines)
    pointers = [numbers(raw[p], 0) for p in POINTERS]
    all_considered = ~lines["professional"].to_numpy(dtype=bool) | (sum(pointers) == 0)
    facts = {name: np.zeros(rows, dtype=bool) for name in _OF_DIAGNOSES}
    held = np.zeros((rows, len(DIAGNOSES) + 2), dtype=bool)  # also of places that there are not
    for place, column in enumerate(DIAGNOSES, 1):
        if raw[column].isna().all():
            continue
        codes, distinct = pd.factorize(looked_at_once(raw[column], icd10))
        is_there = codes >= 0
        held[:, place] = is_there
        pointed = np.logical_or.reduce([p == place for p in pointers])
        considered = is_there & (all_considered | pointed)
        texts = pd.Index(distinct)
        covered = is_there & _in_force(texts, codes, day, reference.covered)
        valid = is_there & _in_force(texts, codes, day, reference.valid)
        sexes = reference.valid["sex"].reindex(texts).to_numpy(dtype=object)
        family, disease, active, female, male = (
            np.append(np.array(flags, dtype=bool), False)[codes]
            for flags in (
                [t.startswith("C50") for t in texts],
                [t != "Z853" for t in texts],
                [t[:3] in ("C50", "C77", "C78", "C79") for t in texts],
                list(sexes == "female"),
                list(sexes == "male"),
            )
        )
        chosen = considered & covered
        facts["any"] |= is_there
        facts["row_covered"] |= covered
        facts["covered"] |= chosen
        facts["unlisted"] |= considered & family & valid
        facts["invalid"] |= considered & family & ~valid
        facts["disease"] |= chosen & disease
        facts["active"] |= is_there & active
        facts["female"] |= chosen & female & valid
        facts["male"] |= chosen & male & valid
    facts["points_to_nothing"] = lines["professional"].to_numpy(dtype=bool) & np.logical_or.reduce(
        [(p > 0) & ~held[np.arange(rows), np.minimum(p, len(DIAGNOSES) + 1)] for p in pointers]
    )
    return facts


def _in_force(
    texts: pd.Index, codes: NDArray[np.int64], day: NDArray[np.int64], table: pd.DataFrame
) -> Flags:
    """Whether the table has each code on its day."""
    dates = table[["start_date", "end_date"]].reindex(texts)
    first = np.append(dates["start_date"].fillna(FAR).to_numpy(), FAR)[codes]
    last = np.append(dates["end_date"].fillna(-FAR).to_numpy(), -FAR)[codes]
    in_force: Flags = (first <= day) & (day <= last)
    return in_force


def products(lines: pd.DataFrame, reference: Reference) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The product of the drug on the service date, and the units in a package."""
    texts = pd.Series(lines["ndc"].to_numpy()).str[:9]
    codes, distinct = pd.factorize(texts)
    ours = reference.products[reference.products["hcpcs_code"] == "J9207"]
    valid = (codes >= 0) & _in_force(pd.Index(distinct), codes, lines["day"].to_numpy(), ours)
    valid &= lines["drug_code"].to_numpy(dtype=bool)
    sizes = ours["units_per_package"].reindex(distinct).astype(float).fillna(0).to_numpy()
    units = np.append(sizes, 0)[codes]
    return np.where(valid, codes, -1), np.where(valid, units, 0).astype(np.int64)


def of_product(drug: pd.DataFrame) -> tuple[Flags, Flags, Flags]:
    """Over the lines of one claim, day and product: another unit, no quantity, sums that differ."""
    held = (drug["product"] >= 0).to_numpy()
    group = drug.groupby(["claim", "day", "product"], sort=False).ngroup().to_numpy()
    given, unit = drug["packages"].to_numpy(), drug["ndc_unit"].to_numpy()
    no_unit = pd.isna(unit)
    other = ~no_unit & (unit != "UN")
    missing = ~drug["jw"].to_numpy() & ((given < 0) | no_unit)
    packed = np.maximum(given, 0) * drug["package_units"].to_numpy() - drug["units"].to_numpy()
    sums = [np.bincount(group, weights=w)[group] for w in (other, missing, packed)]
    return held & (sums[0] > 0), held & (sums[1] > 0), held & (sums[2] != 0)


def wastage(drug: pd.DataFrame) -> Flags:
    """Whether the modifiers of one claim and day contradict each other or the units."""
    group = drug.groupby(["claim", "day"], sort=False).ngroup().to_numpy()
    jw, jz = drug["jw"].to_numpy(), drug["jz"].to_numpy()
    wasted, none, units = (
        np.bincount(group, weights=w)[group] for w in (jw, jz, drug["units"].to_numpy())
    )
    lines = np.bincount(group)[group]
    contradicts: Flags = (
        ((wasted > 0) & (none > 0)) | ((none > 0) & (units % VIAL != 0)) | (wasted == lines)
    )
    return contradicts


def matched(drug: pd.DataFrame, granted: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs of lines and approved authorizations that cover them, in matching order, and what other
    authorizations each line has."""
    useful = granted[granted["readable"] & (granted["status"] != "cancelled")]
    pairs = drug[["line", "member", "day", "billed"]].merge(useful, on="member")
    covers = (pairs["first_day"] <= pairs["day"]) & (pairs["day"] <= pairs["last_day"])
    approved = pairs["status"] == "approved"
    covering = pairs[approved & covers]
    covering = covering.assign(other=covering["billed"] != covering["number"]).sort_values(
        ["line", "other", "last_day", "number_text"]
    )
    flags = pd.DataFrame(
        {
            "line": pairs["line"],
            "pending": covers & (pairs["status"] == "pending"),
            "denied": covers & (pairs["status"] == "denied"),
            "expired": approved & (pairs["last_day"] < pairs["day"]),
            "not_started": approved & (pairs["first_day"] > pairs["day"]),
        }
    )
    return covering, flags.groupby("line").any()


def latest_end(first_day: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same day so many months later, or the last of that month."""
    codes, distinct = pd.factorize(first_day)
    starts = pd.to_datetime(distinct.astype("datetime64[D]"))
    ends = starts + pd.DateOffset(months=MONTHS)
    latest: NDArray[np.int64] = ends.to_numpy().astype("datetime64[D]").astype(np.int64)[codes]
    return latest


def under_age(lines: pd.DataFrame) -> tuple[Flags, Flags]:
    """Under 18 on the service date, and whether that cannot be told."""
    birth, day = lines["birth"].to_numpy(), lines["day"].to_numpy()
    unknown = birth == FAR
    born, served = (
        pd.DatetimeIndex(np.where(unknown, 0, d).astype("datetime64[D]")) for d in (birth, day)
    )
    come = (served.month > born.month) | ((served.month == born.month) & (served.day >= born.day))
    age = served.year - born.year - np.where(come, 0, 1)
    return ~unknown & (age < 18), unknown
