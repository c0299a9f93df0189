from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claims_edit.review.database import Database
from tests.review.support import Browser, Office, an_office, copied
from tests.runs.support import published


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one run, of the sample claims."""
    out = tmp_path_factory.mktemp("sample") / "out"
    published(out, run_id="2026-02-28")
    return out


@pytest.fixture
def out(sample: Path, tmp_path: Path) -> Path:
    return copied(sample, tmp_path / "out")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def office(out: Path) -> Iterator[Office]:
    with an_office(out) as opened:
        yield opened


@pytest.fixture
def ann(office: Office) -> Browser:
    return office.browser()
