from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.nights import Scene, a_scene
from tests.runs.support import Manifest, manifest_of, published


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published run of the sample; read it, and leave it as it is."""
    return published(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def manifest(run: Path) -> Manifest:
    return manifest_of(run)


@pytest.fixture(scope="session", params=[False, True], ids=["anew", "replacing"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A second night about to be published: anew, or in place of one made from other claims."""
    return a_scene(tmp_path_factory.mktemp("scene"), replaces=request.param)
