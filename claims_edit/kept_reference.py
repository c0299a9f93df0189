"""The reference data that a run was computed with, kept in its folder as one archive."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from claims_edit.errors import InputError
from claims_edit.reference import ReferenceTable

ARCHIVE = "reference_data.zip"
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def keep(tables: Mapping[str, ReferenceTable], folder: Path) -> None:
    """Write the tables, by their paths, as they were read. Raises InputError where one has changed."""
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, table in sorted(tables.items()):
            content = table.path.read_bytes()
            if _digest(content) != table.digest:
                raise InputError(
                    f"reference data: {table.path}: changed while the run was computed; run again when "
                    "it is whole."
                )
            archive.writestr(zipfile.ZipInfo(path, _NO_DATE), content, zipfile.ZIP_DEFLATED)


@contextmanager
def unpacked(folder: Path, digest: str) -> Iterator[Path]:
    """The kept reference data of a run folder, as a folder that is gone afterwards.

    Raises InputError where it is not what was written: `digest` is of the archive.
    """
    with tempfile.TemporaryDirectory(prefix="claims-edit-reference-") as place:
        try:
            content = (folder / ARCHIVE).read_bytes()
            if _digest(content) != digest:
                raise zipfile.BadZipFile
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(place)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{folder / ARCHIVE}: is not what was written; restore the run, or run its night again "
                "under its run id, with --replace."
            ) from error
        yield Path(place)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
