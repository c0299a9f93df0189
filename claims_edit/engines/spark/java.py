"""The JVM that Spark runs in: found, and fit for it, before Spark is started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec

from claims_edit.errors import UsageError

OLDEST = 17
_MODULE = "jdk.incubator.vector"
_SECONDS = 60
_INSTALL = (
    f"Install a JDK of version {OLDEST} or later (Debian: openjdk-{OLDEST}-jre-headless) and put it on "
    "PATH, or let JAVA_HOME name it"
)


def require_pyspark() -> None:
    """Raises UsageError where PySpark, or what it needs, is not installed."""
    for package in ("pyspark", "pandas"):
        if find_spec(package) is None:
            raise UsageError(
                f"--engine spark: the package {package} is not installed; "
                "install it with: pip install 'claims-edit[spark]'"
            )


def require_java() -> str:
    """The `java` that Spark will start. Raises UsageError where there is none, or none that will do."""
    java = _java()
    try:
        done = subprocess.run(
            [java, "--add-modules", _MODULE, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--engine spark: {java} cannot be started. {_INSTALL}.") from error
    version = re.search(r'version "(?:1\.)?(\d+)', done.stdout + done.stderr)
    if version is not None and int(version[1]) < OLDEST:
        raise UsageError(
            f"--engine spark: {java} is Java {version[1]}, and Spark needs {OLDEST} or later. {_INSTALL}."
        )
    if done.returncode or version is None:
        raise UsageError(
            f"--engine spark: {java} is no complete Java {OLDEST} or later: Spark needs its module "
            f"{_MODULE}. {_INSTALL}."
        )
    return java


def _java() -> str:
    """Where Spark looks for Java: JAVA_HOME, then PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = os.path.join(home, "bin", "java")  # noqa: PTH118
        if not os.access(java, os.X_OK):
            raise UsageError(
                f"--engine spark: JAVA_HOME is {home}, where there is no bin/java. {_INSTALL}."
            )
        return java
    found = shutil.which("java")
    if found is None:
        raise UsageError(f"--engine spark: there is no Java on this machine. {_INSTALL}.")
    return found
