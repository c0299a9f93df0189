"""Writes docs/sentences.md from the sentences, criteria and cases of every policy.

    python -m tests.policies.generate_docs [--check]

With `--check` nothing is written; a page that is not current is an error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

import polars as pl

from claims_edit.cases import Case, read_cases
from claims_edit.policies import Policy, PolicyVersion, policy_ids
from tests.support import PROJECT, REFERENCE, policy

PAGE = PROJECT / "docs" / "sentences.md"

_INTRODUCTION = """# The policies, sentence by sentence

<!-- Written by `make docs` from sentences.csv, criteria.csv and cases/ of every policy: change those. -->

What each document says, which edit or criterion decides it, and the example cases that show it. A case is
a row of a table in `reference_data/policies/<policy>/cases/`; `claims-edit policy check` runs them all.
Behind the name of a case stand the edits that find something, and what becomes of its lines.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(_policy(policy(name)) for name in policy_ids(REFERENCE))])


def is_current() -> bool:
    """Whether the page says what the policies say."""
    return PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()


def _policy(of: Policy) -> str:
    cases = read_cases(of)
    versions = (_version(of, version, cases) for version in of.versions)
    return "\n".join([f"## {of.id}: {of.title}, {of.payer}\n", *versions])


def _version(of: Policy, version: PolicyVersion, cases: list[Case]) -> str:
    sentences = of.sentences.filter(pl.col("version") == version.version)
    own = [case for case in cases if case.version == version.version]
    decided = [
        (row["section"], row["text"], _deciding(version, row), _shown(own, row["sentence"]))
        for row in sentences.iter_rows(named=True)
        if row["decided_by"]
    ]
    undecided = [
        (row["section"], row["text"], row["undecided_because"])
        for row in sentences.iter_rows(named=True)
        if not row["decided_by"]
    ]
    return "\n".join(
        [
            f"### Version {version.version} ({version.status})\n",
            _table(("section", "sentence", "decided by", "cases"), decided),
            f"#### Sentences of version {version.version} that data cannot decide\n",
            _table(("section", "sentence", "why"), undecided),
        ]
    )


def _deciding(version: PolicyVersion, row: dict[str, str]) -> str:
    """The edits, and the places of the criteria that stand for the sentence."""
    places = [
        f"{request} {node.place}"
        for request, tree in version.criteria.items()
        for node in tree.walk()
        if node.sentence == row["sentence"]
    ]
    edits = ", ".join(f"`{name}`" for name in row["decided_by"].split())
    return edits + (f" ({', '.join(places)})" if places else "")


def _shown(cases: list[Case], sentence: str) -> str:
    return "<br>".join(
        f"`{case.name}`: {case.says} → {', '.join(_verdicts(case))}"
        for case in cases
        if case.sentence == sentence
    )


def _verdicts(case: Case) -> Iterator[str]:
    for line in case.lines:
        found = [f"`{name}`" for name in line["fails"].split()]
        found += [f"`{name}` unknown" for name in line["unknown"].split()]
        yield " ".join([*found, line["disposition"]]).strip() or "nothing found"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(header)
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(_cell(v) for v in line)} |\n" for line in lines)


def _cell(value: str) -> str:
    return " ".join(value.replace("|", r"\|").split())


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.policies.generate_docs", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if is_current():
        return 0
    print("docs/sentences.md is not current: run `make docs` and commit it.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
