"""Dense extracts: every line is of the drug."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.compare import Compared, compared, limits_compared
from benchmarks.generate import Made, make
from benchmarks.measure import Samples, by_turns, sample
from benchmarks.results import Section, Target, gib, processes, times
from benchmarks.runs import OUT, Run, bound, bounds, functions, per_line, rival, steps
from benchmarks.settings import Settings

DUCKDB, PANDAS = "DuckDB, line edits alone", "pandas, line edits and limits"
COPY, DECODE = "polars reads and writes every column", "polars reads every column"
ZEN_LINES, ORACLE_LINES = 20_000, 2_000
GROWTH = (500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000)
PANDAS_TIMES, ZEN_TIMES = 10, 200
LIMITS_SHARE = 0.05
# The steps of the line edits.
LINE_EDITS = [
    "governance",
    "claim",
    "member",
    "diagnosis",
    "ndc",
    "wastage",
    "authorization",
    "asking",
]


def described(made: Made) -> str:
    """How much an extract holds."""
    facts = made.known["facts"]
    return (
        f"{facts['lines']:,} lines, {facts['members']:,} members, "
        f"{facts['authorizations']:,} authorizations, {facts['history lines']:,} lines of history"
    )


def dense_5m(settings: Settings) -> Section:
    """5 million lines against SQL, pandas, a rules engine and the oracle."""
    made = make("dense", settings.lines(5_000_000))
    section = Section("dense-5m", described(made))
    run = Run(made)
    duckdb, duckdb_found = rival(DUCKDB, "duckdb_edits", made)
    pandas, pandas_found = rival(PANDAS, "pandas_edits", made)
    at_best = [bound(DECODE, "decode", made.claims), bound(COPY, "copy", made.claims, OUT / "copy")]
    commands = [run.command(), duckdb, pandas, *at_best]
    measured = by_turns(commands, settings.rounds, settings.say)
    ours = measured[run.name]
    processes(section, [ours], [measured[DUCKDB], measured[PANDAS]])
    agreed = {
        "DuckDB": compared(run.folder, duckdb_found),
        "pandas": compared(run.folder, pandas_found, limits=True),
    }
    to_duckdb, of_pandas = ours.ratio(measured[DUCKDB]), measured[PANDAS].ratio(ours)
    targets = [
        Target(
            "no slower than DuckDB's line edits alone",
            f"{times(to_duckdb)} times",
            to_duckdb.median <= 1,
        ),
        Target(
            "10 times faster than pandas",
            f"{times(of_pandas)} times",
            of_pandas.median >= PANDAS_TIMES,
        ),
        Target("peak memory under 6 GiB", gib(ours.peak_bytes), ours.peak_bytes < 6 * 2**30),
    ]
    a_line = ours.seconds.median / made.known["facts"]["lines"]
    targets += _line_by_line(section, settings, run, a_line, agreed)
    _agreement(section, agreed)
    section.targets(*targets, _same(agreed))
    steps(section, run, ours)
    functions(section, run)
    bounds(section, run, ours, {b.name: measured[b.name] for b in at_best})
    return section


def _line_by_line(
    section: Section, settings: Settings, run: Run, a_line: float, agreed: dict[str, Compared]
) -> list[Target]:
    """The rivals that take a line at a time, on slices of their own."""
    small, smaller = (make("dense", lines) for lines in (ZEN_LINES, ORACLE_LINES))
    zen, zen_found = rival("zen-engine", "zen_edits", small)
    oracle, oracle_found = rival("the oracle", "oracle", smaller)
    for made in (small, smaller):
        sample(Run(made).command())
    by_zen = [json.loads(sample(zen).printed) for _ in range(settings.rounds)]
    by_oracle = [float(sample(oracle).printed) for _ in range(min(settings.rounds, 3))]
    agreed["zen-engine"] = compared(Run(small).folder, zen_found)
    agreed["the oracle"] = compared(Run(smaller).folder, oracle_found, limits=True)
    ways = {
        f"zen-engine, {way}": np.median([z[way] / z["lines"] for z in by_zen])
        for way in ("evaluate", "evaluate_batch")
    }
    lines = smaller.known["facts"]["lines"]
    ways["the oracle, all edits and limits"] = np.median(by_oracle) / lines
    alone = sum(run.timings()[f"edits: {step}"] for step in LINE_EDITS)
    alone_a_line = alone / run.made.known["facts"]["lines"]
    section.say(
        f"A line at a time, on a slice of {small.known['facts']['lines']:,} lines (the oracle "
        f"{lines:,}), reading and facts not counted; the whole run, by its lines, takes "
        f"{a_line * 1e6:.2f} µs a line, and its line edits with their facts, in seconds of its two "
        f"threads, {alone_a_line * 1e6:.2f}:"
    )
    section.table(
        ("", "µs a line", "times our run", "times our line edits"),
        [
            (way, f"{took * 1e6:.1f}", f"{took / a_line:.0f}", f"{took / alone_a_line:.0f}")
            for way, took in ways.items()
        ],
    )
    return [
        Target(
            f"200 times the rules engine per line, by `{way}`",
            f"{ways[f'zen-engine, {way}'] / a_line:.0f} times",
            bool(ways[f"zen-engine, {way}"] / a_line >= ZEN_TIMES),
        )
        for way in ("evaluate", "evaluate_batch")
    ]


def _agreement(section: Section, agreed: dict[str, Compared]) -> None:
    section.say("Failed and unknown edits of every line, in order, against ours:")
    section.table(
        ("rival", "lines compared", "lines that differ"),
        [(name, f"{c.lines:,}", f"{c.differing.height:,}") for name, c in agreed.items()],
    )


def _same(agreed: dict[str, Compared]) -> Target:
    differing = sum(c.differing.height for c in agreed.values())
    return Target("the rivals find the same", f"{differing:,} lines differ", differing == 0)


def dense_growth(settings: Settings) -> Section:
    """From half a million lines to ten million."""
    runs = [
        Run(make("dense", settings.lines(lines)), f"{settings.lines(lines):,} lines")
        for lines in GROWTH
    ]
    section = Section("dense-growth", f"from {runs[0].name} to {runs[-1].name}")
    measured = by_turns([run.command() for run in runs], settings.rounds, settings.say)
    processes(section, measured.values())
    lines = [run.made.known["facts"]["lines"] for run in runs]
    taken = [measured[run.name].seconds.median for run in runs]
    exponent = float(np.polyfit(np.log(lines), np.log(taken), 1)[0])
    a_line = [per_line(measured[r.name].seconds, n) for r, n in zip(runs, lines, strict=True)]
    section.say(
        f"Least squares of log time on log lines: time grows with the power {exponent:.2f} of the "
        f"lines. A line takes {', '.join(a_line)}."
    )
    section.targets(
        Target("time grows linearly (a power of at most 1.1)", f"{exponent:.2f}", exponent <= 1.1)
    )
    return section


def dense_20m(settings: Settings) -> Section:
    """Peak memory of 20 million lines beside that of 5 million."""
    runs = [
        Run(make("dense", settings.lines(lines)), f"{settings.lines(lines):,} lines")
        for lines in (5_000_000, 20_000_000)
    ]
    section = Section("dense-20m", described(runs[-1].made))
    measured = by_turns([run.command() for run in runs], min(settings.rounds, 3), settings.say)
    processes(section, measured.values())
    small, large = (measured[run.name].peak_bytes for run in runs)
    section.targets(
        Target(
            "memory is bounded: at four times the lines still under 6 GiB",
            f"{gib(large)}, {large / small:.2f} times that of {runs[0].name}",
            large < 6 * 2**30,
        )
    )
    steps(section, runs[-1], measured[runs[-1].name])
    return section


def limits(settings: Settings) -> Section:
    """What the sequential limits take of a run."""
    variants = {
        "2 % of members over the limit": "",
        "one member with 100,000 lines": "heavy-member",
        "every member over the limit": "all-over",
    }
    lines = settings.lines(5_000_000)
    runs = [Run(make("dense", lines, variant), name) for name, variant in variants.items()]
    section = Section("limits", f"the sequential limits, {lines:,} lines")
    measured = by_turns([run.command() for run in runs], settings.rounds, settings.say)
    processes(section, measured.values())
    section.targets(*(_share(run, measured[run.name]) for run in runs))
    for run in runs:
        pandas, found = rival("pandas", "pandas_edits", run.made)
        sample(pandas)
        section.say(f"{run.name}, against pandas: {compared(run.folder, found, limits=True)}.")
    _in_sql(section, settings)
    return section


def _share(run: Run, whole: Samples) -> Target:
    """The limits' share of what all steps took: parts are edited two at a time, so that the seconds of
    steps add up to more than those of the run."""
    timings = run.timings()
    took = timings["edits: limits"]
    share = took / sum(seconds for step, seconds in timings.items() if ": " not in step)
    return Target(
        f"under 5 % of what all steps take: {run.name}",
        f"{share:.1%}; {took:.2f} s of two threads, the run {whole.of[-1].seconds:.1f} s",
        share < LIMITS_SHARE,
    )


def _in_sql(section: Section, settings: Settings) -> None:
    """How far SQL goes, on a slice."""
    made = make("dense", settings.lines(500_000))
    run = Run(made)
    sample(run.command())
    command, found = rival("DuckDB", "duckdb_limits", made)
    took = np.median([float(sample(command).printed) for _ in range(settings.rounds)])
    ours = run.timings().get("edits: limits")
    beside = "" if ours is None else f"; ours take {ours:.2f} s, with authorizations and all"
    section.say(
        f"In SQL, on {made.known['facts']['lines']:,} lines, a recursive query that takes the next line "
        f"of every member at once needs {took:.2f} s for the two windows{beside}. "
        f"{limits_compared(run.folder, found)}."
    )
