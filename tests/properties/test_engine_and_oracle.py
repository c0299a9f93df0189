"""The engine and the naive oracle say the same of generated nights, which reach everything."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from claims_edit.contracts import ACTIONS, DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.oracle.drugs import BCBST_DRAFT, BCBST_IXABEPILONE, IXABEPILONE, Drug
from tests.oracle.extract import RawExtract, coverage_of
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.nights import nights
from tests.oracle.reached_clinical import DOSES, PARTNERS
from tests.oracle.reference import read_reference
from tests.properties.comparison import by_engine, compare
from tests.support import REFERENCE

BETWEEN_ROWS = ("duplicate_row", "conflicting_key", "conflicting_claim", "replacement_cycle")
OF_THE_OTHER_POLICY = {
    "coverage-criteria:fail",
    "coverage-criteria:unknown",
    "program-terms-govern:fail",
    "disposition:pay",
}
OF_THE_MADE_UP_DRUG = {"dose: without products", "partner: code not in force"}


def compared(drug: Drug, reference: Path, examples: int) -> set[str]:
    """Compare on generated nights; what they reached."""
    reached: set[str] = set()
    terms = read_reference(reference, drug.policy_id, drug.governing_alone)

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(extract=nights(drug))
    def look(extract: RawExtract) -> None:
        night = extract.edited(drug.policy_id, reference, drug.governing_alone)
        compare(by_engine(extract, drug, reference), night)
        reached.update(coverage_of(night, terms))

    look()
    return reached


def test_engine_and_oracle_agree_and_reach_everything(tmp_path: Path) -> None:
    """A real policy, and a made-up drug whose two versions turn on what the real one turns off."""
    reached = compared(IXABEPILONE, REFERENCE, 160)
    reached |= compared(MADE_UP, write_made_up(tmp_path, REFERENCE), 110)
    assert {f"{edit_id}:fail" for edit_id in EDITS} - reached == set()
    unknowable = {f"{e.id}:unknown" for e in EDITS.values() if e.unknown_message is not None}
    assert unknowable - reached == set()
    assert {f"disposition:{d}" for d in DISPOSITIONS} <= reached
    assert {f"action:{a}" for a in ACTIONS if a != "off"} <= reached
    assert {f"rejected:{name}" for name in BETWEEN_ROWS} <= reached
    assert {f"rejected-facts:{name}" for name in BETWEEN_ROWS[:2]} <= reached
    assert (DOSES | PARTNERS | OF_THE_MADE_UP_DRUG) - reached == set()


def test_engine_and_oracle_agree_under_another_policy_and_its_draft() -> None:
    for drug in (BCBST_IXABEPILONE, BCBST_DRAFT):
        assert OF_THE_OTHER_POLICY - compared(drug, REFERENCE, 50) == set()
