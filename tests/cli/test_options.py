"""Options: from the command line, the environment and a TOML file, and which one wins."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from claims_edit.runs import STEPS
from tests.cli.support import (
    AS_OF,
    Operator,
    claims,
    csv_text,
    facts,
    in_a_process,
    one_message,
)
from tests.support import REFERENCE, write_csv


@pytest.fixture
def night(operator: Operator) -> Operator:
    """A night of three files, two of them in a folder."""
    for number, name in enumerate(["night/a.csv", "night/deeper/b.csv", "c.csv"]):
        operator.write_claims(claims(3)[number : number + 1], name)
    return operator


def inputs_of(operator: Operator) -> list[str]:
    """Which claims files the one published run has read."""
    return [
        Path(f["path"]).name for f in manifest_of(operator)["inputs"] if f["extract"] == "claims"
    ]


def manifest_of(operator: Operator) -> dict[str, Any]:
    (folder,) = operator.published
    content: dict[str, Any] = json.loads((operator.out / folder / "manifest.json").read_text())
    return content


# ---- claims: many paths ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["--claims", "night/a.csv", "c.csv"], ["c.csv", "a.csv"]),
        (["--claims", "night/a.csv", "--claims", "c.csv"], ["c.csv", "a.csv"]),
        (["--claims=night/a.csv", "--claims=c.csv"], ["c.csv", "a.csv"]),
        (["--claims", "night"], ["a.csv", "b.csv"]),
        (["--claims", "night", "c.csv"], ["c.csv", "a.csv", "b.csv"]),
        (["--claims", "night/*.csv"], ["a.csv"]),
        (["--claims", "night/**/*.csv"], ["a.csv", "b.csv"]),
        (
            ["--claims", "c.cs[v]", "--policy", "prime-ic-0072", "--claims", "night"],
            ["c.csv", "a.csv", "b.csv"],
        ),
        (["--claims", "c.csv", "c.csv", "./c.csv"], ["c.csv"]),
    ],
)
def test_claims_are_files_folders_and_patterns_given_together_or_again(
    night: Operator, monkeypatch: pytest.MonkeyPatch, given: list[str], read: list[str]
) -> None:
    monkeypatch.chdir(night.folder)
    assert night.command("run", *given, *night.rest_of_run()).exit_code == 0
    assert inputs_of(night) == read


def test_claims_of_the_environment_are_separated_as_in_path(
    night: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(night.folder / "night"), str(night.folder / "c.csv")]
    monkeypatch.setenv("CLAIMS_EDIT_CLAIMS", os.pathsep.join(paths))
    assert night.command("run", *night.rest_of_run()).exit_code == 0
    assert inputs_of(night) == ["c.csv", "a.csv", "b.csv"]


# ---- every option, three ways ---------------------------------------------------------------


def every_option(operator: Operator) -> dict[str, Any]:
    shutil.copytree(REFERENCE, operator.folder / "codes")
    (operator.folder / "earlier").mkdir()
    write_csv(
        operator.folder / "members.csv",
        [{"member_id": "nobody", "birth_date": "1970-01-01"}],
        ["member_id", "birth_date"],
    )
    write_csv(operator.folder / "clinical.csv", [facts(0)])
    return {
        "claims": ["night", "c.csv"],
        "authorizations": "authorizations.csv",
        "members": "members.csv",
        "clinical": "clinical.csv",
        "out": "reports",
        "history": "earlier",
        "policy": "prime-ic-0072",
        "reference_data": "codes",
        "run_id": "tonight",
        "replace": True,
        "as_of": AS_OF,
        "max_reject_rate": 0.25,
        "strict_drift": True,
        "metrics_file": "night.prom",
        "engine": "polars",
        "log_format": "json",
    }


def as_arguments(options: dict[str, Any]) -> list[str]:
    arguments = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [] if value is True else [str(value)]
        arguments += [f"--{name.replace('_', '-')}", *values]
    return arguments


def as_variables(options: dict[str, Any]) -> dict[str, str]:
    return {
        f"CLAIMS_EDIT_{name.upper()}": os.pathsep.join(v) if isinstance(v, list) else str(v)
        for name, v in options.items()
    }


def as_toml(options: dict[str, Any]) -> str:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())


def is_the_run_that_was_asked_for(operator: Operator, err: str) -> None:
    manifest = manifest_of(operator)
    assert (manifest["run_id"], manifest["as_of"]) == ("tonight", AS_OF)
    assert [f["extract"] for f in manifest["inputs"]] == [
        *["claims"] * 3,
        "authorizations",
        "members",
        "clinical",
    ]
    assert Path(manifest["history"]["folder"]).resolve() == (operator.folder / "earlier").resolve()
    assert (operator.folder / "night.prom").is_file()
    entries = [json.loads(line) for line in err.splitlines()]
    assert [entry["step"] for entry in entries if entry["level"] == "info"] == list(STEPS)
    (warning,) = [entry["message"] for entry in entries if entry["level"] != "info"]
    assert warning.startswith("--history: ")
    assert warning.endswith("earlier holds no run of the policy's drug")


def test_every_option_from_the_command_line(night: Operator) -> None:
    said = in_a_process("run", *as_arguments(every_option(night)), cwd=night.folder)
    assert said.exit_code == 0
    is_the_run_that_was_asked_for(night, said.err)


def test_every_option_from_the_environment(
    night: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in as_variables(every_option(night)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(night.folder)
    said = night.command("run")
    assert said.exit_code == 0
    is_the_run_that_was_asked_for(night, said.err)


@pytest.mark.parametrize("dashes", [False, True])
def test_every_option_from_a_toml_file_whose_paths_start_from_its_folder(
    night: Operator, tmp_path_factory: pytest.TempPathFactory, dashes: bool
) -> None:
    options = every_option(night)
    if dashes:
        options = {name.replace("_", "-"): value for name, value in options.items()}
    file = night.write("options.toml", as_toml(options))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    said = in_a_process("run", "--config", file, cwd=elsewhere)
    assert said.exit_code == 0
    is_the_run_that_was_asked_for(night, said.err)
    assert list(elsewhere.iterdir()) == []


def test_dates_of_a_toml_file_may_be_dates(night: Operator) -> None:
    file = night.write("options.toml", "as_of = 2026-02-27\n")
    options = ["--claims", "c.csv", "--authorizations", "authorizations.csv", "--out", "reports"]
    said = in_a_process("run", *options, "--config", file, cwd=night.folder)
    assert (said.exit_code, night.published) == (0, ["run_id=2026-02-27"])


def test_absolute_paths_of_a_toml_file_stand_as_they_are(
    night: Operator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = {"claims": [str(night.folder / "c.csv")], "out": str(night.out), "as_of": AS_OF}
    file = tmp_path_factory.mktemp("elsewhere") / "options.toml"
    file.write_text(as_toml(options | {"authorizations": str(night.authorizations)}))
    assert night.command("run", "--config", file).exit_code == 0
    assert night.published == [f"run_id={AS_OF}"]


def test_the_file_of_options_may_be_named_by_the_environment(
    night: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = night.write("options.toml", 'run_id = "by-toml"\n')
    monkeypatch.setenv("CLAIMS_EDIT_CONFIG", str(file))
    assert night.run(night.folder / "c.csv").exit_code == 0
    assert night.published == ["run_id=by-toml"]


# ---- which one wins -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "run_id"),
    [
        (["command line", "environment", "toml"], "by-command-line"),
        (["environment", "toml"], "by-environment"),
        (["toml"], "by-toml"),
        ([], AS_OF),
    ],
)
def test_command_line_before_environment_before_toml_before_default(
    night: Operator, monkeypatch: pytest.MonkeyPatch, places: list[str], run_id: str
) -> None:
    options: list[str | Path] = []
    if "toml" in places:
        options += ["--config", night.write("options.toml", 'run_id = "by-toml"\n')]
    if "environment" in places:
        monkeypatch.setenv("CLAIMS_EDIT_RUN_ID", "by-environment")
    if "command line" in places:
        options += ["--run-id", "by-command-line"]
    assert night.run(night.folder / "c.csv", options=options).exit_code == 0
    assert night.published == [f"run_id={run_id}"]


def test_claims_of_the_command_line_replace_those_of_the_file(night: Operator) -> None:
    file = night.write("options.toml", 'claims = ["night"]\n')
    assert night.run(night.folder / "c.csv", options=["--config", file]).exit_code == 0
    assert inputs_of(night) == ["c.csv"]


def test_a_run_is_named_by_its_day_and_its_day_is_today(night: Operator) -> None:
    options = ["--claims", "c.csv", "--authorizations", "authorizations.csv", "--out", "reports"]
    assert in_a_process("run", *options, cwd=night.folder).exit_code == 0
    manifest = manifest_of(night)
    assert manifest["run_id"] == manifest["as_of"]
    assert night.published == [f"run_id={manifest['as_of']}"]


# ---- files of options that are wrong --------------------------------------------------------

WRONG_FILES = {
    "an option that does not exist": (
        "colour = 1\n",
        ["there is no option 'colour'", "max-reject"],
    ),
    "a table": ("[run]\nout = 'x'\n", ["there is no option 'run'"]),
    "the file itself": ("config = 'x.toml'\n", ["there is no option 'config'"]),
    "not TOML": ("out = [\n", ["cannot be read as TOML"]),
}


@pytest.mark.parametrize("wrong", WRONG_FILES)
def test_a_wrong_file_of_options_is_wrong_usage(night: Operator, wrong: str) -> None:
    content, says = WRONG_FILES[wrong]
    file = night.write("options.toml", content)
    night.refused(
        2, night.folder / "c.csv", options=["--config", file], says=["--config", file, *says]
    )


def test_a_file_of_options_that_is_no_text_or_is_not_there(night: Operator) -> None:
    latin = night.write("latin.toml", 'out = "\xd6"'.encode("latin-1"))
    for file in (latin, night.folder / "missing.toml", night.folder):
        night.refused(
            2, night.folder / "c.csv", options=["--config", file], says=["--config", file, "TOML"]
        )


@pytest.mark.parametrize(
    ("content", "option"),
    [
        ("claims = 3", "claims"),
        ("claims = [3]", "claims"),
        ('claims = [["c.csv"]]', "claims"),
        ("claims = []", "claims"),
        ('authorizations = ["authorizations.csv"]', "authorizations"),
        ('clinical = ["clinical.csv"]', "clinical"),
        ('max_reject_rate = "much"', "max-reject-rate"),
        ("max_reject_rate = [1]", "max-reject-rate"),
        ("max_reject_rate = 2", "max-reject-rate"),
        ('replace = "maybe"', "replace"),
        ("replace = 1", "replace"),
        ('strict_drift = "no"', "strict-drift"),
        ("history = 1", "history"),
        ('metrics_file = ["m.prom"]', "metrics-file"),
        ("as_of = 3", "as-of"),
        ("as_of = 2026-02-28T10:00:00", "as-of"),
        ('run_id = ["a"]', "run-id"),
        ('policy = ["a"]', "policy"),
        ('log_format = "xml"', "log-format"),
        ('engine = "abacus"', "engine"),
    ],
)
def test_a_value_of_the_wrong_type_is_wrong_usage(
    night: Operator, content: str, option: str
) -> None:
    defaults = {"claims": ["c.csv"], "authorizations": "authorizations.csv", "out": "reports"}
    kept = {name: value for name, value in defaults.items() if name not in content}
    file = night.write("options.toml", f"{content}\n{as_toml(kept)}")
    said = night.command("run", "--config", file)
    one_message(said, 2, [])
    assert option in said.err.replace("_", "-")
    assert night.published == []


# ---- wrong usage ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as-of", "28.02.2026"], ["--as-of"]),
        (["--as-of", "2026-02-30"], ["--as-of"]),
        (["--max-reject-rate", "much"], ["--max-reject-rate"]),
        (["--max-reject-rate", "1.01"], ["--max-reject-rate", "between 0 and 1"]),
        (["--max-reject-rate", "-0.01"], ["--max-reject-rate", "between 0 and 1"]),
        (["--max-reject-rate", "nan"], ["--max-reject-rate", "between 0 and 1"]),
        (["--run-id", "../elsewhere"], ["--run-id", "letters"]),
        (["--run-id", ".hidden"], ["--run-id"]),
        (["--policy", "no-such-policy"], ["--policy", "no-such-policy", "prime-ic-0072"]),
        (["--engine", "abacus"], ["--engine", "polars"]),
        (["--engine", "duckdb"], ["--engine", "'polars', 'spark'"]),
        (["--history", "earlier"], ["--history: earlier", "no such folder or file"]),
        (["--metrics-file", "no/m.prom"], ["--metrics-file", "no/m.prom", "folder"]),
        (["--strict-drift", "much"], ["much", "claims-edit run --help"]),
        (["--log-format", "xml"], ["--log-format", "json"]),
        (["--colour", "red"], ["--colour", "claims-edit run --help"]),
        (["--replace", "twice"], ["twice", "claims-edit run --help"]),
        (["--members"], ["--members", "requires an argument"]),
        (["--clinical"], ["--clinical", "requires an argument"]),
    ],
)
def test_wrong_usage_is_told_by_option(
    night: Operator, options: list[str], says: list[str]
) -> None:
    night.refused(2, night.folder / "c.csv", options=options, says=says)


@pytest.mark.parametrize("missing", ["--claims", "--authorizations", "--out"])
def test_a_required_option_that_is_missing(night: Operator, missing: str) -> None:
    given = {
        "--claims": night.folder / "c.csv",
        "--authorizations": night.authorizations,
        "--out": night.out,
    }
    arguments = [text for pair in given.items() if pair[0] != missing for text in pair]
    one_message(night.command("run", *arguments), 2, [missing, "claims-edit run --help"])


def test_a_command_that_does_not_exist(operator: Operator) -> None:
    one_message(operator.command("runn"), 2, ["runn", "claims-edit --help"])


def test_a_wrong_value_of_a_variable_names_the_variable(
    night: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_EDIT_MAX_REJECT_RATE", "much")
    night.refused(2, night.folder / "c.csv", says=["CLAIMS_EDIT_MAX_REJECT_RATE"])


# ---- validate -------------------------------------------------------------------------------


def test_validate_takes_its_options_from_everywhere_too(
    night: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = night.write("options.toml", 'claims = ["night", "c.csv"]\nmembers = "members.csv"\n')
    night.write("members.csv", "member_id\nsomebody\n")
    monkeypatch.setenv("CLAIMS_EDIT_AUTHORIZATIONS", str(night.authorizations))
    clinical = write_csv(night.folder / "clinical.csv", [facts(0), facts(1)])
    monkeypatch.setenv("CLAIMS_EDIT_CLINICAL", str(clinical))
    said = night.command("validate", "--config", file)
    assert (said.exit_code, said.messages) == (0, [])
    assert said.out.splitlines() == [
        "claims: 3 rows, 0 bad",
        "authorizations: 30 rows, 0 bad",
        "clinical: 2 rows, 0 bad",
        "members: 1 rows, 0 bad",
    ]


def test_validate_refuses_the_options_of_a_run(night: Operator) -> None:
    said = night.command("validate", "--claims", night.folder / "c.csv", "--out", night.out)
    one_message(said, 2, ["--out", "claims-edit validate --help"])


def test_validate_reads_several_claims_paths(night: Operator) -> None:
    night.write("d.csv", csv_text(claims(2, line_of_business="nobody's")))
    paths = [night.folder / name for name in ("night", "c.csv", "d.csv")]
    said = night.command("validate", "--claims", *paths)
    assert said.exit_code == 3
    assert "claims: 5 rows, 4 bad" in said.out
