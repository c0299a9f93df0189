"""Sparse extracts: one line in a thousand is of the drug."""

from __future__ import annotations

from benchmarks.compare import same_lines
from benchmarks.generate import make
from benchmarks.measure import by_turns
from benchmarks.results import Section, Target, gib, processes, seconds, times
from benchmarks.runs import Run, bound, bounds, functions, rival, steps
from benchmarks.settings import Settings

FLOOR, FILTER = "floor: polars, one equality", "DuckDB, the filter alone"
DECODE = "polars decodes every column of every row"
DECODE_ONE = "the same on one core"
SLACK = 1.5


def sparse_20m(settings: Settings) -> Section:
    """20 million lines."""
    return _sparse("sparse-20m", settings, 20_000_000)


def sparse_100m(settings: Settings) -> Section:
    """100 million lines."""
    return _sparse("sparse-100m", settings, 100_000_000)


def _sparse(name: str, settings: Settings, lines: int) -> Section:
    made = make("sparse", settings.lines(lines))
    held, in_scope = made.known["with"]["lines"], sum(made.known["facts"].values())
    section = Section(name, f"{held:,} lines, {in_scope:,} of the drug, zstd Parquet")
    run = Run(made)
    floor, _ = rival(FLOOR, "floor", made)
    others, found = rival(FILTER, "duckdb_filter", made)
    at_best = [
        bound(DECODE, "decode", made.claims),
        bound(DECODE_ONE, "decode", made.claims, one_core=True),
    ]
    measured = by_turns([run.command(), floor, others, *at_best], settings.rounds, settings.say)
    ours = measured[run.name]
    processes(section, [ours], [measured[FLOOR], measured[FILTER]])
    rows = run.manifest()["rows"]
    counted, same = rows["edited"] + rows["rejected"], same_lines(run.folder, found)
    section.say(
        f"The generator made {in_scope:,} lines of the drug, in {len(made.known['facts'])} notations; "
        f"the run found {counted:,}. With those that DuckDB found: {same}."
    )
    limit = [1.3 * s.seconds + SLACK for s in measured[FLOOR].of]
    within = [s.seconds <= most for s, most in zip(ours.of, limit, strict=True)]
    to_filter = ours.ratio(measured[FILTER])
    targets = [
        Target("every line of the drug is found", f"{counted:,}", counted == in_scope),
        Target(
            "at most 1.3 times the floor and 1.5 s",
            f"{seconds(ours.seconds)} s, {times(ours.ratio(measured[FLOOR]))} times the floor; "
            f"within it in {sum(within)} of {len(within)} rounds",
            ours.seconds.median <= 1.3 * measured[FLOOR].seconds.median + SLACK,
        ),
        Target("peak memory under 1.5 GiB", gib(ours.peak_bytes), ours.peak_bytes < 1.5 * 2**30),
    ]
    if name == "sparse-100m":
        text = "less than 0.8 times DuckDB's filter alone"
        targets.append(Target(text, f"{times(to_filter)} times", to_filter.median < 0.8))
    section.targets(*targets)
    steps(section, run, ours)
    functions(section, run)
    bounds(section, run, ours, {b.name: measured[b.name] for b in at_best})
    return section


def gzip_5m(settings: Settings) -> Section:
    """5 million lines as one gzipped CSV file."""
    made = make("gzip", settings.lines(5_000_000))
    held, in_scope = made.known["with"]["lines"], sum(made.known["facts"].values())
    section = Section("gzip-5m", f"{held:,} lines of gzipped CSV, {in_scope:,} of the drug")
    run = Run(made)
    reading = "polars reads the same columns"
    floor, _ = rival(reading, "floor", made)
    unpack = bound("the file unpacked, on one core", "unpack", made.claims)
    measured = by_turns([run.command(), floor, unpack], settings.rounds, settings.say)
    ours = measured[run.name]
    processes(section, [ours], [measured[reading]])
    rows = run.manifest()["rows"]
    counted, ratio = rows["edited"] + rows["rejected"], ours.ratio(measured[reading])
    section.targets(
        Target("every line of the drug is found", f"{counted:,}", counted == in_scope),
        Target(
            "at most 1.2 times the time in which polars reads the same columns",
            f"{times(ratio)} times",
            ratio.median <= 1.2,
        ),
    )
    steps(section, run, ours)
    functions(section, run)
    bounds(section, run, ours, {unpack.name: measured[unpack.name]})
    return section
