"""An office over published runs: its desk, and browsers that have been let in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from claims_edit.masking import NO_MASKING, NoMasking
from claims_edit.review.database import Database, Line, Seen
from claims_edit.review.desk import Desk
from claims_edit.review.guard import Guard
from claims_edit.review.server import application

PORT = 8765
TODAY = date(2026, 3, 5)
ORIGIN = f"http://127.0.0.1:{PORT}"


def a_line(number: int = 1, **changes: Any) -> Line:
    values: dict[str, Any] = {
        "run_id": "2026-02-28",
        "claim_id": f"C-{number}",
        "claim_line_number": 1,
        "member_id": f"M-{number}",
        "disposition": "deny",
        "billed_units": "90.000000",
        "allowed_units": "0.000000",
        "edit_ids": '["diagnosis-invalid"]',
        "primary_edit_id": "diagnosis-invalid",
    }
    return Line(**values | changes)


def seen(number: int = 1, version: int = 0) -> Seen:
    return Seen(a_line(number), version)


@dataclass
class Browser:
    """A browser of one person, let in."""

    client: FlaskClient
    guard: Guard
    base: str = ORIGIN

    def get(self, page: str, **headers: str) -> TestResponse:
        return self.client.get(page, base_url=self.base, headers=headers, buffered=True)

    def text(self, page: str) -> str:
        answer = self.get(page)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, page: str, **form: Any) -> TestResponse:
        return self.client.post(
            page,
            base_url=self.base,
            headers={"Origin": self.base},
            data={"csrf": self.guard.csrf} | form,
        )

    def decide(self, *marks: str, decision: str = "uphold", **form: Any) -> TestResponse:
        return self.post("/decide", line=list(marks), decision=decision, **form)

    def claims(self, page: str = "/") -> list[str]:
        """The claims of a page of the queue, in their order."""
        return re.findall(r'class="open" href="[^"]*">([^ <]+) ', self.text(page))

    def named(self, name: str) -> Browser:
        self.post("/name", name=name)
        return self


@dataclass
class Office:
    """An output folder that is worked in."""

    out: Path
    database: Database
    desk: Desk
    guard: Guard = field(default_factory=lambda: Guard(PORT))

    def browser(self, user: str = "Ann", *, let_in: bool = True) -> Browser:
        client = application(self.desk, self.guard, user).test_client()
        if let_in:
            client.set_cookie(self.guard.cookie, self.guard.session, domain="127.0.0.1")
        return Browser(client, self.guard)

    def mark(self, claim_id: str, number: int = 1) -> str:
        """What a page calls a line as it stands."""
        row = self.row(claim_id, number)
        return f"{row['ref']}.{row['version']}"

    def row(self, claim_id: str, number: int = 1) -> dict[str, Any]:
        sight = self.desk.look()
        key = (pl.col("claim_id") == claim_id) & (pl.col("claim_line_number") == number)
        (ref,) = sight.queue.keys.filter(key)["ref"].tail(1)
        return sight.row(ref)

    def ref(self, claim_id: str) -> str:
        return str(self.row(claim_id)["ref"])

    @property
    def decisions(self) -> pl.DataFrame:
        return pl.read_parquet(self.out / "decisions.parquet")


@contextmanager
def an_office(out: Path, masking: NoMasking = NO_MASKING) -> Iterator[Office]:
    database = Database(out)
    try:
        desk = Desk(out, database, masking, today=lambda: TODAY)
        yield Office(out, database, desk)
    finally:
        database.close()


def copied(published: Path, folder: Path) -> Path:
    """A copy of an output folder, to be worked in."""
    return Path(shutil.copytree(published, folder))
