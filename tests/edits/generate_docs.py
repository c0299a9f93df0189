"""Writes docs/edits.md from the edits, the policy prime-ic-0072 and the example tables.

    python -m tests.edits.generate_docs [--check]

With `--check` nothing is written; a page that is not current is an error.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from claims_edit.edits.catalogue import EDITS
from claims_edit.edits.edit import Edit
from claims_edit.policies import EditRule
from tests.edits.tables import (
    AS_OF,
    EXPECTED,
    ORDINARY,
    ORDINARY_AUTHORIZATION,
    ORDINARY_FACTS,
    Table,
    outcome,
    read_table,
)
from tests.edits.variants import VARIANTS
from tests.support import IXABEPILONE, PROJECT, policy, reference_data

PAGE = PROJECT / "docs" / "edits.md"
_ALWAYS_FLAG = ("medicare-not-governed", "no-policy-in-force")

_INTRODUCTION = """# The edits

<!-- Written by `make docs` from tests/edits/examples and the edits' own code: change those. -->

An edit is one question asked of a claim line of the drug. It passes, fails, or is unknown: the data
cannot tell. What is done with a fail and with an unknown is the policy's decision: `deny`, `cutback`
(pay the units there is room for), `flag` (a person looks at it) or `off` (nobody is told). Below are
the decisions of the policy `{policy}`; they stand in its `policy.toml`, with the section of the
document.

A line is asked all edits and carries all its findings. Where a line has several, the primary one is a
`deny` before a `cutback` before a `flag`, then the order of this page.

## How to read the examples

The examples are the tests of the edits: what a table says is what the program does. Each row is one
claim line. It is the ordinary line below but for the cells that are filled in; `none` means that the
value is not given. Every row is of a member and a claim of its own, unless rows share a `night`: these
are edited together, in one extract, and are of one member and of the claims C1, C2, … from top to
bottom, unless the row says otherwise.

{columns}
To add an example, add a row to `tests/edits/examples/<edit>.csv` and run `make docs test`.
"""


_COLUMNS = {
    "example": "what the row shows",
    "policy": "a variant of the policy or of the code tables, listed below; empty: as shipped",
    "as_of": f"the as-of date of the run; {AS_OF} where it is not given",
    "authorization:…": (
        "the member's authorization AU1, where it differs from the ordinary one; a status of `none`: "
        "there is none; in a night it is written once, on any of the member's rows"
    ),
    "authorization2:…": "a second authorization, AU2, ordinary where nothing is said",
    "clinical:…": (
        "the clinical facts of AU1, where they differ from the ordinary ones; an authorization number of "
        "`none`: there are none"
    ),
    "clinical2:…": "a second row of facts, of AU2 unless it names another authorization",
    "clinical": (
        "`none`: no clinical extract is given. Only the examples of the edits that read clinical facts "
        "give one; the others are not asked these edits"
    ),
    "verdict": (
        "what this edit finds; `not asked`: the line is not asked; `not told`: it fails or cannot "
        "tell, and the action is off"
    ),
    "disposition": (
        "what becomes of the line; `rejected`: a row that cannot be edited; `out of scope`: not a "
        "line of the drug"
    ),
    "allowed_units": "the units allowed, where it matters",
    "also": "the other edits that fail or cannot tell on the line; empty: none",
    "other cells": "the cells of columns that few rows of the table fill in",
}


def page() -> str:
    """The whole page."""
    parts = [
        _introduction(),
        _ordinary(),
        _variants(),
        _overview(),
        *(_section(edit) for edit in EDITS.values()),
    ]
    return "\n".join(parts)


def is_current() -> bool:
    """Whether the page on disk is what would be written."""
    return PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()


def _introduction() -> str:
    columns = _table(("column", "meaning"), ((f"`{c}`", says) for c, says in _COLUMNS.items()))
    return _INTRODUCTION.format(policy=IXABEPILONE, columns=columns)


def _ordinary() -> str:
    line = _table(("column", "value"), ((f"`{c}`", v) for c, v in ORDINARY.items()))
    own = ORDINARY_AUTHORIZATION.items()
    authorization = _table(("column", "value"), ((f"`{c}`", v) for c, v in own))
    facts = _table(("column", "value"), ((f"`{c}`", v) for c, v in ORDINARY_FACTS.items()))
    return (
        "### The ordinary line\n\nIt has no finding and pays. All other columns are empty.\n\n"
        f"{line}\nIts authorization AU1, without a limit of units and for any provider:\n\n"
        f"{authorization}\n"
        "The clinical facts of AU1, where a clinical extract is given; all others are not documented:"
        f"\n\n{facts}"
    )


def _variants() -> str:
    rows = ((f"`{name}`", variant.says) for name, variant in VARIANTS.items())
    return (
        "### The variants\n\nSome examples need another policy or other code tables than the "
        "shipped ones. Their dates and products are made up.\n\n"
        f"{_table(('policy', 'what is different'), rows)}"
    )


def _overview() -> str:
    rows = ((f"[{edit.id}](#{edit.id})", edit.title, *_actions(edit)) for edit in EDITS.values())
    return "## All edits\n\n" + _table(("edit", "in a few words", "fail", "unknown"), rows)


def _section(edit: Edit) -> str:
    table = read_table(edit.id)
    text = "\n".join(table.text)
    facts = _table(("", ""), _facts(edit, table))
    return f"## {edit.id}\n\n**{edit.title}.**\n\n{text}\n\n{facts}\n{_examples(table)}"


def _examples(table: Table) -> str:
    """The table, with the columns that few rows fill gathered in one."""
    gathered = _gathered(table)
    shown = [c for c in table.columns if c not in ("says", *gathered)]
    if not gathered:
        return _table(shown, ([row[c] for c in shown] for row in table.examples))
    split = next(i for i, c in enumerate(shown) if c in EXPECTED)
    rows = (
        (
            *(row[c] for c in shown[:split]),
            "<br>".join(f"`{c}` {row[c]}" for c in gathered if row[c]),
            *(row[c] for c in shown[split:]),
        )
        for row in table.examples
    )
    return _table((*shown[:split], "other cells", *shown[split:]), rows)


def _gathered(table: Table) -> list[str]:
    filled = Counter(c for row in table.examples for c in row.given)
    rare = [c for c in table.columns if 0 < filled[c] < len(table.examples) / 4]
    return rare if len(rare) > 1 else []


def _facts(edit: Edit, table: Table) -> Iterable[tuple[str, str]]:
    rule = _rule(edit)
    fail, unknown = _actions(edit)
    yield "on a fail", fail
    yield "on an unknown", unknown
    if rule is not None:
        yield "section of the document", rule.section
    yield "adjustment codes", _adjustment(edit)
    yield "evidence", ", ".join(f"`{c.rpartition(':')[2]}`" for c in edit.evidence)
    for verdict in ("fail", "unknown"):
        message = _message(table, verdict)
        if message is not None:
            yield f"a message of a{'n' * (verdict == 'unknown')} {verdict}", f"“{message}”"


def _rule(edit: Edit) -> EditRule | None:
    return policy().active_versions[0].edits.get(edit.id)


def _actions(edit: Edit) -> tuple[str, str]:
    rule = _rule(edit)
    if rule is None:
        return "not asked", "not asked"
    fail = f"{rule.fail}, in every policy" if edit.id in _ALWAYS_FLAG else rule.fail
    return fail, rule.unknown if edit.unknown_message is not None else "can always tell"


def _adjustment(edit: Edit) -> str:
    codes = (("group", edit.group_code), ("carc", edit.carc), ("rarc", edit.rarc))
    named = [f"{_label(kind)} {code}: {_description(kind, code)}" for kind, code in codes if code]
    return "<br>".join(named) or "none: such a line is passed on to a person"


def _label(kind: str) -> str:
    return kind if kind == "group" else kind.upper()


def _description(kind: str, code: str) -> str:
    rows = reference_data()["adjustment_codes"].rows_by_key(["type", "code"], named=True)
    return str(rows[kind, code][0]["description"])


def _message(table: Table, verdict: str) -> str | None:
    found = (outcome(row).message for row in table.examples if row["verdict"] == verdict)
    return next(found, None)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(header)
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(_cell(v) for v in line)} |\n" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", r"\|")


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.edits.generate_docs", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    if not parser.parse_args().check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if is_current():
        return 0
    print("docs/edits.md is not current: run `make docs` and commit it.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
