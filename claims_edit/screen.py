"""What is printed for people."""

from __future__ import annotations

import os
import sys

from claims_edit.errors import UsageError


def deliver(text: str) -> None:
    """Print what was asked for. Raises UsageError where it cannot be written whole; a reader that has had
    enough is no error."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _no_more()
    except UnicodeEncodeError:
        say(text)
    except OSError as error:
        _no_more()
        raise UsageError(
            f"standard output: cannot be written ({error.strerror}); what is there is not whole."
        ) from error


def _no_more() -> None:
    """What is still to be printed goes nowhere, so that nothing fails at the end."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def say(text: str) -> None:
    """Print for people. What is done stays done, whether or not anybody reads it."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError:
        _no_more()
