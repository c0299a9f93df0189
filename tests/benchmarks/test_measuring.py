"""Processes are timed as they are, and results keep their place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.measure import Command, Sample, Samples, by_turns, sample
from benchmarks.results import Section, Target, write

MIB = 1 << 20


def python(name: str, code: str) -> Command:
    return Command(name, [sys.executable, "-c", code])


def test_peak_memory_is_the_process_s_own() -> None:
    held = bytearray(300 * MIB)
    small = sample(python("small", "print('done')"))
    large = sample(python("large", "held = bytearray(200 << 20); print('a', 'b', sep='\\n')"))
    assert held[0] == 0
    assert small.peak_bytes < 100 * MIB < 200 * MIB < large.peak_bytes < 300 * MIB
    assert (small.printed, large.printed) == ("done", "a\nb")


def test_a_command_that_fails_stops_the_measuring() -> None:
    with pytest.raises(SystemExit, match=r"broken failed:\n[\s\S]*no such luck"):
        sample(python("broken", "raise ValueError('no such luck')"))


def test_commands_take_turns_after_one_run_that_is_not_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = [python(name, f"open({str(log)!r}, 'a').write({name!r})") for name in "ab"]
    measured = by_turns(commands, rounds=3)
    assert log.read_text() == "ab" + "ababab"
    assert [len(samples.of) for samples in measured.values()] == [3, 3]


def test_ratios_are_of_the_same_round() -> None:
    one, other = (
        Samples("", tuple(Sample(seconds, seconds, 0, "") for seconds in taken))
        for taken in ((1.0, 4.0, 9.0), (1.0, 2.0, 3.0))
    )
    ratio = one.ratio(other)
    assert (ratio.least, ratio.median, ratio.most) == (1.0, 2.0, 3.0)


def test_a_section_is_replaced_and_the_others_stay_in_order(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    order = ["first", "second"]
    for name, text in (("second", "outdated"), ("first", "kept"), ("second", "new")):
        section = Section(name, "title")
        section.say(text)
        section.targets(Target("promise", "measured", text != "new"))
        write(section, order, path)
    written = path.read_text(encoding="utf-8")
    assert written.startswith("# Results\n")
    assert "outdated" not in written
    assert written.index("## first: title") < written.index("kept") < written.index("## second")
    assert "| promise | measured | **no** |" in written
    assert written.count("\nMachine: ") == 1
