"""The log on standard error: text for people, JSON for machines, never a member's data."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LOGGER = logging.getLogger("claims_edit")
_EXTRA = ("step", "seconds", "exit_code")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        entry.update({k: getattr(record, k) for k in _EXTRA if hasattr(record, k)})
        return json.dumps(entry)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        seconds = f" ({record.seconds:.2f} s)" if hasattr(record, "seconds") else ""
        return f"{_time(record)} {record.levelname.lower()}: {record.getMessage()}{seconds}"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def failure(message: str, exit_code: int) -> None:
    """The one message of a command that failed, in the form of the log."""
    handlers = LOGGER.handlers
    if handlers and isinstance(handlers[0].formatter, _Json):
        LOGGER.error(message, extra={"exit_code": exit_code})
    else:
        print(f"claims-edit: {message}", file=sys.stderr)


def set_up(log_format: str, *, quiet: bool) -> None:
    """Log to standard error in `log_format`; `quiet` leaves warnings and errors only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    LOGGER.handlers = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.WARNING if quiet else logging.INFO)
