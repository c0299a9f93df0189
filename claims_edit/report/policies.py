"""Policies as their authors read them: what there is, what a version asks, and what two differ in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from claims_edit.criteria import Node
from claims_edit.edits.catalogue import EDITS
from claims_edit.policies import Policy, PolicyVersion
from claims_edit.report.text import indented, side_by_side, table

_REQUESTS = {"initial": "initial approval", "renewal": "renewal"}
# A part of a version: what each thing of it is called, and what the version says of it.
Parts = dict[str, dict[str, str]]


def listed(policies: Sequence[Policy]) -> str:
    """Every version of every policy, one a line."""
    rows = [
        (p.id, p.title, v.version, v.status, _date(v.start_date), _date(v.end_date))
        for p in policies
        for v in p.versions
    ]
    return table(("policy", "title", "version", "status", "from", "to"), rows, numbers=False)


def _date(value: object) -> str:
    return "" if value is None else str(value)


def shown(policy: Policy, versions: Sequence[PolicyVersion]) -> str:
    """Everything that versions ask, with sections, codes and actions."""
    head = (
        f"{policy.id}: {policy.title}\n{policy.payer}, document {policy.document_number}, "
        f"drug {policy.hcpcs_code}"
    )
    return "\n\n".join([head, *(_version(policy, version) for version in versions)])


def _version(policy: Policy, version: PolicyVersion) -> str:
    dates = f"from {version.start_date or 'ever'} to {version.end_date or 'further notice'}"
    blocks = [f"Version {version.version} ({version.status}), in force {dates}"]
    for part, things in parts(policy, version).items():
        if part in ("version", "covered diagnoses", "sentences") or not things:
            continue
        lines = [indented(f"{name}: {text}") for name, text in things.items()]
        if part.startswith("criteria"):
            lines = [_bullet(node) for node in _nodes(version, part)]
        blocks.append("\n".join([part, *lines]))
    codes = _covered(policy, version)
    if codes:
        blocks.append(f"covered diagnoses ({len(codes)})\n{indented(', '.join(codes))}")
    blocks.append(_undecided(policy, version))
    return "\n\n".join(block for block in blocks if block)


def _nodes(version: PolicyVersion, part: str) -> Iterator[Node]:
    request = next(r for r, words in _REQUESTS.items() if part.endswith(words))
    nodes = version.criteria[request].walk()
    next(nodes)
    return nodes


def _bullet(node: Node) -> str:
    depth = node.place.count(".") + 1
    return indented(f"{node.place} {node.title}: {_said(node)}", "  " * depth)


def _said(node: Node) -> str:
    if node.rule in ("all", "any"):
        return f"{node.rule} of"
    if node.rule == "term":
        return f"term {node.reads}"
    return f"{node.reads} {node.comparator} {node.value}"


def _covered(policy: Policy, version: PolicyVersion) -> dict[str, str]:
    rows = policy.covered_diagnoses.filter(pl.col("version") == version.version)
    covered: dict[str, str] = {}
    for row in rows.iter_rows(named=True):
        start, end = _date(row["start_date"]) or "ever", _date(row["end_date"]) or "further notice"
        name = row["code"] if row["code"] not in covered else f"{row['code']}, from {start}"
        covered[name] = f"{row['description']} (from {start} to {end})"
    return covered


def _undecided(policy: Policy, version: PolicyVersion) -> str:
    rows = policy.sentences.filter(
        pl.col("version") == version.version, pl.col("undecided_because").is_not_null()
    )
    if rows.is_empty():
        return ""
    lines = [
        indented(f"{row['section']}: {row['text']} ({row['undecided_because']})")
        for row in rows.iter_rows(named=True)
    ]
    return "\n".join(["sentences that data cannot decide", *lines])


# ---- parts of a version ---------------------------------------------------------------------


def parts(policy: Policy, version: PolicyVersion) -> Parts:
    """All that a version says, by part and by name, in words."""
    return {
        "version": {
            "status": version.status,
            "in force from": _date(version.start_date),
            "in force to": _date(version.end_date),
        },
        "terms": _terms(version),
        "limits": {
            limit.edit_id: f"{limit.max_units} units in {limit.window_days} "
            f"day{'' if limit.window_days == 1 else 's'}{_in(limit.section)}"
            for limit in version.limits
        },
        "programs whose own terms govern": {
            f"{t.program}, {t.line_of_business} in {t.state}": (t.section or "").strip()
            for t in version.program_terms
        },
        "partner drugs": {
            f"{p.drug}, with regimen {p.regimen}": ""
            + (f"looked for within {p.window_days} days" if p.observable else "not looked for")
            + f": {p.reason}{_in(p.section)}"
            for p in version.partners
        },
        "edits": {
            edit_id: _edit(version, edit_id) for edit_id in EDITS if edit_id in version.edits
        },
        **{
            f"criteria of {words}": {
                node.place: f"{node.title}: {_said(node)}"
                + ("" if node.if_not_met is None else f"\nif not met: {node.if_not_met}")
                for node in version.criteria[request].walk()
                if node.place
            }
            for request, words in _REQUESTS.items()
            if request in version.criteria
        },
        "covered diagnoses": _covered(policy, version),
        "sentences": _sentences(policy, version),
    }


def _terms(version: PolicyVersion) -> dict[str, str]:
    dose = version.dose
    written = {
        "minimum age": version.minimum_age,
        "months of an authorization": version.authorization_months,
        "family of diagnoses": ", ".join(version.family_prefixes),
        "history codes": ", ".join(version.history_codes),
        "shows active disease": ", ".join(version.active_disease_prefixes),
        "dose": dose
        and f"{dose.units_per_m2} units per m², of at most {dose.max_bsa_m2} m²{_in(dose.section)}",
    }
    return {name: str(value) for name, value in written.items() if value not in (None, "")}


def _in(section: str | None) -> str:
    return "" if section is None else f" ({section})"


def _edit(version: PolicyVersion, edit_id: str) -> str:
    edit, rule = EDITS[edit_id], version.edits[edit_id]
    codes = "" if edit.carc is None else f", {edit.group_code}-{edit.carc}"
    codes += "" if edit.rarc is None else f" {edit.rarc}"
    return f"{edit.title}; fail {rule.fail}, unknown {rule.unknown}{codes} ({rule.section})"


def _sentences(policy: Policy, version: PolicyVersion) -> dict[str, str]:
    rows = policy.sentences.filter(pl.col("version") == version.version)
    return {
        row["sentence"]: f"{row['text']}\n"
        + (
            f"[decided by {row['decided_by']}]"
            if row["decided_by"]
            else f"[undecided: {row['undecided_because']}]"
        )
        for row in rows.iter_rows(named=True)
    }


# ---- what two differ in ---------------------------------------------------------------------

ABSENT = "(not there)"


def differences(one: Parts, other: Parts) -> dict[str, dict[str, tuple[str, str]]]:
    """By part and name, what two versions say where they differ; a part in which they do not is left
    out."""
    found = {}
    for part in dict.fromkeys([*one, *other]):
        left, right = one.get(part, {}), other.get(part, {})
        differing = {
            name: (left.get(name, ABSENT), right.get(name, ABSENT))
            for name in _merged(list(left), list(right))
            if left.get(name) != right.get(name)
        }
        if differing:
            found[part] = differing
    return found


def _merged(left: list[str], right: list[str]) -> list[str]:
    """The names of both, those of the right alone behind the name they follow there."""
    merged = list(left)
    for before, name in zip([None, *right], right, strict=False):
        if name not in merged:
            merged.insert(merged.index(before) + 1 if before is not None else 0, name)
    return merged


def differing(names: tuple[str, str], found: dict[str, dict[str, tuple[str, str]]]) -> str:
    """The differences side by side."""
    if not found:
        return f"{names[0]} and {names[1]} do not differ"
    blocks = [side_by_side(*names, indent="    ")]
    for part, things in found.items():
        lines = [part]
        for name, (left, right) in things.items():
            lines += [f"  {name}", side_by_side(left, right)]
        blocks.append("\n".join(lines))
    undecided = [
        name
        for name, texts in found.get("sentences", {}).items()
        if all(text == ABSENT or "[undecided:" in text for text in texts)
    ]
    if undecided:
        blocks.append("changed in words alone, since no data decides it: " + ", ".join(undecided))
    return "\n\n".join(blocks)
