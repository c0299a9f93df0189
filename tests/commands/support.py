"""What the tests of the commands share."""

from __future__ import annotations

from tests.cli.support import Said

PRIME, BCBST = "prime-ic-0072", "bcbst-ixabepilone"
PAGE = "comparison.html"
CURRENT, DRAFT = f"{BCBST}@current", f"{BCBST}@2026-draft"


def printed(said: Said) -> str:
    """What a command printed that was in order."""
    assert (said.exit_code, said.err) == (0, "")
    return said.out
