"""pandera, imported without pandas and PySpark beside it.

Where they are installed, pandera imports all of them, which takes longer than pandera itself; PySpark
warns of pandas on the user's screen, and SPARK_LOCAL_IP is set, by which a driver of Spark hides from its
cluster. So they are out of its sight while it is imported, and the environment stays as it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

_HIDDEN = ("pandas", "pyspark")


class _NotThere(MetaPathFinder):
    """Says of a package that it is not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        """Raises ModuleNotFoundError for what is hidden; knows nothing of others."""
        if name.partition(".")[0] in _HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def _out_of_sight() -> Iterator[None]:
    environment, finder = dict(os.environ), _NotThere()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(os.environ) - set(environment):
            del os.environ[name]


with _out_of_sight():
    import pandera.polars as pa
    from pandera import errors

__all__ = ["errors", "pa"]
