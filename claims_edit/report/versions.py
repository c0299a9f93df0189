"""The versions of a claim, over all nights that a run knows of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import polars as pl

from claims_edit.evaluate import Judged
from claims_edit.lifecycle import REPLACING
from claims_edit.past import TONIGHT
from claims_edit.report.story import Version

_COUNTS = "counts"


class Versions:
    """Which claims are versions of one claim, and what became of each."""

    def __init__(self, judged: Judged, runs: Mapping[int, str], run_id: str) -> None:
        names = {**runs, TONIGHT: run_id}
        fates = {(m, c): fate for m, c, _, fate in judged.fates.iter_rows()}
        last = judged.arrived.sort("run").unique(
            ["member_id", "claim_id"], keep="last", maintain_order=True
        )
        self._linked: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._versions: dict[tuple[str, str], Version] = {}
        for member, claim, frequency, original, run in last.select(
            "member_id", "claim_id", "claim_frequency_code", "original_claim_id", "run"
        ).iter_rows():
            fate = fates.get((member, claim)) or _COUNTS
            self._versions[member, claim] = Version(
                claim, names.get(run), frequency, original, fate
            )
        linking = judged.arrived.filter(
            pl.col("claim_frequency_code").is_in(REPLACING),
            pl.col("original_claim_id").is_not_null(),
        )
        for member, claim, original in linking.select(
            "member_id", "claim_id", "original_claim_id"
        ).iter_rows():
            self._linked[member, claim].add(original)
            self._linked[member, original].add(claim)

    def of(self, member: str, claim: str) -> tuple[Version, ...]:
        """All versions of a claim, where there is more than itself."""
        seen, ahead = {claim}, [claim]
        while ahead:
            fresh = self._linked.get((member, ahead.pop()), set()) - seen
            seen |= fresh
            ahead += fresh
        if len(seen) == 1:
            return ()
        unknown = "not known"
        return tuple(
            self._versions.get((member, each), Version(each, None, None, None, unknown))
            for each in sorted(seen)
        )
