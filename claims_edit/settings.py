"""Command line, environment and TOML to one frozen object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from claims_edit.errors import UsageError

DEFAULT_POLICY = "prime-ic-0072"
DEFAULT_MAX_REJECT_RATE = 0.01
DEFAULT_PART_LINES = 1_000_000
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """Where and under which name something is published, on which day, from which reference data."""

    out: Path
    as_of: date
    run_id: str
    reference_data: Path
    replace: bool = False

    def __post_init__(self) -> None:
        if not _RUN_ID.fullmatch(self.run_id):
            raise UsageError(
                f"--run-id: {self.run_id!r} cannot name a folder; "
                "use at most 100 letters, digits, '.', '_', '-'."
            )


@dataclass(frozen=True, kw_only=True)
class NightSettings(OutputSettings):
    """What one night reads."""

    claims: tuple[Path, ...]
    authorizations: Path
    members: Path | None = None
    clinical: Path | None = None
    history: Path | None = None
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.max_reject_rate <= 1:
            raise UsageError("--max-reject-rate: must be between 0 and 1, such as 0.01.")


@dataclass(frozen=True, kw_only=True)
class RunSettings(NightSettings):
    """What one run reads, under which policy, and where it publishes."""

    policy: str = DEFAULT_POLICY
    strict_drift: bool = False
    part_lines: int = DEFAULT_PART_LINES

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part_lines < 1:
            raise UsageError("--part-lines: must be 1 or more, such as 1000000.")


@dataclass(frozen=True, kw_only=True)
class CompareSettings(NightSettings):
    """What a comparison reads, and the two policies (`POLICY` or `POLICY@VERSION`) it is judged under."""

    baseline: str
    candidate: str


@dataclass(frozen=True, kw_only=True)
class DeterminationSettings(OutputSettings):
    """Which authorizations are judged, and under which policy."""

    authorizations: Path
    members: Path | None = None
    clinical: Path | None = None
    policy: str = DEFAULT_POLICY


@dataclass(frozen=True)
class ValidateSettings:
    """Which extracts are checked."""

    claims: tuple[Path, ...]
    reference_data: Path
    authorizations: Path | None = None
    members: Path | None = None
    clinical: Path | None = None
