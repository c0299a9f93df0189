"""The steps of a command: announced as they begin, timed, and logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from claims_edit.log import LOGGER

Announce = Callable[[str], None]


@dataclass
class Stopwatch:
    """Names each step as it begins, and keeps how long it took."""

    announce: Announce
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        self.announce(name)
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
        LOGGER.info("%s done", name, extra={"step": name, "seconds": self.seconds[name]})
