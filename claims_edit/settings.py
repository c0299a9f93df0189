"""Command line, environment and TOML to one frozen object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from claims_edit.errors import UsageError

DEFAULT_POLICY = "prime-ic-0072"
DEFAULT_MAX_REJECT_RATE = 0.01
DEFAULT_SPARK_MASTER = "local[*]"
DEFAULT_PART_LINES = 250_000
DEFAULT_REPORT_LINES = 2_000
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_address(place: Path | str) -> bool:
    """Whether it is an address such as `s3a://bucket/key`, and not a path of this machine."""
    return isinstance(place, str) and _ADDRESS.match(place) is not None


def _require_paths(*places: Path | str | None) -> None:
    """Raises UsageError for an address, where polars reads the extracts of this machine."""
    for place in places:
        if place is not None and is_address(place):
            raise UsageError(
                f"{place}: an address is read by a run with --engine spark alone; without it, give a "
                "path of this machine."
            )


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

    claims: tuple[Path | str, ...]
    authorizations: Path | str
    members: Path | str | None = None
    clinical: Path | str | None = None
    history: Path | None = None
    decisions: Path | None = None
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self._reads_addresses:
            _require_paths(*self.claims, self.authorizations, self.members, self.clinical)
        if not 0 <= self.max_reject_rate <= 1:
            raise UsageError("--max-reject-rate: must be between 0 and 1, such as 0.01.")

    @property
    def _reads_addresses(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class RunSettings(NightSettings):
    """What one run reads, under which policy, and where it publishes."""

    policy: str = DEFAULT_POLICY
    strict_drift: bool = False
    part_lines: int = DEFAULT_PART_LINES
    engine: str = "polars"
    spark_master: str = DEFAULT_SPARK_MASTER
    spark_conf: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part_lines < 1:
            raise UsageError(f"--part-lines: must be 1 or more, such as {DEFAULT_PART_LINES}.")
        for setting in self.spark_conf:
            if not re.fullmatch(r"spark\.[^=\s]+=.*", setting):
                raise UsageError(
                    f"--spark-conf: {setting.partition('=')[0]!r}: must be spark.KEY=VALUE, such as "
                    "spark.executor.memory=8g."
                )

    @property
    def _reads_addresses(self) -> bool:
        return self.engine == "spark"

    @property
    def spark_settings(self) -> dict[str, str]:
        """The settings of Spark, by their keys."""
        return dict(setting.split("=", 1) for setting in self.spark_conf)


@dataclass(frozen=True, kw_only=True)
class CompareSettings(NightSettings):
    """What a comparison reads, and the two policies (`POLICY` or `POLICY@VERSION`) it is judged under."""

    baseline: str
    candidate: str


@dataclass(frozen=True, kw_only=True)
class DeterminationSettings(OutputSettings):
    """Which authorizations are judged, and under which policy."""

    authorizations: Path | str
    members: Path | str | None = None
    clinical: Path | str | None = None
    policy: str = DEFAULT_POLICY

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_paths(self.authorizations, self.members, self.clinical)


@dataclass(frozen=True)
class ValidateSettings:
    """Which extracts are checked."""

    claims: tuple[Path | str, ...]
    reference_data: Path
    authorizations: Path | str | None = None
    members: Path | str | None = None
    clinical: Path | str | None = None

    def __post_init__(self) -> None:
        _require_paths(*self.claims, self.authorizations, self.members, self.clinical)


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """Which run is reported, where to, how many of its lines, and whether by pseudonyms."""

    run_dir: Path
    to: Path | None = None
    workbook: bool = False
    lines: int = DEFAULT_REPORT_LINES
    mask: bool = False
    unmasked: bool = False
    mask_key: Path | None = None

    def __post_init__(self) -> None:
        if self.lines < 1:
            raise UsageError("--lines: must be 1 or more, such as 2000.")
