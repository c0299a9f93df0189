"""The stories of lines of a run, told from its own folder: its edits asked again, its units counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import policy_frames
from claims_edit.contracts import LINE_KEY, MODIFIER_COLUMNS
from claims_edit.decision_contracts import DOCUMENTS, OVERRIDE, UPHOLD
from claims_edit.disposition import in_order
from claims_edit.edits.catalogue import EDITS
from claims_edit.evaluate import Judged, edited_lines, edits_asked
from claims_edit.findings import ask, asked
from claims_edit.ledger import VersionLimits
from claims_edit.masking import NoMasking
from claims_edit.naming import Ids
from claims_edit.report import judged_by, member_units, versions
from claims_edit.report.judged_by import Codes, Row
from claims_edit.report.masked import masked
from claims_edit.report.member_units import MemberUnits
from claims_edit.report.remedies import REMEDIES
from claims_edit.report.story import Asked, Story, Window, written
from claims_edit.report.wording import in_sentence, why
from claims_edit.retelling import Retelling, retelling_of

Key = tuple[str, int]
_COMPARED = ("disposition", "allowed_units", "edit_ids", "unknown_edit_ids")
_OF_THE_LINE = (
    *("claim_id", "claim_line_number", "claim_type", "member_id", "birth_date", "age", "gender"),
    *("line_of_business", "member_state", "claim_line_start_date", "claim_line_end_date"),
    *("received_date", "hcpcs_code", "charge_amount", "ndc_code", "ndc_11", "ndc_quantity"),
    *("ndc_unit", "authorization_number", "rendering_npi", "billing_npi", "place_of_service_code"),
    *("bill_type_code", "claim_frequency_code", "original_claim_id"),
)
_OUTCOME = (
    *("disposition", "allowed_units", "denied_units", "denied_charge_amount", "primary_edit_id"),
    *("matched_authorization_number", "authorization_draws"),
)
_NOT_ASKED = {
    "void": "it is not asked of the lines of a claim that voids another",
    "medicare": "the policy does not govern a Medicare line",
    "no-policy": "no version of the policy is in force on the service date",
    "other-code": "it is asked only of lines under the drug's HCPCS code",
    None: "the line is taken out: its claim was replaced or voided",
}
_NOT_GOVERNED = {
    "medicare": "The policy does not govern a Medicare line",
    "no-policy": "No version of the policy is in force on the service date",
}
_NOT_ASKED_OF_THE_DRUG = {
    "medicare": "the line is not Medicare's",
    "no-policy": "a version of the policy is in force",
    "other-code": "the line is billed under the drug's own HCPCS code",
}


def shown_stories(run_dir: Path, keys: Sequence[Key], masking: NoMasking) -> list[dict[str, Any]]:
    """The values of the stories of some lines of a run (claim id and line number), in their order, with
    the ids that may be shown.

    Raises UsageError where the folder is no run, InputError where it cannot be read; a line that the
    run did not edit is left out.
    """
    return Stories(retelling_of(run_dir)).shown(keys, masking)


class Stories:
    """Tells the stories of the lines of one run."""

    def __init__(self, retelling: Retelling) -> None:
        self._retelling = retelling
        self._codes = Codes(retelling.reference, retelling.policy)
        self._rules = policy_frames.rules(retelling.policy)
        self._limits = policy_frames.limits(retelling.policy)

    def of(self, keys: Sequence[Key]) -> list[Story]:
        """The stories of some lines, in their order."""
        return self._of(keys)[0]

    def shown(self, keys: Sequence[Key], masking: NoMasking) -> list[dict[str, Any]]:
        """Their values, with the ids that may be shown."""
        stories, ids = self._of(keys)
        return masked([story.to_dict() for story in stories], masking, ids)

    def _of(self, keys: Sequence[Key]) -> tuple[list[Story], Ids]:
        """The stories of some lines, and the ids that their sentences may name."""
        wanted = pl.DataFrame(
            [*keys], schema=dict(zip(LINE_KEY, (pl.String, pl.Int64), strict=True)), orient="row"
        )
        published = self._retelling.scan("lines").join(wanted.lazy(), on=LINE_KEY, how="semi")
        members = published.select("member_id").unique().collect()["member_id"]
        told = _Told.of(self._retelling, members, self._rules)
        rows = told.lines.join(wanted, on=LINE_KEY, how="semi").iter_rows(named=True)
        by_key = {(row["claim_id"], row["claim_line_number"]): row for row in rows}
        return [self._story(by_key[key], told) for key in keys if key in by_key], told.ids

    def _story(self, row: Row, told: _Told) -> Story:
        line, policy = row["line"], self._retelling.policy
        findings = told.found.get(line, [])
        acted = [finding for finding in findings if finding["action"] != "off"]
        units = told.units.get(row["member_id"], MemberUnits(()))
        limits = self._limits.get(row["policy_version"], VersionLimits((), None))
        windows = () if line in told.differing else self._windows(row, units, limits)
        criteria = told.criteria.get((row["policy_version"], row["matched_authorization_number"]))
        return Story(
            run={
                "run_id": self._retelling.run.run_id,
                "as_of": self._retelling.as_of,
                "policy_id": policy.id,
                "policy_title": policy.title,
                "payer": policy.payer,
                "document": policy.document_number,
            },
            line=self._line(row),
            outcome={name: row[name] for name in _OUTCOME}
            | {"why": why(row, acted), "charge_at_stake": _at_stake(row)},
            governed_by=self._governed_by(row),
            edits=tuple(self._asked(row, told, findings)),
            references=self._codes.references(row) + self._codes.adjustments(row, acted),
            authorizations=judged_by.authorizations_of(
                row,
                told.authorizations.get(row["member_id"], []),
                told.covering.get(line, set()),
                units.drawn_before(line),
            ),
            windows=windows,
            criteria=criteria,
            nearest=row.get("criteria_branch") if criteria is not None else None,
            payable=tuple(self._payable(row, acted, units, limits, known=bool(windows))),
            versions=told.versions.of(row["member_id"], row["claim_id"]),
            notes=tuple(self._notes(row, told)),
        )

    def _line(self, row: Row) -> dict[str, Any]:
        covered = self._codes.covered(row)
        considered = set(row["considered_diagnosis_codes"])
        return {name: row[name] for name in _OF_THE_LINE} | {
            "billed_units": row["service_unit_quantity"],
            "modifiers": [row[c] for c in MODIFIER_COLUMNS if row[c] is not None],
            "diagnoses": [
                {"code": code, "considered": code in considered, "covered": code in covered}
                for code in row["diagnosis_codes"]
            ],
        }

    def _governed_by(self, row: Row) -> dict[str, Any]:
        policy = self._retelling.policy
        if row["policy_version"] is None or row["line_of_business"] == "medicare":
            text = _NOT_GOVERNED["medicare" if row["policy_version"] else "no-policy"]
            return {"version": None, "start_date": None, "end_date": None, "text": text}
        version = policy.version(row["policy_version"])
        return {
            "version": version.version,
            "start_date": version.start_date,
            "end_date": version.end_date,
            "text": f"{policy.title}, document {policy.document_number}, version {version.version}, "
            f"in force from {version.start_date or 'ever'} to {version.end_date or 'further notice'}",
        }

    def _asked(self, row: Row, told: _Told, findings: list[Row]) -> Iterable[Asked]:
        found = {finding["edit_id"]: finding for finding in findings}
        were_asked = told.asked.get(row["line"], set())
        for edit in EDITS.values():
            say = partial(Asked, edit.id, edit.title)
            finding = found.get(edit.id)
            if finding is not None:
                yield say(
                    finding["verdict"],
                    finding["action"],
                    in_sentence(finding["message"]),
                    _codes(finding),
                    finding["policy_section"],
                    REMEDIES[edit.id],
                )
            elif edit.id in were_asked and not self._aside(row, edit.kind):
                yield say("pass", None, None, None, self._section(row, edit.id), None)
            else:
                yield say("not asked", None, self._why_not(row, edit.id), None, None, None)

    def _aside(self, row: Row, kind: str) -> bool:
        """Whether a line takes no part in what an edit of this kind looks at."""
        unclear = row["service_date_unclear"] and kind in ("duplicate", "limit")
        return unclear or (kind == "limit" and not row["takes_part_in_limits"])

    def _why_not(self, row: Row, edit_id: str) -> str:
        edit = EDITS[edit_id]
        if row["asked_as"] not in edit.asked_of:
            if row["asked_as"] == "drug":
                return _NOT_ASKED_OF_THE_DRUG[edit.asked_of[0]]
            return _NOT_ASKED[row["asked_as"]]
        if edit.reads_clinical_facts and not self._retelling.clinical:
            return "the run was given no clinical facts"
        if self._section(row, edit_id) is None and row["policy_version"] is not None:
            return "the policy does not ask it"
        if row["service_date_unclear"]:
            return "the day of the dose is not known"
        return "another edit denies the line, so it takes no part in the limits"

    def _section(self, row: Row, edit_id: str) -> str | None:
        if row["policy_version"] is None:
            return None
        rule = self._retelling.policy.version(row["policy_version"]).edits.get(edit_id)
        return None if rule is None else rule.section

    def _windows(self, row: Row, units: MemberUnits, limits: VersionLimits) -> tuple[Window, ...]:
        if not row["takes_part_in_limits"]:
            return ()
        day = row["claim_line_start_date"]
        return tuple(units.window(row["line"], day, limit) for limit in limits.windows)

    def _payable(
        self,
        row: Row,
        findings: list[Row],
        units: MemberUnits,
        limits: VersionLimits,
        *,
        known: bool,
    ) -> Iterable[str]:
        """What would make it pay, finding by finding, and when, where the windows are `known`."""
        for finding in findings:
            edit_id = finding["edit_id"]
            yield f"{edit_id}: {REMEDIES[edit_id]}"
            if edit_id == "coverage-criteria" and row["criteria_open_in_words"]:
                yield f"Facts that may tell: {', '.join(row['criteria_open_in_words'])}."
            if edit_id == "coverage-criteria" and row["criteria_not_met"]:
                yield f"On the nearest way: {'; '.join(row['criteria_not_met'])}."
            if known and any(limit.edit_id == edit_id for limit in limits.windows):
                billed = row["service_unit_quantity"]
                first = units.first_day_with_room(
                    row["line"], row["claim_line_start_date"], billed, limits.windows
                )
                yield (
                    f"No day has room for {written(billed)} units at once."
                    if first is None
                    else f"The first later day with room for all {written(billed)} units is {first}, as "
                    "things stand."
                )

    def _notes(self, row: Row, told: _Told) -> Iterable[str]:
        for run_id in self._retelling.changed:
            yield (
                f"Run {run_id}, which this run was computed on, is gone or has been replaced since: what "
                "is told of it is as it is now."
            )
        if row["line"] in told.differing:
            yield (
                "Judged again, this line comes out otherwise: the history or the program has changed "
                "since. What it was allowed and what was found are as published, and bind; the rest is "
                "as of now."
            )


@dataclass(frozen=True)
class _Told:
    """Some members of a run, judged again, by line or by member."""

    lines: pl.DataFrame
    found: dict[int, list[Row]]
    ids: Ids
    asked: dict[int, set[str]]
    units: dict[str, MemberUnits]
    authorizations: dict[str, list[Row]]
    covering: dict[int, set[str]]
    criteria: dict[tuple[str, str], Any]
    versions: versions.Versions
    differing: set[int]

    @staticmethod
    def of(retelling: Retelling, members: pl.Series, rules: pl.DataFrame) -> _Told:
        """Judge the members again. What was found and allowed is as published, all else as judged."""
        judged = retelling.judged(members)
        edits = edits_asked(clinical=retelling.clinical)
        findings = _findings(retelling, judged, ask(judged.lines, edits, rules, off=True))
        found: dict[int, list[Row]] = defaultdict(list)
        for finding in findings.iter_rows(named=True):
            found[finding["line"]].append(finding)
        were_asked: dict[int, set[str]] = defaultdict(set)
        for line, edit_id in asked(judged.lines, edits, rules).iter_rows():
            were_asked[line].add(edit_id)
        covering: dict[int, set[str]] = defaultdict(set)
        for line, number in judged.covering.select("line", "authorization_number").iter_rows():
            covering[line].add(number)
        hcpcs_code, run_id = retelling.policy.hcpcs_code, retelling.run.run_id
        criteria = {}
        if retelling.clinical:
            criteria = judged_by.criteria_by_authorization(judged.lines, judged.context)
        lines, differing = _outcomes(judged, retelling)
        units = member_units.units_by_member(
            judged.standing, lines, hcpcs_code, run_id, _decided(retelling, members)
        )
        return _Told(
            lines,
            found,
            Ids.of(findings),
            were_asked,
            units,
            judged_by.authorizations_by_member(judged.context),
            covering,
            criteria,
            versions.Versions(judged, {r.place: r.run_id for r in retelling.history}, run_id),
            differing,
        )


def _decided(retelling: Retelling, members: pl.Series) -> member_units.Decided:
    """What people had decided of lines of earlier runs, in words."""
    rows = retelling.rows("decided_lines", pl.col("member_id").is_in(members.implode()))
    words = {OVERRIDE: "overridden by", UPHOLD: "upheld by", DOCUMENTS: "documents asked for by"}
    return {
        (row["run_id"], row["claim_id"], row["claim_line_number"]): (
            f"{words[row['decision']]} {row['decided_by']}"
            + (f", {row['reason_code']}" if row["reason_code"] else "")
        )
        for row in rows.iter_rows(named=True)
    }


def _findings(retelling: Retelling, judged: Judged, again: pl.DataFrame) -> pl.DataFrame:
    """The findings as published, by `line` and in order, and those that the policy lets be."""
    lines = judged.lines.select("line", *LINE_KEY)
    claims = lines["claim_id"].unique()
    published = retelling.rows("findings", pl.col("claim_id").is_in(claims.implode()))
    acted = published.join(lines, on=LINE_KEY).select(again.columns)
    let_be = again.filter(pl.col("action") == "off").join(acted, on=["line", "edit_id"], how="anti")
    return in_order(pl.concat([acted, let_be]))


def _outcomes(judged: Judged, retelling: Retelling) -> tuple[pl.DataFrame, set[int]]:
    """The lines with every fact and their outcome as published; those that come out otherwise now."""
    again = edited_lines(judged)
    members = judged.lines["member_id"].unique()
    published = retelling.rows("lines", pl.col("member_id").is_in(members.implode()))
    outcome = published.select(*LINE_KEY, *_OUTCOME, "takes_part_in_limits")
    own = [c for c in outcome.columns if c in judged.lines.columns and c not in LINE_KEY]
    lines = judged.lines.drop(own).join(outcome, on=LINE_KEY, maintain_order="left")
    same = again.select(*LINE_KEY, *_COMPARED).join(
        published.select(*LINE_KEY, *_COMPARED), on=[*LINE_KEY, *_COMPARED], how="semi"
    )
    differing = judged.lines.join(same, on=LINE_KEY, how="anti")["line"]
    return lines, set(differing)


def _at_stake(row: Row) -> Any:
    return row["charge_amount"] if row["disposition"] == "flag" else row["denied_charge_amount"]


def _codes(finding: Row) -> str | None:
    """`CO-16, N846`; null where the edit has no adjustment code."""
    if finding["carc"] is None:
        return None
    carc = f"{finding['group_code']}-{finding['carc']}"
    return carc if finding["rarc"] is None else f"{carc}, {finding['rarc']}"
