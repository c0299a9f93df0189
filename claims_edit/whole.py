"""Files of which no row may be set aside: a row that cannot be read stops the run."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from claims_edit.errors import InputError
from claims_edit.extracts import Extract
from claims_edit.pandera_alone import pa
from claims_edit.quarantine import failing, read_typed


def read_whole(
    extract: Extract, raw: pl.DataFrame, schema: pa.DataFrameSchema, key: Sequence[str], said: str
) -> pl.DataFrame:
    """The rows `raw` of an extract of one file, as `schema` types them.

    Raises InputError where one breaks it or two are of one `key`: what was `said` cannot be set aside.
    """
    typed = read_typed(raw.with_row_index("row"), schema)
    repeated = typed.rows.filter(pl.len().over(key) > 1)
    failures = pl.concat([typed.failures, failing(repeated, "repeated_key")])
    if failures.height:
        counts = failures.group_by("check").len().sort("len", "check", descending=[True, False])
        worst = ", ".join(f"{check} ({count})" for check, count in counts.head(5).iter_rows())
        rows = failures["row"].n_unique()
        raise InputError(
            f"{extract.name}: {extract.files[0].path}: {rows} of {raw.height} rows cannot be read, and "
            f"what was {said} cannot be set aside; nothing was published. Failed checks: {worst}. Mend "
            "the file."
        )
    return typed.rows.drop("row")
