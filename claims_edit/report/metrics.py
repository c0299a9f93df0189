"""Metrics of a published run in the text form that the node exporter's textfile collector reads."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from claims_edit.contracts import DISPOSITIONS
from claims_edit.errors import UsageError
from claims_edit.log import LOGGER

_Sample = tuple[dict[str, str], Any]


def require_place_for(path: Path | None) -> None:
    """Raises UsageError where the metrics could not be written, before anything is published."""
    if path is not None and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise UsageError(
            f"--metrics-file: {path}: its folder is not there or cannot be written; make it, or name "
            "another file."
        )


def write_metrics(path: Path | None, manifest: dict[str, Any]) -> None:
    """Write the metrics of a run at once, whole; a run that is published stays so if that fails."""
    if path is None:
        return
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.write_text(metrics(manifest, time.time()), encoding="utf-8")
        staged.chmod(staged.stat().st_mode & 0o7770)
        staged.replace(path)
    except OSError as error:
        LOGGER.warning("--metrics-file: %s cannot be written (%s)", path, error.strerror)
        with suppress(OSError):
            staged.unlink()


def metrics(manifest: dict[str, Any], now: float) -> str:
    """The metrics as text; `now` is the time of success, in seconds of the epoch."""
    policy = {"policy": manifest["policy"]["id"]}
    return "".join(
        line
        for name, words, samples in _metrics(manifest, now)
        for line in _lines(name, words, [({**policy, **labels}, v) for labels, v in samples])
    )


def _metrics(manifest: dict[str, Any], now: float) -> Iterator[tuple[str, str, list[_Sample]]]:
    none = {"lines": 0, "charge_amount": "0.00", "denied_charge_amount": "0.00"}
    dispositions = {name: manifest["dispositions"].get(name, none) for name in DISPOSITIONS}
    edits = manifest["edits"]
    rows, rejected = manifest["rows"], manifest["authorizations"]["rejected"]
    yield "last_success_timestamp_seconds", "When a run was last published.", [({}, int(now))]
    outcomes = ("out_of_scope", "rejected", "edited")
    yield "rows", "Claim rows of the last run.", [({"outcome": o}, rows[o]) for o in outcomes]
    yield "rejected_authorizations", "Authorization rows that were rejected.", [({}, rejected)]
    yield (
        "lines",
        "Edited lines by disposition.",
        [({"disposition": name}, d["lines"]) for name, d in dispositions.items()],
    )
    yield (
        "charge_dollars",
        "Billed charge of lines by disposition.",
        [({"disposition": name}, d["charge_amount"]) for name, d in dispositions.items()],
    )
    yield (
        "denied_charge_dollars",
        "Denied charge of lines by disposition.",
        [({"disposition": name}, d["denied_charge_amount"]) for name, d in dispositions.items()],
    )
    yield (
        "edit_lines",
        "Lines with a finding, by edit.",
        [({"edit": name}, e["lines"]) for name, e in edits.items()],
    )
    yield (
        "edit_charge_dollars",
        "Billed charge of lines with a finding, by edit.",
        [({"edit": name}, e["charge_amount"]) for name, e in edits.items()],
    )
    drift = manifest["drift"]["warnings"]
    yield "drift_warnings", "Shares of lines out of the band of the last runs.", [({}, len(drift))]
    yield (
        "drift",
        "The share of lines that left its band.",
        [({"kind": w["kind"], "name": w["name"]}, w["share"]) for w in drift],
    )
    yield (
        "step_seconds",
        "Seconds of each step.",
        [({"step": name}, seconds) for name, seconds in manifest["timings"].items()],
    )
    total = round(sum(manifest["timings"].values()), 3)
    yield "run_seconds", "Seconds of the run.", [({}, total)]


def _lines(name: str, words: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP claims_edit_{name} {words}\n# TYPE claims_edit_{name} gauge\n"
    for labels, value in samples:
        written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"claims_edit_{name}{{{written}}} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
