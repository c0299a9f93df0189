"""Authorizations with the clinical facts behind them, determined through the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS
from tests.cli.support import AS_OF, Argument, Operator, Said, authorization
from tests.runs.support import Manifest, manifest_of
from tests.support import Row, write_csv

# Every criterion of prime-ic-0072 is met, HER2 negative as a single agent in the third line.
MET: Row = {
    "disease_extent": "metastatic",
    "her2_ihc": "1",
    "her2_test_approved": "true",
    "er_percent": "90",
    "visceral_crisis": "true",
    "line_of_therapy": "3",
    "regimen": "single_agent",
    "cremophor_hypersensitivity": "false",
}
# With capecitabine, all but the liver documented.
WITH_CAPECITABINE: Row = {
    "disease_extent": "metastatic",
    "regimen": "with_capecitabine",
    "cremophor_hypersensitivity": "false",
    "anthracycline_failed": "true",
    "taxane_failed": "true",
}
LIVER: Row = {"ast_xuln": "2.5", "alt_xuln": "2.5", "bilirubin_xuln": "1"}
RENEWAL: Row = MET | {"disease_response": "stable", "unacceptable_toxicity": "false"}


@dataclass(frozen=True)
class Determined:
    """Published determinations, and what the command printed."""

    folder: Path
    said: Said

    @property
    def manifest(self) -> Manifest:
        return manifest_of(self.folder)

    def table(self, name: str = "determinations") -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def __getitem__(self, number: int) -> dict[str, Any]:
        """The determination of one authorization."""
        return self.by_number()[number]

    def by_number(self) -> dict[int, dict[str, Any]]:
        rows = self.table().iter_rows(named=True)
        return {int(row["authorization_number"].rpartition("-")[2]): row for row in rows}

    def verdicts(self) -> dict[int, str]:
        return {number: row["determination"] for number, row in self.by_number().items()}


@dataclass(frozen=True)
class Desk:
    """A desk of utilization management, with its extracts."""

    operator: Operator

    @property
    def clinical(self) -> Path:
        return self.operator.folder / "clinical.csv"

    @property
    def members(self) -> Path:
        return self.operator.folder / "members.csv"

    @property
    def out(self) -> Path:
        return self.operator.out

    def write(
        self,
        authorizations: Sequence[Row],
        facts: Mapping[int, Row] | None = None,
        members: Sequence[Row] | None = None,
    ) -> None:
        """The extracts, facts by the number of their authorization; None is no such extract."""
        columns = list(AUTHORIZATIONS.columns)
        write_csv(self.operator.authorizations, authorizations, columns)
        for path in (self.clinical, self.members):
            path.unlink(missing_ok=True)
        if facts is not None:
            rows: list[Row] = [
                {"authorization_number": f"ZQ-AUTH-{n}", **f} for n, f in facts.items()
            ]
            write_csv(self.clinical, rows, list(CLINICAL_FACTS.columns))
        if members is not None:
            write_csv(self.members, members, ["member_id"])

    def arguments(self, *options: Argument) -> list[str]:
        given: list[Argument] = ["authorizations", *self.operator.rest_of_run()]
        for path in (self.clinical, self.members):
            given += [f"--{path.stem}", path] if path.exists() else []
        return [str(a) for a in [*given, *options]]

    def command(self, *options: Argument) -> Said:
        return self.operator.command(*self.arguments(*options))

    def determined(self, *options: Argument) -> Determined:
        """Determinations that were published without a word of complaint."""
        said = self.command(*options)
        assert (said.exit_code, said.messages) == (0, [])
        given = [str(option) for option in options]
        name = given[given.index("--run-id") + 1] if "--run-id" in given else AS_OF
        out = Path(given[given.index("--out") + 1]) if "--out" in given else self.out
        return Determined(out / f"determinations_id={name}", said)

    def determine(
        self,
        facts: Mapping[int, Row] | None,
        *options: Argument,
        members: Sequence[Row] | None = None,
        **changes: str | None,
    ) -> Determined:
        """One authorization for each of the facts, but for `changes`."""
        rows = [authorization(n, **changes) for n in facts or [0]]
        self.write(rows, facts, members)
        return self.determined(*options)


def member(number: int = 0, **changes: str | None) -> Row:
    row: Row = {
        "member_id": f"ZQ-MEMBER-{number}",
        "birth_date": "1970-05-14",
        "gender": "female",
        "state": "OH",
        "payer_type": "commercial",
        "enrollment_start_date": "2020-01-01",
        "enrollment_end_date": None,
    }
    return row | changes
