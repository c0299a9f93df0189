"""pandera, imported without PySpark beside it.

Where PySpark is installed, pandera imports all of it, which takes longer than pandera itself and warns of
pandas on the user's screen; and it sets SPARK_LOCAL_IP, by which a driver of Spark hides from its
cluster. So PySpark is out of its sight while it is imported, and the environment stays as it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "pyspark"


@contextmanager
def _without_pyspark() -> Iterator[None]:
    hidden = _NAME not in sys.modules
    environment = dict(os.environ)
    if hidden:
        sys.modules[_NAME] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[_NAME]
        for name in set(os.environ) - set(environment):
            del os.environ[name]


with _without_pyspark():
    import pandera.polars as pa
    from pandera import errors

__all__ = ["errors", "pa"]
