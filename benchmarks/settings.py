"""How much is measured, and where it goes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generate import FOLDER
from benchmarks.results import RESULTS

QUICK = 20


@dataclass(frozen=True)
class Settings:
    """The rounds of each comparison, and whether all is made a twentieth of its size."""

    rounds: int = 5
    quick: bool = False

    def lines(self, wanted: int) -> int:
        """How many lines stand for so many."""
        return wanted // QUICK if self.quick else wanted

    @property
    def results(self) -> Path:
        """Where the sections are written; what is tried out stays out of the project."""
        return FOLDER / "RESULTS-quick.md" if self.quick else RESULTS

    def say(self, text: str) -> None:
        """Tell how far it is."""
        print(f"  {text}", file=sys.stderr, flush=True)
