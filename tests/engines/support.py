"""The same run on both engines, and whether they wrote the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from claims_edit import runs
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.settings import RunSettings
from tests.support import REFERENCE

# What a manifest says of the time and the engine, and of what these change.
_OF_THE_RUN = ("timings", "digest")


def on_both(out: Path, *, part_lines: int | None = None, **options: Any) -> tuple[Path, Path]:
    """The run, published by polars and by Spark in folders of their own; compared."""
    given: dict[str, Any] = {"reference_data": REFERENCE, "max_reject_rate": 1.0, **options}
    one = runs.run(RunSettings(**given, out=out / "polars")).folder
    if part_lines is not None:
        given["part_lines"] = part_lines
    on_spark = RunSettings(**given, out=out / "spark", engine="spark")
    other = runs.run(on_spark).folder
    assert_same(one, other)
    return one, other


def assert_same(one: Path, other: Path, *, inputs: bool = True) -> None:
    """Both runs have the same rows in every table, in the same order, and say the same of themselves."""
    for name in RUN_TABLES:
        frames = [pl.read_parquet(folder / f"{name}.parquet") for folder in (one, other)]
        assert_frame_equal(*frames)
    one_said, other_said = said(one), said(other)
    if not inputs:
        del one_said["inputs"], other_said["inputs"]
    assert one_said == other_said


def said(folder: Path) -> dict[str, Any]:
    """The manifest without what depends on the time, the engine and the bytes that it wrote."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in _OF_THE_RUN:
        content.pop(name, None)
    for output in content["outputs"]:
        del output["bytes"], output["digest"]
    content["history"]["runs"] = list(content["history"]["runs"])
    return content
