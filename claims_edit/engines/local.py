"""One machine: polars, a part of the members at a time where the lines in scope are many."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from claims_edit import intake
from claims_edit.engines.spill import spilled
from claims_edit.evaluate import evaluate, make_ready
from claims_edit.history import History
from claims_edit.inputs import Inputs, Requested, night_of, open_inputs, read_requests
from claims_edit.intake import Claims, Found
from claims_edit.kept import kept
from claims_edit.members import Members
from claims_edit.parts import ONE_RANGE, Part, Ranges, ranges_of
from claims_edit.past import Past
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.report.flagged import flagged_lines
from claims_edit.scope import Scope, scope_of
from claims_edit.settings import RunSettings
from claims_edit.steps import Stopwatch

# Parts that are edited at once.
_AT_ONCE = 2
# Rows of a scan that are held at once.
_BATCH = 100_000


@contextmanager
def computing(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    history: History,
    watch: Stopwatch,
) -> Iterator[Local]:
    """Open the inputs of a run."""
    yield Local(settings, policy, reference, open_inputs(settings, history), watch)


def _at_once(
    edited: Callable[[int, Requested, Found], Part],
    of_parts: Iterable[tuple[int, Requested, Found]],
) -> Iterator[Part]:
    """Parts in their order, two of them edited at once: much of what is done for one keeps a single
    processor busy."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ahead: deque[Future[Part]] = deque()
        for arguments in of_parts:
            ahead.append(pool.submit(edited, *arguments))
            if len(ahead) == _AT_ONCE:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


@dataclass(frozen=True)
class Local:
    """A run on one machine."""

    settings: RunSettings
    policy: Policy
    reference: ReferenceData
    inputs: Inputs
    watch: Stopwatch

    def files(self) -> list[dict[str, Any]]:
        """What the manifest says of every file."""
        return self.inputs.files()

    def parts(self, aside: Path) -> Iterator[Part]:
        """Edit a night: whole, or in parts where more lines are in scope than `part_lines`; a folder may
        be made `aside` for them."""
        inputs = self.inputs
        scope = scope_of(self.reference, self.policy)
        members = None
        if inputs.members is not None:
            members = Members(inputs.members, self.reference["states"])
        with self.watch.step("claims"):
            ranges, found = self._found(inputs, scope, aside)
        requests = read_requests(inputs, self.watch)
        with self.watch.step("history"):
            memory = inputs.history.memory(scope)

        def edited(place: int, of_range: Requested, found: Found) -> Part:
            with self.watch.step("claims"):
                claims = intake.claims_of(found, members, scope)
            with self.watch.step("history"):
                past = memory.of(claims.member_ids)
            return self._edited(claims, of_range, past, first=place == 0)

        of_ranges = requests.split(ranges)
        yield from _at_once(edited, zip(count(), of_ranges, found, strict=False))
        for apart in found:
            rejected = intake.claims_of(apart, members, scope)
            yield Part({"rejected_lines": rejected.rejected}, rejected.in_scope_rows)

    def _found(self, inputs: Inputs, scope: Scope, aside: Path) -> tuple[Ranges, Iterator[Found]]:
        """What a scan finds, by ranges of members; what is to be rejected on its own comes last."""
        found: list[Found] = []
        rows = 0
        for batch in intake.find(inputs.claims, scope, _BATCH):
            found.append(batch)
            rows += batch.raw.height
            if rows > self.settings.part_lines:
                found.clear()
                Thread(target=make_ready, args=(self.settings.part_lines,)).start()
                members = intake.members_in(inputs.claims, scope)
                ranges = ranges_of(members, self.settings.part_lines)
                spill = spilled(aside, inputs.claims, scope, ranges, _BATCH)
                return ranges, spill.parts()
        return ONE_RANGE, iter([intake.together(found)])

    def _edited(self, claims: Claims, requests: Requested, past: Past, *, first: bool) -> Part:
        night = night_of(claims, requests, past)
        with self.watch.step("edits"):
            outcome = evaluate(
                night, self.policy, self.reference, self.settings.as_of, self.watch.within("edits")
            )
        with self.watch.step("reports"):
            flagged = flagged_lines(outcome.lines, outcome.findings)
        return Part(
            {
                "lines": outcome.lines,
                "findings": outcome.findings,
                "flagged_lines": flagged,
                "reconsider": outcome.reconsider,
                "other_versions": claims.other_versions,
                "partner_lines": claims.partner_lines,
                "rejected_lines": claims.rejected,
            }
            | kept(night, self.policy.hcpcs_code)
            | (requests.rejected if first else {}),
            claims.in_scope_rows,
        )
