"""A small disk of its own for a test: it can be filled, made larger, and closed to writing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE = 4096
_LARGE = 64 << 20


class Disk:
    """A file system in memory, mounted by a process that alone sees it under its own path."""

    def __init__(self, holder: subprocess.Popen[str], point: Path) -> None:
        self._holder, self._point = holder, point
        self.folder = Path(f"/proc/{holder.pid}/root{point}")
        self._does(f"mount -t tmpfs -o size={_LARGE},mode=700 tmpfs '{point}'")

    def _does(self, command: str) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.write(f"{command} && echo done || echo failed\n")
        self._holder.stdin.flush()
        assert self._holder.stdout.readline() == "done\n", command

    @property
    def used(self) -> int:
        """Pages that hold something."""
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize // PAGE

    def has_left(self, pages: int) -> None:
        """Leave room for so many more pages."""
        self._is_of((self.used + pages) * PAGE)

    def has_room(self) -> None:
        self._is_of(_LARGE)

    def _is_of(self, size: int) -> None:
        self._does(f"mount --internal-only -o remount,size={size} tmpfs '{self._point}'")

    def is_read_only(self) -> None:
        """Let nothing be written any more; files that are open do not stand in the way of it."""
        point = f"'{self._point}'"
        self._does(f"mount --bind {point} {point} && mount -o remount,bind,ro {point}")

    def is_writable(self) -> None:
        self._does(f"umount '{self._point}'")


@contextmanager
def a_disk(folder: Path) -> Iterator[Disk]:
    """A disk, where this machine lets a test mount one; the test is skipped where it does not."""
    own_user = ["--user", "--map-root-user"] if os.geteuid() else []
    command = ["unshare", *own_user, "--mount", "--propagation", "private", "sh"]
    point = folder / "disk"
    point.mkdir()
    try:
        holder = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("a small disk cannot be mounted here: there is no `unshare`")
    with holder:
        try:
            disk = Disk(holder, point)
        except (AssertionError, BrokenPipeError):
            holder.kill()
            pytest.skip("a small disk cannot be mounted here: neither root nor user namespaces")
        yield disk
