"""Small extracts of the benchmarks, each made and edited once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from benchmarks.generate import Made, make
from benchmarks.rivals.command import AS_OF, Inputs
from benchmarks.runs import program


@dataclass(frozen=True)
class Edited:
    """An extract, and the folder of the run over it."""

    made: Made
    run: Path

    def rival(self, name: str) -> Inputs:
        """What a rival is given."""
        history = self.made.history or Path()
        out = self.made.folder / f"{name}.parquet"
        return Inputs(self.made.claims, out, self.made.authorizations, history)


Editing = Callable[..., Edited]


@pytest.fixture(scope="session")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Editing:
    """Makes an extract and runs the program over it, once."""
    folder = tmp_path_factory.mktemp("bench")

    @cache
    def of(kind: str, lines: int, variant: str) -> Edited:
        made = make(kind, lines, variant, into=folder)
        argv: list[str | Path] = [program(), "run", "--claims", made.claims]
        argv += ["--authorizations", made.authorizations, "--as-of", AS_OF, "--run-id", "bench"]
        argv += ["--out", made.folder / "runs"]
        if made.history is not None:
            argv += ["--history", made.history]
        subprocess.run(argv, check=True, capture_output=True)
        return Edited(made, made.folder / "runs" / "run_id=bench")

    return lambda kind, lines, variant="": of(kind, lines, variant)
