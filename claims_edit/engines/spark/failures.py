"""What Spark throws, in a sentence that says what to do; never its own text, which may hold data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from claims_edit.errors import FaultError, InputError, UsageError, UserError

_HOW = "--engine spark"

# What stands in a failure's text, the error it is, and the sentence. The first that stands there counts.
_KNOWN: tuple[tuple[str, type[UserError], str], ...] = (
    (
        r"No module named '(claims_edit|polars|pyarrow|pandera|numpy)",
        UsageError,
        "the workers' Python lacks a package: install this version of claims-edit for the "
        "Python that PYSPARK_PYTHON names, on every machine of the cluster.",
    ),
    (
        r"PYTHON_VERSION_MISMATCH|different version .* than that in driver",
        UsageError,
        "the workers' Python is of another version than this one: let PYSPARK_PYTHON name the "
        "same version on every machine of the cluster.",
    ),
    (
        r"Cannot run program",
        UsageError,
        "a worker has no Python under the name that PYSPARK_PYTHON gives: install it there, or "
        "let PYSPARK_PYTHON name the one that is.",
    ),
    (
        r"No FileSystem for scheme|ClassNotFoundException: Class org\.apache\.hadoop\.fs",
        UsageError,
        "Spark has no reader for paths of this scheme: give it one, such as --spark-conf "
        "spark.jars.packages=org.apache.hadoop:hadoop-aws:VERSION for s3a.",
    ),
    (
        r"AccessDenied|AccessControlException|Permission denied|NoAuthWithAWSException|Unauthorized",
        InputError,
        "Spark may not read a path: give it the right to, by --spark-conf KEY=VALUE or the cluster's own "
        "settings.",
    ),
    (
        r"Unexpected end of input stream|Unexpected end of file|EOFException|not in gzip format",
        InputError,
        "a compressed file is cut short or damaged; send it again, whole.",
    ),
    (
        r"FileNotFoundException|FAILED_READ_FILE\.FILE_NOT_EXIST|does not exist",
        InputError,
        "a worker does not find a file that this machine finds: every machine of the cluster "
        "must see it under the same path, or it changed while it was read.",
    ),
    (
        r"FAILED_READ_FILE|is not a Parquet file|ParquetDecodingException|SparkUpgradeException",
        InputError,
        "a Parquet file cannot be read by Spark; write or copy it again.",
    ),
    (
        r"No space left on device",
        UsageError,
        "a worker's disk is full: make room in its spark.local.dir, or name another.",
    ),
    (
        r"OutOfMemoryError|MemoryError|exit code 137|Container killed|OOM",
        UsageError,
        "a worker or the driver ran out of memory: give more to spark.executor.memory, "
        "spark.executor.memoryOverhead (Python's share) or spark.driver.memory, or lower --part-lines.",
    ),
    (
        r"ExecutorLostFailure|Python worker exited unexpectedly|Python worker failed to connect",
        UsageError,
        "workers were lost again and again; look at the cluster, and run again.",
    ),
    (
        r"stopped SparkContext|SparkContext was shut down|cancelled because|All masters are unresponsive",
        UsageError,
        "the cluster ended the run; look at the cluster, and run again.",
    ),
)


@contextmanager
def in_words() -> Iterator[None]:
    """Raises what Spark fails with meanwhile as an error of `errors`."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise as_user_error(str(error)) from error
    except ConnectionError as error:
        raise UsageError(f"{_HOW}: Spark's own process ended; run again.") from error


def as_user_error(text: str) -> UserError:
    """What a failure of Spark with this text is to the user."""
    for pattern, kind, sentence in _KNOWN:
        if re.search(pattern, text):
            return kind(f"{_file(text) or _HOW}: {sentence} Nothing was published.")
    names = re.findall(r"\b([A-Za-z]+(?:Error|Exception))\b", text)
    name = names[-1] if names else "without a name"
    return FaultError(
        f"a fault of the program on Spark ({name}); nothing was published. Please report it with this "
        "message."
    )


def _file(text: str) -> str | None:
    """The file that Spark was reading, as the user knows it."""
    found = re.search(r"while reading file (\S+?)\.?\s+SQLSTATE", text)
    return unquote(found[1]).removeprefix("file://") if found else None


def start_in_words(error: Exception, log: str, master: str) -> UserError:
    """Why Spark did not start."""
    text = f"{error}\n{log}"
    if re.search(r"UnsupportedClassVersionError|Module jdk\.incubator\.vector not found", text):
        return UsageError(
            f"{_HOW}: the Java that was found is too old for Spark; install a newer one."
        )
    if re.search(r"Could not parse Master URL|Invalid master URL", text):
        return UsageError(f"--spark-master: {master!r} names no cluster.")
    if re.search(r"unresponsive|Connection refused|UnknownHost|stopped SparkContext", text):
        return UsageError(
            f"--spark-master: {master} does not answer; look whether the cluster is up, and its address "
            "right."
        )
    if re.search(r"unresolved dependency|Server access error", text):
        return UsageError(
            "--spark-conf: spark.jars.packages names what cannot be fetched; name jars on this machine "
            "as spark.jars."
        )
    said = re.search(r"IllegalArgumentException: ([^\n]{1,200})", text)
    why = f": {said[1].rstrip('.')}" if said else ""
    return UsageError(
        f"{_HOW}: Spark could not be started{why}; look at --spark-master and --spark-conf."
    )
