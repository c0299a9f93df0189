"""RESULTS.md: the machine at the top, and one section a scenario, replaced when it is measured again."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import Samples, Spread

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("polars", "pyarrow", "duckdb", "pandas", "numpy", "zen-engine")
TITLE = "# Results\n"
INTRODUCTION = """
Written by `make bench`; how it is measured is in [README.md](README.md). Seconds are medians of whole
processes, with the least and the most; ratios are of the same round; memory is the process's own peak.
"""


@dataclass
class Section:
    """What a scenario has found, in Markdown."""

    name: str
    title: str
    blocks: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Add a paragraph."""
        self.blocks.append(text)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table."""
        lines = [head, ["---"] * len(head), *rows]
        self.blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))

    def targets(self, *targets: Target) -> None:
        """Add what should hold, and whether it does."""
        self.table(("target", "measured", "holds"), [(t.text, t.measured, t.told) for t in targets])
        self.missed += [f"{self.name}: {t.text}: {t.measured}" for t in targets if t.holds is False]

    def __str__(self) -> str:
        return "\n\n".join([f"## {self.name}: {self.title}", *self.blocks]) + "\n"


@dataclass(frozen=True)
class Target:
    """What the project promises, what was measured, and whether it holds; null where it was not."""

    text: str
    measured: str
    holds: bool | None

    @property
    def told(self) -> str:
        return {True: "yes", False: "**no**", None: "n/a"}[self.holds]


def seconds(spread: Spread) -> str:
    """A median of seconds, with the least and the most."""
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})"


def times(spread: Spread) -> str:
    """A ratio, with the least and the most."""
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})"


def gib(size: float) -> str:
    """Bytes as people read them."""
    return f"{size / 2**30:.2f} GiB"


def processes(
    section: Section, measured: Iterable[Samples], rivals: Iterable[Samples] = ()
) -> None:
    """A table of the processes that were timed; beside rivals, what the first takes of their time."""
    ours, rivals = list(measured), list(rivals)
    head = ("process", "seconds", "rounds", "cores busy", "peak memory")
    rows = [
        (s.name, seconds(s.seconds), str(len(s.of)), f"{s.cores:.2f}", gib(s.peak_bytes))
        for s in [*ours, *rivals]
    ]
    if not rivals:
        section.table(head, rows)
        return
    ratios = [""] * len(ours) + [f"{times(ours[0].ratio(rival))} times" for rival in rivals]
    section.table(
        (*head, f"{ours[0].name} takes"),
        [(*row, ratio) for row, ratio in zip(rows, ratios, strict=True)],
    )


def write(section: Section, order: Sequence[str], path: Path) -> None:
    """Put a section in its place in the file, and the machine at its top."""
    held = _sections(path)
    held[section.name] = str(section)
    known = [name for name in order if name in held]
    texts = [TITLE, INTRODUCTION.strip() + "\n", machine(), *(held[name] for name in known)]
    path.write_text("\n".join(texts), encoding="utf-8")


def _sections(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition(":")[0]: "## " + part.strip() + "\n" for part in parts}


def machine() -> str:
    """What it was measured on, without a name of anything."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"Machine: {os.cpu_count()} cores ({_processor()}), {memory / 2**30:.0f} GiB of memory, "
        f"{platform.system()} {platform.release().partition('-')[0]}; "
        f"Python {platform.python_version()}, {packages}.\n"
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
