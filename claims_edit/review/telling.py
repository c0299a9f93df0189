"""Values and events as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from claims_edit.review.database import ConflictError, OvertakenError, Row
from claims_edit.review.words import ASSIGNED, DECIDED

_PAST = {"uphold": "upheld", "override": "overrode", "documents": "asked for documents for"}
_STATES = {"uphold": "upheld", "override": "overridden", "documents": "documents asked for"}


def money(amount: Decimal | None) -> str:
    """An amount of money."""
    return "" if amount is None else f"{amount:,.2f}"


def units(amount: Decimal | None) -> str:
    """Units, without zeros behind the point."""
    if amount is None:
        return ""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(rate: float | None) -> str:
    """A share in percent."""
    return "–" if rate is None else f"{100 * rate:.0f} %"


def moment(at: str | datetime | None) -> str:
    """A time to the minute, in UTC."""
    if at is None:
        return ""
    time = datetime.fromisoformat(at) if isinstance(at, str) else at
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def age(since: date, today: date) -> int:
    """Days from a day to today."""
    return (today - since).days


def stands(decision: str | None) -> str:
    """Where a line stands."""
    return _STATES.get(decision or "", "undecided")


def counted(many: int, one: str, several: str | None = None) -> str:
    """A number of things."""
    return f"{many:,} {one if many == 1 else several or one + 's'}"


def done(rows: list[Row], claim: str) -> str:
    """What was done in one go, in words, such as `Upheld 3 lines`, or `Upheld claim C-1 / 1`; `claim`
    is the claim of the first line as it may be shown."""
    first, lines = rows[0], counted(len(rows), "line")
    if len(rows) == 1:
        lines = f"claim {claim} / {first['claim_line_number']}"
    if first["what"] == DECIDED:
        said = f"{_PAST[first['decision']]} {lines}"
    elif first["what"] == ASSIGNED:
        said = f"assigned {lines} to {first['assignee'] or 'nobody'}"
    else:
        said = f"undid what was done last to {lines}"
    return said[0].upper() + said[1:]


def event(row: Row) -> str:
    """What an event did, in words, without who did it."""
    if row["what"] == DECIDED:
        why = f" ({row['reason_code']})" if row["reason_code"] else ""
        return stands(row["decision"]) + why
    if row["what"] == ASSIGNED:
        return f"assigned to {row['assignee']}" if row["assignee"] else "assigned to nobody"
    if row["undone_what"] == DECIDED:
        return f"undone: {stands(row['undone_decision'])}"
    return f"undone: assigned to {row['undone_assignee'] or 'nobody'}"


def conflict(found: ConflictError, who: str) -> tuple[str, str]:
    """What stands in the way of somebody's change: a title, and a sentence or two."""
    lines = counted(len(found.found), "line")
    if isinstance(found, OvertakenError):
        by = " and ".join(sorted("you" if name == who else name for name in found.by))
        again = (
            f"{lines} {'was' if len(found.found) == 1 else 'were'} changed again since, by {by}."
        )
        return (
            "Changed again since",
            f"{again} What was done in one go is undone as a whole or not at all: nothing was undone.",
        )
    others = any(row is not None and row["who"] != who for row in found.found.values())
    return (
        "Somebody was faster" if others else "Changed meanwhile",
        f"{lines} changed since you loaded the page. Nothing of yours was kept.",
    )


def state(row: Row | None) -> str:
    """Where a line stands now and by whom, of a line that was changed meanwhile."""
    if row is None:
        return "nothing was done to it"
    last = {"decided": "decided", "assigned": "assigned", "undone": "undid"}[row["what"]]
    decision = stands(row["standing"])
    assigned = f", assigned to {row['assignee']}" if row["assignee"] else ""
    return f"{decision}{assigned}; {row['who']} {last} at {moment(row['at'])}"
