"""Exit codes 0 to 5: what each one means for the output folder, and the one message."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from claims_edit.engines import local
from claims_edit.manifest import NAME
from tests.cli.support import (
    AS_OF,
    MARK,
    Operator,
    another_process_holding,
    authorization,
    claim,
    claims,
    clean_environment,
    facts,
    in_a_process,
    is_held,
    keeps_members_secret,
    one_message,
)
from tests.support import write_csv


@pytest.fixture
def extract(operator: Operator) -> Path:
    return operator.write_claims(claims(3))


def test_0_a_run_is_published(operator: Operator, extract: Path) -> None:
    said = operator.run(extract)
    assert (said.exit_code, said.messages) == (0, [])
    assert operator.published == [f"run_id={AS_OF}"]


def test_0_every_row_is_in_order(operator: Operator, extract: Path) -> None:
    said = operator.command("validate", "--claims", extract)
    assert (said.exit_code, said.out, said.err) == (0, "claims: 3 rows, 0 bad\n", "")


def test_1_a_fault_of_the_program_tells_where_and_nothing_of_the_data(
    operator: Operator, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any) -> NoReturn:
        raise RuntimeError(f"the claim {MARK}-CLAIM-0 of {MARK}-MEMBER-0 is odd")

    monkeypatch.setattr(local, "evaluate", fault)
    operator.refused(
        1,
        extract,
        says=[
            "a fault of the program",
            "RuntimeError",
            "test_exit_codes.py:",
            "nothing was published",
        ],
    )
    assert not is_held(operator.out)


def test_2_wrong_usage(operator: Operator, extract: Path) -> None:
    operator.refused(2, extract, options=["--policy", "none"], says=["--policy"])


def test_3_the_input_cannot_be_accepted(operator: Operator) -> None:
    missing = operator.folder / "missing.csv"
    operator.refused(3, missing, says=[missing, "--claims"])


def test_3_validate_finds_bad_rows_and_publishes_nothing(operator: Operator) -> None:
    rows = [claim(1), claim(2, charge_amount="-1"), claim(3, hcpcs_code="J0000", gender="f")]
    said = operator.command("validate", "--claims", operator.write_claims(rows))
    assert said.exit_code == 3
    assert said.out.splitlines() == [
        "claims: 3 rows, 2 bad",
        "          1  charge_amount:not_below_0",
        "          1  gender:known_value",
    ]
    keeps_members_secret(said)
    assert MARK not in said.out
    assert sorted(path.name for path in operator.folder.iterdir()) == [
        "authorizations.csv",
        "claims.csv",
    ]


def test_4_another_process_holds_the_folder(operator: Operator, extract: Path) -> None:
    with another_process_holding(operator.out):
        assert is_held(operator.out)
        operator.refused(4, extract, says=["--out", operator.out, "wait"])
    assert operator.run(extract).exit_code == 0


def test_4_two_runs_at_once_never_publish_together(operator: Operator, extract: Path) -> None:
    arguments = ["run", "--claims", extract, *operator.rest_of_run(), "--replace"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "claims_edit", *map(str, arguments)],
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    errors = [process.communicate()[1] for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes in ([0, 0], [0, 4]), errors
    assert operator.published == [f"run_id={AS_OF}"]


def test_5_a_run_id_is_published_once(operator: Operator, extract: Path) -> None:
    assert operator.run(extract).exit_code == 0
    manifest = operator.out / f"run_id={AS_OF}" / NAME
    before = manifest.read_bytes()
    again = operator.run(extract)
    one_message(again, 5, ["--run-id", AS_OF, "--replace"])
    assert manifest.read_bytes() == before


def test_5_is_no_matter_with_replace_or_another_id(operator: Operator, extract: Path) -> None:
    assert operator.run(extract).exit_code == 0
    assert operator.run(extract, options=["--replace"]).exit_code == 0
    assert operator.run(extract, options=["--run-id", "again"]).exit_code == 0
    assert operator.published == [f"run_id={AS_OF}", "run_id=again"]


def test_replace_publishes_what_was_never_published(operator: Operator, extract: Path) -> None:
    assert operator.run(extract, options=["--replace"]).exit_code == 0


def test_an_interrupted_run_publishes_nothing(
    operator: Operator, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "evaluate", interrupt)
    operator.refused(130, extract, says=["interrupted", "nothing was published"])


# ---- the same from a real process, in another folder ----------------------------------------


@pytest.mark.parametrize("exit_code", [0, 2, 3, 4, 5])
def test_a_process_exits_with_the_same_codes(
    operator: Operator, extract: Path, exit_code: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    arguments: list[str | Path] = ["run", "--claims", extract, *operator.rest_of_run()]
    if exit_code == 2:
        arguments.append("--colour")
    if exit_code == 3:
        extract.write_text("claim_id\n")
    if exit_code == 4:
        with another_process_holding(operator.out):
            said = in_a_process(*arguments, cwd=elsewhere)
    else:
        if exit_code == 5:
            assert operator.run(extract).exit_code == 0
        said = in_a_process(*arguments, cwd=elsewhere)
    assert said.exit_code == exit_code
    keeps_members_secret(said)
    assert len(said.messages) == (exit_code != 0)
    assert list(elsewhere.iterdir()) == []


def test_a_reader_that_closes_standard_output_does_not_undo_the_run(
    operator: Operator, extract: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        said = in_a_process(
            "run",
            *("--claims", extract, *operator.rest_of_run()),
            cwd=operator.folder,
            stdout=writer,
        )
    finally:
        os.close(writer)
    assert operator.published == [f"run_id={AS_OF}"]
    assert said.exit_code == 0
    assert "nothing was published" not in said.err


# ---- no member's data -----------------------------------------------------------------------


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nothing_of_the_data_is_logged_whatever_happens_to_it(
    operator: Operator, log_format: str
) -> None:
    rows = [
        *claims(5),
        claim(1, claim_id=f"{MARK}-COPY"),  # a duplicate
        claim(6, gender=f"{MARK}GENDER"),
        claim(7, original_claim_id=f"{MARK}-CLAIM-99", service_unit_quantity="0"),
        claim(8, birth_date=f"{MARK}1970"),
        claim(9, ndc_code=f"{MARK}-NDC"),
        claim(10, charge_amount=f"{MARK}9000"),
        claim(11),
        claim(11, charge_amount="1.00"),  # the same key
        claim(12, claim_id=f"{MARK}-ONE"),
        claim(13, claim_id=f"{MARK}-ONE", claim_line_number="2"),
    ]
    write_csv(
        operator.authorizations,
        [authorization(1), authorization(2, status=f"{MARK}STATUS"), authorization(1)],
    )
    operator.write("members.csv", f"member_id,birth_date\n{MARK}-MEMBER-1,{MARK}\n")
    write_csv(
        operator.folder / "clinical.csv",
        [facts(1), facts(2, regimen=f"{MARK}REGIMEN"), facts(3, bsa_m2=f"{MARK}2.0"), facts(1)],
    )
    options = ["--members", str(operator.folder / "members.csv"), "--log-format", log_format]
    options += ["--clinical", str(operator.folder / "clinical.csv")]
    extract = operator.write_claims(rows)
    said = operator.run(extract, options=options)
    assert said.exit_code == 0
    keeps_members_secret(said)
    assert MARK not in said.out

    rejected = operator.run(
        operator.write_claims([claim(n, gender=f"{MARK}{n}") for n in range(20)], "bad.csv"),
        options=[*options, "--run-id", "bad"],
    )
    assert rejected.exit_code == 3
    keeps_members_secret(rejected)

    validated = operator.command("validate", "--claims", extract, *options)
    assert validated.exit_code == 3
    keeps_members_secret(validated)
    assert MARK not in validated.out


def test_a_file_without_a_header_is_refused_without_showing_its_first_row(
    operator: Operator,
) -> None:
    lines = operator.write_claims(claims(2)).read_text().splitlines()
    file = operator.write("headless.csv", "\n".join(lines[1:]))
    operator.refused(3, file, says=[file, "claim_id"])
