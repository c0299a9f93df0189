"""`python -m tests.reading.measured FILE`: read the in-scope rows of a file, and say what it took.

Prints the rows in scope and the peak of the process's own memory in MiB. A process of its own, so
that the peak is that of the reading. `getrusage` would also count what the parent held before the
program was started, and the pages of mapped files, which are the system's to take back.
"""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

from tests.reading.rows import read_file

STATUS = Path("/proc/self/status")
EVERY_SECONDS = 0.002


def own_mib() -> int:
    """Memory that the process holds now, mapped files aside."""
    found = re.search(r"RssAnon:\s+(\d+) kB", STATUS.read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) // 1024


class Peak(threading.Thread):
    """Looks at the memory again and again, until it is asked."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.mib = 0

    def run(self) -> None:
        while not self.done.wait(EVERY_SECONDS):
            self.mib = max(self.mib, own_mib())

    def stop(self) -> int:
        self.done.set()
        self.join()
        return max(self.mib, own_mib())


if __name__ == "__main__":
    peak = Peak()
    peak.start()
    claims = read_file(Path(sys.argv[1]))
    print(claims.in_scope_rows, peak.stop())
