# One virtual environment, .venv, holds the locked packages and this project (editable).
# It is remade when the lock changes and refreshed when pyproject.toml does.

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt
SAMPLE_OUT := build/sample
PYTEST_ARGS := -n auto --maxprocesses 4 --dist loadgroup
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check format docs pictures bench wheel wheel-check lock upgrade clean
.PHONY: check-format check-lint check-types check-docs

help: ## List the targets (this text).
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed ## Make .venv with Python 3.11 or later and install the locked packages and this project.

run: setup ## Install, then run the main job on sample_claims/ and write the reports to build/sample/.
	$(BIN)/claims-edit run --config sample_claims/run.toml --out $(SAMPLE_OUT) --replace

test: setup ## Install, then run the tests; warnings are errors. Spark needs Java 17 or later, pages Chromium.
	scripts/java.sh
	scripts/chromium.sh
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: check-format check-lint check-types check-docs test ## Check format, lint, types and generated docs, then run the tests.

check-format: setup ## Fail when a file is not formatted.
	$(BIN)/ruff format --check .

check-lint: setup ## Fail when the linter finds anything.
	$(BIN)/ruff check .

check-types: setup ## Type-check strictly.
	$(BIN)/mypy claims_edit tests $(wildcard benchmarks scripts)

check-docs: setup ## Fail when docs/edits.md or docs/sentences.md is stale.
	$(BIN)/python -m tests.edits.generate_docs --check
	$(BIN)/python -m tests.policies.generate_docs --check

format: setup ## Format the code and apply the linter's safe fixes.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: setup ## Write docs/edits.md from the example tables of the tests, docs/sentences.md from the policies.
	$(BIN)/python -m tests.edits.generate_docs
	$(BIN)/python -m tests.policies.generate_docs

pictures: setup ## Take the pictures of the README and the guides from the sample run; needs Chromium.
	scripts/chromium.sh
	$(BIN)/python scripts/pictures.py

bench: setup ## Measure the program against its rivals and targets into benchmarks/RESULTS.md (hours; no test).
	$(BIN)/python -m benchmarks.scale $(BENCH)

wheel: setup ## Build the source archive, and from it the wheel, into dist/.
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

wheel-check: wheel ## Install the built wheel alone in an empty environment and run the sample with it elsewhere.
	scripts/check_wheel.sh dist/*.whl

lock: $(VENV)/.locked ## Write requirements/*.txt again after a change of dependencies; keeps versions that still fit.
	$(PIP_COMPILE) $(LOCK_ARGS) --extra spark --output-file $(LOCK) pyproject.toml requirements/dev.in
	$(PIP_COMPILE) --constraint $(LOCK) --output-file requirements/runtime.txt pyproject.toml

upgrade: LOCK_ARGS := --upgrade
upgrade: lock ## Write requirements/*.txt again with the newest versions that fit.

clean: ## Remove all that these targets create, .venv included.
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.locked: $(LOCK)
	@for python in $(or $(PYTHON),python3.11 python3); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Installing the locked packages into $(VENV) with $$("$$python" --version); this takes a minute, once."; \
			"$$python" -m venv --clear $(VENV) && exit 0; \
			echo "$$python could not make a virtual environment; its venv module may be a package of its own (python3-venv)." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Python 3.11 or later is needed. Install it, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.11" >&2; \
	exit 1
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --no-binary pyspark -r $(LOCK)
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check
	@touch $@
