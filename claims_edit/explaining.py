"""`explain`: a claim's lines as a run decided them, in words, as JSON or as a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.errors import InputError
from claims_edit.masking import NoMasking, masking
from claims_edit.naming import Ids
from claims_edit.report.absent import absent, nothing_known
from claims_edit.report.masked import masked
from claims_edit.report.stories import Stories
from claims_edit.report.telling import stories_page, story_text
from claims_edit.retelling import Retelling, retelling_of

FORMATS = ("text", "json", "html")


def explain(
    folder: Path,
    claim_id: str,
    line: int | None,
    form: str,
    *,
    mask: bool = False,
    unmasked: bool = False,
    key_file: Path | None = None,
) -> str:
    """The story of a line, or of all lines of a claim, in a form of FORMATS.

    JSON and HTML are for passing on: masked unless `unmasked`. Where ids are masked the claim may be
    named by its pseudonym. Raises UsageError where the folder is no run, InputError where the run knows
    nothing of the claim.
    """
    retelling = retelling_of(folder)
    shown = masking(
        retelling.run.folder.parent,
        leaves=form != "text",
        mask=mask,
        unmasked=unmasked,
        key_file=key_file,
    )
    claim_id = _named(retelling, claim_id.strip(), shown)
    keys = _keys(retelling, claim_id, line)
    if not keys:
        return _not_here(retelling, claim_id, line, form, shown)
    told = [story.to_dict() for story in Stories(retelling).of(keys)]
    named = Ids.of(retelling.rows("findings", pl.col("claim_id") == claim_id))
    return _FORMS[form](masked(told, shown, named))


def _keys(retelling: Retelling, claim_id: str, line: int | None) -> list[tuple[str, int]]:
    wanted = [pl.col("claim_id") == claim_id]
    if line is not None:
        wanted.append(pl.col("claim_line_number") == line)
    lines = retelling.rows("lines", *wanted).sort("claim_line_number")
    return lines.select("claim_id", "claim_line_number").rows()


def _named(retelling: Retelling, given: str, shown: NoMasking) -> str:
    """The claim that is meant: as it is given, or the one whose pseudonym it is."""
    if shown.active:
        claims = retelling.scan("lines").select("claim_id").unique().collect()["claim_id"]
        for claim in claims:
            if shown.claim(claim) == given:
                return str(claim)
    return given


def _not_here(
    retelling: Retelling, claim_id: str, line: int | None, form: str, shown: NoMasking
) -> str:
    """Why the run did not edit it. Raises InputError where nothing is known of it."""
    reasons = absent(retelling, claim_id, line)
    name = shown.claim(claim_id)
    what = f"claim {name}" if line is None else f"claim {name} line {line}"
    run_id = retelling.run.run_id
    if not reasons:
        raise InputError(f"RUN_DIR: run {run_id}: {nothing_known(retelling)}")
    said = [shown.text(reason) for reason in reasons]
    if form == "text":
        return "\n".join([f"Run {run_id} did not edit {what}.", *(f"  {each}" for each in said)])
    return _FORMS[form]([{"run_id": run_id, "not_edited": what, "why": said}])


def _as_json(stories: Sequence[dict[str, Any]]) -> str:
    return json.dumps(list(stories), indent=2, ensure_ascii=False)


def _as_text(stories: Sequence[dict[str, Any]]) -> str:
    return "\n\n\n".join(story_text(story) for story in stories)


_FORMS: dict[str, Callable[[Sequence[dict[str, Any]]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "html": stories_page,
}
