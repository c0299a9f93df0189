"""`explain`: a claim's lines as a run decided them, in words, as JSON or as a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.errors import InputError
from claims_edit.masking import KEY_FILE, PSEUDONYM, NoMasking, masking
from claims_edit.naming import Ids
from claims_edit.report.absent import absent, ids_told, nothing_known, rejected_rows
from claims_edit.report.stories import Stories
from claims_edit.report.telling import not_edited_text, stories_page, story_text
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
    mask_key: Path | None = None,
) -> str:
    """The story of a line, or of all lines of a claim, in a form of FORMATS.

    JSON and HTML are for passing on: masked unless `unmasked`. The claim may be named by its pseudonym
    under the key. Raises UsageError where the folder is no run, InputError where the run knows
    nothing of the claim.
    """
    retelling = retelling_of(folder)
    shown = masking(
        retelling.run.folder.parent,
        leaves=form != "text",
        mask=mask,
        unmasked=unmasked,
        key_file=mask_key,
    )
    claim_id = _named(retelling, claim_id.strip(), mask_key)
    keys = _keys(retelling, claim_id, line)
    if not keys:
        return _not_here(retelling, claim_id, line, form, shown)
    told = Stories(retelling).shown(keys, shown)
    if line is None and (others := rejected_rows(retelling, claim_id)):
        what = f"other rows of claim {shown.claim(claim_id)}"
        told.append(_not_edited(retelling, what, others, shown))
    retelling.require_unchanged()
    return _FORMS[form](told)


def _keys(retelling: Retelling, claim_id: str, line: int | None) -> list[tuple[str, int]]:
    wanted = [pl.col("claim_id") == claim_id]
    if line is not None:
        wanted.append(pl.col("claim_line_number") == line)
    lines = retelling.rows("lines", *wanted).sort("claim_line_number")
    return lines.select("claim_id", "claim_line_number").rows()


def _named(retelling: Retelling, given: str, mask_key: Path | None) -> str:
    """The claim that is meant: as it is given, or the one whose pseudonym it is."""
    out = retelling.run.folder.parent
    if not PSEUDONYM.fullmatch(given) or not (mask_key or (out / KEY_FILE).exists()):
        return given
    pseudonyms = masking(out, leaves=True, mask=False, unmasked=False, key_file=mask_key)
    claims = retelling.scan("lines").select("claim_id").unique().collect()["claim_id"]
    return next((claim for claim in claims if pseudonyms.claim(claim) == given), given)


def _not_here(
    retelling: Retelling, claim_id: str, line: int | None, form: str, shown: NoMasking
) -> str:
    """Why the run did not edit it. Raises InputError where nothing is known of it."""
    reasons = absent(retelling, claim_id, line)
    name = shown.claim(claim_id)
    what = f"claim {name}" if line is None else f"claim {name} line {line}"
    if not reasons:
        raise InputError(f"CLAIM_ID: run {retelling.run.run_id}: {nothing_known(retelling)}")
    return _FORMS[form]([_not_edited(retelling, what, reasons, shown)])


def _not_edited(
    retelling: Retelling, what: str, reasons: Sequence[str], shown: NoMasking
) -> dict[str, Any]:
    ids = ids_told(retelling) if shown.active else Ids()
    said = [shown.text(reason, ids) for reason in reasons]
    return {"run_id": retelling.run.run_id, "not_edited": what, "why": said}


def _as_json(stories: Sequence[dict[str, Any]]) -> str:
    return json.dumps(list(stories), indent=2, ensure_ascii=False)


def _as_text(stories: Sequence[dict[str, Any]]) -> str:
    return "\n\n\n".join(
        story_text(story) if "line" in story else not_edited_text(story) for story in stories
    )


_FORMS: dict[str, Callable[[Sequence[dict[str, Any]]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "html": stories_page,
}
