"""What a command costs before it has anything to do, and what nights of history cost."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.generate import make
from benchmarks.measure import PROJECT, Command, by_turns
from benchmarks.results import Section, Target, processes, seconds
from benchmarks.runs import Run, program, steps
from benchmarks.settings import Settings

LINES = 1_000


def startup(settings: Settings) -> Section:
    """`--help`, and a run over 1,000 lines."""
    run = Run(make("dense", LINES), f"a run over {LINES:,} lines")
    section = Section("startup", f"`--help`, and a run over {LINES:,} lines")
    help_ = Command("claims-edit --help", [program(), "--help"])
    of_run = Command("claims-edit run --help", [program(), "run", "--help"])
    bare = Command("Python alone", [sys.executable, "-c", ""])
    commands = [help_, of_run, run.command(), bare]
    measured = by_turns(commands, settings.rounds, settings.say)
    processes(section, measured.values())
    of_help, whole = measured[help_.name].seconds, measured[run.name].seconds
    section.targets(
        Target("`--help` under 0.25 s", f"{seconds(of_help)} s", of_help.median < 0.25),
        Target(f"{run.name} under 1.5 s", f"{seconds(whole)} s", whole.median < 1.5),
    )
    steps(section, run, measured[run.name])
    return section


def history(settings: Settings) -> Section:
    """Three years of nights as history: see history.py."""
    nights = settings.lines(1_100)
    rounds = str(settings.rounds)
    argv = [sys.executable, "-m", "benchmarks.history", "--nights", str(nights), "--rounds", rounds]
    section = Section("history", f"{nights:,} nights as history, against one compacted file")
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)
    section.say("```\n" + done.stdout.strip() + "\n```")
    last = (done.stdout.strip() or "it said nothing").splitlines()[-1]
    text = "run folders cost at most 1 second above one compacted file, and give the same lines"
    section.targets(Target(text, last, done.returncode == 0))
    return section
