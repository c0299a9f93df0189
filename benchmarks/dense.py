"""A night of which every line is of the drug: five doses of two lines for each member.

Most of it pays: doses 21 days apart, whole vials, the right quantity of the right product, a covered
diagnosis, an authorization. What does not is told in `dense_stories`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from benchmarks import dense_stories as stories
from benchmarks.dense_authorizations import authorizations_of
from benchmarks.dense_stories import Told
from benchmarks.dice import Dice, Flags, Indices, Keys, days, numbered, of, only, shuffled
from benchmarks.layout import diagnoses, laid_out, money

AS_OF = date(2026, 9, 30)
FIRST_DAY = date(2025, 9, 4)
DOSES, LINES_OF_DOSE = 5, 2
LINES_OF_MEMBER = DOSES * LINES_OF_DOSE
HEAVY_LINES = 100_000
STATES = ("TN", "OH", "TX", "CA", "NY", "FL", "GA", "IL")
VIALS = (45, 15)

_FAMILY = [f"C50.{site}{sex}{side}" for sex in (1, 2) for site in "012345689" for side in "129"]
_OF_SEX = len(_FAMILY) // 2
_OTHERS = ["I10", "E11.9", "Z51.11", "D70.1", "C79.51", "C77.3", "C78.7", "C78.00"]
_HARMLESS = 4
_SPECIAL = ["C50.A1", "C50.999", "C34.90", "Z85.3"]
_CODES = [*_FAMILY, *_OTHERS, *_SPECIAL]
_FIRST_OTHER, _FIRST_SPECIAL = len(_FAMILY), len(_FAMILY) + len(_OTHERS)

_NDC = (
    ("70020191101", "70020-1911-01", "N470020191101", "70020-1911-1", "7002019111"),
    ("70020191001", "70020-1910-01", "N470020191001", "70020-1910-1", "7002019101"),
)
_NDC_SHARES = {"11 digits": 0.6, "5-4-2": 0.3, "N4": 0.06, "5-4-1": 0.02, "10 digits": 0.02}


@dataclass(frozen=True)
class Dense:
    """So many lines; `heavy-member` gives 100,000 of them to one, `all-over` puts all over the limit."""

    lines: int
    variant: str = ""
    seed: int = 1

    @cached_property
    def dice(self) -> Dice:
        return Dice(self.seed)

    @property
    def members(self) -> int:
        """How many members have lines (or stand for the one who has many)."""
        return -(-self.lines // LINES_OF_MEMBER)

    @property
    def heavy(self) -> int:
        """How many members are one."""
        if self.variant != "heavy-member":
            return 0
        return min(HEAVY_LINES // LINES_OF_MEMBER, self.members // 2)

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """The extract, so many rows at a time."""
        for first in range(0, self.lines, rows):
            line = shuffled(first, min(first + rows, self.lines), self.lines)
            yield Rows(self, line).frame()

    def authorizations(self) -> pl.DataFrame:
        """One for every member, and a second for every fifth."""
        member = np.arange(self.members, dtype=np.uint64)
        return authorizations_of(self, member)

    def history(self) -> pl.DataFrame:
        """One line of every member, allowed elsewhere before."""
        step = 1 << 20
        return pl.concat(
            self._allowed_before(np.arange(first, min(first + step, self.members), dtype=np.uint64))
            for first in range(0, self.members, step)
        )

    def facts(self) -> dict[str, int]:
        """How much there is of what."""
        return {
            "lines": self.lines,
            "members": self.members - max(self.heavy - 1, 0),
            "authorizations": self.members + -(-self.members // 5),
            "history lines": self.members,
        }

    def story(self, member: Keys) -> Told:
        """What happens to members."""
        if self.variant == "all-over":
            return Told(stories.MEMBERS, np.zeros(len(member), dtype=np.int64))
        places = self.dice.kinds("story", member, stories.MEMBERS)
        return Told(stories.MEMBERS, np.where(member < self.heavy, len(stories.MEMBERS), places))

    def ending(self, member: Keys) -> Told:
        """What happens to the last or first claims of members."""
        places = self.dice.kinds("ending", member, stories.ENDINGS)
        return Told(stories.ENDINGS, np.where(member < self.heavy, len(stories.ENDINGS), places))

    def first_day(self, member: Keys) -> Indices:
        """The day of the first dose, counted from the policy's first."""
        early = self.story(member).are("early")
        return np.where(
            early,
            -40 + self.dice.below("early day", member, 30),
            self.dice.below("day", member, 270),
        )

    def billing_npi(self, member: Keys) -> pl.Series:
        """Who bills for a member."""
        return numbered("1", self.dice.below("billing", member, 5_000))

    def _allowed_before(self, member: Keys) -> pl.DataFrame:
        first = Rows(self, member * np.uint64(LINES_OF_MEMBER)).frame()
        over, again = self.story(member).are("over"), self.ending(member).are("repeats history")
        before = 21 * (1 + self.dice.below("history day", member, 3))
        back = np.where(again, 0, np.where(over, 14, before))
        day = pl.coalesce("claim_line_start_date", "claim_start_date")
        return first.with_columns(back=pl.Series(back)).select(
            numbered("H", member).alias("claim_id"),
            pl.lit(1, pl.Int32).alias("claim_line_number"),
            "member_id",
            (day - pl.duration(days="back")).alias("claim_line_start_date"),
            pl.lit("J9207").alias("hcpcs_code"),
            pl.col("service_unit_quantity").alias("allowed_units"),
            pl.col("service_unit_quantity").alias("billed_units"),
            pl.col("^hcpcs_modifier_.$"),
            "ndc_code",
            "rendering_npi",
        )


class Rows:
    """Some lines of the extract, by their numbers."""

    def __init__(self, extract: Dense, line: Keys) -> None:
        self.extract, self.dice = extract, extract.dice
        self.member = line // np.uint64(LINES_OF_MEMBER)
        self.which = (line % np.uint64(LINES_OF_DOSE)).astype(np.int64)
        self.dose = (line // np.uint64(LINES_OF_DOSE) % np.uint64(DOSES)).astype(np.int64)
        self.person = np.where(self.member < extract.heavy, 0, self.member).astype(np.uint64)
        self.story, self.ending = extract.story(self.member), extract.ending(self.member)
        # Whose content a claim has: its own, or that of the claim that it repeats or replaces.
        again = self.ending.are("duplicate", "replaced", "voided") & (self.dose == 4)
        twice = self.ending.are("replaced twice", "replaced and voided") & (self.dose > 2)
        self.content = np.where(again, 3, np.where(twice, 2, self.dose))
        self.claim = self.member * np.uint64(DOSES) + self.content.astype(np.uint64)
        self.line = self.claim * np.uint64(LINES_OF_DOSE) + self.which.astype(np.uint64)
        self.of_dose = Told(stories.DOSES, self.dice.kinds("dose", self.claim, stories.DOSES))
        self.of_line = Told(stories.LINES, self.dice.kinds("line", self.line, stories.LINES))
        self.bad = self.ending.are("bad rows") & (self.dose == 4)

    def frame(self) -> pl.DataFrame:
        """The rows, all columns of the contract and the header's dates."""
        columns = self._claim() | self._dates() | self._person() | self._units() | self._diagnoses()
        return laid_out(columns | self._spoiled(columns), len(self.member), header=True)

    def _claim(self) -> dict[str, pl.Series]:
        member, dice = self.member, self.dice
        institutional = self.of_dose.are("institutional")
        last = self.dose == 4
        replaces = (
            (self.ending.are("replaced", "replaces an unknown claim", "replaced twice") & last)
            | (self.ending.are("replaced twice", "replaced and voided") & (self.dose == 3))
            | (self.ending.are("replaces history") & (self.dose == 0))
        )
        voids = last & self.ending.are("voided", "replaced and voided", "voids an unknown claim")
        prefix = np.where(
            self.ending.are("replaces history"),
            1,
            np.where(self.ending.are("replaces an unknown claim", "voids an unknown claim"), 2, 0),
        )
        named = (
            pl.select(
                of(["C", "H", "X"], prefix)
                + numbered("", member)
                + pl.when(pl.Series(prefix == 0))
                .then(numbered("-", self.dose, 1))
                .otherwise(pl.lit(""))
            ).to_series()
            if len(member)
            else pl.Series([], dtype=pl.String)
        )
        number = pl.select(
            of(["A", "Z"], self.story.are("other authorization number").astype(np.int64))
            + numbered("", self.person)
        ).to_series()
        return {
            "claim_id": pl.select(
                numbered("C", member) + numbered("-", self.dose + 1, 1)
            ).to_series(),
            "claim_line_number": pl.Series(self.which + 1),
            "claim_type": of(["professional", "institutional"], institutional.astype(np.int64)),
            "claim_frequency_code": of(
                ["7", "8", "1"], np.where(replaces, 0, np.where(voids, 1, 2))
            ),
            "original_claim_id": only(named, replaces | voids),
            "authorization_number": only(number, dice.chance("bills a number", self.claim, 0.5)),
            "rendering_npi": only(numbered("2", member), ~dice.chance("no NPI", self.claim, 0.05)),
            "billing_npi": self.extract.billing_npi(member),
            "place_of_service_code": of(["11", "19", "22"], dice.below("place", self.claim, 3)),
            "bill_type_code": of(["131"], np.where(institutional, 0, 1)),
        }

    def _dates(self) -> dict[str, pl.Series]:
        unclear, span = self.of_dose.are("unclear day"), self.of_dose.are("span")
        apart = np.where(self.story.are("over"), 14, 21)
        day = self.extract.first_day(self.member) + self.content * apart
        received = (
            day + 5 + self.dice.below("received", self.claim, 15) + 20 * (self.dose - self.content)
        )
        received = np.where(self.of_dose.are("future"), day - 2, received)
        return {
            "claim_line_start_date": only(days(FIRST_DAY, day), ~unclear),
            "claim_line_end_date": only(days(FIRST_DAY, day + 2 * span), ~unclear),
            "claim_start_date": days(FIRST_DAY, day),
            "claim_end_date": days(FIRST_DAY, day + 2 * span + 6 * unclear),
            "received_date": only(
                days(FIRST_DAY, received), ~self.dice.chance("not received", self.claim, 0.01)
            ),
        }

    def _person(self) -> dict[str, pl.Series]:
        dice, person, story = self.dice, self.person, self.story
        born = np.where(story.are("minor"), 27_000, dice.below("born", person, 16_000))
        male = self._male() ^ story.are("other sex")
        unknown = dice.chance("gender is unknown", person, 0.5)
        gender = np.where(story.are("no gender"), np.where(unknown, 2, 3), male.astype(np.int64))
        business = np.where(story.are("medicare"), 3, dice.skewed("business", person, 3))
        return {
            "member_id": numbered("M", person),
            "birth_date": only(days(date(1935, 1, 1), born), ~story.are("no birth date")),
            "gender": of(["female", "male", "unknown"], gender),
            "line_of_business": of(["commercial", "medicaid", "marketplace", "medicare"], business),
            "member_state": of(STATES, dice.skewed("state", person, len(STATES))),
        }

    def _male(self) -> Flags:
        return self.dice.chance("male", self.person, 0.01)

    def _units(self) -> dict[str, pl.Series]:
        """Units, charge, modifiers, and the product: a vial of 45 units, and some of 15."""
        dice, dose, line, second = self.dice, self.of_dose, self.of_line, self.which == 1
        vials = np.where(second, 1 + dice.below("vials", self.claim, 3), 1)
        vials = np.where(second & self.story.are("over"), 3, vials)
        vials = np.where(second & dose.are("wasted"), 1, vials)
        vials = np.where(second & dose.are("too much a day"), 4, vials)
        units = 1000 * vials * np.where(second, VIALS[1], VIALS[0])
        units = np.where(second & dose.are("no whole vials"), 20_000, units)
        units = np.where(line.are("half a unit"), units - 500, units)
        packages = vials + dose.are("wrong NDC quantity")
        given = ~line.are("no NDC")
        place = dice.kinds("NDC notation", self.line, _NDC_SHARES) + 5 * self.which
        place = np.where(
            line.are("no such NDC"), 10, np.where(line.are("NDC of another drug"), 11, place)
        )
        ndcs = pl.Series([*_NDC[0], *_NDC[1], "7002-19", "00003-1910-01"])
        quantity = given & ~dose.are("no NDC quantity")
        code = np.where(line.are("other code"), 4, dice.skewed("notation", self.line, 4))
        return self._modifiers(second) | {
            "hcpcs_code": of(["J9207", "J9207", "j9207", " J9207 ", "J9999"], code),
            "service_unit_quantity": _thousandths(units),
            "charge_amount": money(
                pl.Series(units // 1000 * 9_137 + dice.below("cents", self.line, 100))
            ),
            "ndc_code": only(of(ndcs, place), given),
            "ndc_quantity": only(pl.Series(packages), quantity),
            "ndc_unit": only(
                of(
                    ["UN", " un", "ML"],
                    np.where(dose.are("other NDC unit"), 2, dice.chance("UN", self.line, 0.05)),
                ),
                given,
            ),
        }

    def _modifiers(self, second: Flags) -> dict[str, pl.Series]:
        dice, dose = self.dice, self.of_dose
        wasted = (second & dose.are("wasted", "both modifiers")) | dose.are("all wasted")
        silent = dose.are("wasted") | dice.chance("no modifier", self.claim, 0.3)
        none = ~(dose.are("both modifiers", "no whole vials")) & silent
        first = np.where(wasted, 1, np.where(none, 2, 0))
        return {
            "hcpcs_modifier_1": of(["JZ", "JW"], first),
            "hcpcs_modifier_2": only(
                of(["RT", "LT"], self.which), dice.chance("side", self.claim, 0.1)
            ),
        }

    def _diagnoses(self) -> dict[str, pl.Series]:
        dice, dose, claim = self.dice, self.of_dose, self.claim
        special = [dose.are(name) for name in ("unlisted", "invalid", "uncovered", "history only")]
        family = dice.below("diagnosis", self.person, _OF_SEX) + _OF_SEX * self._male()
        first = np.select(special, [_FIRST_SPECIAL + place for place in range(4)], family)
        harmless = special[2] | special[3]
        count = np.where(dose.are("no diagnosis"), 0, 2 + dice.below("diagnoses", claim, 3))
        codes = [first] + [
            _FIRST_OTHER
            + np.where(
                harmless,
                dice.below(f"harmless {place}", claim, _HARMLESS),
                dice.below(f"diagnosis {place}", claim, len(_OTHERS)),
            )
            for place in range(1, 4)
        ]
        written = pl.Series([*_CODES, *(code.replace(".", "") for code in _CODES)])
        bare = len(_CODES) * dice.chance("bare", claim, 0.3)
        none = len(written)
        pointed = (count > 0) & dice.chance("pointed", claim, 0.9)
        elsewhere = dose.are("not pointed")
        return diagnoses(
            [
                of(written, np.where(place < count, code + bare, none))
                for place, code in enumerate(codes)
            ]
        ) | {
            "diagnosis_pointer_1": of(
                [None, 1, 2], np.where(elsewhere, 2, pointed.astype(np.int64))
            ),
            "diagnosis_pointer_2": of(
                [None, 2], (pointed & dice.chance("second", claim, 0.4)).astype(np.int64)
            ),
            "diagnosis_pointer_3": of([None, 9], dose.are("pointer to nothing").astype(np.int64)),
        }

    def _spoiled(self, columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
        """The columns that the bad rows change."""
        how = Told(stories.BAD, self.dice.kinds("bad", self.member, stories.BAD))

        def but(name: str, value: object, *kinds: str, also: Flags | None = None) -> pl.Series:
            spoiled = self.bad & how.are(*kinds)
            if also is not None:
                spoiled = spoiled & also
            kept = columns[name]
            return pl.select(
                pl.when(pl.Series(spoiled)).then(pl.lit(value, dtype=kept.dtype)).otherwise(kept)
            ).to_series()

        second = self.which == 1
        return {
            "charge_amount": but("charge_amount", None, "no charge"),
            "service_unit_quantity": but("service_unit_quantity", 0, "no units"),
            "gender": but("gender", "x", "another gender"),
            "member_state": but("member_state", "Tenn", "no state"),
            "birth_date": but("birth_date", date(2099, 1, 1), "born later"),
            "claim_line_end_date": but("claim_line_end_date", date(2001, 1, 1), "ends before"),
            "diagnosis_pointer_1": but("diagnosis_pointer_1", 26, "pointer of 26"),
            "line_of_business": but("line_of_business", None, "no line of business"),
            "member_id": but("member_id", None, "no member"),
            "claim_line_number": but("claim_line_number", 1, "same row twice", "one key, two rows"),
            "original_claim_id": but("original_claim_id", "X1", "two originals", also=second),
        }


def _thousandths(units: Indices) -> pl.Series:
    return (pl.Series(units).cast(pl.Decimal(18, 3)) / 1000).cast(pl.Decimal(18, 3))
