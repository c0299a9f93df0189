"""Whether tonight's shares of lines lie in the band of the last runs.

Each share is looked at as an angle, `asin √((x + 3/8) / (n + 3/4))` of x lines among n (Anscombe's
transformation): the angle of a share scatters by chance alike whether it is common or rare, and a
single line under an edit never seen before is no alarm. The band is the median of the last runs'
angles, since a bad night must not move it, and on either side `WIDTH` times the larger of two
deviations: how those runs scattered (their median absolute deviation, scaled to a normal deviation),
and how the share of as many lines as tonight's scatters by chance. Four deviations: some forty shares
are looked at every night, and a band of three would cry wolf about once in ten nights.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, pi, sin, sqrt
from statistics import median
from typing import Any

LAST_RUNS, FEWEST_RUNS = 30, 10
WIDTH = 4
_NORMAL = 1.4826  # a normal deviation, in median absolute deviations
_KINDS = {"disposition": "dispositions", "edit": "edits"}


def drift_of(tonight: dict[str, Any], earlier: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the manifest says of drift: how many runs were looked at, and each share out of its band.

    `tonight` and `earlier` (in order) are manifests; those of other policies and those without a line
    are passed over. With fewer than `FEWEST_RUNS` there is no band.
    """
    policy = tonight["policy"]["id"]
    runs = [m for m in earlier if m["policy"]["id"] == policy and m["rows"]["edited"]]
    runs = runs[-LAST_RUNS:]
    warnings = []
    if len(runs) >= FEWEST_RUNS and tonight["rows"]["edited"]:
        for kind, key in _KINDS.items():
            names = {name for m in (tonight, *runs) for name in m[key]}
            warnings += [w for n in sorted(names) if (w := _out_of_band(kind, n, tonight, runs))]
    return {"runs": len(runs), "warnings": warnings}


def in_words(warning: dict[str, Any]) -> str:
    """A share out of its band, as a sentence."""
    return (
        f"{warning['kind']} {warning['name']}: {float(warning['share']):.2%} of lines, outside "
        f"{float(warning['low']):.2%} to {float(warning['high']):.2%} "
        f"(median of the last runs {float(warning['median']):.2%})"
    )


def _out_of_band(
    kind: str, name: str, tonight: dict[str, Any], runs: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    def lines(manifest: dict[str, Any]) -> int:
        return int(manifest[_KINDS[kind]].get(name, {"lines": 0})["lines"])

    among = tonight["rows"]["edited"]
    angles = [_angle(lines(m), m["rows"]["edited"]) for m in runs]
    middle = median(angles)
    scatter = _NORMAL * median(abs(a - middle) for a in angles)
    chance = 1 / sqrt(4 * among + 2)
    reach = WIDTH * max(scatter, chance)
    if abs(_angle(lines(tonight), among) - middle) <= reach:
        return None
    shares = {
        "share": lines(tonight) / among,
        "low": _share(middle - reach, among),
        "median": _share(middle, among),
        "high": _share(middle + reach, among),
    }
    return {"kind": kind, "name": name, **{k: f"{share:.6f}" for k, share in shares.items()}}


def _angle(lines: int, among: int) -> float:
    return asin(sqrt((lines + 0.375) / (among + 0.75)))


def _share(angle: float, among: int) -> float:
    """The share of so many lines that has the angle."""
    lines = sin(min(max(angle, 0), pi / 2)) ** 2 * (among + 0.75) - 0.375
    return min(max(lines / among, 0), 1)
