"""What the pages of `review` cost the server, with 50,000 flagged lines."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.flagged import PROVIDERS, publish
from benchmarks.generate import FOLDER
from benchmarks.results import Section, Target
from benchmarks.settings import Settings
from claims_edit.review.database import Database
from claims_edit.review.desk import Desk
from claims_edit.review.export import export
from claims_edit.review.guard import Guard
from claims_edit.review.server import application
from claims_edit.review.words import Decision

LINES, DECIDED, NIGHTS = 50_000, 10_000, 30
PAGES = {
    "the queue": "/",
    "filter by edit": "/?edit=diagnosis-not-covered",
    "filter by disposition": "/?disposition=partial",
    "filter by what is at stake": "/?min=5000&max=9000",
    "filter by age": "/?older=10",
    "filter by provider": f"/?provider={1_000_000_000 + PROVIDERS // 2}",
    "filter by a text": "/?text=cl-0123",
    "filter by decision": "/?state=uphold",
    "sort by what is at stake": "/?state=any&sort=stake",
    "sort by age": "/?state=any&sort=-age",
    "sort by edit": "/?state=any&sort=edit",
    "sort by provider, page 200": "/?state=any&sort=provider&page=200",
    "500 lines a page": "/?size=500",
    "override rates": "/rates",
    "log": "/log",
}


def review(settings: Settings) -> Section:
    """Filters, sorts, a line, a decision, each as the server answers it."""
    section = Section("review", f"the pages of `review` with {LINES:,} flagged lines")
    out = FOLDER / "review" / "out"
    shutil.rmtree(out.parent, ignore_errors=True)
    publish(out, LINES, NIGHTS)
    database = Database(out)
    try:
        measured = _measured(out, database, settings.rounds)
    finally:
        database.close()
    section.table(
        ("what is asked for", "milliseconds", "most"),
        [(name, f"{middle:.0f}", f"{most:.0f}") for name, (middle, most) in measured.items()],
    )
    slowest = max(middle for name, (middle, _) in measured.items() if name in PAGES)
    section.targets(Target("every page under 200 ms", f"{slowest:.0f} ms", slowest < 200))
    return section


def _measured(out: Path, database: Database, rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of everything that is asked for: the median and the most of the rounds."""
    found = {"open the office": _timed(lambda: Desk(out, database), 1)}
    desk = Desk(out, database)
    lines = desk.look().lines
    marks = [f"{ref}.0" for ref in lines["ref"].gather_every(LINES // DECIDED)]
    found[f"decide {DECIDED:,} lines"] = _timed(
        lambda: desk.decide(marks, Decision("uphold"), "Ann"), 1
    )
    guard = Guard(8000)
    client = application(desk, guard, "Ann").test_client()
    client.set_cookie(guard.cookie, guard.session, domain="127.0.0.1")
    for name, page in PAGES.items():
        found[name] = _timed(partial(_load, client, guard, page), rounds)
    refs = iter(lines.filter(~lines["ref"].is_in([m[:-2] for m in marks]))["ref"])
    found["a line"] = _timed(lambda: _load(client, guard, f"/line/{next(refs)}"), rounds)
    found["decide a line"] = _timed(lambda: _decide(client, guard, next(refs)), rounds)
    found["the queue after it"] = _timed(lambda: _load(client, guard, "/"), 1)
    found[f"write {DECIDED:,} decisions"] = _timed(lambda: export(out, database), rounds)
    return found


def _timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times), max(times)


def _load(client: FlaskClient, guard: Guard, page: str) -> None:
    answer = client.get(page, base_url=f"http://{guard.hosts[0]}")
    assert answer.status_code == 200, page


def _decide(client: FlaskClient, guard: Guard, ref: str) -> None:
    base = f"http://{guard.hosts[0]}"
    form = {"csrf": guard.csrf, "line": f"{ref}.0", "decision": "uphold"}
    answer = client.post("/decide", base_url=base, data=form, headers={"Origin": base})
    assert answer.status_code == 303
