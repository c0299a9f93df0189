"""What a run says of itself: inputs, policy, counts, and the balance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import __version__
from claims_edit.errors import InputError
from claims_edit.extracts import Extract
from claims_edit.normalise import millionths
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData, ReferenceTable
from claims_edit.settings import RunSettings

NAME = "manifest.json"
PROGRAM = {"name": "claims-edit", "version": __version__}
LARGE_PARQUET = 64 << 20
_CHUNK = 1 << 20
_CENT = Decimal("0.01")
_SUM = pl.Decimal(38, 2)
_SEAL_END = b'"\n}\n'
_SEAL_LENGTH = 2 * hashlib.sha256().digest_size + len(_SEAL_END)


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows of the claims and the authorizations."""

    read: int
    in_scope: int
    rejected: int
    authorizations_read: int
    authorizations_rejected: int
    clinical_facts_read: int
    clinical_facts_rejected: int

    @property
    def out_of_scope(self) -> int:
        return self.read - self.in_scope


def manifest(
    settings: RunSettings,
    policy: Policy,
    reference: ReferenceData,
    inputs: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
    account: dict[str, Any],
    history: dict[str, Any],
) -> dict[str, Any]:
    """Everything but the decisions, the drift and the timings, which are the run's to add."""
    return {
        "run_id": settings.run_id,
        "as_of": settings.as_of.isoformat(),
        "program": PROGRAM,
        "policy": policy_entry(policy),
        "inputs": inputs,
        "reference_data": reference_entries(reference, policy),
        "history": history,
        "outputs": outputs,
        **account,
    }


def to_json(content: dict[str, Any]) -> str:
    """The manifest as text; amounts are texts, so that they stay exact."""
    return json.dumps(content, indent=2, default=_amount) + "\n"


def sealed(content: dict[str, Any]) -> bytes:
    """The manifest as text, its last entry a digest of every byte before it."""
    body = to_json({**content, "digest": ""}).encode().removesuffix(_SEAL_END)
    return body + hashlib.sha256(body).hexdigest().encode() + _SEAL_END


def is_sealed(text: bytes) -> bool:
    """Whether a manifest is, to the byte, what was sealed."""
    body = text[:-_SEAL_LENGTH]
    return text == body + hashlib.sha256(body).hexdigest().encode() + _SEAL_END


def _amount(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"not for a manifest: {type(value)}")


def input_files(extract: Extract) -> list[dict[str, Any]]:
    """Path, size, rows and digest of every file of an extract."""
    try:
        return [
            {"extract": extract.name, "path": str(file.path), "rows": rows, **digest_of(file.path)}
            for file, rows in zip(extract.files, extract.row_counts(), strict=True)
        ]
    except OSError as error:
        raise InputError(
            f"{extract.name}: {error.filename}: cannot be read again; run when it is whole."
        ) from error


def digest_of(path: Path, *, whole: bool = False) -> dict[str, Any]:
    """Size and SHA-256 of a file; of a large Parquet file, of its footer, unless `whole`."""
    size = path.stat().st_size
    sha = hashlib.sha256()
    with path.open("rb") as file:
        large = path.name.lower().endswith(".parquet") and size > LARGE_PARQUET
        footer = large and not whole
        if footer:
            file.seek(size - 8)
            file.seek(size - 8 - int.from_bytes(file.read(4), "little"))
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return {"bytes": size, "digest": sha.hexdigest(), "digest_of": "footer" if footer else "file"}


def policy_entry(policy: Policy) -> dict[str, Any]:
    """A policy and its versions, each with its digest."""
    return {
        "id": policy.id,
        "title": policy.title,
        "document": policy.document_number,
        "hcpcs_code": policy.hcpcs_code,
        "versions": [
            {
                "version": v.version,
                "status": v.status,
                "start_date": v.start_date and v.start_date.isoformat(),
                "end_date": v.end_date and v.end_date.isoformat(),
                "digest": v.digest,
            }
            for v in policy.versions
        ],
    }


def reference_entries(reference: ReferenceData, *policies: Policy) -> list[dict[str, Any]]:
    """Every table of the reference data that was read, once."""
    return [
        {
            "path": path,
            "bytes": table.size,
            "rows": table.rows.height,
            "digest": table.digest,
        }
        for path, table in reference_tables(reference, *policies).items()
    ]


def reference_tables(reference: ReferenceData, *policies: Policy) -> dict[str, ReferenceTable]:
    """Every table of the reference data that was read, by its path in the folder."""
    tables = [*reference.tables.values(), *(t for policy in policies for t in policy.tables)]
    return {table.path.relative_to(reference.folder).as_posix(): table for table in tables}


def output_entries(folder: Path, rows: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rows, size and digest of every table as it was written; `rows` has how many each has."""
    return [
        {"table": name, "rows": many, **digest_of(folder / f"{name}.parquet", whole=True)}
        for name, many in rows.items()
    ]


def account_of(rows: RowCounts, lines: pl.LazyFrame, findings: pl.LazyFrame) -> dict[str, Any]:
    """Counts and charges by disposition and edit, and the balance, from tables as published."""
    by_disposition = _by_disposition(lines)
    edited = sum(counts["lines"] for counts in by_disposition.values())
    charge, denied = pl.col("charge_amount"), pl.col("denied_charge_amount")
    billed, allowed, cut, agree = (
        lines.select(
            charge.cast(_SUM).sum(),
            allowed=(charge - denied).cast(_SUM).sum(),
            cut=denied.cast(_SUM).sum(),
            agree=_units_agree().all(),
        )
        .collect()
        .row(0)
    )
    return {
        "rows": {
            "read": rows.read,
            "out_of_scope": rows.out_of_scope,
            "rejected": rows.rejected,
            "edited": edited,
        },
        "authorizations": {
            "read": rows.authorizations_read,
            "rejected": rows.authorizations_rejected,
        },
        "clinical_facts": {
            "read": rows.clinical_facts_read,
            "rejected": rows.clinical_facts_rejected,
        },
        "dispositions": by_disposition,
        "edits": _by_edit(lines, findings),
        "balance": {
            "rows_close": rows.read == rows.out_of_scope + rows.rejected + edited,
            "charge_billed": billed.quantize(_CENT),
            "charge_allowed": allowed.quantize(_CENT),
            "charge_denied": cut.quantize(_CENT),
            "charges_close": bool(billed == allowed + cut and agree),
        },
    }


def _units_agree() -> pl.Expr:
    """Whether the units of a line are allowed or denied, and its charge in proportion, to a cent."""
    billed, allowed, denied = (
        millionths(pl.col(c)) for c in ("billed_units", "allowed_units", "denied_units")
    )
    charge, denied_charge = (
        pl.col(c).to_physical().cast(pl.Int128) for c in ("charge_amount", "denied_charge_amount")
    )
    off = 2 * (denied_charge * billed - charge * denied).abs()
    return (billed == allowed + denied) & (off <= billed)


def _by_disposition(lines: pl.LazyFrame) -> dict[str, Any]:
    table = (
        lines.group_by("disposition")
        .agg(
            lines=pl.len(),
            billed_units=pl.col("billed_units").sum(),
            allowed_units=pl.col("allowed_units").sum(),
            charge_amount=pl.col("charge_amount").sum(),
            denied_charge_amount=pl.col("denied_charge_amount").sum(),
        )
        .sort("disposition")
        .collect()
    )
    return {row.pop("disposition"): row for row in table.iter_rows(named=True)}


def _by_edit(lines: pl.LazyFrame, findings: pl.LazyFrame) -> dict[str, Any]:
    lists = ("edit_ids", "unknown_edit_ids")
    charges = (
        lines.filter(pl.any_horizontal(pl.col(c).list.len() > 0 for c in lists))
        .select("charge_amount", edit_id=pl.col(lists[0]).list.concat(lists[1]))
        .explode("edit_id")
        .group_by("edit_id")
        .agg(pl.col("charge_amount").sum())
    )
    table = (
        findings.group_by("edit_id")
        .agg(
            lines=pl.len(),
            fails=(pl.col("verdict") == "fail").sum(),
            unknowns=(pl.col("verdict") == "unknown").sum(),
        )
        .join(charges, on="edit_id", how="left")
        .sort("edit_id")
        .collect()
    )
    return {row.pop("edit_id"): row for row in table.iter_rows(named=True)}
