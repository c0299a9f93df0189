"""What is wrong with a policy, beyond what keeps it from being read at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from math import floor

import polars as pl

from claims_edit.cases import Judged
from claims_edit.clinical_contracts import CLINICAL_FACTS, WORDS
from claims_edit.criteria import ESTABLISHED, Node, Terms, met, tests_of
from claims_edit.edits.catalogue import EDITS
from claims_edit.policies import Policy, PolicyVersion
from claims_edit.reference import ReferenceData, in_force_on
from claims_edit.schemas import polars_type, rules_of

Problems = Iterator[str]
_GOVERNANCE = ("medicare-not-governed", "no-policy-in-force")


def problems(
    policy: Policy, reference: ReferenceData, judged: Iterable[Judged], as_of: date
) -> list[str]:
    """Everything that its author should mend, in words: dates, codes, rows that nothing reaches,
    sentences that nothing decides, and cases that get other verdicts than they say."""
    cases = list(judged)
    found = [*_gaps(policy)]
    for version in policy.versions:
        found += [
            f"version {version.version}: {problem}"
            for problem in (
                *_ungoverned(version),
                *_codes(version, reference, as_of),
                *_diagnoses(policy, version, reference),
                *_terms(version, reference),
                *_criteria(version, policy.terms),
                *_sentences(policy, version, cases),
            )
        ]
    found += [
        f"case {j.case.name} ({j.case.where}) under {j.case.version}: {difference}"
        for j in cases
        for difference in j.differences
    ]
    return found


def not_asked(version: PolicyVersion) -> list[str]:
    """The edits that a version does not list."""
    return [edit_id for edit_id in EDITS if edit_id not in version.edits]


def _gaps(policy: Policy) -> Problems:
    """Days between two versions on which none is in force."""
    dated = sorted(policy.active_versions, key=lambda v: v.start_date or date.min)
    for one, following in pairwise(dated):
        if one.end_date is None or following.start_date is None:
            continue
        after = one.end_date + timedelta(days=1)
        if not in_force_on(after, following.start_date, following.end_date):
            yield (
                f"no version is in force between {one.end_date} ({one.version}) and "
                f"{following.start_date} ({following.version})"
            )


def _ungoverned(version: PolicyVersion) -> Problems:
    for edit_id in _GOVERNANCE:
        if edit_id not in version.edits:
            yield f"does not list {edit_id}, which is always asked, with action flag"


def _codes(version: PolicyVersion, reference: ReferenceData, as_of: date) -> Problems:
    """Adjustment codes of its edits that are unknown, or that end while it is in force: before its own
    end, or, where that is open, before the day of the check."""
    last = as_of if version.end_date is None else version.end_date
    rows = reference["adjustment_codes"]
    for edit_id, rule in version.edits.items():
        if rule.fail == rule.unknown == "off":
            continue
        edit = EDITS[edit_id]
        for kind, code in (("group", edit.group_code), ("carc", edit.carc), ("rarc", edit.rarc)):
            if code is not None:
                spans = rows.filter(pl.col("type") == kind, pl.col("code") == code)
                yield from _of_code(f"{edit_id}: {kind.upper()} {code}", spans, version, last)


def _of_code(name: str, rows: pl.DataFrame, version: PolicyVersion, last: date) -> Problems:
    spans = rows.select("start_date", "end_date").rows()
    if not spans:
        yield f"{name} is not in adjustment_codes.csv"
        return
    first = min(version.start_date or last, last)
    ends = [end for _, end in spans]
    if None not in ends and max(ends) < last:
        yield f"{name} ended on {max(ends)}"
    elif not any(in_force_on(first, *span) for span in spans):
        yield f"{name} is not in force on {first}, when the version begins"


def _diagnoses(policy: Policy, version: PolicyVersion, reference: ReferenceData) -> Problems:
    """Covered codes that no line can have while the version is in force."""
    rows = policy.covered_diagnoses.filter(pl.col("version") == version.version)
    valid = reference["icd10cm"]
    for row in rows.iter_rows(named=True):
        code, start, end = row["code"], row["start_date"], row["end_date"]
        if not _meet((start, end), (version.start_date, version.end_date)):
            yield f"covered_diagnoses.csv: {code} is covered only when the version is not in force"
            continue
        of_code = valid.filter(pl.col("code") == code).select("start_date", "end_date").rows()
        both = [_both((start, end), (version.start_date, version.end_date))]
        if not any(_meet(dates, span) for dates in of_code for span in both):
            yield f"covered_diagnoses.csv: {code} is no valid code while it is covered"
    covered = set(rows["code"])
    for code in version.history_codes:
        if code not in covered:
            yield f"diagnoses: the history code {code} is not covered, and so never looked at"


_Span = tuple[date | None, date | None]


def _both(one: _Span, other: _Span) -> _Span:
    starts = [d for d in (one[0], other[0]) if d is not None]
    ends = [d for d in (one[1], other[1]) if d is not None]
    return max(starts, default=None), min(ends, default=None)


def _meet(one: _Span, other: _Span) -> bool:
    """Whether two spans of dates, open where absent, have a day in common."""
    start, end = _both(one, other)
    return start is None or end is None or in_force_on(start, None, end)


def _terms(version: PolicyVersion, reference: ReferenceData) -> Problems:
    """Limits, programs, doses and partners that no line reaches."""
    for shorter in version.limits:
        for longer in version.limits:
            times = -(-longer.window_days // shorter.window_days)
            if longer.window_days > shorter.window_days and (
                longer.max_units >= times * shorter.max_units
            ):
                yield (
                    f"limits: {longer.edit_id} is never reached: {times} times the {shorter.max_units} "
                    f"units of {shorter.edit_id} are no more than its {longer.max_units}"
                )
    for terms in version.program_terms:
        if terms.line_of_business == "medicare":
            yield f"program_terms: {terms.program}: Medicare lines are never asked"
    if version.program_terms and "program-terms-govern" not in version.edits:
        yield "program_terms are written, and program-terms-govern is not asked"
    if version.dose is not None and "dose-exceeds-body-surface" not in version.edits:
        yield "dose is written, and dose-exceeds-body-surface is not asked"
    if version.observable_partners and "combination-partner-missing" not in version.edits:
        yield "partners are observable, and combination-partner-missing is not asked"
    own = version.start_date, version.end_date
    for partner in version.observable_partners:
        codes = reference["partner_drugs"].filter(pl.col("drug") == partner.drug)
        if codes.is_empty():
            yield f"partners: {partner.drug} has no code in partner_drugs.csv: every line would fail"
        elif not any(_meet(span, own) for span in codes.select("start_date", "end_date").rows()):
            yield (
                f"partners: {partner.drug} has no code that is in force while the version is: every "
                "line would fail"
            )


# ---- criteria -------------------------------------------------------------------------------


def _criteria(version: PolicyVersion, terms: Terms) -> Problems:
    if version.criteria and "coverage-criteria" not in version.edits:
        yield "criteria.csv has rows, and coverage-criteria is not asked"
    read: set[str] = set()
    for request, tree in version.criteria.items():
        yield from _never_met(f"criteria.csv: {request}", tree, terms)
        read |= _terms_read(tree, terms)
    for name in sorted(read):
        yield from _never_met(f"terms.csv: {name}", terms[name], terms)


def _never_met(where: str, tree: Node, terms: Terms) -> Problems:
    for node in _unreachable(tree, [], terms):
        yield (
            f"{where} {node.place} ({node.title}) is never met together with what is required above it"
        )


def _terms_read(tree: Node, terms: Terms) -> set[str]:
    """The terms that a tree reads, directly or through others."""
    found: set[str] = set()
    for node in tree.walk():
        for name in tests_of(node):
            found |= {name} | _terms_read(terms[name], terms)
    return found


def _required(node: Node, terms: Terms) -> list[Node]:
    """The leaves that must all be met for it to be met, terms that are outlines of `all` opened."""
    if node.rule == "any":
        return []
    if node.rule == "all":
        return [leaf for child in node.children for leaf in _required(child, terms)]
    if node.rule == "term" and node.reads is not None and node.reads in terms:
        return [node, *_required(terms[node.reads], terms)]
    return [node]


def _unreachable(node: Node, above: list[Node], terms: Terms) -> Iterator[Node]:
    """The rows that contradict what is required beside them or above them."""
    for child in node.children:
        beside = [c for c in node.children if c is not child] if node.rule == "all" else []
        required = [*above, *(leaf for c in beside for leaf in _required(c, terms))]
        if child.children:
            yield from _unreachable(child, required, terms)
        elif _agree(required) and not _agree([*required, *_required(child, terms)]):
            yield child


def _agree(leaves: list[Node]) -> bool:
    """Whether leaves can be met together: facts by one value each, tests unless they are contraries."""
    facts = [leaf for leaf in leaves if leaf.rule == "fact"]
    established = {leaf.reads for leaf in leaves if leaf.reads in ESTABLISHED}
    contrary = any(
        ESTABLISHED[one or ""] == ESTABLISHED[other or ""][::-1]
        for one in established
        for other in established
    )
    names = {fact.reads for fact in facts}
    return not contrary and all(_possible([f for f in facts if f.reads == name]) for name in names)


def _possible(facts: list[Node]) -> bool:
    """Whether there is a value of one fact that meets all of these comparisons."""
    reads = facts[0].reads or ""
    rules = [rule.passes for rule in rules_of(CLINICAL_FACTS) if rule.name.startswith(f"{reads}:")]
    values = pl.DataFrame({reads: _candidates(reads, facts)}, strict=False)
    return not values.filter(*rules, *(met(fact, {}) for fact in facts)).is_empty()


def _candidates(reads: str, facts: list[Node]) -> pl.Series:
    """Values of a fact, enough to tell: all words, true and false, or numbers around the bounds."""
    if reads in WORDS:
        return pl.Series(WORDS[reads])
    dtype = polars_type(CLINICAL_FACTS.columns[reads])
    if dtype == pl.Boolean:
        return pl.Series([True, False])
    bounds = [float(fact.value or "") for fact in facts]
    if dtype == pl.Int64:
        return pl.Series([floor(b) + step for b in bounds for step in (-1, 0, 1, 2)], dtype=dtype)
    bounds += [0.0, 100.0]  # those of the facts themselves
    middles = [(one + other) / 2 for one in bounds for other in bounds]
    return pl.Series([m + step for m in middles for step in (-1.0, 0.0, 1.0)], dtype=dtype)


# ---- sentences ------------------------------------------------------------------------------


def _sentences(policy: Policy, version: PolicyVersion, cases: list[Judged]) -> Problems:
    """Sentences that name what decides them wrongly or have no case, and citations of none."""
    own = policy.sentences.filter(pl.col("version") == version.version)
    known = set(own["sentence"])
    shown = {j.case.sentence for j in cases if j.case.version == version.version}
    places = {n.place for tree in version.criteria.values() for n in tree.walk()}
    for row in own.iter_rows(named=True):
        deciding = (row["decided_by"] or "").split()
        for name in deciding:
            if name not in version.edits and name not in places:
                yield f"sentences.csv: {row['sentence']} is decided by {name}, which is not asked"
        if deciding and row["sentence"] not in shown:
            yield f"sentences.csv: {row['sentence']} has no case"
    cited = {n.sentence for tree in version.criteria.values() for n in tree.walk() if n.sentence}
    for name in sorted(cited - known):
        yield f"criteria.csv: there is no sentence {name!r}"
    for name in sorted(shown - known):
        yield f"cases: there is no sentence {name!r}"
