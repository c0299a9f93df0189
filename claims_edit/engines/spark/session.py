"""A session of Spark for one run: started, silent, and stopped; its failures in the user's words."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from claims_edit.engines.spark.failures import start_in_words
from claims_edit.engines.spark.java import require_java, require_pyspark
from claims_edit.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MASTER = re.compile(r"local(\[.+\])?|local-cluster\[.+\]|(spark|k8s)://.+|yarn")
_SECONDS_FOR_WORKERS = 300
_LOG4J = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""
# How the rows of an extract must be read, whatever else is set: as polars reads them.
_AS_POLARS_READS = {
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
}
# What suits this work, unless --spark-conf says otherwise.
_DEFAULTS = {
    "spark.app.name": "claims-edit",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
}
_ON_THIS_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


@contextmanager
def session(master: str, conf: dict[str, str]) -> Iterator[SparkSession]:
    """A session on a cluster; one of a program's own that is active is used, and left running.

    Raises UsageError where Spark is not installed, finds no fit Java, or cannot reach its cluster.
    """
    _require_master(master)
    require_pyspark()
    require_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with ExitStack() as stack:
        stack.enter_context(_without_pandas_warning())
        from pyspark.sql import SparkSession as Sessions

        active = Sessions.getActiveSession()
        if active is not None:
            spark = active.newSession()
        else:
            log = stack.enter_context(_private_folder()) / "spark.log"
            spark = _started(master, conf, log)
            stack.callback(_stopped, spark)
            _require_workers(spark, master)
        for key, value in _AS_POLARS_READS.items():
            spark.conf.set(key, value)
        if "spark.sql.shuffle.partitions" not in conf:
            cores = spark.sparkContext.defaultParallelism
            spark.conf.set("spark.sql.shuffle.partitions", str(max(2 * cores, 8)))
        yield spark


def _require_master(master: str) -> None:
    if not _MASTER.fullmatch(master):
        raise UsageError(
            f"--spark-master: {master!r} names no cluster; give local[*], spark://HOST:PORT, yarn or "
            "k8s://URL."
        )


@contextmanager
def _without_pandas_warning() -> Iterator[None]:
    """PySpark warns of a new pandas wherever Arrow is used; no frame of pandas is made here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"PySpark does not yet fully support pandas")
        yield


@contextmanager
def _private_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="claims-edit-spark-") as folder:
        yield Path(folder)


def _started(master: str, conf: dict[str, str], log: Path) -> SparkSession:
    """Spark, started; what it and its JVM say goes to a file, and not to the user's screen."""
    from pyspark.sql import SparkSession as Sessions

    settings_file = log.with_name("log4j2.properties")
    settings_file.write_text(_LOG4J, encoding="utf-8")
    options = f"-Dlog4j2.configurationFile={settings_file.as_uri()}"
    given = conf.get("spark.driver.extraJavaOptions", "")
    if "log4j2.configurationFile" not in given:
        conf = conf | {"spark.driver.extraJavaOptions": f"{options} {given}".strip()}
    local = master.startswith("local")
    builder = Sessions.builder.master(master)
    for key, value in (_DEFAULTS | (_ON_THIS_MACHINE if local else {}) | conf).items():
        builder = builder.config(key, value)
    with log.open("w+", encoding="utf-8", errors="replace") as file:
        try:
            with _standard_error_to(file):
                return builder.getOrCreate()
        except Exception as error:
            file.seek(0)
            raise start_in_words(error, file.read(), master) from error


@contextmanager
def _standard_error_to(file: IO[str]) -> Iterator[None]:
    """For what is started meanwhile: a process keeps the standard error that it was started with."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _require_workers(spark: SparkSession, master: str) -> None:
    """Raises UsageError where no worker takes the run in time; a cluster may have none that is free."""
    context = spark.sparkContext
    if context.getConf().get("spark.dynamicAllocation.enabled") == "true":
        return
    if master.startswith("local"):
        return
    scheduler = context._jsc.sc()
    begun = time.monotonic()
    while scheduler.getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if scheduler.isStopped() or time.monotonic() - begun > _SECONDS_FOR_WORKERS:
            raise UsageError(
                f"--spark-master: {master}: no worker took the run. Look whether the cluster is up and "
                "has room for spark.executor.memory and spark.executor.cores, and whether its machines "
                "reach this one."
            )
        time.sleep(0.2)


def _stopped(spark: SparkSession) -> None:
    spark.stop()
