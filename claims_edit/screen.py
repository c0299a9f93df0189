"""What is printed for people."""

from __future__ import annotations

import os
import sys


def say(text: str) -> None:
    """Print for people. What is done stays done, whether or not anybody reads it."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
