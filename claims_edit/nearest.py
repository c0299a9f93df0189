"""What came nearest to meeting the criteria, where they are not met: the branch, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.criteria import TEXTS, Node, Terms, facts_read, met, missing, texts
from claims_edit.schemas import polars_type

# The fact that says what is asked for, where the others say what was found of the patient.
_REQUESTED = "regimen"
_MANY = 1_000

EXPLANATION: dict[str, Any] = {
    "met": pl.Boolean,
    "branch": pl.String,
    "not_met": TEXTS,
    "undecided": TEXTS,
    "contradicted": TEXTS,
    "missing": TEXTS,
    "open": TEXTS,
}
_SLICE = 100_000


def judged(tree: Node, terms: Terms, facts: pl.DataFrame) -> pl.DataFrame:
    """Adds to rows of clinical facts whether they meet the tree, and where not, what came nearest.

    Adds the columns of EXPLANATION; all but `met` are null where it is met. Of an `any`, an alternative
    that is of the regimen that is asked for comes nearest; of equals, that with the fewest leaves that
    are false, then with the fewest that are missing, then the one that gets furthest in the order of
    the document before it fails. An `any` of leaves alone is one condition in several words: all its
    leaves are told that are as it is. `branch` is the way through the
    alternatives in words, `not_met` what is said of its false leaves, with their values; `undecided`
    the titles of its leaves that cannot be told, `contradicted` those of which the facts contradict
    each other, `missing` the facts that the others lack; `open` the facts that any alternative lacks
    that may still be met, where the tree is undecided.
    """
    rows = facts.with_row_index("_row").with_columns(met=met(tree, terms))
    unmet = rows.filter(~pl.col("met").fill_null(False))
    explained = [
        _explained(tree, terms, unmet.slice(first, _SLICE))
        for first in range(0, max(unmet.height, 1), _SLICE)
    ]
    return rows.join(pl.concat(explained), on="_row", how="left", maintain_order="left").select(
        *facts.columns, *EXPLANATION
    )


def _explained(tree: Node, terms: Terms, frame: pl.DataFrame) -> pl.DataFrame:
    """The explanation of rows that do not meet the tree, by `_row`."""
    for node in _leaves_first(tree):
        frame = frame.with_columns(_distance(node, terms))
    for node in tree.walk():
        frame = frame.with_columns(_on_branch(node))
    explanation = frame.select("_row")
    for name, said in _explanation(tree, terms).items():
        found = _collected(frame, said).rename({"text": name})
        explanation = explanation.join(found, on="_row", how="left")
    lists = [name for name, dtype in EXPLANATION.items() if dtype == TEXTS]
    return explanation.with_columns(
        pl.col("branch").list.join(" > ").fill_null(""),
        pl.col(lists).list.unique(maintain_order=True).fill_null(texts()),
    )


# Where it is said, and what: a list of texts.
_Said = list[tuple[pl.Expr, pl.Expr]]


def _explanation(tree: Node, terms: Terms) -> dict[str, _Said]:
    """What each column of the explanation says, in the order of the document."""
    leaves = [n for n in tree.walk() if n.rule in ("fact", "term")]
    branches = [c for n in tree.walk() if _parts_ways(n) for c in n.children]
    null = [(n, _on(n) & _met(n).is_null()) for n in leaves]
    return {
        "branch": [(_on(n), texts(n.title)) for n in branches],
        "not_met": [(_on(n) & ~_met(n), _if_not_met(n, terms)) for n in leaves],
        "undecided": [(where, texts(n.title)) for n, where in null],
        "contradicted": [
            (where & (missing(n, terms).list.len() == 0), texts(n.title)) for n, where in null
        ],
        "missing": [(where, missing(n, terms)) for n, where in null],
        "open": [(pl.col("met").is_null(), missing(tree, terms))],
    }


def _collected(frame: pl.DataFrame, said: _Said) -> pl.DataFrame:
    """By row, the list of all texts that are said of it. Few are, so that each is made only there."""
    found = [
        frame.lazy().filter(where).select("_row", text=words, place=pl.lit(i, pl.Int64))
        for i, (where, words) in enumerate(said)
    ]
    nothing = frame.lazy().clear().select("_row", text=texts(), place=pl.lit(0, pl.Int64))
    return (
        pl.concat([nothing, *found])
        .explode("text", empty_as_null=False)
        .sort("_row", "place", maintain_order=True)
        .group_by("_row", maintain_order=True)
        .agg("text")
        .collect()
    )


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
    ranked = ("elsewhere", "false", "null")
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
    on = [pl.lit(True)] * len(node.children)
    if node.rule == "any":
        on = _chosen(node.children)
    if node.rule == "any" and not _parts_ways(node):
        undecided = _met(node).is_null()
        on = [
            pl.when(_met(node).fill_null(False))
            .then(chosen)
            .otherwise(~undecided | _met(child).is_null())
            for child, chosen in zip(node.children, on, strict=True)
        ]
    return [
        (own & told).alias(f"{child.place}:on")
        for child, told in zip(node.children, on, strict=True)
    ]


def _if_not_met(node: Node, terms: Terms) -> pl.Expr:
    """What is said of a leaf that is not met, with the values that it reads."""
    values = [
        pl.when(pl.col(name).is_not_null()).then(pl.format(f"{name} {{}}", _written(name)))
        for name in facts_read(node, terms)
    ]
    together = pl.concat_list(values).list.drop_nulls().list.join(", ")
    return pl.concat_list(pl.format("{} ({})", pl.lit(node.if_not_met), together))


def _written(name: str) -> pl.Expr:
    """A value as people write it: a whole number without a point."""
    text = pl.col(name).cast(pl.String)
    if polars_type(CLINICAL_FACTS.columns[name]) == pl.Float64:
        return text.str.strip_suffix(".0")
    return text
