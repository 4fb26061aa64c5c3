# `make demo` shows it working, `make test` passes the whole suite; both set up what they need.
.PHONY: help setup demo test check lint types mypy pyright warm docs snapshots bench lock clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# What is compiled is kept, whatever the environment says: each worker and each daemon of a test would compile it anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

help: ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.made ## Make the virtual environment with everything in it, locked by hash

$(VENV)/.made: requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "claude-code-mcp needs Python 3.11 or newer"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (half a minute the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

tests/js/node_modules/.made: tests/js/package-lock.json $(VENV)/.made
	@cd tests/js && "$(CURDIR)/$(BIN)/python" install.py
	@touch $@

demo: setup ## Run a session with the real Claude Code and a scripted model; no login, no network
	@$(BIN)/claude-code-mcp demo $(ARGS)

test: setup tests/js/node_modules/.made ## Pass the whole suite: format, lint, types, layers, tests
	@$(MAKE) --no-print-directory -j 2 check warm
	@$(PYTEST) -n 3 --dist worksteal $(ARGS)

check: lint types ## Format, lint, types, import contracts

lint: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports

types: mypy pyright

mypy: setup
	@$(BIN)/mypy

pyright: setup
	@$(BIN)/basedpyright

# Once for all workers, and while a type checker keeps the other core busy.
warm: setup
	@$(PYTEST) -n 0 --collect-only -qqq >/dev/null

docs: setup ## Write the generated pages anew
	@$(BIN)/python -m claude_code_mcp.surfaces.docs docs/reference
	@$(BIN)/python -m tests.requirements docs/requirements.md

snapshots: setup ## Write the snapshots of the tool schemas anew; read the diff
	@$(BIN)/python -m tests.surfaces.mcp.snapshots

bench: setup ## Run the benchmarks and print their tables (some minutes)
	@$(BIN)/python -m bench $(ARGS)

lock: setup ## Resolve the dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url -q --python-version 3.11 \
		pyproject.toml -o requirements/runtime.lock
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url -q --python-version 3.11 \
		pyproject.toml --group dev -o requirements/dev.lock

clean: ## Remove everything that was made
	rm -rf $(VENV) tests/js/node_modules .mypy_cache .ruff_cache .hypothesis .import_linter_cache
