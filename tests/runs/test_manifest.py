"""The manifest against the files it tells of, everything worked out again from them."""

from __future__ import annotations

import gzip
import hashlib
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import __version__
from claims_edit import manifest as manifests
from claims_edit.contracts import DISPOSITIONS
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.runs import STEPS
from tests.runs.support import (
    SAMPLE,
    Manifest,
    manifest_of,
    published,
    rows,
    sample_as_text,
    sha256,
    write,
)
from tests.support import REFERENCE


def total(amounts: Iterable[Decimal]) -> str:
    return f"{sum(amounts, Decimal(0)):.2f}"


def test_it_has_every_field(manifest: Manifest) -> None:
    assert list(manifest) == [
        "run_id",
        "as_of",
        "program",
        "policy",
        "inputs",
        "reference_data",
        "history",
        "outputs",
        "rows",
        "authorizations",
        "clinical_facts",
        "dispositions",
        "edits",
        "balance",
        "reference_archive",
        "decisions",
        "drift",
        "timings",
        "digest",
    ]
    assert (manifest["run_id"], manifest["as_of"]) == ("tonight", "2026-02-28")
    assert manifest["program"] == {"name": "claims-edit", "version": __version__}
    assert manifest["history"] == {
        "place": 1,
        "folder": None,
        "runs": {},
        "elsewhere_columns": None,
    }
    assert manifest["decisions"] == {"read": 0, "of_other_runs": 0, "left_out": 0, "applied": 0}
    assert manifest["drift"] == {"runs": 0, "warnings": []}


def test_its_last_entry_is_the_digest_of_every_byte_before_it(
    run: Path, manifest: Manifest
) -> None:
    content = (run / "manifest.json").read_bytes()
    before, _, last = content.rpartition(b'"digest": "')
    assert last == manifest["digest"].encode() + b'"\n}\n'
    assert hashlib.sha256(before + b'"digest": "').hexdigest() == manifest["digest"]


def test_every_input_file_with_size_rows_and_digest(manifest: Manifest) -> None:
    claims = sorted((SAMPLE / "claims").iterdir())
    files = [("claims", path) for path in claims]
    files += [(name, SAMPLE / f"{name}.csv") for name in ("authorizations", "members", "clinical")]
    assert manifest["inputs"] == [
        {
            "extract": extract,
            "path": str(path),
            "rows": row_count(path),
            "bytes": len(path.read_bytes()),
            "digest": sha256(path),
            "digest_of": "file",
        }
        for extract, path in files
    ]


def row_count(path: Path) -> int:
    if path.suffix == ".parquet":
        return pl.read_parquet(path).height
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return len(text.decode().splitlines()) - 1


def test_a_large_parquet_file_is_known_by_its_footer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "LARGE_PARQUET", 1000)
    extract = write(sample_as_text(), tmp_path / "claims.parquet")
    entry = manifest_of(published(tmp_path / "out", extract))["inputs"][0]
    content = extract.read_bytes()
    assert content[-4:] == b"PAR1"
    footer = content[len(content) - 8 - int.from_bytes(content[-8:-4], "little") :]
    assert (entry["digest_of"], entry["bytes"]) == ("footer", len(content))
    assert entry["digest"] == hashlib.sha256(footer).hexdigest()


def test_every_reference_table_with_size_and_digest(manifest: Manifest) -> None:
    entries = {entry["path"]: entry for entry in manifest["reference_data"]}
    policy = REFERENCE / "policies" / "prime-ic-0072"
    used = [*(REFERENCE / "codes").glob("*.csv"), REFERENCE / "criteria" / "terms.csv"]
    used += [*policy.glob("*.csv"), policy / "policy.toml"]
    assert sorted(entries) == sorted(path.relative_to(REFERENCE).as_posix() for path in used)
    for name, entry in entries.items():
        assert entry["digest"] == sha256(REFERENCE / name)
        assert entry["bytes"] == (REFERENCE / name).stat().st_size
    codes = pl.read_csv(REFERENCE / "codes" / "hcpcs.csv", infer_schema=False)
    assert entries["codes/hcpcs.csv"]["rows"] == codes.height


def test_the_policy_with_every_version_and_its_digest(manifest: Manifest) -> None:
    file = REFERENCE / "policies" / "prime-ic-0072" / "policy.toml"
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    policy = manifest["policy"]
    assert (policy["id"], policy["title"]) == (document["id"], document["title"])
    assert policy["document"] == document["document"]["number"]
    for told, written in zip(policy["versions"], document["versions"], strict=True):
        assert told["version"] == written["version"]
        assert told["status"] == written["status"]
        assert told["start_date"] == str(written["start_date"])
        assert len(bytes.fromhex(told["digest"])) == 32


def test_every_output_with_size_rows_and_digest(run: Path, manifest: Manifest) -> None:
    assert [entry["table"] for entry in manifest["outputs"]] == list(RUN_TABLES)
    for entry in manifest["outputs"]:
        file = run / f"{entry['table']}.parquet"
        assert entry["rows"] == len(rows(run, entry["table"]))
        assert (entry["bytes"], entry["digest"]) == (file.stat().st_size, sha256(file))


def test_every_row_is_accounted_for(run: Path, manifest: Manifest) -> None:
    edited, rejected = len(rows(run, "lines")), len(rows(run, "rejected_lines"))
    read = sum(row_count(path) for path in (SAMPLE / "claims").iterdir())
    assert manifest["rows"] == {
        "read": read,
        "out_of_scope": read - edited - rejected,
        "rejected": rejected,
        "edited": edited,
    }
    assert manifest["balance"]["rows_close"] is True


def test_every_authorization_and_row_of_facts_is_accounted_for(
    run: Path, manifest: Manifest
) -> None:
    for entry, extract, table in (
        ("authorizations", "authorizations", "rejected_authorizations"),
        ("clinical_facts", "clinical", "rejected_clinical_facts"),
    ):
        rejected = len(rows(run, table))
        assert rejected > 0
        read = row_count(SAMPLE / f"{extract}.csv")
        assert manifest[entry] == {"read": read, "rejected": rejected}


def test_without_a_clinical_extract_there_is_none_of_its_rows(tmp_path: Path) -> None:
    run = published(tmp_path, clinical=None)
    manifest = manifest_of(run)
    assert manifest["clinical_facts"] == {"read": 0, "rejected": 0}
    assert {entry["extract"] for entry in manifest["inputs"]} == {
        *("claims", "authorizations", "members")
    }
    assert rows(run, "rejected_clinical_facts") == []
    assert len(rows(run, "partner_lines")) == 1


def test_every_charge_is_accounted_for(run: Path, manifest: Manifest) -> None:
    lines = rows(run, "lines")
    billed = total(line["charge_amount"] for line in lines)
    denied = total(line["denied_charge_amount"] for line in lines)
    allowed = total(line["charge_amount"] - line["denied_charge_amount"] for line in lines)
    assert Decimal(billed) == Decimal(allowed) + Decimal(denied)
    assert manifest["balance"] == {
        "rows_close": True,
        "charge_billed": billed,
        "charge_allowed": allowed,
        "charge_denied": denied,
        "charges_close": True,
    }


def test_counts_and_charges_by_disposition(run: Path, manifest: Manifest) -> None:
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in rows(run, "lines"):
        lines[line["disposition"]].append(line)
    assert set(manifest["dispositions"]) == set(lines) == set(DISPOSITIONS)
    for disposition, told in manifest["dispositions"].items():
        found = lines[disposition]
        assert told["lines"] == len(found)
        for amount in ("charge_amount", "denied_charge_amount"):
            assert told[amount] == total(line[amount] for line in found)
        for units in ("billed_units", "allowed_units"):
            assert Decimal(told[units]) == sum(line[units] for line in found)


def test_counts_and_charges_by_edit(run: Path, manifest: Manifest) -> None:
    charge = {
        (line["claim_id"], line["claim_line_number"]): line["charge_amount"]
        for line in rows(run, "lines")
    }
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in rows(run, "findings"):
        found[finding["edit_id"]].append(finding)
    assert set(manifest["edits"]) == set(found)
    for edit, told in manifest["edits"].items():
        verdicts = Counter(finding["verdict"] for finding in found[edit])
        assert told["lines"] == len(found[edit])
        assert (told["fails"], told["unknowns"]) == (verdicts["fail"], verdicts["unknown"])
        assert told["charge_amount"] == total(
            charge[finding["claim_id"], finding["claim_line_number"]] for finding in found[edit]
        )


def test_the_timings_name_every_step(manifest: Manifest) -> None:
    steps = [name for name in manifest["timings"] if ": " not in name]
    assert steps == list(STEPS[:-1])
    assert all(seconds >= 0 for seconds in manifest["timings"].values())


def test_no_members_data_is_in_it(run: Path) -> None:
    text = (run / "manifest.json").read_text(encoding="utf-8")
    ids = {line["claim_id"] for line in rows(run, "lines")}
    ids |= {line["member_id"] for line in rows(run, "lines")}
    assert [value for value in ids if f'"{value}"' in text] == []
