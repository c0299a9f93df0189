"""Small variants of the shipped reference data, for what prime-ic-0072 as it stands cannot show.

A variant is a copy of the folder in which files are changed as its steps say; an example names it in
the column `policy`. The dates, products and prices of a variant are made up.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support import IXABEPILONE, REFERENCE

POLICY = f"policies/{IXABEPILONE}/policy.toml"
DIAGNOSES = f"policies/{IXABEPILONE}/covered_diagnoses.csv"
CRITERIA = f"policies/{IXABEPILONE}/criteria.csv"
SENTENCES = f"policies/{IXABEPILONE}/sentences.csv"
HCPCS = "codes/hcpcs.csv"
PRODUCTS = "codes/ndc_products.csv"
PARTNERS = "codes/partner_drugs.csv"

_VERSION = "2025-09-04"
_START = f"start_date = {_VERSION}\n"
_LIMIT_EDITS = ("units-per-dose", "units-per-period", "authorization-units-exceeded")

Change = Callable[[str], str]


@dataclass(frozen=True)
class Variant:
    """What is different, in words and in the files."""

    says: str
    steps: tuple[tuple[str, Change], ...]


def _replaced(old: str, new: str) -> Change:
    def change(text: str) -> str:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in the text, not once")
        return text.replace(old, new)

    return change


def _every(old: str, new: str) -> Change:
    def change(text: str) -> str:
        if old not in text:
            raise ValueError(f"{old!r} is not in the file")
        return text.replace(old, new)

    return change


def _with_rows(*rows: str) -> Change:
    return lambda text: text + "".join(f"{row}\n" for row in rows)


def _one_line(text: str, begins: str, change: Change) -> str:
    lines = text.splitlines(keepends=True)
    found = [i for i, line in enumerate(lines) if line.startswith(begins)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} lines begin with {begins!r}, not one")
    lines[found[0]] = change(lines[found[0]])
    return "".join(lines)


def _rule(edit_id: str, change: Change) -> Change:
    """Change the line of one edit under [versions.edits]."""
    return lambda text: _one_line(text, f"{edit_id} = ", change)


def _ended(code: str, day: str) -> Change:
    """Give a covered diagnosis an end date."""
    return lambda text: _one_line(text, f"{_VERSION},{code},", _replaced(",,,", f",,{day},"))


def _limits(action: str) -> tuple[tuple[str, Change], ...]:
    change = _replaced('fail = "cutback"', f'fail = "{action}"')
    return tuple((POLICY, _rule(edit_id, change)) for edit_id in _LIMIT_EDITS)


def _three_versions(text: str) -> str:
    """The version ends with 2025; a draft of it is dated January 2026; the next begins in February."""
    before, marker, block = text.partition("[[versions]]")
    named = f'version = "{_VERSION}"'
    first = _replaced(_START, f"{_START}end_date = 2025-12-31\n")(block)
    draft = _replaced('status = "active"', 'status = "draft"')(block)
    draft = _replaced(_START, "start_date = 2026-01-01\nend_date = 2026-01-31\n")(draft)
    following = _replaced(_START, "start_date = 2026-02-01\n")(block)
    return "".join(
        (
            before,
            marker + first,
            marker + _replaced(named, 'version = "draft"')(draft),
            marker + _replaced(named, 'version = "next"')(following),
        )
    )


def _in_three_versions(text: str) -> str:
    header, *rows = text.splitlines()
    names = (_VERSION, "draft", "next")
    copies = (row.replace(_VERSION, name, 1) for name in names for row in rows)
    return "\n".join((header, *copies)) + "\n"


def _product(product: str, hcpcs: str, units: int, start: str = "", end: str = "") -> str:
    return f"{product},{hcpcs},made up,{units},{start},{end},made up for the examples"


VARIANTS: dict[str, Variant] = {
    "tenncare": Variant(
        "The policy says that TennCare's own terms govern Medicaid in Tennessee, and flags such lines.",
        (
            (
                POLICY,
                _replaced(
                    "[versions.edits]\n",
                    '[[versions.program_terms]]\nline_of_business = "medicaid"\nstate = "TN"\n'
                    'program = "TennCare"\n\n[versions.edits]\n'
                    'program-terms-govern = { fail = "flag", unknown = "flag", section = "made up" }\n',
                ),
            ),
        ),
    ),
    "always-in-force": Variant(
        "The policy version has no start date: it has always been in force.",
        ((POLICY, _replaced(_START, "")),),
    ),
    "code-ended": Variant(
        "J9207 ends on 2026-03-31.",
        ((HCPCS, _replaced('1 mg",2009-01-01,,', '1 mg",2009-01-01,2026-03-31,')),),
    ),
    "next-version": Variant(
        "The policy version ends on 2025-12-31 and the next starts on 2026-02-01. "
        "For the January between them there is only a draft.",
        (
            (POLICY, _three_versions),
            *((table, _in_three_versions) for table in (DIAGNOSES, CRITERIA, SENTENCES)),
        ),
    ),
    "dated-list": Variant(
        "The policy covers C50.A1 from 2026-02-01 on, and C50.919 and Z85.3 until 2026-01-31.",
        (
            (DIAGNOSES, _ended("C50.919", "2026-01-31")),
            (DIAGNOSES, _ended("Z85.3", "2026-01-31")),
            (
                DIAGNOSES,
                _with_rows(
                    f"{_VERSION},C50.A1,made up,2026-02-01,,made up,made up for the examples"
                ),
            ),
        ),
    ),
    "dated-products": Variant(
        "The 15 mg vial ends on 2026-01-31. The package of 70020-1911 holds 45 units until 2026-02-28 "
        "and 50 from 2026-03-01. A package of 60 units, 70020-1913, starts on 2026-02-01.",
        (
            (PRODUCTS, _replaced("for injection,15,,,", "for injection,15,,2026-01-31,")),
            (PRODUCTS, _replaced("for injection,45,,,", "for injection,45,,2026-02-28,")),
            (
                PRODUCTS,
                _with_rows(
                    _product("70020-1911", "J9207", 50, start="2026-03-01"),
                    _product("70020-1913", "J9207", 60, start="2026-02-01"),
                ),
            ),
        ),
    ),
    "other-product": Variant(
        "There is one more product, 70020-0191, of trastuzumab (J9355). The ten digits 7002019111 can "
        "now be read as a package of it (5-3-2) or of 70020-1911 (5-4-1).",
        ((PRODUCTS, _with_rows(_product("70020-0191", "J9355", 15))),),
    ),
    "unknown-told": Variant(
        "Where the shipped policy leaves an unknown off, it is flagged.",
        tuple(
            (POLICY, _rule(edit_id, _replaced('unknown = "off"', 'unknown = "flag"')))
            for edit_id in (
                "diagnosis-sex-conflict",
                "authorization-provider-mismatch",
                "dose-exceeds-body-surface",
                "combination-partner-missing",
            )
        ),
    ),
    "modifiers-asked": Variant(
        "Lines of a claim without JW and JZ are flagged.",
        (
            (
                POLICY,
                _rule("wastage-modifier-missing", _replaced('fail = "off"', 'fail = "flag"')),
            ),
        ),
    ),
    "flag-only": Variant(
        "Nothing is denied: what the shipped policy denies is flagged.",
        ((POLICY, _every('fail = "deny"', 'fail = "flag"')),),
    ),
    "no-ndc-units": Variant(
        "ndc-units-conflict is not asked, so that any number of units can be shown on its own.",
        ((POLICY, _rule("ndc-units-conflict", lambda line: "")),),
    ),
    "no-vials": Variant(
        "No product of J9207 is in force from 2026 on, and the edits of the NDC are not asked.",
        (
            (PRODUCTS, _replaced("for injection,15,,,", "for injection,15,,2025-12-31,")),
            (PRODUCTS, _replaced("for injection,45,,,", "for injection,45,,2025-12-31,")),
            *(
                (POLICY, _rule(edit_id, lambda line: ""))
                for edit_id in ("ndc-missing", "ndc-invalid", "ndc-mismatch", "ndc-units-conflict")
            ),
        ),
    ),
    "dated-partners": Variant(
        "Q5146, a code of trastuzumab, starts on 2026-01-10; Q5117, another, ends on 2026-01-20.",
        (
            (PARTNERS, _replaced("Q5146,2025-01-01,,", "Q5146,2026-01-10,,")),
            (PARTNERS, _replaced("Q5117,2019-10-01,,", "Q5117,2019-10-01,2026-01-20,")),
        ),
    ),
    "limits-deny": Variant(
        "The three limits deny the line instead of cutting it.", _limits("deny")
    ),
    "limits-flag": Variant("The three limits flag the line and cut nothing.", _limits("flag")),
}


@cache
def reference_folder(variant: str) -> Path:
    """The reference data of a variant; of none, as shipped."""
    if not variant:
        return REFERENCE
    folder = tempfile.TemporaryDirectory(prefix="reference-data-")
    atexit.register(folder.cleanup)
    copy = Path(folder.name) / variant
    shutil.copytree(REFERENCE, copy)
    for name, change in VARIANTS[variant].steps:
        path = copy / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return copy
