# Aquila's commands. Every target makes what it needs; only Python (3.11 or newer) and make must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench schemas e2e pins clean

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.runtime requirements/develop.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/develop.txt
	@touch $@

setup: $(VENV)/.develop ## make the environment .venv with everything to run, test and change Aquila

demo: $(VENV)/.runtime ## one round of three parties and a matcher, as real processes; KEEP=1 leaves it running
	$(BIN)/aquila demo $(if $(KEEP),--keep)

test: $(VENV)/.develop ## unit, vector, property, scenario, contract, migration and transcript tests
	$(BIN)/python -m pytest -n 2 -m "not e2e" --cov --cov-fail-under=100

e2e: $(VENV)/.develop ## whole rounds among real processes, killed and restarted, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -m e2e
	$(BIN)/python -m pytest -n 2 --database postgresql tests/unit/services/node tests/unit/services/matcher

check: $(VENV)/.develop ## lint, types, layers, and that generated files are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.generate --check

fix: $(VENV)/.develop ## format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(VENV)/.develop ## write JSON Schema and OpenAPI anew from the code
	$(BIN)/python -m tests.generate

bench: $(VENV)/.runtime ## microseconds per element for each step
	$(BIN)/aquila bench

pins: ## pin all requirements anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header requirements/runtime.in -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header requirements/develop.in -o requirements/develop.txt

clean: ## remove the environment and what tests and demo leave
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
