# Two commands: `make up` serves the city on http://127.0.0.1:8000, `make test` proves it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Folders with programs from npm that the tests run beside ours.
NODE := tests/gateway/composition/peer tests/system/hive
CITY_SIZE ?= small
CITY_SEED ?= 2022
# Members served elsewhere: EXTERNAL="330109=http://… 330111=http://…"
EXTERNAL ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev services node up test check format compose schemas fuzz fuzz-selftest fuzz-horizontal soak \
        chaos chaos-selftest bench-city bench-gateway bench-horizontal bench-adapters bench-overlay clean

help:
	@echo "make up          set up, generate the sample city and serve it on http://127.0.0.1:8000"
	@echo "make test        set up, install the servers and the Node packages the tests need, run every test"
	@echo "make check       ruff, mypy --strict, import-linter, published schemas up to date"
	@echo "make format      let ruff format and fix"
	@echo "make compose     write schema/supergraph.graphql and schema/api.graphql"
	@echo "make schemas     the same, and schema/mapping.schema.json"
	@echo "make fuzz        random federated schemas against one single schema; CASES=10000"
	@echo "make fuzz-selftest  known faults, planted one by one, must be found"
	@echo "make fuzz-horizontal  random rows over random members against one store; CASES=2000 for each property"
	@echo "make soak        random faults on real sockets for SECONDS=1800 or CASES=100000 requests, whichever ends first"
	@echo "make chaos       the overlay's processes killed at random points for SECONDS=3600 or CASES= rounds; SEED= STORE="
	@echo "make chaos-selftest  faults planted in the overlay, one by one, must be found; SEED="
	@echo "make bench-city  figures of the whole small city in one process"
	@echo "make bench-gateway  the gateway beside its peers and beside a program written by hand"
	@echo "make bench-horizontal  scatter and gather beside the slowest member; 1, 4, 14, 56 members; one hung"
	@echo "make bench-adapters  pages out of a million rows and a subgraph's answers beside the bare driver; a CSV's index"
	@echo "make bench-overlay  a virtual warehouse's page in a window beside the same page of plain assets; PARTS=view"
	@echo "make clean       remove $(VENV), caches and the generated city (var/)"

$(VENV)/.python: scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh venv

$(VENV)/.runtime: $(VENV)/.python requirements.lock pyproject.toml
	@sh scripts/setup.sh runtime

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@sh scripts/setup.sh dev

setup: $(VENV)/.runtime

setup-dev: $(VENV)/.dev

services:
	@sh scripts/services.sh

node: $(NODE:=/node_modules/.package-lock.json)

%/node_modules/.package-lock.json: %/package-lock.json
	@sh scripts/node.sh $*

up: setup
	@$(BIN)/gwc up --size $(CITY_SIZE) --seed $(CITY_SEED) $(addprefix --external ,$(EXTERNAL))

test: setup-dev services node
	@sh scripts/test.sh

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gwc compose --check
	$(BIN)/gwc mapping schema --check

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

compose: setup
	$(BIN)/gwc compose

schemas: compose
	$(BIN)/gwc mapping schema

fuzz: setup-dev
	$(BIN)/python -m tests.fuzz --cases $(or $(CASES),10000) --seed $(or $(SEED),0)

fuzz-selftest: setup-dev
	$(BIN)/python -m tests.fuzz --selftest

fuzz-horizontal: setup-dev
	CASES=$(or $(CASES),2000) $(BIN)/pytest -o timeout=0 tests/horizontal/test_one_store.py tests/horizontal/test_walks.py

soak: setup-dev
	$(BIN)/python -m tests.horizontal.soak --cases $(or $(CASES),100000) --seconds $(or $(SECONDS),1800) --seed $(or $(SEED),0)

chaos: setup-dev
	$(BIN)/python -m tests.overlay.chaos --seconds $(or $(SECONDS),3600) --cases $(or $(CASES),1000000) \
	  $(if $(SEED),--seed $(SEED)) $(addprefix --store ,$(STORE))

chaos-selftest: setup-dev
	$(BIN)/python -m tests.overlay.chaos --selftest --seed $(or $(SEED),0)

bench-gateway: setup-dev
	$(BIN)/python -m benchmarks.gateway.run

bench-horizontal: setup-dev
	$(BIN)/python -m benchmarks.horizontal.run

bench-adapters: setup-dev
	$(BIN)/python -m benchmarks.adapters.run

bench-overlay: setup-dev
	$(BIN)/python -m benchmarks.overlay.run

bench-city: setup-dev
	$(BIN)/python -m benchmarks.city

clean:
	rm -rf $(NODE:=/node_modules) $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
