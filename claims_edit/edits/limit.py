"""Units above what a window of days or the authorizations leave room for."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Edit, sentence, units

_LINE = ("claim_line_start_date", "service_unit_quantity", "allowed_units")


def _window(edit_id: str, title: str, rarc: str) -> Edit:
    def of(name: str) -> str:
        return f"{edit_id}:{name}"

    return Edit(
        id=edit_id,
        title=title,
        kind="limit",
        fails=pl.col(of("exceeded")),
        message=sentence(
            "{} units on {} would make {} {}; the limit is {}; {} allowed",
            units("service_unit_quantity"),
            "claim_line_start_date",
            units(of("would_make")),
            pl.when(pl.col(of("window_days")) == 1)
            .then(pl.lit("on that day"))
            .otherwise(
                pl.format(
                    "in the {} days from {}", pl.col(of("window_days")), pl.col(of("window_start"))
                )
            ),
            units(of("max_units")),
            units("allowed_units"),
        ),
        evidence=(
            *_LINE,
            *(of(n) for n in ("max_units", "window_days", "window_start", "units_before", "room")),
        ),
        group_code="CO",
        carc="151",
        rarc=rarc,
    )


EDITS = (
    _window("units-per-dose", "The units of a day are within the policy's limit", "N362"),
    _window("units-per-period", "The units of a period are within the policy's limit", "N640"),
    Edit(
        id="authorization-units-exceeded",
        title="The units are within what the authorizations have left",
        kind="limit",
        fails=pl.col("authorization-units-exceeded:exceeded"),
        message=sentence(
            "{} units on {}, and {} are left of the {} approved under {}; {} allowed",
            units("service_unit_quantity"),
            "claim_line_start_date",
            units("authorization-units-exceeded:room"),
            units("authorization-units-exceeded:approved_units"),
            "authorization-units-exceeded:numbers",
            units("allowed_units"),
        ),
        evidence=(
            *_LINE,
            *(f"authorization-units-exceeded:{n}" for n in ("numbers", "approved_units", "room")),
        ),
        group_code="CO",
        carc="198",
    ),
)
