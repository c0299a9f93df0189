"""Coverage criteria: outlines of facts, judged over columns in Kleene's three-valued logic.

A tree is read from the rows of an outline. Its leaves are facts (a column, a comparator, a value) and
terms (an outline of their own). A fact that is not documented is null, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS, WORDS
from claims_edit.schemas import polars_type

REQUESTS = ("initial", "renewal")
_TEXTS = pl.List(pl.String)
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


# The fact that says what is asked for, where the others say what was found of the patient.
_REQUESTED = "regimen"
_MANY = 1_000


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
        float(text)
    except ValueError:
        return False
    return True


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


def facts_read(node: Node, terms: Terms) -> list[str]:
    """The clinical facts that it reads, in the order of the document, each once."""
    found: list[str] = []
    for each in node.walk():
        if each.rule == "fact" and each.reads:
            found.append(each.reads)
        elif each.rule == "term":
            for name in ESTABLISHED.get(each.reads or "", (each.reads or "",)):
                found += facts_read(terms[name], terms)
    return list(dict.fromkeys(found))


def missing(node: Node, terms: Terms) -> pl.Expr:
    """The facts that it lacks to be decided, as a list of their names; none where it is decided."""
    if node.rule == "fact":
        found = pl.lit([node.reads], dtype=_TEXTS)
    elif node.rule == "term":
        tests = ESTABLISHED.get(node.reads or "", (node.reads or "",))
        found = pl.concat_list(missing(terms[name], terms) for name in tests)
    else:
        found = pl.concat_list(missing(child, terms) for child in node.children)
    undecided = met(node, terms).is_null()
    return pl.when(undecided).then(found).otherwise(pl.lit([], dtype=_TEXTS))


# ---- what came nearest ----------------------------------------------------------------------

EXPLANATION: dict[str, Any] = {
    "met": pl.Boolean,
    "branch": pl.String,
    "not_met": _TEXTS,
    "undecided": _TEXTS,
    "missing": _TEXTS,
}


def judged(tree: Node, terms: Terms, facts: pl.DataFrame) -> pl.DataFrame:
    """Adds to rows of clinical facts whether they meet the tree, and where not, what came nearest.

    Adds the columns of EXPLANATION; all but `met` are null where it is met. The order of the rows is
    lost.
    """
    rows = facts.with_columns(met=met(tree, terms))
    is_met = pl.col("met").fill_null(False)
    nothing = [pl.lit(None, dtype=t).alias(c) for c, t in EXPLANATION.items() if c != "met"]
    return pl.concat(
        [rows.filter(is_met).with_columns(nothing), _explained(tree, terms, rows.filter(~is_met))]
    )


def _explained(tree: Node, terms: Terms, facts: pl.DataFrame) -> pl.DataFrame:
    """Adds, for each row of `facts`, what came nearest to meeting the tree.

    Of an `any`, the alternative with the fewest leaves that are false; of equals, one that is of the
    regimen that is asked for; then the one with the fewest leaves that are missing, then the one that
    gets furthest in the order of the document before it fails.
    `branch` is the way through the alternatives in words, `not_met` what is said of its false
    leaves, with their values; `undecided` the titles of its leaves that cannot be told, `missing` the
    facts they lack.
    """
    frame = facts
    for node in _leaves_first(tree):
        frame = frame.with_columns(_distance(node, terms))
    for node in tree.walk():
        frame = frame.with_columns(_on_branch(node))
    leaves = [n for n in tree.walk() if n.rule in ("fact", "term")]
    branches = [c for n in tree.walk() if _parts_ways(n) for c in n.children]
    return frame.with_columns(
        branch=_collected((_on(n), pl.lit(n.title)) for n in branches).list.join(" > "),
        not_met=_collected((_on(n) & ~_met(n), _said(n, terms)) for n in leaves),
        undecided=_collected((_on(n) & _met(n).is_null(), pl.lit(n.title)) for n in leaves),
        missing=pl.concat_list(
            pl.when(_on(n)).then(missing(n, terms)).otherwise(pl.lit([], dtype=_TEXTS))
            for n in leaves
        ).list.unique(maintain_order=True),
    ).select(*facts.columns, *(c for c in EXPLANATION if c != "met"))


def _parts_ways(node: Node) -> bool:
    """Whether its alternatives are ways of their own, and not one condition in several words."""
    return node.rule == "any" and any(child.children for child in node.children)


def _leaves_first(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield from _leaves_first(child)
    yield node


def _column(node: Node, name: str) -> pl.Expr:
    return pl.col(f"{node.place}:{name}")


def _met(node: Node) -> pl.Expr:
    return _column(node, "met")


def _on(node: Node) -> pl.Expr:
    return _column(node, "on")


def _distance(node: Node, terms: Terms) -> list[pl.Expr]:
    """How far a row is from being met: its leaves `false`, those of them that are of another regimen
    (`elsewhere`), its leaves `null`, and those met before any is not (`lead`)."""
    if not node.children:
        verdict = met(node, terms)
        parts = {
            "met": verdict,
            "false": (~verdict).fill_null(False).cast(pl.Int64),
            "elsewhere": (~verdict & (node.reads == _REQUESTED)).fill_null(False).cast(pl.Int64),
            "null": verdict.is_null().cast(pl.Int64),
            "lead": verdict.fill_null(False).cast(pl.Int64),
        }
    elif node.rule == "all":
        parts = {
            "met": pl.all_horizontal(_met(c) for c in node.children),
            "lead": _lead(node.children),
        } | {
            part: pl.sum_horizontal(_column(c, part) for c in node.children)
            for part in ("false", "elsewhere", "null")
        }
    else:
        parts = {"met": pl.any_horizontal(_met(c) for c in node.children)} | {
            part: pl.coalesce(
                pl.when(chosen).then(_column(child, part))
                for child, chosen in zip(node.children, _chosen(node.children), strict=True)
            )
            for part in ("false", "elsewhere", "null", "lead")
        }
    return [part.alias(f"{node.place}:{name}") for name, part in parts.items()]


def _lead(children: Sequence[Node]) -> pl.Expr:
    """The leaves met until the first that is not."""
    so_far, lead = pl.lit(True), pl.lit(0, pl.Int64)
    for child in children:
        lead = lead + pl.when(so_far).then(_column(child, "lead")).otherwise(0)
        so_far = so_far & _met(child).fill_null(False)
    return lead


def _chosen(children: Sequence[Node]) -> list[pl.Expr]:
    """For each alternative, whether it comes nearest; the first of equals does."""
    ranked = ("false", "elsewhere", "null")
    keys = []
    for i, child in enumerate(children):
        key = pl.lit(0, pl.Int64)
        for part in ranked:
            key = key * _MANY + _column(child, part)
        keys.append((key * _MANY + _MANY - _column(child, "lead")) * _MANY + i)
    nearest = pl.min_horizontal(keys)
    return [key == nearest for key in keys]


def _on_branch(node: Node) -> list[pl.Expr]:
    """Whether each row under it is on the way that came nearest."""
    own = _on(node) if node.place else pl.lit(True)
    chosen = _chosen(node.children) if node.rule == "any" else [pl.lit(True)] * len(node.children)
    return [
        (own & on).alias(f"{child.place}:on")
        for child, on in zip(node.children, chosen, strict=True)
    ]


def _said(node: Node, terms: Terms) -> pl.Expr:
    """What is said of a leaf that is not met, with the values that it reads."""
    values = [
        pl.when(pl.col(name).is_not_null()).then(pl.format(f"{name} {{}}", _written(name)))
        for name in facts_read(node, terms)
    ]
    together = pl.concat_list(values).list.drop_nulls().list.join(", ")
    return pl.format("{} ({})", pl.lit(node.if_not_met), together)


def _written(name: str) -> pl.Expr:
    """A value as people write it: a whole number without a point."""
    text = pl.col(name).cast(pl.String)
    if polars_type(CLINICAL_FACTS.columns[name]) == pl.Float64:
        return text.str.strip_suffix(".0")
    return text


def _collected(texts: Iterable[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    """The texts of which the condition is true, in order."""
    chosen = [pl.when(condition).then(text) for condition, text in texts]
    return pl.concat_list(chosen).list.drop_nulls() if chosen else pl.lit([], dtype=_TEXTS)
