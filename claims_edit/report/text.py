"""Tables and columns of plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest


def table(header: tuple[str, ...], body: Sequence[tuple[str, ...]], *, numbers: bool = True) -> str:
    """A table with its header underlined; all columns but the first are right-aligned as `numbers`."""
    widths = [max(len(row[i]) for row in (header, *body)) for i in range(len(header))]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if numbers and i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join((line(header), rule, *(line(row) for row in body)))


def side_by_side(left: str, right: str, *, width: int = 56, indent: str = "    ") -> str:
    """Two texts beside each other, each wrapped."""
    columns = (
        [wrapped for line in text.splitlines() for wrapped in textwrap.wrap(line, width) or [""]]
        for text in (left, right)
    )
    return "\n".join(
        f"{indent}{one:<{width}} | {other}".rstrip()
        for one, other in zip_longest(*columns, fillvalue="")
    )


def indented(text: str, indent: str = "  ", *, width: int = 110) -> str:
    """A text wrapped and moved to the right, further from its second line on."""
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent + "  ")
