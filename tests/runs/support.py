"""Published runs of the sample extract, and of the same rows written in other ways."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import runs
from claims_edit.contracts import CLAIM_SOURCE_COLUMNS
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.settings import RunSettings
from claims_edit.steps import Announce
from tests.support import PROJECT, REFERENCE

SAMPLE = PROJECT / "sample_claims"
AS_OF = date(2026, 2, 28)

Manifest = dict[str, Any]


def settings(out: Path, *claims: Path, **changes: Any) -> RunSettings:
    """A run over the sample, or over other claims with the sample's other inputs."""
    options: dict[str, Any] = {
        "claims": claims or (SAMPLE / "claims",),
        "authorizations": SAMPLE / "authorizations.csv",
        "members": SAMPLE / "members.csv",
        "clinical": SAMPLE / "clinical.csv",
        "out": out,
        "as_of": AS_OF,
        "run_id": "tonight",
        "reference_data": REFERENCE,
    }
    return RunSettings(**(options | changes))


def published(out: Path, *claims: Path, **changes: Any) -> Path:
    published = runs.run(settings(out, *claims, **changes))
    return published.folder


def run_folders(out: Path) -> list[str]:
    """What an output folder holds beside its lock."""
    return sorted(path.name for path in out.iterdir() if path.name != ".lock")


def manifest_of(folder: Path) -> Manifest:
    content: Manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"{name}.parquet")


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return table(folder, name).to_dicts()


def digests(folder: Path) -> dict[str, str]:
    """The digest of every table of a run."""
    return {name: sha256(folder / f"{name}.parquet") for name in RUN_TABLES}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sample_as_text() -> pl.DataFrame:
    """All claim rows of the sample, as text."""

    def frames() -> Iterator[pl.DataFrame]:
        for path in sorted((SAMPLE / "claims").iterdir()):
            if path.suffix == ".parquet":
                yield pl.read_parquet(path).select(pl.all().cast(pl.String))
            else:
                yield pl.read_csv(path, infer_schema=False)

    found = pl.concat(frames(), how="diagonal")
    return found.select(c for c in CLAIM_SOURCE_COLUMNS if c in found.columns)


def write(frame: pl.DataFrame, path: Path) -> Path:
    """Write a frame of text in the form that the name of the file says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path, row_group_size=17)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        frame.write_csv(path)
    return path


@contextmanager
def meanwhile(step: str, happens: Callable[[], object]) -> Iterator[None]:
    """In the runs of this process, let something happen as a step is announced."""
    run = runs.run

    def disturbed(settings: RunSettings, _: Announce = lambda _: None) -> runs.Published:
        def announce(name: str) -> None:
            if name == step:
                happens()

        return run(settings, announce)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runs, "run", disturbed)
        yield
