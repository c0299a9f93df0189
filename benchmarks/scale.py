"""Measures the program against its rivals and its targets, scenario by scenario, into RESULTS.md.

python -m benchmarks.scale                      all scenarios
python -m benchmarks.scale sparse-20m startup   some of them
python -m benchmarks.scale --quick              a twentieth of the size, one round, for trying it out
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks import results
from benchmarks.results import Section
from benchmarks.review import review
from benchmarks.scenarios_dense import dense_5m, dense_20m, dense_growth, limits
from benchmarks.scenarios_sparse import gzip_5m, sparse_20m, sparse_100m
from benchmarks.scenarios_startup import history, startup
from benchmarks.settings import Settings

SCENARIOS: Mapping[str, Callable[[Settings], Section]] = {
    "startup": startup,
    "history": history,
    "sparse-20m": sparse_20m,
    "sparse-100m": sparse_100m,
    "gzip-5m": gzip_5m,
    "dense-5m": dense_5m,
    "dense-growth": dense_growth,
    "dense-20m": dense_20m,
    "limits": limits,
    "review": review,
}


def main() -> int:
    """Measure; 1 where a target does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--rounds", type=int, help="rounds of each comparison [5; quick: 1]")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    settings = Settings(options.rounds or (1 if options.quick else 5), options.quick)
    missed = []
    for name, scenario in SCENARIOS.items():
        if name in (options.scenarios or SCENARIOS):
            print(name, file=sys.stderr, flush=True)
            section = scenario(settings)
            results.write(section, list(SCENARIOS), settings.results)
            print(section)
            missed += section.missed
    for target in missed:
        print(f"MISSED: {target}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
