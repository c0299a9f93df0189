"""The engine and the naive oracle say the same of generated nights, which reach everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from claims_edit.contracts import DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.oracle.nights import IXABEPILONE, Drug, RawExtract, coverage_of, nights
from tests.properties.comparison import by_engine, by_oracle, compare
from tests.support import REFERENCE

EXAMPLES = 250
BETWEEN_ROWS = ("duplicate_row", "conflicting_key", "conflicting_claim", "replacement_cycle")


@pytest.fixture(scope="session")
def made_up_reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up(tmp_path_factory.mktemp("reference_data"), REFERENCE)


def compared(drug: Drug, reference: Path) -> set[str]:
    """Compare on generated nights; what they reached."""
    reached: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(extract=nights(drug))
    def look(extract: RawExtract) -> None:
        night = by_oracle(extract, drug, reference)
        compare(by_engine(extract, drug, reference), night)
        reached.update(coverage_of(night))

    look()
    return reached


def test_ixabepilone() -> None:
    reached = compared(IXABEPILONE, REFERENCE)
    assert {f"disposition:{d}" for d in DISPOSITIONS} <= reached


def test_a_made_up_drug_is_edited_by_its_data_alone(made_up_reference: Path) -> None:
    """Two versions with other actions reach the edits and verdicts that the real policy turns off."""
    reached = compared(MADE_UP, made_up_reference)
    assert {f"{edit_id}:fail" for edit_id in EDITS} - reached == set()
    unknown = {f"{e.id}:unknown" for e in EDITS.values() if e.unknown_message is not None}
    assert unknown - reached == set()
    assert {f"disposition:{d}" for d in DISPOSITIONS} <= reached
    assert {f"rejected:{name}" for name in BETWEEN_ROWS} <= reached
