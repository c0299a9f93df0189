"""A strict reader of the text form of Prometheus, as far as the node exporter takes it from a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

Labels = frozenset[tuple[str, str]]
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_COMMENT = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? ([^ ]+)")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Line(NamedTuple):
    """One line: what it is, the metric that it is of, and the rest."""

    kind: str
    metric: str
    rest: str
    labels: Labels = frozenset()


def series(text: str) -> dict[tuple[str, Labels], float]:
    """Every sample by its metric and labels.

    A metric is told of once: its help, its type, then all its samples, no two of the same labels.
    """
    assert text.endswith("\n")
    found: dict[tuple[str, Labels], float] = {}
    seen = set()
    for metric, lines in groupby(map(_line, text.split("\n")[:-1]), lambda line: line.metric):
        assert metric not in seen
        seen.add(metric)
        told, kind, *samples = lines
        assert (told.kind, kind.kind, kind.rest) == ("HELP", "TYPE", "gauge")
        for sample in samples:
            assert sample.kind == "sample"
            assert (metric, sample.labels) not in found
            found[metric, sample.labels] = float(sample.rest)
    return found


def _line(line: str) -> Line:
    comment = _COMMENT.fullmatch(line)
    if comment is not None:
        return Line(comment[1], comment[2], comment[3])
    sample = _SAMPLE.fullmatch(line)
    assert sample is not None, line
    assert _NUMBER.fullmatch(sample[3]), line
    labels = list(_labels(sample[2] or ""))
    assert len(dict(labels)) == len(labels), line
    return Line("sample", sample[1], sample[3], frozenset(labels))


def _labels(text: str) -> Iterator[tuple[str, str]]:
    while text:
        label = _LABEL.match(text)
        assert label is not None, text
        value = re.sub(r"\\.", lambda escaped: _UNESCAPED[escaped[0]], label[2])
        yield label[1], value
        text = text[label.end() :]
        assert text == "" or (text[0] == "," and len(text) > 1), text
        text = text[1:]
