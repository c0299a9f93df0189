"""The commands that are timed, and what a run of ours says of itself."""

from __future__ import annotations

import json
import pstats
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claims_edit
from benchmarks.generate import FOLDER, Made
from benchmarks.measure import Command, Samples, Spread, sample
from benchmarks.results import Section, gib, seconds
from benchmarks.rivals.command import AS_OF

OUT = FOLDER / "out"
RUN_ID = "bench"
OURS = "claims-edit run"
# What is around everything says nothing of where the time goes.
OUTERMOST = {"__main__", "cli", "cli_options", "steps"}
FUNCTIONS = 25
FAMILIES = "edits."


def program() -> Path:
    """The command as it is installed beside this Python."""
    return Path(sys.executable).with_name("claims-edit")


@dataclass(frozen=True)
class Run:
    """A `claims-edit run` over an extract, published in a folder of its own."""

    made: Made
    name: str = OURS

    @property
    def out(self) -> Path:
        return OUT / f"{self.made.folder.name}-run"

    @property
    def folder(self) -> Path:
        """What it publishes."""
        return self.out / f"run_id={RUN_ID}"

    def command(self) -> Command:
        """The whole run, start to manifest."""
        made = self.made
        argv: list[str | Path] = [program(), "run", "--claims", made.claims]
        argv += ["--authorizations", made.authorizations, "--out", self.out]
        argv += ["--as-of", AS_OF, "--run-id", RUN_ID]
        if made.history is not None:
            argv += ["--history", made.history]
        return Command(self.name, argv, before=self._clear)

    def manifest(self) -> dict[str, Any]:
        """What the last run says of itself."""
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_bytes())
        return content

    def timings(self) -> dict[str, float]:
        """The seconds of each step of the last run."""
        return dict(self.manifest()["timings"])

    def _clear(self) -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.out, ignore_errors=True)


def rival(name: str, module: str, made: Made) -> tuple[Command, Path]:
    """A rival over an extract, and the table that it writes."""
    out = OUT / f"{made.folder.name}-{module}.parquet"
    argv: list[str | Path] = [sys.executable, "-m", f"benchmarks.rivals.{module}"]
    argv += ["--claims", made.claims, "--out", out]
    if made.history is not None:
        argv += ["--authorizations", made.authorizations, "--history", made.history]
    return Command(name, argv, before=lambda: out.unlink(missing_ok=True)), out


def bound(name: str, *arguments: str | Path, one_core: bool = False) -> Command:
    """One of the machine's bounds."""
    environment = {"POLARS_MAX_THREADS": "1"} if one_core else {}
    argv = [sys.executable, "-m", "benchmarks.bounds", *arguments]
    return Command(name, argv, environment=environment)


def steps(section: Section, run: Run, whole: Samples) -> None:
    """Where the last run's time went, as a share of the whole process."""
    taken = run.timings()
    last = whole.of[-1].seconds
    named = sum(took for step, took in taken.items() if ": " not in step)
    rows = list(taken.items())
    rows.append(("start, end and what no step names", max(last - named, 0)))
    section.say("Where the time of the last round went:")
    section.table(
        ("step", "seconds", "share"),
        [(step, f"{took:.2f}", f"{took / last:.1%}") for step, took in rows if took >= 0.005],
    )


def functions(section: Section, run: Run) -> None:
    """Where the time goes by the program's functions, of one more run under Python's profiler."""
    profile = OUT / "profile"
    plain = run.command()
    argv = [sys.executable, "-m", "cProfile", "-o", profile, "-m", "claims_edit", *plain.argv[1:]]
    whole = sample(Command(f"{run.name}, profiled", argv, before=plain.before))
    within = _within(pstats.Stats(str(profile)))
    families = {name for name in within if name.startswith(FAMILIES)}
    others = sorted(within.keys() - families, key=lambda name: -within[name])[:FUNCTIONS]
    largest = sorted(
        ((name, within[name]) for name in [*others, *families]), key=lambda item: -item[1]
    )
    section.say(
        f"The program's functions and families of edits by the time within them, what they call "
        f"included, of a run under the profiler ({whole.seconds:.2f} s; of the main thread alone):"
    )
    section.table(
        ("function", "seconds", "share"),
        [(name, f"{took:.2f}", f"{took / whole.seconds:.1%}") for name, took in largest],
    )


def _within(stats: pstats.Stats) -> dict[str, float]:
    """Seconds within each function of the program, and within the longest of each family of edits."""
    within: dict[str, float] = {}
    package = Path(claims_edit.__file__).parent
    profile: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = vars(stats)["stats"]
    for (file, _, function), (_, _, _, took, _) in profile.items():
        if Path(file).is_relative_to(package) and not function.startswith("<"):
            module = ".".join(Path(file).relative_to(package).with_suffix("").parts)
            name = module if module.startswith(FAMILIES) else f"{module}.{function}"
            within[name] = max(within.get(name, 0), took)
    return {name: took for name, took in within.items() if name.split(".")[0] not in OUTERMOST}


def memory_bandwidth() -> tuple[float, float]:
    """Bytes a second that are copied by one core, and by all."""
    one, all_cores = sample(bound("memory", "memory")).printed.split()
    return float(one), float(all_cores)


def bounds(section: Section, run: Run, whole: Samples, measured: dict[str, Samples]) -> None:
    """How far the run is from what the machine can do at best."""
    one, all_cores = memory_bandwidth()
    size = run.made.known["bytes"]
    rows = [
        (name, seconds(s.seconds), f"{whole.ratio(s).median:.2f} times")
        for name, s in measured.items()
    ]
    section.say(
        f"What bounds it: the files hold {gib(size)}; memory is copied at {gib(one)}/s by one core and "
        f"{gib(all_cores)}/s by all; the run keeps {whole.cores:.2f} cores busy."
    )
    section.table(("the machine at best", "seconds", "the run takes"), rows)


def per_line(spread: Spread, lines: int) -> str:
    """Microseconds a line."""
    return f"{spread.median / lines * 1e6:.2f} µs"
