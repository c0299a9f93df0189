"""The public extract as it is, and with lines of it turned into lines of the drug.

The overlay keeps the extract's own traps: facility lines without dates of their own, headers of
several days, gaps between the diagnoses, blank and zero units, replacements by bill type that name
no original, the same service on several claims. All that is chosen is chosen by a seed and by the
row itself, so that the order of the rows does not matter.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TypeVar

from tests.support import Row

DATA = Path(__file__).parent.parent / "data" / "tuva"
ROWS = 6075
SEED = 20250904

SHIFT = timedelta(weeks=392)  # 2018-03-01 becomes 2025-09-04, the policy's first day
AS_OF = date(2026, 6, 20)  # the last lines are a few days later
BREAST_CANCER = ("10408", "11305")
TURNING = "10408"  # the patient whose last enrollment stays Medicare's

HCPCS = "J9207"
VIALS = {"70020191101": 45, "70020191001": 15}
NOTATIONS = ("{}", "N4{}", "70020-{}-01", " n470020-{}-01 ")
UNITS = ("90", "90", "90", "45", "45", "60", "60.0", "30", "15", "120", "52.5")
STATUSES = ("approved", "pending", "denied", "cancelled", "appr.")
_DIAGNOSES = [f"diagnosis_code_{i}" for i in range(1, 26)]
_CLAIM_DATES = (
    "claim_start_date",
    "claim_end_date",
    "claim_line_start_date",
    "claim_line_end_date",
    "admission_date",
    "discharge_date",
)
_ENROLLMENT_DATES = ("enrollment_start_date", "enrollment_end_date")

Key = tuple[str, str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Extract:
    """Raw rows of the four inputs; `turned` are the keys of the lines made to be the drug's, and
    `partners` those of lines made to be trastuzumab's."""

    claims: list[Row]
    members: list[Row]
    authorizations: list[Row]
    clinical: list[Row]
    turned: frozenset[Key]
    partners: frozenset[Key]


def as_it_is() -> Extract:
    with gzip.open(
        DATA / "medical_claim_sample.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        claims = [_nulled(row) for row in csv.DictReader(file)]
    with (DATA / "eligibility_sample.csv").open(encoding="utf-8", newline="") as plain:
        members = [_nulled(row) for row in csv.DictReader(plain)]
    return Extract(claims, members, [], [], frozenset(), frozenset())


def overlaid(seed: int = SEED) -> Extract:
    """The extract moved into the policy's time, with lines of the drug, members and authorizations."""
    plain = as_it_is()
    claims = [_moved(row, _CLAIM_DATES) for row in plain.claims]
    members = [_enrolled(_moved(row, _ENROLLMENT_DATES), seed) for row in plain.members]
    of_claim: dict[str, list[Row]] = {}
    for row in claims:
        of_claim.setdefault(_text(row, "claim_id"), []).append(row)
    claims_of: dict[str, list[str]] = {}
    for claim_id, rows in of_claim.items():
        claims_of.setdefault(_text(rows[0], "patient_id"), []).append(claim_id)
    genders = {_text(row, "patient_id"): _text(row, "gender") for row in members}

    turned: set[Key] = set()
    for rows in of_claim.values():
        patient = _text(rows[0], "patient_id")
        turned |= _turn_claim(rows, genders[patient], claims_of[patient], seed)
    patients = sorted({_text(r, "patient_id") for r in claims if key_of(r) in turned})
    providers = {_text(r, "patient_id"): r["rendering_npi"] for r in sorted(claims, key=key_of)}
    authorizations = [a for p in patients for a in _authorizations(p, providers[p], seed)]
    numbers = [_text(row, "authorization_number") for row in authorizations]
    facts = [row for number in numbers for row in _facts(number, seed)]
    others = [r for r in claims if key_of(r) not in turned and _text(r, "patient_id") in patients]
    partners = {key_of(row) for row in others if _turn_to_partner(row, seed)}
    return Extract(claims, members, authorizations, facts, frozenset(turned), frozenset(partners))


def key_of(row: Row) -> Key:
    return _text(row, "claim_id"), _text(row, "claim_line_number")


def csv_text(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Rows as CSV, in the given order of columns."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def columns_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _nulled(row: dict[str, str]) -> Row:
    return {column: value or None for column, value in row.items()}


def _text(row: Row, column: str) -> str:
    return row[column] or ""


def _random(seed: int, *of: str) -> Random:
    return Random(":".join((str(seed), *of)))


def _one(random: Random, choices: Sequence[_T], weights: Sequence[int] | None = None) -> _T:
    return random.choices(choices, weights)[0]


def _moved(row: Row, columns: Sequence[str]) -> Row:
    moved = {c: row[c] and (date.fromisoformat(row[c] or "") + SHIFT).isoformat() for c in columns}
    return row | moved


# ---- members and their authorizations -------------------------------------------------------


def _enrolled(row: Row, seed: int) -> Row:
    patient = _text(row, "patient_id")
    payers = ("commercial", "medicare", "medicaid", "Marketplace ")
    payer = _one(_random(seed, "payer", patient), payers, (60, 25, 10, 5))
    if patient in BREAST_CANCER:
        last = patient == TURNING and _text(row, "enrollment_start_date") > "2026-01-01"
        payer = "medicare" if last else "commercial"
    return row | {"payer_type": payer}


def _authorizations(patient: str, provider: str | None, seed: int) -> list[Row]:
    """Half a year each, from before the policy's first day on; the odd one is bad or overlaps."""
    random = _random(seed, "authorizations", patient)
    ill = patient in BREAST_CANCER
    rows: list[Row] = []
    for i, start in enumerate(("2025-09-01", "2025-12-01", "2026-02-15", "2026-04-15")):
        number = f"PA-{patient}-{i}"
        effective = date.fromisoformat(start)
        rows.append(
            {
                "authorization_number": number,
                "member_id": patient,
                "hcpcs_code": HCPCS,
                "status": "approved" if ill else _one(random, STATUSES, (70, 8, 8, 8, 2)),
                "effective_date": start,
                "expiration_date": _one(
                    random,
                    ((effective + timedelta(days=180)).isoformat(), "2026-12-31", None),
                    (90, 5, 5),
                ),
                "approved_units": _one(
                    random, (None, "180", "300", "600", "45.5"), (8, 3, 4, 4, 1)
                ),
                "request_type": "initial" if i == 0 else "renewal",
                "servicing_npi": _one(random, (None, provider, "1999999999"), (80, 10, 10)),
            }
        )
    kept = _one(random, (4, 3, 2, 1, 0), (6, 2, 1, 1, 1))
    return rows if ill else rows[4 - kept :]


# ---- clinical facts -------------------------------------------------------------------------

_SINGLE_AGENT: Row = {
    "disease_extent": "metastatic",
    "her2_ihc": "1",
    "her2_test_approved": "true",
    "er_percent": "85",
    "pr_percent": "30.5",
    "endocrine_refractory": "true",
    "line_of_therapy": "3",
    "regimen": "single_agent",
    "cremophor_hypersensitivity": "false",
    "disease_response": "stable",
    "unacceptable_toxicity": "false",
    "bsa_m2": "1.95",
}
_WITH_CAPECITABINE: Row = _SINGLE_AGENT | {
    "regimen": "with_capecitabine",
    "anthracycline_failed": "yes",
    "taxane_setting": "metastatic",
    "taxane_months_to_progression": "4",
    "ast_xuln": "2.5",
    "alt_xuln": "0.8",
    "bilirubin_xuln": "1",
}
_WITH_TRASTUZUMAB: Row = _SINGLE_AGENT | {
    "her2_ihc": "3",
    "line_of_therapy": "4",
    "regimen": " With_Trastuzumab",
}
_OTHER_FACTS: dict[str, tuple[str | None, ...]] = {
    "disease_extent": ("inflammatory", "early", "recurrent_resectable", None),
    "no_response_to_preoperative_therapy": ("true", "false"),
    "her2_ihc": ("0", "2", "3", "4", None),
    "her2_ish_ratio": ("1.9", "2.0", None),
    "her2_copy_number": ("3.9", "6.2", None),
    "her2_test_approved": ("false", None),
    "er_percent": ("0", "0.9", None),
    "pr_percent": ("0", None),
    "endocrine_refractory": ("false", None),
    "line_of_therapy": ("1", "2", "0", None),
    "germline_brca_mutation": ("true", "false"),
    "t_dxd_candidate": ("true", "false"),
    "regimen": ("other", None),
    "taxane_months_to_progression": ("4.1", None),
    "bilirubin_xuln": ("1.1", None),
    "cremophor_hypersensitivity": ("true", None),
    "disease_response": ("progression", "response", None),
    "unacceptable_toxicity": ("true", "perhaps"),
    "bsa_m2": ("1.4", "2.6", None),
}


def _facts(number: str, seed: int) -> list[Row]:
    """Mostly one row in order; now and then one of other values, bad ones among them, two or none."""
    random = _random(seed, "facts", number)
    row = _one(random, (_SINGLE_AGENT, _WITH_CAPECITABINE, _WITH_TRASTUZUMAB), (3, 1, 2))
    row = row | {"authorization_number": number}
    for column in random.sample(sorted(_OTHER_FACTS), _one(random, (0, 1, 3), (4, 3, 2))):
        row[column] = _one(random, _OTHER_FACTS[column])
    return [row] * _one(random, (1, 0, 2), (16, 1, 1))


# ---- claims ---------------------------------------------------------------------------------


def _turn_claim(rows: list[Row], gender: str, others: list[str], seed: int) -> set[Key]:
    """Turn lines of one claim, in place; the keys of those that are the drug's now."""
    first = rows[0]
    claim_id, patient = _text(first, "claim_id"), _text(first, "patient_id")
    random = _random(seed, "claim", claim_id)
    ill = patient in BREAST_CANCER
    if not (ill or _has_a_trap(rows) or random.random() < 0.05):
        return set()
    received = date.fromisoformat(_text(first, "claim_end_date")) + timedelta(
        days=_one(random, range(-1, 30))
    )
    whole: Row = {"received_date": _one(random, (received.isoformat(), None), (9, 1))}
    if random.random() < 0.7:
        whole[_one(random, ("diagnosis_code_12", "diagnosis_code_25"))] = (
            "C50.911" if gender == "female" else "c50921"
        )
    earlier = sorted(c for c in others if c < claim_id)
    if ill and earlier and random.random() < 0.15:
        whole["claim_frequency_code"] = _one(random, ("7", "8"), (3, 1))
        whole["original_claim_id"] = _one(random, earlier)
    turned = set()
    for row in rows:
        row.update({c: v for c, v in whole.items() if not row.get(c)})
        if ill or _one(random, (True, False), (2, 1)):
            _turn_line(row, seed)
            turned.add(key_of(row))
    return turned


def _has_a_trap(rows: list[Row]) -> bool:
    return (
        rows[0]["claim_start_date"] != rows[0]["claim_end_date"]
        or _text(rows[0], "bill_type_code").endswith(("7", "8"))
        or any(row["service_unit_quantity"] is None for row in rows)
        or any(row[code] == "Z853" for row in rows for code in _DIAGNOSES)
    )


def _turn_line(row: Row, seed: int) -> None:
    random = _random(seed, "line", *key_of(row))
    # Mostly the same units for a patient's day: services repeat from claim to claim.
    day = _random(seed, "day", _text(row, "patient_id"), _text(row, "claim_start_date"))
    same = _one(random, (True, False), (2, 1))
    ndc = _one(day if same else random, list(VIALS))
    if row["service_unit_quantity"] not in (None, "0"):
        row["service_unit_quantity"] = _one(day if same else random, UNITS)
        row["charge_amount"] = f"{Decimal(row['service_unit_quantity'] or 0) * 100:.2f}"
    packages = Decimal(row["service_unit_quantity"] or 90) / VIALS[ndc]
    row["hcpcs_code"] = _one(random, (HCPCS, " j9207", row["hcpcs_code"]), (16, 2, 1))
    is_drugs = (row["hcpcs_code"] or "").strip().upper() == HCPCS
    good = _notation(random, ndc)
    row["ndc_code"] = _one(random, (good, None, "70020-19X1-01", "00015322122"), (90, 3, 3, 3))
    if not is_drugs:
        row["ndc_code"] = good
    exact = f"{packages:.6f}".rstrip("0").rstrip(".")
    row["ndc_quantity"] = _one(random, (exact, "1", None), (92, 4, 4))
    row["ndc_unit"] = _one(random, ("UN", "un", "ML", None), (84, 10, 3, 3))
    row["hcpcs_modifier_2"] = _one(random, (None, "JZ", "JW"), (92, 6, 2))
    number = f"PA-{_text(row, 'patient_id')}-{_one(random, (0, 1, 2, 3))}"
    row["authorization_number"] = _one(random, (None, number, "PA-OLD"), (10, 8, 2))


def _turn_to_partner(row: Row, seed: int) -> bool:
    """Turn a line that is not the drug's to trastuzumab, in place, now and then."""
    random = _random(seed, "partner", *key_of(row))
    if random.random() < 0.9:
        return False
    row["hcpcs_code"] = _one(random, ("J9355", " q5117", "J9356"))
    row["ndc_code"] = None
    return True


def _notation(random: Random, ndc: str) -> str:
    form = _one(random, NOTATIONS)
    return form.format(ndc if form in NOTATIONS[:2] else ndc[5:9])
