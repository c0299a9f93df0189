from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.support import published


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, published once."""
    return published(tmp_path_factory.mktemp("explained"))
