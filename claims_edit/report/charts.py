"""Charts of a report: drawn by Vega-Lite into SVG that stands in the page, without a script.

The colours are those of the page's style, so that they follow it into the dark and onto paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Any

from claims_edit.contracts import DISPOSITIONS
from claims_edit.report.figures import Table

# What stands for a colour of the style while a chart is drawn.
_COLOURS = {
    "pay": "#010101",
    "flag": "#010102",
    "partial": "#010103",
    "deny": "#010104",
    "void": "#010105",
    "superseded": "#010106",
    "accent": "#010107",
    "ink": "#010108",
    "muted": "#010109",
    "line": "#01010a",
}
_NAMED = {colour: name for name, colour in _COLOURS.items()}
_FONT = "system-ui, sans-serif"
_CONFIG = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _COLOURS["muted"],
        "titleColor": _COLOURS["muted"],
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": _COLOURS["line"],
        "domainColor": _COLOURS["line"],
        "tickColor": _COLOURS["line"],
    },
    "legend": {
        "labelColor": _COLOURS["muted"],
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "symbolType": "square",
    },
    "text": {"color": _COLOURS["ink"], "fontSize": 11},
}
_BAR, _WIDE, _HIGH = 20, 560, 130
# What a bar leaves of its line for its number.
_ROOM = 1.25
_NUMBERS = 50
_NAMES = {"disposition": 80, "edit": 215}
_MONEY, _COUNT, _SHARE = ",.0f", ",d", ".0%"
_MOST = 12
_OPENING = re.compile(r"<svg [^>]*?width=\"(\d+)\" height=\"(\d+)\"[^>]*>")
_SPOKEN = re.compile(r" (?:role|aria-[a-z]+)=\"[^\"]*\"")
_COLOUR = re.compile("|".join(_NAMED))


@dataclass(frozen=True)
class Chart:
    """A chart: its name in the page, what it shows, the same in a sentence, and its SVG."""

    name: str
    caption: str
    description: str
    svg: str


def by_disposition(table: Table) -> list[Chart]:
    """Lines, and charges, by disposition."""
    said = "; ".join(
        f"{name} {lines:,} lines, charge {charge:,.2f}" for name, lines, charge, _ in table.rows
    )
    lines, charge = (
        _bars(table, "disposition", of, form, colours=True)
        for of, form in (("lines", _COUNT), ("charge", _MONEY))
    )
    return [
        _drawn("dispositions-lines", "Lines by disposition", said, lines),
        _drawn("dispositions-charge", "Charge by disposition", said, charge),
    ]


def by_edit(table: Table) -> list[Chart]:
    """The edits on most lines, and those with most charge at stake."""
    edits = list(table.columns).index("edit")
    charts = []
    for name, caption, of, form in (
        ("edits-lines", "Edits on most flagged lines", "lines", _COUNT),
        ("edits-charge", "Edits with most charge at stake", "charge at stake", _MONEY),
    ):
        at = list(table.columns).index(of)
        ranked = sorted(table.rows, key=lambda row, at=at: (-row[at], row[edits]))[:_MOST]  # type: ignore[misc]
        said = "; ".join(f"{row[edits]} {row[at]:,}" for row in ranked)
        top = Table(caption, table.columns, ranked)
        charts.append(_drawn(name, caption, said, _bars(top, "edit", of, form)))
    return charts


def over_runs(table: Table) -> list[Chart]:
    """Lines by disposition, the flag rate, the denied charge and the rejects of the last runs."""
    first, last = (dict(zip(table.columns, table.rows[i], strict=True)) for i in (0, -1))

    def said(of: str, form: str) -> str:
        ends = (f"{format(run[of], form)} in run {run['run']}" for run in (first, last))
        return f"{of} over {len(table.rows)} runs: {', '.join(ends)}"

    return [
        _drawn("trend-lines", "Lines by disposition", said("lines", ","), _stacked(table)),
        _drawn(
            "trend-flag-rate",
            "Share of lines that are flagged",
            said("flag rate", ".2%"),
            _line(table, "flag rate", _SHARE),
        ),
        _drawn(
            "trend-denied",
            "Denied charge",
            said("denied charge", ",.2f"),
            _columns(table, "denied charge", "~s"),
        ),
        _drawn(
            "trend-rejects",
            "Rejected rows of claims",
            said("rejected rows", ","),
            _columns(table, "rejected rows", "~s"),
        ),
    ]


# ---- what is drawn --------------------------------------------------------------------------


def _bars(table: Table, by: str, of: str, form: str, *, colours: bool = False) -> dict[str, Any]:
    """Bars from the left, each with its name and its number."""
    most = max(float(row[of]) for row in table.values())
    numbers = {
        "field": of,
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, max(most, 1) * _ROOM], "nice": False, "padding": 0},
    }
    names = {
        "field": by,
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {
            "ticks": False,
            "domain": False,
            "labelLimit": 240,
            "labelPadding": 6,
            "minExtent": _NAMES[by],
            "labelColor": _COLOURS["ink"],
        },
    }
    bar: dict[str, Any] = {"x": numbers, "y": names}
    bar["color"] = _of_disposition(by) if colours else {"value": _COLOURS["accent"]}
    number = {"x": numbers, "y": names, "text": {"field": of, "format": form}}
    return {
        "width": _WIDE - _NAMES[by],
        "height": {"step": _BAR},
        "data": {"values": table.values()},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}, "encoding": bar},
            {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": number},
        ],
    }


def _of_disposition(by: str, *, legend: bool = False) -> dict[str, Any]:
    scale = {"domain": list(DISPOSITIONS), "range": [_COLOURS[d] for d in DISPOSITIONS]}
    own: dict[str, Any] = {} if legend else {"legend": None}
    return {"field": by, "type": "nominal", "scale": scale, **own}


def _over_runs(table: Table, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    runs = {
        "field": "run",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": -45, "labelLimit": 88, "labelOverlap": "greedy"},
    }
    return {
        "width": _WIDE - _NUMBERS,
        "height": _HIGH,
        "data": {"values": table.values()},
        "mark": mark,
        "encoding": {"x": runs, **encoding},
    }


def _height(of: str, form: str) -> dict[str, Any]:
    return {
        "field": of,
        "type": "quantitative",
        "title": None,
        "axis": {"format": form, "tickCount": 4, "domain": False, "ticks": False},
        "scale": {"zero": True},
    }


def _columns(table: Table, of: str, form: str) -> dict[str, Any]:
    encoding = {"y": _height(of, form), "color": {"value": _COLOURS["accent"]}}
    return _over_runs(table, {"type": "bar", "width": {"band": 0.7}}, encoding)


def _line(table: Table, of: str, form: str) -> dict[str, Any]:
    mark = {"type": "line", "strokeWidth": 2, "point": {"size": 24, "color": _COLOURS["flag"]}}
    encoding = {"y": _height(of, form), "color": {"value": _COLOURS["flag"]}}
    return _over_runs(table, mark, encoding)


def _stacked(table: Table) -> dict[str, Any]:
    place = {name: i for i, name in enumerate(DISPOSITIONS)}
    encoding = {
        "y": _height("lines by disposition", "~s"),
        "color": _of_disposition("disposition", legend=True),
        "order": {"field": "place", "type": "quantitative"},
    }
    spec = _over_runs(table, {"type": "bar", "width": {"band": 0.7}}, encoding)
    spec["data"] = {
        "values": [
            {"run": row["run"], "disposition": d, "place": place[d], "lines by disposition": row[d]}
            for row in table.values()
            for d in DISPOSITIONS
        ]
    }
    return spec


def _drawn(name: str, caption: str, description: str, spec: dict[str, Any]) -> Chart:
    """Draw a chart, and make it one picture with a name for those who do not see it."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({**spec, "config": _CONFIG})
    opening = _OPENING.match(drawn)
    assert opening is not None
    inner = _SPOKEN.sub("", drawn[opening.end() :])
    inner = _COLOUR.sub(lambda match: f"var(--{_NAMED[match[0]]})", inner)
    inner = inner.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-")
    width, height = opening.groups()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(caption)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{inner}'
    )
    return Chart(name, caption, description, svg)
