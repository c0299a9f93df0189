"""What stands in an output folder beside runs: compared byte by byte, but for what times say."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from claims_edit.manifest import NAME, is_sealed
from tests.cli.support import clean_environment
from tests.runs.support import manifest_of, sha256

Result = dict[str, bytes | dict[str, Any]]


def result_of(folder: Path) -> Result:
    """Every file of a folder; the manifest without its timings, and the digest over them."""
    files: Result = {file.name: file.read_bytes() for file in folder.iterdir()}
    content = json.loads((folder / NAME).read_bytes())
    files[NAME] = {k: v for k, v in content.items() if k not in ("timings", "digest")}
    return files


def require_whole(folder: Path, others: Iterable[str] = ()) -> None:
    """Its manifest is sealed, and every table is, to the byte, what the manifest says."""
    assert is_sealed((folder / NAME).read_bytes())
    outputs = manifest_of(folder)["outputs"]
    tables = {f"{output['table']}.parquet" for output in outputs}
    assert {file.name for file in folder.iterdir()} == {NAME, *others, *tables}
    for output in outputs:
        file = folder / f"{output['table']}.parquet"
        assert (output["bytes"], output["digest"]) == (file.stat().st_size, sha256(file))


def left_over(out: Path) -> list[str]:
    """What a command that did not finish has left."""
    return [path.name for path in out.iterdir() if path.name.startswith((".staging", ".replaced"))]


def run_with_umask(umask: int, arguments: Iterable[str]) -> None:
    """A process of its own, whose umask is what a crontab or a shell happens to give it."""
    done = subprocess.run(
        [sys.executable, "-m", "claims_edit", *arguments],
        env=clean_environment(),
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def modes_below(folder: Path) -> dict[str, str]:
    """The modes of a folder and of all below it."""
    paths = [folder, *folder.rglob("*")]
    return {os.path.relpath(path, folder): oct(stat.S_IMODE(path.stat().st_mode)) for path in paths}
