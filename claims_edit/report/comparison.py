"""A comparison for people: its summary as text and as an HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import polars as pl

from claims_edit.report.text import table

_CENTS = 2
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; width: 100%; }
caption { font-weight: 600; padding: .5rem 0; text-align: left; }
th, td { border-bottom: 1px solid #bbb; padding: .3rem .6rem; text-align: right; }
th { border-bottom-width: 2px; }
.text { text-align: left; }
.changed { font-weight: 600; }
@media print { body { margin: 0; max-width: none; } }
"""


def _tables(tables: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Each summary table: what it is, its header, and its rows as people write numbers."""
    captions = {
        "by_disposition": "Lines by disposition, from the baseline to the candidate",
        "by_edit": "Findings by edit: under the baseline only, the candidate only, or both",
    }
    for name, caption in captions.items():
        frame = tables[name]
        header = [column.replace("_", " ") for column in frame.columns]
        yield caption, header, [[_written(value) for value in row] for row in frame.iter_rows()]


def _written(value: Any) -> str:
    """A value as people write it; of units, no zeros behind the point."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if len(text.partition(".")[2]) > _CENTS else text


def summary(manifest: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    """What a comparison prints at its end."""
    rows = manifest["rows"]
    parts = [
        f"Comparison {manifest['comparison_id']}: {manifest['baseline']['named']} (baseline) against "
        f"{manifest['candidate']['named']} (candidate)\n"
        f"Rows read {rows['read']:,}: out of scope {rows['out_of_scope']:,}, rejected "
        f"{rows['rejected']:,}, edited {rows['edited']:,}, of which {rows['changed']:,} differ\n"
        f"{_history(manifest)}"
    ]
    for caption, header, body in _tables(tables):
        if body:
            rows_of_text = [tuple(row) for row in body]
            parts.append(f"{caption}\n{table(tuple(header), rows_of_text)}")
    return "\n\n".join(parts)


def _history(manifest: dict[str, Any]) -> str:
    """What was taken as history: all runs, also those after the night that is compared."""
    runs = list(manifest["history_taken"]["runs"])
    several = "" if len(runs) == 1 else "s"
    return (
        f"History: {len(runs):,} run{several}, the last {runs[-1]}" if runs else "History: no run"
    )


def page(manifest: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    """The same as an HTML page that opens anywhere; it names no member."""
    title = f"{manifest['baseline']['named']} against {manifest['candidate']['named']}: what would change"
    rows = manifest["rows"]
    body = "".join(
        _html_table(caption, header, lines) for caption, header, lines in _tables(tables)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n"
        f"<p>Comparison {escape(manifest['comparison_id'])}, as of {escape(manifest['as_of'])}. "
        f"{rows['edited']:,} lines edited, {rows['changed']:,} differ in disposition, allowed units or "
        f"reasons; each of them is in changes.parquet. {escape(_history(manifest))}. A comparison "
        "decides nothing: no run was published.</p>\n"
        f"{body}</body>\n</html>\n"
    )


def _html_table(caption: str, header: list[str], rows: list[list[str]]) -> str:
    texts = [all(not row[i][:1].isdigit() for row in rows) for i in range(len(header))]

    def cell(tag: str, i: int, value: str) -> str:
        kind = ' class="text"' if texts[i] else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{kind}>{escape(value)}</{tag}>"

    head = "".join(cell("th", i, name) for i, name in enumerate(header))
    lines = "".join(
        f"<tr{_differing(header, row)}>"
        + "".join(cell("td", i, value) for i, value in enumerate(row))
        + "</tr>\n"
        for row in rows
    )
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n"
    )


def _differing(header: list[str], row: list[str]) -> str:
    both = "baseline disposition" in header and row[0] != row[1]
    return ' class="changed"' if both else ""
