"""What it costs to read three years of nightly runs as history, against one compacted file.

Makes 1,100 run folders, one a night, out of a published run of the sample claims: every night has
claims of its own, and a member comes back every 30 nights. The rival is one run folder that holds the
same lines and versions in one file each. A whole run of the sample claims is timed with either as
`--history`, by turns. Fails where the nights cost more than a second above the rival, or where the two
do not give the same `lines.parquet`, to the byte.

    python -m benchmarks.history [--nights 1100] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import runs
from claims_edit.history import digest_as_history
from claims_edit.manifest import NAME, digest_of, sealed
from claims_edit.publish import run_folder
from claims_edit.reference import shipped_folder
from claims_edit.settings import RunSettings

ALLOWED_SECONDS = 1.0
COMES_BACK_AFTER = 30
TONIGHT = date(2026, 2, 28)
SAMPLE = Path(__file__).resolve().parent.parent / "sample_claims"
# What a run reads of the runs before it, beside their manifests.
READ = ("lines", "other_versions", "partner_lines")
STEPS = ("inputs", "history", "edits")

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Seed:
    """The run of the sample claims that every night is made of."""

    tables: Tables
    manifest: dict[str, Any]

    def night(self, back: int) -> Tables:
        """The tables of a night so many nights back: other claims and dates, and mostly other members."""
        return {name: _moved(table, back) for name, table in self.tables.items()}


def _moved(table: pl.DataFrame, back: int) -> pl.DataFrame:
    member = back % COMES_BACK_AFTER
    return table.with_columns(
        pl.col("member_id") + ("" if member == 0 else f"-{member}"),
        pl.col("claim_id", "original_claim_id") + f"-{back}",
        pl.col(pl.Date).exclude("birth_date") - timedelta(days=back),
    )


def seed(folder: Path) -> Seed:
    """Publish the sample claims; among them must be a version out of scope."""
    published = run_with(None, folder)
    tables = {name: pl.read_parquet(published.folder / f"{name}.parquet") for name in READ}
    if tables["other_versions"].is_empty():
        raise SystemExit("the sample claims have no version out of scope: nothing to measure")
    return Seed(tables, {k: v for k, v in published.manifest.items() if k != "digest"})


def publish(out: Path, run_id: str, place: int, tables: Tables, from_seed: Seed) -> dict[str, Any]:
    """Write a run folder as far as later runs read it; its manifest, without the runs before it."""
    folder = run_folder(out, run_id)
    folder.mkdir(parents=True)
    written = {}
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        table.write_parquet(path, compression="zstd")
        written[name] = {"rows": table.height, **digest_of(path, whole=True)}
    outputs = [o | written.get(o["table"], {}) for o in from_seed.manifest["outputs"]]
    history: dict[str, Any] = {"place": place, "folder": None, "runs": {}}
    return from_seed.manifest | {"run_id": run_id, "outputs": outputs, "history": history}


def seal(out: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a run folder: now it is a run."""
    (run_folder(out, manifest["run_id"]) / NAME).write_bytes(sealed(manifest))


def nights_and_rival(of: Seed, nights: int, many: Path, one: Path) -> Tables:
    """Write the run folders, each with all before it as its history, and the rival; what that holds."""
    taken: dict[str, str] = {}
    by_night = []
    for place, back in enumerate(range(nights, 0, -1), 1):
        tables = of.night(back)
        run_id = (TONIGHT - timedelta(days=back)).isoformat()
        manifest = publish(many, run_id, place, tables, of)
        manifest["history"]["runs"] = dict(taken)
        seal(many, manifest)
        taken[run_id] = digest_as_history(manifest)
        by_night.append(tables)
    compacted = {name: pl.concat(tables[name] for tables in by_night) for name in READ}
    seal(one, publish(one, "compacted", 1, compacted, of))
    return compacted


def run_with(history: Path | None, out: Path) -> runs.Published:
    """Run the sample claims."""
    return runs.run(
        RunSettings(
            claims=(SAMPLE / "claims",),
            authorizations=SAMPLE / "authorizations.csv",
            members=SAMPLE / "members.csv",
            out=out,
            as_of=TONIGHT,
            run_id="tonight",
            reference_data=shipped_folder(),
            history=history,
            replace=True,
        )
    )


@dataclass(frozen=True)
class Round:
    """One timed run."""

    seconds: float
    steps: dict[str, float]
    lines: bytes


def timed(history: Path, out: Path) -> Round:
    """Run the sample claims with such a history, and keep how long it took and what it gave."""
    begun = time.perf_counter()
    published = run_with(history, out)
    seconds = time.perf_counter() - begun
    steps = json.loads((published.folder / NAME).read_bytes())["timings"]
    return Round(seconds, steps, (published.folder / "lines.parquet").read_bytes())


def report(name: str, rounds: list[Round]) -> float:
    """Print the best round; its seconds."""
    best = min(rounds, key=lambda r: r.seconds)
    steps = ", ".join(f"{step} {best.steps[step]:.2f}" for step in STEPS)
    every = " ".join(f"{r.seconds:.2f}" for r in rounds)
    print(f"{name:<12} {best.seconds:.2f} s  ({steps})  rounds: {every}")
    return best.seconds


def compare(nights: int, rounds: int, folder: Path) -> Iterator[str]:
    """Make the nights, time both histories, print what was found; each promise that does not hold."""
    print(f"making {nights:,} run folders …", flush=True)
    many, one, out = folder / "many", folder / "one", folder / "out"
    held = nights_and_rival(seed(folder / "seed"), nights, many, one)
    print(", ".join(f"{name}: {table.height:,} rows" for name, table in held.items()))
    timed(many, out), timed(one, out)  # the first run of a process loads what the others have
    pairs = [(timed(many, out), timed(one, out)) for _ in range(rounds)]
    of_many, of_one = ([pair[i] for pair in pairs] for i in (0, 1))
    difference = report("run folders", of_many) - report("compacted", of_one)
    print(f"difference   {difference:.2f} s between the best of {rounds} rounds")
    if difference > ALLOWED_SECONDS:
        yield f"the run folders cost more than {ALLOWED_SECONDS:g} s above the compacted file"
    if len({r.lines for pair in pairs for r in pair}) > 1:
        yield "the two histories do not give the same lines.parquet"


def main() -> int:
    """Measure; 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--nights", type=int, default=1100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broken = list(compare(options.nights, options.rounds, Path(folder)))
    for promise in broken:
        print(f"FAILED: {promise}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
