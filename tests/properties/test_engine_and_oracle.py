"""The engine and the naive oracle say the same of generated nights, which reach everything."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from claims_edit.contracts import ACTIONS, DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.oracle.dice import Dice, throws_of
from tests.oracle.drugs import BCBST_DRAFT, BCBST_IXABEPILONE, IXABEPILONE, Drug
from tests.oracle.extract import RawExtract, coverage_of
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.nights import THROWS, night_of, nights
from tests.oracle.reached_clinical import DOSES, PARTNERS
from tests.oracle.reference import read_reference
from tests.properties.comparison import by_engine, compare
from tests.support import REFERENCE

BETWEEN_ROWS = ("duplicate_row", "conflicting_key", "conflicting_claim", "replacement_cycle")
NIGHTS = 3000  # that are looked through for what chance left out
OF_THE_OTHER_POLICY = {
    "coverage-criteria:fail",
    "coverage-criteria:unknown",
    "program-terms-govern:fail",
    "disposition:pay",
}
OF_THE_MADE_UP_DRUG = {
    "dose: without products",
    "partner: code not in force",
    "partner: code of another drug",
}


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


def looked_for(wanted: set[str], drug: Drug, reference: Path) -> set[str]:
    """Compare on nights that reach some of what chance left out; what is reached of none."""
    terms = read_reference(reference, drug.policy_id, drug.governing_alone)
    for number in range(NIGHTS if wanted else 0):
        extract = night_of(Dice(throws_of(number, THROWS)), drug)
        night = extract.edited(drug.policy_id, reference, drug.governing_alone)
        found = coverage_of(night, terms) & wanted
        if found:
            compare(by_engine(extract, drug, reference), night)
            wanted = wanted - found
    return wanted


def test_engine_and_oracle_agree_and_reach_everything(tmp_path: Path) -> None:
    """A real policy, and a made-up drug whose two versions turn on what the real one turns off."""
    made_up = write_made_up(tmp_path, REFERENCE)
    reached = compared(IXABEPILONE, REFERENCE, 150) | compared(MADE_UP, made_up, 100)
    unknowable = {f"{e.id}:unknown" for e in EDITS.values() if e.unknown_message is not None}
    wanted = {f"{edit_id}:fail" for edit_id in EDITS} | unknowable | DOSES | PARTNERS
    wanted |= {f"disposition:{d}" for d in DISPOSITIONS} | OF_THE_MADE_UP_DRUG
    wanted |= {f"action:{a}" for a in ACTIONS if a != "off"}
    wanted |= {f"rejected:{name}" for name in BETWEEN_ROWS}
    wanted |= {f"rejected-facts:{name}" for name in BETWEEN_ROWS[:2]}
    left_out = looked_for(wanted - reached, IXABEPILONE, REFERENCE)
    assert looked_for(left_out, MADE_UP, made_up) == set()


def test_engine_and_oracle_agree_under_another_policy_and_its_draft() -> None:
    for drug in (BCBST_IXABEPILONE, BCBST_DRAFT):
        reached = compared(drug, REFERENCE, 40)
        assert looked_for(OF_THE_OTHER_POLICY - reached, drug, REFERENCE) == set()
