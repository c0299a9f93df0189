"""What a night is drawn with, and what it is drawn into."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import TypeVar

T = TypeVar("T")
Row = dict[str, str]

NPIS = ("1111111111", "2222222222", "3333333333")


class Dice:
    """Throws that are read from one run of bytes; 0 is what a failure shrinks to.

    One draw for the whole night, as examples made of many draws are mostly copies of each other.
    """

    def __init__(self, throws: bytes) -> None:
        self._throws = iter(throws)

    def number(self, low: int, high: int) -> int:
        return low + next(self._throws, 0) * (high - low + 1) // 256

    def one_of(self, options: Iterable[T]) -> T:
        options = list(options)
        return options[self.number(0, len(options) - 1)]

    def weighted(self, options: dict[T, int]) -> T:
        return self.one_of([option for option, weight in options.items() for _ in range(weight)])

    def rarely(self, percent: int) -> bool:
        return self.number(1, 100) > 100 - percent


def throws_of(number: int, length: int) -> bytes:
    """Those of an example that has a number: always the same, whatever modules are there.

    What Hypothesis draws depends on the constants of all modules that are loaded.
    """
    return Random(number).randbytes(length)


@dataclass(frozen=True)
class Person:
    member_id: str
    birth_date: str
    gender: str
    state: str
    line_of_business: str
    told_by: str  # claims, members or both


@dataclass
class Claim:
    claim_id: str
    person: Person
    claim_type: str
    day: date
    frequency: str = ""
    original: str = ""
    received: str = ""
    lines: list[Row] = field(default_factory=list)
