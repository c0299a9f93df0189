"""A SQLite file that a crash at any moment leaves whole, and that several may use at once."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from claims_edit.errors import InputError, OutputBusyError, UsageError, UserError
from claims_edit.review import schema

BUSY_SECONDS = 10
# How long others wait between two looks whether it is free, and how long it is left to them.
_PAUSE, _GIVE_WAY = 0.005, 0.02
MODE = 0o660


class Store:
    """The file and its tables. One connection, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, made where there is none.

        Raises UsageError where it cannot be written, InputError where it is damaged, of a newer version
        or of another program, OutputBusyError where somebody holds it.
        """
        self.path = path
        self._lock = threading.RLock()
        self._let_go = 0.0
        with self.told():
            _make(self.path)
            self.connection = _connected(self.path)
            try:
                self._prepare()
            except BaseException:
                self.connection.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self.connection.close()

    def _prepare(self) -> None:
        """The tables, as this version has them."""
        if self._pragma("quick_check(1)") != "ok":
            raise sqlite3.DatabaseError("it fails its own check")
        with self.writing():
            version = self._pragma("user_version")
            own = self._pragma("application_id") == schema.APPLICATION_ID
            fresh = not self.connection.execute("select 1 from sqlite_master").fetchone()
            if fresh and version == 0:
                for statement in schema.STATEMENTS:
                    self.connection.execute(statement)
            elif not own:
                raise InputError(
                    f"review: {self.path}: is a database of something else; move it away."
                )
            elif version != schema.VERSION:
                raise InputError(
                    f"review: {self.path}: is of version {version}, and this program reads version "
                    f"{schema.VERSION}; use the program that wrote it, or a newer one."
                )

    def _pragma(self, name: str) -> Any:
        return self.connection.execute(f"pragma {name}").fetchone()[0]

    @contextmanager
    def writing(self, *, at_once: bool = False) -> Iterator[sqlite3.Connection]:
        """Hold the database against every other writer; all that is done in it is kept, or nothing.

        Whoever has just let go of it gives way to others first, unless `at_once`.
        """
        with self.told():
            connection = self.connection
            if not at_once:
                time.sleep(max(0.0, self._let_go + _GIVE_WAY - time.monotonic()))
            _patiently(lambda: connection.execute("begin immediate"))
            try:
                yield connection
                connection.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("rollback")
                raise
            finally:
                self._let_go = time.monotonic()

    @contextmanager
    def held(self) -> Iterator[sqlite3.Connection]:
        """The transaction that is going on, or one of its own."""
        with self._lock:
            if self.connection.in_transaction:
                yield self.connection
            else:
                with self.writing() as connection:
                    yield connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Have the connection alone; raise what SQLite finds as an error that says what to do."""
        try:
            with self._lock:
                yield
        except (sqlite3.Error, OSError) as error:
            told = _as_told(self.path, error)
            if told is None:
                raise
            raise told from error


def _make(path: Path) -> None:
    """An empty file for the owner and the group, where there is none."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE)
        try:
            os.fchmod(descriptor, MODE)
        finally:
            os.close(descriptor)
        sync(path.parent)


def sync(path: Path) -> None:
    """Have a file or folder on the disk as it is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connected(path: Path) -> sqlite3.Connection:
    """A connection that has what it commits on the disk before it says so."""
    connection = sqlite3.connect(
        path, timeout=_PAUSE, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        _patiently(lambda: connection.execute("pragma journal_mode = wal"))
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(work: Callable[[], object]) -> None:
    """Do what others may stand in the way of. SQLite itself would wait longer and longer between its
    looks, and not get a turn where another is busy."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NOT_WRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}


def _as_told(path: Path, error: sqlite3.Error | OSError) -> UserError | None:
    """What went wrong with the file, as one message; null where it is a fault of the program."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in _BUSY:
        return OutputBusyError(
            f"review: {path}: is held by another program; nothing was kept. Try again."
        )
    if isinstance(error, OSError) or code in _NOT_WRITABLE:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return UsageError(
            f"review: {path}: cannot be written ({why}); nothing was kept. Make room, or have it on a "
            "local disk that can."
        )
    if code not in _DAMAGED:
        return None
    return InputError(
        f"review: {path}: is damaged, or no database of this program; nothing was kept. Bring back a "
        "copy of it, or move it away and begin anew."
    )
