"""The inputs of a run on Spark: opened, the small ones read, and all of them entered in the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from claims_edit import inputs, intake
from claims_edit.engines.spark.files import Files, Located
from claims_edit.extracts import Extract
from claims_edit.history import History, Memory
from claims_edit.inputs import Requested, read_requests
from claims_edit.manifest import input_files
from claims_edit.members import open_members
from claims_edit.scope import Scope
from claims_edit.settings import NightSettings, is_address
from claims_edit.steps import Stopwatch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Inputs:
    """The extracts of a run and its history.

    Claims and members are opened on stubs, for workers to read; the others are read by the driver.
    """

    files: Files
    claims: Located
    members: Located | None
    authorizations: Located
    clinical: Located | None
    history: History

    def read_requests(self, watch: Stopwatch) -> Requested:
        """The authorizations and the clinical facts, read here."""
        with ExitStack() as stack:
            clinical = None
            if self.clinical is not None:
                stack.enter_context(self.clinical.named())
                clinical = self.clinical.extract
            stack.enter_context(self.authorizations.named())
            here = self.authorizations.extract
            return read_requests(
                inputs.Inputs(self.claims.extract, here, None, clinical, self.history), watch
            )

    def memory(self, scope: Scope) -> Memory:
        """History, its runs where every machine of the cluster sees them."""
        memory = self.history.memory(scope)
        runs = (replace(run, folder=run.folder.absolute()) for run in memory.runs)
        return replace(memory, runs=tuple(runs))

    def entries(self, counted: dict[str, int]) -> list[dict[str, Any]]:
        """What the manifest says of every file, `counted` being the rows of those that are CSV.

        Raises InputError where a file is no longer what it was when it was opened.
        """
        self._require_unchanged()
        optional = (self.members, self.clinical)
        given = (self.claims, self.authorizations, *(x for x in optional if x is not None))
        entries = [entry for located in given for entry in self._of(located, counted)]
        if self.history.elsewhere is not None:
            entries += input_files(self.history.elsewhere)
        self._require_unchanged()
        return entries + self.history.decisions.files

    def _of(self, located: Located, counted: dict[str, int]) -> list[dict[str, Any]]:
        if not located.files:
            return input_files(located.extract)
        if located.copied:
            return self.files.entries(located, located.extract.row_counts())
        parquet = iter(self.files.parquet_rows(located))
        rows = [
            next(parquet) if file.is_parquet else counted.get(file.uri, 1) - 1  # the header's line
            for file in located.files
        ]
        return self.files.entries(located, rows)

    def _require_unchanged(self) -> None:
        self.history.require_unchanged()
        for located in (self.claims, self.members, self.authorizations, self.clinical):
            if located is not None:
                self.files.require_unchanged(located)
                if not located.files:
                    located.extract.require_unchanged()


@contextmanager
def opened(spark: SparkSession, settings: NightSettings, history: History) -> Iterator[Inputs]:
    """Open the extracts. Raises InputError for one that is not there or cannot be read."""
    with TemporaryDirectory(prefix="claims-edit-inputs-") as folder:
        files = Files(spark, Path(folder))

        def claims(paths: Sequence[Path]) -> Extract:
            return intake.open_claims(paths, with_members=settings.members is not None)

        def here(name: str, path: Path | str, opener: Callable[[str | Path], Extract]) -> Located:
            if is_address(path):
                return files.located(name, [path], _one(opener), copied=True)
            return Located(opener(path), ())

        yield Inputs(
            files,
            files.located("claims", settings.claims, claims),
            None
            if settings.members is None
            else files.located("members", [settings.members], _one(open_members)),
            here("authorizations", settings.authorizations, intake.open_authorizations),
            None
            if settings.clinical is None
            else here("clinical", settings.clinical, intake.open_clinical_facts),
            history,
        )


def _one(opener: Callable[[str | Path], Extract]) -> Callable[[Sequence[Path]], Extract]:
    """What opens a path, opening the folder that all the paths are in."""
    return lambda paths: opener(paths[0].parent)
