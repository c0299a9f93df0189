"""A small night of which the two versions of a policy judge some lines otherwise, each line for a
reason of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tests.cli.support import AS_OF, Argument, Operator, Said, authorization, claim
from tests.commands.support import CURRENT, DRAFT
from tests.runs.support import Manifest, manifest_of
from tests.support import Row, write_csv

METASTATIC: Row = {"disease_extent": "metastatic"}
SINGLE: Row = METASTATIC | {"regimen": "single_agent", "her2_ihc": "1"}
TRASTUZUMAB: Row = METASTATIC | {
    "regimen": "with_trastuzumab",
    "her2_ihc": "3",
    "line_of_therapy": "4",
}
LIVER: Row = {"ast_xuln": "1", "alt_xuln": "1", "bilirubin_xuln": "0.5"}
CAPECITABINE: Row = METASTATIC | LIVER | {"regimen": "with_capecitabine", "her2_ihc": "1"}


def treated(drug: str, *, failed: bool, resistant: bool) -> Row:
    """Progressed on therapy, or two years after it."""
    return {
        f"{drug}_setting": "adjuvant",
        f"{drug}_progressed_on_therapy": str(resistant).lower(),
        f"{drug}_months_to_progression": "0" if resistant else "24",
        f"{drug}_failed": str(failed).lower(),
    }


def with_capecitabine(*, failed: bool, anthracycline: bool, taxane: bool) -> Row:
    """Both failed or neither, and the disease resistant to the one or the other."""
    return {
        **CAPECITABINE,
        "anthracycline_contraindicated": "false",
        **treated("anthracycline", failed=failed, resistant=anthracycline),
        **treated("taxane", failed=failed, resistant=taxane),
    }


# By number: what is documented of the member's authorization; None, no row of facts.
FACTS: dict[int, Row | None] = {
    0: SINGLE,
    1: TRASTUZUMAB | {"line_of_therapy": "3"},
    2: TRASTUZUMAB
    | {"disease_extent": "recurrent_resectable", "no_response_to_preoperative_therapy": "false"},
    3: with_capecitabine(failed=True, anthracycline=True, taxane=False),
    4: with_capecitabine(failed=False, anthracycline=True, taxane=True),
    5: TRASTUZUMAB | {"line_of_therapy": None},
    6: SINGLE,  # no authorization
    7: TRASTUZUMAB
    | {"disease_extent": "early", "no_response_to_preoperative_therapy": "false"}
    | {"line_of_therapy": "1"},
    8: SINGLE,  # Medicare
    9: SINGLE,  # TennCare
    10: SINGLE,  # 120 units
    11: None,
    12: with_capecitabine(failed=True, anthracycline=False, taxane=False),
}
CLAIMS = [
    *(claim(n) for n in range(8)),
    claim(8, line_of_business="medicare"),
    claim(9, line_of_business="medicaid", member_state="TN"),
    claim(10, service_unit_quantity="120", charge_amount="12000.00"),
    claim(11),
    claim(12),
    claim(1, claim_id="ZQ-CLAIM-T", hcpcs_code="J9355", ndc_code=None),  # out of scope
    claim(13, charge_amount="-1"),  # rejected
]
AUTHORIZATIONS = [authorization(n) for n in FACTS if n != 6]
CLINICAL = [
    {"authorization_number": f"ZQ-AUTH-{n}", **facts} for n, facts in FACTS.items() if facts
]


@dataclass(frozen=True)
class Night:
    """The extracts of the night as files."""

    operator: Operator

    @property
    def claims(self) -> Path:
        return self.operator.folder / "claims.csv"

    @property
    def clinical(self) -> Path:
        return self.operator.folder / "clinical.csv"

    @property
    def out(self) -> Path:
        return self.operator.out

    def inputs(self) -> list[Argument]:
        rest = self.operator.rest_of_run()
        return ["--claims", self.claims, "--clinical", self.clinical, *rest]

    def compare_arguments(
        self, *options: Argument, baseline: str = CURRENT, candidate: str = DRAFT
    ) -> list[str]:
        policies = ["--baseline", baseline, "--candidate", candidate]
        return [str(a) for a in ["compare", *policies, *self.inputs(), *options]]

    def compare(self, *options: Argument, baseline: str = CURRENT, candidate: str = DRAFT) -> Said:
        arguments = self.compare_arguments(*options, baseline=baseline, candidate=candidate)
        return self.operator.command(*arguments)

    def compared(
        self, *options: Argument, baseline: str = CURRENT, candidate: str = DRAFT
    ) -> Comparison:
        """A comparison that was published without a word of complaint."""
        said = self.compare(*options, baseline=baseline, candidate=candidate)
        assert (said.exit_code, said.messages) == (0, [])
        given = list(options)
        name = given[given.index("--run-id") + 1] if "--run-id" in given else AS_OF
        out = Path(given[given.index("--out") + 1]) if "--out" in given else self.out
        return Comparison(out / f"comparison_id={name}", said)


@dataclass(frozen=True)
class Comparison:
    """A published comparison, and what the command printed."""

    folder: Path
    said: Said

    @property
    def manifest(self) -> Manifest:
        return manifest_of(self.folder)

    @property
    def html(self) -> str:
        return (self.folder / "comparison.html").read_text(encoding="utf-8")

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def changes(self) -> dict[int, dict[str, object]]:
        """By the number of the claim, what changed."""
        rows = self.table("changes").iter_rows(named=True)
        return {int(row["claim_id"].rpartition("-")[2]): row for row in rows}


def written_night(operator: Operator, claims: Sequence[Row] = CLAIMS) -> Night:
    night = Night(operator)
    write_csv(night.claims, claims)
    write_csv(night.clinical, CLINICAL)
    write_csv(operator.authorizations, AUTHORIZATIONS)
    return night
