"""Comparisons and determinations, each in a process of its own, that are killed on their way."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from claims_edit import comparisons, determining
from claims_edit.__main__ import outcome
from tests.runs.dying import at_every_operation, die

Announce = Callable[[str], None]


def run_while(began: Callable[[], None], announce: Announce, arguments: list[str]) -> int:
    """Run the command; `began` is called as it begins to work, `announce` at every step."""

    def disturbed(work: Callable[..., Any]) -> Callable[..., Any]:
        def working(settings: Any, _: Announce = announce) -> Any:
            began()
            return work(settings, announce)

        return working

    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    comparisons.compare = disturbed(comparisons.compare)
    determining.determine = disturbed(determining.determine)
    return outcome(arguments)


def die_at_step(_: Connection, step: str, arguments: list[str]) -> None:
    """Dies as the step is announced."""
    run_while(lambda: None, lambda name: die() if name == step else None, arguments)


def die_before_operation(_: Connection, number: int, arguments: list[str]) -> None:
    """Dies before the file operation of that number."""
    ahead = number

    def operation() -> None:
        nonlocal ahead
        ahead -= 1
        if ahead == 0:
            die()

    run_while(lambda: at_every_operation(operation), lambda _: None, arguments)


def count_operations(told: Connection, arguments: list[str]) -> None:
    """Tells how many file operations there were."""
    count = 0

    def operation() -> None:
        nonlocal count
        count += 1

    run_while(lambda: at_every_operation(operation), lambda _: None, arguments)
    told.send(count)
