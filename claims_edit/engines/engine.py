"""What every engine is to a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from claims_edit.history import History
from claims_edit.parts import Part
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.settings import RunSettings
from claims_edit.steps import Stopwatch


class Computation(Protocol):
    """A run whose inputs are open."""

    def parts(self, aside: Path) -> Iterator[Part]:
        """The tables, part by part; a folder may be made `aside` for what cannot be held meanwhile."""

    def files(self) -> list[dict[str, Any]]:
        """What the manifest says of every file, once all parts came.

        Raises InputError where one is no longer what it was when it was opened.
        """


Computing = Callable[
    [RunSettings, Policy, ReferenceData, History, Stopwatch], AbstractContextManager[Computation]
]


def computing_by(engine: str) -> Computing:
    """How an engine computes; what it needs is imported when it is asked for."""
    if engine == "spark":
        from claims_edit.engines.spark.engine import computing as on_spark

        return on_spark
    from claims_edit.engines.local import computing

    return computing
