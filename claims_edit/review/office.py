"""The office of an output folder: opened, worked in, and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from claims_edit.errors import InputError, UsageError
from claims_edit.masking import NoMasking
from claims_edit.publish import run_like_folders
from claims_edit.review.database import Database
from claims_edit.review.desk import Desk
from claims_edit.review.export import export, restore
from claims_edit.review.guard import Guard

Masking = Callable[[], NoMasking]


def exported(out: Path) -> int:
    """Write `decisions.parquet` of what was decided; how many decisions stand."""
    with _database(out) as database:
        return export(out, database)


def work(
    out: Path, *, port: int, user: str, masking: Masking, announce: Callable[[str], None]
) -> None:
    """Serve the pages until the process is interrupted; `announce` is told the link. `masking` says how
    ids are shown, once the folder is found to be one of runs."""
    from claims_edit.review import server

    with _database(out) as database:
        desk = Desk(out, database, masking())
        export(out, database)
        socket = server.listening(port)
        with socket:
            guard = Guard(socket.getsockname()[1])
            app = server.application(desk, guard, user)
            announce(f"Review of {out}: {guard.link}\nStop it with Ctrl-C.")
            server.serve(app, [socket])
    announce(f"Stopped. What was decided is in {out / 'decisions.parquet'}, too.")


@contextmanager
def _database(out: Path) -> Iterator[Database]:
    """The database of a folder of runs. Raises UsageError or InputError where it is none."""
    if not out.is_dir():
        raise UsageError(f"OUT: {out}: there is no such folder.")
    if not run_like_folders(out):
        raise InputError(
            f"OUT: {out}: holds no published run; name the folder that runs publish in."
        )
    database = Database(out)
    try:
        restore(out, database)
        yield database
    finally:
        database.close()
