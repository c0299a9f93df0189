"""What a run writes is for its owner and group: it holds members' data."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import AS_OF, Argument, Operator, claim, claims, clean_environment

OTHERS = 0o007
ANOTHER_GROUP = 54_321


def run_with_umask(operator: Operator, umask: int, *options: Argument) -> None:
    """A process of its own, whose umask is what a crontab or a shell happens to give it."""
    extract = operator.write_claims([*claims(3), claim(4, charge_amount="-1")])
    arguments = ["run", "--claims", extract, *operator.rest_of_run(), *options]
    done = subprocess.run(
        [sys.executable, "-m", "claims_edit", *map(str, arguments)],
        env=clean_environment(),
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def all_below(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


@pytest.mark.parametrize(
    ("umask", "folders", "files"),
    [
        (0o022, 0o750, 0o640),
        (0o077, 0o700, 0o600),
        (0o002, 0o770, 0o660),
        (0o000, 0o770, 0o660),
    ],
    ids=oct,
)
def test_all_that_a_run_writes_is_closed_to_others(
    operator: Operator, umask: int, folders: int, files: int
) -> None:
    metrics = operator.folder / "night.prom"
    run_with_umask(operator, umask, "--metrics-file", metrics)
    run_with_umask(operator, umask, "--metrics-file", metrics, "--replace")
    written = [metrics, *all_below(operator.out)]
    assert {".lock", "manifest.json", "rejected_lines.parquet", f"run_id={AS_OF}"} <= {
        path.name for path in written
    }
    modes = {(path, mode(path), folders if path.is_dir() else files) for path in written}
    assert [(path, oct(is_)) for path, is_, should in modes if is_ != should] == []


def test_a_new_folder_is_closed_to_others_with_its_parents(operator: Operator) -> None:
    top = operator.folder / "a"
    run_with_umask(operator, 0o022, "--out", top / "b" / "c")
    assert [path for path in all_below(top) if mode(path) & OTHERS] == []


def test_a_folder_that_is_there_keeps_its_mode_and_what_is_written_into_it_is_closed(
    operator: Operator,
) -> None:
    operator.out.mkdir()
    operator.out.chmod(0o755)
    run_with_umask(operator, 0o022)
    assert mode(operator.out) == 0o755
    assert [p for p in operator.out.rglob("*") if mode(p) & OTHERS] == []


def test_a_lock_and_metrics_that_stand_open_are_closed(operator: Operator) -> None:
    operator.out.mkdir()
    metrics = operator.write("night.prom", "old")
    for path in (operator.out / ".lock", metrics):
        path.touch()
        path.chmod(0o666)
    run_with_umask(operator, 0o022, "--metrics-file", metrics)
    assert [oct(mode(path)) for path in (operator.out / ".lock", metrics) if mode(path) & 0o7] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another group")
def test_a_folder_that_hands_its_group_on_hands_it_on_to_runs(operator: Operator) -> None:
    operator.out.mkdir()
    os.chown(operator.out, -1, ANOTHER_GROUP)
    operator.out.chmod(0o2770)
    run_with_umask(operator, 0o027)
    assert {
        path.name for path in all_below(operator.out) if path.stat().st_gid != ANOTHER_GROUP
    } == (set())


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, "dirty_decay_ms:10000,muzzy_decay_ms:10000"), ("", ""), ("thp:never", "thp:never")],
)
def test_freed_memory_is_kept_for_a_while_unless_the_operator_says_otherwise(
    given: str | None, kept: str
) -> None:
    """The allocator reads it as polars is imported, which must not be before."""
    name = "_RJEM_MALLOC_CONF"
    program = f"""
import atexit, os, sys
from claims_edit.__main__ import main
assert "polars" not in sys.modules
atexit.register(lambda: print(os.environ["{name}"]))
sys.argv = ["claims-edit", "--version"]
main()
"""
    environment = {n: v for n, v in clean_environment().items() if n != name}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment if given is None else environment | {name: given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == kept
