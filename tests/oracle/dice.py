"""What a night is drawn with, and what it is drawn into."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Row = dict[str, str]

NPIS = ("1111111111", "2222222222", "3333333333")


class Dice:
    """Draws from a night's example; what stands first is what a failure shrinks to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one_of(self, options: Iterable[T]) -> T:
        return self._draw(st.sampled_from(list(options)))

    def weighted(self, options: dict[T, int]) -> T:
        """The first option stands at both ends, since the ends are drawn too often."""
        (usual, weight), *others = options.items()
        middle = [option for option, times in others for _ in range(times)]
        return self.one_of([usual] * (weight - weight // 2) + middle + [usual] * (weight // 2))

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def rarely(self, percent: int) -> bool:
        return 30 <= self.number(0, 99) < 30 + percent  # the ends of a range are drawn too often


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
