"""The program, publishing night after night, and the naive oracle say the same of every night.

The program knows of earlier nights only what it published, and the oracle only what it kept.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from claims_edit.__main__ import outcome
from tests.oracle import EarlierRun
from tests.oracle.dice import Dice
from tests.oracle.drugs import BCBST_IXABEPILONE, IXABEPILONE, Drug
from tests.oracle.elsewhere import lines_elsewhere
from tests.oracle.extract import RawExtract
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.reached import BETWEEN_NIGHTS, ELSEWHERE
from tests.oracle.reached_clinical import PARTNERS_BETWEEN_NIGHTS
from tests.oracle.so_far import story_of
from tests.oracle.story import throws
from tests.oracle.telling import most_telling_night
from tests.properties.comparison import compare
from tests.support import REFERENCE, Edited

RECONSIDER_COLUMNS = (
    "claim_id",
    "claim_line_number",
    "cut_by_run_id",
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "billed_units",
    "allowed_units",
    "cut_units",
    "charge_amount",
    "denied_charge_amount",
    "would_be_allowed_units",
    "would_be_allowed_in_turn_units",
    "released_claim_ids",
    "policy_version",
)
UNITS = pl.Decimal(18, 6)
TYPES_ELSEWHERE: dict[str, pl.DataType] = {
    "claim_line_number": pl.Int64(),
    "claim_line_start_date": pl.Date(),
    "allowed_units": UNITS,
    "billed_units": UNITS,
    "authorization_draws": pl.List(pl.Struct({"authorization_number": pl.String, "units": UNITS})),
}
RUN_IDS = ("m", "c", "x", "a", "z", "k", "b", "y")  # the order of nights is not that of their ids

reached: set[str] = set()


class NightAfterNight(RuleBasedStateMachine):
    drug: Drug
    reference: Path

    @initialize(begin=throws(), one=throws(), lines_elsewhere_too=st.booleans())
    def first_night(self, begin: bytes, one: bytes, lines_elsewhere_too: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.runs: list[EarlierRun] = []
        self.elsewhere: list[dict[str, Any]] = []
        dice = Dice(begin)
        self.story = story_of(dice, self.drug)
        if lines_elsewhere_too:
            self.elsewhere = lines_elsewhere(dice, self.story)
            write_elsewhere(self.folder / "elsewhere.parquet", self.elsewhere)
        self.publish(one, len(self.runs), elsewhere=self.elsewhere)

    @rule(one=throws())
    def another_night(self, one: bytes) -> None:
        self.publish(one, len(self.runs), elsewhere=self.elsewhere)

    @precondition(lambda self: self.elsewhere)
    @rule(one=throws())
    def night_that_is_not_told_of_elsewhere(self, one: bytes) -> None:
        self.publish(one, len(self.runs), elsewhere=[])

    @precondition(lambda self: self.drug is IXABEPILONE)
    @rule(one=throws())
    def night_under_another_policy(self, one: bytes) -> None:
        """Whose partners are not looked for, and which knows no limits."""
        self.publish(one, len(self.runs), elsewhere=self.elsewhere, drug=BCBST_IXABEPILONE)
        reached.add("under another policy")

    @precondition(lambda self: len(self.runs) > 1)
    @rule(one=throws(), place=st.integers(0, 9))
    def night_replaced(self, one: bytes, place: int) -> None:
        self.publish(one, place % len(self.runs), elsewhere=self.elsewhere)
        reached.add("replaced")

    def publish(
        self, one: bytes, place: int, elsewhere: list[dict[str, Any]], drug: Drug | None = None
    ) -> None:
        """Edit a night at this place; what later nights published and kept stays as it is."""
        before, run_id = self.runs[:place], RUN_IDS[place]
        drug = drug or self.drug
        story = replace(self.story, drug=drug)
        told = most_telling_night(one, story, self.reference, before, elsewhere)
        note(f"night {place} ({run_id}): {told.extract}")
        again = place < len(self.runs)
        self.run_program(told.extract, run_id, drug, again=again, elsewhere=elsewhere)
        published = self.folder / "runs" / f"run_id={run_id}"
        compare(read_published(published), told.night)
        rows = pl.read_parquet(published / "reconsider.parquet").select(RECONSIDER_COLUMNS)
        assert rows.to_dicts() == told.night.reconsider
        self.story = replace(told.story, drug=self.drug)
        self.runs[place : place + 1] = [EarlierRun(run_id, told.night.kept)]
        reached.update(told.reached)

    def run_program(
        self,
        extract: RawExtract,
        run_id: str,
        drug: Drug,
        *,
        again: bool,
        elsewhere: list[dict[str, Any]],
    ) -> None:
        inputs = self.folder / "inputs"
        shutil.rmtree(inputs, ignore_errors=True)
        inputs.mkdir()
        options: dict[str, object] = {
            **extract.write(inputs),
            "out": self.folder / "runs",
            "run-id": run_id,
            "as-of": extract.as_of,
            "policy": drug.policy_id,
            "reference-data": self.reference,
            "max-reject-rate": 1,
        }
        if elsewhere:
            options["history"] = self.folder / "elsewhere.parquet"
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        assert outcome(["run", *arguments, *(["--replace"] if again else [])]) == 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def write_elsewhere(path: Path, rows: list[dict[str, Any]]) -> None:
    schema = pl.Schema({column: TYPES_ELSEWHERE.get(column, pl.String()) for column in rows[0]})
    pl.DataFrame([with_named_draws(row) for row in rows], schema).write_parquet(path)


def with_named_draws(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("authorization_draws") is None:
        return row
    draws = [
        {"authorization_number": number, "units": units}
        for number, units in row["authorization_draws"]
    ]
    return row | {"authorization_draws": draws}


def read_published(folder: Path) -> Edited:
    def table(name: str) -> pl.DataFrame:
        return pl.read_parquet(folder / f"{name}.parquet")

    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["rows"]
    return Edited(
        table("lines"),
        table("findings"),
        table("rejected_lines"),
        table("rejected_authorizations"),
        table("rejected_clinical_facts"),
        table("partner_lines"),
        rows["read"],
        rows["read"] - rows["out_of_scope"],
    )


def look(drug_: Drug, reference_: Path, examples: int) -> None:
    class OfADrug(NightAfterNight):
        drug = drug_
        reference = reference_

    run_state_machine_as_test(
        OfADrug,
        settings=settings(
            max_examples=examples,
            stateful_step_count=5,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_program_and_oracle_agree_night_after_night(tmp_path: Path) -> None:
    """A real policy, and a made-up drug whose limits deny, flag and cut back."""
    reached.clear()
    look(IXABEPILONE, REFERENCE, 16)
    look(MADE_UP, write_made_up(tmp_path, REFERENCE), 8)
    wanted = BETWEEN_NIGHTS | ELSEWHERE | PARTNERS_BETWEEN_NIGHTS
    assert (wanted | {"replaced", "under another policy"}) - reached == set()
