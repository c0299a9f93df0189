"""The program as an operator meets it: small extracts, one command, and what it said."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from tests.support import PROJECT, Row, write_csv

Argument = str | Path

AS_OF = "2026-02-28"
# Every id of a person or claim of these extracts begins with it, so that none can hide in a log.
MARK = "ZQ"
_LOG = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z (info|warning): ")

CLAIM: Row = {
    "claim_id": f"{MARK}-CLAIM-0",
    "claim_line_number": "1",
    "claim_type": "professional",
    "member_id": f"{MARK}-MEMBER-0",
    "birth_date": "1970-05-14",
    "gender": "female",
    "line_of_business": "commercial",
    "member_state": "OH",
    "claim_line_start_date": "2026-01-12",
    "hcpcs_code": "J9207",
    "hcpcs_modifier_1": None,
    "service_unit_quantity": "90",
    "charge_amount": "9000.00",
    "ndc_code": "70020-1911-01",
    "ndc_quantity": "2",
    "ndc_unit": "UN",
    "diagnosis_code_1": "C50.911",
    "diagnosis_pointer_1": "1",
    "rendering_npi": "1000000001",
}


def claim(number: int = 0, **changes: str | None) -> Row:
    """A dose with everything in order, each number another member's, but for `changes`."""
    ids: Row = {"claim_id": f"{MARK}-CLAIM-{number}", "member_id": f"{MARK}-MEMBER-{number}"}
    return CLAIM | ids | changes


def claims(count: int, **changes: str | None) -> list[Row]:
    return [claim(number, **changes) for number in range(count)]


def authorization(number: int = 0, **changes: str | None) -> Row:
    row: Row = {
        "authorization_number": f"{MARK}-AUTH-{number}",
        "member_id": f"{MARK}-MEMBER-{number}",
        "hcpcs_code": "J9207",
        "status": "approved",
        "effective_date": "2025-10-01",
        "expiration_date": "2026-03-31",
        "approved_units": None,
    }
    return row | changes


def facts(number: int = 0, **changes: str | None) -> Row:
    """The clinical facts of an authorization: they meet the criteria, for a dose of 90 units."""
    row: Row = {
        "authorization_number": f"{MARK}-AUTH-{number}",
        "disease_extent": "metastatic",
        "her2_ihc": "1",
        "her2_test_approved": "true",
        "er_percent": "90",
        "pr_percent": "40",
        "endocrine_refractory": "true",
        "line_of_therapy": "3",
        "regimen": "single_agent",
        "capecitabine_failed": "false",
        "cremophor_hypersensitivity": "false",
        "bsa_m2": "2.0",
    }
    return row | changes


def csv_text(rows: Sequence[Row], columns: Sequence[str] = tuple(CLAIM)) -> str:
    lines = (",".join(row.get(column) or "" for column in columns) for row in rows)
    return "".join(f"{line}\n" for line in (",".join(columns), *lines))


def typed_claims(path: Path, *columns: pl.Expr, rows: Sequence[Row] = ()) -> Path:
    """A Parquet file of claims as text, but for `columns`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = pl.DataFrame(rows or claims(3), schema=dict.fromkeys(CLAIM, pl.String))
    text.with_columns(*columns).write_parquet(path)
    return path


@dataclass(frozen=True)
class Said:
    """What a command left behind: its exit code and both streams."""

    exit_code: int
    out: str
    err: str

    @property
    def messages(self) -> list[str]:
        """The lines on standard error that are no log."""
        return [line for line in self.err.splitlines() if line and not _LOG.match(line)]


@dataclass(frozen=True)
class Operator:
    """Somebody with a folder, an authorizations extract in it, and a folder for reports."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def out(self) -> Path:
        return self.folder / "reports"

    @property
    def authorizations(self) -> Path:
        return self.folder / "authorizations.csv"

    @property
    def published(self) -> list[str]:
        return sorted(path.parent.name for path in self.out.glob("run_id=*/manifest.json"))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def write_claims(self, rows: Sequence[Row], name: str = "claims.csv") -> Path:
        return self.write(name, csv_text(rows))

    def command(self, *arguments: str | Path) -> Said:
        """Any command, in this process."""
        self.capsys.readouterr()
        code = outcome([str(a) for a in arguments])
        streams = self.capsys.readouterr()
        return Said(code, streams.out, streams.err)

    def run(self, *claims: str | Path, options: Sequence[str | Path] = ()) -> Said:
        return self.command("run", "--claims", *claims, *self.rest_of_run(), *options)

    def rest_of_run(self) -> list[Argument]:
        where: list[Argument] = ["--authorizations", self.authorizations, "--out", self.out]
        return [*where, "--as-of", AS_OF]

    def edited(self, *claims: str | Path, options: Sequence[str | Path] = ()) -> Tables:
        """The tables of a run that was published without a word of complaint."""
        said = self.run(*claims, options=options)
        assert (said.exit_code, said.messages) == (0, [])
        keeps_members_secret(said)
        (folder,) = self.published
        return Tables(self.out / folder)

    def refused(
        self,
        exit_code: int,
        *claims: str | Path,
        options: Sequence[str | Path] = (),
        says: Iterable[str | Path],
    ) -> None:
        """A run that publishes nothing and says why in one message."""
        said = self.run(*claims, options=options)
        one_message(said, exit_code, says)
        assert self.published == []


@dataclass(frozen=True)
class Tables:
    """The tables of a published run."""

    folder: Path

    def __getitem__(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def dispositions(self) -> list[str]:
        return self["lines"]["disposition"].to_list()

    def failed_checks(self) -> list[list[str]]:
        return self["rejected_lines"]["failed_checks"].to_list()


def one_message(said: Said, exit_code: int, says: Iterable[str | Path]) -> None:
    """Exactly one message on standard error, with every text of `says` in it."""
    assert said.exit_code == exit_code, said.err
    assert len(said.messages) == 1, said.err
    (message,) = said.messages
    assert message.startswith("claims-edit: ")
    assert [str(text) for text in says if str(text) not in message] == [], message
    keeps_members_secret(said)


def keeps_members_secret(said: Said) -> None:
    assert "Traceback" not in said.err
    assert MARK not in said.err.upper()


def in_a_process(
    *arguments: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int = subprocess.PIPE,
) -> Said:
    """The same command as a process of its own, started in another folder."""
    done = subprocess.run(
        [sys.executable, "-m", "claims_edit", *map(str, arguments)],
        cwd=cwd,
        env=clean_environment() | dict(environment or {}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    return Said(done.returncode, done.stdout or "", done.stderr)


def clean_environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLAIMS_EDIT_")}
    return kept | {"PYTHONPATH": str(PROJECT)}


_HOLD = """
import fcntl, sys
with open(sys.argv[1], "a+") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(out: Path) -> Iterator[None]:
    """A process that holds the lock of an output folder, as a run does."""
    out.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(out / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.communicate()


def is_held(out: Path) -> bool:
    with (out / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def an_operator(folder: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    somebody = Operator(folder, capsys)
    write_csv(somebody.authorizations, [authorization(number) for number in range(30)])
    return somebody
