"""The files of an extract, wherever Spark reads: found, opened by their heads and tails, and digested.

Every check that opening an extract makes is made of a stub: the file's own header line, or its own
Parquet footer, as a small file on this machine.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims_edit import extracts
from claims_edit.errors import InputError
from claims_edit.extracts import Extract
from claims_edit.manifest import LARGE_PARQUET
from claims_edit.settings import is_address

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Opener = Callable[[Sequence[Path]], Extract]

_MAGIC = b"PAR1"
_HEAD = 1 << 20
_MANY = 16  # files looked at at once


@dataclass(frozen=True)
class FoundFile:
    """A file of an extract: as the user knows it, as Spark names it, and what it is like."""

    shown: str
    location: str
    uri: str
    size: int
    changed: int

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet; else it is CSV."""
        return self.location.lower().endswith(".parquet")


@dataclass(frozen=True)
class Located:
    """An extract opened on stubs or copies, and the files they stand for, in the same order.

    Without such files it is opened on its own.
    """

    extract: Extract
    files: tuple[FoundFile, ...]
    copied: bool = False

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors about a stub or copy name the file that it stands for."""
        with _named(dict(zip((str(f.path) for f in self.extract.files), self.files, strict=False))):
            yield


class Files:
    """The file systems that a session of Spark reads, this machine's among them."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._jvm: Any = spark._jvm
        self._conf = spark._jsc.hadoopConfiguration()
        self._folder = folder

    def located(
        self, name: str, given: Sequence[Path | str], opened: Opener, *, copied: bool = False
    ) -> Located:
        """An extract opened on stubs of its files, or on whole copies of them.

        Raises InputError as opening it does, for a path without files, and for a file that Spark skips.
        """
        found = sorted({f.location: f for p in given for f in self._find(name, p)}.items())
        files = [file for _, file in found]
        folder = self._folder / name
        folder.mkdir()

        def stubbed(number: int) -> Path:
            file = files[number]
            stub = folder / (f"{number:06d}" + (".parquet" if file.is_parquet else ".csv"))
            if copied:
                stub = stub.with_name(f"{number:06d}{_suffix(file)}")
                self._copy(file, stub)
            else:
                stub.write_bytes(
                    self._footer(file) if file.is_parquet else self._header(name, file)
                )
            return stub

        with ThreadPoolExecutor(_MANY) as pool:
            stubs = list(pool.map(stubbed, range(len(files))))
        with _named(dict(zip(map(str, stubs), files, strict=True))):
            return Located(opened(stubs), tuple(files), copied)

    def _find(self, name: str, given: Path | str) -> list[FoundFile]:
        if not is_address(given):
            paths = extracts.resolve(name, [given])
            return [
                self._found(name, self._status(f"file://{p.absolute()}"), str(p)) for p in paths
            ]
        text = str(given)
        path = self._path(text)
        system = path.getFileSystem(self._conf)
        if system.exists(path):
            status = system.getFileStatus(path)
            if status.isFile() and not text.lower().endswith(extracts.SUFFIXES):
                raise InputError(
                    f"{name}: {text}: not a format that is read; give "
                    f"{', '.join(extracts.SUFFIXES)} files."
                )
            statuses = [status] if status.isFile() else self._below(system, path)
        else:
            statuses = [hit for hit in system.globStatus(path) or [] if hit.isFile()]
        named = sorted((status.getPath().toString(), n) for n, status in enumerate(statuses))
        found = [
            self._found(name, statuses[n], location)
            for location, n in named
            if location.lower().endswith(extracts.SUFFIXES)
        ]
        if not found:
            raise InputError(
                f"{name}: {text}: no such file, folder or match of the pattern; check --{name}."
            )
        return found

    def _below(self, system: Any, folder: Any) -> list[Any]:
        """The files of a folder that are in no hidden or temporary place of it."""
        statuses, root = [], system.makeQualified(folder).toString().rstrip("/")
        listed = system.listFiles(folder, True)
        while listed.hasNext():
            status = listed.next()
            parts = status.getPath().toString().removeprefix(root).strip("/").split("/")
            if not any(part.startswith((".", "_")) for part in parts):
                statuses.append(status)
        return statuses

    def _status(self, location: str) -> Any:
        path = self._path(location)
        return path.getFileSystem(self._conf).getFileStatus(path)

    def _found(self, name: str, status: Any, shown: str) -> FoundFile:
        path = status.getPath()
        last = str(path.getName())
        if last.startswith((".", "_")) or (
            last.lower().endswith(".gz") and not last.endswith(".gz")
        ):
            raise InputError(
                f"{name}: {shown}: Spark skips files whose name begins with '.' or '_', and unpacks only "
                "what ends in .gz in small letters; rename it, or run with --engine polars."
            )
        return FoundFile(
            shown,
            path.toString(),
            re.sub(r"^file:/(?!/)", "file:///", path.toUri().toString()),
            status.getLen(),
            status.getModificationTime(),
        )

    def _path(self, location: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(location)

    @contextmanager
    def _stream(self, location: str) -> Iterator[Any]:
        path = self._path(location)
        stream = path.getFileSystem(self._conf).open(path)
        try:
            yield stream
        finally:
            stream.close()

    def _read(self, file: FoundFile, start: int, length: int) -> bytes:
        with self._stream(file.location) as stream:
            stream.seek(start)
            return bytes(stream.readNBytes(length))

    def _copy(self, file: FoundFile, target: Path) -> None:
        path = self._path(file.location)
        system = path.getFileSystem(self._conf)
        system.copyToLocalFile(False, path, self._path(f"file://{target}"), True)

    def _tail(self, file: FoundFile) -> bytes:
        """The footer of a Parquet file with its length and magic; the whole of what is none."""
        if file.size < 3 * len(_MAGIC):
            return self._read(file, 0, file.size)
        end = self._read(file, file.size - 8, 8)
        start = file.size - 8 - int.from_bytes(end[:4], "little")
        return (
            self._read(file, start, file.size - start) if end[4:] == _MAGIC and start > 0 else end
        )

    def _footer(self, file: FoundFile) -> bytes:
        return _MAGIC + self._tail(file)

    def _header(self, name: str, file: FoundFile) -> bytes:
        """The first line of a CSV file that is not blank, with what stands before it."""
        decompressor = zlib.decompressobj(wbits=31)
        head, wanted = b"", 0
        while wanted < file.size:
            raw = self._read(file, wanted, _HEAD)
            wanted += len(raw)
            try:
                head += decompressor.decompress(raw) if file.location.endswith(".gz") else raw
            except zlib.error as error:
                raise InputError(
                    f"{name}: {file.shown}: not a readable gzip file; send it again."
                ) from error
            blank = len(head) - len(head.lstrip(b"\r\n"))
            end = head.find(b"\n", blank)
            if end >= 0:
                head = head[: end + 1]
                break
        if head.count(b'"') % 2:
            raise InputError(
                f"{name}: {file.shown}: a column's name holds a line break; rename it, or run with "
                "--engine polars."
            )
        return head

    # ---- what the manifest says of them ---------------------------------------------------------

    def entries(self, located: Located, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Path, size, rows and digest of every file of an extract."""
        name = located.extract.name
        with ThreadPoolExecutor(_MANY) as pool:
            digests = list(pool.map(self._digest, located.files))
        return [
            {"extract": name, "path": file.shown, "rows": count, **digest}
            for file, count, digest in zip(located.files, rows, digests, strict=True)
        ]

    def parquet_rows(self, located: Located) -> list[int]:
        """Rows of every Parquet file of an extract, by their footers."""
        from pyarrow.parquet import read_metadata

        stubs = (source.path for source in located.extract.files)
        return [read_metadata(stub).num_rows for stub in stubs if stub.suffix == ".parquet"]

    def _digest(self, file: FoundFile) -> dict[str, Any]:
        """As `manifest.digest_of` has it."""
        footer = file.is_parquet and file.size > LARGE_PARQUET
        if footer:
            digest = hashlib.sha256(self._tail(file)).hexdigest()
        else:
            with self._stream(file.location) as stream:
                digest = self._jvm.org.apache.commons.codec.digest.DigestUtils.sha256Hex(stream)
        return {
            "bytes": file.size,
            "digest": digest,
            "digest_of": "footer" if footer else "file",
        }

    def require_unchanged(self, located: Located) -> None:
        """Raises InputError where a file is no longer what it was when it was found."""

        def as_found(file: FoundFile) -> bool:
            path = self._path(file.location)
            system = path.getFileSystem(self._conf)
            now = system.getFileStatus(path) if system.exists(path) else None
            then = (file.size, file.changed)
            return now is not None and (now.getLen(), now.getModificationTime()) == then

        with ThreadPoolExecutor(_MANY) as pool:
            for file, same in zip(located.files, pool.map(as_found, located.files), strict=True):
                if not same:
                    raise InputError(
                        f"{located.extract.name}: {file.shown}: changed while it was read; run again "
                        "when it is whole."
                    )


def _suffix(file: FoundFile) -> str:
    return next(s for s in reversed(extracts.SUFFIXES) if file.location.lower().endswith(s))


@contextmanager
def _named(stands_for: dict[str, FoundFile]) -> Iterator[None]:
    """An InputError about a stub, about the file that it stands for."""
    try:
        yield
    except InputError as error:
        said = str(error)
        for stub, file in stands_for.items():
            said = said.replace(stub, file.shown)
        raise InputError(said) from error
