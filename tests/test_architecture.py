"""The rules that keep the house in order, read out of the source by `ast`."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from claims_edit import (
    clinical_contracts,
    contracts,
    decision_contracts,
    reference_contracts,
    report_contracts,
    run_contracts,
)
from claims_edit.pandera_alone import pa
from tests.support import PROJECT

PACKAGE = "claims_edit"
FAMILIES = (
    "authorization",
    "claim",
    "criteria",
    "diagnosis",
    "dose",
    "duplicate",
    "governance",
    "limit",
    "member",
    "ndc",
    "partner",
    "wastage",
)
SPARK = (
    "engine",
    "failures",
    "files",
    "frames",
    "inputs",
    "java",
    "plan",
    "scan",
    "session",
    "work",
)
REVIEW = (
    "database",
    "desk",
    "export",
    "guard",
    "office",
    "queue",
    "server",
    "store",
    "stories",
    "views",
)
# What reads files, writes files, or talks to people: the outside of the house.
OUTSIDE = {
    "__main__",
    "cases",
    "cli",
    "cli_options",
    "cli_policy",
    "cli_review",
    "comparisons",
    "csv_files",
    "decisions",
    "determining",
    "engines",
    "engines.engine",
    "engines.local",
    "engines.spill",
    "elsewhere",
    "explaining",
    *(f"engines.spark.{name}" for name in SPARK),
    "extracts",
    "history",
    "inputs",
    "intake",
    "kept_reference",
    "log",
    "manifest",
    "masking",
    "members",
    "policy_check",
    "publish",
    "quarantine",
    "report",
    "report.comparison",
    "report.flagged",
    "report.metrics",
    "report.page",
    "report.policies",
    "report.reading",
    "report.summary",
    "report.text",
    "report.absent",
    "report.pages",
    "report.stories",
    "report.telling",
    "retelling",
    "report.workbook",
    "reporting",
    "review",
    *(f"review.{name}" for name in REVIEW),
    "runs",
    "screen",
    "settings",
    "steps",
    "tables",
    "validation",
    "verify",
    "whole",
}
# Decide upon frames alone. What they import of `policies` and `reference` also loads itself.
PURE = {
    "changes",
    "clinical_contracts",
    "contracts",
    "criteria",
    "decided",
    "decision_contracts",
    "schemas",
    "determinations",
    "disposition",
    "drift",
    "evaluate",
    "findings",
    "frames",
    "kernel",
    "ledger",
    "lifecycle",
    "limits",
    "naming",
    "nearest",
    "normalise",
    "parts",
    "past",
    "policy_frames",
    "reconsider",
    "reference_contracts",
    "report_contracts",
    "run_contracts",
    "kept",
    "quarantine",
    "report.charts",
    "report.comparison",
    "report.figures",
    "report.flagged",
    "report.policies",
    "report.rates",
    "report.summary",
    "report.text",
    "report.judged_by",
    "report.masked",
    "report.member_units",
    "report.remedies",
    "report.story",
    "report.timeline",
    "report.versions",
    "report.wording",
    "review.query",
    "review.schema",
    "review.words",
    "scope",
    "vials",
    "edits.edit",
    "edits.catalogue",
    *(f"edits.{family}" for family in FAMILIES),
}
CONTRACTS = (
    clinical_contracts,
    contracts,
    decision_contracts,
    reference_contracts,
    report_contracts,
    run_contracts,
)
FILE_MODULES = {"glob", "io", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile"}
FORMATS = "csv|parquet|ipc|json|ndjson|avro|excel|delta|database|text|bytes"
FILE_CALLS = re.compile(rf"^(open|input|print|(read|scan|write|sink)_({FORMATS})(_\w+)?)$")
CLOCKS = {"today", "now", "utcnow", "perf_counter", "random", "getenv"}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 400, 50


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    name: str
    path: Path
    source: str
    tree: ast.Module

    def imports(self, *, at_top: bool = False) -> set[str]:
        """Full names of the modules it imports, wherever, or where importing it imports them."""
        nodes = self.tree.body if at_top else list(ast.walk(self.tree))
        found: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: write imports in full"
                found |= {_module_of(node.module or "", alias.name) for alias in node.names}
        return found

    def own_imports(self, *, at_top: bool = False) -> set[str]:
        """The modules of the package that it imports, without the package's name."""
        names = {i for i in self.imports(at_top=at_top) if i.split(".")[0] == PACKAGE}
        own = {n.removeprefix(PACKAGE).removeprefix(".") for n in names}
        return own - {"", "pandera_alone"}  # the one way to a library

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _module_of(module: str, name: str) -> str:
    """`from a import b` imports module `a.b` where there is one, else `a`."""
    full = f"{module}.{name}"
    base = PROJECT / full.replace(".", "/")
    return full if base.with_suffix(".py").exists() or (base / "__init__.py").exists() else module


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted((PROJECT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(PROJECT / PACKAGE).with_suffix("").parts
        name = ".".join(p for p in parts if p != "__init__")
        source = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, source, ast.parse(source))
    return found


def others_than(*names: str) -> list[Module]:
    return [module for name, module in modules().items() if name not in names]


def names_in(tree: ast.AST) -> Iterator[str]:
    """Every name, attribute and text of a piece of source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield function.attr
            elif isinstance(function, ast.Name):
                yield function.id


# ---- who imports whom -----------------------------------------------------------------------


def test_every_family_of_edits_is_known_here() -> None:
    files = {n.removeprefix("edits.") for n in modules() if n.startswith("edits.")}
    assert files == {*FAMILIES, "edit", "catalogue"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_edits_knows_no_other_and_nothing_of_files_and_policies(family: str) -> None:
    imported = modules()[f"edits.{family}"].own_imports()
    assert imported <= {
        *("clinical_contracts", "contracts", "criteria", "nearest", "normalise", "reference"),
        *("frames", "vials", "edits.edit"),
    }


def test_only_the_catalogue_and_what_asks_the_edits_know_the_families() -> None:
    families = {f"edits.{family}" for family in FAMILIES}
    knowing = {m.name for m in modules().values() if m.own_imports() & families}
    assert knowing == {"determinations", "edits.catalogue", "evaluate"}


def test_what_an_edit_is_stands_on_reading_values_alone() -> None:
    assert modules()["edits.edit"].own_imports() <= {
        "contracts",
        "criteria",
        "normalise",
        "schemas",
    }


def test_schemas_stand_on_nothing_and_reading_values_on_schemas() -> None:
    assert modules()["schemas"].own_imports() == set()
    assert modules()["clinical_contracts"].own_imports() == {"schemas"}
    assert modules()["contracts"].own_imports() == {"clinical_contracts", "schemas"}
    assert modules()["criteria"].own_imports() == {"clinical_contracts", "schemas"}
    assert modules()["errors"].own_imports() == set()
    assert modules()["normalise"].own_imports() == {"schemas"}
    assert modules()["quarantine"].own_imports() == {"schemas", "contracts", "normalise"}


def test_evaluate_reaches_nothing_outside_the_house() -> None:
    reached, ahead = set(), ["evaluate"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(modules()[name].own_imports())
    assert reached & OUTSIDE == set()
    assert reached - PURE == {"errors", "policies", "policy_tables", "reference", "toml_tables"}


def test_data_flows_one_way() -> None:
    """Each module is imported by those after it, and by none before it."""
    order = (
        *("errors", "schemas", "clinical_contracts", "contracts", "reference_contracts"),
        *(
            "report_contracts",
            "decision_contracts",
            "run_contracts",
            "decided",
            "frames",
            "normalise",
            "reference",
            "vials",
            "criteria",
            "nearest",
        ),
        *(
            "toml_tables",
            "edits.edit",
            "edits",
            "edits.catalogue",
            "policy_tables",
            "policies",
            "scope",
        ),
        *(
            "past",
            "findings",
            "lifecycle",
            "kernel",
            "ledger",
            "limits",
            "disposition",
            "reconsider",
        ),
        *(
            "policy_frames",
            "evaluate",
            "kept",
            "determinations",
            "changes",
            "drift",
            "csv_files",
            "extracts",
            "tables",
            "parts",
        ),
        *("quarantine", "members", "intake", "manifest", "kept_reference", "publish"),
        *("whole", "elsewhere", "decisions", "history", "retelling", "inputs"),
        *(
            "report",
            "cases",
            "policy_check",
            "engines.spill",
            "engines.local",
            "runs",
            "comparisons",
            "determining",
            "explaining",
        ),
        *("validation", "verify", "review", "cli_policy", "cli_review", "cli", "__main__"),
    )
    place = {name: i for i, name in enumerate(order)}
    families = {f"edits.{family}": place["edits"] for family in FAMILIES}
    place = {**place, **families}
    backwards = [
        (name, other)
        for name, module in modules().items()
        for other in module.own_imports()
        if name in place and other in place and place[other] >= place[name]
    ]
    assert backwards == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    waiting = {name: module.own_imports() & set(modules()) for name, module in modules().items()}
    while waiting:
        free = [name for name, needs in waiting.items() if not needs & set(waiting)]
        assert free, f"these import each other: {sorted(waiting)}"
        for name in free:
            del waiting[name]


def test_the_command_line_loads_nothing_heavy_to_begin_with() -> None:
    light = (
        "cli",
        "cli_options",
        "cli_policy",
        "cli_review",
        "errors",
        "log",
        "screen",
        "settings",
    )
    for name in (*light, "__main__", ""):
        module = modules()[name]
        outside = {i.split(".")[0] for i in module.imports(at_top=True)} - {PACKAGE}
        assert outside <= {*sys.stdlib_module_names, "click"}
        assert module.own_imports(at_top=True) <= set(light)


def test_settings_stand_on_errors_alone() -> None:
    assert modules()["settings"].own_imports() == {"errors"}


def test_engines_hold_no_rules() -> None:
    """They bring rows together and hand tables on: no edit, action, disposition or policy is named."""
    from claims_edit.edits.catalogue import EDITS

    engines = [m for m in modules().values() if m.name.startswith("engines")]
    assert len(engines) > 10
    rules = {*EDITS, *contracts.ACTIONS, *contracts.DISPOSITIONS, *contracts.VERDICTS}
    told = {(m.name, name) for m in engines for name in names_in(m.tree) if name in rules}
    assert told == set()
    bringing = {"contracts", "evaluate", "lifecycle", "normalise", "parts", "past"}
    bringing |= {"kept", "report.flagged", "run_contracts", "schemas", "scope"}
    deciding = {name for m in engines for name in m.own_imports() if name in PURE - bringing}
    assert deciding == set()


def test_an_engine_is_known_to_those_who_choose_it_alone() -> None:
    knowing = {m.name for m in modules().values() if "engines.engine" in m.own_imports()}
    assert knowing == {"runs"}
    within = {m.name for m in modules().values() if m.name.startswith("engines")}
    for name in ("engines.local", "engines.spark.engine"):
        assert {m.name for m in modules().values() if name in m.own_imports()} == {"engines.engine"}
        apart = "engines.spark" if name == "engines.local" else "engines.local"
        reached = {i for i in modules()[name].own_imports() if i in within}
        assert not any(i.startswith(apart) for i in reached)


def test_spark_is_loaded_where_it_is_asked_for_alone() -> None:
    """Nothing but its engine imports PySpark, and that not before it is started."""
    for module in modules().values():
        libraries = {i.split(".")[0] for i in module.imports()} & {"pyspark", "py4j"}
        assert not libraries or module.name.startswith("engines.spark."), module.name
        at_top = {i.split(".")[0] for i in module.imports(at_top=True)}
        assert at_top & {"pyspark", "py4j"} == set(), module.name


def test_pandera_is_imported_in_one_place() -> None:
    """Elsewhere it would bring PySpark along."""
    importing = {
        m.name for m in modules().values() if "pandera" in {i.split(".")[0] for i in m.imports()}
    }
    assert importing == {"pandera_alone"}


def test_pages_are_served_and_decisions_kept_by_the_review_alone() -> None:
    """And what is asked of the queue knows neither pages nor files."""
    for module in modules().values():
        libraries = {i.split(".")[0] for i in module.imports()}
        within = module.name.startswith("review.")
        assert within or not libraries & {"flask", "sqlite3", "waitress", "werkzeug"}, module.name
        at_top = {i for i in module.own_imports() if i.startswith("review")}
        assert within or not at_top or module.name == "cli_review", module.name
    for name in ("query", "schema", "words"):
        assert not modules()[f"review.{name}"].own_imports() & {f"review.{n}" for n in REVIEW}


# ---- who touches what -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PURE))
def test_what_decides_touches_no_file_and_asks_no_clock(name: str) -> None:
    module = modules()[name]
    assert {i.split(".")[0] for i in module.imports()} & FILE_MODULES == set()
    assert [c for c in called(module.tree) if FILE_CALLS.match(c)] == []
    assert set(called(module.tree)) & CLOCKS == set()


def test_extracts_are_read_in_one_place() -> None:
    """`reference` reads its own tables; `runs`, `history` and `verify` what runs have written."""
    readers = {
        (module.name, call)
        for module in modules().values()
        for call in called(module.tree)
        if re.match(r"^(read|scan)_", call) and FILE_CALLS.match(call)
        if call not in ("read_bytes", "read_text")
    }
    assert readers == {
        ("engines.spark.frames", "read_ipc"),
        ("extracts", "scan_csv"),
        ("extracts", "scan_parquet"),
        ("determining", "read_parquet"),
        ("engines.spill", "read_ipc"),
        ("engines.spill", "scan_ipc"),
        ("history", "scan_parquet"),
        ("reference", "read_csv"),
        ("retelling", "scan_parquet"),
        ("report.reading", "read_parquet"),
        ("review.export", "read_parquet"),
        ("review.queue", "scan_parquet"),
        ("runs", "scan_parquet"),
        ("tables", "scan_ipc"),
        ("verify", "read_parquet"),
    }


def test_what_is_in_force_on_a_date_is_written_in_one_place() -> None:
    """Nothing but `reference` compares a day with the dates of a dated row."""
    dates = {"start_date", "end_date"}
    found = []
    for module in others_than("reference"):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Compare):
                continue
            if not any(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for o in node.ops):
                continue
            sides = [dates & set(names_in(side)) for side in (node.left, *node.comparators)]
            if any(sides) and not all(sides):  # of both sides, the row's own order is looked at
                found.append(f"{module.name}:{node.lineno}")
            if any(sides) and all(sides) and module.name != "reference_contracts":
                found.append(f"{module.name}:{node.lineno}")
    assert found == []


def test_columns_are_listed_in_one_place() -> None:
    """Outside the contracts nobody writes out eight or more of their columns."""
    columns = {
        column
        for module in CONTRACTS
        for value in vars(module).values()
        if isinstance(value, pa.DataFrameSchema)
        for column in value.columns
    }
    found = []
    for module in others_than(*(m.__name__.rpartition(".")[2] for m in CONTRACTS)):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                texts = {v.value for v in node.elts if isinstance(v, ast.Constant)}
                if len(texts & columns) >= 8:
                    found.append(f"{module.name}:{node.lineno}")
    assert found == []


# ---- only data makes a policy ---------------------------------------------------------------


def test_no_module_names_the_drug_its_diagnoses_or_its_products() -> None:
    names = re.compile(r"J9207|ixabepilone|ixempra|C50|Z85\.?3|70020", re.IGNORECASE)
    found = [
        f"{module.name}:{number}"
        for module in modules().values()
        for number, line in enumerate(module.source.splitlines(), 1)
        if names.search(line)
    ]
    assert found == []


def test_no_module_names_the_limit() -> None:
    """As a number, or as a word of a text or a comment."""
    limit = re.compile(r"(?<![\w.])90(\.0*)?(?![\w.])|ninety", re.IGNORECASE)
    found = []
    for module in modules().values():
        documented = {
            node.body[0].lineno
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        }
        for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
            telling = token.type in (tokenize.NUMBER, tokenize.STRING, tokenize.COMMENT)
            if telling and limit.search(token.string) and token.start[0] not in documented:
                found.append(f"{module.name}:{token.start[0]}")
    assert found == []


# ---- size and shape -------------------------------------------------------------------------


def test_no_module_is_long() -> None:
    lengths = {m.name: len(m.source.splitlines()) for m in modules().values()}
    assert {name: n for name, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def test_no_function_is_long() -> None:
    """Its docstring aside."""
    found = {
        f"{module.name}.{function.name}": length
        for module in modules().values()
        for function in module.functions()
        if (length := _lines_of(function)) > MAX_FUNCTION_LINES
    }
    assert found == {}


def _lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or 0) - function.lineno + 1
    said = ast.get_docstring(function, clean=False)
    return lines if said is None else lines - len(said.splitlines())


def test_what_is_public_says_what_it_does() -> None:
    silent = [
        f"{module.name}.{node.name}"
        for module in modules().values()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []
    assert [m.name for m in modules().values() if ast.get_docstring(m.tree) is None] == []


def test_nothing_is_remembered_between_calls() -> None:
    """What a module defines at its top is never changed, and no result is kept."""
    changing = {"append", "add", "clear", "extend", "insert", "pop", "popitem", "remove"}
    changing |= {"discard", "setdefault", "update", "sort", "reverse"}
    found = []
    for module in modules().values():
        own = {
            target.id
            for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(module.tree):
            changed: ast.expr | None = None
            if isinstance(node, ast.Global):
                found.append(f"{module.name}:{node.lineno}: global")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                changed = node.func.value if node.func.attr in changing else None
            elif isinstance(node, ast.Assign | ast.Delete):
                for target in node.targets:
                    changed = target.value if isinstance(target, ast.Subscript) else changed
            elif isinstance(node, ast.AugAssign):
                changed = node.target
            if isinstance(changed, ast.Name) and changed.id in own:
                found.append(f"{module.name}:{changed.lineno}: {changed.id}")
        found += [
            f"{module.name}: {name}"
            for name in names_in(module.tree)
            if name in ("cache", "lru_cache", "cached_property")
        ]
    assert found == ["kernel: cache"]  # machine code, made once
