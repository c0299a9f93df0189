"""One local Spark for all tests of a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from claims_edit.engines.spark.java import require_java
from claims_edit.engines.spark.session import session
from claims_edit.errors import UsageError


@pytest.fixture(scope="session")
def java() -> str:
    """A Java that Spark runs in. Continuous integration has one; elsewhere the test is left out."""
    try:
        return require_java()
    except UsageError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NOT TESTED: {error}")


@pytest.fixture(scope="session")
def spark(java: str) -> Iterator[Any]:
    """Spark in this process, on two cores; runs with `--engine spark` use it and leave it running."""
    with session("local[2]", {"spark.sql.shuffle.partitions": "4"}) as started:
        yield started
