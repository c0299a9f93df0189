"""A TOML file of the reference data, read with messages that say where a value is missing or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from claims_edit.errors import UsageError

_BILLION = 10**9
_WORDS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    date: "a date",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True)
class Table:
    """A TOML table that says where it stands when a value is missing or wrong."""

    path: Path
    place: str
    values: dict[str, Any]

    def refuse(self, problem: str) -> NoReturn:
        """Raise UsageError that names the file and the place."""
        raise UsageError(f"policy: {self.path}: {self.place}: {problem}; mend the policy.")

    def require(self, condition: bool, problem: str) -> None:
        """Refuse unless the condition holds."""
        if not condition:
            self.refuse(problem)

    def _get(self, key: str, kind: type, *, optional: bool = False) -> Any:
        value = self.values.get(key)
        if value is None and optional:
            return None
        if type(value) is not kind:
            self.refuse(f"{key} must be written, as {_WORDS[kind]}")
        return value

    def only(self, *known: str) -> None:
        """Refuse a key that nothing reads: it may be a misspelt one that matters."""
        for key in self.values:
            self.require(
                key in known, f"there is no key {key!r} here; there is: {', '.join(known)}"
            )

    def text(self, key: str) -> str:
        """A text that must be written."""
        value: str = self._get(key, str)
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, if written."""
        value: str | None = self._get(key, str, optional=True)
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(key)
        if value not in allowed:
            self.refuse(f"{key} is {value!r}; it must be one of {', '.join(allowed)}")
        return value

    def integer(self, key: str) -> int | None:
        """A whole number of 0 or more, if written."""
        value: int | None = self._get(key, int, optional=True)
        self.require(value is None or value >= 0, f"{key} must not be below 0")
        return value

    def decimal(self, key: str) -> Decimal:
        """A number above 0."""
        value: Any = self.values.get(key)
        exact = type(value) in (int, float) and 0 < value < _BILLION and round(value, 6) == value
        self.require(
            exact, f"{key} must be written, as a number above 0 of at most 6 digits after the point"
        )
        return Decimal(str(value))

    def boolean(self, key: str) -> bool:
        """True or false."""
        value: bool = self._get(key, bool)
        return value

    def date(self, key: str) -> date | None:
        """A date, if written."""
        value: date | None = self._get(key, date, optional=True)
        return value

    def codes(self, key: str) -> tuple[str, ...]:
        """A list of ICD-10 codes or prefixes, with their dots."""
        value = self._get(key, list, optional=True) or []
        self.require(all(isinstance(v, str) for v in value), f"{key} must be a list of texts")
        bare = [str(v).strip().upper().replace(".", "") for v in value]
        return tuple(f"{v[:3]}.{v[3:]}" if len(v) > 3 else v for v in bare)

    def table(self, key: str, *, optional: bool = False) -> Table:
        """A table under this one."""
        value = self._get(key, dict, optional=optional) or {}
        return Table(self.path, f"{self.place}, {key}", value)

    def tables(self, key: str) -> list[Table]:
        """A list of tables under this one."""
        value = self._get(key, list, optional=True) or []
        self.require(all(isinstance(v, dict) for v in value), f"{key} must be tables, [[{key}]]")
        return [Table(self.path, f"{self.place}, {key} {i}", v) for i, v in enumerate(value, 1)]
