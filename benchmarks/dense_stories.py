"""What happens to members, doses and lines of the dense extract, and in what share of them.

Every line edit that can fail without clinical facts fails on some. `procedure-not-effective` cannot: the
code has been in force for longer than the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.dice import Flags, Indices

# Of a member, with all lines.
MEMBERS = {
    "over": 0.02,  # doses every 14 days
    "medicare": 0.004,
    "early": 0.004,  # the first doses before the policy is in force
    "minor": 0.0015,
    "no birth date": 0.0015,
    "other sex": 0.0015,
    "no gender": 0.01,
    "authorization absent": 0.002,
    "authorization pending": 0.0015,
    "authorization denied": 0.0015,
    "authorization expired": 0.002,
    "authorization not started": 0.002,
    "authorization unreadable": 0.001,
    "authorization too long": 0.003,
    "other authorization number": 0.002,
    "other provider": 0.002,
    "few units authorized": 0.003,
}

# Of the last claims of a member, or of the first.
ENDINGS = {
    "duplicate": 0.01,
    "replaced": 0.01,
    "voided": 0.005,
    "replaced twice": 0.003,
    "replaced and voided": 0.002,
    "replaces an unknown claim": 0.005,
    "voids an unknown claim": 0.003,
    "replaces history": 0.005,
    "repeats history": 0.005,
    "bad rows": 0.015,
}

# Of the rows of one claim that are bad, in what way.
BAD = {
    "no charge": 0.1,
    "no units": 0.1,
    "another gender": 0.1,
    "no state": 0.1,
    "born later": 0.1,
    "ends before": 0.1,
    "pointer of 26": 0.1,
    "no line of business": 0.1,
    "no member": 0.05,
    "same row twice": 0.05,
    "one key, two rows": 0.05,
    "two originals": 0.05,
}

# Of a claim, which is one dose of two lines.
DOSES = {
    "institutional": 0.1,
    "wasted": 0.03,
    "span": 0.001,
    "future": 0.001,
    "unclear day": 0.001,
    "no diagnosis": 0.001,
    "pointer to nothing": 0.001,
    "not pointed": 0.001,
    "unlisted": 0.001,
    "invalid": 0.001,
    "uncovered": 0.001,
    "history only": 0.001,
    "both modifiers": 0.001,
    "all wasted": 0.0005,
    "no whole vials": 0.0005,
    "other NDC unit": 0.001,
    "no NDC quantity": 0.001,
    "wrong NDC quantity": 0.001,
    "too much a day": 0.001,
}

LINES = {
    "half a unit": 0.001,
    "no NDC": 0.001,
    "no such NDC": 0.001,
    "NDC of another drug": 0.001,
    "other code": 0.001,
}


@dataclass(frozen=True)
class Told:
    """Which story of `shares` each key has."""

    shares: Mapping[str, float]
    places: Indices

    def are(self, *names: str) -> Flags:
        """Whether it is one of these."""
        order = list(self.shares)
        return np.isin(self.places, [order.index(name) for name in names])
