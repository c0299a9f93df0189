"""The engine and the naive oracle say the same of generated nights, which reach everything."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from claims_edit.contracts import ACTIONS, DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.nights import IXABEPILONE, Drug, RawExtract, coverage_of, nights
from tests.properties.comparison import by_engine, compare
from tests.support import REFERENCE

EXAMPLES = {"prime-ic-0072": 300, "made-up": 150}
BETWEEN_ROWS = ("duplicate_row", "conflicting_key", "conflicting_claim", "replacement_cycle")


def compared(drug: Drug, reference: Path) -> set[str]:
    """Compare on generated nights; what they reached."""
    reached: set[str] = set()

    @settings(
        max_examples=EXAMPLES[drug.policy_id],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(extract=nights(drug))
    def look(extract: RawExtract) -> None:
        night = extract.edited(drug.policy_id, reference)
        compare(by_engine(extract, drug, reference), night)
        reached.update(coverage_of(night))

    look()
    return reached


def test_engine_and_oracle_agree_and_reach_everything(tmp_path: Path) -> None:
    """A real policy, and a made-up drug whose two versions turn on what the real one turns off."""
    reached = compared(IXABEPILONE, REFERENCE)
    reached |= compared(MADE_UP, write_made_up(tmp_path, REFERENCE))
    assert {f"{edit_id}:fail" for edit_id in EDITS} <= reached
    assert {f"{e.id}:unknown" for e in EDITS.values() if e.unknown_message is not None} <= reached
    assert {f"disposition:{d}" for d in DISPOSITIONS} <= reached
    assert {f"action:{a}" for a in ACTIONS if a != "off"} <= reached
    assert {f"rejected:{name}" for name in BETWEEN_ROWS} <= reached
