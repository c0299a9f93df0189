"""The pages, one method each: what is asked for, looked up, and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import polars as pl
from flask import Flask, Response, redirect, render_template, request, send_file
from markupsafe import Markup

from claims_edit.errors import UserError
from claims_edit.naming import CLAIM, MEMBER, Ids
from claims_edit.report.rates import override_rates
from claims_edit.review import telling
from claims_edit.review.database import ConflictError, OvertakenError, Row
from claims_edit.review.desk import Desk, Sight
from claims_edit.review.export import standing
from claims_edit.review.guard import Guard
from claims_edit.review.query import NOBODY, SIZES, STATES, Query
from claims_edit.review.stories import STYLE
from claims_edit.review.words import Decision, cleaned, name_of

_LOG_SIZE = 200
_MOST = 1 << 60  # no event has such a number


class Views:
    """The pages over a desk."""

    def __init__(self, desk: Desk, guard: Guard, user: str) -> None:
        self._desk, self._guard, self._user = desk, guard, user

    def add_to(self, app: Flask) -> None:
        """Give every page its address."""
        pages: dict[str, Callable[..., Any]] = {
            "/": self.queue,
            "/line/<ref>": self.line,
            "/rates": self.rates,
            "/log": self.log,
            "/help": self.help,
            "/story.css": self.story_css,
        }
        changes: dict[str, Callable[..., Any]] = {
            "/decide": self.decide,
            "/assign": self.assign,
            "/undo": self.undo,
            "/name": self.name,
        }
        for address, view in pages.items():
            app.add_url_rule(address, view.__name__, view)
        for address, view in changes.items():
            app.add_url_rule(address, view.__name__, view, methods=["POST"])

    # ---- pages --------------------------------------------------------------------------------

    def queue(self) -> str:
        """The lines that are asked for, a page of them."""
        sight, query = self._desk.look(), Query.of(request.args)
        found = query.matching(sight.lines, self._desk.today())
        size, last = int(query.size), max(1, -(-found.height // int(query.size)))
        page = min(max(int(query.page), 1), last)
        return self._shown(
            "queue.html",
            sight,
            query=query,
            rows=found.slice((page - 1) * size, size).rows(named=True),
            many=found.height,
            stake=found["charge_at_stake"].sum(),
            page=page,
            last=last,
            choices=_choices(sight.lines),
            done=self._done(),
        )

    def line(self, ref: str) -> str:
        """A line's story, and what can be decided of it."""
        sight, query = self._desk.look(), _query_of(request.args.get("q", ""))
        row, line = sight.row(ref), sight.line(ref)
        story, untold = self._story(sight, ref)
        history = self._masked(sight, self._desk.database.history(line.key))
        return self._shown(
            "line.html",
            sight,
            query=query,
            row=row,
            story=story,
            untold=untold,
            history=history,
            names=_names(sight.lines),
            done=self._done(),
            **self._beside(sight, query, ref),
        )

    def _beside(self, sight: Sight, query: Query, ref: str) -> Row:
        """The lines before and after one in the queue, null where there is none."""
        refs = query.matching(sight.lines, self._desk.today())["ref"]
        at = refs.index_of(ref)
        if at is None:
            return {"before": None, "after": refs.first(), "at": None, "many": len(refs)}
        before = refs[at - 1] if at else None
        after = refs[at + 1] if at + 1 < len(refs) else None
        return {"before": before, "after": after, "at": at + 1, "many": len(refs)}

    def _story(self, sight: Sight, ref: str) -> tuple[Markup | None, str | None]:
        """The whole story of a line; or null, and why it cannot be told."""
        line = sight.line(ref)
        key = (line.claim_id, line.claim_line_number)
        try:
            return self._desk.tell(sight.queue.folders[line.run_id], key), None
        except UserError as error:
            return None, str(error)

    def rates(self) -> str:
        """How often each edit was overridden."""
        sight = self._desk.look()
        kept = standing(self._desk.database)
        still = sight.still(kept)
        rows = override_rates(still).rows(named=True)
        return self._shown("rates.html", sight, rows=rows, left_out=kept.height - still.height)

    def log(self) -> str:
        """What was done last, by whom."""
        sight = self._desk.look()
        behind = request.args.get("behind", 0, type=int)
        behind = min(max(behind, 0), 1 << 40)
        events = self._desk.database.latest(_LOG_SIZE + 1, behind)
        refs = _refs(sight, events)
        return self._shown(
            "log.html",
            sight,
            events=self._masked(sight, events[:_LOG_SIZE]),
            refs=refs,
            behind=behind,
            size=_LOG_SIZE,
            more=len(events) > _LOG_SIZE,
        )

    def help(self) -> str:
        """The keys, and what each decision means."""
        return self._shown("help.html", self._desk.look())

    def story_css(self) -> Response:
        """The style of the stories."""
        return send_file(STYLE, mimetype="text/css")

    # ---- changes ------------------------------------------------------------------------------

    def decide(self) -> Any:
        """Decide the lines that were selected."""
        form = request.form
        decision = Decision(
            form.get("decision", ""), cleaned(form.get("reason_code")), cleaned(form.get("note"))
        )
        if decision.fault is not None:
            return self._again(decision.fault, 400)
        return self._change(lambda marks, who: self._desk.decide(marks, decision, who))

    def assign(self) -> Any:
        """Assign the lines that were selected."""
        assignee = name_of(request.form.get("assignee"))
        if assignee is not None and assignee.casefold() == NOBODY:
            assignee = None
        return self._change(lambda marks, who: self._desk.assign(marks, assignee, who))

    def undo(self) -> Any:
        """Undo what was done in one go, what the person did last, or what was done last to lines."""
        batch = request.form.get("batch", "")
        if not batch:
            return self._change(self._desk.undo)
        number = _number(batch)
        if batch == "mine":
            before = _number(request.form.get("before", "")) or _MOST
            number = self._desk.database.last_of(self._who(), before)
        if number is None:
            return self._again("There is nothing of yours to undo.", 400)
        done = number
        return self._change(lambda _, who: self._desk.undo_batch(done, who), none=True)

    def name(self) -> Any:
        """Take another name in this browser."""
        name = name_of(request.form.get("name"))
        answer = self._back(None)
        if name is None:
            answer.delete_cookie(self._guard.name_cookie)
        else:
            answer.set_cookie(
                self._guard.name_cookie, quote(name), httponly=True, samesite="Strict"
            )
        return answer

    def _change(self, change: Callable[[list[str], str], int | None], *, none: bool = False) -> Any:
        """Make a change of the lines that a form names, and go on; or say what stands in its way."""
        marks = request.form.getlist("line")
        if not marks and not none:
            return self._again("Select one or more lines first.", 400)
        try:
            batch = change(marks, self._who())
        except ConflictError as conflict:
            return self._conflict(conflict)
        if batch is None:
            return self._again("There is nothing to undo.", 400)
        return self._back(batch)

    def _back(self, batch: int | None) -> Response:
        """To the line that the form names next, or the queue it came from."""
        query = _query_of(request.form.get("q", ""))
        link, ref = query.link(), request.form.get("next", "")
        done = "" if batch is None else f"done={batch}"
        if ref and ref in set(self._desk.look().lines["ref"]):
            parts = [f"q={quote(link)}" if link else "", done]
            answer = redirect(_address(f"/line/{ref}", parts), 303)
        else:
            answer = redirect(_address("/", [link, done]), 303)
        assert isinstance(answer, Response)
        return answer

    # ---- what stands in the way ----------------------------------------------------------------

    def _again(self, fault: str, code: int) -> Any:
        """The same lines once more, with what is missing."""
        sight = self._desk.look()
        marks = request.form.getlist("line")
        rows = [sight.row(mark.rpartition(".")[0]) for mark in marks]
        return self._once_more(sight, rows, fault, {}, marks), code

    def _conflict(self, conflict: ConflictError) -> Any:
        """The lines with what was done to them meanwhile. What the form said stands in it still."""
        sight = self._desk.look()
        told = {}
        for (run_id, claim_id, number), state in conflict.found.items():
            key = (
                (pl.col("run_id") == run_id)
                & (pl.col("claim_id") == claim_id)
                & (pl.col("claim_line_number") == number)
            )
            found = sight.queue.keys.filter(key)["ref"]
            if len(found):
                told[found[0]] = telling.state(state)
        marks = request.form.getlist("line")
        refs = list(dict.fromkeys([*(m.rpartition(".")[0] for m in marks), *told]))
        rows = [sight.row(ref) for ref in refs]
        who = self._who()
        title, fault = telling.conflict(conflict, who)
        before = conflict.batch if isinstance(conflict, OvertakenError) else None
        if before and not self._desk.database.last_of(who, before):
            before = None
        page = self._once_more(sight, rows, fault, told, None, title=title, before=before)
        return page, 409

    def _once_more(
        self,
        sight: Sight,
        rows: list[Row],
        fault: str,
        told: dict[str, str],
        marks: list[str] | None,
        *,
        title: str = "Something is missing",
        before: int | None = None,
    ) -> str:
        """A form over lines, as it was filled in; with the versions of `marks`, or those of now.

        `before` is a batch that cannot be undone, where there is something before it that may be.
        """
        if marks is None:
            marks = [f"{row['ref']}.{row['version']}" for row in rows]
        query = _query_of(request.form.get("q", ""))
        return self._shown(
            "again.html",
            sight,
            lines=list(zip(marks, rows, strict=True)),
            title=title,
            fault=fault,
            told=told,
            before=before,
            query=query,
            names=_names(sight.lines),
            given=request.form,
        )

    # ---- what every page has -------------------------------------------------------------------

    def _shown(self, template: str, sight: Sight, **values: Any) -> str:
        """A page."""
        values.setdefault("query", Query())
        return render_template(
            template,
            sight=sight,
            who=self._who(),
            csrf=self._guard.csrf,
            today=self._desk.today(),
            **values,
        )

    def _who(self) -> str:
        """Who decides in this browser."""
        return name_of(unquote(request.cookies.get(self._guard.name_cookie, ""))) or self._user

    def _done(self) -> Row | None:
        """What was just done, where the link says so."""
        batch = _number(request.args.get("done", ""))
        rows = self._desk.database.batch(batch) if batch else []
        if not rows:
            return None
        undone = rows[0]["what"] == "undone"
        return {
            "said": telling.done(rows, self._desk.masking.claim(rows[0]["claim_id"])),
            "batch": None if undone else batch,
        }

    def _masked(self, sight: Sight, events: list[Row]) -> list[Row]:
        """Events as they may be shown. Notes may name any line of the queue, or one that has gone."""
        masking, ids = self._desk.masking, sight.queue.ids
        own = {name: frozenset(event[name] for event in events) for name in (CLAIM, MEMBER)}
        gone = {name: found - ids.of_kind.get(name, frozenset()) for name, found in own.items()}
        ids = ids | Ids(gone) if masking.active and any(gone.values()) else ids
        return [
            event
            | {
                "shown_claim": masking.claim(event["claim_id"]),
                "note": event["note"] and masking.text(event["note"], ids),
            }
            for event in events
        ]


def _query_of(link: str) -> Query:
    """The query of the queue that a page came from."""
    return Query.of(dict(parse_qsl(link)))


def _number(text: str) -> int | None:
    """The number of what was done, as a page names it; null where it is none."""
    known = text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST))
    return min(int(text), _MOST) if known else None


def _address(path: str, parts: list[str]) -> str:
    asked = "&".join(filter(None, parts))
    return f"{path}?{asked}" if asked else path


def _names(lines: pl.DataFrame) -> list[str]:
    """Everybody who decided, or to whom a line is assigned."""
    return sorted(set(lines["assignee"].drop_nulls()) | set(lines["decided_by"].drop_nulls()))


def _choices(lines: pl.DataFrame) -> dict[str, Any]:
    """What the filters offer."""
    edits = lines.filter("current")["all_edit_ids"].explode().value_counts().drop_nulls()
    runs = lines.select("run", "run_id").unique().sort("run", descending=True)["run_id"]
    return {
        "edits": edits.sort("all_edit_ids").rows(),
        "dispositions": sorted(lines["disposition"].unique()),
        "runs": runs.to_list(),
        "states": STATES,
        "sizes": SIZES,
        "names": _names(lines),
        "nobody": NOBODY,
    }


def _refs(sight: Sight, events: list[Row]) -> dict[tuple[str, str, int], str]:
    """What pages call the lines of events, where they are in the queue."""
    claims = list({event["claim_id"] for event in events})
    rows = sight.queue.keys.filter(pl.col("claim_id").is_in(claims))
    keys = rows.select("run_id", "claim_id", "claim_line_number", "ref").rows()
    return {(run, claim, number): ref for run, claim, number, ref in keys}
