"""A disk that is full, or turns read-only: nothing is published, and once it is mended, all is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from claims_edit import publish
from claims_edit.__main__ import outcome
from claims_edit.runs import STEPS
from tests.runs.disk import Disk, a_disk
from tests.runs.nights import SECOND_RUN, Scene, bytes_of, require_whole, result_of
from tests.runs.support import meanwhile, run_folders

ENOUGH = 100  # pages, for a run of these


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with a_disk(tmp_path) as disk:
        yield disk


@pytest.fixture
def out(disk: Disk, scene: Scene) -> Path:
    return scene.laid_out(disk.folder / "out")


def require_one_message(said: str, out: Path, reason: str) -> None:
    """One message that says what to do, and nothing but the log beside it."""
    messages = [line for line in said.splitlines() if line and " info: " not in line]
    assert messages == [
        f"claims-edit: --out: {out} cannot be written ({reason}); nothing was published. "
        "Make room, or choose a folder that can."
    ]


def require_as_before(out: Path, scene: Scene) -> None:
    published = publish.run_folders(out)
    assert [f.name for f in published] == [f.name for f in publish.run_folders(scene.before)]
    for folder in published:
        require_whole(folder)
        assert bytes_of(folder) == bytes_of(scene.before / folder.name)


def require_that_the_next_run_succeeds(out: Path, scene: Scene) -> None:
    assert outcome(scene.arguments(out)) == 0
    assert run_folders(out) == sorted([*scene.others, SECOND_RUN])
    assert result_of(out / SECOND_RUN) == scene.expected


# ---- full -----------------------------------------------------------------------------------


def pages_of_a_run(scene: Scene, disk: Disk) -> int:
    """How many pages a run fills."""
    out = scene.laid_out(disk.folder / "measured")
    shutil.rmtree(out / SECOND_RUN, ignore_errors=True)
    used = disk.used
    assert outcome(scene.arguments(out)) == 0
    filled = disk.used - used
    shutil.rmtree(out)
    return filled


@pytest.mark.parametrize("part", [0, 1])
def test_a_disk_that_is_full_at_every_second_page(
    scene: Scene, disk: Disk, out: Path, part: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for pages in range(2 * part, pages_of_a_run(scene, disk), 4):
        shutil.rmtree(out)
        scene.laid_out(out)
        disk.has_left(pages)
        capsys.readouterr()
        assert (pages, outcome(scene.arguments(out))) == (pages, 2)
        require_one_message(capsys.readouterr().err, out, "No space left on device")
        require_as_before(out, scene)
        assert run_folders(out) == run_folders(scene.before)
        disk.has_room()
        require_that_the_next_run_succeeds(out, scene)


def test_a_disk_with_room_enough(scene: Scene, disk: Disk, out: Path) -> None:
    disk.has_left(ENOUGH)
    require_that_the_next_run_succeeds(out, scene)


def test_a_new_folder_on_a_disk_that_is_full(
    scene: Scene, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    (disk.folder / "another").write_text("'s file")
    disk.has_left(0)
    out = disk.folder / "new"
    assert outcome(scene.nights.arguments(out, "first")) == 2
    require_one_message(capsys.readouterr().err, out, "No space left on device")
    disk.has_room()
    require_whole(scene.nights.publish(out, "first"))


# ---- read-only ------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_turns_read_only(
    scene: Scene, disk: Disk, out: Path, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    with meanwhile(step, disk.is_read_only):
        assert outcome(scene.arguments(out)) == 2
    require_one_message(capsys.readouterr().err, out, "Read-only file system")
    require_as_before(out, scene)
    disk.is_writable()
    require_that_the_next_run_succeeds(out, scene)
