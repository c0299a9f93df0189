"""Coverage criteria: outlines of facts, judged over columns in Kleene's three-valued logic.

A tree is read from the rows of an outline. Its leaves are facts (a column, a comparator, a value) and
terms (an outline of their own). A fact that is not documented is null, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS, WORDS
from claims_edit.schemas import polars_type

REQUESTS = ("initial", "renewal")
TEXTS = pl.List(pl.String)
_ORDERED = {
    "at least": pl.Expr.ge,
    "at most": pl.Expr.le,
    "below": pl.Expr.lt,
    "above": pl.Expr.gt,
}
# A test is established where it is positive and its contrary is not: two that contradict each other
# establish neither.
ESTABLISHED = {
    "her2-negative": ("her2-negative-test", "her2-positive-test"),
    "her2-positive": ("her2-positive-test", "her2-negative-test"),
}


class OutlineError(ValueError):
    """A row of an outline that cannot be read; the message names its place."""


@dataclass(frozen=True)
class Node:
    """One row of an outline, with the rows under it."""

    place: str
    rule: str
    title: str
    reads: str | None = None
    comparator: str | None = None
    value: str | None = None
    if_not_met: str | None = None
    sentence: str | None = None
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """The row and all under it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child.walk()


Terms = Mapping[str, Node]


def outline(title: str, rows: Iterable[Mapping[str, Any]], terms: Iterable[str]) -> Node:
    """The tree of an outline's rows, of which the top ones are all required.

    Raises OutlineError for a row that is not in order: `terms` are the terms that may be read.
    """
    known = set(terms)
    known |= {name for name, tests in ESTABLISHED.items() if known.issuperset(tests)}
    nodes: dict[str, Node] = {}
    for row in rows:
        node = _row(row)
        parent = node.place.rpartition(".")[0]
        if node.place in nodes:
            raise OutlineError(f"place {node.place} is taken twice")
        if parent and parent not in nodes:
            raise OutlineError(f"place {node.place} stands before place {parent}")
        if parent and nodes[parent].rule not in ("all", "any"):
            raise OutlineError(f"place {parent} is a {nodes[parent].rule}, with rows under it")
        _require_leaf(node, known)
        nodes[node.place] = node
    for place, node in nodes.items():
        if node.rule in ("all", "any") and not any(_is_under(other, place) for other in nodes):
            raise OutlineError(f"place {place} is to be {node.rule} of the rows under it: none is")
    if not nodes:
        raise OutlineError("there is no row")
    top = tuple(_grown(nodes, place) for place in nodes if "." not in place)
    return Node("", "all", title, children=top)


def _row(row: Mapping[str, Any]) -> Node:
    return Node(
        place=row["place"],
        rule=row["rule"],
        title=row["title"],
        reads=row["reads"],
        comparator=row["comparator"],
        value=row["value"],
        if_not_met=row["if_not_met"],
        sentence=row.get("sentence"),
    )


def _is_under(place: str, parent: str) -> bool:
    return place.rpartition(".")[0] == parent


def _grown(nodes: Mapping[str, Node], place: str) -> Node:
    children = tuple(_grown(nodes, other) for other in nodes if _is_under(other, place))
    return replace(nodes[place], children=children)


def _require_leaf(node: Node, terms: set[str]) -> None:
    """Raises OutlineError where a row reads what it cannot, or says nothing where it is not met."""

    def require(condition: bool, problem: str) -> None:
        if not condition:
            raise OutlineError(f"place {node.place}: {problem}")

    if node.rule in ("all", "any"):
        given = (node.reads, node.comparator, node.value, node.if_not_met)
        require(not any(given), f"is {node.rule} of the rows under it, and reads nothing itself")
        return
    require(node.if_not_met is not None, "if_not_met must be written")
    if node.rule == "term":
        require(node.reads in terms, f"there is no term {node.reads!r}")
        require(node.comparator is None and node.value is None, "a term is compared with nothing")
        return
    facts = set(CLINICAL_FACTS.columns) - {"authorization_number"}
    require(node.reads in facts, f"there is no clinical fact {node.reads!r}")
    require(node.comparator is not None and node.value is not None, "needs comparator and value")
    require(_can_compare(node), f"{node.reads} cannot be compared: {node.comparator} {node.value}")


def _can_compare(node: Node) -> bool:
    reads, value = node.reads or "", node.value or ""
    if reads in WORDS:
        return node.comparator in ("is", "is not") and set(_words(value)) <= set(WORDS[reads])
    if polars_type(CLINICAL_FACTS.columns[reads]) == pl.Boolean:
        return node.comparator == "is" and value in ("true", "false")
    return _is_number(value)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(";")]


# ---- verdicts -------------------------------------------------------------------------------


def met(node: Node, terms: Terms) -> pl.Expr:
    """Whether it is met, over columns of clinical facts: true, false, or null."""
    if node.rule == "fact":
        return _compared(node)
    if node.rule == "term":
        return _term_met(node.reads or "", terms)
    children = [met(child, terms) for child in node.children]
    return pl.all_horizontal(children) if node.rule == "all" else pl.any_horizontal(children)


def _compared(node: Node) -> pl.Expr:
    reads, value = node.reads or "", node.value or ""
    fact = pl.col(reads)
    if reads in WORDS:
        among = fact.is_in(_words(value))
        return among if node.comparator == "is" else ~among
    if value in ("true", "false"):
        return fact if value == "true" else ~fact
    if node.comparator in ("is", "is not"):
        return fact == float(value) if node.comparator == "is" else fact != float(value)
    return _ORDERED[node.comparator or ""](fact, float(value))


def _term_met(term: str, terms: Terms) -> pl.Expr:
    if term not in ESTABLISHED:
        return met(terms[term], terms)
    this, contrary = (met(terms[name], terms).fill_null(False) for name in ESTABLISHED[term])
    return pl.when(this != contrary).then(this)


def texts(*words: str) -> pl.Expr:
    """A list of these texts."""
    return pl.lit(list(words), dtype=TEXTS)


def tests_of(node: Node) -> tuple[str, ...]:
    """The terms whose outlines a row reads: its own, or the two tests by which it is established."""
    if node.rule != "term" or node.reads is None:
        return ()
    return ESTABLISHED.get(node.reads, (node.reads,))


def facts_read(node: Node, terms: Terms) -> list[str]:
    """The clinical facts that it reads, in the order of the document, each once."""
    found: list[str] = []
    for each in node.walk():
        if each.rule == "fact" and each.reads:
            found.append(each.reads)
        elif each.rule == "term":
            for name in tests_of(each):
                found += facts_read(terms[name], terms)
    return list(dict.fromkeys(found))


def missing(node: Node, terms: Terms) -> pl.Expr:
    """The facts that it lacks to be decided, as a list of their names; none where it is decided."""
    if node.rule == "fact":
        found = texts(node.reads or "")
    elif node.rule == "term":
        found = pl.concat_list(missing(terms[name], terms) for name in tests_of(node))
    else:
        found = pl.concat_list(missing(child, terms) for child in node.children)
    undecided = met(node, terms).is_null()
    return pl.when(undecided).then(found).otherwise(texts())
