"""The report of a night as one page that opens anywhere, and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import jinja2
import polars as pl

from claims_edit.contracts import FLAGGED_LINES
from claims_edit.drift import FEWEST_RUNS, in_words
from claims_edit.masking import NoMasking
from claims_edit.report import charts, figures
from claims_edit.report.flagged import SHOWN
from claims_edit.report.pages import asset, environment
from claims_edit.report.reading import REJECTED, Reading
from claims_edit.report.stories import shown_stories
from claims_edit.report.telling import stories_html

Tell = Callable[[Sequence[tuple[str, int]]], list[str]]
# The columns of the table of lines, and how they sort.
_HEADS = (
    ("Claim", "text"),
    ("Line", "number"),
    ("Disposition", "text"),
    ("At stake", "number"),
    ("Charge", "number"),
    ("Billed", "number"),
    ("Allowed", "number"),
    ("Service date", "text"),
    ("Member", "text"),
    ("Provider", "text"),
    ("Edit", "text"),
    ("Reason", "text"),
)


def page(
    reading: Reading,
    masked: NoMasking,
    members_masked: NoMasking,
    tell: Tell,
    *,
    lines: int,
    workbook: bool = False,
) -> str:
    """The page: figures of the whole night, and the `lines` flagged lines with most at stake.

    `tell` gives the story of each of these lines as HTML, by their keys, in the form that `masked` has.
    """
    flagged = highest_at_stake(reading.tables["flagged_lines"])
    shown = flagged.head(lines)
    keys = list(shown.select("claim_id", "claim_line_number").iter_rows())
    style = "\n".join(asset(name) for name in ("report.css", "story.css"))
    script = str(asset("report.js"))
    content = {
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "run": reading.manifest,
        "masked": masked.active,
        "workbook": workbook,
        "flagged": flagged.height,
        "lines": list(_lines(shown, reading, masked)),
        "heads": _HEADS,
        "shown_dispositions": [d for d in SHOWN if d in set(shown["disposition"])],
        "shown_edits": sorted({e for edits in _edits(shown) for e in edits.split()}),
        "stories": packed(tell(keys)),
        **_figures(reading, members_masked),
        **_beside(reading),
    }
    return _environment().get_template("report.html").render(content)


def highest_at_stake(flagged: pl.DataFrame) -> pl.DataFrame:
    """The flagged lines, those with the highest charge at stake first."""
    by = ["charge_at_stake", "claim_id", "claim_line_number"]
    return flagged.sort(by, descending=[True, False, False])


def told_by_stories(reading: Reading, masked: NoMasking) -> Tell:
    """Tells lines by their stories, from the run's own folder."""

    def tell(keys: Sequence[tuple[str, int]]) -> list[str]:
        return stories_html(shown_stories(reading.run.folder, keys, masked))

    return tell


def packed(stories: Sequence[str]) -> str:
    """Stories as text of few letters: their distinct lines, and of each story the places of its own.

    Most lines of a story stand in all of them. Packed so, two thousand take less than one would.
    """
    places: dict[str, int] = {}
    told = [[places.setdefault(line, len(places)) for line in s.split("\n")] for s in stories]
    text = json.dumps({"lines": list(places), "stories": told}, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


# ---- what the page says ---------------------------------------------------------------------


def _figures(reading: Reading, members_masked: NoMasking) -> dict[str, Any]:
    tables = reading.tables
    flagged, lines = tables["flagged_lines"], tables["lines"]
    dispositions = figures.dispositions(reading.manifest)
    edits = figures.edits(flagged, tables["findings"])
    trend = figures.trend(reading.last_runs)
    members = figures.members(lines, flagged)
    rows = [(members_masked.member(member), *counts) for member, *counts in members.rows]
    return {
        "tiles": list(_tiles(reading)),
        "dispositions": dispositions,
        "disposition_charts": charts.by_disposition(dispositions) if dispositions.rows else [],
        "edits": edits,
        "edit_charts": charts.by_edit(edits) if edits.rows else [],
        "trend": trend,
        "trend_charts": charts.over_runs(trend) if len(trend.rows) > 1 else [],
        "unreadable_runs": reading.unreadable_runs,
        "providers": figures.providers(lines, flagged),
        "members": figures.Table(members.caption, members.columns, rows),
        "rejects": figures.rejects({name: tables[name] for name in REJECTED}),
    }


def _beside(reading: Reading) -> dict[str, Any]:
    """Drift, lines to reconsider, and decisions."""
    drift, decisions = reading.manifest["drift"], reading.decisions
    some = decisions is not None and decisions.height > 0
    return {
        "drift": [in_words(warning) for warning in drift["warnings"]],
        "drift_runs": drift["runs"],
        "fewest_runs": FEWEST_RUNS,
        "reconsider": reading.tables["reconsider"].height,
        "decided": figures.decided(decisions) if decisions is not None and some else None,
        "decided_words": _decided(decisions) if decisions is not None and some else "",
        "decisions_left_out": _left_out(reading.decisions_left_out),
        "decisions_file": decisions is not None,
        "read_decisions": _read_by_the_run(reading.manifest.get("decisions")),
    }


def _tiles(reading: Reading) -> Iterator[tuple[str, str, str]]:
    manifest = reading.manifest
    rows, counted = manifest["rows"], manifest["dispositions"]
    flagged = reading.tables["flagged_lines"]
    kinds = ", ".join(f"{counted[d]['lines']:,} {d}" for d in SHOWN if d in counted)
    at_stake = sum(flagged["charge_at_stake"], Decimal())
    denied = {d: Decimal(c["denied_charge_amount"]) for d, c in counted.items()}
    taken_out = sum((denied.pop(d) for d in figures.TAKEN_OUT if d in denied), Decimal())
    yield "Lines edited", f"{rows['edited']:,}", f"of {rows['read']:,} rows read"
    yield "Lines to look at", f"{flagged.height:,}", kinds
    yield "Charge at stake", f"{at_stake:,.2f}", "of the lines to look at"
    beside = f"and {taken_out:,.2f} void or superseded"
    yield "Charge denied", f"{sum(denied.values(), Decimal()):,.2f}", beside
    others = sum(manifest[key]["rejected"] for key in ("authorizations", "clinical_facts"))
    beside = f"and {others:,} of authorizations and clinical facts"
    yield "Rejected rows", f"{rows['rejected']:,}", beside
    yield "To reconsider", f"{reading.tables['reconsider'].height:,}", "lines of earlier runs"
    yield "Drift warnings", f"{len(manifest['drift']['warnings']):,}", ""


def _decided(decisions: pl.DataFrame) -> str:
    """How many decisions, by how many people, between which days."""
    many, people = decisions.height, decisions["decided_by"].n_unique()
    days = decisions["decided_at"].dt.strftime("%Y-%m-%d")
    return (
        f"{many:,} standing decision{'' if many == 1 else 's'} of {people:,} "
        f"{'person' if people == 1 else 'people'}, from {days.min()!s} to {days.max()!s}, on lines of "
        f"{decisions['run_id'].n_unique():,} runs of this folder."
    )


def _left_out(many: int) -> str:
    """How many decisions are not counted, and why."""
    if not many:
        return ""
    return (
        f"{many:,} decision{' is' if many == 1 else 's are'} left out: the run has been published anew "
        "and has the line otherwise now, or is gone, or cannot be read."
    )


def _read_by_the_run(counted: dict[str, int] | None) -> str:
    """What became of the decisions that the run itself was given, beside its runs or elsewhere; older
    manifests say nothing of it."""
    if not counted or not counted["read"]:
        return ""
    many = counted["read"]
    return (
        f"This run read {many:,} decision{'' if many == 1 else 's'} on earlier runs: "
        f"{counted['applied']:,} on its members, which it applied; {counted['of_other_runs']:,} on runs "
        f"that are no history of it; {counted['left_out']:,} left out, since their lines are no longer "
        "what was decided on. What is left is on other members."
    )


def _edits(lines: pl.DataFrame) -> pl.Series:
    edits = pl.col("edit_ids").list.concat("unknown_edit_ids").list.join(" ")
    return lines.select(edits).to_series()


def _lines(shown: pl.DataFrame, reading: Reading, masked: NoMasking) -> Iterator[dict[str, Any]]:
    """The rows of the table of lines."""
    told = masked.frame(shown.select(*FLAGGED_LINES.columns), reading.ids)
    rows = told.with_columns(
        edits=_edits(shown), provider=pl.coalesce("rendering_npi", "billing_npi")
    )
    return rows.iter_rows(named=True)


# ---- how it is said -------------------------------------------------------------------------


def written(value: Any, kind: str) -> str:
    """A value as people write it."""
    if value is None:
        return ""
    if kind == "count":
        return f"{value:,}"
    if kind == "money":
        return f"{value:,.2f}"
    if kind == "share":
        return f"{value:.1%}"
    if kind == "units":
        return f"{value.normalize():,f}"
    return str(value)


def _environment() -> jinja2.Environment:
    made = environment()
    made.filters["written"] = written
    return made


def _policy(style: str, script: str) -> str:
    """What the page may do: nothing but its own style and its own script, to the byte."""
    own = {"style": style, "script": script}
    digests = {kind: hashlib.sha256(text.encode()).digest() for kind, text in own.items()}
    allowed = (
        f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'"
        for kind, digest in digests.items()
    )
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])
