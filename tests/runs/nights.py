"""Three small nights of which each binds the next, published through the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claims_edit.__main__ import outcome
from claims_edit.kept_reference import ARCHIVE
from claims_edit.manifest import NAME, is_sealed
from claims_edit.run_contracts import RUN_TABLES
from tests.cli.support import AS_OF, authorization, claim, csv_text, facts
from tests.runs.support import Manifest, manifest_of, run_folders, sha256
from tests.support import IXABEPILONE, REFERENCE, Row

FILES = {NAME, ARCHIVE, *(f"{table}.parquet" for table in RUN_TABLES)}
COLUMNS = (*claim(), "claim_frequency_code", "original_claim_id")
SECOND_RUN = "run_id=second"
Result = dict[str, bytes | Manifest]


def dose(number: int, of_member: int, day: str, **changes: str | None) -> Row:
    """A dose of 90 units: it takes all the room that its member has within 21 days."""
    whose = claim(of_member)["member_id"]
    return claim(number, member_id=whose, claim_line_start_date=day, **changes)


def void(number: int, of_claim: Row) -> Row:
    original = of_claim["claim_id"]
    ids = {"claim_id": claim(number)["claim_id"], "original_claim_id": original}
    return of_claim | ids | {"claim_frequency_code": "8"}


FIRST = [
    dose(10, 0, "2026-01-12"),
    dose(11, 1, "2026-01-12"),
    dose(12, 1, "2026-01-20"),  # no room
    dose(13, 2, "2026-01-12"),
]
SECOND = [
    dose(20, 0, "2026-01-20"),  # no room: claim 10 of the first night has it
    void(21, FIRST[1]),  # claim 12 of the first night would be allowed now
    dose(22, 3, "2026-01-13", birth_date=None),  # her birth date is with the members
    dose(25, 4, "2026-01-15"),  # it has room, for all that the third night has of the member
]
# What was sent as the second night at first.
SECOND_BEFORE = [dose(23, 3, "2026-01-14"), dose(24, 2, "2026-01-20")]
THIRD = [dose(30, 3, "2026-01-25"), dose(31, 2, "2026-02-01"), dose(32, 4, "2026-01-20")]


@dataclass(frozen=True)
class Nights:
    """A folder with the extracts of the nights."""

    folder: Path

    def write(self, name: str, rows: Iterable[Row]) -> Path:
        path = self.folder / name
        path.write_text(csv_text(list(rows), COLUMNS), encoding="utf-8")
        return path

    def arguments(
        self, out: Path, run_id: str, *options: str | Path, claims: str | Path | None = None
    ) -> list[str]:
        """The command that publishes a night, its claims those of the file of its name."""
        extract = self.folder / (claims or f"{run_id}.csv")
        given: dict[str, str | Path] = {
            "--claims": extract,
            "--authorizations": self.folder / "authorizations.csv",
            "--members": self.folder / "members.csv",
            "--clinical": self.folder / "clinical.csv",
            "--out": out,
            "--run-id": run_id,
            "--as-of": AS_OF,
        }
        pairs = [str(text) for pair in given.items() for text in pair]
        return ["run", *pairs, *map(str, options)]

    def publish(self, out: Path, run_id: str, *options: str | Path, **more: Any) -> Path:
        """Publish a night; its run folder."""
        assert outcome(self.arguments(out, run_id, *options, **more)) == 0
        return out / f"run_id={run_id}"


def written_nights(folder: Path) -> Nights:
    """The extracts of the nights, written."""
    nights = Nights(folder)
    nights.write("first.csv", FIRST)
    nights.write("second.csv", SECOND)
    nights.write("second-before.csv", SECOND_BEFORE)
    nights.write("third.csv", THIRD)
    numbers = range(5)
    authorizations = [authorization(n) for n in numbers]
    members: list[Row] = [
        {"member_id": claim(n)["member_id"], "birth_date": "1970-05-14"} for n in numbers
    ]
    clinical = [facts(n) for n in numbers]
    for name, rows in (
        ("authorizations", authorizations),
        ("members", members),
        ("clinical", clinical),
    ):
        text = csv_text(rows, tuple(rows[0]))
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return nights


# ---- what stands in an output folder --------------------------------------------------------


def require_whole(folder: Path) -> None:
    """A published run: its files and no other, each to the byte what the manifest says."""
    assert {file.name for file in folder.iterdir()} == FILES
    assert is_sealed((folder / NAME).read_bytes())
    for output in manifest_of(folder)["outputs"]:
        file = folder / f"{output['table']}.parquet"
        assert (output["bytes"], output["digest"]) == (file.stat().st_size, sha256(file))


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a run folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def result_of(folder: Path) -> Result:
    """Every file of a run folder; the manifest without its timings, and the digest over them."""
    files: Result = dict(bytes_of(folder))
    content = json.loads((folder / NAME).read_bytes())
    files[NAME] = {k: v for k, v in content.items() if k not in ("timings", "digest")}
    return files


# ---- the second night, about to be published ------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """An output folder before the second night is published, and how it is afterwards.

    Where it `replaces`, the night stands already, of other claims, and so does a third.
    """

    nights: Nights
    replaces: bool

    @property
    def before(self) -> Path:
        return self.nights.folder / "before"

    @property
    def after(self) -> Path:
        return self.nights.folder / "after"

    @property
    def expected(self) -> Result:
        """The second night, published by a run that nothing disturbed."""
        return result_of(self.after / SECOND_RUN)

    @property
    def others(self) -> list[str]:
        return [name for name in run_folders(self.before) if name != SECOND_RUN]

    def arguments(self, out: Path) -> list[str]:
        return self.nights.arguments(out, "second", *["--replace"] * self.replaces)

    def laid_out(self, out: Path) -> Path:
        """A new copy of the folder as it is before."""
        shutil.copytree(self.before, out)
        return out


def a_scene(folder: Path, *, replaces: bool) -> Scene:
    scene = Scene(written_nights(folder), replaces)
    scene.nights.publish(scene.before, "first")
    if replaces:
        scene.nights.publish(scene.before, "second", claims="second-before.csv")
        scene.nights.publish(scene.before, "third")
    assert outcome(scene.arguments(scene.laid_out(scene.after))) == 0
    return scene


# ---- other policies -------------------------------------------------------------------------

OTHER_DRUG = "J7788"


def with_another_policy(folder: Path, policy_id: str, hcpcs_code: str = "J9207") -> Path:
    """The reference data with a copy of the drug's policy, under another id, of any drug."""
    shutil.copytree(REFERENCE, folder)
    with (folder / "codes" / "hcpcs.csv").open("a", encoding="utf-8") as file:
        file.write(f"{OTHER_DRUG},Another drug,2020-01-01,,made up\n")
    copy = shutil.copytree(folder / "policies" / IXABEPILONE, folder / "policies" / policy_id)
    text = (copy / "policy.toml").read_text(encoding="utf-8")
    text = text.replace(f'id = "{IXABEPILONE}"', f'id = "{policy_id}"')
    text = text.replace('hcpcs_code = "J9207"', f'hcpcs_code = "{hcpcs_code}"')
    (copy / "policy.toml").write_text(text, encoding="utf-8")
    return folder
