"""A run is killed: whatever it had done, whole runs stand, and the next one makes up for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claims_edit import publish
from claims_edit.__main__ import outcome
from claims_edit.manifest import NAME
from claims_edit.runs import STEPS
from tests.runs.dying import (
    count_operations,
    die_at_step,
    die_before_operation,
    process,
    run_to_the_end,
)
from tests.runs.nights import SECOND_RUN, Scene, bytes_of, require_whole, result_of
from tests.runs.support import digests, run_folders, table

ASIDE = ".replaced-second"
MOMENTS = 50  # of a run anew, and as many of one that replaces another


def require_whole_runs_only(scene: Scene, out: Path) -> None:
    """After a kill: other runs as they were, the second wholly the new or the old, or absent.

    Where an old one is absent, it is aside, whole: the next run brings it back.
    """
    published = publish.run_folders(out)
    for folder in published:
        require_whole(folder)
    names = [folder.name for folder in published]
    assert [name for name in names if name != SECOND_RUN] == scene.others
    for name in scene.others:
        assert bytes_of(out / name) == bytes_of(scene.before / name)
    if SECOND_RUN in names and not is_as_before(scene, out / SECOND_RUN):
        assert result_of(out / SECOND_RUN) == scene.expected
    assert SECOND_RUN in names or not scene.replaces or is_as_before(scene, out / ASIDE)


def is_as_before(scene: Scene, folder: Path) -> bool:
    return scene.replaces and bytes_of(folder) == bytes_of(scene.before / SECOND_RUN)


def require_that_the_next_run_makes_up_for_it(scene: Scene, out: Path) -> None:
    published_already = not scene.replaces and (out / SECOND_RUN / NAME).is_file()
    assert outcome(scene.arguments(out)) == (5 if published_already else 0)
    assert run_folders(out) == sorted([*scene.others, SECOND_RUN])
    assert result_of(out / SECOND_RUN) == scene.expected
    require_whole_runs_only(scene, out)


def test_the_second_night_depends_on_the_first(scene: Scene, tmp_path: Path) -> None:
    alone = scene.nights.publish(tmp_path, "second")
    assert digests(alone)["lines"] != digests(scene.after / SECOND_RUN)["lines"]
    assert table(scene.after / SECOND_RUN, "reconsider").height == 1


# ---- at 100 moments spread over a run -------------------------------------------------------


@pytest.fixture(scope="module")
def seconds(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes that is let alone, in a process of its own: the longest of three."""
    folder = tmp_path_factory.mktemp("measured")
    return max(undisturbed(scene, scene.laid_out(folder / f"{n}")) for n in range(3))


def undisturbed(scene: Scene, out: Path) -> float:
    with process(run_to_the_end, scene.arguments(out)) as running:
        assert running.hears(str) == "begun"
        taken = running.hears(float)
        assert running.exit_code() == 0
    assert result_of(out / SECOND_RUN) == scene.expected
    return taken


def killed_after(scene: Scene, out: Path, seconds: float) -> None:
    with process(run_to_the_end, scene.arguments(out)) as running:
        assert running.hears(str) == "begun"
        running.process.join(seconds)


@pytest.mark.parametrize("half", [0, 1])
def test_killed_at_any_moment(scene: Scene, seconds: float, half: int, tmp_path: Path) -> None:
    for moment in range(half, MOMENTS, 2):
        out = scene.laid_out(tmp_path / f"{moment}")
        killed_after(scene, out, seconds * moment / MOMENTS)
        require_whole_runs_only(scene, out)
        require_that_the_next_run_makes_up_for_it(scene, out)


# ---- at every named step, and before every file operation -----------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_killed_as_a_step_begins(scene: Scene, step: str, tmp_path: Path) -> None:
    out = scene.laid_out(tmp_path / "out")
    with process(die_at_step, step, scene.arguments(out)) as running:
        assert running.exit_code() == -9
    require_whole_runs_only(scene, out)
    assert (SECOND_RUN in run_folders(out)) == scene.replaces
    require_that_the_next_run_makes_up_for_it(scene, out)


def operations(scene: Scene, out: Path, step: str | None = None) -> int:
    """How many file operations a run is made of that is let alone, all or before a step."""
    with process(count_operations, step, scene.arguments(out)) as running:
        return running.hears(int)


def killed_before(operation: int, scene: Scene, out: Path) -> None:
    with process(die_before_operation, operation, scene.arguments(out)) as running:
        assert running.exit_code() == -9


@pytest.mark.parametrize("part", [0, 1])
def test_killed_before_any_file_operation(scene: Scene, part: int, tmp_path: Path) -> None:
    count = operations(scene, scene.laid_out(tmp_path / "counted"))
    assert count > 2 * len(scene.expected)  # closing a file to others, and writing it through
    for operation in range(1 + part, count + 1, 2):
        out = scene.laid_out(tmp_path / f"{operation}")
        killed_before(operation, scene, out)
        require_whole_runs_only(scene, out)
        require_that_the_next_run_makes_up_for_it(scene, out)


# ---- and the next run, as it cleans up, is killed too ---------------------------------------


def left_between_old_and_new(scene: Scene, out: Path) -> None:
    """What is left where the old run is moved aside, and the new one is not in its place yet."""
    scene.laid_out(out)
    (out / SECOND_RUN).rename(out / ASIDE)
    shutil.copytree(scene.after / SECOND_RUN, out / ".staging-second")


def left_before_the_old_is_removed(scene: Scene, out: Path) -> None:
    shutil.copytree(scene.after, out)
    shutil.copytree(scene.before / SECOND_RUN, out / ASIDE)


def left_as_the_old_is_removed(scene: Scene, out: Path) -> None:
    left_before_the_old_is_removed(scene, out)
    (out / ASIDE / NAME).unlink()
    (out / ASIDE / "findings.parquet").unlink()


LEFT = [left_between_old_and_new, left_before_the_old_is_removed, left_as_the_old_is_removed]


@pytest.mark.parametrize("scene", [True], ids=["replacing"], indirect=True)
@pytest.mark.parametrize("leave", LEFT, ids=lambda leave: leave.__name__)
def test_killed_as_it_cleans_up_after_one_that_was_killed(
    scene: Scene, leave: Callable[[Scene, Path], None], tmp_path: Path
) -> None:
    leave(scene, tmp_path / "counted")
    count = operations(scene, tmp_path / "counted", "inputs")
    assert count > len(scene.expected) - 2
    for operation in range(1, count + 1):
        out = tmp_path / f"{operation}"
        leave(scene, out)
        killed_before(operation, scene, out)
        require_whole_runs_only(scene, out)
        require_that_the_next_run_makes_up_for_it(scene, out)
