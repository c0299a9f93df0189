"""Extracts in every format, type and place come out of Spark as they come out of polars."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from claims_edit import runs
from claims_edit.errors import InputError
from claims_edit.settings import RunSettings
from tests.engines.support import assert_same, on_both
from tests.oracle.extract import AUTHORIZATION_COLUMNS
from tests.runs.support import AS_OF, SAMPLE, manifest_of, rows, sample_as_text
from tests.support import REFERENCE, Row, write_csv
from tests.tuva.overlay import AS_OF as TUVA_AS_OF
from tests.tuva.overlay import columns_of
from tests.tuva.test_tuva import WRITERS
from tests.tuva.test_tuva import extract as tuva

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.usefixtures("spark")]


def tuva_inputs(folder: Path) -> dict[str, Any]:
    given = tuva()
    return {
        name: WRITERS[".csv"](folder / f"{name}.csv", table, columns_of(table))
        for name, table in (
            ("authorizations", given.authorizations),
            ("members", given.members),
            ("clinical", given.clinical),
        )
    }


def test_the_tuva_extract_in_many_files_of_any_columns_and_format(tmp_path: Path) -> None:
    """In a folder whose name Spark would take for a pattern, beside files that are none of it."""
    random = Random(1)
    claims = tmp_path / "claims [of] run_date=2026-06-20, 100%"
    (claims / "_temporary").mkdir(parents=True)
    (claims / "_temporary" / "half.csv").write_text("claim_id\n", encoding="utf-8")
    parts: list[list[Row]] = [[] for _ in range(7)]
    for row in tuva().claims:
        random.choice(parts).append(row)
    for i, part in enumerate(parts):
        columns = [c for c in columns_of(part) if any(row.get(c) for row in part)]
        random.shuffle(columns)
        suffix = list(WRITERS)[i % len(WRITERS)]
        WRITERS[suffix](claims / f"part é {i}{suffix}", part, columns)
    on_both(
        tmp_path,
        part_lines=60,
        claims=(claims,),
        **tuva_inputs(tmp_path),
        as_of=TUVA_AS_OF,
        run_id="tuva",
    )


def test_addresses_that_spark_reads(tmp_path: Path) -> None:
    """Every input by its address, of a pattern, a folder and files; by polars they are paths."""
    whole = tuva().claims
    (tmp_path / "claims").mkdir()
    for i, suffix in enumerate(WRITERS):
        WRITERS[suffix](tmp_path / "claims" / f"{i}{suffix}", whole[i::3], columns_of(whole))
    others = tuva_inputs(tmp_path)
    given: dict[str, Any] = {
        "as_of": TUVA_AS_OF,
        "run_id": "tuva",
        "reference_data": REFERENCE,
        "max_reject_rate": 1.0,
    }
    one = runs.run(
        RunSettings(**given, **others, claims=(tmp_path / "claims",), out=tmp_path / "polars")
    ).folder
    address = f"file://{tmp_path}"
    addresses: dict[str, Any] = {name: f"file://{path}" for name, path in others.items()}
    other = runs.run(
        RunSettings(
            **given,
            claims=(f"{address}/claims", f"{address}/claims/*.csv", f"{address}/claims/2.parquet"),
            **addresses,
            out=tmp_path / "spark",
            engine="spark",
        )
    ).folder
    manifest = manifest_of(other)
    paths = [entry["path"] for entry in manifest["inputs"]]
    assert all(path.startswith("file:/") for path in paths)
    assert len(set(paths)) == len(paths)
    assert_same(one, other, inputs=False)
    places = ("rows", "bytes", "digest", "digest_of")
    assert [{p: e[p] for p in places} for e in manifest["inputs"]] == [
        {p: e[p] for p in places} for e in manifest_of(one)["inputs"]
    ]


# ---- types of Parquet -----------------------------------------------------------------------

ODD = [date(1, 1, 1), date(1582, 10, 4), date(9999, 12, 31), date(1900, 2, 28), None]


def typed(shift: int = 0) -> pl.DataFrame:
    """Rows in as many types as a column may have, many of them such that they are rejected."""
    count = 60
    numbers = pl.int_range(1, count + 1, eager=True)
    day = pl.date_range(date(2025, 11, 1), date(2025, 12, 30), "1d", eager=True)
    odd = pl.Series([ODD[i % 5] if i % 4 == 0 else None for i in range(count)], dtype=pl.Date)
    beyond = pl.Series([None, 10**7, -(10**7)] * (count // 3), dtype=pl.Int32).cast(pl.Date)
    codes = ["J9207", " j9207 ", "J9355", "99213", "\u017f9207", "J9207\u2003"] * (count // 6)
    ndc = [70020191101, 7002019110, 12345678901, None] * (count // 4)
    clock = day.cast(pl.Datetime("us")) + pl.duration(microseconds=1)
    return pl.DataFrame(
        {
            "claim_id": (numbers + shift).cast(pl.UInt64),
            "claim_line_number": (numbers % 5).cast(pl.UInt32),
            "person_id": (numbers // 4).cast(pl.Float64),
            "claim_type": pl.Series(["professional", None, "INSTITUTIONAL"] * (count // 3)),
            "birth_date": odd.cast(pl.Datetime("ms")),
            "gender": pl.Series(
                ["female", "female", "x"] * (count // 3), dtype=pl.Enum(["female", "x"])
            ),
            "line_of_business": pl.Series(["commercial"] * count, dtype=pl.Categorical),
            "member_state": pl.Series([None] * count),
            "claim_line_start_date": pl.select(
                pl.when(numbers % 7 == 0).then(beyond).otherwise(day)
            ).to_series(),
            "claim_line_end_date": pl.select(
                pl.when(numbers % 5 == 0).then(clock).otherwise(day)
            ).to_series(),
            "received_date": pl.select(
                pl.when(numbers % 6 == 0)
                .then(clock.cast(pl.Datetime("ns")) + pl.duration(nanoseconds=7))
                .otherwise(day.cast(pl.Datetime("ns")))
            )
            .to_series()
            .dt.replace_time_zone("Europe/Berlin"),
            "hcpcs_code": pl.Series(codes),
            "service_unit_quantity": pl.select(90 + (numbers % 3) * 0.1)
            .to_series()
            .cast(pl.Float32),
            "charge_amount": pl.Series(
                [1000.1, 2000.0, 0.5, float("nan"), 1e300, -1.0] * (count // 6)
            ),
            "ndc_code": pl.Series(ndc, dtype=pl.Float64 if shift else pl.Int64),
            "ndc_quantity": pl.Series(["2.5"] * count).cast(pl.Decimal(38, 6)),
            "diagnosis_code_1": pl.Series(["C50911", "c50.912"] * (count // 2)),
            "diagnosis_pointer_1": (numbers % 3).cast(pl.Int8),
            "authorization_number": numbers.cast(pl.Int16),
            "claim_frequency_code": (numbers % 9).cast(pl.Float64),
            "original_claim_id": (numbers // 3).cast(pl.Int32),
        }
    )


def renamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Blanks around names are not part of them."""
    return frame.rename({"claim_id": " claim_id ", "ndc_code": "ndc_code "})


@pytest.mark.parametrize("files", [1, 2])
def test_every_type_of_parquet(files: int, tmp_path: Path) -> None:
    """Alone as they are; of two files, where the types differ, as text."""
    claims = tmp_path / "claims"
    claims.mkdir()
    typed().write_parquet(claims / "1.parquet", row_group_size=7)
    if files > 1:
        texts = typed(1000).with_columns(
            pl.col("charge_amount").cast(pl.String), pl.col("claim_id").cast(pl.Int64)
        )
        renamed(texts).write_parquet(claims / "2.parquet", row_group_size=7)
    authorizations = write_csv(tmp_path / "authorizations.csv", [], AUTHORIZATION_COLUMNS)
    one, _ = on_both(
        tmp_path,
        part_lines=10,
        claims=(claims,),
        authorizations=authorizations,
        as_of=date(2026, 1, 1),
        run_id="typed",
    )
    assert rows(one, "rejected_lines")
    assert rows(one, "lines")


# ---- what is refused ------------------------------------------------------------------------


def refused(tmp_path: Path, claims: Path | str, **options: Any) -> str:
    """What a run on Spark says of claims that it does not take; nothing is published."""
    given = {
        "authorizations": SAMPLE / "authorizations.csv",
        "members": SAMPLE / "members.csv",
        "as_of": AS_OF,
        "run_id": "refused",
        "reference_data": REFERENCE,
        "out": tmp_path / "out",
        **options,
    }
    with pytest.raises(InputError) as raised:
        runs.run(RunSettings(**given, claims=(claims,), engine="spark"))
    assert not list((tmp_path / "out").glob("run_id=*"))
    assert str(tmp_path / "out") not in str(raised.value)
    return str(raised.value)


def quoted_line_break(folder: Path) -> Path:
    frame = sample_as_text().with_columns(place_of_service_code=pl.lit("1\n1"))
    path = folder / "claims.csv"
    frame.write_csv(path)
    return path


def short_line(folder: Path) -> Path:
    path = folder / "claims.csv"
    path.write_text(sample_as_text().write_csv() + "SECRET,1\n", encoding="utf-8")
    return path


def cut_short(folder: Path) -> Path:
    path = folder / "claims.csv.gz"
    path.write_bytes(gzip.compress(sample_as_text().write_csv().encode())[:-40])
    return path


def damaged(folder: Path) -> Path:
    path = folder / "claims.parquet"
    sample_as_text().write_parquet(path)
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    return path


def no_parquet(folder: Path) -> Path:
    path = folder / "claims.parquet"
    path.write_bytes(b"PAR1 nothing of the kind")
    return path


def empty(folder: Path) -> Path:
    path = folder / "claims.csv"
    path.write_bytes(b"")
    return path


def hidden(folder: Path) -> Path:
    path = folder / "_claims.csv"
    sample_as_text().write_csv(path)
    return path


def without_ids(folder: Path) -> Path:
    path = folder / "claims.parquet"
    sample_as_text().drop("claim_id").write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (quoted_line_break, "a field holds a line break"),
        (short_line, "a line has 2 fields"),
        (cut_short, "cut short"),
        (damaged, "cannot be read by Spark"),
        (no_parquet, "not a whole Parquet file"),
        (empty, "the file is empty"),
        (hidden, "Spark skips files"),
        (without_ids, "the required column claim_id is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    made: Callable[[Path], Path], says: str, tmp_path: Path
) -> None:
    path = made(tmp_path)
    message = refused(tmp_path, path)
    assert says in message
    assert str(path) in message
    assert "SECRET" not in message


def test_an_address_without_files_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path, f"file://{tmp_path}/none*.parquet")


def test_authorizations_by_an_address_are_named_by_it(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "authorizations.csv", [{"member_id": "1"}])
    message = refused(tmp_path, SAMPLE / "claims", authorizations=f"file://{path}")
    assert f"{path}: the required column" in message
