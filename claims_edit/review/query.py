"""Which lines of the queue are looked at, in which order: filters, a sort and a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

import polars as pl

from claims_edit.review.words import DECISIONS

SIZES = (50, 100, 250, 500)
UNDECIDED, DECIDED, CHANGED, ANY = "undecided", "decided", "changed", "any"
STATES = (UNDECIDED, *DECISIONS, DECIDED, CHANGED, ANY)
NOBODY = "nobody"
# What a list can be sorted by, and the column that has it.
SORTS = {
    "stake": "charge_at_stake",
    "charge": "charge_amount",
    "age": "since",
    "service": "claim_line_start_date",
    "edit": "primary_edit_id",
    "disposition": "disposition",
    "claim": "claim_id",
    "member": "member_id",
    "provider": "provider",
    "run": "run",
    "decision": "decision",
    "assignee": "assignee",
}
_TIES = ["run", "claim_id", "claim_line_number"]
_LARGEST = Decimal(10) ** 15


@dataclass(frozen=True)
class Query:
    """What somebody asked to see. `faults` are values that could not be read, by their names."""

    text: str = ""
    edit: str = ""
    disposition: str = ""
    min: str = ""
    max: str = ""
    older: str = ""
    younger: str = ""
    provider: str = ""
    run: str = ""
    state: str = UNDECIDED
    assignee: str = ""
    past: str = ""
    sort: str = "-stake"
    size: str = "100"
    page: str = "1"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Query:
        """The query of a link or form; what is unknown of it is left out."""
        names = {f.name for f in fields(cls)}
        query = cls(**{k: v.strip()[:200] for k, v in given.items() if k in names})
        return replace(
            query,
            state=query.state if query.state in STATES else UNDECIDED,
            sort=query.sort if query.sort.removeprefix("-") in SORTS else "-stake",
            size=query.size if query.size in map(str, SIZES) else "100",
            page=query.page if query.page.isascii() and query.page.isdecimal() else "1",
        )

    def link(self, **changes: Any) -> str:
        """What of a link says it; nothing of what is as it is to begin with."""
        values = asdict(self) | {k: str(v) for k, v in changes.items()}
        begun = asdict(Query())
        return urlencode({k: v for k, v in values.items() if v != begun[k]})

    @property
    def faults(self) -> dict[str, str]:
        """What could not be read as a number, and was not asked."""
        numbers = {name: getattr(self, name) for name in ("min", "max", "older", "younger")}
        return {name: value for name, value in numbers.items() if value and _number(value) is None}

    @property
    def asks(self) -> dict[str, str]:
        """The filters that are set, beside the state."""
        unasked = {"state", "sort", "size", "page"}
        return {k: v for k, v in asdict(self).items() if v and k not in unasked}

    def matching(self, lines: pl.DataFrame, today: date) -> pl.DataFrame:
        """The lines that are asked for, in their order."""
        asked = [e for e in (*self._of_line(today), *self._of_state()) if e is not None]
        found = lines.filter(*asked) if asked else lines
        column, descending = SORTS[self.sort.removeprefix("-")], self.sort.startswith("-")
        if column == "since":  # the older a line, the earlier the day
            descending = not descending
        return found.sort(
            column, *_TIES, descending=[descending, True, False, False], nulls_last=True
        )

    def _of_line(self, today: date) -> list[pl.Expr | None]:
        stake, provider = pl.col("charge_at_stake"), self.provider
        younger, older = _days_ago(today, self.younger), _days_ago(today, self.older)
        least, most = _number(self.min), _number(self.max)
        return [
            None if self.past else pl.col("current"),
            pl.col("found_by").str.contains(self.text.lower(), literal=True) if self.text else None,
            pl.col("all_edit_ids").list.contains(self.edit) if self.edit else None,
            pl.col("disposition") == self.disposition if self.disposition else None,
            pl.col("run_id") == self.run if self.run else None,
            None if least is None else stake >= least,
            None if most is None else stake <= most,
            None if older is None else pl.col("since") <= older,
            None if younger is None else pl.col("since") >= younger,
            (pl.col("rendering_npi") == provider).fill_null(False)
            | (pl.col("billing_npi") == provider).fill_null(False)
            if provider
            else None,
        ]

    def _of_state(self) -> list[pl.Expr | None]:
        decision = pl.col("decision")
        states = {
            UNDECIDED: decision.is_null(),
            DECIDED: decision.is_not_null(),
            CHANGED: pl.col("changed"),
            ANY: None,
        }
        nobody, assignee = self.assignee == NOBODY, pl.col("assignee")
        return [
            states.get(self.state, decision == self.state),
            (assignee.is_null() if nobody else assignee == self.assignee)
            if self.assignee
            else None,
        ]


def _number(text: str) -> Decimal | None:
    """A number as people write it, such as 1,500.00; null where it is none."""
    try:
        number = Decimal(text.replace(",", "").replace("$", "").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _LARGEST else None


def _days_ago(today: date, text: str) -> date | None:
    days = _number(text)
    if days is None:
        return None
    try:
        return today - timedelta(days=int(days))
    except OverflowError:
        return None
