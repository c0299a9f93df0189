"""Night after night, as `stories.csv` tells it: each night published, the next computed on it.

Claims are one line of the drug, received in the order of the file, of member M1 unless another is
named. They stand on an authorization without a unit limit unless the row names others (`none`: none).
A claim with a `code` bills that code: a line of trastuzumab, or of something else. A night whose rows
name a `regimen` has clinical facts for it, which meet the policy's criteria; the others have none.
What was `decided` by a night stands in it alone, on the last lines of the claims that it names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl
import pytest

from claims_edit import runs
from claims_edit.decision_contracts import DECISIONS_FILE
from claims_edit.settings import RunSettings
from claims_edit.verify import verify
from tests.oracle.examples import authorization, claim
from tests.oracle.extract import RawExtract
from tests.oracle.history import Ruling
from tests.oracle.reading import RawRow
from tests.properties.publishing import write_decisions
from tests.support import REFERENCE

Row = dict[str, str]
TABLE = Path(__file__).parent / "stories.csv"
AS_OF = date(2026, 12, 31)


@dataclass(frozen=True)
class Story:
    name: str
    nights: list[list[Row]]


def stories() -> Iterator[Story]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, before in zip(rows, [{"story": ""}, *rows], strict=False):
        row["story"] = row["story"] or before["story"]
    for name, of_story in groupby(rows, key=lambda row: row["story"]):
        nights = [list(night) for _, night in groupby(of_story, key=lambda row: row["night"])]
        yield Story(name, nights)


def claim_of(row: Row, place: int) -> RawRow:
    claim_id, _, member = row["claim"].partition(" of ")
    frequency, _, original = row["sends"].partition(" of ")
    units = int(row["units"])
    billed = claim(
        claim_id=claim_id,
        member_id=member or "M1",
        claim_frequency_code=frequency,
        original_claim_id=original,
        claim_line_start_date=row["service_date"],
        received_date=date(2026, 7, 1) + timedelta(days=place),
        service_unit_quantity=units,
        ndc_code="70020-1910-01",
        ndc_quantity=f"{units / 15:g}",
    )
    return billed | {"hcpcs_code": row["code"], "ndc_code": ""} if row["code"] else billed


def authorizations_of(night: list[Row]) -> list[RawRow]:
    (told,) = {row["authorizations"] for row in night if not row["code"]} or {""}
    if told == "none":
        return []
    if not told:
        return [authorization(authorization_number=f"A-{m}", member_id=m) for m in ("M1", "M2")]
    rows = []
    for one in told.split(" + "):
        number, _, terms = one.partition(" to ")
        end, _, units = terms.partition(" for ")
        rows.append(
            authorization(authorization_number=number, expiration_date=end, approved_units=units)
        )
    return rows


FACTS: RawRow = {
    "disease_extent": "metastatic",
    "her2_ihc": "1",
    "her2_test_approved": "true",
    "er_percent": "90",
    "pr_percent": "40",
    "endocrine_refractory": "true",
    "line_of_therapy": "4",
    "cremophor_hypersensitivity": "false",
    "bsa_m2": "2.2",
}


def facts_of(night: list[Row]) -> list[RawRow] | None:
    regimens = {row["regimen"] for row in night if row["regimen"]}
    if not regimens:
        return None
    (regimen,) = regimens
    tumour = {"her2_ihc": "3"} if regimen == "with_trastuzumab" else {}
    numbers = [row["authorization_number"] for row in authorizations_of(night)]
    return [FACTS | tumour | {"regimen": regimen, "authorization_number": n} for n in numbers]


def published(out: Path, name: str, night: list[Row]) -> Path:
    claims = [claim_of(row, place) for place, row in enumerate(night)]
    folder = out / f"inputs-{name}"
    folder.mkdir(parents=True)
    extract = RawExtract(claims, authorizations_of(night), None, AS_OF, facts_of(night))
    files = extract.write(folder)
    settings = RunSettings(
        claims=(files["claims"],),
        authorizations=files["authorizations"],
        clinical=files.get("clinical"),
        out=out,
        as_of=AS_OF,
        run_id=name,
        reference_data=REFERENCE,
    )
    return runs.run(settings).folder


def decide(out: Path, night: list[Row]) -> None:
    """Write what was decided where a run looks for it."""
    (out / DECISIONS_FILE).unlink(missing_ok=True)
    decided = [one for row in night if row["decided"] for one in row["decided"].split(" + ")]
    runs = sorted(out.glob("run_id=*"))
    rulings = []
    for decision, _, claim_id in (one.partition(" ") for one in decided):
        (run_id, line) = [
            (run.name.removeprefix("run_id="), line)
            for run in runs
            for line in pl.read_parquet(run / "lines.parquet").iter_rows(named=True)
            if line["claim_id"] == claim_id
        ][-1]
        rulings.append(
            Ruling(
                run_id,
                claim_id,
                line["claim_line_number"],
                line["member_id"],
                decision,
                line["disposition"],
                line["billed_units"],
                line["allowed_units"],
            )
        )
    if rulings:
        write_decisions(out / DECISIONS_FILE, rulings)


def told_of(folder: Path) -> dict[str, tuple[str, str, str]]:
    """By claim: disposition, allowed units, edits. The span of the authorization is not the story's."""
    lines = pl.read_parquet(folder / "lines.parquet")
    return {
        row["claim_id"]: (
            row["disposition"],
            f"{row['allowed_units'].normalize():f}",
            ", ".join(row["edit_ids"]),
        )
        for row in lines.iter_rows(named=True)
    }


def reopened_in(folder: Path) -> str:
    rows = pl.read_parquet(folder / "reconsider.parquet").iter_rows(named=True)
    return " + ".join(
        f"{row['claim_id']} {row['would_be_allowed_units'].normalize():f} "
        f"in turn {row['would_be_allowed_in_turn_units'].normalize():f}"
        for row in rows
    )


@pytest.mark.parametrize("story", list(stories()), ids=lambda story: story.name)
def test_a_story_ends_as_it_is_told(story: Story, tmp_path: Path) -> None:
    for night in story.nights:
        decide(tmp_path, night)
        folder = published(tmp_path, f"night-{night[0]['night']}", night)
        in_scope = [row for row in night if not row["code"]]
        expected = {
            row["claim"].partition(" of ")[0]: (row["disposition"], row["allowed"], row["edits"])
            for row in in_scope
        }
        assert told_of(folder) == expected
        assert reopened_in(folder) == " + ".join(r["reopens"] for r in night if r["reopens"])
    assert not any(verify(tmp_path).values())
