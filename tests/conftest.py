"""What tests of all folders are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.support import Operator, an_operator


@pytest.fixture(autouse=True)
def _no_options_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLAIMS_EDIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return an_operator(tmp_path, capsys)
