"""Published runs of nothing but flagged lines, for the review page to be measured and tested on."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from claims_edit import runs
from claims_edit.reference import shipped_folder
from claims_edit.settings import RunSettings

FIRST_NIGHT = date(2026, 2, 1)
PROVIDERS = 40
# What is wrong with every so-many-eth line: the columns of a sound dose that it changes.
_FAULTS: tuple[dict[str, object], ...] = (
    {"line_of_business": "medicare", "member_state": "OH"},
    {"diagnosis_code_1": "C50.A"},
    {"diagnosis_code_1": "C34.90"},
    {"service_unit_quantity": 120},
    {"ndc_quantity": 3},
    {"ndc_code": None},
    {"diagnosis_code_1": None},
    {},
)
_SOUND: dict[str, object] = {
    "claim_line_number": 1,
    "birth_date": "1970-05-14",
    "gender": "female",
    "line_of_business": "commercial",
    "member_state": "OH",
    "hcpcs_code": "J9207",
    "hcpcs_modifier_1": "JZ",
    "service_unit_quantity": 90,
    "ndc_code": "70020-1911-01",
    "ndc_quantity": 2,
    "ndc_unit": "UN",
    "diagnosis_code_1": "C50.911",
}
_TEXT = ("ndc_code", "diagnosis_code_1")


def publish(out: Path, lines: int, nights: int = 1, work: Path | None = None) -> list[Path]:
    """Publish nights of so many flagged lines in all, each of a member of its own; their folders."""
    folder = work or out.parent / "extracts"
    folder.mkdir(parents=True, exist_ok=True)
    share, folders = lines // nights, []
    for night in range(nights):
        first = night * share
        many = lines - first if night == nights - 1 else share
        folders.append(_publish(out, folder, FIRST_NIGHT + timedelta(days=night), first, many))
    return folders


def _publish(out: Path, folder: Path, day: date, first: int, many: int) -> Path:
    claims, authorizations = folder / f"claims-{day}.parquet", folder / f"auths-{day}.parquet"
    rows = _claims(day, first, many)
    rows.write_parquet(claims)
    _authorizations(rows).write_parquet(authorizations)
    settings = RunSettings(
        claims=(claims,),
        authorizations=authorizations,
        out=out,
        as_of=day,
        run_id=day.isoformat(),
        reference_data=shipped_folder(),
        replace=True,
    )
    return runs.run(settings).folder


def _claims(day: date, first: int, many: int) -> pl.DataFrame:
    """Doses, each with one thing wrong; of the last kind there is no authorization."""
    number = pl.int_range(first, first + many, dtype=pl.Int64)
    kind, waited = number % len(_FAULTS), number // PROVIDERS % 30
    columns = []
    for name, sound in _SOUND.items():
        value: pl.Expr = pl.lit(sound)
        for fault, changes in enumerate(_FAULTS):
            if name in changes:
                changed = pl.lit(changes[name], pl.String if name in _TEXT else None)
                value = pl.when(kind == fault).then(changed).otherwise(value)
        columns.append(value.alias(name))
    return pl.select(
        claim_id=pl.format("CL-{}", number.cast(pl.String).str.zfill(6)),
        member_id=pl.format("MB-{}", ((number * 7919) % 1_000_003).cast(pl.String).str.zfill(7)),
        claim_line_start_date=pl.lit(day) - pl.duration(days=waited + (number * 7) % 80 + 1),
        received_date=pl.lit(day) - pl.duration(days=waited),
        charge_amount=(pl.lit(1000) + (number * 104_729) % 1_200_000 / 100).round(2),
        rendering_npi=(1_000_000_000 + number % PROVIDERS).cast(pl.String),
        kind=kind,
        number=number,
    ).with_columns(columns)


def _authorizations(claims: pl.DataFrame) -> pl.DataFrame:
    """An approval of each member, but for those of the last kind."""
    return claims.filter(pl.col("kind") != len(_FAULTS) - 1).select(
        "member_id",
        "hcpcs_code",
        authorization_number=pl.format("AU-{}", "number"),
        status=pl.lit("approved"),
        effective_date=pl.lit("2025-09-05"),
        expiration_date=pl.lit("2026-03-04"),
        approved_units=pl.lit(None, pl.Int64),
    )
