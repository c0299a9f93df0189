"""A night that is not like the last ones: published with a warning everywhere, or, strictly, not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.drift import FEWEST_RUNS, in_words
from tests.cli.support import authorization, claim, csv_text, facts
from tests.runs.nights import Nights, require_whole, result_of, with_another_policy, written_nights
from tests.runs.prometheus import series
from tests.runs.support import manifest_of, run_folders
from tests.support import Row

LINES = 40
OUT_OF_BAND = [("disposition", "deny"), ("disposition", "pay"), ("edit", "ndc-missing")]


def lines(night: int, denied: int = 1) -> list[Row]:
    """Lines of a night, each member's first, so many of them denied."""
    numbers = range(night * LINES, (night + 1) * LINES)
    return [claim(n, **({"ndc_code": None} if i < denied else {})) for i, n in enumerate(numbers)]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """As many usual nights as make a band, published; one more usual night, and one that is odd."""
    nights = written_nights(tmp_path_factory.mktemp("nights"))
    numbers = range((FEWEST_RUNS + 2) * LINES)
    for name, of_each in (("authorizations", authorization), ("clinical", facts)):
        rows = [of_each(n) for n in numbers]
        text = csv_text(rows, tuple(rows[0]))
        (nights.folder / f"{name}.csv").write_text(text, encoding="utf-8")
    for night in range(FEWEST_RUNS):
        nights.write(f"{night}.csv", lines(night))
        nights.publish(nights.folder / "out", f"{night}")
    nights.write("usual.csv", lines(FEWEST_RUNS))
    nights.write("odd.csv", lines(FEWEST_RUNS + 1, denied=LINES // 2))
    return nights


@pytest.fixture
def out(nights: Nights, tmp_path: Path) -> Path:
    return shutil.copytree(nights.folder / "out", tmp_path / "out")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "night.prom"


def warnings_in_log(err: str) -> list[str]:
    entries = map(json.loads, err.splitlines())
    return [entry["message"] for entry in entries if entry["level"] == "warning"]


def test_usual_nights_are_published_without_a_word(
    nights: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for night in range(FEWEST_RUNS):
        drift = manifest_of(out / f"run_id={night}")["drift"]
        assert drift == {"runs": night, "warnings": []}
    capsys.readouterr()
    usual = nights.publish(out, "usual", "--strict-drift", "--log-format", "json")
    assert manifest_of(usual)["drift"] == {"runs": FEWEST_RUNS, "warnings": []}
    said = capsys.readouterr()
    assert (warnings_in_log(said.err), "Drift" in said.out) == ([], False)


def test_an_odd_night_is_published_with_a_warning_everywhere(
    nights: Nights, out: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    odd = nights.publish(out, "odd", "--metrics-file", file, "--log-format", "json")
    said = capsys.readouterr()
    require_whole(odd)
    drift = manifest_of(odd)["drift"]
    warnings = drift["warnings"]
    assert drift["runs"] == FEWEST_RUNS
    assert [(w["kind"], w["name"]) for w in warnings] == OUT_OF_BAND
    assert [w["share"] for w in warnings] == ["0.500000"] * len(OUT_OF_BAND)
    assert warnings_in_log(said.err) == [f"drift: {in_words(w)}" for w in warnings]
    shown = [line for line in said.out.splitlines() if line.startswith("Drift: ")]
    assert shown == [f"Drift: {in_words(w)}" for w in warnings]
    metrics = {
        (name, frozenset(labels - {("policy", "prime-ic-0072")})): value
        for (name, labels), value in series(file.read_text(encoding="utf-8")).items()
    }
    assert metrics["claims_edit_drift_warnings", frozenset()] == len(warnings)
    for kind, name in OUT_OF_BAND:
        labels = frozenset({("kind", kind), ("name", name)})
        assert metrics["claims_edit_drift", labels] == 0.5


@pytest.mark.parametrize("given", ["option", "variable", "toml"])
def test_strictly_an_odd_night_is_not_published(
    nights: Nights,
    out: Path,
    file: Path,
    given: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options: list[str | Path] = ["--metrics-file", file]
    if given == "option":
        options.append("--strict-drift")
    elif given == "variable":
        monkeypatch.setenv("CLAIMS_EDIT_STRICT_DRIFT", "1")
    else:
        toml = file.with_name("options.toml")
        toml.write_text("strict-drift = true\n", encoding="utf-8")
        options += ["--config", toml]
    capsys.readouterr()
    assert outcome(nights.arguments(out, "odd", *options)) == 3
    (message,) = [line for line in capsys.readouterr().err.splitlines() if " info: " not in line]
    assert message.startswith("claims-edit: claims: --strict-drift: ")
    assert [f"{kind} {name}: 50.00%" in message for kind, name in OUT_OF_BAND] == [True] * 3
    assert run_folders(out) == run_folders(nights.folder / "out")
    assert not file.exists()


def test_strictly_an_odd_night_replaces_nothing(nights: Nights, out: Path) -> None:
    usual = nights.publish(out, "odd", claims="usual.csv")
    before = result_of(usual)
    assert outcome(nights.arguments(out, "odd", "--strict-drift", "--replace")) == 3
    assert result_of(usual) == before


def test_with_too_few_runs_an_odd_night_is_published_strictly(nights: Nights, out: Path) -> None:
    shutil.rmtree(out / f"run_id={FEWEST_RUNS - 1}")  # the last, which no other was computed on
    odd = nights.publish(out, "odd", "--strict-drift")
    assert manifest_of(odd)["drift"] == {"runs": FEWEST_RUNS - 1, "warnings": []}


def test_runs_of_another_policy_of_the_drug_make_no_band(
    nights: Nights, out: Path, tmp_path: Path
) -> None:
    reference = with_another_policy(tmp_path / "reference", "another-payers")
    options = ["--reference-data", str(reference), "--policy", "another-payers"]
    manifest = manifest_of(nights.publish(out, "odd", "--strict-drift", *options))
    assert manifest["drift"] == {"runs": 0, "warnings": []}
    assert len(manifest["history"]["runs"]) == FEWEST_RUNS
