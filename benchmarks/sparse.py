"""A night's whole extract, of which one line in a thousand is of the drug, in every notation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from benchmarks.dice import Dice, Flags, Indices, Keys, days, numbered, of, only, shuffled
from benchmarks.layout import diagnoses, laid_out, money

AS_OF = date(2026, 9, 30)
IN_SCOPE = 0.001
BY_NDC_ALONE = 0.1
LINES_OF_CLAIM = 3
CLAIMS_OF_MEMBER = 7
FIRST_DAY = date(2025, 9, 4)
DAYS = 365
BUSINESS = ("commercial", "medicaid", "marketplace", "medicare")
STATES = ("TN", "OH", "TX", "CA", "NY", "FL", "GA", "IL")

# How the drug's products are written.
NDC_NOTATIONS = {
    "11 digits": ("70020191001", "70020191101"),
    "N4 qualifier": ("N470020191001", "N470020191101"),
    "5-4-2": ("70020-1910-01", "70020-1911-01"),
    "5-4-1": ("70020-1910-1", "70020-1911-1"),
    "10 digits": ("7002019101", "7002019111"),
    "lower case n4": ("n470020191001", "n470020-1911-01"),
    "padded": ("  70020191001 ", " 70020-1911-01  "),
}
# How the drug's code is written, and in what share of its lines.
HCPCS_NOTATIONS = {"plain": 0.9, "lower case": 0.04, "padded": 0.04, "lower case and padded": 0.02}
_DRUG_CODES = ("J9207", "j9207", " J9207 ", " j9207  ")
_OTHER_CODES = ("J9999", "C9399", "J3490", None)

# Among the codes of other procedures, one of a partner drug.
PARTNER, PARTNER_SHARE = "J9355", 0.0002


@dataclass(frozen=True)
class Sparse:
    """So many lines of so many claims."""

    lines: int
    seed: int = 1

    @property
    def dice(self) -> Dice:
        return Dice(self.seed)

    @property
    def members(self) -> int:
        """How many members have claims."""
        return max(1, self.lines // (LINES_OF_CLAIM * CLAIMS_OF_MEMBER))

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """The extract, so many rows at a time."""
        for first in range(0, self.lines, rows):
            yield self._rows(shuffled(first, min(first + rows, self.lines), self.lines))

    def authorizations(self) -> pl.DataFrame:
        """One of every member with the drug, and of every fiftieth for another code."""
        of_drug = np.unique(
            np.concatenate([self._member(line[self._of_drug(line)]) for line in self._all_lines()])
        )
        other = np.arange(0, self.members, 50, dtype=np.uint64)
        return pl.concat([self._granted("A", of_drug, "J9207"), self._granted("B", other, "J9271")])

    def _granted(self, prefix: str, member: Keys, code: str) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "authorization_number": numbered(prefix, member),
                "member_id": numbered("M", member),
                "hcpcs_code": code,
                "status": "approved",
                "effective_date": days(FIRST_DAY, self.dice.below("auth", member, 180)),
            }
        ).with_columns(
            expiration_date=pl.col("effective_date").dt.offset_by("6mo"),
            approved_units=pl.lit(600, pl.Decimal(18, 3)),
            request_type=pl.lit("initial"),
            servicing_npi=pl.lit(None, pl.String),
        )

    def _all_lines(self) -> Iterator[Keys]:
        step = 1 << 22
        for first in range(0, self.lines, step):
            yield np.arange(first, min(first + step, self.lines), dtype=np.uint64)

    def _member(self, line: Keys) -> Keys:
        return line // np.uint64(LINES_OF_CLAIM) % np.uint64(self.members)

    def facts(self) -> dict[str, int]:
        """How many lines of the drug there are, by how they say so."""
        counts: dict[str, int] = {}
        for line in self._all_lines():
            drug = line[self._of_drug(line)]
            by_ndc = self._by_ndc_alone(drug)
            of_ndc, of_code = self._ndc_notation(drug), self._code_notation(drug)
            for place, name in enumerate(HCPCS_NOTATIONS):
                held = int((~by_ndc & (of_code == place)).sum())
                counts[f"HCPCS {name}"] = counts.get(f"HCPCS {name}", 0) + held
            for place, name in enumerate(NDC_NOTATIONS):
                held = int((by_ndc & (of_ndc == place)).sum())
                counts[f"NDC alone, {name}"] = counts.get(f"NDC alone, {name}", 0) + held
        return counts

    def _of_drug(self, line: Keys) -> Flags:
        return self.dice.chance("of the drug", line, IN_SCOPE)

    def _by_ndc_alone(self, line: Keys) -> Flags:
        return self.dice.chance("by NDC", line, BY_NDC_ALONE)

    def _ndc_notation(self, line: Keys) -> Indices:
        return self.dice.below("NDC notation", line, len(NDC_NOTATIONS))

    def _code_notation(self, line: Keys) -> Indices:
        places = self.dice.kinds("HCPCS notation", line, HCPCS_NOTATIONS)
        return np.minimum(places, len(HCPCS_NOTATIONS) - 1)

    def _rows(self, line: Keys) -> pl.DataFrame:
        claim = line // np.uint64(LINES_OF_CLAIM)
        return laid_out(
            self._of_claim(claim) | self._of_line(line, claim) | self._codes(line), len(line)
        )

    def _of_claim(self, claim: Keys) -> dict[str, pl.Series]:
        dice, members = self.dice, np.uint64(self.members)
        member = claim % members
        institutional = dice.chance("institutional", claim, 0.3)
        # A claim so many before is of the same member.
        replaces = (claim >= members) & dice.chance("replaces", claim, 0.01)
        frequency = dice.kinds("frequency", claim, {"7": 0.7, "8": 0.3})
        day = self._day(claim)
        return {
            "claim_id": numbered("C", claim),
            "claim_type": of(["professional", "institutional"], institutional.astype(np.int64)),
            "member_id": numbered("M", member),
            "birth_date": days(date(1935, 1, 1), dice.below("born", member, 32_000)),
            "gender": of(["female", "male", "unknown"], dice.skewed("gender", member, 3)),
            "line_of_business": of(BUSINESS, dice.skewed("business", member, len(BUSINESS))),
            "member_state": of(STATES, dice.skewed("state", member, len(STATES))),
            "claim_line_start_date": days(FIRST_DAY, day),
            "claim_line_end_date": days(FIRST_DAY, day),
            "received_date": days(FIRST_DAY, day + dice.below("received", claim, 30)),
            "billing_npi": numbered("1", dice.skewed("billing", claim, 20_000)),
            "rendering_npi": numbered("1", dice.skewed("rendering", claim, 80_000)),
            "place_of_service_code": of(["11", "22", "19", None], dice.below("place", claim, 4)),
            "bill_type_code": of(["131"], np.where(institutional, 0, 1)),
            "claim_frequency_code": of(["7", "8", "1"], np.where(replaces, frequency, 2)),
            "original_claim_id": only(numbered("C", claim - members * replaces), replaces),
            "authorization_number": only(
                numbered("A", member), dice.chance("bills a number", claim, 0.05)
            ),
        } | diagnoses(self._diagnoses(claim))

    def _day(self, claim: Keys) -> Indices:
        return self.dice.below("day", claim, DAYS)

    def _diagnoses(self, claim: Keys) -> list[pl.Series]:
        """Two to four; a claim with the drug begins with one that is covered."""
        count = 2 + self.dice.below("diagnoses", claim, 3)
        codes = len(_ICD10)
        places = [self.dice.skewed(f"diagnosis {place}", claim, codes) for place in range(4)]
        first = claim * np.uint64(LINES_OF_CLAIM)
        with_drug = np.logical_or.reduce(
            [self._of_drug(first + np.uint64(line)) for line in range(LINES_OF_CLAIM)]
        )
        places[0] = np.where(with_drug, codes, places[0])
        none = len(_DIAGNOSES)
        return [
            of(_DIAGNOSES, np.where(place < count, code, none)) for place, code in enumerate(places)
        ]

    def _of_line(self, line: Keys, claim: Keys) -> dict[str, pl.Series]:
        dice = self.dice
        vials = 1 + dice.below("packages", line, 2)
        size = np.where(dice.below("vial", line, 2) == 0, 15, 45)
        units = np.where(self._of_drug(line), vials * size, 1 + dice.skewed("units", line, 40))
        modified = dice.chance("modified", line, 0.2)
        modifier = dice.skewed("modifier", line, len(_MODIFIERS))
        pointed = dice.chance("pointed", claim, 0.7).astype(np.int64)
        return {
            "claim_line_number": pl.Series(line % np.uint64(LINES_OF_CLAIM) + np.uint64(1)),
            "service_unit_quantity": pl.Series(units),
            "charge_amount": money(pl.Series(500 + dice.skewed("charge", line, 2_000_000))),
            "hcpcs_modifier_1": of(_MODIFIERS, np.where(modified, modifier, len(_MODIFIERS))),
            "diagnosis_pointer_1": of([None, 1], pointed),
            "diagnosis_pointer_2": of([None, 2], pointed * dice.below("second", line, 2)),
        }

    def _codes(self, line: Keys) -> dict[str, pl.Series]:
        """Procedure and product: of the drug, of a partner, or of one of many others."""
        dice, drug = self.dice, self._of_drug(line)
        by_ndc = self._by_ndc_alone(line)
        others, products = len(_PROCEDURES), len(_PRODUCTS)
        code = dice.skewed("procedure", line, others)
        code = np.where(dice.chance("partner", line, PARTNER_SHARE), others, code)
        of_drug = np.where(
            by_ndc,
            others + 1 + len(_DRUG_CODES) + dice.below("other code", line, len(_OTHER_CODES)),
            others + 1 + self._code_notation(line),
        )
        has_ndc = dice.chance("NDC", line, 0.15)
        product = np.where(has_ndc, dice.skewed("product", line, products), -1)
        notation = self._ndc_notation(line) * 2 + dice.below("vial", line, 2)
        place = np.where(drug, products + notation, product)
        given = place >= 0
        return {
            "hcpcs_code": of(_ALL_CODES, np.where(drug, of_drug, code)),
            "ndc_code": only(of(_ALL_NDCS, np.maximum(place, 0)), given),
            "ndc_quantity": only(pl.Series(1 + dice.below("packages", line, 2)), given),
            "ndc_unit": only(
                of(["UN", "ML"], np.where(drug, 0, dice.skewed("unit", line, 2))), given
            ),
        }


_MODIFIERS = ("25", "59", "RT", "LT", "JZ", "JW", "GA", "TC")
_PROCEDURES = [f"{code:05d}" for code in range(10_000, 100_000, 23)] + [
    f"{letter}{code:04d}" for letter in "AEGJQ" for code in range(100, 9_000, 37)
]
_ICD10 = [
    f"{letter}{code:02d}.{more}"
    for letter in "IEMRZNJKFG"
    for code in range(0, 99, 3)
    for more in range(10)
]
_DIAGNOSES = pl.Series([*_ICD10, "C50.911"])
_PRODUCTS = [f"{50_000 + code * 3:05d}{code:04d}01" for code in range(1, 3_000)] + [
    f"{50_001 + code * 3:05d}-{code:04d}-02" for code in range(1, 2_000)
]
_ALL_CODES = pl.Series([*_PROCEDURES, PARTNER, *_DRUG_CODES, *_OTHER_CODES])
_ALL_NDCS = pl.Series([*_PRODUCTS, *(ndc for pair in NDC_NOTATIONS.values() for ndc in pair)])
