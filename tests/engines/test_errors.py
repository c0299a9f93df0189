"""What a user of Spark can get wrong ends in one clear message, exit code 2, and nothing published."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.engines.spark.failures import as_user_error
from claims_edit.errors import FaultError, InputError, UsageError
from tests.support import PROJECT

SAMPLE = PROJECT / "sample_claims" / "run.toml"

Run = Callable[..., str]


@pytest.fixture
def message(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The one message of a run that fails with exit code 2."""

    def run(*options: str, engine: str = "spark") -> str:
        out = tmp_path / "out"
        given = ["run", "--config", str(SAMPLE), "--out", str(out), "--engine", engine, *options]
        assert outcome(given) == 2
        said = [line for line in capfd.readouterr().err.splitlines() if " info: " not in line]
        assert len(said) == 1, said
        assert said[0].startswith("claims-edit: ")
        assert not list(out.glob("run_id=*"))
        return said[0]

    return run


def java_that(folder: Path, script: str) -> str:
    """JAVA_HOME of a Java that does this when it is started."""
    java = folder / "jvm" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    java.chmod(0o755)
    return str(folder / "jvm")


def test_no_java(message: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no Java on this machine. Install a JDK of version 17 or later" in message()


def test_java_home_of_nothing(message: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert "JAVA_HOME is /nowhere, where there is no bin/java" in message()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "is Java 11, and Spark needs 17"),
        ("echo 'openjdk version \"1.8.0_402\"' >&2", "is Java 8, and Spark needs 17"),
        ("echo 'Unrecognized option: --add-modules' >&2; exit 1", "no complete Java 17"),
        ("echo 'Module jdk.incubator.vector not found' >&2; exit 1", "jdk.incubator.vector"),
    ],
)
def test_java_that_is_unfit(
    script: str, says: str, message: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", java_that(tmp_path, script))
    assert says in message()


def test_no_pyspark(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyspark'] = None\n"
        "from claims_edit.__main__ import outcome\n"
        "sys.exit(outcome(sys.argv[1:]))"
    )
    options = ["run", "--config", str(SAMPLE), "--out", str(tmp_path / "out"), "--engine", "spark"]
    done = subprocess.run(
        [sys.executable, "-c", code, *options],
        cwd=PROJECT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert "pip install 'claims-edit[spark]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("master", ["sc://host", "nonsense", "http://host:7077"])
def test_a_master_that_is_none(master: str, message: Run) -> None:
    assert "--spark-master" in message("--spark-master", master)


@pytest.mark.parametrize("setting", ["memory=8g", "spark.executor.memory", "spark.a b=c"])
def test_a_setting_that_is_none(setting: str, message: Run) -> None:
    assert "must be spark.KEY=VALUE" in message("--spark-conf", setting)


def test_options_of_spark_without_it(message: Run) -> None:
    said = message("--spark-master", "local[2]", engine="polars")
    assert "--spark-master: is for --engine spark" in said


@pytest.mark.parametrize("option", ["claims", "authorizations", "members", "clinical"])
def test_addresses_without_spark(option: str, message: Run) -> None:
    said = message(f"--{option}", "s3a://bucket/key", engine="polars")
    assert "s3a://bucket/key: an address is read by a run with --engine spark alone" in said


@pytest.mark.parametrize("option", ["history", "out", "reference-data"])
def test_addresses_where_a_folder_must_be(option: str, message: Run) -> None:
    said = message(f"--{option}", "s3a://bucket/key")
    assert "s3a://bucket/key: is an address; give a path of this machine" in said


def test_a_claims_variable_of_paths_and_addresses(
    message: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAIMS_EDIT_CLAIMS", "/a/b:s3a://bucket/key:/c")
    assert "s3a://bucket/key: an address" in message(engine="polars")


@pytest.mark.parametrize(
    ("thrown", "kind", "says"),
    [
        ("ModuleNotFoundError: No module named 'claims_edit'", UsageError, "PYSPARK_PYTHON"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker", UsageError, "another version"),
        ('java.io.IOException: Cannot run program "py"', UsageError, "no Python under the name"),
        (
            'UnsupportedFileSystemException: No FileSystem for scheme "s3a"',
            UsageError,
            "hadoop-aws",
        ),
        (
            "while reading file s3a://b/x%20y.csv.gz. SQLSTATE\nEOFException",
            InputError,
            "s3a://b/x y.csv",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", UsageError, "--part-lines"),
        ("java.io.IOException: No space left on device", UsageError, "spark.local.dir"),
        ("Job aborted: ExecutorLostFailure (executor 1)", UsageError, "lost again and again"),
        ("ValueError: member 123-45-6789 is odd", FaultError, "fault of the program on Spark"),
    ],
)
def test_what_spark_throws_is_said_in_words(thrown: str, kind: type, says: str) -> None:
    error = as_user_error(thrown)
    assert isinstance(error, kind)
    assert says in str(error)
    assert "123-45" not in str(error)
