"""What the terminal shows: the log in two forms, the progress bar, the summary, the help."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from claims_edit import runs
from claims_edit.cli import cli
from tests.cli.support import (
    AS_OF,
    Operator,
    claim,
    claims,
    clean_environment,
    in_a_process,
    keeps_members_secret,
)

HELP_SECONDS = 0.3


@pytest.fixture
def extract(operator: Operator) -> Path:
    rows = [*claims(3), claim(3, ndc_code=None), claim(4, line_of_business="medicare")]
    return operator.write_claims([*rows, claim(5, hcpcs_code="J0000", ndc_code=None)])


def run_on_a_terminal(arguments: list[str | Path], cwd: Path) -> tuple[int, str, str]:
    """Exit code, standard output (a pipe), and standard error as a terminal received it."""
    terminal, error = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "claims_edit", *map(str, arguments)],
        cwd=cwd,
        env=clean_environment() | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=error,
        text=True,
    ) as process:
        os.close(error)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 1024)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(terminal)
        assert process.stdout is not None
        printed = process.stdout.read()
    return process.returncode, printed, shown.decode()


# ---- progress -------------------------------------------------------------------------------


def test_a_terminal_shows_a_progress_bar_and_no_log(operator: Operator, extract: Path) -> None:
    arguments = ["run", "--claims", extract, *operator.rest_of_run()]
    code, printed, shown = run_on_a_terminal(arguments, operator.folder)
    assert code == 0
    assert "claims-edit  [" in shown
    assert "100%" in shown
    assert [step for step in runs.STEPS[1:] if step not in shown] == []
    assert "info:" not in shown
    assert "[" not in printed


def test_an_error_on_a_terminal_stands_on_a_line_of_its_own(operator: Operator) -> None:
    extract = operator.write("claims.csv", "")
    arguments = ["run", "--claims", extract, *operator.rest_of_run()]
    code, _, shown = run_on_a_terminal(arguments, operator.folder)
    assert code == 3
    last = shown.replace("\r\n", "\n").rstrip("\n").rpartition("\n")[2]
    assert last.startswith(f"claims-edit: claims: {extract}")
    assert "Traceback" not in shown


def test_without_a_terminal_there_is_no_bar(operator: Operator, extract: Path) -> None:
    said = in_a_process("run", "--claims", extract, *operator.rest_of_run(), cwd=operator.folder)
    assert said.exit_code == 0
    assert not any(sign in said.out + said.err for sign in ("[", "%", "\r", "\x1b"))


# ---- log ------------------------------------------------------------------------------------


def test_the_log_as_text_names_every_step(operator: Operator, extract: Path) -> None:
    said = operator.run(extract)
    lines = said.err.splitlines()
    assert [line.split(" info: ")[1].split(" done (")[0] for line in lines] == list(runs.STEPS)


def test_the_log_as_json_is_one_object_a_line(operator: Operator, extract: Path) -> None:
    said = operator.run(extract, options=["--log-format", "json"])
    entries = [json.loads(line) for line in said.err.splitlines()]
    assert [entry["step"] for entry in entries] == list(runs.STEPS)
    assert all(entry["level"] == "info" and entry["seconds"] >= 0 for entry in entries)
    assert all(entry["time"].endswith("Z") and entry["message"] for entry in entries)


def test_earlier_runs_are_read_without_a_warning(operator: Operator, extract: Path) -> None:
    assert operator.run(extract).exit_code == 0
    said = operator.run(extract, options=["--run-id", "later", "--log-format", "json"])
    assert said.exit_code == 0
    levels = [json.loads(line)["level"] for line in said.err.splitlines()]
    assert levels == ["info"] * len(runs.STEPS)


# ---- summary --------------------------------------------------------------------------------


def test_the_summary_accounts_for_every_row_and_names_the_reports(
    operator: Operator, extract: Path
) -> None:
    said = operator.run(extract)
    assert said.out.splitlines() == [
        f"Run {AS_OF}, policy prime-ic-0072",
        "",
        "Rows read 6: out of scope 1, rejected 0, edited 5",
        "Authorizations read 30: rejected 0",
        "",
        "disposition  lines     charge  denied charge",
        "-----------  -----  ---------  -------------",
        "pay              3  27,000.00           0.00",
        "flag             1   9,000.00           0.00",
        "deny             1   9,000.00       9,000.00",
        "",
        "edit                   lines  of which unknown    charge",
        "---------------------  -----  ----------------  --------",
        "medicare-not-governed      1                 0  9,000.00",
        "ndc-missing                1                 0  9,000.00",
        "",
        f"Reports: {operator.out / f'run_id={AS_OF}'}/  (open flagged_lines.parquet first)",
    ]
    keeps_members_secret(said)


# ---- help -----------------------------------------------------------------------------------

# How the example of a command begins; of others with --claims.
EXAMPLES = {
    "authorizations": "--authorizations auths.csv",
    "compare": "--baseline POLICY --candidate POLICY@DRAFT --claims ",
    "explain": "runs/",
    "policy": "show prime-ic-0072",
    "policy list": "",
    "policy show": "prime-ic-0072",
    "policy check": "prime-ic-0072",
    "policy diff": "POLICY@VERSION POLICY@DRAFT",
    "report": "runs/",
    "review": "runs/",
    "verify": "runs/",
}


def commands_of(group: click.Group, *names: str) -> Iterator[list[str]]:
    """The commands of a group, and of the groups in it, by their names."""
    for name, command in group.commands.items():
        yield [*names, name]
        if isinstance(command, click.Group):
            yield from commands_of(command, *names, name)


def command_of(names: list[str]) -> click.Command:
    command: click.Command = cli
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


COMMANDS = [[], *commands_of(cli)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda names: " ".join(names) or "claims-edit")
def test_every_help_has_an_example(operator: Operator, command: list[str]) -> None:
    said = operator.command(*command, "--help")
    assert (said.exit_code, said.err) == (0, "")
    name = " ".join(command) or "run"
    assert f"\n  claims-edit {name} {EXAMPLES.get(name, '--claims ')}".rstrip() in said.out
    assert operator.command(*command, "-h").out == said.out


def test_every_example_is_of_a_command() -> None:
    assert EXAMPLES.keys() <= {" ".join(command) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS[1:], ids=" ".join)
def test_every_option_is_told_of_with_its_variable(operator: Operator, command: list[str]) -> None:
    text = " ".join(operator.command(*command, "--help").out.split())
    for option in command_of(command).params:
        if isinstance(option, click.Argument):
            assert str(option.metavar or option.name).upper() in text
            continue
        flag = option.opts[0]
        assert flag in text
        assert f"CLAIMS_EDIT_{flag.removeprefix('--').replace('-', '_').upper()}" in text
        assert getattr(option, "help", None), flag


def test_the_exit_codes_are_in_the_help(operator: Operator) -> None:
    text = operator.command("--help").out
    assert [code for code in "012345" if f" {code} " not in text] == []


def test_the_version_is_told(operator: Operator) -> None:
    assert operator.command("--version").out.startswith("claims-edit, version ")


def test_help_answers_at_once(operator: Operator) -> None:
    def seconds(*command: str) -> float:
        begun = time.perf_counter()
        assert in_a_process(*command, "--help", cwd=operator.folder).exit_code == 0
        return time.perf_counter() - begun

    for command in COMMANDS:
        assert min(seconds(*command) for _ in range(5)) < HELP_SECONDS


def test_the_command_line_imports_nothing_heavy_until_it_runs(operator: Operator) -> None:
    code = "import sys, claims_edit.cli, claims_edit.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=operator.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"polars", "pandera", "pyarrow", "pandas", "numpy"}
    assert heavy & {name.partition(".")[0] for name in loaded} == set()


def test_an_explanation_that_cannot_be_written_whole_is_an_error(
    operator: Operator, extract: Path
) -> None:
    assert operator.run(extract).exit_code == 0
    arguments = ["explain", operator.out / f"run_id={AS_OF}", claim(0)["claim_id"] or ""]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "claims_edit", *map(str, arguments)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("claims-edit: standard output: cannot be written (No space left")
    assert done.stderr.count("\n") == 1
